"""The text of a PDF as Markdown, a heading a page. The reader runs in a process of its own with limits of time and memory: a PDF
is a program of sorts, and a hostile one can keep a reader busy for ever.
"""

import json
import re
import subprocess
import sys
from typing import Any

from agents.rag.documents.errors import UnreadableError

SECONDS = 120.0
MAX_PAGES = 2_000
MEMORY = 2 * 1024 * 1024 * 1024

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"^(?=#{1,6}(?:\s|$)|>|[-+*](?:\s|$)[-+*\s]*$|`{3}|~{3}|={2,}\s*$|-{2,}\s*$|<)")


def to_markdown(raw: bytes, name: str) -> tuple[str, str]:
    """Title and text of a PDF; `name` is its title where it has none of its own.

    Raises:
        UnreadableError: It is damaged, encrypted, too long, or holds no text.
    """
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=raw, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"The PDF could not be read within {SECONDS:.0f} seconds. Split it.") from error
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise UnreadableError("The PDF takes too much memory to be read, or breaks its reader.") from error
    if "refused" in found:
        raise UnreadableError(str(found["refused"]))
    title = " ".join(str(found["title"]).split()) or name
    return title, as_markdown(title, found["pages"])


def as_markdown(title: str, pages: list[str]) -> str:
    """The pages below each other.

    Raises:
        UnreadableError: None of them holds text.
    """
    cleaned = ["\n".join(_line(line) for line in page.splitlines()).strip() for page in pages]
    if not any(cleaned):
        raise UnreadableError("The PDF holds no text: it may be a scan. Run a text recognition over it first.")
    shown = (f"## Page {number}\n\n{text}\n" for number, text in enumerate(cleaned, 1) if text)
    return f"# {title}\n\n" + "\n".join(shown)


def _line(line: str) -> str:
    """A line of a page; what Markdown would take for its own markup is escaped."""
    return _MARKUP.sub(r"\\", _CONTROL.sub("", line).strip())


def _read(stream: Any) -> dict[str, Any]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(stream, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"refused": "The PDF is encrypted. Remove its password first."}
        if len(reader.pages) > MAX_PAGES:
            return {"refused": f"The PDF has more than {MAX_PAGES} pages. Split it."}
        title = (reader.metadata.title if reader.metadata else None) or ""
        return {"title": str(title), "pages": [page.extract_text() for page in reader.pages]}
    except DependencyError:
        return {"refused": "The PDF is encrypted in a way that cannot be read here. Remove its password first."}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        return {"refused": f"The PDF is damaged ({type(error).__name__}). Write it anew, for example by printing it to a PDF."}


def _main() -> None:
    import io
    import logging
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    logging.disable(logging.CRITICAL)
    found = _read(io.BytesIO(sys.stdin.buffer.read()))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _main()
