"""reST and HTML into Markdown, by pandoc in a process of its own: sandboxed, with limits of time and memory, on its standard
input alone. The sandbox keeps a document from reading this machine's files; nothing is fetched.
"""

import html
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from agents.rag.documents.errors import UnreadableError

SECONDS = 60.0
MAX_INPUT_BYTES = 5 * 1024 * 1024
HEAP = "-M1g"

_FILTER = Path(__file__).parent / "plain.lua"
_HEAP_EXHAUSTED = 251


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS: Final = _words(
    "html head body main article section header div span p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd pre code kbd samp var tt "
    "a em strong b i u s del ins sub sup q cite abbr dfn mark small blockquote figure figcaption details summary aside "
    "address table caption colgroup col thead tbody tfoot tr th td img"
)
_SILENT: Final = _words(
    "script style nav noscript template svg math iframe object canvas audio video button select option textarea dialog footer "
    "title"
)
_ATTRIBUTES: Final = {
    "a": {"href"},
    "img": {"src", "alt"},
    "pre": {"class"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"rowspan", "colspan"},
    "th": {"rowspan", "colspan"},
}
_LANGUAGE = re.compile(r"(?:language|lang|brush|highlight(?:-source)?)[-:]\s?([A-Za-z0-9+#-]{1,30})")
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,1000}?)</title", re.DOTALL | re.IGNORECASE)
_MAIN = re.compile(r"<main>(.*)</main>", re.DOTALL)
_LEFT_OUT = frozenset(["include", "literalinclude", "toctree", "contents", "index", "raw", "meta", "sectionauthor", "codeauthor"])
_DIRECTIVE = re.compile(r"^(\s*)\.\.\s+([A-Za-z][\w:-]*)::")
_FROM_ELSEWHERE = re.compile(r"^\s+:(?:file|url):")


def rst_to_markdown(text: str) -> str:
    """Restructured text as Markdown. Directives that name other files, and lists of what stands elsewhere, are left out.

    Raises:
        UnreadableError: pandoc cannot read it, or not in time.
    """
    return _converted(without_directives(text), "rst", "preserve")


def html_to_markdown(page: str) -> str:
    """A page as Markdown: its main part where it marks one, without scripts, styles and navigation.

    Raises:
        UnreadableError: pandoc cannot read it, or not in time.
    """
    return _converted(readable_html(page), "html-native_divs-native_spans", "none")


def readable_html(page: str) -> str:
    """What of a page is its text, as HTML of a few plain elements."""
    import nh3

    title = _TITLE.search(page)
    body = nh3.clean(
        page,
        tags=set(_ELEMENTS),
        clean_content_tags=set(_SILENT),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        link_rel=None,
    )
    main = _MAIN.search(body)
    if main is not None and re.sub(r"<[^>]*>|\s", "", main[1]):
        body = main[1]
    said = " ".join(html.unescape(title[1]).split()) if title else ""
    return f"<html><head><title>{html.escape(said)}</title></head><body>{body}</body></html>"


def _attribute(element: str, name: str, value: str) -> str | None:
    if name != "class":
        return value
    language = _LANGUAGE.search(value)
    return language[1].lower() if language else None


def without_directives(text: str) -> str:
    """Restructured text without directives that read other files or list what stands elsewhere, and what is indented below."""
    kept: list[str] = []
    inside: int | None = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if inside is not None and (not line.strip() or indent > inside):
            continue
        inside = None
        directive = _DIRECTIVE.match(line)
        if directive and directive[2].lower() in _LEFT_OUT:
            inside = indent
            kept.append("")
        elif not _FROM_ELSEWHERE.match(line):
            kept.append(line)
    return "\n".join(kept) + "\n"


@cache
def _program() -> str:
    import pypandoc

    return str(pypandoc.get_pandoc_path())


def _converted(text: str, source: str, wrap: str) -> str:
    raw = text.encode()
    if len(raw) > MAX_INPUT_BYTES:
        raise UnreadableError(f"Its text is longer than {MAX_INPUT_BYTES >> 20} MiB. Split it.")
    command = [_program(), "+RTS", HEAP, "-RTS", "--sandbox", f"--from={source}", "--to=gfm", f"--wrap={wrap}"]
    command += [f"--lua-filter={_FILTER}", "--quiet"]
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, none from outside
            command, input=raw, capture_output=True, timeout=SECONDS, check=False, cwd="/", env={"LC_ALL": "C.UTF-8"}
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"It could not be read within {SECONDS:.0f} seconds. Split it.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = "it takes too much memory" if done.returncode == _HEAP_EXHAUSTED else (said[-1][:200] if said else "pandoc gave up")
        raise UnreadableError(f"It could not be read: {why}.")
    return done.stdout.decode("utf-8", "replace")
