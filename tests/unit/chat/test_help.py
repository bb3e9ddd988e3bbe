from datetime import UTC, datetime, timedelta

import pytest

from shared_services.contracts.workshop import HelpSettings, SolvePolicy, StepManifest, WorkshopManifest
from workshop_chat.help import SolveLock, StepRecord, policy_of, readable_kinds, solve_lock

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("policy", "record", "lock"),
    [
        (SolvePolicy(), StepRecord(), None),
        (SolvePolicy(allowed=False), StepRecord(NOW - minutes(999), 99), SolveLock()),
        (SolvePolicy(after_minutes=5), StepRecord(), SolveLock(opens_at=NOW + minutes(5))),
        (SolvePolicy(after_minutes=5), StepRecord(NOW - minutes(4)), SolveLock(opens_at=NOW + minutes(1))),
        (SolvePolicy(after_minutes=5), StepRecord(NOW - minutes(5)), None),
        (SolvePolicy(after_failed_checks=2), StepRecord(NOW - minutes(99), 1), SolveLock(failed_checks_left=1)),
        (SolvePolicy(after_failed_checks=2), StepRecord(None, 2), None),
        (SolvePolicy(after_minutes=5, after_failed_checks=2), StepRecord(NOW, 2), None),
        (SolvePolicy(after_minutes=5, after_failed_checks=2), StepRecord(NOW - minutes(6), 0), None),
        (SolvePolicy(after_minutes=5, after_failed_checks=2), StepRecord(NOW, 1), SolveLock(NOW + minutes(5), 1)),
    ],
)
def test_when_the_solution_is_open(policy: SolvePolicy, record: StepRecord, lock: SolveLock | None):
    assert solve_lock(policy, record, NOW) == lock


@pytest.mark.parametrize(
    ("lock", "says"),
    [
        (SolveLock(), "switched solutions off"),
        (SolveLock(NOW + minutes(4.5)), "opens in 5 minutes."),
        (SolveLock(NOW + minutes(1)), "opens in 1 minute."),
        (SolveLock(None, 1), "opens after 1 more failed check."),
        (SolveLock(NOW + minutes(3), 2), "opens in 3 minutes or after 2 more failed checks."),
    ],
)
def test_a_lock_says_when_it_opens(lock: SolveLock, says: str):
    assert says in lock.sentence(NOW)


def test_a_steps_own_policy_counts_before_the_workshops():
    manifest = WorkshopManifest(slug="tiny", title="Tiny", steps=["one"], help=HelpSettings(solve=SolvePolicy(allowed=False)))
    own = StepManifest(title="One", solve=SolvePolicy(after_minutes=3))
    assert not policy_of(manifest, None).allowed
    assert not policy_of(manifest, StepManifest(title="Two")).allowed
    assert policy_of(manifest, own).after_minutes == 3


def test_no_mode_reads_a_check_and_only_an_open_solve_a_solution():
    for mode in ("hint", "explain", "solve"):
        for is_open in (True, False):
            kinds = readable_kinds(mode, solve_open=is_open)
            assert "check" not in kinds
            assert ("solve" in kinds) == (mode == "solve" and is_open)
    assert not {"command", "code"} & set(readable_kinds("hint", solve_open=True))
