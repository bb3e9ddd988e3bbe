"""HTTP endpoints of Python sources: FastAPI's and Flask's decorators, with the prefixes of their routers; Django's paths."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory import routes_django, routes_python_calls
from agents.template_converter.inventory.routes_django import find_module, module_of
from agents.template_converter.inventory.syntax import exactly, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_HOLD = frozenset({"APIRouter", "Blueprint", "FastAPI", "Flask", "Quart", "Sanic"})
_DRAWS_IN = frozenset({"include_router", "register_blueprint", "blueprint"})
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
_CALLING = re.compile(routes_python_calls.WORTH.pattern + rb"|\b(?:Mount|add_subapp|Router|Litestar|Starlette)\(", re.MULTILINE)
_MAX_DEPTH = 10


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """The endpoints of a repository's Python files; a router's prefix may stand in another file than its routes."""
    trees = {
        path: parse("python", source)
        for path, source in sources.items()
        if re.search(
            rb"@\w[\w.]*\.(?:get|post|put|delete|patch|route)\b|include_router|register_blueprint|urlpatterns|\.register(?:_endpoint)?\(|(?:APIRouter|Blueprint)\(",
            source,
        )
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
                    path=exactly(prefixes.of(path, text_of(found["object"][0])), address),
                    handler=text_of(found["name"][0]),
                    place=Place(path=path, line=line_of(found["verb"][0])),
                )
    calling = {path: trees.get(path) or parse("python", source) for path, source in sources.items() if _CALLING.search(source)}
    yield from routes_python_calls.all_endpoints(calling, sources)
    yield from routes_django.all_endpoints(
        {path: root for path, root in trees.items() if routes_django.WORTH.search(sources[path])}
    )


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
        self._names: dict[str, dict[str, tuple[str, str]]] = {}
        modules = {module_of(path): path for path in trees}
        for path, root in trees.items():
            names = self._names[path] = _names(path, root, modules)
            for found in matches("python", _ASSIGNED, root):
                if text_of(found["function"][0]).rpartition(".")[2] in _HOLD:
                    given = _keyword(found["arguments"][0], "prefix") or _keyword(found["arguments"][0], "url_prefix")
                    self._own[path, text_of(found["name"][0])] = self._text(given)
            for found in matches("python", _CALLS, root):
                function = text_of(found["function"][0])
                if function.rpartition(".")[2] not in _DRAWS_IN:
                    continue
                self._include(path, function.rpartition(".")[0], found["arguments"][0], names)

    def _include(self, path: str, holder: str, arguments: Any, names: Mapping[str, tuple[str, str]]) -> None:
        rows = [child for child in arguments.named_children if child.type not in ("keyword_argument", "comment")]
        if not rows:
            return
        given = _keyword(arguments, "prefix") or _keyword(arguments, "url_prefix")
        module, _, name = text_of(rows[0]).rpartition(".")
        target = (names[module][0], name) if module in names else names.get(name, (path, name)) if not module else (path, name)
        self._included[target if target[1] else (target[0], "router")] = ((path, holder), self._text(given))

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
            # A package's router, drawn in by the file that routes on it, or handed on by a file between.
            given = self._names.get(key[0], {}).get(key[1])
            if key not in self._own and key not in self._included and given is not None and given[1] and given != key:
                key = given
                continue
            parts.insert(0, self._own.get(key, ""))
            above = self._included.get(key)
            if above is None or above[0] == key:
                break
            parts.insert(0, above[1])
            key = above[0]
        return "".join(part.rstrip("/") for part in parts)


def _names(path: str, root: Any, modules: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Names in this file that stand for modules, as `(file, "")`, or for what a module of the repository holds."""
    found: dict[str, tuple[str, str]] = {}
    package = module_of(path).rpartition(".")[0] if posixpath.basename(path) != "__init__.py" else module_of(path)
    for row in matches("python", _IMPORTED, root):
        module = text_of(row["module"][0])
        if module.startswith("."):
            level = len(module) - len(module.lstrip("."))
            base = package.split(".")[: len(package.split(".")) - level + 1]
            module = ".".join([*base, *filter(None, [module.lstrip(".")])])
        for child in row["statement"][0].named_children[1:]:
            name = text_of(child.child_by_field_name("name")) if child.type == "aliased_import" else text_of(child)
            alias = text_of(child.child_by_field_name("alias")) if child.type == "aliased_import" else name
            inner, outer = find_module(modules, f"{module}.{name}"), find_module(modules, module)
            if inner or outer:
                found[alias] = (inner, "") if inner else (outer or "", name)
    return found
