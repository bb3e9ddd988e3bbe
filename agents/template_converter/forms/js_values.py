"""Values that JavaScript and TypeScript files write down: read from their syntax, never run.

A configuration is a program, but what it configures stands in literals. Names of constants are followed, what only running
could tell is `None`.
"""

import re
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 60
_MAX_NODES = 200_000
_MAX_CHARACTERS = 5_000_000
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


@dataclass(frozen=True)
class Called:
    """A call whose value is not known: its function's name and the arguments that are."""

    name: str
    arguments: tuple[Any, ...]


def exported_value(text: str, *, typescript: bool = False) -> Any:
    """What a module exports (`module.exports = ...` or `export default ...`), as dicts, lists, texts, numbers, truths and `None`.

    Args:
        text: The module.
        typescript: Whether it is TypeScript.
    """
    from tree_sitter import Language, Parser

    if typescript:
        import tree_sitter_typescript

        language = Language(tree_sitter_typescript.language_typescript())
    else:
        import tree_sitter_javascript

        language = Language(tree_sitter_javascript.language())
    root = Parser(language).parse(text.encode()).root_node
    reader = _Reader(root)
    return reader.value(reader.exported, 0) if reader.exported is not None else None


class _Reader:
    def __init__(self, root: Any) -> None:
        self.names: dict[str, Any] = {}
        self.exported: Any = None
        self._nodes = 0
        self._characters = 0
        for node in root.named_children:
            if node.type in ("lexical_declaration", "variable_declaration"):
                self._declared(node)
            elif node.type == "export_statement":
                self.exported = node.child_by_field_name("value") or self.exported
                declaration = node.child_by_field_name("declaration")
                if declaration is not None:
                    self._declared(declaration)
            elif node.type == "expression_statement" and node.named_children:
                self._assigned(node.named_children[0])

    def _declared(self, node: Any) -> None:
        for child in node.named_children:
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if child.type == "variable_declarator" and name is not None and value is not None:
                self.names.setdefault(_text(name), value)

    def _assigned(self, node: Any) -> None:
        if node.type != "assignment_expression":
            return
        left = _text(node.child_by_field_name("left"))
        if left in ("module.exports", "exports.default"):
            self.exported = node.child_by_field_name("right")

    def value(self, node: Any, depth: int) -> Any:
        self._nodes += 1
        if node is None or depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            return None
        read = _READERS.get(node.type)
        found = read(self, node, depth + 1) if read else None
        if isinstance(found, str):
            self._characters += len(found)
            return found if self._characters <= _MAX_CHARACTERS else None
        return found

    def object(self, node: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in node.named_children:
            if child.type == "pair":
                found[self.key(child.child_by_field_name("key"))] = self.value(child.child_by_field_name("value"), depth)
            elif child.type == "shorthand_property_identifier":
                found[_text(child)] = self.value(self.names.get(_text(child)), depth)
            elif child.type == "spread_element" and isinstance(spread := self.value(child.named_children[0], depth), dict):
                found.update(spread)
        return found

    def key(self, node: Any) -> str:
        return _string(_text(node)) if node.type == "string" else _text(node)

    def array(self, node: Any, depth: int) -> list[Any]:
        found: list[Any] = []
        for child in node.named_children:
            if child.type == "spread_element":
                spread = self.value(child.named_children[0], depth)
                found += spread if isinstance(spread, list) else []
            elif child.type != "comment":
                found.append(self.value(child, depth))
        return found

    def template(self, node: Any, depth: int) -> str | None:
        parts: list[str] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                inner = self.value(child.named_children[0], depth) if child.named_children else None
                parts.append(str(inner) if isinstance(inner, str | int | float) else "")
            elif child.type in ("string_fragment", "escape_sequence"):
                parts.append(_unescaped(_text(child)))
        return "".join(parts)

    def inner(self, node: Any, depth: int) -> Any:
        children = [child for child in node.named_children if child.type != "comment"]
        return self.value(children[0], depth) if children else None

    def named(self, node: Any, depth: int) -> Any:
        return self.value(self.names.get(_text(node)), depth)

    def call(self, node: Any, depth: int) -> Any:
        given = node.child_by_field_name("arguments")
        arguments = tuple(self.array(given, depth)) if given is not None else ()
        return Called(_text(node.child_by_field_name("function"))[:200], arguments)

    def either(self, node: Any, depth: int) -> Any:
        left = self.value(node.child_by_field_name("left"), depth)
        right = self.value(node.child_by_field_name("right"), depth)
        operator = _text(node.child_by_field_name("operator"))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        return (left if left is not None else right) if operator in ("||", "??") else None


_READERS: dict[str, Any] = {
    "object": _Reader.object,
    "array": _Reader.array,
    "string": lambda _reader, node, _depth: _string(_text(node)),
    "template_string": _Reader.template,
    "number": lambda _reader, node, _depth: _number(_text(node)),
    "true": lambda _reader, _node, _depth: True,
    "false": lambda _reader, _node, _depth: False,
    "identifier": _Reader.named,
    "parenthesized_expression": _Reader.inner,
    "as_expression": _Reader.inner,
    "satisfies_expression": _Reader.inner,
    "non_null_expression": _Reader.inner,
    "await_expression": _Reader.inner,
    "call_expression": _Reader.call,
    "binary_expression": _Reader.either,
}


def _text(node: Any) -> str:
    return "" if node is None else node.text.decode("utf-8", "replace")


def _string(text: str) -> str:
    return _unescaped(text[1:-1])


def _unescaped(text: str) -> str:
    def made(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            number = int(code, 16)
            return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
        return _NAMED.get(match[4], match[4])

    return _ESCAPE.sub(made, text)


def _number(text: str) -> int | float | None:
    try:
        return int(text, 0) if re.fullmatch(r"0[xob][\da-fA-F]+|\d+", text) else float(text)
    except ValueError:
        return None
