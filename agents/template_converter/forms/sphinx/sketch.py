"""A page of reStructuredText or MyST as a sketch in Markdown: enough to judge whether it instructs, without reading it whole."""

import re

from agents.template_converter.forms.lines import Line, dedented, indentation
from agents.template_converter.forms.sphinx.fencing import fence_end
from agents.template_converter.forms.sphinx.labels import rst_titles

_CODE = re.compile(
    r"^[ \t]*\.\.[ \t]+(?:code-block|code|sourcecode|prompt|literalinclude|parsed-literal)::[ \t]*(?P<language>[\w+#.-]*)"
)
_HIGHLIGHT = re.compile(r"^[ \t]*\.\.[ \t]+highlight::[ \t]*(?P<language>[\w+#.-]*)")
_MYST_CODE = re.compile(
    r"^(?P<head>[ \t]*(?:`{3,}|~{3,}))\{(?:code-block|code|code-cell|sourcecode|prompt)\}[ \t]*(?P<language>[\w+#.-]*)"
)
_MYST_OTHER = re.compile(r"^[ \t]*(?:`{3,}|~{3,}|:{3,})[ \t]*\{")
_ENUMERATED = re.compile(r"^[ \t]*#\.[ \t]+\S")


def sketch_rst(lines: list[Line], language: str = "") -> str:
    """Headings as `#`, code as fences, automatic numbers as numbers."""
    titles = dict(rst_titles(lines))
    out: list[str] = []
    for row, line in enumerate(lines):
        code, highlight = _CODE.match(line.text), _HIGHLIGHT.match(line.text)
        if row in titles:
            out += [f"{'#' if not out else '##'} {titles[row]}", ""]
        elif highlight:
            language = highlight["language"]
        elif code:
            out += [f"```{code['language'] or language}", "```"]
        elif line.text.rstrip().endswith("::") and _indented_below(lines, row) and not line.text.lstrip().startswith(".. "):
            out += [line.text, f"```{language}", "```"]
        elif _ENUMERATED.match(line.text):
            out.append(re.sub(r"#\.", "1.", line.text, count=1))
        elif not line.text.lstrip().startswith((".. ", "```", "~~~")):
            out.append(line.text)
    return "\n".join(out)


def sketch_myst(lines: list[Line]) -> str:
    """Directives of code as plain fences."""
    out = []
    for line in lines:
        code = _MYST_CODE.match(line.text)
        out.append(f"{code['head']}{code['language']}" if code else "" if _MYST_OTHER.match(line.text) else line.text)
    return "\n".join(out)


def _indented_below(lines: list[Line], row: int) -> bool:
    below = next((line for line in lines[row + 1 : row + 4] if not line.blank), None)
    return below is not None and indentation(below.text) > indentation(lines[row].text)


def count_rst(lines: list[Line]) -> int:
    """Blocks of code of a page by their marks alone: what its steps are held against."""
    count = row = 0
    while row < len(lines):
        text = lines[row].text
        below = _indented_below(lines, row)
        if _SHOWN.match(text) or (below and (_WRITTEN.match(text) or _PROSE_LITERAL.match(text))):
            count += 1
            row = _after(lines, row)
        elif _COMMENT.match(text):
            row = _after(lines, row)
        elif text.lstrip().startswith(">>> ") and (row == 0 or lines[row - 1].blank):
            count += 1
            while row < len(lines) and not lines[row].blank:
                row += 1
        else:
            row += 1
    return count


def count_myst(lines: list[Line]) -> int:
    """The same of a page of MyST."""
    count = row = 0
    while row < len(lines):
        fence = _ANY_FENCE.match(lines[row].text)
        name = re.match(r"\{([\w:.+-]+)\}", fence["info"]) if fence else None
        if fence is None or (fence["mark"][0] == "`" and "`" in fence["info"]) or (fence["mark"][0] == ":" and name is None):
            row += 1
            continue
        end = fence_end(lines, row, fence["mark"])
        if name is None or re.fullmatch(f"{_WRITES}|{_SHOWS}", name[1]):
            count += 1
        elif name[1] == "eval-rst":
            count += count_rst(lines[row + 1 : end])
        else:
            columns = indentation(lines[row].text)
            count += count_myst([line.with_text(dedented(line.text, columns)) for line in lines[row + 1 : end]])
        row = end + 1
    return count


_WRITES = "code-block|code|sourcecode|prompt|parsed-literal|code-cell|code-tab|mermaid|math|testcode|testoutput|doctest"
_SHOWS = "literalinclude|command-output|program-output"
_WRITTEN = re.compile(rf"^[ \t]*\.\.[ \t]+(?:{_WRITES})::")
_SHOWN = re.compile(rf"^[ \t]*\.\.[ \t]+(?:{_SHOWS})::")
_PROSE_LITERAL = re.compile(r"^(?![ \t]*\.\.[ \t]).*::[ \t]*$")
_COMMENT = re.compile(r"^[ \t]*\.\.(?:[ \t]+(?!_|\||\[|[\w:+.-]+::).*)?$")
_ANY_FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,}|:{3,})[ \t]*+(?P<info>(?:.*[^ \t])?)[ \t]*+$")


def _after(lines: list[Line], row: int) -> int:
    """The row after a block that is indented more than its first line."""
    columns = indentation(lines[row].text)
    end = row + 1
    while end < len(lines) and (lines[end].blank or indentation(lines[end].text) > columns):
        end += 1
    return end
