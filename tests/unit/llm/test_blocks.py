"""Blocks come out whole, in order, and the same however the text is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.llm.blocks import Block, BlockAssembler


def assemble(*deltas: str) -> list[Block]:
    assembler = BlockAssembler()
    return [block for delta in deltas for block in assembler.feed(delta)] + assembler.close()


def texts(*deltas: str) -> list[str]:
    return [block.markdown for block in assemble(*deltas)]


ANSWER = """First create the namespace [1]. It is e.g. `team-a. Really`, version 1.2.3. Then apply it. [1][2] Done!

```bash
kubectl create ns team-a

kubectl apply -f app.yaml
```
[2]

1. Open **settings. Now** the page.
   It has `a | b`.

   ```yaml
   key: value

   other: 1
   ```
2. Press *Save*.
   - nested one
   - nested two

| Name | Port |
|------|------|
| web  | 8080 |

> Quoted here
> and there.

# Title
***
- one
- two
See [the docs. Part](https://x.io/a.b) now. And end"""


def test_an_answer_comes_in_its_blocks() -> None:
    assert texts(ANSWER) == [
        "First create the namespace [1].",
        "It is e.g. `team-a. Really`, version 1.2.3.",
        "Then apply it. [1][2]",
        "Done!",
        "```bash\nkubectl create ns team-a\n\nkubectl apply -f app.yaml\n```",
        "[2]",
        "1. Open **settings. Now** the page.\n   It has `a | b`.\n\n   ```yaml\n   key: value\n\n   other: 1\n   ```",
        "2. Press *Save*.\n   - nested one\n   - nested two",
        "| Name | Port |\n|------|------|\n| web  | 8080 |",
        "> Quoted here\n> and there.",
        "# Title",
        "***",
        "- one",
        "- two\nSee [the docs. Part](https://x.io/a.b) now. And end",
    ]
    assert "".join(block.before + block.markdown for block in assemble(ANSWER)) == ANSWER


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    assembler = BlockAssembler()
    assert assembler.feed("Run it now.") == []
    assert assembler.feed(" ") == []
    assert [b.markdown for b in assembler.feed("Then")] == ["Run it now."]
    assert assembler.feed(" wait. [") == []
    assert assembler.feed("3") == []
    assert [b.markdown for b in assembler.feed("] Next")] == ["Then wait. [3]"]


def test_a_code_block_is_given_when_its_fence_closes() -> None:
    assembler = BlockAssembler()
    assert assembler.feed("```sh\nls\n``") == []
    assert assembler.feed("`") == []
    assert [b.markdown for b in assembler.feed("\n")] == ["```sh\nls\n```"]


def test_an_open_fence_is_closed() -> None:
    assert texts("~~~sh\nls -la\n") == ["~~~sh\nls -la\n~~~"]
    assert texts("```sh") == ["```sh\n```"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "   ",
        "No stop",
        "A `code. Still",
        "**Bold. Open",
        "[link. Open",
        "1.",
        "-",
        "#",
        "```",
        "a\n===\nb",
        "1. a\n\n\n   b\n\nc",
    ],
)
def test_odd_ends_lose_nothing(text: str) -> None:
    joined = "".join(block.before + block.markdown for block in assemble(text))
    assert joined.replace("\n```", "").split() == text.replace("\n```", "").split()


@pytest.mark.parametrize("begins", ["- two", "# Two", "> two", "1. two", "***", "| a |", "```\nx\n```", "~~~\nx\n~~~"])
def test_a_block_right_below_a_paragraph_is_seen_letter_by_letter(begins: str) -> None:
    text = f"One ends.\n{begins}"
    whole = assemble(text)
    assert [block.markdown for block in whole] == ["One ends.", begins]
    assert whole[1].kind != "sentence"
    assert assemble(*text) == whole


ONES = st.sampled_from(
    ["Run it. ", "Then ", "go! ", "`a. b` ", "`", "``", "```", "```sh\n", "\n", "\n\n", "[1]", "[1, 2] ", " [2].", "1. ", "2) ", "- ", "* ",
     "**", "*", "_x_", "| a ", "|-|\n", "> q", "# H", "---\n", "    code\n", "   ", "e.g. ", "1.2.3", "例。", "[t](u. V) ", "~~~\n", "\t", "B", "x", "\\", "<a. b>", "1", "="]
)  # fmt: skip
STARTS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["Stop.\n", "Stop. ", "x\n", "\n\n"]),
        st.sampled_from(
            ["- a", "* b", "1. c", "2. d", "# e", "```\n", "~~~\n", "> f", "| g |\n", "***\n", "---\n", "   h", "[1] J"]
        ),
        st.sampled_from(["", "\n", " "]),
    ),
)
PIECES = ONES | STARTS


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.data())
def test_the_cutting_makes_no_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    deltas = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = assemble(text)
    assert assemble(*deltas) == whole
    assert assemble(*text) == whole


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_the_blocks_give_the_text_back(text: str) -> None:
    joined = "".join(block.before + block.markdown for block in assemble(text))
    expected, got = text.split(), joined.split()
    assert got[: len(expected)] == expected
    assert set("".join(got[len(expected) :])) <= set("`~")


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.integers(0, 60))
def test_what_is_given_early_is_never_taken_back(text: str, at: int) -> None:
    assembler = BlockAssembler()
    early = assembler.feed(text[:at])
    assert assemble(text)[: len(early)] == early
