import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rag.blocks import pieces, read_blocks, sentences, split_lines
from agents.rag.chunking import MOST_PIECES, chunk_lines, chunk_markdown, chunk_workshop, with_titles, without_markup
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop

_SENTENCE = "The operator watches the cluster and repairs what it finds broken. "


def test_every_chunk_is_its_lines_byte_for_byte() -> None:
    files = workshop(
        "shop",
        CLUSTER_STEPS | {"windows": "# Step\r\n\r\nSome text \r\n\r\n```sh\r\nls  \r\n```\r\n\r\nEnd without a newline"},
        more={
            "steps/deploy/hints.md": "Look at the logs.\n",
            "steps/deploy/check.sh": "#!/bin/sh\nkubectl get deployment shop\n",
        },
    )
    chunks = chunk_workshop(files)
    assert {chunk.kind for chunk in chunks} >= {"command", "prose", "hint", "check"}
    for chunk in chunks:
        lines = (files.text(chunk.file) or "").splitlines(keepends=True)
        assert chunk.text == "".join(lines[chunk.first_line - 1 : chunk.last_line])


@given(st.text(alphabet=st.sampled_from("ab .!\n\r#`-*>|:= \t1<~[]()é漢\x0b\x0c\u2028"), max_size=400))
def test_any_text_is_cut_into_whole_lines(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    spans = chunk_markdown(text)
    for span in spans:
        assert 1 <= span.first <= span.last <= len(lines)
        assert span.focus.strip()


@given(
    st.lists(
        st.sampled_from(
            ["# One", "## Two", "Some words here.", "```sh\nls -l\n```", "- item\n- other", "| a | b |\n|--|--|\n| 1 | 2 |"]
        ),
        max_size=12,
    )
)
def test_no_text_is_lost(parts: list[str]) -> None:
    text = "\n\n".join(parts) + "\n"
    covered = {number for span in chunk_markdown(text) for number in range(span.first, span.last + 1)}
    for number, line in enumerate(split_lines(text), start=1):
        assert number in covered or not line.strip()


def test_a_command_carries_the_sentence_before_it_and_its_output() -> None:
    (span,) = chunk_markdown("Scale it out. Then wait:\n\n```bash\nkubectl scale\n```\n\n```text output\nscaled\n```\n")
    assert (span.first, span.last, span.kind) == (1, 9, "command")


def test_a_long_paragraph_gives_its_last_sentence_to_the_command() -> None:
    paragraph = _SENTENCE * 25 + "Now restart the router:"
    text = f"{paragraph}\n\n```bash\noc rollout restart deployment/router\n```\n"
    command = next(span for span in chunk_markdown(text) if "oc rollout" in span.focus)
    assert "Now restart the router:" in command.focus
    assert command.focus.count("operator") <= 14


def test_a_command_that_fits_is_never_cut() -> None:
    script = "\n".join(f"kubectl label node worker-{number} zone=z{number}" for number in range(10))
    text = f"{_SENTENCE * 6}\n\n```bash\n{script}\n```\n\n{_SENTENCE * 6}\n"
    assert pieces(script) <= MOST_PIECES
    assert any(script in span.focus for span in chunk_markdown(text))


def test_an_overlong_code_block_is_cut_at_line_ends() -> None:
    lines = [f"  setting_number_{number}: value-{number}" for number in range(120)]
    text = "```yaml\n" + "\n".join(lines) + "\n```\n"
    spans = chunk_markdown(text)
    assert len(spans) > 1
    assert all(pieces(span.focus) <= MOST_PIECES for span in spans)
    assert "".join(span.focus for span in spans) == text


def test_overlong_prose_is_cut_at_sentence_ends() -> None:
    text = _SENTENCE * 60
    spans = chunk_markdown(text)
    assert len(spans) > 2
    assert all(span.focus.rstrip().endswith(".") and span.size <= MOST_PIECES for span in spans)
    assert "".join(span.focus for span in spans) == text


def test_a_list_item_stays_whole_with_what_it_holds() -> None:
    text = (
        "1. First do this:\n\n   ```bash\n   make build\n   ```\n\n2. Then that.\n" + f"3. {_SENTENCE * 8}\n4. {_SENTENCE * 8}\n"
    )
    spans = chunk_markdown(text)
    assert any("First do this" in span.focus and "make build" in span.focus for span in spans)
    assert any(span.focus.count("operator") == 8 for span in spans)


def test_headings_open_sections_and_give_the_path() -> None:
    body = _SENTENCE * 5
    spans = chunk_markdown(f"# Top\n\n{body}\n\n## Left\n\n{body}\n\n### Deep\n\n{body}\n\n## Right\n\n{body}\n")
    assert [span.heading for span in spans] == [("Top",), ("Top", "Left"), ("Top", "Left", "Deep"), ("Top", "Right")]
    assert [span.first for span in spans] == [1, 5, 9, 13]


def test_small_neighbours_are_put_together_up_to_the_target() -> None:
    text = "\n\n".join(["A short remark about pods."] * 40)
    sizes = [span.size for span in chunk_markdown(text)]
    assert all(60 <= size <= MOST_PIECES for size in sizes)


def test_comments_and_unreadable_lines_are_left_out() -> None:
    assert chunk_markdown("<!-- note to self -->\n") == []
    assert chunk_markdown("![x](data:image/png;base64," + "A" * 20_000 + ")\n") == []


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_nothing_gives_nothing(text: str) -> None:
    assert chunk_markdown(text) == []
    assert chunk_lines(text) == []


def test_titles_stand_before_the_text_without_markup() -> None:
    assert with_titles(("Shop", "Deploy", "Scale"), "See [the docs](https://x.org) ![pic](a.png).") == (
        "Shop > Deploy > Scale\nSee the docs pic."
    )
    assert with_titles(("word " * 100, "Scale"), "x") == "Scale\nx"
    assert without_markup("```bash exec\nls -l\n```") == "ls -l"


def test_source_and_commit_places_are_carried() -> None:
    source_map = '{"file": "content/page.adoc", "runs": [[1, "content/page.adoc", 10], [3, "content/_part.adoc", 4]]}'
    files = workshop("shop", {"one": "# One\n\nText.\n"}, more={"steps/one/source-map.json": source_map})
    (chunk,) = chunk_workshop(files)
    assert (chunk.source_file, chunk.source_line) == ("content/page.adoc", 10)
    assert chunk.heading == ("One",)


def test_sentences_join_to_the_text() -> None:
    text = "Wait. Then go on! Is v1.2 fine? (Yes.) e.g. this"
    assert "".join(sentences(text)) == text
    assert len(sentences(text)) >= 3


def test_blocks_know_commands_from_code_and_output() -> None:
    kinds = [
        block.kind
        for block in read_blocks(
            "```bash\nls\n```\n\n```yaml\na: 1\n```\n\n```yaml output\na: 1\n```\n\n```python exec\nx\n```\n"
        )
    ]
    assert kinds == ["command", "code", "output", "command"]
