"""Includes, conditionals and attribute entries: from files to one run of lines.

What AsciiDoc's own reader does before it looks at blocks. Nothing is fetched; a file is included only if the tree
holds it. An include that cannot be resolved, or that includes itself, is reported as broken and leaves no text.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared_services.asciidoc.attrlist import parse_values
from shared_services.asciidoc.lines import MAX_VALUE, Line, expand, undefined_names
from shared_services.asciidoc.regions import select
from shared_services.contracts.conversion import Broken, Loss

MAX_DEPTH: Final = 40
MAX_LINES: Final = 100_000
MAX_READ: Final = 200_000
MAX_ENTRIES: Final = 3_000
MAX_INCLUDES: Final = 1_000

_ENTRY = re.compile(r"^:(!?[A-Za-z0-9_][\w-]*!?):(?:[ \t]+(.*))?$")
_CONDITIONAL = re.compile(r"^(\\)?(ifdef|ifndef|ifeval|endif)::([^\s\[]*+)\[(.*)\]\s*+$")
_INCLUDE = re.compile(r"^(\\)?include::([^\s\[](?:[^\[]*[^\s\[])?)\[(.*)\]\s*$")
_VERBATIM = re.compile(r"^(-{4,}+|\.{4,}+|\+{4,}+|/{4,}+|```)\S*+\s*+$")
_VERBATIM_STYLE = re.compile(
    r"^\[(?:(?:source|listing|literal|pass|verse|stem|latexmath|asciimath)(?:[,%#.][^\]]*)?|,[ \t]*[^\],\s][^\]]*)\]$"
)
_OPENS_CONTAINER = re.compile(r"^(?:={4,}|\*{4,}|_{4,}|--|[|,:!]={3,})$")
_ABOVE = re.compile(r"^(?:\.[^\s.].*|\[.*\]|//(?!/).*)$")
_SECTION = re.compile(r"^(={1,6}|#{1,6})([ \t]+\S.*)$")
_COMPARISON = re.compile(r"^\s*+((?:.*?\S)??)\s*+(==|!=|<=|>=|<|>)\s*+((?:.*\S)?)\s*+$")


class Files(Protocol):
    """Where the text of pages and of what they include comes from."""

    def text(self, path: str) -> str:
        """The text of a file that `resolve` named."""
        ...

    def resolve(self, target: str, page: str, from_file: str) -> str | None:
        """The file that an include means; None where there is none."""
        ...


@dataclass
class Findings:
    """What was lost and what was broken, each said once."""

    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    _said: set[tuple[str, ...]] = field(default_factory=set)

    def lose(self, kind: str, line: Line, detail: str) -> None:
        """Report something that does not come through."""
        self.lose_at(kind, line.file, line.number, detail)

    def lose_at(self, kind: str, file: str, number: int, detail: str) -> None:
        """Report a loss at a place that is no line of a page (line 0: the whole file)."""
        key = ("loss", kind, file, str(number), detail)
        if key not in self._said:
            self._said.add(key)
            self.losses.append(Loss(kind=kind, source=file, line=number, detail=detail))

    def break_(self, kind: str, line: Line, target: str, detail: str) -> None:
        """Report something that the source itself has broken."""
        self.break_at(kind, line.file, line.number, target, detail)

    def break_at(self, kind: str, file: str, number: int, target: str, detail: str) -> None:
        """Report something broken at a place that is no line of a page."""
        key = ("broken", kind, file, str(number), target)
        if key not in self._said:
            self._said.add(key)
            self.broken.append(Broken(kind=kind, source=file, line=number, target=target, detail=detail))


@dataclass
class Preprocessor:
    """Reads one page.

    Attributes:
        files: Where includes come from.
        findings: Takes what is lost or broken.
        attributes: As they stand; replaced, never changed, so that lines may share them.
        locked: Names that the page may not set, because the site has the last word.
        page: The page being read: relative resources are sought from it.
        hidden: Conditions that do not hold, as they are written, and how many lines of text each hides.
    """

    files: Files
    findings: Findings
    attributes: Mapping[str, str]
    locked: frozenset[str]
    page: str
    lines: list[Line] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    _verbatim: str | None = None
    _entries: int = 0
    _includes: int = 0
    _read: int = 0
    _offset: int = 0
    _header: bool = True
    _styled: bool = False
    _paragraph: bool = False

    def read(self) -> list[Line]:
        """The page's lines, conditionals and includes resolved.

        Raises:
            KeyError: The tree does not hold the page.
        """
        source = self.files.text(self.page).split("\n")
        self._take([(number, text.rstrip()) for number, text in enumerate(source, 1)], self.page, (self.page,))
        return self.lines

    def _take(self, rows: list[tuple[int, str]], file: str, stack: tuple[str, ...]) -> None:
        skipping: list[bool] = []
        condition = ""
        position = 0
        while position < len(rows):
            number, text = rows[position]
            position += 1
            self._read += 1
            if len(self.lines) >= MAX_LINES or self._read > MAX_READ:
                self.findings.lose_at("page", self.page, 0, f"The page grew past {MAX_LINES} lines; the rest was left out.")
                return
            conditional = _CONDITIONAL.match(text) if "::" in text else None
            if conditional and not conditional[1]:
                condition = condition if any(skipping) else text
                self._conditional(conditional, skipping, file, number)
                continue
            if any(skipping):
                self.hidden[condition] += bool(text) and not text.startswith("//") and not _ENTRY.match(text)
                continue
            position += self._line(rows, position, Line(text, file, number, self.attributes), stack)

    def _line(self, rows: list[tuple[int, str]], position: int, line: Line, stack: tuple[str, ...]) -> int:
        """Take one line; the number of further rows it used up."""
        text = line.text
        include = _INCLUDE.match(text) if "include::" in text else None
        if include and self._verbatim != "/":
            if include[1]:
                self._emit(line.with_text(text[1:]))
            else:
                self._include(include, line, stack)
            return 0
        if text.startswith(("\\if", "\\endif")) and _CONDITIONAL.match(text):
            self._emit(line.with_text(text[1:]))
            return 0
        entry = _ENTRY.match(text) if text.startswith(":") and self._verbatim is None and self._may_be_entry() else None
        if entry:
            used, value = _entry_value(entry[2] or "", rows, position)
            self._set(entry[1], value, line)
            return used
        self._emit(line)
        return 0

    def _may_be_entry(self) -> bool:
        last = self.lines[-1].text if self.lines else ""
        return (
            self._header
            or not last
            or last.startswith(("[", "=", "//", "|", "'''", "--", "****", "____"))
            or last == "+"
            or bool(_VERBATIM.match(last))
        )

    def _emit(self, line: Line) -> None:
        previous = self.lines[-1].text if self.lines else ""
        mark = None if self._in_verbatim_paragraph(line.text) else _VERBATIM.match(line.text)
        if mark and (self._verbatim is not None or not is_underline(previous, line.text)):
            kind = "/" if mark[1].startswith("/") else mark[1]
            delimiter = mark[1]
            if self._verbatim is None:
                self._verbatim = kind if kind == "/" else delimiter
            elif self._verbatim == (kind if kind == "/" else line.text.strip()):
                self._verbatim = None
        elif self._verbatim is None:
            section = _SECTION.match(line.text)
            if section and self._offset:
                count = max(1, min(6, len(section[1]) + self._offset))
                line = line.with_text(section[1][0] * count + section[2])
            if not line.text and any(row.text for row in self.lines):
                self._header = False
        self.lines.append(Line(line.text, line.file, line.number, self.attributes))

    def _in_verbatim_paragraph(self, text: str) -> bool:
        """Whether a line stands in a paragraph that `[source]` or its like made verbatim, where a row of dashes is text."""
        if self._verbatim is not None:
            return False
        if not text:
            self._paragraph = False
        elif self._paragraph:
            return text != "+"
        elif _VERBATIM_STYLE.match(text):
            self._styled = True
        elif self._styled and not _ABOVE.match(text):
            self._styled = False
            self._paragraph = not _VERBATIM.match(text) and not _OPENS_CONTAINER.match(text)
            return self._paragraph
        return False

    def _set(self, name: str, value: str | None, line: Line) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            self.findings.lose("attribute", line, f"More than {MAX_ENTRIES} attribute entries; this one was passed over.")
            return
        unset = name.startswith("!") or name.endswith("!")
        name = name.strip("!").lower()
        if name == "leveloffset":
            self._level_offset(None if unset else value)
            return
        if name in self.locked:
            return
        if unset:
            self.attributes = {key: kept for key, kept in self.attributes.items() if key != name}
            return
        text = expand(value or "", self.attributes)
        passed = re.fullmatch(r"pass:([a-z,]*)\[(.*)\]", text, re.DOTALL)
        if passed:
            text = passed[2]
        if text.endswith("@"):
            text = text[:-1]
            if name in self.attributes:
                return
        if len(text) > MAX_VALUE:
            self.findings.lose("attribute", line, f"The value of `{name}` is longer than {MAX_VALUE} characters and was cut.")
            text = text[:MAX_VALUE]
        self.attributes = {**self.attributes, name: text}

    def _level_offset(self, value: str | None) -> None:
        text = (value or "0").strip()
        try:
            self._offset = self._offset + int(text) if text[:1] in "+-" else int(text)
        except ValueError:
            self._offset = 0

    def _conditional(self, match: re.Match[str], skipping: list[bool], file: str, number: int) -> None:
        _, word, target, content = match.groups()
        if word == "endif":
            if skipping:
                skipping.pop()
            return
        if any(skipping):
            if word == "ifeval" or not content:
                skipping.append(True)
            return
        if word == "ifeval":
            skipping.append(not self._evaluate(content, Line(match.group(), file, number, self.attributes)))
            return
        holds = self._defined(target) is (word == "ifdef")
        if not content:
            skipping.append(not holds)
        elif holds:
            self._line([], 0, Line(content.rstrip(), file, number, self.attributes), (file,))

    def _defined(self, target: str) -> bool:
        if "+" in target:
            return all(name.lower() in self.attributes for name in target.split("+"))
        return any(name.lower() in self.attributes for name in target.split(","))

    def _evaluate(self, expression: str, line: Line) -> bool:
        match = _COMPARISON.match(expression)
        if not match:
            self.findings.lose("macro", line, "The condition could not be read, so what it guards was left out.")
            return False
        left, right = (_operand(match[index], self.attributes) for index in (1, 3))
        return _compare(left, match[2], right)

    def _include(self, match: re.Match[str], line: Line, stack: tuple[str, ...]) -> None:
        target = expand(match[2], self.attributes)
        positional, named = parse_values(expand(match[3], self.attributes))
        optional = "optional" in (named.get("opts", "") + named.get("options", "")) or "%optional" in positional
        unknown = undefined_names(target, self.attributes)
        if target.startswith(("http://", "https://")):
            self.findings.lose("include", line, f"`{target}` is included from elsewhere and was not fetched.")
            return
        path = None if unknown else self.files.resolve(target, self.page, line.file)
        if path is None:
            if not optional:
                why = f"nobody sets `{unknown[0]}`" if unknown else "there is no such file"
                self.findings.break_("include", line, target, f"The page includes it, but {why}.")
            return
        if path in stack or len(stack) >= MAX_DEPTH:
            self.findings.break_("include", line, target, "It includes itself; the circle was cut here.")
            return
        self._includes += 1
        if self._includes > MAX_INCLUDES:
            self.findings.lose("include", line, f"The page includes more than {MAX_INCLUDES} files; this one was left out.")
            return
        rows, missing = select(self.files.text(path), named)
        for tag in missing:
            self.findings.break_("include", line, f"{target}[tag={tag}]", "The file is there, the tag is not.")
        kept = self._offset
        if "leveloffset" in named:
            self._level_offset(named["leveloffset"])
        self._take(rows, path, (*stack, path))
        self._offset = kept


def is_underline(previous: str, line: str) -> bool:
    """Whether `line` underlines `previous` as a two-line section title, rather than opening a block."""
    return (
        bool(re.fullmatch(r"={2,}|-{2,}|~{2,}|\^{2,}", line))
        and abs(len(previous) - len(line)) <= 1
        and bool(re.match(r"[^\W_]", previous))
        and not previous.endswith(("::", "]"))
    )


def _entry_value(first: str, rows: list[tuple[int, str]], position: int) -> tuple[int, str]:
    """An entry's value with the lines that it continues on (a backslash or the older plus), and how many those are."""
    used = 0
    value = first
    while re.search(r" [\\+]$", value) and position + used < len(rows):
        hard = value.endswith(" + \\")
        value = re.sub(r" (?:\+ )?[\\+]$", " +\n" if hard else " ", value) + rows[position + used][1].strip()
        used += 1
    return used, value.strip()


def _operand(text: str, attributes: Mapping[str, str]) -> str | float | bool | None:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    value = expand(text[1:-1] if quoted else text, attributes, lambda _name, _at: "")
    if quoted:
        return value
    if value in ("", "nil"):
        return None
    if value in ("true", "false"):
        return value == "true"
    try:
        return float(value)
    except ValueError:
        return value


def _compare(left: str | float | bool | None, operator: str, right: str | float | bool | None) -> bool:
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    tests: dict[str, Callable[[float | str, float | str], bool]] = {
        "<": lambda a, b: a < b,  # type: ignore[operator]
        ">": lambda a, b: a > b,  # type: ignore[operator]
        "<=": lambda a, b: a <= b,  # type: ignore[operator]
        ">=": lambda a, b: a >= b,  # type: ignore[operator]
    }
    if left is None or right is None or isinstance(left, str) is not isinstance(right, str):
        return False
    return tests[operator](left, right)
