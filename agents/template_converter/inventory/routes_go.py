"""HTTP endpoints of Go sources: the standard library's patterns, and the routers of gin, echo, chi, fiber and gorilla."""

import re
from collections.abc import Iterator
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_CALLS = """
(call_expression function: (selector_expression operand: (_) @object field: (field_identifier) @name)
  arguments: (argument_list) @arguments) @call
"""
_GROUPS = """
(short_var_declaration left: (expression_list (identifier) @name) right: (expression_list (call_expression
  function: (selector_expression operand: (_) @object field: (field_identifier) @method) arguments: (argument_list) @arguments)))
"""
_WEB = re.compile(rb"net/http|gin-gonic|labstack/echo|go-chi|gofiber|gorilla/mux|julienschmidt/httprouter")


def endpoints(path: str, source: bytes) -> Iterator[Endpoint]:
    """One for each route that the file defines, with the prefixes of groups in the same file."""
    if not _WEB.search(source):
        return
    root = parse("go", source)
    groups = _groups(root)
    for found in matches("go", _CALLS, root):
        name, holder = text_of(found["name"][0]), text_of(found["object"][0])
        arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
        address = literal(arguments[0]) if arguments else None
        if address is None or len(arguments) < 2:
            continue
        if name.upper() in _VERBS and (name.isupper() or name.istitle()) and address.startswith("/"):
            methods = [name.upper()]
        elif name in ("HandleFunc", "Handle"):
            verb, _, rest = address.partition(" ")
            methods, address = ([verb], rest.strip()) if verb in _VERBS else (_chained(found["call"][0]), address)
        else:
            continue
        handler = text_of(arguments[-1]) if arguments[-1].type in ("identifier", "selector_expression") else ""
        for method in methods:
            yield Endpoint(
                method=method,
                path=joined(groups.get(holder, ""), re.sub(r"^[\w.-]+(?=/)", "", address)),
                handler=handler,
                place=Place(path=path, line=line_of(found["name"][0])),
            )


def _chained(call: Any) -> list[str]:
    """Gorilla's `.Methods("GET")` after a route."""
    above = call.parent
    if above is not None and above.type == "selector_expression" and text_of(above.child_by_field_name("field")) == "Methods":
        given = above.parent.child_by_field_name("arguments") if above.parent is not None else None
        found = [literal(child) for child in given.named_children] if given is not None else []
        named = [method.upper() for method in found if method]
        if named:
            return named
    return ["ANY"]


def _groups(root: Any) -> dict[str, str]:
    """Prefixes by the names of variables that hold groups of routes."""
    found: dict[str, str] = {}
    for row in matches("go", _GROUPS, root):
        if text_of(row["method"][0]) not in ("Group", "Route", "PathPrefix"):
            continue
        arguments = row["arguments"][0].named_children
        prefix = literal(arguments[0]) if arguments else None
        if prefix is not None:
            found[text_of(row["name"][0])] = joined(found.get(text_of(row["object"][0]), ""), prefix)
    return found
