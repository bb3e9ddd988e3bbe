"""Routers of Go sources: what stands before a route, followed over groups, closures, parameters and mounts."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.inventory.syntax import joined, literal, matches, text_of

_NESTING = frozenset({"Group", "Route", "PathPrefix"})
_CALLS = "(call_expression function: [(selector_expression) (identifier)] @function arguments: (argument_list) @arguments) @call"
_ASSIGNED = """
[(short_var_declaration left: (expression_list . (identifier) @name) right: (expression_list . (_) @value))
 (assignment_statement left: (expression_list . (identifier) @name) right: (expression_list . (_) @value))
 (var_spec name: (identifier) @name value: (expression_list . (_) @value))
 (const_spec name: (identifier) @name value: (expression_list . (_) @value))]
"""
_DECLARED = "[(function_declaration name: (identifier) @name) (method_declaration name: (field_identifier) @name)]"
_ROUTED = re.compile(r"Group|Router|Engine|Mux|Echo|App\b")
_FIELDS = """
(type_spec type: (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name type: (_) @of))))
"""
_MAX_DEPTH = 8
_MOST_PREFIXES = 4


@dataclass(frozen=True)
class GoCall:
    """A call by the name of what it calls, and on what."""

    name: str
    holder: Any
    arguments: list[Any]
    node: Any
    at: Any


@dataclass
class GoFile:
    """A file with its calls."""

    path: str
    root: Any
    chi: bool
    calls: list[GoCall] = field(init=False)

    def __post_init__(self) -> None:
        self.calls = [_call(found) for found in matches("go", _CALLS, self.root)]

    @property
    def package(self) -> str:
        """Its folder."""
        return posixpath.dirname(self.path)


def _call(found: dict[str, list[Any]]) -> GoCall:
    function = found["function"][0]
    arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
    if function.type == "identifier":
        return GoCall(text_of(function), None, arguments, found["call"][0], function)
    name = function.child_by_field_name("field")
    return GoCall(text_of(name), function.child_by_field_name("operand"), arguments, found["call"][0], name)


class Routers:
    """What stands before a route: groups in variables, in closures, in parameters, and routers that are mounted."""

    def __init__(self, files: list[GoFile]) -> None:
        """Read every group, mount and call that hands a router over."""
        self._values: dict[tuple[str, int, str], Any] = {}
        self._constants: dict[tuple[str, str], str] = {}
        self._handed: dict[tuple[str, str, int], list[tuple[GoFile, Any]]] = {}
        self._mounted: dict[str, list[tuple[GoFile, Any, Any, Any]]] = {}
        self._results: dict[str, dict[str, str]] = {}
        self._fields: dict[tuple[str, str], set[str]] = {}
        declared: dict[str, list[tuple[str, list[str]]]] = {}
        for file in files:
            for row in matches("go", _DECLARED, file.root):
                node = row["name"][0].parent
                declared.setdefault(text_of(row["name"][0]), []).append((file.package, _parameters(node)))
                self._results.setdefault(text_of(row["name"][0]), {})[file.package] = _result(node)
            for row in matches("go", _FIELDS, file.root):
                self._fields.setdefault((file.package, text_of(row["name"][0])), set()).add(_bare(text_of(row["of"][0])))
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

    def _hand_over(self, file: GoFile, call: GoCall, declared: Mapping[str, list[tuple[str, list[str]]]]) -> None:
        if call.name == "Mount" and len(call.arguments) == 2:
            inner = call.arguments[1]
            if inner.type == "call_expression":
                function = inner.child_by_field_name("function")
                name = text_of(function).rpartition(".")[2]
                owner = function.child_by_field_name("operand") if function.type == "selector_expression" else None
                self._mounted.setdefault(name, []).append((file, call.holder, call.arguments[0], owner))
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

    def text(self, file: GoFile, node: Any, depth: int = 0) -> str | None:
        """What a string says; of one that begins with a value which is not known, the rest."""
        given = literal(node)
        if given is not None or depth > _MAX_DEPTH:
            return given
        if node.type == "identifier":
            value = self._values.get((file.path, _scope(node), text_of(node)))
            if value is not None and value.start_byte < node.start_byte:
                return self.text(file, value, depth + 1)
            return self._constants.get((file.package, text_of(node)))
        if node.type == "binary_expression":
            right = self.text(file, node.child_by_field_name("right"), depth + 1)
            return None if right is None else (self.text(file, node.child_by_field_name("left"), depth + 1) or "") + right
        if node.type == "call_expression":
            # A function of the repository that puts something before an address.
            name = text_of(node.child_by_field_name("function")).rpartition(".")[2]
            rows = [literal(child) for child in node.child_by_field_name("arguments").named_children]
            made = self._results.get(name, {}).get(file.package) == "string" and len(rows) == 1
            return rows[0] if made and (rows[0] or "").startswith("/") else None
        return None

    def prefixes(self, file: GoFile, holder: Any, depth: int = 0) -> list[str]:
        """Every prefix of a router, as it is handed to several functions or mounted several times."""
        if depth > _MAX_DEPTH or holder is None:
            return [""]
        if holder.type == "call_expression":
            return self._of_call(file, holder, depth)
        if holder.type != "identifier":
            return [""]
        return self._of_name(file, holder, text_of(holder), depth)

    def _of_call(self, file: GoFile, call: Any, depth: int) -> list[str]:
        function = call.child_by_field_name("function")
        if function is None or function.type != "selector_expression":
            return [""]
        name, operand = text_of(function.child_by_field_name("field")), function.child_by_field_name("operand")
        given = call.child_by_field_name("arguments").named_children
        own = self.text(file, given[0]) if name in _NESTING and given else None
        return [joined(above, own or "").rstrip("/") for above in self.prefixes(file, operand, depth + 1)]

    def _of_name(self, file: GoFile, node: Any, name: str, depth: int) -> list[str]:
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

    def _in_function(self, file: GoFile, function: Any, name: str, depth: int) -> list[str]:
        value = self._values.get((file.path, function.start_byte, name))
        called = text_of(function.child_by_field_name("name"))
        if value is not None and value.type == "call_expression":
            found = self._of_call(file, value, depth + 1)
            rows = self._mounts_of(file, function, called) if found == [""] or found == ["/"] else []
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

    def _mounts_of(self, file: GoFile, function: Any, called: str) -> list[tuple[GoFile, Any, Any]]:
        """Where the router of a function is mounted: of several functions of one name, the one of that package and type."""
        given = function.child_by_field_name("receiver")
        receiver = next(iter(_parameter_types(given)), "") if given is not None else ""
        every = self._mounted.get(called, [])
        own = posixpath.basename(file.package)
        fitting = ((own, ""), (own, _bare(receiver)))
        rows = [row for row in every if any(owner in fitting for owner in self._owners(row[0], row[3]))]
        if not rows and len(self._results.get(called, {})) == 1:
            rows = every
        return [row[:3] for row in rows]

    def _owners(self, file: GoFile, node: Any) -> list[tuple[str, str]]:
        """What a method may be called on, as `_owner` has it; fields of one name in several types may be any of them."""
        if node is not None and node.type == "selector_expression":
            kinds = self._fields.get((file.package, text_of(node.child_by_field_name("field"))), set())
            return [_qualified(kind, posixpath.basename(file.package)) for kind in kinds]
        return [self._owner(file, node)]

    def _owner(self, file: GoFile, node: Any, depth: int = 0) -> tuple[str, str]:
        """`(package, type)` of what a method is called on; the type is empty where it is not known or a package is meant."""
        own = posixpath.basename(file.package)
        if node is None:
            return own, ""
        if node.type == "identifier" and depth < _MAX_DEPTH:
            value = self._values.get((file.path, _scope(node), text_of(node)))
            return (text_of(node), "") if value is None else self._owner(file, value, depth + 1)
        if node.type == "call_expression":
            package, _, name = text_of(node.child_by_field_name("function")).rpartition(".")
            results = {posixpath.basename(folder): of for folder, of in self._results.get(name, {}).items()}
            return _qualified(results.get(package or own, ""), package or own)
        found = re.match(r"&?([\w.]+)\s*\{", text_of(node))
        return _qualified(found[1], own) if found else ("", "")


def _qualified(kind: str, package: str) -> tuple[str, str]:
    named, _, name = kind.rpartition(".")
    return named or package, name


def _bare(kind: str) -> str:
    return kind.lstrip("*&[] ")


def _result(function: Any) -> str:
    """The type of what a function returns first."""
    given = function.child_by_field_name("result")
    if given is not None and given.type == "parameter_list":
        return _bare(next(iter(_parameter_types(given)), ""))
    return _bare(text_of(given))


def _parameter_types(given: Any) -> list[str]:
    rows = [row for row in given.named_children if row.type == "parameter_declaration"]
    return [text_of(row.child_by_field_name("type")) for row in rows]


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
