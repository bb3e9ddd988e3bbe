"""One AsciiDoc document that stands by itself, as CommonMark: nothing is included, links lead where the author wrote."""

from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.pages import read_page
from shared_services.asciidoc.preprocess import Findings, Preprocessor
from shared_services.asciidoc.writer import Writer, content


class _OneFile:
    """The document alone; what it includes is not there."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self, _path: str) -> str:
        return self._text

    def resolve(self, _target: str, _page: str, _from_file: str) -> str | None:
        return None


class _AsWritten:
    """Targets as they stand in the document."""

    def link(self, target: str, _line: Line) -> str | None:
        return target

    def xref(self, target: str, _line: Line) -> tuple[str | None, str]:
        return f"#{target.removeprefix('#')}", target

    def image(self, target: str, _line: Line) -> str | None:
        return target

    def variable(self, name: str, _line: Line) -> str:
        return f"{{{name}}}"

    def lose(self, kind: str, line: Line, detail: str) -> None:
        """Nobody reads a report of a document that is only searched."""


def to_markdown(text: str, path: str) -> tuple[str, str]:
    """A document's title (empty where it has none) and its text as CommonMark, the title on top."""
    lines = Preprocessor(_OneFile(text), Findings(), {}, frozenset(), path).read()
    page = read_page(path, lines, _AsWritten())
    return page.title, content(Writer(_AsWritten()).page(page.blocks))
