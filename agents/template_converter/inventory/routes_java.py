"""HTTP endpoints of Java sources: Spring's mappings and Jakarta REST's methods."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.syntax import joined, line_of, literal, matches, parse, text_of
from shared_services.contracts.inventory import Endpoint, Place

_MICRONAUT = {"Get": "GET", "Post": "POST", "Put": "PUT", "Delete": "DELETE", "Patch": "PATCH"}
_CLIENTS = frozenset({"RegisterRestClient", "FeignClient", "HttpExchange", "Client", "RestClient"})
"""What makes an interface ask others rather than answer."""
_SPRING = {"GetMapping": "GET", "PostMapping": "POST", "PutMapping": "PUT", "DeleteMapping": "DELETE", "PatchMapping": "PATCH"}
_JAKARTA = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
"""`HEAD` and `OPTIONS` tell of the other endpoints and are none of their own, here as in the other languages."""
_APPLICATION = re.compile(rb'@ApplicationPath\(\s*"([^"]*)"')
_SETTING = re.compile(rb"^quarkus\.(?:rest|resteasy-reactive|resteasy)\.path[ \t]*=[ \t]*(/[\w./-]*)[ \t]*\r?$", re.MULTILINE)
SETTINGS = re.compile(r"(?:^|/)src/main/resources/application\.properties$")
"""Files that are read beside the sources, for what stands before addresses."""
_METHODS = """
(class_declaration body: (class_body (method_declaration (modifiers) @modifiers name: (identifier) @name))) @class
(interface_declaration body: (interface_body (method_declaration (modifiers) @modifiers name: (identifier) @name))) @class
"""


def all_endpoints(sources: Mapping[str, bytes]) -> Iterator[Endpoint]:
    """Those of every file; what `@ApplicationPath` or Quarkus' own setting names goes before those of resources beside it."""
    applications = {
        _top(path): match[1].decode(errors="replace")
        for path, source in sources.items()
        if (match := (_SETTING if path.endswith(".properties") else _APPLICATION).search(source))
    }
    for path, source in sources.items():
        yield from endpoints(path, source, applications.get(_top(path), ""))


def _top(path: str) -> str:
    return path.partition("src/main/")[0]


def endpoints(path: str, source: bytes, application: str = "") -> Iterator[Endpoint]:
    """One for each method and address that answers."""
    micronaut = b"io.micronaut" in source
    if b"Mapping" not in source and not re.search(rb"@(?:GET|POST|PUT|DELETE|PATCH)\b", source) and not micronaut:
        return
    root = parse("java", source)
    for found in matches("java", _METHODS, root):
        held, modifiers, name = found["class"][0], found["modifiers"][0], found["name"][0]
        outer = _annotations(held)
        if _CLIENTS & outer.keys():
            continue
        prefix = _address(outer.get("RequestMapping") or outer.get("Path") or (outer.get("Controller") if micronaut else None))
        prefix = joined(application, prefix) if "Path" in outer else prefix
        inner = _annotations_of(modifiers)
        for method, address, node in _answers(inner, micronaut=micronaut and "Controller" in outer):
            yield Endpoint(
                method=method, path=joined(prefix, address), handler=text_of(name), place=Place(path=path, line=line_of(node))
            )


def _answers(annotations: dict[str, Any], *, micronaut: bool) -> Iterator[tuple[str, str, Any]]:
    for name, node in annotations.items():
        if name in _SPRING:
            for address in _addresses(node):
                yield _SPRING[name], address, node
        elif micronaut and name in _MICRONAUT:
            for address in _addresses(node):
                # What follows `{?` are parameters of the query.
                yield _MICRONAUT[name], re.sub(r"\{\?[^}]*\}|\?.*", "", address), node
        elif name == "RequestMapping":
            methods = re.findall(r"RequestMethod\.(\w+)|(?<=method = )(\w+)", text_of(node)) or [("ANY", "")]
            for method in methods:
                for address in _addresses(node):
                    yield method[0] or method[1], address, node
        elif name in _JAKARTA:
            yield name, _address(annotations.get("Path")), node


def _annotations(declaration: Any) -> dict[str, Any]:
    modifiers = next((child for child in declaration.children if child.type == "modifiers"), None)
    return _annotations_of(modifiers) if modifiers is not None else {}


def _annotations_of(modifiers: Any) -> dict[str, Any]:
    return {
        text_of(child.child_by_field_name("name")).rpartition(".")[2]: child
        for child in modifiers.children
        if child.type in ("annotation", "marker_annotation")
    }


def _address(annotation: Any) -> str:
    return _addresses(annotation)[0] if annotation is not None else ""


def _addresses(annotation: Any) -> list[str]:
    """The addresses that an annotation names, by itself or as `value` or `path`; one empty one where it names none."""
    arguments = annotation.child_by_field_name("arguments")
    found: list[str] = []
    for child in arguments.named_children if arguments is not None else []:
        value = child
        if child.type == "element_value_pair":
            if text_of(child.child_by_field_name("key")) not in ("value", "path", "uri", "uris"):
                continue
            value = child.child_by_field_name("value")
        rows = value.named_children if value is not None and value.type == "element_value_array_initializer" else [value]
        found += [given for row in rows if (given := literal(row)) is not None]
    return found or [""]
