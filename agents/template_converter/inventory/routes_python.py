"""HTTP endpoints of Python sources: FastAPI's and Flask's decorators, Django's paths; with the prefixes of their routers."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = frozenset({"get", "post", "put", "delete", "patch"})
_DECORATED = """
(decorated_definition (decorator (call function: (attribute object: (_) @object attribute: (identifier) @verb)
  arguments: (argument_list) @arguments)) definition: (function_definition name: (identifier) @name)) @whole
"""
_CALLS = "(call function: [(identifier) (attribute)] @function arguments: (argument_list) @arguments) @call"
_ASSIGNED = "(assignment left: (identifier) @name right: (call function: (_) @function arguments: (argument_list) @arguments))"
_IMPORTED = """
(import_from_statement module_name: (_) @module) @statement
"""
_SETTING = re.compile(
    rb"^[ \t]*([A-Z][A-Z0-9_]*|\w*prefix)[ \t]*(?::[ \t]*\w+[ \t]*)?=[ \t]*([\"'])(/[^\"'\n{}]*)\2[ \t]*(?:#.*)?$", re.MULTILINE
)
_MAX_DEPTH = 10


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """The endpoints of a repository's Python files; a router's prefix may stand in another file than its routes."""
    trees = {
        path: parse("python", source)
        for path, source in sources.items()
        if re.search(rb"@\w[\w.]*\.(?:get|post|put|delete|patch|route)\b|include_router|register_blueprint|urlpatterns", source)
    }
    prefixes = _Prefixes(trees, _settings(sources))
    for path, root in trees.items():
        for found in matches("python", _DECORATED, root):
            verb = text_of(found["verb"][0]).lower()
            arguments = found["arguments"][0]
            address = _first(arguments)
            if address is None or (verb not in _VERBS and verb != "route"):
                continue
            methods = [verb.upper()] if verb in _VERBS else _methods(arguments)
            for method in methods:
                yield Endpoint(
                    method=method,
                    path=joined(prefixes.of(path, text_of(found["object"][0])), address),
                    handler=text_of(found["name"][0]),
                    place=Place(path=path, line=line_of(found["verb"][0])),
                )
    yield from _django({path: root for path, root in trees.items() if b"urlpatterns" in sources[path]})


def _django(trees: Mapping[str, Any]) -> Iterator[Endpoint]:
    """Django's paths, with those under which another module's are included."""
    modules = {_module(path): path for path in trees}
    rows = [(path, *row) for path, root in trees.items() for row in _django_calls(root)]
    above: dict[str, tuple[str, str]] = {}
    for path, address, handler, _ in rows:
        named = re.match(r"include\(\s*\(?\s*[\"']([\w.]+)[\"']", handler)
        target = _find(modules, named[1]) if named else None
        if target and target != path:
            above.setdefault(target, (path, address))
    for path, address, handler, line in rows:
        if not handler.startswith("include("):
            name = re.sub(r"\(.*", "", handler, flags=re.DOTALL)
            yield Endpoint(
                method="ANY", path=joined(*_included_under(path, above), address), handler=name, place=Place(path=path, line=line)
            )


def _django_calls(root: Any) -> Iterator[tuple[str, str, int]]:
    """`(address, what answers, line)` of each path; of a regular expression the text between its anchors."""
    for found in matches("python", _CALLS, root):
        function = text_of(found["function"][0])
        arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
        address = literal(arguments[0]) if function in ("path", "re_path", "url") and arguments else None
        if address is not None and len(arguments) > 1:
            plain = address if function == "path" else address.removeprefix("^").removesuffix("$")
            yield plain, text_of(arguments[1]), line_of(found["call"][0])


def _included_under(path: str, above: Mapping[str, tuple[str, str]]) -> list[str]:
    parts: list[str] = []
    for _ in range(_MAX_DEPTH):
        if path not in above:
            break
        path, address = above[path]
        parts.insert(0, address)
    return parts


def _settings(sources: Mapping[str, bytes]) -> dict[str, str]:
    """Names in capitals or of prefixes that the whole repository gives one text."""
    found: dict[str, set[str]] = {}
    for source in sources.values():
        for match in _SETTING.finditer(source):
            found.setdefault(match[1].decode(), set()).add(match[3].decode(errors="replace"))
    return {name: texts.pop() for name, texts in found.items() if len(texts) == 1}


def _first(arguments: Any) -> str | None:
    for child in arguments.named_children:
        if child.type == "keyword_argument" and text_of(child.child_by_field_name("name")) in ("path", "rule"):
            return literal(child.child_by_field_name("value"))
        if child.type not in ("keyword_argument", "comment"):
            return literal(child)
    return None


def _keyword(arguments: Any, name: str) -> Any:
    for child in arguments.named_children:
        if child.type == "keyword_argument" and text_of(child.child_by_field_name("name")) == name:
            return child.child_by_field_name("value")
    return None


def _methods(arguments: Any) -> list[str]:
    given = _keyword(arguments, "methods")
    found = [literal(child) for child in given.named_children] if given is not None else []
    return [method.upper() for method in found if method] or ["GET"]


class _Prefixes:
    """Prefixes of routers and blueprints, followed over the calls that include them."""

    def __init__(self, trees: Mapping[str, Any], settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._own: dict[tuple[str, str], str] = {}
        self._included: dict[tuple[str, str], tuple[tuple[str, str], str]] = {}
        modules = {_module(path): path for path in trees}
        for path, root in trees.items():
            names = _names(path, root, modules)
            for found in matches("python", _ASSIGNED, root):
                if text_of(found["function"][0]).rpartition(".")[2] in ("APIRouter", "Blueprint", "FastAPI", "Flask"):
                    given = _keyword(found["arguments"][0], "prefix") or _keyword(found["arguments"][0], "url_prefix")
                    self._own[path, text_of(found["name"][0])] = self._text(given)
            for found in matches("python", _CALLS, root):
                function = text_of(found["function"][0])
                if function.rpartition(".")[2] not in ("include_router", "register_blueprint"):
                    continue
                self._include(path, function.rpartition(".")[0], found["arguments"][0], names)

    def _include(self, path: str, holder: str, arguments: Any, names: Mapping[str, str]) -> None:
        rows = [child for child in arguments.named_children if child.type not in ("keyword_argument", "comment")]
        if not rows:
            return
        given = _keyword(arguments, "prefix") or _keyword(arguments, "url_prefix")
        target = text_of(rows[0])
        module, _, name = target.rpartition(".")
        key = (names.get(module, path), name) if module else (names.get(target, path), target)
        if not module and target in names:
            key = (names[target], "router" if (names[target], target) not in self._own else target)
        self._included[key] = ((path, holder), self._text(given))

    def _text(self, node: Any) -> str:
        """What a prefix says: its own text, or that of the one setting of its name."""
        said = literal(node)
        if said is not None or node is None:
            return said or ""
        return self._settings.get(text_of(node).rpartition(".")[2], "") if node.type in ("attribute", "identifier") else ""

    def of(self, path: str, name: str) -> str:
        """The prefix of a router by the file and name that it has there."""
        parts: list[str] = []
        key = (path, name)
        for _ in range(_MAX_DEPTH):
            parts.insert(0, self._own.get(key, ""))
            above = self._included.get(key)
            if above is None or above[0] == key:
                break
            parts.insert(0, above[1])
            key = above[0]
        return joined(*parts) if any(parts) else ""


def _module(path: str) -> str:
    return re.sub(r"(?:^|/)__init__$", "", path.removesuffix(".py")).replace("/", ".")


def _names(path: str, root: Any, modules: Mapping[str, str]) -> dict[str, str]:
    """Names in this file that stand for modules, or for what a module of the repository holds."""
    found: dict[str, str] = {}
    package = _module(path).rpartition(".")[0] if posixpath.basename(path) != "__init__.py" else _module(path)
    for row in matches("python", _IMPORTED, root):
        module = text_of(row["module"][0])
        if module.startswith("."):
            level = len(module) - len(module.lstrip("."))
            base = package.split(".")[: len(package.split(".")) - level + 1]
            module = ".".join([*base, *filter(None, [module.lstrip(".")])])
        for child in row["statement"][0].named_children[1:]:
            name = text_of(child.child_by_field_name("name")) if child.type == "aliased_import" else text_of(child)
            alias = text_of(child.child_by_field_name("alias")) if child.type == "aliased_import" else name
            target = _find(modules, f"{module}.{name}") or _find(modules, module)
            if target:
                found[alias] = target
    return found


def _find(modules: Mapping[str, str], name: str) -> str | None:
    """A module by its name from the repository's root or from a folder of sources below it."""
    if name in modules:
        return modules[name]
    return next((path for module, path in modules.items() if module.endswith(f".{name}")), None)
