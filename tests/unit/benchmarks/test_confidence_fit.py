import pytest

from agents.rag.confidence import Evidence
from benchmarks.confidence_fit import Example, Kind, calibration, chances, crossed, errors, fit, judgement


def _examples() -> list[Example]:
    found = []
    for tenant in "abcd":
        for place in range(40):
            kind: Kind = "answered" if place % 2 else "foreign"
            cosine = (0.6 if place % 2 else 0.3) + (place % 8) * 0.05
            found.append(Example(tenant, kind, 0, Evidence(cosine, 0.3, 0.0, 0.0, 50)))
    return found


def test_a_curve_grows_with_what_tells_answers_apart() -> None:
    curve = fit(_examples())
    assert curve.cosine > 1
    assert curve.named == pytest.approx(0, abs=1e-6)


def test_no_example_is_judged_by_a_curve_that_saw_its_tenant() -> None:
    given = _examples()
    curves, judged = crossed(given)
    assert len(judged) == len(given)
    expected = dict.fromkeys("bd", fit([each for each in given if each.tenant in "ac"]))
    expected |= dict.fromkeys("ac", fit([each for each in given if each.tenant in "bd"]))
    assert all(chance == chances([each], expected[each.tenant])[0] for each, chance in judged)
    assert len(curves) == 2


def test_the_tables_weigh_every_example_once() -> None:
    _, judged = crossed(_examples())
    assert sum(row["share"] for row in calibration(judged)) == pytest.approx(1)
    (row,) = judgement(judged)
    assert row["pool"] == "whole"
    assert 0.5 < row["auroc_foreign"] <= 1
    assert row["auroc_hidden"] is None
    assert row["answers_unanswerable"] is None


def test_errors_are_zero_where_every_estimate_is_right() -> None:
    given = _examples()
    right = [(each, float(each.kind == "answered")) for each in given]
    assert errors(right) == {"brier": 0.0, "calibration": 0.0}
    even = [(each, 0.5) for each in given]
    assert errors(even)["brier"] == pytest.approx(0.25)
