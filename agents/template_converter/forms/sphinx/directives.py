"""Directives of docutils, Sphinx and its known extensions; what none of them knows is shown as text and listed.

One class takes them all and is lenient: an option that is not known never costs the content.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.parsers.rst import directives as registry
from docutils.statemachine import StringList

from agents.template_converter.forms.sphinx.elements import Reading

_OPTION = re.compile(r"^[ ]*:(?P<name>[A-Za-z][\w.-]*(?:[ ][\w.-]+)?):(?:[ ]+(?P<value>.*))?$")
_ORIGINAL = frozenset({"replace", "unicode", "date", "list-table"})


@dataclass
class Call:
    """A directive as it stands in a page.

    Attributes:
        argument: What stands on its own line.
        options: By lower-case name.
        content: The lines below, each with its file and row in `places`.
            file: Where it begins.
        line: Where it begins.
        gap: Whether something stands between its own line and the content.
    """

    name: str
    argument: str
    options: dict[str, str]
    content: StringList
    offset: int
    file: str
    line: int
    directive: Directive
    reading: Reading
    places: list[tuple[str, int]] = field(default_factory=list)
    gap: bool = False

    def parse(self, content: StringList | None = None, offset: int | None = None) -> list[nodes.Node]:
        """The content as blocks."""
        holder = nodes.Element()
        state: Any = self.directive.state
        state.nested_parse(
            self.content if content is None else content, self.offset if offset is None else offset, holder, match_titles=True
        )
        return list(holder.children)

    def inline(self, text: str) -> list[nodes.Node]:
        """`text` as inline markup."""
        state: Any = self.directive.state
        parsed, messages = state.inline_text(text, self.directive.lineno)
        return [*parsed, *messages]

    def with_argument(self) -> tuple[StringList, int]:
        """Argument and content as one text, for directives that take none."""
        if not self.argument:
            return self.content, self.offset
        whole = StringList([self.argument], items=[(self.file, self.line - 1)])
        gap = StringList([""], items=[(self.file, self.line)]) if self.gap else StringList([])
        return whole + gap + self.content, self.offset

    def placed(self, node: Any) -> Any:
        """`node` with this directive's place."""
        node.source, node.line = self.file, self.line
        return node


Handler = Callable[[Call], list[nodes.Node]]


def split_call(directive: Directive) -> Call:
    """Argument, options and content of a directive's block."""
    machine: Any = directive.state_machine
    settings: Any = directive.state.document.settings
    reading: Reading = settings.reading
    file, line = machine.get_source_and_line(directive.lineno)
    file, line = file or reading.page, line or directive.lineno
    content = directive.content
    places = [(str(source or file), int(row if row is not None else 0)) for source, row in content.items]
    rows = list(content)
    at, argument = 0, ""
    if rows and places[0] == (file, line - 1):
        argument, at = rows[0].strip(), 1
    elif rows and places[0] != (file, line):
        # A blank line before all of it: neither argument nor options.
        return Call(directive.name.lower(), "", {}, content, directive.content_offset, file, line, directive, reading, places)
    if directive.name.lower() in _LONG_ARGUMENTS:
        while at < len(rows) and rows[at].strip() and not _OPTION.match(rows[at]):
            argument = f"{argument} {rows[at].strip()}".strip()
            at += 1
    options: dict[str, str] = {}
    while at < len(rows) and rows[at].strip() and _OPTION.match(rows[at]):
        at = _option(rows, at, options)
    gap = bool(options)
    while at < len(rows) and not rows[at].strip():
        gap, at = True, at + 1
    return Call(
        directive.name.lower(), argument, options, content[at:], directive.content_offset + at, file, line, directive, reading,
        places[at:], gap=gap,
    )  # fmt: skip


_LONG_ARGUMENTS = frozenset({"image", "figure", "thumbnail"})


def _option(rows: list[str], at: int, options: dict[str, str]) -> int:
    match = _OPTION.match(rows[at])
    assert match is not None
    value = [match["value"] or ""]
    indent = len(rows[at]) - len(rows[at].lstrip())
    at += 1
    while at < len(rows) and rows[at].strip() and len(rows[at]) - len(rows[at].lstrip()) > indent:
        value.append(rows[at].strip())
        at += 1
    options[match["name"].lower()] = "\n".join(value).strip()
    return at


class AnyDirective(Directive):
    """Takes every directive; the table says what becomes of it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The directive's nodes."""
        call = split_call(self)
        settings: Any = self.state.document.settings
        handler: Handler = settings.handlers.get(call.name) or settings.unknown
        if call.reading.depth > 40:
            call.reading.findings.lose(
                "macro", call.file, call.line, f"The directive `{call.name}` is nested too deep and is left out."
            )
            return []
        call.reading.depth += 1
        try:
            return handler(call)
        finally:
            call.reading.depth -= 1


def install() -> None:
    """Let pages that carry a `Reading` have their directives from our table; others keep docutils' own.

    docutils looks directives up in one function for the whole process and has no table for a document.
    """
    original: Any = registry.directive
    if getattr(original, "of_readings", False):
        return

    def lookup(name: str, language: Any, document: nodes.document) -> Any:
        if getattr(document.settings, "reading", None) is None or name.lower() in _ORIGINAL:
            return original(name, language, document)
        tables = getattr(document.settings, "classes", {})
        return tables.get(name.lower(), AnyDirective), []

    lookup.of_readings = True  # type: ignore[attr-defined]
    setattr(registry, "directive", lookup)  # noqa: B010 - a function of another library, given another one's place
