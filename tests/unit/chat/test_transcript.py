"""Titles, and a conversation as Markdown: whatever was written into it, a reader sees the file's own structure and nothing else."""

from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared_services.contracts.chat import Answer, ConversationExport, Feedback, NearestSection, StoredTurn
from tests.unit.chat.worlds import passage, shared_passage
from workshop_chat.pipeline import citation_of
from workshop_chat.transcript import (
    NO_TITLE,
    conversation_markdown,
    escaped,
    fenced,
    file_name,
    plain,
    quoted_markdown,
    quoted_text,
    title_of,
)

NOON = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = [
    "```",
    "~~~~\nnever closed",
    "```text\n````\n```\n# out",
    "# A heading",
    "Setext\n======",
    "---",
    "> quoted\nlazy",
    "- item\n\n      code\n1. one",
    "1. one",
    "1) one",
    "+ plus",
    "= equals",
    "<script>alert(1)</script>",
    "</blockquote></details><h1>out</h1>",
    "<!-- never closed",
    "<![CDATA[ x",
    "<details><summary>x</summary>",
    "&lt;b&gt; &#60;script&#62;",
    "![p](https://evil.example/p.png)",
    "[1]: https://evil.example 'x'",
    "[x](javascript:alert(1))",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "**bold** _under_ `code` ~~gone~~ \\",
    "\ttab\n    indented",
    "a\rb\r\n# c\x00\x1b[31m\x85# d",
    "`` <b> ` `` <i>",
    "text `\n> # out",
    "\u202e# turned",
    "## Question 9",
    "",
    "\n\n",
]


def turn(number: int, question: str, answer: str, **more: object) -> StoredTurn:
    given = Answer(
        conversation="c",
        number=number,
        answer=answer,
        abstained=False,
        written_by="model",
        nearest=[],
        citations=[],
        timings={},
    )
    held = given.model_copy(update=more.pop("answer_with", {}))  # type: ignore[call-overload]
    whole = {"number": number, "question": question, "step": "boil", "state": "done", "answer": held, "asked_at": NOON}
    return StoredTurn(**{**whole, **more})  # type: ignore[arg-type]


def export(*turns: StoredTurn, title: str = "Boiling") -> ConversationExport:
    return ConversationExport(workshop="kettle", title=title, created_at=NOON, exported_at=NOON, turns=list(turns))


def headings(markdown: str) -> list[str]:
    """The top-level headings that a reader sees."""
    tokens = PARSER.parse(markdown)
    return [_words(tokens[place + 1]) for place, token in enumerate(tokens) if token.type == "heading_open" and token.level == 0]


def _words(inline: Token) -> str:
    return "".join("\n" if child.type.endswith("break") else child.content for child in inline.children or [])


def everywhere(tokens: list[Token]) -> list[Token]:
    return [found for token in tokens for found in (token, *everywhere(token.children or []))]


def test_a_title_is_the_beginning_of_the_question_cut_between_words():
    assert title_of("How do I boil it?") == "How do I boil it?"
    assert title_of("  How\n\n do\tI \x1b[31mboil it? ") == "How do I [31mboil it?"
    long = title_of("How do I boil the water in the kettle without opening the lid, when it is hot?")
    assert long == "How do I boil the water in the kettle without opening the…"
    assert len(title_of("x" * 500)) == 60
    assert title_of("x" * 500).endswith("…")
    assert title_of("") == ""
    assert title_of("\u202eturned") == "turned"


def test_plain_text_has_line_feeds_and_no_control_characters():
    assert plain("a\rb\r\nc\x00\x1b\x85\td\n") == "a\nb\nc\td\n"


def test_a_conversation_reads_in_order():
    first = turn(
        1,
        "How do I boil it?",
        "Start heating. [1]\n\n```bash\nkettle start\n```\n",
        answer_with={"citations": [citation_of(1, passage("Start heating\nwith one command."))], "note": "A *note*."},
        feedback=Feedback(rating="down", reason="Too short\nby far"),
    )
    near = NearestSection(step="boil", heading=["Boil", "Heat"], file="steps/boil/content.md", line=3)
    second = turn(2, "Who is king?", "Not here.", answer_with={"abstained": True, "nearest": [near]}, state="stopped")
    text = conversation_markdown(export(first, second))
    assert text == (
        "# Boiling\n\n"
        "Workshop `kettle` · begun 2026-05-04 12:30 UTC · exported 2026-05-04 12:30 UTC\n\n"
        "## Question 1\n\nStep `boil`, asked 2026-05-04 12:30 UTC.\n\n> How do I boil it?\n\n"
        "### Answer\n\n> Start heating. [1]\n>\n> ```bash\n> kettle start\n> ```\n\n"
        "*Note:* A \\*note\\*.\n\n"
        "### Passages\n\n"
        "- \\[1\\] Boil the water (steps/boil/content.md), lines 3–4\n\n"
        "  ```text\n  Start heating\n  with one command.\n  ```\n\n"
        "*You rated this answer: not helpful.*\n\n```text\nToo short\nby far\n```\n\n"
        "## Question 2\n\nStep `boil`, asked 2026-05-04 12:30 UTC.\n\n> Who is king?\n\n"
        "### Answer\n\n*Not in this workshop.*\n\n> Not here.\n\n*You stopped this answer before it was finished.*\n\n"
        "### Nearest sections\n\n- Boil › Heat (steps/boil/content.md)\n"
    )


@pytest.mark.parametrize("state", ["answering", "interrupted"])
def test_an_answer_that_has_no_end_is_marked(state: str):
    text = conversation_markdown(export(turn(1, "Why?", "", state=state)))
    assert {"answering": "was still being written", "interrupted": "was interrupted"}[state] in text


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_written_breaks_out_of_the_file(text: str):
    cited = [citation_of(1, passage(text or "x", heading=text)), citation_of(2, shared_passage(text or "x", title=text or "x"))]
    near = NearestSection(step="boil", heading=[text], file="steps/boil/content.md", line=3)
    first = turn(
        1,
        text,
        text,
        answer_with={"citations": cited, "nearest": [near], "note": text},
        feedback=Feedback(rating="up", reason=text),
    )
    whole = export(first, turn(2, "Last?", "Last. [1]"), title=text)
    markdown = conversation_markdown(whole)
    found = headings(markdown)
    own = ["Question 1", "Answer", "Passages", "Nearest sections", "Question 2", "Answer"]
    title = " ".join(plain(text).replace("\u202e", "").split())
    assert found[1:] == own
    assert found[0].split() == (title or NO_TITLE).split()
    context: dict[str, object] = {}
    kinds = {token.type for token in everywhere(PARSER.parse(markdown, context))}
    assert not kinds & {"html_block", "html_inline", "image"}
    assert not context.get("references")
    assert "\x1b" not in markdown
    assert "\r" not in markdown


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()])
def test_what_was_asked_is_shown_as_it_is(text: str):
    tokens = everywhere(PARSER.parse(quoted_text(text)))
    shown = "".join(token.content for token in tokens if token.type in {"text", "text_special", "fence"})
    assert shown.strip("\n") == (
        plain(text).strip("\n") if "\n" in plain(text).strip() else " ".join(plain(text).split()).lstrip("\u202e")
    )


def test_a_fence_is_longer_than_any_in_the_text():
    assert fenced("a ```` b") == "`````text\na ```` b\n`````"


def test_an_answers_markdown_stays_markdown_where_it_can():
    assert quoted_markdown("Use `<name>`:\n\n```html\n<b>\n```") == "> Use `<name>`:\n>\n> ```html\n> <b>\n> ```"
    assert quoted_markdown("Give <name> as `<x>`.") == "> Give \\<name> as `<x>`."
    assert quoted_markdown("![p](https://evil.example/p.png)").startswith("```text\n")
    assert quoted_markdown("[1]: https://evil.example").startswith("```text\n")


def test_escaped_text_is_one_line():
    assert escaped("a\nb # `c` <d>") == "a b \\# \\`c\\` \\<d\\>"
    assert [escaped(text) for text in ("1. x", "12) x", "- x", "x - 1.")] == ["1\\. x", "12\\) x", "\\- x", "x - 1."]


def test_a_files_name_is_plain():
    assert file_name(export(title="Füll den Kessel! ../../x"), "md") == "kettle-full-den-kessel-x-2026-05-04.md"
    assert file_name(export(title='"\r\n\u0007 漢字'), "json") == "kettle-conversation-2026-05-04.json"
