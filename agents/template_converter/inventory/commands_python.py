"""The commands of a Python program: an environment of its own, what it needs, how it is started and tested."""

import posixpath
import re
import tomllib
from collections.abc import Collection

from agents.template_converter.inventory.program import Program, inside
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import BuildFile, Inventory

_VARIABLE = re.compile(r"^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:FastAPI|Flask|get_application|create_app)\s*\(", re.MULTILINE)
_OWN = ".venv/bin/"
_INSTALLED = ("pyproject.toml", "setup.cfg", "setup.py")


def caller(build: BuildFile, root: str, files: Collection[str]) -> str:
    """What goes before a command of a Python program: the tool that keeps its environment, else one of its own."""
    if build.tool == "poetry":
        return "poetry run "
    locked = build.path.endswith("pyproject.toml") and any(posixpath.join(at, "uv.lock") in files for at in (root, ""))
    return "uv run " if locked else _OWN


def build_commands(build: BuildFile, root: str, files: Collection[str]) -> list[str]:
    """What makes the environment; systems refuse to have packages put beside their own Python's."""
    name, before = posixpath.basename(build.path), caller(build, root, files)
    if before != _OWN:
        return ["poetry install" if before.startswith("poetry") else "uv sync"]
    install = "-e ." if name in _INSTALLED else f"-r {name}"
    return ["python3 -m venv .venv", f"{_OWN}python -m pip install {install}{' uvicorn' if _lacks_server(build) else ''}"]


def _lacks_server(build: BuildFile) -> bool:
    """Whether FastAPI is named without the server that it is run by, as in applications whose image alone brings one."""
    named = {row.name.lower() for row in build.dependencies}
    return "fastapi" in named and "uvicorn" not in named


def prepare_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What brings the database to the state that the program expects."""
    if program.build is None:
        return []
    root, files = program.root, tree.files
    before = caller(program.build, root, files)
    # A file of requirements often draws in others, which stand below it.
    builds = [program.build, *(row for row in inventory.build_files if row.path.endswith(".txt") and inside(row.path, root))]
    named = {row.name.lower() for build in builds for row in build.dependencies}
    if _is_django(inventory, root, files):
        return [f"{before}python manage.py migrate"]
    if posixpath.join(root, "alembic.ini") in files and "alembic" in named:
        return [f"{before}alembic upgrade head"]
    module = _web_module(tree, program)
    if module and posixpath.join(root, "migrations/alembic.ini") in files and "flask-migrate" in named:
        return [f"{before}flask --app {module[0]} db upgrade"]
    return []


def run_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What starts the program; empty where nothing tells."""
    if program.build is None:
        return []
    before = caller(program.build, program.root, tree.files)
    named = {framework.name for framework in inventory.frameworks}
    main = [point.place.path for point in program.entry_points if point.kind == "main module"]
    if _is_django(inventory, program.root, tree.files):
        return [f"{before}python manage.py runserver"]
    module = _web_module(tree, program) if named & {"FastAPI", "Flask"} else None
    if module and "FastAPI" in named:
        server = "--with uvicorn " if before.startswith("uv ") and _lacks_server(program.build) else ""
        return [f"{before}{server}uvicorn {module[0]}:{module[1]}"]
    if module and module[2] not in main:
        return [f"{before}flask --app {module[0]} run"]
    if program.build.scripts and not module:
        return [f"{before}{next(iter(program.build.scripts))} --help"]
    beside = [path for path in main if posixpath.dirname(path) == program.root] or main
    chosen = module[2] if module and module[2] in beside else beside[0] if len(beside) == 1 else ""
    return [f"{before}python {chosen[len(program.root) :].strip('/')}"] if chosen else []


def test_commands(tree: Tree, inventory: Inventory, program: Program) -> list[str]:
    """What runs the tests, and what they need beside the program; empty where nothing tells."""
    build, files = program.build, tree.files
    if build is None:
        return []
    before = caller(build, program.root, files)
    if any(framework.name == "pytest" for framework in inventory.frameworks):
        called = f"{_OWN}python -m pytest" if before == _OWN else f"{before}pytest"
        return [*_needed_by_tests(tree, inventory, build, before), called]
    if _is_django(inventory, program.root, files):
        return [f"{before}python manage.py test"]
    inner = sorted({path[len(program.root) :].strip("/").rpartition("/")[0] for path in program.tests})
    if not any("unittest" in tree.read_text(path) for path in program.tests):
        return []
    if inner == [""]:
        return [f"{before}python -m unittest {' '.join(posixpath.basename(path) for path in program.tests)}"]
    return [f"{before}python -m unittest discover -s {inner[0].partition('/')[0]}"]


def _needed_by_tests(tree: Tree, inventory: Inventory, build: BuildFile, before: str) -> list[str]:
    """How pytest comes into the environment where the program's own packages do not hold it."""
    if before.startswith("poetry") or any(row.name == "pytest" and not row.scope for row in build.dependencies):
        return []
    scopes = [row.scope for row in build.dependencies if row.name == "pytest"]
    if scopes:
        return _of_scope(tree.read_text(build.path) if build.path.endswith(".toml") else "", scopes, before)
    folder = posixpath.dirname(build.path)
    beside = [
        row.path[len(folder) :].strip("/")
        for row in inventory.build_files
        if row.path.endswith(".txt")
        and row.path.startswith(f"{folder}/" if folder else "")
        and row.path != build.path
        and any(each.name == "pytest" for each in row.dependencies)
    ]
    if not beside:
        return []
    nearest = min(beside, key=lambda path: (path.count("/"), path))
    return [f"{_OWN}python -m pip install -r {nearest}"] if before == _OWN else [f"uv pip install -r {nearest}"]


def _of_scope(text: str, scopes: list[str], before: str) -> list[str]:
    """The extra or the group that brings pytest, unless the tool installs it by itself."""
    values = tomllib.loads(text) if text else {}
    groups = values.get("dependency-groups", {})
    tool = values.get("tool", {}).get("uv", {})
    default = tool.get("default-groups", ["dev"])
    chosen = next((scope for wanted in ("test", "tests", "testing", "dev") for scope in scopes if scope == wanted), scopes[0])
    if not groups or chosen not in groups:
        return [f"uv sync --extra {chosen}"] if before != _OWN else [f"{_OWN}python -m pip install -e '.[{chosen}]'"]
    if before == _OWN:
        return [f"{_OWN}python -m pip install --group {chosen}"]
    return [] if default == "all" or any(scope in default for scope in scopes) else [f"uv sync --group {chosen}"]


def _is_django(inventory: Inventory, root: str, files: Collection[str]) -> bool:
    named = {framework.name for framework in inventory.frameworks}
    return "Django" in named and posixpath.join(root, "manage.py") in files


def _web_module(tree: Tree, program: Program) -> tuple[str, str, str] | None:
    """`(module, variable, path)` of the program's web application, the topmost one."""
    web = [point.place.path for point in program.entry_points if point.kind == "web application"]
    main = [point.place.path for point in program.entry_points if point.kind == "main module"]
    web += [path for path in main if _VARIABLE.search(tree.read_text(path))]
    if not web:
        return None
    path = min(web, key=lambda row: row.count("/"))
    module = path[len(program.root) :].strip("/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    variable = _VARIABLE.search(tree.read_text(path))
    return module, variable[1] if variable else "app", path
