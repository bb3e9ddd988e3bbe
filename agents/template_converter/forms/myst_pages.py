"""Pages of a Jupyter Book that are text rather than notebooks: MyST's cells, figures, boxes and roles as CommonMark.

What a page shows is kept; what only the book's machinery needs (labels, indexes, bibliographies) is left out and counted.
"""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from agents.template_converter.forms.lines import Line, trimmed
from shared_services.contracts.conversion import Loss

_OPENING = re.compile(
    r"^(?P<indent>[ \t]{0,12})(?P<mark>`{3,}+|~{3,}+|:{3,}+)(?P<name>\{[\w:+-]+\})?(?P<rest>(?(name)(?:(?!`{3}).)*|[^`]*))$"
)
_OPTION = re.compile(r"^[ \t]*:(?P<name>[\w-]+):(?P<value>.*)$")
_LABEL = re.compile(r"^\([^()\s]+\)=[ \t]*$")
_ROLE = re.compile(r"\{(?P<name>[\w:+-]+)\}`(?P<body>[^`\n]+)`")
_NAMED = re.compile(r"^(?P<words>.*?[^ \t])[ \t]*+<[^<>]+>$")
_CODE = frozenset({"code-cell", "code-block", "code", "sourcecode", "ipython", "highlight"})
_PICTURES = frozenset({"figure", "image"})
_SHOWN = frozenset({"math", "table", "list-table", "csv-table", "mermaid", "literalinclude", "eval-rst"})
_SILENT = frozenset({"index", "bibliography", "footbibliography", "tableofcontents", "contents", "toctree", "raw"})
_LABELS = {"seealso": "See also", "epigraph": ""}
_FIRST_WORDS = frozenset(
    {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso", "todo", "epigraph"}
)
"""Boxes without a title: what stands behind their name is where their text begins."""
_TITLED = frozenset({"admonition", "dropdown"})
"""Boxes whose label is their title."""
_KNOWN = _FIRST_WORDS | _TITLED | {"exercise", "prf:theorem", "prf:definition"}
_MAX_DEPTH = 8
_MAX_FENCES = 1000


@dataclass
class Met:
    """What of a page has no place, by kind, with the line where it was met first."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, Line] = field(default_factory=dict)

    def add(self, kind: str, line: Line) -> None:
        """Count one."""
        self.counts[kind] += 1
        self.places.setdefault(kind, line)

    def losses(self) -> list[Loss]:
        """A row for each kind."""
        return [
            Loss(
                kind="macro", source=self.places[kind].file, line=self.places[kind].number,
                detail=f"{kind} has no place in a step; its words stay, where it has any ({count} times).",
            )
            for kind, count in self.counts.items()
        ]  # fmt: skip


def myst_as_commonmark(lines: list[Line], language: str, met: Met, depth: int = 0) -> list[Line]:
    """A page's lines, its front matter taken off; cells get `language` where they name none."""
    if depth >= _MAX_DEPTH:
        return lines
    out: list[Line] = []
    rows = _Rows(lines)
    row = 0
    while row < len(lines):
        line = lines[row]
        opening = _OPENING.match(line.text)
        end = rows.closing(row, opening["mark"]) if opening else None
        if opening is None or end is None or (opening["name"] is None and opening["mark"][0] == ":"):
            out += _line(line, met)
            row += 1
        elif opening["name"] and opening["name"].endswith("-start}"):
            last = rows.ending(end + 1, opening["name"].replace("-start}", "-end}"))
            out += _box(line, opening, lines[end + 1 : last], language, met, depth)
            closed = _OPENING.match(lines[last].text) if last < len(lines) else None
            row = (rows.closing(last, closed["mark"]) or last) + 1 if closed else last
        else:
            block = lines[row : end + 1]
            out += block if opening["name"] is None else _directive(block, opening, language, met, depth)
            row = end + 1
    return out


class _Rows:
    """Where fences close and what directives end, looked up rather than looked for."""

    def __init__(self, lines: list[Line]) -> None:
        self._count = len(lines)
        self._closing: list[tuple[int, str]] = []
        self._ending: dict[str, list[int]] = {}
        for row, line in enumerate(lines):
            text = line.text.strip()
            if text[:3] in ("```", "~~~", ":::") and not text.strip(text[0]):
                self._closing.append((row, text))
            elif "-end}" in text and (found := _OPENING.match(line.text)) and found["name"]:
                self._ending.setdefault(found["name"], []).append(row)

    def closing(self, row: int, mark: str) -> int | None:
        """The row of the fence that closes what `mark` opens on `row`."""
        first = bisect_left(self._closing, (row + 1, ""))
        return next((at for at, text in islice(self._closing, first, first + _MAX_FENCES) if text.startswith(mark)), None)

    def ending(self, row: int, name: str) -> int:
        """The row, from `row` on, of the directive that ends what another one began; the end of the page where there is none."""
        found = self._ending.get(name, [])
        at = bisect_left(found, row)
        return found[at] if at < len(found) else self._count


def _line(line: Line, met: Met) -> list[Line]:
    if _LABEL.match(line.text) or line.text.rstrip() == "+++" or line.text.startswith(("% ", "+++ ")):
        return [line.made("")]

    def words(role: re.Match[str]) -> str:
        named = _NAMED.match(role["body"])
        if named:
            return named["words"]
        met.add(f"role `{{{role['name']}}}`", line)
        return f"${role['body']}$" if role["name"] == "math" else f"`{role['body']}`"

    return [line.with_text(_ROLE.sub(words, line.text)) if "{" in line.text else line]


def _directive(block: list[Line], opening: re.Match[str], language: str, met: Met, depth: int) -> list[Line]:
    name, argument, first = opening["name"].strip("{}").lower(), opening["rest"].strip(), block[0]
    options, body = _options(block[1:-1])
    indent = opening["indent"]
    if name in _CODE:
        mark = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall(r"`+", line.text)), default=0))
        code = re.sub(r"^i?python\d?$", "python", argument.replace("`", "") or language, flags=re.IGNORECASE)
        return [first.with_text(f"{indent}{mark}{code}"), *body, block[-1].made(f"{indent}{mark}")]
    if name in _PICTURES and argument:
        caption = trimmed(body)
        words = options.get("alt") or " ".join(line.text.strip() for line in caption)[:300]
        picture = first.with_text(f"{indent}![{re.sub(r'[][`]+', '', words)}]({argument})")
        return [first.made(""), picture, first.made(""), *(row for line in caption for row in _line(line, met)), first.made("")]
    if name in _SILENT:
        met.add(f"`{{{name}}}`", first)
        return [first.made("")]
    if name in _SHOWN:
        met.add(f"`{{{name}}}`", first)
        return _as_code(block, opening, name)
    return _box(first, opening, [first.made(""), *body] if options else body, language, met, depth)


def _as_code(block: list[Line], opening: re.Match[str], name: str) -> list[Line]:
    """A directive as a block that shows it: what stands behind its name is the first line, for an info string loses it."""
    first, indent, argument = block[0], opening["indent"], opening["rest"].strip()
    inside = [*([first.with_text(f"{indent}{argument}")] if argument else []), *block[1:-1]]
    if opening["mark"][0] != ":":
        return [first.with_text(f"{indent}{opening['mark']}{{{name}}}"), *inside, block[-1]]
    mark = "`" * max(3, 1 + max((len(run) for line in inside for run in re.findall(r"`+", line.text)), default=0))
    return [first.with_text(f"{indent}{mark}text"), *inside, block[-1].made(f"{indent}{mark}")]


def _box(first: Line, opening: re.Match[str], body: list[Line], language: str, met: Met, depth: int) -> list[Line]:
    """A directive's text as a quote under its name."""
    name, argument, indent = (
        opening["name"].strip("{}").lower().removesuffix("-start"),
        opening["rest"].strip(),
        opening["indent"],
    )
    if name == "solution":
        argument = ""  # The label of its exercise.
    if name not in _KNOWN and argument:
        met.add(f"`{{{name}}}`", first)
    called = _LABELS.get(name, name.rpartition(":")[2].replace("-", " ").capitalize())
    if name in _FIRST_WORDS:
        label = called
        body = [first.with_text(f"{indent}{argument}"), *body] if argument else body
    else:
        label = argument if name in _TITLED else ": ".join(filter(None, (called, argument)))
    inner = myst_as_commonmark(trimmed(body), language, met, depth + 1)
    head = [*_line(first.with_text(f"{indent}> **{label}**"), met), first.made(f"{indent}>")] if label else []
    quoted = (line.with_text(f"{indent}> {line.text.removeprefix(indent)}".rstrip()) for line in inner)
    return [first.made(""), *head, *quoted, first.made("")]


def _options(body: list[Line]) -> tuple[dict[str, str], list[Line]]:
    """The options at the beginning of a directive, `:name: value` or YAML between `---`, and the lines after them."""
    if body and body[0].text.strip() == "---":
        end = next((row for row, line in enumerate(body[1:], 1) if line.text.strip() == "---"), None)
        if end is not None:
            return {}, body[end + 1 :]
    options: dict[str, str] = {}
    row = 0
    while row < len(body) and (match := _OPTION.match(body[row].text)):
        options[match["name"]] = match["value"].strip()
        row += 1
    return options, body[row + 1 :] if row and row < len(body) and body[row].blank else body[row:]
