"""Which lines of a file `literalinclude` and `include` show."""

import re
from collections.abc import Mapping

from agents.template_converter.forms.lines import Line, indentation

_DEFINITION = r"^(?P<indent>[ \t]*)(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b"


class SelectionError(Exception):
    """The lines cannot be told; the message says why."""


def select(lines: list[Line], options: Mapping[str, str]) -> list[Line]:
    """The lines of `lines` that a directive's options name, by the order in which Sphinx applies them.

    Raises:
        SelectionError: An option names nothing that is there, or cannot be read.
    """
    if "pyobject" in options:
        lines = _object(lines, options["pyobject"])
    if "start-line" in options or "end-line" in options:
        lines = lines[_number(options.get("start-line"), 0) : _number(options.get("end-line"), len(lines))]
    lines = _between(lines, options)
    if "lines" in options:
        lines = [lines[index] for index in line_numbers(options["lines"], len(lines))]
    if "dedent" in options:
        lines = _dedented(lines, options["dedent"])
    if "tab-width" in options and options["tab-width"].strip().isdigit():
        width = int(options["tab-width"])
        lines = [line.with_text(line.text.expandtabs(min(width, 16))) for line in lines]
    made = lines[0] if lines else None
    for name in ("prepend", "append"):
        if options.get(name) and made is not None:
            added = made.made(options[name])
            lines = [added, *lines] if name == "prepend" else [*lines, added]
    return lines


def line_numbers(spec: str, count: int) -> list[int]:
    """Indices that `1,3,5-10,20-` names.

    Raises:
        SelectionError: It cannot be read, or names lines that are not there.
    """
    out: list[int] = []
    for part in filter(None, (piece.strip() for piece in spec.split(","))):
        match = re.fullmatch(r"(\d{0,9})(?:\s*-\s*(\d{0,9}))?", part)
        if match is None or not (match[1] or match[2]):
            raise SelectionError(f"`{spec}` does not say which lines.")
        first = int(match[1] or 1)
        last = first if match[2] is None else int(match[2] or count)
        out += range(max(first, 1) - 1, min(last, count))
    if not out:
        raise SelectionError(f"The file has no lines {spec}.")
    return out


def _number(value: str | None, otherwise: int) -> int:
    if value is None or not re.fullmatch(r"\s*-?\d{1,9}\s*", value):
        return otherwise
    return int(value)


def _between(lines: list[Line], options: Mapping[str, str]) -> list[Line]:
    """From `start-after` or `start-at` to `end-before` or `end-at`."""
    first, end = 0, len(lines)
    start = options.get("start-after") or options.get("start-at")
    if start:
        found = next((row for row, line in enumerate(lines) if start in line.text), None)
        if found is None:
            raise SelectionError(f"No line holds `{start}`.")
        first = found + (0 if options.get("start-at") and not options.get("start-after") else 1)
    stop = options.get("end-before") or options.get("end-at")
    if stop:
        inclusive = not options.get("end-before")
        found = next((row for row, line in enumerate(lines[first:], first) if stop in line.text), None)
        if found is None:
            raise SelectionError(f"No line holds `{stop}`.")
        end = found + (1 if inclusive else 0)
    return lines[first:end]


def _object(lines: list[Line], name: str) -> list[Line]:
    """A Python function, class or method by its dotted name, decorators with it."""
    first, end = 0, len(lines)
    for part in name.strip().split("."):
        pattern = re.compile(_DEFINITION.format(name=re.escape(part)))
        found = next((row for row in range(first, end) if pattern.match(lines[row].text)), None)
        if found is None:
            raise SelectionError(f"There is no `{name}` in it.")
        columns = indentation(lines[found].text)
        after = found + 1
        while after < end and _signature_goes_on(lines, found, after):
            after += 1
        stop = next((row for row in range(after, end) if not lines[row].blank and indentation(lines[row].text) <= columns), end)
        while stop > found + 1 and lines[stop - 1].blank:
            stop -= 1
        while found > first and lines[found - 1].text.lstrip().startswith("@"):
            found -= 1
        first, end = found, stop
    return lines[first:end]


def _signature_goes_on(lines: list[Line], first: int, row: int) -> bool:
    text = "".join(line.text for line in lines[first:row][-40:])
    return text.count("(") > text.count(")")


def _dedented(lines: list[Line], option: str) -> list[Line]:
    columns = int(option) if option.strip().isdigit() else min((_lead(line) for line in lines if not line.blank), default=0)
    return [line.with_text(line.text[min(columns, _lead(line)) :]) for line in lines]


def _lead(line: Line) -> int:
    return len(line.text) - len(line.text.lstrip())
