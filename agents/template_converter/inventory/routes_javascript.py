"""HTTP endpoints of JavaScript and TypeScript sources: routers in Express' manner, and Nest's decorators."""

import re
from collections.abc import Iterator
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_VERBS = {name: name.upper() for name in ("get", "post", "put", "delete", "patch")} | {"all": "ANY", "del": "DELETE"}
_ROUTED = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @verb)
  arguments: (arguments) @arguments) @call
"""
_NEST = """
(class_declaration body: (class_body
  (decorator (call_expression function: (identifier) @verb arguments: (arguments) @arguments)) .
  (method_definition name: (property_identifier) @name))) @class
"""
_ROUTER = re.compile(
    r"^(?:\w*(?:router|routes?|app|application|server|api|fastify)\w*|express\(\)|[\w.]*\.route\(.*)$", re.IGNORECASE | re.DOTALL
)
_CREATED = re.compile(rb"express|koa|fastify|hono|restify|@nestjs|Router\(")


def endpoints(path: str, source: bytes) -> Iterator[Endpoint]:
    """One for each route that the file defines; where a router is mounted elsewhere, its own address alone is known."""
    if not re.search(rb"\.(?:get|post|put|delete|patch|all)\s*\(|@(?:Get|Post|Put|Delete|Patch|All)\(", source):
        return
    language = "tsx" if path.endswith("x") else "typescript" if path.endswith(("ts", "mts", "cts")) else "javascript"
    root = parse(language, source)
    if _CREATED.search(source):
        for found in matches(language, _ROUTED, root):
            made = _routed(path, found)
            if made is not None:
                yield made
    if language != "javascript" and b"@nestjs" in source:
        yield from _nest(path, language, root)


def _routed(path: str, found: dict[str, list[Any]]) -> Endpoint | None:
    verb = _VERBS.get(text_of(found["verb"][0]))
    arguments = [child for child in found["arguments"][0].named_children if child.type != "comment"]
    holder = text_of(found["object"][0])
    address = literal(arguments[0]) if arguments else None
    chained = re.search(r"\.route\(\s*([\"'`])(.*?)\1\s*\)", holder, re.DOTALL)
    if chained and verb and (not arguments or address is None):
        address, handlers = chained[2], arguments
    else:
        handlers = arguments[1:]
    # `app.get('setting')` reads a setting: a route has something that answers.
    if (
        verb is None
        or address is None
        or not handlers
        or not _ROUTER.match(holder.split("\n")[0].strip() if not chained else holder)
    ):
        return None
    last = handlers[-1]
    named = text_of(last) if last.type in ("identifier", "member_expression") else text_of(last.child_by_field_name("name"))
    return Endpoint(method=verb, path=joined(address), handler=named, place=Place(path=path, line=line_of(found["verb"][0])))


def _nest(path: str, language: str, root: Any) -> Iterator[Endpoint]:
    for found in matches(language, _NEST, root):
        verb = _VERBS.get(text_of(found["verb"][0]).lower())
        if verb is None:
            continue
        prefix = ""
        for decorator in _decorators(found["class"][0]):
            match = re.match(r"@Controller\(\s*([\"'`])(.*?)\1", text_of(decorator), re.DOTALL)
            prefix = match[2] if match else prefix
        given = found["arguments"][0].named_children
        address = literal(given[0]) if given else ""
        if address is not None:
            yield Endpoint(
                method=verb,
                path=joined(prefix, address),
                handler=text_of(found["name"][0]),
                place=Place(path=path, line=line_of(found["verb"][0])),
            )


def _decorators(declaration: Any) -> list[Any]:
    above = declaration.parent
    own = [child for child in declaration.children if child.type == "decorator"]
    return own + ([child for child in above.children if child.type == "decorator"] if above is not None else [])
