"""HTTP endpoints of Python that calls make (aiohttp, Starlette, Flask, Falcon), and those of Litestar and Bottle."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.syntax import exactly, line_of, literal, matches, text_of
from shared_services.contracts.inventory import Endpoint, Place

WORTH = re.compile(
    rb"\.add_(?:get|post|put|delete|patch|view|route|url_rule|resource|api_route)\b|\bweb\.(?:get|post|put|delete|patch|view|route)\("
    rb"|\bRoute\(|^[ \t]*@(?:get|post|put|delete|patch|route)\b|^[ \t]*@\w[\w.]*\.(?:view|route)\(",
    re.MULTILINE,
)
_CALLS = "(call function: [(identifier) (attribute)] @function arguments: (argument_list) @arguments) @call"
_CLASSES = "(class_definition name: (identifier) @name body: (block) @body) @class"
_DECORATED = """
(decorated_definition (decorator (call function: (identifier) @verb arguments: (argument_list) @arguments))
  definition: (function_definition name: (identifier) @name)) @whole
"""
_OF_CLASSES = """
(decorated_definition
  (decorator (call function: (attribute attribute: (identifier) @verb) @function arguments: (argument_list) @arguments))
  definition: (class_definition name: (identifier) @name body: (block) @body))
"""
_VERBS = {name: name.upper() for name in ("get", "post", "put", "delete", "patch")}
_BY_FUNCTIONS = re.compile(rb"^\s*(?:from|import) (?:litestar|starlite|bottle)\b", re.MULTILINE)
_STARLETTE = re.compile(rb"\bstarlette\b")
_MAX_DEPTH = 6


def all_endpoints(trees: Mapping[str, Any], sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """One for each method and address."""
    classes = _classes(trees)
    above = _Above(trees)
    for path, root in trees.items():
        for found in matches("python", _CALLS, root):
            for method, address, handler in _called(found, sources[path], classes):
                place = Place(path=path, line=line_of(found["call"][0]))
                yield Endpoint(
                    method=method, path=exactly(*above.of(path, found["call"][0]), address), handler=handler, place=place
                )
        for found in matches("python", _OF_CLASSES, root):
            said = _address(found["arguments"][0])
            verbs = _methods_of(found["body"][0]) if text_of(found["verb"][0]) in ("route", "view") else []
            for verb in verbs if said is not None else []:
                place, name = Place(path=path, line=line_of(found["function"][0])), text_of(found["name"][0])
                yield Endpoint(method=verb, path=exactly(said or ""), handler=name, place=place)
        if _BY_FUNCTIONS.search(sources[path]):
            yield from _decorated(path, root, above)


def _called(found: dict[str, list[Any]], source: bytes, classes: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """`(method, address, what answers)` of a call; none of one that routes nothing."""
    holder, _, name = text_of(found["function"][0]).rpartition(".")
    given = found["arguments"][0]
    rows = [child for child in given.named_children if child.type not in ("keyword_argument", "comment")]
    first, second = (literal(row) for row in (*rows, None, None)[:2])
    verb = name.removeprefix("add_")
    answers = _named(rows[1]) if len(rows) > 1 else ""
    if (name.startswith("add_") and verb in _VERBS) or (holder == "web" and name in _VERBS):
        if _is_address(first) and len(rows) > 1:
            yield _VERBS[verb], first or "", answers
    elif (name == "add_view" and holder) or (holder == "web" and name == "view"):
        if _is_address(first):
            yield from ((method, first or "", answers) for method in classes.get(answers, ["ANY"]))
    elif name == "add_route" or (holder == "web" and name == "route"):
        if _is_address(second) and len(rows) > 2 and first is not None:
            yield "ANY" if first == "*" else first.upper(), second or "", _named(rows[2])
        elif _is_address(first) and len(rows) > 1:
            yield from ((method, first or "", answers) for method in _methods(given, classes.get(answers) or ["ANY"]))
    elif name == "Route" and not holder and _STARLETTE.search(source):
        shown = _keyword(given, "endpoint")
        answers = answers or (_named(shown) if shown is not None else "")
        if _is_address(first) and answers:
            default = classes.get(answers) or (["ANY"] if answers.rpartition(".")[2][:1].isupper() else ["GET"])
            yield from ((method, first or "", answers) for method in _methods(given, default))
    else:
        yield from _ruled(name, given, rows, classes)


def _ruled(name: str, given: Any, rows: list[Any], classes: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """The same of Flask's rules and resources and FastAPI's routes without decorators."""
    first = literal(rows[0]) if rows else None
    if name in ("add_url_rule", "add_api_route") and _is_address(first):
        shown = _keyword(given, "view_func") or (rows[-1] if len(rows) > (2 if name == "add_url_rule" else 1) else None)
        answers = _named(shown) if shown is not None else ""
        yield from ((method, first or "", answers) for method in _methods(given, classes.get(answers) or ["GET"]))
    elif name == "add_resource" and len(rows) > 1:
        for address in [said for row in rows[1:] if _is_address(said := literal(row))]:
            yield from ((method, address or "", text_of(rows[0])) for method in classes.get(text_of(rows[0])) or ["ANY"])


def _is_address(text: str | None) -> bool:
    return text is not None and text.startswith("/")


def _named(node: Any) -> str:
    """What answers, by its name: a function, a class, an instance of one or what `as_view` makes of one."""
    name = re.sub(r"(?:\.as_view)?\(.*", "", text_of(node), flags=re.DOTALL)
    return name if re.fullmatch(r"[\w.]+", name) else ""


def _keyword(arguments: Any, name: str) -> Any:
    for child in arguments.named_children:
        if child.type == "keyword_argument" and text_of(child.child_by_field_name("name")) == name:
            return child.child_by_field_name("value")
    return None


def _methods(arguments: Any, default: list[str]) -> list[str]:
    for name in ("methods", "method", "http_method"):
        given = _keyword(arguments, name)
        found = re.findall(r"\b(GET|POST|PUT|DELETE|PATCH)\b", text_of(given).upper())
        if found:
            return list(dict.fromkeys(found))
    return default


def _classes(trees: Mapping[str, Any]) -> dict[str, list[str]]:
    """The methods of HTTP that classes have functions for, by the names of the classes."""
    rows = (
        (text_of(row["name"][0]), _methods_of(row["body"][0]))
        for root in trees.values()
        for row in matches("python", _CLASSES, root)
    )
    return {name: methods for name, methods in rows if methods}


def _methods_of(body: Any) -> list[str]:
    found = []
    for child in body.named_children:
        inner = child.child_by_field_name("definition") if child.type == "decorated_definition" else child
        name = text_of(inner.child_by_field_name("name")) if inner is not None and inner.type == "function_definition" else ""
        if name.removeprefix("on_") in _VERBS:
            found.append(_VERBS[name.removeprefix("on_")])
    return found


def _decorated(path: str, root: Any, above: "_Above") -> Iterator[Endpoint]:
    """Functions below `@get(…)`, alone or in a class that says what goes before them."""
    for found in matches("python", _DECORATED, root):
        verb = text_of(found["verb"][0])
        if verb not in _VERBS and verb != "route":
            continue
        arguments, whole = found["arguments"][0], found["whole"][0]
        methods = [_VERBS[verb]] if verb in _VERBS else _methods(arguments, ["GET"])
        holder = whole.parent.parent if whole.parent is not None and whole.parent.type == "block" else None
        kind = holder if holder is not None and holder.type == "class_definition" else None
        name = text_of(found["name"][0])
        outer = text_of(kind.child_by_field_name("name")) if kind is not None else name
        prefix = _path_of(kind) if kind is not None else ""
        for address in _addresses(arguments):
            for method in methods:
                place = Place(path=path, line=line_of(found["verb"][0]))
                yield Endpoint(method=method, path=exactly(above.handled(outer), prefix, address), handler=name, place=place)


def _address(arguments: Any) -> str | None:
    return next(iter(_addresses(arguments, none=[])), None)


def _addresses(arguments: Any, none: list[str] | None = None) -> list[str]:
    """What a decorator routes; one empty address where it names none."""
    rows = [child for child in arguments.named_children if child.type not in ("keyword_argument", "comment")]
    given = rows[0] if rows else _keyword(arguments, "path") or _keyword(arguments, "rule")
    parts = given.named_children if given is not None and given.type == "list" else [given]
    return [said for part in parts if (said := literal(part)) is not None] or ([""] if none is None else none)


def _path_of(kind: Any) -> str:
    for row in kind.child_by_field_name("body").named_children:
        given = row.named_children[0] if row.type == "expression_statement" and row.named_children else None
        if given is not None and given.type == "assignment" and text_of(given.child_by_field_name("left")) == "path":
            return literal(given.child_by_field_name("right")) or ""
    return ""


class _Above:
    """What goes before addresses: mounts around them, lists that are mounted, applications in others, routers of handlers."""

    def __init__(self, trees: Mapping[str, Any]) -> None:
        self._lists: dict[str, str] = {}
        self._within: dict[str, str] = {}
        self._handlers: dict[str, tuple[str, str]] = {}
        self._below: dict[tuple[str, str], str] = {}
        for path, root in trees.items():
            for found in matches("python", _CALLS, root):
                self._read(path, text_of(found["function"][0]).rpartition(".")[2], found["arguments"][0], found["call"][0])

    def _read(self, path: str, name: str, given: Any, call: Any) -> None:
        rows = [child for child in given.named_children if child.type not in ("keyword_argument", "comment")]
        first = literal(rows[0]) if rows else None
        routes = _keyword(given, "routes")
        if name == "Mount" and first is not None:
            app = _keyword(given, "app") or (rows[1] if len(rows) > 1 else None)
            for node, table in ((routes, self._lists), (app, self._within)):
                if node is not None and node.type in ("identifier", "attribute"):
                    table.setdefault(text_of(node).rpartition(".")[2], first)
        elif name == "add_subapp" and first is not None and len(rows) > 1:
            self._below[path, text_of(rows[1])] = first
        elif name == "Starlette" and routes is not None and routes.type == "identifier":
            self._within.setdefault(f"list {text_of(routes)}", _assigned(call))
        elif name in ("Router", "Litestar") and _keyword(given, "route_handlers") is not None:
            said = literal(_keyword(given, "path")) or ""
            for child in _keyword(given, "route_handlers").named_children:
                self._handlers.setdefault(text_of(child).rpartition(".")[2], (said, _assigned(call)))

    def of(self, path: str, call: Any) -> list[str]:
        """Prefixes of a call, the outermost first."""
        parts: list[str] = []
        holder = text_of(call.child_by_field_name("function")).partition(".")[0]
        parts += [self._below[path, holder]] if (path, holder) in self._below else []
        above, listed = call.parent, ""
        while above is not None:
            if above.type == "call":
                function = text_of(above.child_by_field_name("function")).rpartition(".")
                rows = above.child_by_field_name("arguments").named_children
                if function[2] == "Mount" and rows and literal(rows[0]) is not None:
                    parts.insert(0, literal(rows[0]) or "")
                elif function[2] == "add_routes" and (path, function[0]) in self._below:
                    parts.insert(0, self._below[path, function[0]])
            elif above.type == "assignment" and not listed:
                listed = text_of(above.child_by_field_name("left"))
            above = above.parent
        application = self._within.get(f"list {listed}", "")
        return [*filter(None, (self._within.get(application, ""), self._lists.get(listed, ""))), *parts]

    def handled(self, name: str, depth: int = 0) -> str:
        """Prefixes of a handler's routers."""
        said, router = self._handlers.get(name, ("", ""))
        before = self.handled(router, depth + 1) if router and depth < _MAX_DEPTH else ""
        return f"{before.rstrip('/')}/{said.strip('/')}" if said.strip("/") else before


def _assigned(call: Any) -> str:
    """The name that a call's result is given."""
    above = call.parent
    return text_of(above.child_by_field_name("left")) if above is not None and above.type == "assignment" else ""
