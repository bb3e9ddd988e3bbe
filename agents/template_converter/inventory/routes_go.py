"""HTTP endpoints of Go sources: the standard library's patterns, and the routers of gin, echo, chi, fiber and gorilla."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.routers_go import GoCall, GoFile, Routers
from agents.template_converter.inventory.syntax import exactly, joined, line_of, literal, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_BUILDS = frozenset({"Methods", "Path", "PathPrefix", "Name", "Host", "Headers", "HeadersRegexp", "Queries", "Schemes"})
_WITH_VERB = frozenset({"Handle", "Method", "MethodFunc", "Handler", "HandlerFunc", "Add"})
_WEB = re.compile(rb"net/http|gin-gonic|labstack/echo|go-chi|gofiber|gorilla/mux|julienschmidt/httprouter")
_HANDS_OVER = re.compile(rb"\.(?:Group|Route|Mount|PathPrefix)\(")


def endpoints(path: str, source: bytes) -> Iterator[Endpoint]:
    """The endpoints of one file alone."""
    yield from all_endpoints({path: source})


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """One for each route, with the prefixes of its groups; a group may be handed to a function of another file."""
    files = [
        GoFile(path, parse("go", source), b"go-chi" in source)
        for path, source in sources.items()
        if _WEB.search(source) or _HANDS_OVER.search(source)
    ]
    routers = Routers(files)
    for file in files:
        if not _WEB.search(sources[file.path]):
            continue
        for call in file.calls:
            yield from _routes(file, call, routers)


def _routes(file: GoFile, call: GoCall, routers: Routers) -> Iterator[Endpoint]:
    if call.holder is None or not call.arguments:
        return
    built = _built_up(call)
    holder = built[2] if built else call.holder
    methods, given = built[:2] if built else _methods(call) if len(call.arguments) > 1 else ([], None)
    address = routers.text(file, given) if methods else None
    if not methods or address is None:
        return
    if call.name in ("HandleFunc", "Handle") and methods == ["ANY"]:
        verb, _, rest = address.partition(" ")
        methods, address = ([verb], rest.strip()) if verb in _VERBS else (_chained(call.node), address)
        address = re.sub(r"^[\w.-]+(?=/)", "", address)
    prefixes = routers.prefixes(file, holder)
    if not address.startswith("/") and not (address == "" and (any(prefixes) or call.name.isupper())):
        return
    last = call.arguments[-1]
    handler = text_of(last) if re.fullmatch(r"[\w.]+", text_of(last)) else ""
    for method in methods:
        for prefix in prefixes:
            place = Place(path=file.path, line=line_of(call.at))
            # chi answers at a group's own address with a slash and without.
            whole = joined(prefix, address) if file.chi and address == "/" else exactly(prefix, address)
            yield Endpoint(method=method, path=whole, handler=handler, place=place)


def _methods(call: GoCall) -> tuple[list[str], Any]:
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
    """Gorilla's `.Methods("GET")` somewhere after a route."""
    above = call.parent
    while above is not None and above.type == "selector_expression" and above.parent is not None:
        if text_of(above.child_by_field_name("field")) == "Methods":
            return _verbs(above.parent) or ["ANY"]
        above = above.parent.parent
    return ["ANY"]


def _built_up(call: GoCall) -> tuple[list[str], Any, Any] | None:
    """Gorilla's `.Methods("GET").Path("/x").HandlerFunc(h)`: methods, address, router; None for any other call."""
    if call.name not in ("Handler", "HandlerFunc") or len(call.arguments) != 1:
        return None
    node, methods, address = call.holder, list[str](), None
    while node is not None and node.type == "call_expression":
        function = node.child_by_field_name("function")
        name = text_of(function.child_by_field_name("field")) if function is not None else ""
        given = node.child_by_field_name("arguments").named_children
        if name not in _BUILDS:
            break
        if name == "Methods":
            methods = methods or _verbs(node)
        elif name in ("Path", "PathPrefix") and given and address is None:
            address = given[0]
        node = function.child_by_field_name("operand")
    return None if address is None else (methods or _chained(call.node), address, node)


def _verbs(call: Any) -> list[str]:
    given = call.child_by_field_name("arguments")
    return [verb for child in (given.named_children if given is not None else []) if (verb := _verb(child))]
