"""The commands by which a repository's own build tools build, run and test it; only such as its files give reason for."""

import posixpath
from collections.abc import Collection

from shared_services.contracts.inventory import BuildFile, Inventory


def main_build(inventory: Inventory) -> BuildFile | None:
    """The build file that the program is built by: the one nearest to the top, a language's own before `make`."""
    rows = [build for build in inventory.build_files if build.tool != "make"] or inventory.build_files
    order = ["maven", "gradle", "npm", "poetry", "go", "cargo"]
    return min(
        rows,
        key=lambda build: (build.path.count("/"), order.index(build.tool) if build.tool in order else len(order), build.path),
        default=None,
    )


def folder_of(build: BuildFile) -> str:
    """The folder that commands are run in; empty for the top."""
    return posixpath.dirname(build.path)


def _tool(build: BuildFile, files: Collection[str]) -> str:
    """The wrapper that the repository brings along, else the tool itself."""
    wrapper = {"maven": "mvnw", "gradle": "gradlew"}.get(build.tool, "")
    if wrapper and posixpath.join(folder_of(build), wrapper) in files:
        return f"./{wrapper}"
    return {"maven": "mvn", "gradle": "gradle"}.get(build.tool, build.tool)


def build_commands(build: BuildFile, files: Collection[str]) -> list[str]:
    """What fetches dependencies and builds."""
    tool, folder = _tool(build, files), folder_of(build)
    if build.tool == "maven":
        return [f"{tool} package -DskipTests"]
    if build.tool == "gradle":
        return [f"{tool} assemble"]
    if build.tool == "npm":
        install = "npm ci" if posixpath.join(folder, "package-lock.json") in files else "npm install"
        return [install, *(["npm run build"] if "build" in build.scripts else [])]
    if build.tool == "poetry":
        return ["poetry install"]
    if build.tool == "go":
        return ["go build ./..."]
    if build.tool == "cargo":
        return ["cargo build"]
    if build.path.endswith("requirements.txt"):
        return [f"python3 -m pip install -r {posixpath.basename(build.path)}"]
    if build.path.endswith("pyproject.toml"):
        return ["python3 -m pip install -e ."]
    return ["make"] if build.tool == "make" else []


def run_commands(inventory: Inventory, build: BuildFile, files: Collection[str]) -> list[str]:
    """What starts the program; empty where nothing tells."""
    tool = _tool(build, files)
    named = {framework.name for framework in inventory.frameworks}
    prefix = "poetry run " if build.tool == "poetry" else ""
    found: list[str] = []
    if build.tool == "maven" and named & {"Spring Boot", "Quarkus"}:
        found = [f"{tool} {'spring-boot:run' if 'Spring Boot' in named else 'quarkus:dev'}"]
    elif build.tool == "gradle" and named & {"Spring Boot", "Quarkus"}:
        found = [f"{tool} {'bootRun' if 'Spring Boot' in named else 'quarkusDev'}"]
    elif build.tool == "npm":
        found = ["npm start"] if "start" in build.scripts else []
    elif build.tool == "go":
        mains = [point.place.path for point in inventory.entry_points if point.kind == "main package"]
        found = [f"go run ./{posixpath.dirname(mains[0])}".rstrip("/")] if mains else []
    elif build.tool == "cargo":
        found = ["cargo run"]
    else:
        web = [point.place.path for point in inventory.entry_points if point.kind == "web application"]
        main = [point.place.path for point in inventory.entry_points if point.kind == "main module"]
        if web and "FastAPI" in named:
            found = [f"{prefix}uvicorn {_module(web[0])}:app"]
        elif "Django" in named and "manage.py" in files:
            found = [f"{prefix}python3 manage.py runserver"]
        elif main:
            found = [f"{prefix}python3 {main[0]}"]
    return found


def test_commands(inventory: Inventory, build: BuildFile, files: Collection[str]) -> list[str]:
    """What runs the tests; empty where there are none."""
    if not inventory.tests:
        return []
    tool = _tool(build, files)
    if build.tool in ("maven", "gradle"):
        return [f"{tool} test"]
    if build.tool == "npm":
        return ["npm test"] if "test" in build.scripts else []
    if build.tool in ("go", "cargo"):
        return [f"{build.tool} test{' ./...' if build.tool == 'go' else ''}"]
    if any(framework.name == "pytest" for framework in inventory.frameworks):
        return ["poetry run pytest" if build.tool == "poetry" else "python3 -m pytest"]
    return []


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
