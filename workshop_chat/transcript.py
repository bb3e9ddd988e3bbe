"""Titles of conversations, and a conversation as a Markdown file that its participant takes away.

What people, models and authors wrote stands in the file as quotation. It is laid out so that a Markdown reader cannot take any of
it for the file's own headings, lists or HTML, and loads nothing from elsewhere: an answer whose Markdown would do so is shown
as the text it is.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared_services.contracts.chat import Citation, ConversationExport, NearestSection, StoredTurn

TITLE_CHARACTERS = 60
NO_TITLE = "Conversation"

_ELSEWHERE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them."""
_MARKS = re.compile(r"[\\`*_\[\]<>&#|~$!]")
_LINE_START = re.compile(r"^(?:([-+=:%])|(\d{1,9})([.)]))")
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)
_STATES = {
    "answering": "This answer was still being written when the file was made.",
    "interrupted": "This answer was interrupted before it was finished.",
    "stopped": "You stopped this answer before it was finished.",
}


def plain(text: str) -> str:
    """Text without control characters but tabs and line ends, which become line feeds. A database and a file can hold it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")


def one_line(text: str) -> str:
    """Text as one line of words, without characters that steer the text around it."""
    return " ".join("".join(char for char in plain(text) if char not in _ELSEWHERE).split())


def title_of(question: str) -> str:
    """A conversation's title from its first question: the beginning, cut between words."""
    line = one_line(question)
    if len(line) <= TITLE_CHARACTERS:
        return line
    kept = line[:TITLE_CHARACTERS].rpartition(" ")[0] or line[: TITLE_CHARACTERS - 1]
    return kept.rstrip(" .,;:-–") + "…"


def file_name(export: ConversationExport, ending: str) -> str:
    """A name for the file that a conversation is taken away in: letters, digits and hyphens of ASCII alone."""
    words = unicodedata.normalize("NFKD", export.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:50].strip("-")
    return f"{export.workshop}-{slug or 'conversation'}-{export.exported_at:%Y-%m-%d}.{ending}"


def conversation_markdown(export: ConversationExport) -> str:
    """A conversation as CommonMark: questions, answers as quotations, the passages they rest on with their place."""
    head = f"Workshop `{export.workshop}` · begun {_moment(export.created_at)} · exported {_moment(export.exported_at)}"
    parts = [f"# {escaped(export.title) or NO_TITLE}", head]
    for turn in export.turns:
        parts.extend(_turn(turn))
    return "\n\n".join(parts) + "\n"


def _turn(turn: StoredTurn) -> Iterator[str]:
    yield f"## Question {turn.number}"
    about = [f"step `{turn.step}`"] if turn.step else []
    about += [f"asked {_moment(turn.asked_at)}"] if turn.asked_at else []
    if about:
        yield _sentence(", ".join(about))
    yield quoted_text(turn.question)
    yield "### Answer"
    answer = turn.answer
    if answer and answer.abstained:
        yield "*Not in this workshop.*"
    if answer and answer.answer.strip():
        yield quoted_markdown(answer.answer)
    if answer and answer.note:
        yield f"*Note:* {escaped(answer.note)}"
    if turn.state in _STATES:
        yield f"*{_STATES[turn.state]}*"
    if answer and answer.citations:
        yield "### Passages"
        yield "\n\n".join(_citation(citation) for citation in answer.citations)
    if answer and answer.nearest:
        yield "### Nearest sections"
        yield "\n".join(f"- {_place(section)}" for section in answer.nearest)
    if turn.feedback:
        rating = "helpful" if turn.feedback.rating == "up" else "not helpful"
        yield f"*You rated this answer: {rating}.*"
        if turn.feedback.reason:
            yield quoted_text(turn.feedback.reason)


def _citation(citation: Citation) -> str:
    lines = f"line {citation.first_line}"
    if citation.last_line != citation.first_line:
        lines = f"lines {citation.first_line}–{citation.last_line}"
    code = fenced(citation.text)
    return f"- \\[{citation.n}\\] {_place(citation)}, {lines}\n\n" + "\n".join(f"  {line}".rstrip() for line in code.split("\n"))


def _place(place: Citation | NearestSection) -> str:
    titles = place.document.titles(place.heading) if place.document else place.heading
    return f"{escaped(' › '.join(titles) or place.step or place.file)} ({escaped(place.file)})"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def escaped(text: str) -> str:
    """Text as one line of Markdown that shows it as it is."""
    line = _MARKS.sub(lambda match: "\\" + match[0], one_line(text))
    return _LINE_START.sub(lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", line)


def fenced(text: str) -> str:
    """Text as a code block that nothing in it can end."""
    text = plain(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def quoted_text(text: str) -> str:
    """What somebody typed: a quotation where it is one line, else a code block, as pasted output wants it."""
    text = plain(text).strip("\n")
    return fenced(text) if "\n" in text.strip() else f"> {escaped(text)}"


def quoted_markdown(text: str) -> str:
    """Markdown as a quotation, as long as it stays inside one; else as a code block."""
    text = plain(text).strip("\n")
    return next((quote for quote in map(_quote, (text, _without_html(text))) if _holds(quote)), fenced(text))


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _without_html(text: str) -> str:
    """The text with `<` escaped outside code."""
    parts: list[str] = []
    end = 0
    for match in _CODE.finditer(text):
        parts += [text[end : match.start()].replace("<", "\\<"), match[0]]
        end = match.end()
    return "".join([*parts, text[end:].replace("<", "\\<")])


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _holds(quote: str) -> bool:
    """Whether a reader takes it for one quotation without HTML, pictures or definitions of links."""
    context: dict[str, object] = {}
    tokens = _parser().parse(quote, context)
    outer = [token.type for token in tokens if token.level == 0]
    return outer == ["blockquote_open", "blockquote_close"] and not context.get("references") and all(map(_harmless, tokens))


def _harmless(token: Token) -> bool:
    return token.type not in {"html_block", "html_inline", "image"} and all(map(_harmless, token.children or []))
