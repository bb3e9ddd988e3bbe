"""The port that a program listens on when it is run as a workshop runs it, and what says so."""

import re
from dataclasses import dataclass

from agents.template_converter.inventory.program import Program
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import ContainerFile, Inventory

_PROPERTIES = re.compile(r"(?:^|/)application\.(?:properties|ya?ml)$")
_NUMBER = r"(?:\$\{\w+:)?(\d{2,5})\}?"
_PROPERTY = re.compile(
    rf"^[ \t]*(?:server\.port|quarkus\.http\.port|micronaut\.server\.port)[ \t]*[=:][ \t]*{_NUMBER}[ \t]*$", re.MULTILINE
)
_YAML_PORT = re.compile(rf"^(?:server|micronaut):[ \t]*\n(?:[ \t]+.*\n)*?[ \t]+port:[ \t]*{_NUMBER}[ \t]*$", re.MULTILINE)
_LISTENS = re.compile(
    r"\.listen\(\s*(?:\{\s*port\s*:\s*)?(?:[\w.]+\s*(?:\|\||\?\?)\s*)?[\"']?(\d{2,5})\b"
    r"|\b(?:ListenAndServe|Run|Start|Listen)\(\s*\"[\w.]*:(\d{2,5})\""
    r"|(?<![\w-])[\"']?(?i:port)[\"']?\s*(?::?=|[,:])\s*(?:(?:process\.env\.\w+|Number\([\w.]+\))\s*(?:\|\||\?\?)\s*)?[\"']?(\d{2,5})\b"
)
_OPTION = re.compile(r"(?:--port[ =]|-p )(\d{2,5})\b")
_OF_COMMANDS = (
    (re.compile(r"\buvicorn "), 8000, "uvicorn"),
    (re.compile(r"\bflask --app "), 5000, "Flask"),
    (re.compile(r"manage\.py runserver"), 8000, "Django"),
    (re.compile(r"spring-boot:run|:?bootRun\b"), 8080, "Spring Boot"),
    (re.compile(r"quarkus:dev|quarkusDev\b"), 8080, "Quarkus"),
    (re.compile(r"mn:run"), 8080, "Micronaut"),
)
_CONFIGURED_ELSEWHERE = re.compile(r"cloud-(?:starter-)?config|config-client|cloud-starter-consul|cloud-starter-kubernetes")


@dataclass(frozen=True)
class Port:
    """A port and the words that tell whence it is known."""

    number: int
    said: str


def listening(tree: Tree, inventory: Inventory, program: Program, container: ContainerFile | None, run: list[str]) -> Port | None:
    """The port that the program listens on when it is started by `run`; None where nothing says it."""
    for path in tree.under(program.folder):
        if _PROPERTIES.search(path) and "/test/" not in path:
            found = _first(_PROPERTY if path.endswith(".properties") else _YAML_PORT, tree, path)
            if found:
                return found
    started = " ".join([*run, *_scripts(program, run)])
    option = _OPTION.search(started)
    if option and program.build:
        return Port(int(option[1]), f"as `{program.build.path}` says")
    for pattern, number, name in _OF_COMMANDS:
        if pattern.search(started) and not _set_elsewhere(program):
            return Port(number, f"which is what {name} uses where nothing sets another")
    for point in program.entry_points:
        if "." in point.place.path.rpartition("/")[2] and not point.place.path.endswith((".json", ".toml", ".cfg")):
            found = _first(_LISTENS, tree, point.place.path)
            if found:
                return found
    if re.search(r"\bnext (?:dev|start)\b", started):
        return Port(3000, "which is what Next.js uses where nothing sets another")
    if container and len(container.ports) == 1:
        return Port(container.ports[0], f"as `{container.path}` says")
    return None


def _scripts(program: Program, run: list[str]) -> list[str]:
    """The script of `package.json` that a command calls."""
    build = program.build
    if build is None or build.tool != "npm":
        return []
    return [command for name, command in build.scripts.items() if any(re.search(rf"\b{re.escape(name)}\)?$", row) for row in run)]


def _set_elsewhere(program: Program) -> bool:
    """Whether a server of settings may say another port."""
    return bool(program.build and any(_CONFIGURED_ELSEWHERE.search(row.name) for row in program.build.dependencies))


def _first(pattern: re.Pattern[str], tree: Tree, path: str) -> Port | None:
    text = tree.read_text(path)[:200_000]
    match = pattern.search(text)
    number = next((group for group in match.groups() if group), None) if match else None
    if match is None or number is None or not 0 < int(number) < 65536:
        return None
    line = text.count("\n", 0, match.end()) + 1
    return Port(int(number), f"as `{path}`, line {line}, says")
