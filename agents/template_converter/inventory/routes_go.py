"""HTTP endpoints of Go sources: the standard library's patterns, and the routers of gin, echo, chi, fiber and gorilla."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_WITH_VERB = frozenset({"Handle", "Method", "MethodFunc", "Handler", "HandlerFunc", "Add"})
_NESTING = frozenset({"Group", "Route", "PathPrefix"})
_CALLS = "(call_expression function: [(selector_expression) (identifier)] @function arguments: (argument_list) @arguments) @call"
_ASSIGNED = """
[(short_var_declaration left: (expression_list . (identifier) @name) right: (expression_list . (_) @value))
 (assignment_statement left: (expression_list . (identifier) @name) right: (expression_list . (_) @value))
 (var_spec name: (identifier) @name value: (expression_list . (_) @value))
 (const_spec name: (identifier) @name value: (expression_list . (_) @value))]
"""
_DECLARED = "[(function_declaration name: (identifier) @name) (method_declaration name: (field_identifier) @name)]"
_WEB = re.compile(rb"net/http|gin-gonic|labstack/echo|go-chi|gofiber|gorilla/mux|julienschmidt/httprouter")
_HANDS_OVER = re.compile(rb"\.(?:Group|Route|Mount|PathPrefix)\(")
_ROUTED = re.compile(r"Group|Router|Engine|Mux|Echo|App\b")
_MAX_DEPTH = 8
_MOST_PREFIXES = 4


def endpoints(path: str, source: bytes) -> Iterator[Endpoint]:
    """The endpoints of one file alone."""
    yield from all_endpoints({path: source})


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """One for each route, with the prefixes of its groups; a group may be handed to a function of another file."""
    files = [
        _File(path, parse("go", source)) for path, source in sources.items() if _WEB.search(source) or _HANDS_OVER.search(source)
    ]
    routers = _Routers(files)
    for file in files:
        if not _WEB.search(sources[file.path]):
            continue
        for call in file.calls:
            yield from _routes(file, call, routers)


@dataclass(frozen=True)
class _Call:
    """A call by the name of what it calls, and on what."""

    name: str
    holder: Any
    arguments: list[Any]
    node: Any
    at: Any


@dataclass
class _File:
    path: str
    root: Any
    calls: list[_Call] = field(init=False)

    def __post_init__(self) -> None:
        self.calls = [_call(found) for found in matches("go", _CALLS, self.root)]

    @property
    def package(self) -> str:
        return posixpath.dirname(self.path)


def _call(found: dict[str, list[Any]]) -> _Call:
    function = found["function"][0]
    arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
    if function.type == "identifier":
        return _Call(text_of(function), None, arguments, found["call"][0], function)
    name = function.child_by_field_name("field")
    return _Call(text_of(name), function.child_by_field_name("operand"), arguments, found["call"][0], name)


def _routes(file: _File, call: _Call, routers: "_Routers") -> Iterator[Endpoint]:
    if call.holder is None or len(call.arguments) < 2:
        return
    methods, given = _methods(call)
    address = routers.text(file, given) if methods else None
    if not methods or address is None:
        return
    if call.name in ("HandleFunc", "Handle") and methods == ["ANY"]:
        verb, _, rest = address.partition(" ")
        methods, address = ([verb], rest.strip()) if verb in _VERBS else (_chained(call.node), address)
        address = re.sub(r"^[\w.-]+(?=/)", "", address)
    prefixes = routers.prefixes(file, call.holder)
    if not address.startswith("/") and not (address == "" and (any(prefixes) or call.name.isupper())):
        return
    last = call.arguments[-1]
    handler = text_of(last) if re.fullmatch(r"[\w.]+", text_of(last)) else ""
    for method in methods:
        for prefix in prefixes:
            place = Place(path=file.path, line=line_of(call.at))
            yield Endpoint(method=method, path=joined(prefix, address), handler=handler, place=place)


def _methods(call: _Call) -> tuple[list[str], Any]:
    """The methods that a call routes, and the argument that holds the address; none where it routes nothing."""
    if call.name.upper() in _VERBS and (call.name.isupper() or call.name.istitle()):
        return [call.name.upper()], call.arguments[0]
    if call.name in ("Any", "All") and len(call.arguments) >= 2:
        return ["ANY"], call.arguments[0]
    verb = _verb(call.arguments[0])
    if call.name in _WITH_VERB and verb and len(call.arguments) >= 3:
        return [verb], call.arguments[1]
    if call.name in ("HandleFunc", "Handle"):
        return ["ANY"], call.arguments[0]
    return [], None


def _verb(node: Any) -> str:
    name = (literal(node) or text_of(node).removeprefix("http.Method")).upper()
    return name if name in _VERBS else ""


def _chained(call: Any) -> list[str]:
    """Gorilla's `.Methods("GET")` after a route."""
    above = call.parent
    if above is not None and above.type == "selector_expression" and text_of(above.child_by_field_name("field")) == "Methods":
        given = above.parent.child_by_field_name("arguments") if above.parent is not None else None
        named = [verb for child in (given.named_children if given is not None else []) if (verb := _verb(child))]
        if named:
            return named
    return ["ANY"]


class _Routers:
    """What stands before a route: groups in variables, in closures, in parameters, and routers that are mounted."""

    def __init__(self, files: list[_File]) -> None:
        self._values: dict[tuple[str, int, str], Any] = {}
        self._constants: dict[tuple[str, str], str] = {}
        self._handed: dict[tuple[str, str, int], list[tuple[_File, Any]]] = {}
        self._mounted: dict[str, list[tuple[_File, Any, Any]]] = {}
        declared: dict[str, list[tuple[str, list[str]]]] = {}
        for file in files:
            for row in matches("go", _DECLARED, file.root):
                node = row["name"][0].parent
                declared.setdefault(text_of(row["name"][0]), []).append((file.package, _parameters(node)))
            for row in matches("go", _ASSIGNED, file.root):
                name, value = text_of(row["name"][0]), row["value"][0]
                given = literal(value)
                if given is not None and _scope(value) == -1:
                    self._constants.setdefault((file.package, name), given)
                else:
                    self._values.setdefault((file.path, _scope(value), name), value)
        for file in files:
            for call in file.calls:
                self._hand_over(file, call, declared)

    def _hand_over(self, file: _File, call: _Call, declared: Mapping[str, list[tuple[str, list[str]]]]) -> None:
        if call.name == "Mount" and len(call.arguments) == 2:
            inner = call.arguments[1]
            if inner.type == "call_expression":
                name = text_of(inner.child_by_field_name("function")).rpartition(".")[2]
                self._mounted.setdefault(name, []).append((file, call.holder, call.arguments[0]))
            return
        of = text_of(call.holder)
        rows = declared.get(call.name, [])
        near = [row for row in rows if (posixpath.basename(row[0]) == of if of else row[0] == file.package)] or rows
        if len(near) != 1:
            return
        package, types = near[0]
        for index, argument in enumerate(call.arguments[: len(types)]):
            if _ROUTED.search(types[index]) and argument.type in ("identifier", "call_expression"):
                self._handed.setdefault((package, call.name, index), []).append((file, argument))

    def text(self, file: _File, node: Any) -> str | None:
        """What a string says; of one that begins with a value which is not known, the rest."""
        given = literal(node)
        if given is not None:
            return given
        if node.type == "identifier":
            return self._constants.get((file.package, text_of(node)))
        if node.type == "binary_expression":
            right = self.text(file, node.child_by_field_name("right"))
            return None if right is None else (self.text(file, node.child_by_field_name("left")) or "") + right
        return None

    def prefixes(self, file: _File, holder: Any, depth: int = 0) -> list[str]:
        """Every prefix of a router, as it is handed to several functions or mounted several times."""
        if depth > _MAX_DEPTH or holder is None:
            return [""]
        if holder.type == "call_expression":
            return self._of_call(file, holder, depth)
        if holder.type != "identifier":
            return [""]
        return self._of_name(file, holder, text_of(holder), depth)

    def _of_call(self, file: _File, call: Any, depth: int) -> list[str]:
        function = call.child_by_field_name("function")
        if function is None or function.type != "selector_expression":
            return [""]
        name, operand = text_of(function.child_by_field_name("field")), function.child_by_field_name("operand")
        given = call.child_by_field_name("arguments").named_children
        own = self.text(file, given[0]) if name in _NESTING and given else None
        return [joined(above, own or "").rstrip("/") for above in self.prefixes(file, operand, depth + 1)]

    def _of_name(self, file: _File, node: Any, name: str, depth: int) -> list[str]:
        within = node.parent
        while within is not None:
            if within.type == "func_literal" and name in _names(within):
                outer = within.parent.parent if within.parent is not None else None
                if outer is not None and outer.type == "call_expression":
                    return self._of_call(file, outer, depth + 1)
            if within.type in ("function_declaration", "method_declaration"):
                return self._in_function(file, within, name, depth)
            within = within.parent
        return [""]

    def _in_function(self, file: _File, function: Any, name: str, depth: int) -> list[str]:
        value = self._values.get((file.path, function.start_byte, name))
        called = text_of(function.child_by_field_name("name"))
        if value is not None and value.type == "call_expression":
            found = self._of_call(file, value, depth + 1)
            rows = self._mounted.get(called, []) if found == [""] or found == ["/"] else []
            return [
                joined(above, self.text(outer, address) or "")
                for outer, holder, address in rows[:_MOST_PREFIXES]
                for above in self.prefixes(outer, holder, depth + 1)
            ] or found
        names = _names(function)
        if name not in names:
            return [""]
        handed = self._handed.get((file.package, called, names.index(name)), [])
        found = [prefix for outer, given in handed for prefix in self.prefixes(outer, given, depth + 1)]
        return list(dict.fromkeys(found))[:_MOST_PREFIXES] or [""]


def _scope(node: Any) -> int:
    """Where the function begins that a node stands in."""
    while node is not None and node.type not in ("function_declaration", "method_declaration"):
        node = node.parent
    return -1 if node is None else int(node.start_byte)


def _declarations(function: Any) -> list[Any]:
    given = function.child_by_field_name("parameters")
    return [row for row in given.named_children if row.type == "parameter_declaration"] if given is not None else []


def _names(function: Any) -> list[str]:
    return [text_of(name) for row in _declarations(function) for name in row.children_by_field_name("name")]


def _parameters(function: Any) -> list[str]:
    """The types of a function's parameters, in order."""
    return [
        text_of(row.child_by_field_name("type"))
        for row in _declarations(function)
        for _ in row.children_by_field_name("name") or [None]
    ]
