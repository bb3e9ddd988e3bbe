"""The commands by which a repository's own build tools build, run and test it; only such as its files give reason for.

All of them are given from the repository's top, whichever folder the tool is run in.
"""

import posixpath
import re
from collections.abc import Collection

from agents.template_converter.inventory.frameworks import frameworks
from agents.template_converter.inventory.program import Program, inside
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import BuildFile, Inventory

_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun", "package-lock.json": "npm"}
_GOALS = {"Spring Boot": ("spring-boot:run", "bootRun"), "Quarkus": ("quarkus:dev", "quarkusDev"), "Micronaut": ("mn:run", "run")}
_VARIABLE = re.compile(r"^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:FastAPI|Flask|get_application|create_app)\s*\(", re.MULTILINE)


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


def _python(build: BuildFile, root: str, files: Collection[str]) -> str:
    """What goes before a command of a Python program."""
    if build.tool == "poetry":
        return "poetry run "
    locked = build.path.endswith("pyproject.toml") and any(posixpath.join(at, "uv.lock") in files for at in (root, ""))
    return "uv run " if locked else ""


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
        found = [install, *([f"{manager} run build"] if "build" in build.scripts else [])]
    elif build.tool in ("go", "cargo", "dotnet"):
        found = [f"{build.tool} build" + (" ./..." if build.tool == "go" else "")]
    elif build.path.endswith("requirements.txt"):
        found = [f"python3 -m pip install -r {posixpath.basename(build.path)}"]
    elif build.path.endswith("pyproject.toml"):
        found = [
            {"poetry run ": "poetry install", "uv run ": "uv sync"}.get(
                _python(build, program.root, files), "python3 -m pip install -e ."
            )
        ]
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
        found = [f"{manager} start" if script == "start" else f"{manager} run dev"] if script else []
    elif build.tool == "go":
        found = _run_go(program)
    elif build.tool == "cargo":
        found = ["cargo run"]
    elif build.tool == "dotnet":
        found = [f"dotnet run --project {posixpath.basename(build.path)}"]
    else:
        found = _run_python(tree, inventory, program, build)
    return from_the_top(program.root, found)


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


def _run_go(program: Program) -> list[str]:
    mains = [posixpath.dirname(point.place.path) for point in program.entry_points if point.kind == "main package"]
    if not mains:
        return []
    answers = {folder: sum(inside(row.place.path, folder) for row in program.endpoints) for folder in mains}
    nearest = min(mains, key=lambda folder: (-answers[folder], folder.count("/") if folder else -1, folder))
    inner = nearest[len(program.root) :].strip("/")
    return [f"go run ./{inner}" if inner else "go run ."]


def _run_python(tree: Tree, inventory: Inventory, program: Program, build: BuildFile) -> list[str]:
    prefix = _python(build, program.root, tree.files)
    named = {framework.name for framework in inventory.frameworks}
    web = [point.place.path for point in program.entry_points if point.kind == "web application"]
    main = [point.place.path for point in program.entry_points if point.kind == "main module"]
    if "Django" in named and posixpath.join(program.root, "manage.py") in tree.files:
        return [f"{prefix}python3 manage.py runserver"]
    if web and named & {"FastAPI", "Flask"}:
        path = min(web, key=lambda row: row.count("/"))
        inner = path[len(program.root) :].strip("/")
        module = inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        variable = _VARIABLE.search(tree.read_text(path))
        if "FastAPI" in named:
            return [f"{prefix}uvicorn {module}:{variable[1] if variable else 'app'}"]
        if path not in main:
            return [f"{prefix}flask --app {module} run"]
    beside = [path for path in main if posixpath.dirname(path) == program.root] or main
    return (
        [f"{prefix}python3 {beside[0][len(program.root) :].strip('/')}"]
        if len(beside) == 1 or (beside and beside[0] in web)
        else []
    )


def test_commands(inventory: Inventory, program: Program, files: Collection[str]) -> list[str]:
    """What runs the tests; empty where there are none."""
    build = program.build
    if build is None or not program.tests:
        return []
    found: list[str] = []
    if build.tool == "maven":
        found = [f"{_tool(build, program.root, files)} test" + (f" -pl {program.module} -am" if program.module else "")]
    elif build.tool == "gradle":
        found = [f"{_tool(build, program.root, files)} {_task(program, 'test')}"]
    elif build.tool == "npm":
        found = [f"{_packages(program.root, files)[0]} test"] if "test" in build.scripts else []
    elif build.tool in ("go", "cargo", "dotnet"):
        found = [f"{build.tool} test{' ./...' if build.tool == 'go' else ''}"]
    elif any(framework.name == "pytest" for framework in inventory.frameworks):
        found = [f"{_python(build, program.root, files) or 'python3 -m '}pytest"]
    elif posixpath.join(program.root, "manage.py") in files:
        found = [f"{_python(build, program.root, files)}python3 manage.py test"]
    return from_the_top(program.root, found)
