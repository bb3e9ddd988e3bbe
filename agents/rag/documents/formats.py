"""Reads a document of any format that is taken into a title and Markdown, which is what is chunked, stored and cited.

Markdown stays as it is. Everything else is converted, with nothing run, fetched or included: what a converter may read is
the document's own bytes. A file that cannot be read is refused with a sentence.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from agents.rag.blocks import read_blocks, split_lines
from agents.rag.documents import notebooks, pandoc, pdf
from agents.rag.documents.errors import UnreadableError
from shared_services.asciidoc.alone import to_markdown
from shared_services.contracts.rag import DocumentFormat
from shared_services.kit.errors import BadInputError
from shared_services.library.form import parse_yaml

READING_VERSION = 1
"""Raised when the same bytes would be read into another text; documents read by an older one are read again when posted."""

MAX_DOCUMENT_BYTES = 20 * 1024 * 1024
MAX_TEXT_BYTES = 5 * 1024 * 1024
MAX_TITLE = 200
TOO_DEEP = "Its blocks are nested too deeply to be read."

SUFFIXES: Final[dict[str, DocumentFormat]] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".adoc": "asciidoc",
    ".asciidoc": "asciidoc",
    ".rst": "rst",
    ".rest": "rst",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".ipynb": "notebook",
    ".pdf": "pdf",
}

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML_FRONT_MATTER = re.compile(r"\A\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML_TITLE = re.compile(r"^title\s*=\s*([\"'])(.*)\1\s*$", re.MULTILINE)
_CHARSET = re.compile(
    rb"(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Reading:
    """A document as it was read."""

    format: DocumentFormat
    title: str
    text: str


def format_of(path: str) -> DocumentFormat | None:
    """The format that a file's name says; None for one that is not taken."""
    return SUFFIXES.get(PurePosixPath(path).suffix.lower())


def read_document(path: str, raw: bytes) -> Reading:
    """A document's title and text. Blocks, for seconds with some formats; call it from a worker thread.

    Raises:
        UnreadableError: It is of no known format, too large, damaged, or holds no text.
    """
    known = format_of(path)
    if known is None:
        raise UnreadableError(f"It is none of the formats that are taken ({', '.join(SUFFIXES)}).")
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise UnreadableError(f"It is larger than {MAX_DOCUMENT_BYTES >> 20} MiB. Split it.")
    try:
        return _read(known, path, raw)
    except RecursionError as error:
        raise UnreadableError(TOO_DEEP) from error


def _read(known: DocumentFormat, path: str, raw: bytes) -> Reading:
    title, text = _READERS[known](path, raw)
    if len(text.encode("utf-8")) > MAX_TEXT_BYTES:
        raise UnreadableError(f"Its text is longer than {MAX_TEXT_BYTES >> 20} MiB. Split it.")
    if not text.strip():
        raise UnreadableError("It holds no text.")
    return Reading(known, _line(title or title_of(text) or PurePosixPath(path).stem), text)


def title_of(text: str) -> str:
    """A Markdown text's title: of its front matter, else its first heading of the highest level; empty where it has none."""
    said = _front_matter_title(text)
    if said:
        return said
    headings = [block for block in read_blocks(without_front_matter(text)) if block.kind == "heading" and block.title.strip()]
    return min(headings, key=lambda block: block.level).title if headings else ""


def without_front_matter(text: str) -> str:
    """The text with blank lines in place of its front matter, so that every other line keeps its number."""
    match = _FRONT_MATTER.match(text) or _TOML_FRONT_MATTER.match(text)
    if match is None:
        return text
    return "\n" * len(split_lines(match[0])) + text[match.end() :]


def _front_matter_title(text: str) -> str:
    match = _FRONT_MATTER.match(text)
    if match is not None:
        try:
            title = parse_yaml(match[1].encode(), "").get("title")
        except BadInputError:
            return ""
        return title if isinstance(title, str) else ""
    match = _TOML_FRONT_MATTER.match(text)
    found = _TOML_TITLE.search(match[1]) if match is not None else None
    return found[2] if found else ""


def _line(title: str) -> str:
    return " ".join(title.split())[:MAX_TITLE]


def decoded(raw: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so by a byte order mark, which is left out.

    Raises:
        UnreadableError: It is neither, or not text at all.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if raw.startswith(mark)), (b"", "utf-8"))
    try:
        text = raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"It is not UTF-8 text (byte {error.start + len(mark)}). Save it as UTF-8.") from error
    if "\x00" in text:
        raise UnreadableError("It is binary: there are NUL characters in it.")
    return text


def _decoded_html(raw: bytes) -> str:
    """HTML says its encoding itself; a page that says nothing and is not UTF-8 is refused as any text."""
    try:
        return decoded(raw)
    except UnreadableError:
        said = _CHARSET.search(raw[:4096])
        if said is None or b"\x00" in raw:
            raise
        try:
            return raw.decode(said[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError) as error:
            raise UnreadableError(f"It is not the text that its charset {said[1].decode()!r} says. Save it as UTF-8.") from error


def _markdown(_path: str, raw: bytes) -> tuple[str, str]:
    return "", decoded(raw)


def _asciidoc(path: str, raw: bytes) -> tuple[str, str]:
    return to_markdown(decoded(raw), path)


def _rst(_path: str, raw: bytes) -> tuple[str, str]:
    return "", pandoc.rst_to_markdown(decoded(raw))


def _html(_path: str, raw: bytes) -> tuple[str, str]:
    return "", pandoc.html_to_markdown(_decoded_html(raw))


def _notebook(_path: str, raw: bytes) -> tuple[str, str]:
    return "", notebooks.to_markdown(decoded(raw))


def _pdf(path: str, raw: bytes) -> tuple[str, str]:
    return pdf.to_markdown(raw, PurePosixPath(path).stem)


_READERS: Final[dict[DocumentFormat, Callable[[str, bytes], tuple[str, str]]]] = {
    "markdown": _markdown,
    "asciidoc": _asciidoc,
    "rst": _rst,
    "html": _html,
    "notebook": _notebook,
    "pdf": _pdf,
}
