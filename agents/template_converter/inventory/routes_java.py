"""What Java sources say of HTTP: annotated classes and interfaces, texts with names, made annotations, and calls that route."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.annotated import Annotation, Kind, Method
from agents.template_converter.inventory.called import RouteCall, RouteFile
from agents.template_converter.inventory.syntax import line_of, literal, matches, text_of

_KINDS = "[(class_declaration) (interface_declaration) (record_declaration)] @kind"
_MADE = "(annotation_type_declaration name: (identifier) @name) @made"
_TEXT = re.compile(rb"\bString\s+(\w+)\s*=\s*\"([^\"\n\\\\]*)\"\s*;")
_CALLS = "(method_invocation name: (identifier) @name arguments: (argument_list) @arguments) @call"
_FUNCTIONS = "(method_declaration name: (identifier) @name) @function"
_ANSWERS = frozenset({"lambda_expression", "method_reference", "object_creation_expression"})
_ADDRESSES = frozenset({"value", "path", "uri", "uris"})


def kinds_of(path: str, root: Any, texts: Mapping[str, str], *, micronaut: bool) -> Iterator[Kind]:
    """The classes and interfaces of a file."""
    for found in matches("java", _KINDS, root):
        node = found["kind"][0]
        body = node.child_by_field_name("body")
        methods = [child for child in (body.named_children if body is not None else []) if child.type == "method_declaration"]
        modifiers = _modifiers(node)
        yield Kind(
            path=path,
            name=text_of(node.child_by_field_name("name")),
            above=tuple(_above(node)),
            abstract=node.type == "interface_declaration"
            or "abstract" in re.findall(r"\w+", text_of(modifiers).rpartition(")")[2]),
            micronaut=micronaut,
            annotations=_annotations(modifiers, texts),
            methods=tuple(
                Method(
                    text_of(child.child_by_field_name("name")),
                    _annotations(_modifiers(child), texts),
                    line_of(child.child_by_field_name("name")),
                )
                for child in methods
            ),
        )


def made_in(root: Any, texts: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Annotation]]]:
    """Annotations that a file declares, with those on them."""
    for found in matches("java", _MADE, root):
        yield text_of(found["name"][0]), _annotations(_modifiers(found["made"][0]), texts)


def texts_of(source: bytes) -> Iterator[tuple[str, str]]:
    """Fields that are given a text."""
    for match in _TEXT.finditer(source):
        yield match[1].decode(), match[2].decode(errors="replace")


def route_file(path: str, root: Any, texts: Mapping[str, str]) -> RouteFile:
    """The calls of a file that may route."""
    calls = []
    for found in matches("java", _CALLS, root):
        node, given = (
            found["call"][0],
            [child for child in found["arguments"][0].named_children if not child.type.endswith("comment")],
        )
        first = given[0] if given else None
        address = said(first, texts) if first is not None and first.type not in _ANSWERS else None
        handlers = [child for child in given if child.type in _ANSWERS]
        named = next((text_of(child) for child in handlers if child.type == "method_reference"), "")
        holder = text_of(node.child_by_field_name("object"))
        calls.append(
            RouteCall(
                text_of(found["name"][0]),
                holder,
                address,
                text_of(first),
                text_of(found["arguments"][0]),
                False,
                bool(handlers),
                named.rpartition("::")[2],
                node,
                found["name"][0],
            )
        )
    functions = {row["function"][0].start_byte: text_of(row["name"][0]) for row in matches("java", _FUNCTIONS, root)}
    return RouteFile(path, calls, functions, {}, "method_declaration")


def _modifiers(node: Any) -> Any:
    return next((child for child in node.children if child.type == "modifiers"), None)


def _above(node: Any) -> Iterator[str]:
    for child in node.named_children:
        if child.type in ("superclass", "super_interfaces", "extends_interfaces"):
            rows = [row for each in child.named_children for row in (each.named_children if each.type == "type_list" else [each])]
            for row in rows:
                yield re.sub(r"<.*", "", text_of(row), flags=re.DOTALL).rpartition(".")[2].strip()


def _annotations(modifiers: Any, texts: Mapping[str, str]) -> dict[str, Annotation]:
    found = [
        child
        for child in (modifiers.children if modifiers is not None else [])
        if child.type in ("annotation", "marker_annotation")
    ]
    rows = [_annotation(child, texts) for child in found]
    return {row.name: row for row in rows}


def _annotation(node: Any, texts: Mapping[str, str]) -> Annotation:
    arguments = node.child_by_field_name("arguments")
    addresses: list[str] = []
    methods: list[str] = []
    for child in arguments.named_children if arguments is not None else []:
        value, key = child, "value"
        if child.type == "element_value_pair":
            key, value = text_of(child.child_by_field_name("key")), child.child_by_field_name("value")
        if key == "method":
            methods = re.findall(r"[A-Z]+\b(?!\.)", text_of(value).replace("RequestMethod.", ""))
        elif key in _ADDRESSES:
            rows = value.named_children if value is not None and value.type == "element_value_array_initializer" else [value]
            addresses += [said(row, texts) for row in rows if row is not None and not row.type.endswith("comment")]
    name = text_of(node.child_by_field_name("name")).rpartition(".")[2]
    return Annotation(name, tuple(addresses), tuple(methods), line_of(node))


def said(node: Any, texts: Mapping[str, str]) -> str:
    """What an expression says: a text, a name that the repository gives one text, a sum of such; else itself in `${}`."""
    given = literal(node)
    if given is not None:
        return given
    if node.type in ("identifier", "field_access"):
        return texts.get(text_of(node).rpartition(".")[2], f"${{{text_of(node)}}}")
    if node.type == "binary_expression":
        return "".join(said(child, texts) for child in node.named_children)
    return f"${{{text_of(node)}}}"
