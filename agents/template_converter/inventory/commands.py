"""The commands by which a repository's own build tools build, run and test it; only such as its files give reason for.

All of them are given from the repository's top, whichever folder the tool is run in.
"""

import posixpath
import re
from collections.abc import Collection

from agents.template_converter.inventory import commands_python
from agents.template_converter.inventory.frameworks import frameworks
from agents.template_converter.inventory.program import Program, container_of, inside
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import BuildFile, Inventory

_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun", "package-lock.json": "npm"}
_GOALS = {"Spring Boot": ("spring-boot:run", "bootRun"), "Quarkus": ("quarkus:dev", "quarkusDev"), "Micronaut": ("mn:run", "run")}
_MOST_PACKAGES = 400
_MOST_CHARACTERS = 100_000


def from_the_top(root: str, commands: list[str]) -> list[str]:
    """Commands that are run in a folder, as they can be given above it."""
    return [f"(cd {_quoted(root)} && {command})" for command in commands] if root else commands


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[\w./@+-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _tool(build: BuildFile, root: str, files: Collection[str]) -> str:
    """The wrapper that the repository brings along, else the tool itself."""
    wrapper = {"maven": "mvnw", "gradle": "gradlew"}.get(build.tool, "")
    if wrapper and posixpath.join(root, wrapper) in files:
        return f"./{wrapper}"
    return {"maven": "mvn", "gradle": "gradle"}.get(build.tool, build.tool)


def _packages(root: str, files: Collection[str]) -> tuple[str, bool]:
    """What installs packages of npm's kind, by the lock file beside or above, and whether there is one."""
    folder = root
    while True:
        for name, tool in _LOCKS.items():
            if posixpath.join(folder, name) in files:
                return tool, True
        if not folder:
            return "npm", False
        folder = posixpath.dirname(folder)


def build_commands(program: Program, files: Collection[str]) -> list[str]:
    """What fetches dependencies and builds."""
    build = program.build
    if build is None:
        return []
    tool = _tool(build, program.root, files)
    found: list[str] = []
    if build.tool == "maven":
        found = [f"{tool} package -DskipTests" + (f" -pl {program.module} -am" if program.module else "")]
    elif build.tool == "gradle":
        found = [f"{tool} {_task(program, 'assemble')}"]
    elif build.tool == "npm":
        manager, locked = _packages(program.root, files)
        install = "npm ci" if manager == "npm" and locked else f"{manager} install"
        made = ["npx prisma generate"] if _has_prisma(build) else []
        found = [install, *made, *([f"{manager} run build"] if "build" in build.scripts else [])]
    elif build.tool in ("go", "cargo", "dotnet"):
        found = [f"{build.tool} build" + (" ./..." if build.tool == "go" else "")]
    elif is_python(build):
        found = commands_python.build_commands(build, program.root, files)
    elif build.tool == "make":
        found = ["make"]
    return from_the_top(program.root, found)


def _task(program: Program, name: str) -> str:
    return ":".join(["", *program.module.split("/"), name]) if program.module else name


def run_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What starts the program; empty where nothing tells."""
    build, files = program.build, tree.files
    if build is None:
        return []
    if build.tool in ("maven", "gradle"):
        found = _run_java(inventory, program, build, files)
    elif build.tool == "npm":
        script = next((name for name in ("start", "dev") if name in build.scripts), None)
        manager = _packages(program.root, files)[0]
        servers = [point.place.path for point in program.entry_points if point.kind == "listening server"]
        found = [f"{manager} start" if script == "start" else f"{manager} run dev"] if script else []
        found = found or (
            [f"node {servers[0][len(program.root) :].strip('/')}"] if len(servers) == 1 and _plain_js(servers[0]) else []
        )
    elif build.tool == "go":
        found = _run_go(tree, inventory, program)
    elif build.tool == "cargo":
        found = ["cargo run"]
    elif build.tool == "dotnet":
        found = [f"dotnet run --project {posixpath.basename(build.path)}"]
    else:
        found = commands_python.run_commands(tree, inventory, program) if is_python(build) else []
    return from_the_top(program.root, found)


def _has_prisma(build: BuildFile) -> bool:
    return any(row.name in ("prisma", "@prisma/client") for row in build.dependencies)


def _plain_js(path: str) -> bool:
    return path.endswith((".js", ".mjs", ".cjs"))


def _run_java(inventory: Inventory, program: Program, build: BuildFile, files: Collection[str]) -> list[str]:
    top = {posixpath.join(program.root, name) for name in ("pom.xml", "build.gradle", "build.gradle.kts")}
    placed = [(framework.name, [place.path for place in framework.evidence]) for framework in inventory.frameworks]
    evident = [
        *(framework.name for framework in frameworks([build], {})),
        *(name for name, paths in placed if any(inside(path, program.folder) for path in paths)),
        *(name for name, paths in placed if top & set(paths)),
    ]
    tool = _tool(build, program.root, files)
    plugins = " ".join(dependency.name for dependency in build.dependencies if dependency.scope == "plugin")
    for name in evident:
        goal, task = _GOALS.get(name, ("", ""))
        if not goal or (name == "Micronaut" and "micronaut" not in plugins):
            continue
        if build.tool == "gradle":
            return [f"{tool} {_task(program, task)}"]
        return [f"{tool} {f'-pl {program.module} ' if program.module else ''}{goal}"]
    return []


def _run_go(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    mains = [posixpath.dirname(point.place.path) for point in program.entry_points if point.kind == "main package"]
    if not mains:
        return []
    answers = {folder: _answers(tree, program, folder) for folder in dict.fromkeys(mains)}
    nearest = min(mains, key=lambda folder: (-answers[folder], folder.count("/") if folder else -1, folder))
    inner = nearest[len(program.root) :].strip("/")
    container = container_of(program, inventory)
    return [" ".join([f"go run ./{inner}" if inner else "go run .", *_arguments(container.command if container else "")])]


def _answers(tree: Tree, program: Program, folder: str) -> int:
    """How many of the program's endpoints stand in packages that a main package draws in."""
    reached, waiting = {folder}, [folder]
    named = re.search(r"^module\s+(\S+)", tree.read_text(program.build.path), re.MULTILINE) if program.build else None
    while named and waiting and len(reached) < _MOST_PACKAGES:
        here = waiting.pop()
        for path in [row for row in tree.under(here) if posixpath.dirname(row) == here and row.endswith(".go")]:
            for match in re.finditer(rf'"{re.escape(named[1])}(?:/([\w./-]+))?"', tree.read_text(path)[:_MOST_CHARACTERS]):
                package = posixpath.join(program.root, match[1] or "")
                if package not in reached:
                    reached.add(package)
                    waiting.append(package)
    return sum(posixpath.dirname(row.place.path) in reached for row in program.endpoints)


def _arguments(command: str) -> list[str]:
    """What an image gives its program, such as `serve`; nothing where that are files of the image or a shell's words."""
    words = command.split()
    plain = len(words) > 1 and "go" not in words and all(re.fullmatch(r"-{0,2}[A-Za-z][\w=:.-]*", word) for word in words[1:])
    return words[1:] if plain else []


def prepare_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What brings a database to the state that the program expects, once it is there."""
    build = program.build
    if build is None:
        return []
    found: list[str] = []
    if is_python(build):
        found = commands_python.prepare_commands(tree, inventory, program)
    elif build.tool == "npm" and _has_prisma(build):
        migrations = any(re.search(r"(?:^|/)migrations/[^/]+/migration\.sql$", path) for path in tree.under(program.root))
        found = ["npx prisma migrate deploy"] if migrations else []
    return from_the_top(program.root, found)


def test_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What runs the tests; empty where there are none."""
    build, files = program.build, tree.files
    if build is None or not program.tests:
        return []
    found: list[str] = []
    if build.tool == "maven":
        found = [f"{_tool(build, program.root, files)} test" + (f" -pl {program.module} -am" if program.module else "")]
    elif build.tool == "gradle":
        found = [f"{_tool(build, program.root, files)} {_task(program, 'test')}"]
    elif build.tool == "npm":
        # What npm writes into a new package says that there are none.
        told = "no test specified" not in build.scripts.get("test", "no test specified")
        found = [f"{_packages(program.root, files)[0]} test"] if told else []
    elif build.tool in ("go", "cargo", "dotnet"):
        found = [f"{build.tool} test{' ./...' if build.tool == 'go' else ''}"]
    elif is_python(build):
        found = commands_python.test_commands(tree, inventory, program)
    return from_the_top(program.root, found)


def is_python(build: BuildFile) -> bool:
    """Whether a build file is one of Python's."""
    return build.path.endswith((".txt", "pyproject.toml", "setup.cfg", "setup.py"))
