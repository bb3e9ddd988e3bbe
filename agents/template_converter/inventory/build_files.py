"""Build files and what they depend on: each read as the format that it is, none of them run."""

import ast
import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from shared_services.contracts.inventory import BuildFile, Dependency

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<version>[^;#\s][^;#]*)?")
_GRADLE = re.compile(
    r"^[ \t]*(?P<scope>\w*(?:[iI]mplementation|api|compileOnly|runtimeOnly|annotationProcessor|developmentOnly)\w*)\s*[( ]\s*"
    r"(?:platform\s*\(\s*)?[\"'](?P<group>[\w.-]+):(?P<name>[\w.-]+)(?::(?P<version>[^\"':@]+))?",
    re.MULTILINE,
)
_PLUGIN = re.compile(r"\bid\s*\(?\s*[\"']([\w.-]+)[\"']\)?(?:\s+version\s+[\"']([^\"']+)[\"'])?")
_GO = re.compile(
    r"^[ \t]*(?:require[ \t]+)?(?P<name>[\w.-]+\.[\w.-]+/\S+)\s+(?P<version>v\S+)(?P<indirect>\s*//\s*indirect)?", re.MULTILINE
)
_TARGET = re.compile(r"^(?P<name>[A-Za-z][\w.-]*)\s*:(?!=)", re.MULTILINE)
_GEM = re.compile(r"^[ \t]*gem\s+[\"'](?P<name>[^\"']+)[\"'](?:\s*,\s*[\"'](?P<version>[^\"']+)[\"'])?", re.MULTILINE)
_MOST = 400


class UnreadableBuildFileError(ValueError):
    """A build file that is not what its name says."""


def read_build_file(path: str, text: str) -> BuildFile | None:
    """The build file at `path`; None for a file that is none.

    Raises:
        UnreadableBuildFileError: It is one by its name and cannot be read.
    """
    name = posixpath.basename(path)
    listed = _requirements if posixpath.basename(posixpath.dirname(path)) == "requirements" and name.endswith(".txt") else None
    reader = _READERS.get(name) or listed or next((read for ending, read in _ENDINGS.items() if name.endswith(ending)), None)
    if reader is None:
        return None
    try:
        found = reader(text)
    except (
        configparser.Error,
        SyntaxError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        ParseError,
    ) as error:
        raise UnreadableBuildFileError(f"`{path}` cannot be read: {type(error).__name__}") from error
    if found is None:
        return None
    tool, dependencies, scripts = found
    return BuildFile(path=path, tool=tool, dependencies=dependencies[:_MOST], scripts=scripts)


_Read = tuple[str, list[Dependency], dict[str, str]]


def _npm(text: str) -> _Read:
    values = json.loads(text)
    rows = [
        Dependency(name=name, version=str(version), scope=scope)
        for key, scope in (("dependencies", ""), ("devDependencies", "dev"), ("peerDependencies", "peer"))
        for name, version in _object(values.get(key)).items()
    ]
    scripts = {name: str(command) for name, command in _object(values.get("scripts")).items()}
    return "npm", rows, scripts


def _pyproject(text: str) -> _Read:
    values = tomllib.loads(text)
    project, poetry = _object(values.get("project")), _object(_object(values.get("tool")).get("poetry"))
    rows = [_requirement(row) for row in project.get("dependencies", []) if isinstance(row, str)]
    for group, given in _object(project.get("optional-dependencies")).items():
        rows += [_requirement(row, group) for row in given if isinstance(row, str)]
    for group, given in _object(values.get("dependency-groups")).items():
        rows += [_requirement(row, group) for row in given if isinstance(row, str)] if isinstance(given, list) else []
    for scope, table in (("", poetry.get("dependencies")), ("dev", poetry.get("dev-dependencies"))):
        rows += [
            Dependency(name=name, version=_version(value), scope=scope)
            for name, value in _object(table).items()
            if name != "python"
        ]
    for group, table in _object(poetry.get("group")).items():
        rows += [
            Dependency(name=name, version=_version(value), scope=group)
            for name, value in _object(_object(table).get("dependencies")).items()
        ]
    scripts = {**_object(project.get("scripts")), **_object(poetry.get("scripts"))}
    backend = str(_object(values.get("build-system")).get("build-backend", ""))
    tool = "poetry" if poetry else backend.partition(".")[0] or "pip"
    return tool, rows, {name: str(target) for name, target in scripts.items()}


def _setup_cfg(text: str) -> _Read | None:
    """Setuptools' declarative form; None where the file holds settings of other tools alone."""
    values = configparser.RawConfigParser(strict=False)
    values.read_string(text)
    if not (values.has_option("metadata", "name") or values.has_section("options")):
        return None
    rows = _requirement_lines(values.get("options", "install_requires", fallback=""))
    for scope in values.options("options.extras_require") if values.has_section("options.extras_require") else []:
        rows += _requirement_lines(values.get("options.extras_require", scope), scope)
    return "setuptools", rows, _console_scripts(values.get("options.entry_points", "console_scripts", fallback="").split("\n"))


def _setup_py(text: str) -> _Read | None:
    """What `setup()` is called with, as far as it stands there as it is."""
    calls = [row for row in ast.walk(ast.parse(text)) if isinstance(row, ast.Call) and ast.unparse(row.func).endswith("setup")]
    given = {row.arg: row.value for row in calls[0].keywords} if calls else {}
    rows = [_requirement(row) for row in _literal(given.get("install_requires"), list) if isinstance(row, str)]
    for scope, listed in _literal(given.get("extras_require"), dict).items():
        rows += [_requirement(row, str(scope)) for row in listed if isinstance(row, str)] if isinstance(listed, list) else []
    rows += [_requirement(row, "tests") for row in _literal(given.get("tests_require"), list) if isinstance(row, str)]
    listed = _literal(given.get("entry_points"), dict).get("console_scripts", [])
    return ("setuptools", rows, _console_scripts(listed if isinstance(listed, list) else [])) if calls else None


def _literal[T: (list[Any], dict[Any, Any])](node: ast.expr | None, kind: type[T]) -> T:
    try:
        found = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError):
        found = None
    return found if isinstance(found, kind) else kind()


def _requirement_lines(text: str, scope: str = "") -> list[Dependency]:
    return [_requirement(row, scope) for row in text.split("\n") if row.strip() and _REQUIREMENT.match(row.strip())]


def _console_scripts(rows: list[Any]) -> dict[str, str]:
    pairs = [str(row).partition("=") for row in rows]
    return {name.strip(): target.strip() for name, mark, target in pairs if mark}


def _version(value: object) -> str:
    return str(value.get("version", "")) if isinstance(value, dict) else str(value) if isinstance(value, str) else ""


def _requirements(text: str) -> _Read:
    rows = [line.strip() for line in text.split("\n")]
    return "pip", [_requirement(row) for row in rows if row and not row.startswith(("#", "-")) and _REQUIREMENT.match(row)], {}


def _requirement(row: str, scope: str = "") -> Dependency:
    match = _REQUIREMENT.match(row.strip())
    if match is None:
        return Dependency(name=row.strip()[:200], scope=scope)
    return Dependency(name=match["name"], version=(match["version"] or "").strip(), scope=scope)


def _maven(text: str) -> _Read:
    root = _xml(text)
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    given = root.find(f"{space}properties")
    properties = {each.tag.removeprefix(space): (each.text or "").strip() for each in (given if given is not None else ())}

    def text_of(node: Element, name: str) -> str:
        value = (node.findtext(f"{space}{name}") or "").strip()
        return re.sub(r"\$\{([^{}]+)\}", lambda match: properties.get(match[1], match[0]), value)

    parent = root.find(f"{space}parent")
    rows = (
        [] if parent is None else [Dependency(name=_named(parent, text_of), version=text_of(parent, "version"), scope="parent")]
    )
    listed = root.findall(f"{space}dependencies/{space}dependency") + root.findall(
        f"{space}dependencyManagement/{space}dependencies/{space}dependency"
    )
    rows += [
        Dependency(name=_named(row, text_of), version=text_of(row, "version"), scope=text_of(row, "scope")) for row in listed
    ]
    plugins = root.findall(f"{space}build/{space}plugins/{space}plugin")
    rows += [Dependency(name=_named(row, text_of), version=text_of(row, "version"), scope="plugin") for row in plugins]
    return "maven", rows, {}


def _named(node: Element, text_of: Callable[[Element, str], str]) -> str:
    return ":".join(part for part in (text_of(node, "groupId"), text_of(node, "artifactId")) if part)


def _xml(text: str) -> Element:
    """An XML document without declarations of its own: entities are how such files attack."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a document type of its own")
    from xml.etree import ElementTree

    return ElementTree.fromstring(text)  # noqa: S314  no document type, so no entities


def _gradle(text: str) -> _Read:
    rows = [
        Dependency(name=f"{match['group']}:{match['name']}", version=match["version"] or "", scope=match["scope"])
        for match in _GRADLE.finditer(text)
    ]
    rows += [Dependency(name=match[1], version=match[2] or "", scope="plugin") for match in _PLUGIN.finditer(text)]
    return "gradle", rows, {}


def _go(text: str) -> _Read:
    rows = [
        Dependency(name=match["name"], version=match["version"], scope="indirect" if match["indirect"] else "")
        for match in _GO.finditer(text)
    ]
    return "go", rows, {}


def _cargo(text: str) -> _Read:
    values = tomllib.loads(text)
    rows = [
        Dependency(name=name, version=_version(value), scope=scope)
        for key, scope in (("dependencies", ""), ("dev-dependencies", "dev"), ("build-dependencies", "build"))
        for name, value in _object(values.get(key)).items()
    ]
    return "cargo", rows, {}


def _make(text: str) -> _Read:
    names = [match["name"] for match in _TARGET.finditer(text) if "%" not in match["name"]]
    return "make", [], {name: f"make {name}" for name in dict.fromkeys(names)}


def _gems(text: str) -> _Read:
    return "bundler", [Dependency(name=match["name"], version=match["version"] or "") for match in _GEM.finditer(text)], {}


def _composer(text: str) -> _Read:
    values = json.loads(text)
    rows = [
        Dependency(name=name, version=str(version), scope=scope)
        for key, scope in (("require", ""), ("require-dev", "dev"))
        for name, version in _object(values.get(key)).items()
    ]
    return "composer", rows, {name: str(command) for name, command in _object(values.get("scripts")).items()}


def _dotnet(text: str) -> _Read:
    root = _xml(text.lstrip("\ufeff"))
    rows = [
        Dependency(name=str(row.get("Include") or ""), version=str(row.get("Version") or ""))
        for row in root.iter()
        if row.tag.rpartition("}")[2] == "PackageReference" and row.get("Include")
    ]
    return "dotnet", rows, {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_READERS: dict[str, Callable[[str], _Read | None]] = {
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "package.json": _npm,
    "pyproject.toml": _pyproject,
    "requirements.txt": _requirements,
    "pom.xml": _maven,
    "build.gradle": _gradle,
    "build.gradle.kts": _gradle,
    "go.mod": _go,
    "Cargo.toml": _cargo,
    "Makefile": _make,
    "Gemfile": _gems,
    "composer.json": _composer,
}
_ENDINGS: dict[str, Callable[[str], _Read | None]] = {".csproj": _dotnet, "-requirements.txt": _requirements}
