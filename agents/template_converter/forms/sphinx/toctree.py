"""Toctrees of pages: where they stand, what they are called and which entries they list."""

import re
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import Line, indentation
from agents.template_converter.forms.sphinx.fencing import fence_end

_RST = re.compile(r"^(?P<indent>[ \t]*)\.\.[ \t]+toctree::[ \t]*$")
_MYST = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,}|:{3,})[ \t]*\{toctree\}[ \t]*$")
_RST_CODE = re.compile(r"^[ \t]*\.\.[ \t]+(?:code-block|code|sourcecode|parsed-literal)::")
_FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_RST_FENCE = re.compile(r"^\{(?!code|sourcecode|parsed-literal|literalinclude)")
_OPTION = re.compile(r"^[ \t]*:(?P<name>[\w-]+):[ \t]*(?P<value>(?:.*[^ \t])?)[ \t]*+$")
_TITLED = re.compile(r"^(?P<title>.*?\S)\s*+(?<!\\)<(?P<target>[^<>]+)>$")


@dataclass(frozen=True)
class Entry:
    """A line of a toctree: what it names, and the title that it gives."""

    target: str
    title: str
    line: Line


@dataclass
class Toctree:
    """A toctree; rows `[first, end)` of its page are its own."""

    first: int
    end: int
    options: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    @property
    def caption(self) -> str:
        """Its heading in the navigation."""
        return " ".join(self.options.get("caption", "").split())

    @property
    def shown(self) -> bool:
        """Whether the page shows it."""
        return "hidden" not in self.options


def toctrees(lines: list[Line], *, markdown: bool = False) -> list[Toctree]:
    """The toctrees of a page, in order, in reStructuredText or in MyST."""
    found: list[Toctree] = []
    row = 0
    while row < len(lines):
        rst, myst = _RST.match(lines[row].text), _MYST.match(lines[row].text)
        shown = None if rst or myst else _end_of_code(lines, row, markdown=markdown)
        if shown is not None:
            row = shown
            continue
        if rst:
            end = _block_end(lines, row, indentation(lines[row].text))
            found.append(_read(Toctree(row, end), lines[row + 1 : end]))
        elif myst:
            end = fence_end(lines, row, myst["mark"])
            found.append(_read(Toctree(row, min(end + 1, len(lines))), _plain_options(lines[row + 1 : end])))
        row = found[-1].end if rst or myst else row + 1
    return found


def _end_of_code(lines: list[Line], row: int, *, markdown: bool) -> int | None:
    """The row after a block of code that begins at `row`, in which a toctree is an example; None where none begins."""
    line = lines[row].text
    if markdown:
        fence = _FENCE.match(line)
        shown = fence is not None and not _RST_FENCE.match(fence["info"])
        return min(fence_end(lines, row, fence["mark"]) + 1, len(lines)) if fence is not None and shown else None
    if _RST_CODE.match(line) or (line.rstrip().endswith("::") and not line.lstrip().startswith(".. ")):
        return max(_block_end(lines, row, indentation(line)), row + 1)
    return None


def _block_end(lines: list[Line], row: int, columns: int) -> int:
    end = row + 1
    while end < len(lines) and (lines[end].blank or indentation(lines[end].text) > columns):
        end += 1
    while end > row + 1 and lines[end - 1].blank:
        end -= 1
    return end


def _plain_options(lines: list[Line]) -> list[Line]:
    """Options between `---`, as MyST also takes them, written with colons."""
    if not lines or lines[0].text.strip() != "---":
        return lines
    out: list[Line] = []
    for at, line in enumerate(lines[1:], 1):
        if line.text.strip() == "---":
            return [*out, line.made(""), *lines[at + 1 :]]
        name, _, value = line.text.partition(":")
        out.append(line.with_text(f":{name.strip()}: {value.strip()}"))
    return lines


def _read(tree: Toctree, lines: list[Line]) -> Toctree:
    reading_options = True
    for line in lines:
        option = _OPTION.match(line.text) if reading_options else None
        text = line.text.strip()
        if option:
            tree.options[option["name"].lower()] = option["value"]
        elif text and not text.startswith((".. ", "% ")):
            reading_options = False
            titled = _TITLED.match(text)
            tree.entries.append(
                Entry(titled["target"].strip(), titled["title"].strip(), line) if titled else Entry(text, "", line)
            )
    return tree
