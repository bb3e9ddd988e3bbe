"""MyST Markdown into CommonMark: its directives and roles become what those of reStructuredText become."""

import re
from dataclasses import dataclass, field
from html import escape as html_escape
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList

from agents.template_converter.forms.lines import Line, dedented, indentation, lines_of
from agents.template_converter.forms.sphinx import handlers, references
from agents.template_converter.forms.sphinx.code import code_of
from agents.template_converter.forms.sphinx.directives import Call
from agents.template_converter.forms.sphinx.elements import Raw, Reading
from agents.template_converter.forms.sphinx.fencing import fence_end
from agents.template_converter.forms.sphinx.including import find_file
from agents.template_converter.forms.sphinx.labels import normalized
from agents.template_converter.forms.sphinx.reader import read_rst
from agents.template_converter.forms.sphinx.roles import role_node
from agents.template_converter.forms.sphinx.selecting import SelectionError, select
from agents.template_converter.forms.sphinx.writer import Writer

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,}|:{3,})[ \t]*+(?P<info>(?:.*[^ \t])?)[ \t]*+$")
_DIRECTIVE = re.compile(r"^\{(?P<name>[\w:.+-]+)\}[ \t]*(?P<argument>.*)$")
_OPTION = re.compile(r"^[ \t]*:(?P<name>[\w-]+):(?:[ \t]+(?P<value>.*))?$")
_LABEL = re.compile(r"^\((?P<name>[^()\s][^()]*)\)=[ \t]*$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_INLINE = re.compile(
    r"\{(?P<role>[\w:.+-]+)\}(?P<ticks>`++)(?P<text>(?:(?!(?P=ticks)).)+?)(?P=ticks)(?!`)"
    r"|(?<!`)(?P<code>`++)(?:(?!(?P=code)).)+(?P=code)"
    r"|(?P<image>!?)\[(?P<words>[^\[\]]{0,500})\]\((?P<target>[^()\s]{1,500})\)"
    r"|<project:(?P<project>[^<>\s]+)>"
    r"|\{\{[ ]*(?P<name>[\w.-]+)[ ]*\}\}"
)
_AS_RST = frozenset({"list-table", "csv-table", "eval-rst", "table", "flat-table"})
_MAX_DEPTH = 25
_MAX_LINES = 100_000


class MystCall(Call):
    """A directive in MyST: its content is MyST."""

    convert: Any = None

    def parse(self, content: StringList | None = None, offset: int | None = None) -> list[nodes.Node]:
        """The content as lines."""
        del offset
        rows = self.content if content is None else content
        lines = [Line(str(text), str(source), int(row) + 1) for text, (source, row) in zip(rows, rows.items, strict=True)]
        columns = min((indentation(line.text) for line in lines if not line.blank), default=0)
        if 0 < columns < 4:
            lines = [line.with_text(dedented(line.text, columns)) for line in lines]
        return [Raw(lines=self.convert(lines))] if lines else []

    def inline(self, text: str) -> list[nodes.Node]:
        """Inline markup, which is Markdown."""
        return [nodes.raw("", self.convert([Line(text, self.file, self.line)])[0].text, format="markdown")] if text else []


@dataclass
class MystReader:
    """Reads the MyST of one page."""

    reading: Reading
    substitutions: dict[str, str] = field(default_factory=dict)
    level: int = 1
    depth: int = 0
    above: tuple[str, ...] = ()

    def convert(self, lines: list[Line]) -> list[Line]:
        """The lines as CommonMark."""
        out: list[Line] = []
        waiting: list[str] = []
        row = 0
        while row < len(lines):
            line = lines[row]
            match = _FENCE.match(line.text)
            if match and (match["mark"][0] == ":" or "`" not in match["info"] or match["mark"][0] == "~"):
                end = fence_end(lines, row, match["mark"])
                out += _spaced(out, self._fence(lines[row : end + 1], match, closed=end < len(lines)))
                row = end + 1
                continue
            label = _LABEL.match(line.text)
            if label:
                waiting.append(label["name"])
            elif line.text.startswith("% ") or line.text.strip() in ("%", "+++"):
                pass
            else:
                out.append(self._plain(line, waiting))
            row += 1
        return out

    def _plain(self, line: Line, waiting: list[str]) -> Line:
        text = line.text if line.text.startswith("    ") else _INLINE.sub(lambda match: self._inline(match, line), line.text)
        heading = _HEADING.match(text)
        if heading:
            self.level = len(heading[1])
        if waiting and not line.blank:
            marks = "".join(f'<a id="{html_escape(references.fragment_of(normalized(name)))}"></a>' for name in waiting)
            at = heading.end() if heading else len(text) - len(text.lstrip())
            if heading or not text.lstrip().startswith(("-", "*", "|", ">", "$", "1")):
                text = text[:at] + marks + text[at:]
            waiting.clear()
        return line if text == line.text else line.with_text(text)

    def _fence(self, block: list[Line], match: re.Match[str], *, closed: bool) -> list[Line]:
        columns = indentation(match["indent"])
        directive = _DIRECTIVE.match(match["info"])
        body = block[1:-1] if closed else block[1:]
        if directive is None:
            if match["mark"][0] == ":":
                # A plain `:::` or one with a name: its content counts.
                inner = self.convert([line.with_text(dedented(line.text, columns)) for line in body])
                return [line.with_text(match["indent"] + line.text if line.text else "") for line in inner]
            return block
        body = [line.with_text(dedented(line.text, columns)) for line in body]
        if self.depth > _MAX_DEPTH:
            self.reading.findings.lose(
                "macro", block[0].file, block[0].number, "Directives are nested too deep; this one is left out."
            )
            return []
        inner_reader = MystReader(self.reading, self.substitutions, self.level, self.depth + 1, self.above)
        made = inner_reader.directive(directive["name"].lower(), directive["argument"], body, block[0])
        return [line.with_text(match["indent"] + line.text if line.text else "") for line in made]

    def directive(self, name: str, argument: str, body: list[Line], opening: Line) -> list[Line]:
        """One directive as lines."""
        if name in _AS_RST:
            return self._as_rst(name, argument, body, opening)
        options, body, gap = _options(body)
        if name == "include":
            return self._include(argument.strip(), options, opening)
        content = StringList([line.text for line in body], items=[(line.file, line.number - 1) for line in body])
        call = MystCall(
            name, argument.strip(), options, content, 0, opening.file, opening.number, None, self.reading,  # type: ignore[arg-type]
            [(line.file, line.number - 1) for line in body], gap=gap,
        )  # fmt: skip
        call.convert = self.convert
        self.reading.depth += 1
        try:
            made = handlers.HANDLERS.get(name, handlers.unknown)(call)
        finally:
            self.reading.depth -= 1
        writer = Writer(self.reading, level=self.level)
        writer.place = (opening.file, opening.number)
        return writer.blocks(made)

    def _as_rst(self, name: str, argument: str, body: list[Line], opening: Line) -> list[Line]:
        """A block that is reStructuredText, or a table that its directive reads best; lines keep their numbers."""
        blank = opening.made("")
        if name == "eval-rst":
            rows = [blank] * opening.number + body
        else:
            at = next((row for row, line in enumerate(body) if not _OPTION.match(line.text)), len(body))
            rows = [blank] * (opening.number - 1) + [opening.with_text(f".. {name}:: {argument}")]
            rows += [line.with_text(f"   {line.text}") for line in body[:at]]
            content = [line.with_text(f"   {_as_rst(line.text)}" if line.text else "") for line in body[at:]]
            # Options end at a blank line there; where there is none, what follows stands a line lower.
            rows += ([blank] if at and content and content[0].text else []) + content
        reading = Reading(self.reading.site, self.reading.page, depth=self.reading.depth + 1)
        return read_rst(reading, rows, self.convert)

    def _include(self, target: str, options: dict[str, str], opening: Line) -> list[Line]:
        reading = self.reading
        path = find_file(reading, target, opening.file)
        if path is None:
            reading.findings.miss("include", opening.file, opening.number, target, "There is no such file to draw in.")
            return []
        if path in self.above or path == reading.page or len(self.above) > 20:
            said = "The files draw each other in without end; this one is left out."
            reading.findings.miss("include", opening.file, opening.number, target, said)
            return []
        try:
            lines = select(lines_of(reading.site.tree.read_text(path), path), options)
        except SelectionError as error:
            reading.findings.miss("include", opening.file, opening.number, target, f"`{path}` cannot be drawn in: {error}")
            return []
        reading.findings.included.add(path)
        reading.drawn += len(lines)
        if reading.drawn > _MAX_LINES:
            reading.findings.miss(
                "include",
                opening.file,
                opening.number,
                target,
                f"More than {_MAX_LINES} lines are drawn in; this file is left out.",
            )
            return []
        if "literal" in options or "code" in options:
            return Writer(reading).code(code_of(lines, options.get("code", ""), ""))
        if path.endswith(".rst"):
            return read_rst(Reading(reading.site, path), lines, self.convert)
        return MystReader(reading, self.substitutions, self.level, self.depth, (*self.above, path)).convert(lines)

    def _inline(self, match: re.Match[str], line: Line) -> str:
        if match["role"]:
            node = role_node(self.reading, match["role"].lower(), match["text"].strip(), line.file, line.number)
            return Writer(self.reading).inline.write([node])
        if match["name"]:
            return self.substitutions.get(match["name"], match[0])
        if match["project"]:
            target = match["project"]
            return self._linked(target, "", line) or f"<{target}>"
        if match["target"] and not match["image"]:
            return self._linked(match["target"], match["words"], line) or match[0]
        return match[0]

    def _linked(self, target: str, words: str, line: Line) -> str:
        """A link whose target is a page without its ending, or a label; empty where it is neither."""
        if re.match(r"^(?:[A-Za-z][\w+.-]*:|//)", target):
            return ""
        path, _, fragment = target.partition("#")
        site = self.reading.site
        label = site.label(fragment) if fragment and not path else site.label(target)
        if label is not None:
            shown = words or label.title or target
            return f"[{shown}]({references.address(label.page, references.fragment_of(normalized(fragment or target)))})"
        page = site.document(path, self.reading.page) if path else None
        if page is None:
            return ""
        shown = words or site.title_of(page)
        del line
        return f"[{shown}]({references.address(page, fragment)})"


def _as_rst(text: str) -> str:
    """A line of MyST with its roles and links as reStructuredText writes them."""
    text = re.sub(r"\{([\w:.+-]+)\}`([^`]*)`", r":\1:`\2`", text)
    return re.sub(r"(?<!!)\[([^\[\]`]+)\]\(([^()\s]+)\)", r"`\1 <\2>`__", text)


def _options(body: list[Line]) -> tuple[dict[str, str], list[Line], bool]:
    """Options at the head of a directive's content, the content, and whether something stood before it."""
    options: dict[str, str] = {}
    at = 0
    if body and body[0].text.strip() == "---":
        end = next((row for row in range(1, len(body)) if body[row].text.strip() == "---"), 0)
        for line in body[1:end]:
            name, colon, value = line.text.partition(":")
            if colon:
                options[name.strip().lower()] = value.strip().strip("\"'")
        at = end + 1 if end else 0
    while at < len(body) and (match := _OPTION.match(body[at].text)):
        options[match["name"].lower()] = (match["value"] or "").strip()
        at += 1
    gap = at > 0
    while at < len(body) and body[at].blank:
        at, gap = at + 1, True
    return options, body[at:], gap


def _spaced(out: list[Line], made: list[Line]) -> list[Line]:
    """Blocks that were written anew, with a blank line before and after them."""
    if not made:
        return made
    before = [made[0].made("")] if out and not out[-1].blank and not made[0].text.lstrip().startswith(("```", "~~~")) else []
    after = [] if made[-1].text.lstrip().startswith(("```", "~~~")) else [made[-1].made("")]
    return [*before, *made, *after]
