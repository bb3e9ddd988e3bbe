"""Endpoints that functions make by being called: Ktor's and Javalin's, whose routes stand in blocks of the ones they are below.

A call is found by its name; what goes before its address is what the blocks around it say, and, where it stands in a function,
what stands around the calls of that function.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = {name: name.upper() for name in ("get", "post", "put", "delete", "patch")}
_NESTING = frozenset({"route", "path"})
_TYPED = frozenset({"resource", "location"})
_METHOD = re.compile(r"HttpMethod\.(Get|Post|Put|Delete|Patch)\b")
_OTHERS = re.compile(
    r"(?:^|\.)\w*(?:[cC]lient|[hH]ttp|Unirest|[cC]ache|[mM]ap|[sS]essions?|attributes|headers|parameters|RestAssured|given\(\))$"
)
"""What is called with such names to ask others, or for something else."""
_CRUD = (("GET", False), ("POST", False), ("GET", True), ("PATCH", True), ("DELETE", True))
_MAX_DEPTH = 6
_MOST = 4


@dataclass(frozen=True)
class RouteCall:
    """A call.

    Attributes:
        name: Of what is called.
        holder: What it is called on; empty for nothing.
        address: Its first argument as a text; None where that is none.
        first: Its first argument as it stands there.
        given: All its arguments, as they stand there.
        handled: Whether it has a block and no argument.
        answers: Whether something is handed over that can answer.
        handler: The name of that.
        node: The whole call.
        at: What names the call, whose line counts.
    """

    name: str
    holder: str
    address: str | None
    first: str
    given: str
    handled: bool
    answers: bool
    handler: str
    node: Any
    at: Any


@dataclass(frozen=True)
class RouteFile:
    """A file's calls, names of its functions by where they begin, the addresses that types stand for, and what functions are."""

    path: str
    calls: list[RouteCall]
    functions: Mapping[int, str]
    types: Mapping[str, str]
    function: str


def called_endpoints(files: list[RouteFile]) -> Iterator[Endpoint]:
    """One for each call that routes."""
    around = _Around(files)
    for file in files:
        for call in file.calls:
            for method, address in _routed(call, around):
                method = around.method(file, call.node) if method == "" else method
                for prefix in around.prefixes(file, call.node):
                    place = Place(path=file.path, line=line_of(call.at))
                    yield Endpoint(method=method, path=joined(prefix, address), handler=call.handler, place=place)


def _routed(call: RouteCall, around: "_Around") -> list[tuple[str, str]]:
    if not call.answers or _OTHERS.search(call.holder):
        return []
    if call.name == "crud" and call.address is not None:
        whole = call.address
        above = re.sub(r"/?[{:][^/]*$", "", whole)
        return [(method, whole if one else above) for method, one in _CRUD]
    if call.name == "handle" and call.handled:
        return [("", "")]
    if call.name not in _VERBS:
        return []
    if call.holder and not (call.address or "").startswith("/"):
        return []
    if call.first.startswith("type "):
        of = call.first.removeprefix("type ")
        return [(_VERBS[call.name], around.types[of])] if of in around.types else []
    return [(_VERBS[call.name], call.address or "")]


class _Around:
    """What stands around calls, in every file."""

    def __init__(self, files: list[RouteFile]) -> None:
        self.types = {name: address for file in files for name, address in file.types.items()}
        self._calls: dict[tuple[str, int, int], RouteCall] = {}
        self._of_functions: dict[str, list[tuple[RouteFile, RouteCall]]] = {}
        declared = {name for file in files for name in file.functions.values()}
        for file in files:
            for call in file.calls:
                self._calls[file.path, call.node.start_byte, call.node.end_byte] = call
                if call.name in declared and call.name not in _VERBS and call.name not in _NESTING:
                    self._of_functions.setdefault(call.name, []).append((file, call))
                for name in re.findall(r"::(\w+)", call.given[:200]) if call.name in _NESTING else []:
                    self._of_functions.setdefault(name, []).append((file, call))

    def prefixes(self, file: RouteFile, node: Any, depth: int = 0) -> list[str]:
        """What goes before the address of a call, once for each place that its function is called from; none within an answer."""
        parts: list[str] = []
        above = node.parent
        while above is not None:
            call = self._calls.get((file.path, above.start_byte, above.end_byte))
            if call is not None and call.node != node:
                if call.name in _VERBS and call.answers and not _OTHERS.search(call.holder):
                    return []
                if call.name in _NESTING and call.address is not None:
                    parts.insert(0, call.address)
                elif call.name in _TYPED:
                    parts.insert(0, self.types.get(call.first.removeprefix("type "), ""))
            if above.type == file.function and above.named_child_count:
                return [joined(*before, *parts) for before in self._before(file, above, depth)]
            above = above.parent
        return [joined(*parts)]

    def method(self, file: RouteFile, node: Any) -> str:
        """The method that blocks around a `handle` say."""
        while node.parent is not None and node.parent.type != file.function:
            node = node.parent
            call = self._calls.get((file.path, node.start_byte, node.end_byte))
            if call is not None and call.name in ("method", "route"):
                told = _METHOD.search(call.first if call.name == "method" else call.given)
                if told:
                    return told[1].upper()
        return "ANY"

    def _before(self, file: RouteFile, function: Any, depth: int) -> list[list[str]]:
        rows = self._of_functions.get(file.functions.get(function.start_byte, ""), []) if depth < _MAX_DEPTH else []
        near = [
            (outer, call)
            for outer, call in rows
            if _module(outer.path) == _module(file.path) and not (outer is file and _within(call.node, function))
        ]
        found = [[before] for outer, call in near[:_MOST] for before in self._of_call(outer, call, depth)]
        unique = [row for index, row in enumerate(found) if row not in found[:index]]
        return unique or [[]]

    def _of_call(self, file: RouteFile, call: RouteCall, depth: int) -> list[str]:
        own = call.address if call.name in _NESTING and call.address is not None else ""
        return [joined(before, own) for before in self.prefixes(file, call.node, depth + 1)]


def _module(path: str) -> str:
    return path.partition("/src/")[0] if "/src/" in path else path.partition("src/")[0]


def _within(node: Any, outer: Any) -> bool:
    return bool(outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte)
