import json
from pathlib import Path
from typing import Any

import pytest

from agents.rag.chunking import chunk_workshop
from benchmarks.questions import SetError, SetPassage, read_passages, read_questions, step_of, tenants_of, workshop_of


def _written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_question_carries_its_turns_and_its_passages(tmp_path: Path) -> None:
    turns = [{"speaker": "user", "text": "What is a pod?"}, {"speaker": "agent", "text": "A group of containers."}]
    row = {"tenant": "t", "id": "1", "conversation_id": "c", "question": "And a node?", "previous_turns": turns}
    path = _written(tmp_path / "q", row | {"answerability": "partial", "relevant_passage_ids": ["p"]}, row)
    asked, other = read_questions(path)
    assert [turn.speaker for turn in asked.request(5).history] == ["user", "assistant"]
    assert (asked.answerability, asked.relevant, asked.conversation) == ("PARTIAL", {"p"}, "c")
    assert asked.ranked
    assert (other.answerability, other.ranked) == ("UNKNOWN", False)


def test_what_is_not_a_set_names_its_line(tmp_path: Path) -> None:
    path = _written(tmp_path / "c", {"tenant": "t", "passage_id": "p", "text": "x"}, {"tenant": "t", "text": "x"})
    with pytest.raises(SetError, match="c:2 has no `passage_id`"):
        read_passages(path)
    (tmp_path / "d").write_text("[]\n")
    with pytest.raises(SetError, match="d:1 is not a JSON object"):
        read_passages(tmp_path / "d")


def test_every_chunk_of_the_workshop_leads_back_to_its_passage() -> None:
    texts = ["# A title\nOpen ```fence", "```\nnever closed", "word " * 900, "Plain."]
    passages = [SetPassage("t", f"p{number}", "Title" if number else "", text) for number, text in enumerate(texts)]
    chunks = chunk_workshop(workshop_of("t", passages))
    for number, text in enumerate(texts):
        own = [chunk for chunk in chunks if chunk.step == step_of(number)]
        assert own
        assert all(chunk.text in text for chunk in own)
    assert chunks[-1].indexed == "Title\nPlain."


def test_more_passages_than_a_workshop_may_have_steps() -> None:
    passages = [SetPassage("t", str(number), "", f"Passage {number}.") for number in range(1_500)]
    assert len(chunk_workshop(workshop_of("t", passages))) == 1_500


def test_a_passage_counts_once() -> None:
    rows = [SetPassage("b", "p", "", "one"), SetPassage("a", "q", "", "two"), SetPassage("b", "p", "", "again")]
    assert [(name, [each.text for each in held]) for name, held in tenants_of(rows).items()] == [("a", ["two"]), ("b", ["one"])]
