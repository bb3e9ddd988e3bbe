import pytest

from agents.rag.confidence import Evidence
from benchmarks.confidence_fit import Example, Kind
from benchmarks.keyword_confidence_fit import chances, crossed, fit


def _examples() -> list[Example]:
    found = []
    for tenant in "abcd":
        for place in range(40):
            kind: Kind = "answered" if place % 2 else "foreign"
            share = (0.5 if place % 2 else 0.2) + (place % 8) * 0.05
            found.append(Example(tenant, kind, 0, Evidence(0.0, share, 0.0, 0.0, 50)))
    return found


def test_a_curve_grows_with_what_tells_answers_apart() -> None:
    curve = fit(_examples())
    assert curve.share > 1
    assert curve.named == pytest.approx(0, abs=1e-6)


def test_no_example_is_judged_by_a_curve_that_saw_its_tenant() -> None:
    given = _examples()
    curves, judged = crossed(given)
    assert len(judged) == len(given)
    expected = dict.fromkeys("bd", fit([each for each in given if each.tenant in "ac"]))
    expected |= dict.fromkeys("ac", fit([each for each in given if each.tenant in "bd"]))
    assert all(chance == chances([each.evidence], expected[each.tenant])[0] for each, chance in judged)
    assert len(curves) == 2
