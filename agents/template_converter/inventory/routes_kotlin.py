"""What Kotlin sources say of HTTP: annotated classes as Java has them, and routes that functions of Ktor and Javalin make."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.template_converter.inventory.annotated import Annotation, Kind, Method
from agents.template_converter.inventory.called import RouteCall, RouteFile
from agents.template_converter.inventory.syntax import line_of, matches, text_of

_KINDS = "[(class_declaration) (object_declaration)] @kind"
_CALLS = "(call_expression) @call"
_FUNCTIONS = "(function_declaration) @function"
_TEXT = re.compile(rb"\bval\s+(\w+)(?:\s*:\s*String)?\s*=\s*\"([^\"\n$]*)\"")
_TYPED = re.compile(rb"(?<![\w.])([gG]et|post|put|delete|patch|resource|location)<([\w.]+)>\s*[({]")
_RESOURCE = re.compile(r"@(?:Resource|Location)\(\s*(?:path\s*=\s*)?\"([^\"]*)\"")
_GETTER = re.compile(rb"^([ \t]*)get(?=[ \t]*(?:\([ \t]*[^)\s]|\{))", re.MULTILINE)
_ADDRESSES = frozenset({"value", "path", "uri", "uris"})


def readable(source: bytes) -> bytes:
    """A source as the grammar can read it: a call of `get` below a value would be taken for the value's own getter."""
    return _GETTER.sub(rb"\1gEt", source)


def kinds_of(path: str, root: Any, texts: Mapping[str, str], *, micronaut: bool) -> Iterator[Kind]:
    """The classes and interfaces of a file, but for classes of annotations."""
    for node in _declared(root):
        body = next((child for child in node.named_children if child.type == "class_body"), None)
        functions = [child for child in (body.named_children if body is not None else []) if child.type == "function_declaration"]
        yield Kind(
            path=path,
            name=_name(node),
            above=tuple(_above(node)),
            abstract=_is(node, "abstract") or any(child.type == "interface" for child in node.children),
            micronaut=micronaut,
            annotations=_annotations(node, texts),
            methods=tuple(Method(_name(child), _annotations(child, texts), line_of(_named(child))) for child in functions),
        )


def made_in(root: Any, texts: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Annotation]]]:
    """Annotations that a file declares, with those on them."""
    for found in matches("kotlin", _KINDS, root):
        if _is(found["kind"][0], "annotation"):
            yield _name(found["kind"][0]), _annotations(found["kind"][0], texts)


def texts_of(source: bytes) -> Iterator[tuple[str, str]]:
    """Values that are given a text."""
    for match in _TEXT.finditer(source):
        yield match[1].decode(), match[2].decode(errors="replace")


def route_file(path: str, source: bytes, root: Any, texts: Mapping[str, str]) -> RouteFile:
    """The calls of a file that may route."""
    calls = [call for found in matches("kotlin", _CALLS, root) if (call := _call(found["call"][0], texts)) is not None]
    for match in _TYPED.finditer(source):
        node = root.descendant_for_byte_range(match.start(1), match.end(1))
        whole = node
        while (
            whole.parent is not None and whole.parent.start_byte == node.start_byte and whole.parent.type.endswith("_expression")
        ):
            whole = whole.parent
        calls.append(
            RouteCall(match[1].decode().lower(), "", None, f"type {match[2].decode()}", "", False, True, "", whole, node)
        )
    functions = {row["function"][0].start_byte: _name(row["function"][0]) for row in matches("kotlin", _FUNCTIONS, root)}
    return RouteFile(path, calls, functions, dict(_resources(root)), "function_declaration")


def _call(node: Any, texts: Mapping[str, str]) -> RouteCall | None:
    """A call with the lambda behind it as one: `get("/x") { }` are two for the grammar."""
    inner, block = node, None
    if node.named_children and node.named_children[-1].type in ("annotated_lambda", "lambda_literal"):
        block = node.named_children[-1]
        if node.named_children[0].type == "call_expression":
            inner = node.named_children[0]
    elif node.parent is not None and node.parent.type == "call_expression" and node.parent.named_children[0] == node:
        following = node.parent.named_children[-1]
        if following.type in ("annotated_lambda", "lambda_literal"):
            return None
    function = inner.named_children[0] if inner.named_children else None
    if function is None or function.type not in ("identifier", "navigation_expression"):
        return None
    whole = text_of(function)
    holder, _, name = whole.rpartition(".")
    given = next((child for child in inner.named_children if child.type == "value_arguments"), None)
    values = [_value(child) for child in given.named_children if child.type == "value_argument"] if given is not None else []
    first = values[0] if values else None
    handlers = [
        value
        for value in values
        if value is not None
        and (value.type in ("lambda_literal", "callable_reference", "annotated_lambda") or "::" in text_of(value))
    ]
    address = said(first, texts) if first is not None and first not in handlers else None
    rest = values[1:] if address is not None else values
    answers = block is not None or bool(handlers) or any(value is not None and value.type == "call_expression" for value in rest)
    named = next((text_of(value) for value in handlers if "::" in text_of(value)), "")
    return RouteCall(
        name.replace("gEt", "get"),
        holder,
        address,
        "" if first is None else text_of(first),
        text_of(given),
        block is not None and not values,
        answers,
        re.sub(r".*[:.]", "", named),
        node,
        function,
    )


def _value(argument: Any) -> Any:
    rows = argument.named_children
    return rows[-1] if rows else None


def _resources(root: Any) -> Iterator[tuple[str, str]]:
    """Ktor's classes that are addresses; one in another goes on from it."""
    for found in matches("kotlin", _KINDS, root):
        node, names, parts = found["kind"][0], list[str](), list[str]()
        while node is not None:
            if node.type == "class_declaration":
                told = _RESOURCE.search(text_of(node).partition("class ")[0] + _before(node))
                if told is None:
                    break
                names.insert(0, _name(node))
                parts.insert(0, told[1])
            node = node.parent
        for index in range(len(names)):
            yield ".".join(names[index:]), "/".join(part.strip("/") for part in parts)


def _before(node: Any) -> str:
    before = node.prev_named_sibling
    return text_of(before) if before is not None and before.type == "annotated_expression" else ""


def said(node: Any, texts: Mapping[str, str]) -> str:
    """What an expression says: a text, a name that the repository gives one text, a sum of such; else itself in `${}`."""
    text = text_of(node)
    if node.type == "string_literal":
        return text.strip('"').replace("\\$", "$")
    if node.type in ("identifier", "navigation_expression"):
        return texts.get(text.rpartition(".")[2], f"${{{text}}}")
    if node.type in ("binary_expression", "additive_expression") and node.named_child_count == 2:
        return "".join(said(child, texts) for child in node.named_children)
    return f"${{{text[:80]}}}"


def _declared(root: Any) -> Iterator[Any]:
    for found in matches("kotlin", _KINDS, root):
        if not _is(found["kind"][0], "annotation"):
            yield found["kind"][0]


def _named(node: Any) -> Any:
    return next(
        (child for child in node.named_children if child.type in ("identifier", "simple_identifier", "type_identifier")), node
    )


def _name(node: Any) -> str:
    return text_of(_named(node)).strip("`")


def _is(node: Any, modifier: str) -> bool:
    given = next((child for child in node.children if child.type == "modifiers"), None)
    return given is not None and any(text_of(child) == modifier for child in given.named_children)


def _above(node: Any) -> Iterator[str]:
    given = next((child for child in node.named_children if child.type == "delegation_specifiers"), None)
    for row in given.named_children if given is not None else []:
        yield re.sub(r"[<(].*", "", text_of(row), flags=re.DOTALL).rpartition(".")[2].strip()


def _annotations(node: Any, texts: Mapping[str, str]) -> dict[str, Annotation]:
    given = next((child for child in node.children if child.type == "modifiers"), None)
    rows = [child for child in (given.named_children if given is not None else []) if child.type == "annotation"]
    found = {row.name: row for row in (_annotation(child, None, texts) for child in rows)}
    # The first of a file's classes: the grammar takes annotations in front of it for an expression.
    before = node.prev_named_sibling
    while before is not None and before.type == "annotated_expression":
        inner = [child for child in before.named_children if child.type == "annotation"]
        arguments = next((child for child in before.named_children if child.type == "parenthesized_expression"), None)
        for child in inner:
            row = _annotation(child, arguments if child == inner[-1] else None, texts)
            found.setdefault(row.name, row)
        before = next((child for child in before.named_children if child.type == "annotated_expression"), None)
    return found


def _annotation(node: Any, apart: Any, texts: Mapping[str, str]) -> Annotation:
    made = next((child for child in node.named_children if child.type == "constructor_invocation"), None)
    called = next((child for child in (made or node).named_children if child.type == "user_type"), None)
    given = next((child for child in made.named_children if child.type == "value_arguments"), None) if made is not None else apart
    addresses: list[str] = []
    methods: list[str] = []
    for child in given.named_children if given is not None else []:
        rows = child.named_children if child.type == "value_argument" else [child]
        key = text_of(rows[0]) if len(rows) > 1 and rows[0].type == "identifier" else "value"
        value = rows[-1] if rows else None
        if value is not None and key == "method":
            methods = re.findall(r"[A-Z]+\b(?!\.)", text_of(value).replace("RequestMethod.", ""))
        elif value is not None and key in _ADDRESSES:
            addresses += [said(row, texts) for row in (value.named_children if value.type == "collection_literal" else [value])]
    return Annotation(text_of(called).rpartition(".")[2], tuple(addresses), tuple(methods), line_of(node))
