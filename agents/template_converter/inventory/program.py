"""Which of a repository's programs a workshop is about: the one with most endpoints, and the files that go with it."""

import posixpath
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared_services.contracts.inventory import BuildFile, ComposeService, ContainerFile, Endpoint, EntryPoint, Inventory

_TOOLS_OF = {
    "py": frozenset({"poetry", "pip", "hatchling", "setuptools", "flit_core", "uv_build", "pdm", "poetry_core"}),
    "java": frozenset({"maven", "gradle"}),
    "kt": frozenset({"maven", "gradle"}),
    "js": frozenset({"npm"}),
    "ts": frozenset({"npm"}),
    "tsx": frozenset({"npm"}),
    "mjs": frozenset({"npm"}),
    "go": frozenset({"go"}),
}
_ORDER = ["maven", "gradle", "npm", "poetry", "go", "cargo"]
_PYTHON = ("pyproject.toml", "requirements.txt", "setup.cfg", "setup.py")
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


@dataclass(frozen=True)
class Program:
    """A program of a repository.

    Attributes:
        build: What it is built by; None where nothing is known.
        root: The folder that its tool is run in.
        module: The part of a build of several modules, from `root`; empty where the build is of one.
        endpoints: Those of the program.
        entry_points: Where it begins.
        tests: Its files with tests.
    """

    build: BuildFile | None
    root: str
    module: str
    endpoints: list[Endpoint]
    entry_points: list[EntryPoint]
    tests: list[str]

    @property
    def folder(self) -> str:
        """Where its sources are."""
        return posixpath.join(self.root, self.module) if self.module else self.root


def main_program(inventory: Inventory, files: Collection[str]) -> Program:
    """The program with most endpoints; without endpoints the one nearest to the top."""
    build = _with_most_endpoints(inventory) or _nearest_to_the_top(inventory)
    folder = posixpath.dirname(build.path) if build else ""
    root = _reactor(build, files) if build else ""
    others = {posixpath.dirname(row.path) for row in inventory.build_files if row.tool != "make"} - {folder}

    def own(paths: Iterable[tuple[str, object]]) -> list[object]:
        return [row for path, row in paths if inside(path, folder) and not _belongs_to_another(path, folder, others)]

    return Program(
        build,
        root,
        folder[len(root) :].strip("/"),
        [row for row in inventory.endpoints if own([(row.place.path, row)])],
        [row for row in inventory.entry_points if own([(row.place.path, row)])],
        [path for path in inventory.tests if own([(path, path)])],
    )


def inside(path: str, folder: str) -> bool:
    """Whether a path lies in a folder; the empty one holds every path."""
    return not folder or path.startswith(f"{folder}/")


def _belongs_to_another(path: str, folder: str, others: Collection[str]) -> bool:
    return any(inside(path, other) and len(other) > len(folder) for other in others)


def _with_most_endpoints(inventory: Inventory) -> BuildFile | None:
    counted: Counter[str] = Counter()
    builds = {build.path: build for build in inventory.build_files}
    for endpoint in inventory.endpoints:
        near = _nearest(inventory.build_files, endpoint.place.path)
        if near is not None:
            counted[near.path] += 1
    return builds[counted.most_common(1)[0][0]] if counted else None


def _nearest(builds: list[BuildFile], path: str) -> BuildFile | None:
    tools = _TOOLS_OF.get(path.rpartition(".")[2], frozenset())
    fitting = [
        build
        for build in builds
        if build.tool in tools
        and inside(path, posixpath.dirname(build.path))
        and (not path.endswith(".py") or posixpath.basename(build.path) in _PYTHON)
    ]
    return max(
        fitting,
        key=lambda build: (len(posixpath.dirname(build.path)), _says(build), build.tool == "poetry", build.tool == "maven"),
        default=None,
    )


def _says(build: BuildFile) -> bool:
    """Whether a build file names anything: a `pyproject.toml` may hold settings of tools alone."""
    return bool(build.dependencies or build.scripts) or build.tool not in _TOOLS_OF["py"]


def _nearest_to_the_top(inventory: Inventory) -> BuildFile | None:
    rows = [build for build in inventory.build_files if build.tool != "make"] or inventory.build_files
    return min(
        rows,
        key=lambda build: (
            build.path.count("/"),
            not _says(build),
            _ORDER.index(build.tool) if build.tool in _ORDER else len(_ORDER),
            build.path,
        ),
        default=None,
    )


def _reactor(build: BuildFile, files: Collection[str]) -> str:
    """The folder of the build that a module is a part of: the topmost one above it without a gap."""
    folder = posixpath.dirname(build.path)
    names = {"maven": ("pom.xml",), "gradle": ("settings.gradle", "settings.gradle.kts")}.get(build.tool, ())
    found, above = folder, folder
    while names and above:
        above = posixpath.dirname(above)
        if any(posixpath.join(above, name) in files for name in names):
            found = above
        elif build.tool == "maven":
            break
    return found


def container_of(program: Program, inventory: Inventory) -> ContainerFile | None:
    """The Containerfile of a program, or one that is no other program's; None where there is neither."""
    rows = inventory.containers
    shown = [each for each in rows if "native" not in each.path and "debug" not in each.path] or rows
    own = [each for each in shown if inside(each.path, program.folder)] if program.folder else []
    free = [each for each in shown if not anothers(each.path, program, inventory)]
    return min(own or free, key=lambda each: (each.path.count("/"), len(each.path)), default=None)


def anothers(path: str, program: Program, inventory: Inventory) -> bool:
    """Whether a file stands beside another program's build."""
    folders = {posixpath.dirname(build.path) for build in inventory.build_files if build.tool != "make"} - {program.folder}
    return any(folder and inside(path, folder) and not inside(program.folder, folder) for folder in folders)


def compose_of(program: Program, inventory: Inventory) -> list[ComposeService]:
    """The services of the compose file at the program or above it, else of the one with most services that is no other's."""
    files: dict[str, list[ComposeService]] = {}
    for row in inventory.compose:
        if not anothers(row.path, program, inventory):
            files.setdefault(row.path, []).append(row)

    def order(path: str) -> tuple[bool, int, int, int, str]:
        name, folder = posixpath.basename(path), posixpath.dirname(path)
        above = folder == program.folder or inside(program.folder, folder)
        size = 0 if above else -len(files[path])
        rank = _COMPOSE.index(name) if name in _COMPOSE else len(_COMPOSE)
        return not above, size, path.count("/"), rank, path

    return files[min(files, key=order)] if files else []
