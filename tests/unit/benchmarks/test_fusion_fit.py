import pytest

from benchmarks.fusion_fit import Choice, Measured, chosen, halvings, merit, shipped
from benchmarks.questions import Question


def _question(tenant: str, source: str = "s") -> Question:
    return Question(tenant, source, tenant, "text", (), "ANSWERABLE", frozenset(["p"]))


class FakeRanker:
    """Finds the more, the nearer the dense weight is to what the tenant wants."""

    def __init__(self, wants: dict[str, float]) -> None:
        self.questions = [_question(tenant) for tenant in wants]
        self._wants = wants

    def measured(self, choice: Choice) -> Measured:
        return [(1 - abs(choice.dense - want), 1 - abs(choice.dense - want)) for want in self._wants.values()]


def test_every_halving_leaves_each_tenant_out_once() -> None:
    ways = halvings(["d", "b", "a", "c"])
    assert [way[0] for way in ways] == [["a", "b"], ["a", "c"], ["a", "d"]]
    assert all(sorted(one + other) == ["a", "b", "c", "d"] for one, other in ways)
    assert halvings(["a", "b", "c"]) == [(["a"], ["b", "c"]), (["b"], ["a", "c"]), (["c"], ["a", "b"])]


def test_a_choice_sees_its_own_tenants_alone() -> None:
    ranker = FakeRanker({"a": 0.6, "b": 0.6, "c": 0.8})
    assert chosen(ranker, ["a", "b"]).dense == 0.6  # type: ignore[arg-type]
    assert chosen(ranker, ["c"]).dense == 0.8  # type: ignore[arg-type]
    assert chosen(ranker, ["a"]).joined == Choice().joined  # type: ignore[arg-type]


def test_sources_count_alike_however_many_questions_they_have() -> None:
    questions = [_question("a", "one"), _question("a", "two"), _question("a", "two"), _question("b", "one")]
    assert merit([(1, 1), (0, 0), (0, 0), (0, 0)], questions, ["a"]) == pytest.approx(0.5)


def test_a_choice_gives_back_the_products_weights() -> None:
    weights = shipped().weights
    assert weights.dense + weights.keyword + weights.identifiers + weights.phrases == pytest.approx(1)
    assert shipped() == Choice(dense=0.6, identifiers=0.5, phrases=0.05, joined=0.6)
