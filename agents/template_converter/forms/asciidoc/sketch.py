"""A page of AsciiDoc as a sketch in Markdown: enough to judge whether it instructs, without reading it whole."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from agents.template_converter.forms.asciidoc.antora import normal
from agents.template_converter.model import Tree
from shared_services.asciidoc.preprocess import is_underline

_MAX_FILES: Final = 100
_MAX_CHARACTERS: Final = 400_000
_INCLUDE = re.compile(r"^include::(?P<target>[^\[{}]+)\[")
_HEADING = re.compile(r"^(?P<marks>={1,6})[ \t]+(?P<title>\S.*)$")
_STYLE = re.compile(r"^\[(?P<style>[a-z]*)[^\],]*(?:,[ \t]*(?:language=)?\"?(?P<language>[\w+#.-]*))?[^\]]*\]$")
_DELIMITER = re.compile(r"^(?:-{4,}|\.{4,}|\+{4,}|/{4,}|```.*)$")
_NUMBERED = re.compile(r"^[ \t]*\.{1,5}[ \t]+(?=\S)")
_LEFT_OUT = re.compile(r"^(?::!?[\w-]+!?:|(?:ifdef|ifndef|ifeval|endif|include)::|//(?!/)|image::|\[)")
_NO_CODE = frozenset(
    {"plantuml", "mermaid", "ditaa", "graphviz", "d2", "stem", "latexmath", "asciimath", "pass", "comment", "verse"}
)


def sketch(tree: Tree, path: str) -> str:
    """Headings as `#`, listings as fences, numbered items as such, pages that it includes in their place."""
    return "\n".join(_rows(_lines(tree, path)))


def includes(tree: Tree, path: str) -> list[str]:
    """The AsciiDoc pages that a page includes by itself, each once, in order."""
    found: dict[str, None] = {}
    for row in tree.read_text(path).split("\n"):
        match = _INCLUDE.match(row)
        target = normal(f"{posixpath.dirname(path)}/{match['target']}") if match else None
        if target is not None and target in tree and target.endswith((".adoc", ".asciidoc")):
            found.setdefault(target)
    return list(found)


def _lines(tree: Tree, path: str) -> Iterator[str]:
    left = [_MAX_FILES, _MAX_CHARACTERS]

    def file(path: str, above: tuple[str, ...]) -> Iterator[str]:
        left[0] -= 1
        for row in tree.read_text(path).split("\n"):
            left[1] -= len(row) + 1
            if left[1] < 0:
                return
            match = _INCLUDE.match(row)
            target = normal(f"{posixpath.dirname(path)}/{match['target']}") if match else None
            page = target is not None and target.endswith((".adoc", ".asciidoc")) and target not in above
            if target is not None and page and target in tree and left[0] > 0:
                yield from file(target, (*above, target))
            else:
                yield row

    return file(path, (path,))


def _rows(lines: Iterator[str]) -> Iterator[str]:
    mark = style = language = before = ""
    shown = False
    for text in lines:
        row = text.rstrip()
        styled = None if mark else _STYLE.match(row)
        above, before = before, row
        if mark:
            closes = row == mark
            if shown:
                yield "```" if closes else row.replace("```", "'''")
            mark = "" if closes else mark
        elif _DELIMITER.match(row) and not is_underline(above, row):
            mark = "```" if row.startswith("```") else row
            shown = row[0] in "-.`" and style not in _NO_CODE
            if shown:
                yield f"```{row[3:] if row[0] == '`' else language}"
            style = language = ""
        elif styled:
            style, language = styled["style"], styled["language"] or ""
        elif match := _HEADING.match(row):
            yield f"{'#' * len(match['marks'])} {match['title']}"
            style = language = ""
        elif style == "source" and row:
            yield from (f"```{language}", row, "```")
            style = language = ""
        elif not _LEFT_OUT.match(row):
            yield _NUMBERED.sub("1. ", row)
            style = "" if not row else style
    if mark and shown:
        yield "```"
