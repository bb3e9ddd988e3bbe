"""Which questions lean on what was said before, and which lists say nothing of their own."""

import pytest

from agents.rag.blocks import read_blocks
from agents.rag.search import depends_on_history, question_terms
from agents.rag.terms import names


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "And with Helm?",
        "How do I undo it?",
        "What does the second command do?",
        "Is there another way?",
        "what about staging?",
        "",
    ],
)
def test_these_need_what_was_said_before(question: str):
    assert depends_on_history(question)


@pytest.mark.parametrize(
    "question",
    ["How do I bake bread?", "Why is accuracy the wrong measure?", "CrashLoopBackOff", "Which port does the service listen on?"],
)
def test_these_stand_alone(question: str):
    assert not depends_on_history(question)


def test_a_list_of_links_inside_the_workshop_is_no_passage():
    text = "# Lab\n\n- [Start](#start)\n- [Connect the database](../connect/content.md)\n\nReal text.\n"
    assert [(block.first, block.last) for block in read_blocks(text) if block.kind != "heading"] == [(6, 6)]


@pytest.mark.parametrize(
    "text",
    [
        "- [The manual](https://example.org/a)\n- [The source](https://example.org/b)\n",
        "- [Start](#start) the service\n- [Stop](#stop) it\n",
        "1. Open the page\n2. Log in\n",
        "- [Only one](#one)\n",
    ],
)
def test_other_lists_are_passages(text: str):
    assert read_blocks(text)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I connect Presto to Snowflake?", ["presto", "snowflak"]),
        ("Why does it fail? Docker is running.", []),
        ("How do I use JPA with OAuth2?", ["jpa", "oauth2"]),
        ("How do I bake bread?", []),
        ("I lost my pods", []),
    ],
)
def test_names_are_told_from_words(question: str, expected: list[str]):
    assert names(question) == expected


def test_the_mean_of_what_something_means_is_not_asked_for():
    assert question_terms("What does etcd mean?") == ["etcd"]
    assert "mean" in question_terms("What is the mean of the stays?")
