from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rag.confidence import ANSWER_FROM, Evidence, confidence
from agents.rag.ranking import (
    FUSION,
    Candidate,
    favour_literal,
    favour_own,
    favour_step,
    form_shares,
    lead,
    ordered,
    passages,
    score_fusion,
    step_order,
    steps_beside,
)
from agents.rag.search import question_forms, windows
from agents.rag.store import Hit, StoredChunk
from shared_services.contracts.rag import ChunkKind, Turn

_FILE = "steps/a/content.md"


def _chunk(
    ordinal: int,
    text: str,
    first: int,
    *,
    step: str = "a",
    after: str = "",
    heading: str = "H",
    kind: ChunkKind = "prose",
    file: str = _FILE,
    document: int = 0,
) -> StoredChunk:
    last = first + text.count("\n") - (1 if text.endswith("\n") else 0)
    owner = "_shared" if document else "w"
    return StoredChunk(
        ordinal, owner, step, step, file, first, last, ("A", heading), kind, text, after, None, file, first, document
    )


def _hits(**scores: float) -> list[Hit]:
    return [Hit(int(name[1:]), score) for name, score in scores.items()]


def test_fusion_adds_what_each_chunk_reached_of_the_best() -> None:
    fused = score_fusion([_hits(c7=0.8, c8=0.6, c9=0.4)], [_hits(c8=5.0, c6=1.0)])
    assert fused == pytest.approx({7: FUSION.dense, 8: FUSION.dense / 2 + FUSION.keyword, 9: 0.0, 6: FUSION.keyword / 5})
    assert score_fusion([_hits(c1=0.3)], [[]]) == {1: FUSION.dense}
    assert score_fusion([], []) == {}


def test_near_cosines_among_few_chunks_leave_the_words_to_decide() -> None:
    fused = score_fusion([_hits(c1=0.40, c2=0.38)], [_hits(c2=3.0)])
    assert fused[2] > fused[1]
    assert fused[1] > FUSION.dense * 0.9


def test_a_clear_lead_in_one_ranking_beats_a_bare_one_in_the_other() -> None:
    fused = score_fusion([_hits(c1=0.81, c2=0.80, c3=0.1)], [_hits(c2=9.0, c1=2.0)])
    assert fused[2] > fused[1]


@given(st.lists(st.dictionaries(st.integers(0, 20), st.floats(0, 1), max_size=8), min_size=1, max_size=4))
def test_fusion_does_not_depend_on_the_order_of_forms_and_stays_within_one(forms: list[dict[int, float]]) -> None:
    rankings = [sorted((Hit(number, score) for number, score in form.items()), key=lambda hit: -hit.score) for form in forms]
    one, other = score_fusion(rankings, rankings), score_fusion(rankings[::-1], rankings[::-1])
    assert one == pytest.approx(other)
    assert set(one) == {number for form in forms for number in form}
    assert all(0 <= score <= 1 + 1e-9 for score in one.values())


def test_the_current_step_rises_but_hides_no_better_passage() -> None:
    best = Candidate(_chunk(0, "best\n", 1, step="b"), 4 / 61)
    near = Candidate(_chunk(1, "near\n", 1), 4 / 63)
    far = Candidate(_chunk(2, "far\n", 9), 4 / 90)
    order = [each.chunk.ordinal for each in ordered(favour_step([best, near, far], "a"))]
    assert order == [1, 0, 2]
    assert [each.chunk.ordinal for each in ordered(favour_step([best, near, far], None))] == [0, 1, 2]
    assert ordered(favour_step([best, far], "a"))[0].chunk.ordinal == 0


def test_the_steps_beside_the_current_one_rise_less() -> None:
    chunks = [_chunk(place, "x\n", 1, step=step) for place, step in enumerate(["a", "a", "b", "c", "d"])]
    assert steps_beside(step_order(chunks[::-1]), "b") == {"a", "c"}
    assert steps_beside(step_order(chunks), "a") == {"b"}
    assert steps_beside(step_order(chunks), "d") == {"c"}
    assert steps_beside(step_order(chunks), "z") == steps_beside(step_order(chunks), None) == steps_beside([], "a") == frozenset()
    own, near, far = (Candidate(chunk, 0.5) for chunk in (chunks[2], chunks[3], chunks[4]))
    raised = {each.chunk.step: each.fused for each in favour_step([own, near, far], "b", {"a", "c"})}
    assert raised["b"] > raised["c"] > raised["d"] == 0.5


def test_literal_identifiers_rise() -> None:
    plain = Candidate(_chunk(0, "scale it to 4\n", 1), 2 / 61)
    exact = Candidate(_chunk(1, "kubectl scale --replicas=3\n", 5), 2 / 63)
    assert ordered(favour_literal([plain, exact], "what is --replicas=3"))[0].chunk.ordinal == 1
    assert favour_literal([plain, exact], "what is --nowhere") == [plain, exact]


def test_an_identifier_counts_whole() -> None:
    longer = Candidate(_chunk(0, "helm install -f values.yaml.gz --replicas=30\n", 1), 0.5)
    exact = Candidate(_chunk(1, "helm install -f values.yaml.\n", 5), 0.49)
    assert ordered(favour_literal([longer, exact], "values.yaml"))[0].chunk.ordinal == 1


def test_words_side_by_side_rise() -> None:
    apart = Candidate(_chunk(0, "the policy of oc, adm and others\n", 1), 0.5)
    exact = Candidate(_chunk(1, "run oc adm policy\n", 5), 0.49)
    first, second = ordered(favour_literal([apart, exact], "what does oc adm policy do"))
    assert (first.chunk.ordinal, first.fused) == (1, pytest.approx(0.49 + FUSION.phrases))
    assert second.fused == 0.5


def test_the_joined_form_counts_more_where_the_question_cannot_stand_alone() -> None:
    assert form_shares(1, dependent=True) == [1]
    assert form_shares(2, dependent=False) == [0.5, 0.5]
    assert form_shares(2, dependent=True) == [1 - FUSION.joined, FUSION.joined]
    dense, keyword = [_hits(c1=0.6, c2=0.3), _hits(c2=0.6, c1=0.3)], [_hits(c1=2.0), _hits(c2=2.0)]
    shares = form_shares(2, dependent=True)
    fused = score_fusion(dense, keyword, shares, shares)
    assert fused[2] > fused[1]
    assert sum(score_fusion(dense, keyword).values()) == pytest.approx(sum(fused.values()))


def test_neighbours_of_a_section_become_one_contiguous_passage() -> None:
    first = Candidate(_chunk(0, "one\n", 1, after="\n  \n"), 0.5, dense=0.4)
    second = Candidate(_chunk(1, "two\nthree\n", 4), 0.9, dense=0.3, bm25=2.0)
    (joined,) = passages([second, first], 5)
    assert joined.chunk.text == "one\n\n  \ntwo\nthree\n"
    assert (joined.chunk.first_line, joined.chunk.last_line) == (1, 5)
    assert (joined.fused, joined.dense, joined.bm25) == (0.9, 0.4, 2.0)


def test_overlapping_lines_are_shown_once() -> None:
    first = Candidate(_chunk(0, "one\ntwo\n", 1), 0.9)
    second = Candidate(_chunk(1, "two\nthree four\n", 2), 0.5)
    (joined,) = passages([first, second], 5)
    assert joined.chunk.text == "one\ntwo\nthree four\n"


def test_what_does_not_touch_or_is_of_another_section_stays_apart() -> None:
    first = Candidate(_chunk(0, "one\n", 1), 0.9)
    gap = Candidate(_chunk(1, "two\n", 4), 0.8)
    other = Candidate(_chunk(2, "three\n", 2, heading="I"), 0.7)
    assert len(passages([first, gap, other], 5)) == 3
    assert len(passages([first, gap, other], 2)) == 2


def test_near_duplicates_are_folded() -> None:
    text = "the same words stand here twice in two files of the workshop\n"
    twins = [Candidate(_chunk(0, text, 1), 0.9), Candidate(_chunk(1, text, 1, file="steps/b/content.md"), 0.8)]
    assert [each.chunk.ordinal for each in passages(twins, 5)] == [0]


_PARAGRAPH = "Log in to the registry of the class with the name and the password that stand on the card which lies on your desk"


@pytest.mark.parametrize(
    ("one", "other", "kind", "folded"),
    [
        (f"{_PARAGRAPH}.\n", f"{_PARAGRAPH}!\n", "prose", True),
        (f"{_PARAGRAPH} there.\n", f"{_PARAGRAPH} here.\n", "prose", True),
        (f"{_PARAGRAPH}, not there.\n", f"{_PARAGRAPH}, there.\n", "prose", False),
        (f"{_PARAGRAPH} 12.\n", f"{_PARAGRAPH} 13.\n", "prose", False),
        (f"{_PARAGRAPH} `--rm`.\n", f"{_PARAGRAPH} `--it`.\n", "prose", False),
        (f"{_PARAGRAPH} Anna.\n", f"{_PARAGRAPH} kubeCtl.\n", "prose", False),
        (f"{_PARAGRAPH}:\n\n    oc get pods\n", f"{_PARAGRAPH}:\n\n    oc get pods\n", "command", True),
        (f"{_PARAGRAPH}:\n\n    oc get pods\n", f"{_PARAGRAPH}:\n\n    oc get nodes\n", "command", False),
        (f"{_PARAGRAPH}:\n\n    oc get pods -w\n", f"{_PARAGRAPH}:\n\n    oc get pods\n", "command", False),
        (f"{_PARAGRAPH}:\n\n    mv a b\n", f"{_PARAGRAPH}:\n\n    mv b a\n", "command", False),
        ("```\nreplicas: 3\n```\n", "```\nreplicas: 4\n```\n", "code", False),
    ],
)
def test_only_what_says_nothing_new_is_folded(one: str, other: str, kind: ChunkKind, folded: bool) -> None:
    twins = [Candidate(_chunk(0, one, 1, kind=kind), 0.9), Candidate(_chunk(1, other, 1, kind=kind, step="b", file="b"), 0.8)]
    assert len(passages(twins, 5)) == (1 if folded else 2)


def test_passages_are_joined_up_to_what_is_read_at_once() -> None:
    long = "word " * 180 + "\n"
    pair = [Candidate(_chunk(0, long, 1), 0.9), Candidate(_chunk(1, "other " * 140 + "\n", 2), 0.8)]
    assert len(passages(pair, 5)) == 1
    assert len(passages([*pair, Candidate(_chunk(2, "third " * 20 + "\n", 3), 0.7)], 5)) == 2


def test_a_follow_up_is_searched_alone_and_joined() -> None:
    history = [Turn(speaker="user", text="How do I scale?"), Turn(speaker="assistant", text="With kubectl.")]
    assert question_forms(" and back? ", history) == ["and back?", "How do I scale?\nand back?"]
    assert question_forms("alone", []) == ["alone"]


def test_a_long_question_is_read_at_both_ends() -> None:
    text = " ".join(f"word{number}" for number in range(5000))
    begin, end = windows(text)
    assert begin.startswith("word0 word1 ")
    assert end.endswith(" word4998 word4999")
    assert windows("short") == ["short"]
    assert len(windows("x" * 100_000)[0]) < 2_000


def test_the_lead_is_over_a_later_passage_or_the_last() -> None:
    scores = [0.9 - 0.02 * place for place in range(30)]
    many = [Candidate(_chunk(place, "x\n", place + 1), score) for place, score in enumerate(scores)]
    assert lead(many[::-1]) == pytest.approx(scores[0] - scores[14])
    assert lead(many[:3]) == pytest.approx(0.04)
    assert lead(many[:1]) == lead([]) == 0


def test_confidence_grows_with_each_kind_of_evidence() -> None:
    nothing = confidence(Evidence(0, 0, 0, 0, 100))
    assert nothing < 0.01
    assert (
        nothing
        < confidence(Evidence(0.4, 0, 0, 0, 100))
        < confidence(Evidence(0.4, 0.3, 0, 0, 100))
        < confidence(Evidence(0.4, 0.3, 0.5, 0, 100))
    )
    assert confidence(Evidence(0.4, 0.3, 0.5, 0.3, 100)) < confidence(Evidence(0.4, 0.3, 0.5, 0, 100))
    assert confidence(Evidence(0.64, 0.54, 0, 0, 900)) > ANSWER_FROM > confidence(Evidence(0.29, 0.22, 0, 0, 900))


def test_the_same_evidence_from_more_chunks_says_less() -> None:
    assert confidence(Evidence(0.4, 0.3, 0, 0, 5, 0.3)) > ANSWER_FROM > confidence(Evidence(0.4, 0.3, 0, 0, 900, 0.3))
    assert confidence(Evidence(0.4, 0.3, 0, 0, 0)) == confidence(Evidence(0.4, 0.3, 0, 0, 3))


def test_a_workshops_own_passage_wins_a_tie_and_no_more() -> None:
    own, shared = Candidate(_chunk(0, "own\n", 1), 0.5), Candidate(_chunk(7, "shared\n", 1, document=1), 0.5)
    assert [each.chunk.ordinal for each in ordered(favour_own([shared, own]))] == [0, 7]
    nearly = replace(shared, fused=0.51)
    assert [each.chunk.ordinal for each in ordered(favour_own([nearly, own]))] == [0, 7]
    better = replace(shared, fused=0.6)
    assert [each.chunk.ordinal for each in ordered(favour_own([better, own]))] == [7, 0]
    assert favour_own([own]) == [own]
    # a shared document's step is none of the workshop's
    assert favour_step([shared], "a") == [shared]


def test_texts_of_different_documents_are_never_joined() -> None:
    for one, other in ((0, 1), (1, 2), (2, 0)):
        found = [
            Candidate(_chunk(1, "Alpha pigeons nest.\n", 1, document=one), 0.9),
            Candidate(_chunk(2, "Beta herons fly.\n", 2, document=other), 0.8),
        ]
        assert [each.chunk.text for each in passages(found, 5)] == ["Alpha pigeons nest.\n", "Beta herons fly.\n"]
    found = [replace(each, chunk=replace(each.chunk, document=3, workshop="_shared")) for each in found]
    assert [each.chunk.text for each in passages(found, 5)] == ["Alpha pigeons nest.\nBeta herons fly.\n"]


def test_of_the_same_text_the_workshops_own_stands_for_both() -> None:
    own = Candidate(_chunk(1, "Open the door with the key.\n", 1), 0.5)
    shared = Candidate(_chunk(9, "Open the door with the key.\n", 4, document=1), 0.9)
    (chosen,) = passages([shared, own], 5)
    assert (chosen.chunk, chosen.fused) == (own.chunk, 0.9)
    assert passages([own, shared], 5) == [own]
    again = Candidate(_chunk(8, "Open the door with the key.\n", 7, document=2), 0.4)
    assert passages([shared, again], 5) == [shared]
    # what a shared passage says besides is not thrown away
    wider = Candidate(_chunk(10, "Then close every window of the house and lock the garden gate.\n", 5, document=1), 0.8)
    (chosen,) = passages([shared, wider, own], 5)
    assert chosen.chunk.document == 1
    assert "window" in chosen.chunk.text
