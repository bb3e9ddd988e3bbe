"""Syntax trees by tree-sitter, and queries over them. The grammars are imported when a file of their language is read."""

from collections.abc import Iterator
from functools import cache
from typing import Any

MAX_SOURCE_BYTES = 1_000_000


@cache
def _language(name: str) -> Any:
    from tree_sitter import Language

    if name == "python":
        import tree_sitter_python as python

        return Language(python.language())
    if name == "java":
        import tree_sitter_java as java

        return Language(java.language())
    if name == "kotlin":
        import tree_sitter_kotlin as kotlin

        return Language(kotlin.language())
    if name == "go":
        import tree_sitter_go as go

        return Language(go.language())
    if name == "javascript":
        import tree_sitter_javascript as javascript

        return Language(javascript.language())
    import tree_sitter_typescript as typescript

    return Language(typescript.language_tsx() if name == "tsx" else typescript.language_typescript())


@cache
def _query(language: str, text: str) -> Any:
    from tree_sitter import Query

    return Query(_language(language), text)


def parse(language: str, source: bytes) -> Any:
    """The root of a source's tree; one with errors in it where the source has them."""
    from tree_sitter import Parser

    return Parser(_language(language)).parse(source[:MAX_SOURCE_BYTES]).root_node


def matches(language: str, text: str, node: Any) -> Iterator[dict[str, list[Any]]]:
    """The captures of each match of a query below `node`, in the order of the source."""
    from tree_sitter import QueryCursor

    found = [captures for _, captures in QueryCursor(_query(language, text)).matches(node)]
    yield from sorted(found, key=lambda row: min(each.start_byte for nodes in row.values() for each in nodes))


def text_of(node: Any) -> str:
    """A node's own text; empty for none."""
    return "" if node is None else node.text.decode("utf-8", "replace")


def line_of(node: Any) -> int:
    """The line, from 1, on which a node begins."""
    return int(node.start_point[0]) + 1


def literal(node: Any) -> str | None:
    """What a string literal says, without its quotes; None for anything else, or where it is put together at run time."""
    if node is None or node.type not in (
        "string",
        "string_literal",
        "template_string",
        "interpreted_string_literal",
        "raw_string_literal",
    ):
        return None
    text = text_of(node)
    if node.type == "template_string" and "${" in text:
        return None
    start = next((index for index, char in enumerate(text) if char in "\"'`"), None)
    if start is None or (node.type == "string" and "f" in text[:start].lower()):
        return None
    mark = text[start]
    width = 3 if text[start : start + 3] == mark * 3 and len(text) >= start + 6 else 1
    return text[start + width : len(text) - width]


def joined(*parts: str) -> str:
    """Parts of an address as one, with one slash between them."""
    return "/" + "/".join(part.strip("/") for part in parts if part.strip("/"))


def exactly(*parts: str) -> str:
    """Parts of an address as one where a slash at its end is told apart from none."""
    whole = joined(*parts)
    last = next((part for part in reversed(parts) if part), "")
    return whole + "/" if last.endswith("/") and whole != "/" else whole
