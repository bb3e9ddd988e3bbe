"""CommonMark from a repository or a model to HTML that is safe to show beside our own.

Parsed by markdown-it, raw HTML written anew, addresses judged, code coloured, and the whole sanitized at the end.
Length is bounded: what is over the limit is cut at a line and said so, never silently.
"""

from collections.abc import Collection
from dataclasses import dataclass
from html import escape

from shared_services.pages.addresses import LinkResolver
from shared_services.pages.blocks import Rendering, heading_slug, make_parser
from shared_services.pages.sanitize import sanitize

__all__ = ["MAX_CHARACTERS", "RenderedStep", "TocEntry", "heading_slug", "render_answer", "render_step"]

MAX_CHARACTERS = 200_000
MAX_LINES = 8_000

_STEPS = make_parser(references=True)
_ANSWERS = make_parser(references=False)


@dataclass(frozen=True)
class TocEntry:
    """A heading: its level (1 to 6), its words and its anchor."""

    level: int
    title: str
    anchor: str


@dataclass(frozen=True)
class RenderedStep:
    """A step's HTML, and its headings in order."""

    html: str
    toc: list[TocEntry]


def render_step(
    markdown: str, *, link: LinkResolver, variables: Collection[str] | None = None, prefix: str = "", lower: int = 0
) -> RenderedStep:
    """A step's content as HTML.

    Args:
        markdown: The content of `content.md`, or of a text beside it.
        link: Resolves relative addresses; where it gives None, a link's text is kept without the link.
        variables: Names of the placeholders that are marked; None marks each `{{name}}`.
        prefix: Stands before each heading's anchor: for a text that shares its page with another.
        lower: By how many levels headings are lowered.

    Returns:
        HTML whose top-level blocks and list items carry `data-line="first-last"` (lines of `markdown`, from 1).
    """
    text, note = _cut(markdown)
    run = Rendering(link=link, variables=variables, prefix=prefix, lower=lower)
    html = sanitize(_STEPS.render(text, {"rendering": run}) + note)
    return RenderedStep(html, [TocEntry(*heading) for heading in run.headings])


def render_answer(markdown: str, *, link: LinkResolver | None = None) -> str:
    """A piece of an answer as HTML; `[n]` outside code becomes a link of class `citation` with `data-n`.

    Args:
        markdown: CommonMark.
        link: Resolves relative addresses; without one, their text alone is kept.
    """
    text, note = _cut(markdown)
    run = Rendering(link=link or (lambda _address: None), variables=frozenset(), answer=True)
    return sanitize(_ANSWERS.render(text, {"rendering": run}) + note)


def _cut(markdown: str) -> tuple[str, str]:
    """The part that is rendered, and the note on what is not."""
    kept = markdown[:MAX_CHARACTERS]
    if len(markdown) > MAX_CHARACTERS and "\n" in kept:
        kept = kept.rpartition("\n")[0]
    lines = kept.split("\n")
    if len(lines) > MAX_LINES:
        kept = "\n".join(lines[:MAX_LINES])
    if len(kept) == len(markdown):
        return kept, ""
    rest = f"{len(markdown) - len(kept):,} of {len(markdown):,} characters are not shown."
    note = f"This text is too long for a page and was cut here: {rest}"
    return kept, f'<p class="note cut">{escape(note)}</p>'
