"""Who is silent: judged by counts and one clock, never by what nobody could see."""

import pytest

from shared_services.jobs.executors import SILENT_SECONDS, Silence


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def look(silence: Silence, clock: Clock, seconds: float, counts: list[int | None]) -> list[set[str]]:
    """What is said of the executor `a` at each look, `seconds` apart; None for an executor without a count."""
    said = []
    for count in counts:
        said.append(silence.after({} if count is None else {"a": count}, ["a"]))
        clock.now += seconds
    return said


def test_one_that_counts_is_never_silent(clock: Clock):
    assert look(Silence(clock), clock, 10, list(range(100))) == [set()] * 100


def test_one_that_counts_as_slowly_as_can_be_is_not_silent(clock: Clock):
    assert not any(look(Silence(clock), clock, 5, [number // 11 for number in range(100)]))


@pytest.mark.parametrize("count", [7, None])
def test_one_that_has_stopped_is_silent_after_the_time_and_not_before(clock: Clock, count: int | None):
    said = look(Silence(clock), clock, 5, [count] * 20)
    assert said == [set()] * int(SILENT_SECONDS / 5) + [{"a"}] * (20 - int(SILENT_SECONDS / 5))


def test_after_an_outage_everybody_has_the_whole_time_again(clock: Clock):
    silence = Silence(clock)
    look(silence, clock, 5, [3] * 11)
    clock.now += 600
    assert look(silence, clock, 5, [3] * 12) == [set()] * 12


def test_who_is_asked_about_anew_has_the_whole_time(clock: Clock):
    silence = Silence(clock)
    for _ in range(30):
        assert silence.after({"a": 1}, []) == set()
        clock.now += 5
    assert look(silence, clock, 5, [1] * 12) == [set()] * 12


def test_one_that_came_back_for_a_moment_has_the_whole_time_again(clock: Clock):
    silence = Silence(clock)
    assert look(silence, clock, 5, [1] * 13)[-1] == {"a"}
    assert look(silence, clock, 5, [2] * 12) == [set()] * 12
