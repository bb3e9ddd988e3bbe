"""Footnotes, which CommonMark does not know: raised numbers where they are referred to, and before their text."""

import re

from agents.template_converter.forms.lines import Line, dedented, indentation
from agents.template_converter.forms.parsing import parse

_DEFINITION = re.compile(r"^(?P<prefix> {0,3}(?:> ?){0,5} {0,3})\[\^(?P<name>[^\[\]\s^]{1,100})\]:[ \t]*(?P<text>.*)$")
_REFERENCE = re.compile(r"(?<!`)(?P<code>`++)[^`\n]{0,500}(?P=code)(?!`)|\[\^(?P<name>[^\[\]\s^]{1,100})\](?!:)")
_INDENT = 4
"""Columns by which the further paragraphs of a footnote are indented."""


def convert_footnotes(lines: list[Line]) -> list[Line]:
    """References and texts of footnotes that have both, numbered in the order of the references; others stay as they are."""
    if not any("[^" in line.text for line in lines):
        return lines
    code = parse(lines).code_rows()
    rows = [(line, row in code) for row, line in enumerate(lines)]
    defined = {match["name"] for line, inside in rows if not inside and (match := _DEFINITION.match(line.text))}
    numbers: dict[str, int] = {}
    for line, inside in rows:
        for match in _REFERENCE.finditer("" if inside else line.text):
            if match["name"] in defined:
                numbers.setdefault(match["name"], len(numbers) + 1)
    if not numbers:
        return lines
    return _written(rows, numbers)


def _written(rows: list[tuple[Line, bool]], numbers: dict[str, int]) -> list[Line]:
    def mark(match: re.Match[str]) -> str:
        return f"<sup>{numbers[match['name']]}</sup>" if match["name"] in numbers else match[0]

    out: list[Line] = []
    within = False
    for line, inside in rows:
        match = None if inside else _DEFINITION.match(line.text)
        if match and match["name"] in numbers:
            prefix = match["prefix"]
            if out and out[-1].text.strip(" >"):
                out.append(line.made(prefix.rstrip()))
            text = _REFERENCE.sub(mark, match["text"])
            out.append(line.with_text(f"{prefix}<sup>{numbers[match['name']]}</sup> {text}".rstrip()))
            within = True
            continue
        within = within and (line.blank or indentation(line.text) >= _INDENT)
        shown = line.with_text(dedented(line.text, _INDENT)) if within else line
        out.append(shown if inside and not within else shown.with_text(_REFERENCE.sub(mark, shown.text)))
    return out
