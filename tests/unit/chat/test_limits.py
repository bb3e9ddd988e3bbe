"""How much one participant may ask for, and what they are told when it is too much."""

from datetime import UTC, datetime, timedelta

import pytest

from workshop_chat.errors import MessageTooLongError, TooManyMessagesError
from workshop_chat.limits import Asked, Bounds, RecentMessages, check_length, check_rate

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
BOUNDS = Bounds(per_minute=3, at_once=2, characters=100)


def asked(*seconds: float, alive: float | None = None) -> list[Asked]:
    """Messages so many seconds ago; `alive` seconds ago their answers were being written."""
    at = None if alive is None else NOW - timedelta(seconds=alive)
    return [Asked(NOW - timedelta(seconds=each), at) for each in seconds]


def test_within_the_bounds_nothing_is_said():
    check_rate(NOW, asked(1, 2), BOUNDS)
    check_rate(NOW, asked(61, 62, 63, 64), BOUNDS)
    check_rate(NOW, asked(*range(50)), Bounds(0, 0, 0))
    check_rate(NOW, asked(5, alive=1), BOUNDS)


def test_the_wait_is_until_the_oldest_one_that_counts_is_a_minute_old():
    with pytest.raises(TooManyMessagesError) as refused:
        check_rate(NOW, asked(10, 50, 30, 59), BOUNDS)
    assert refused.value.extra["retry_after"] == 10
    assert "Wait 10 seconds" in refused.value.detail


def test_answers_that_are_being_written_count_while_their_process_lives():
    with pytest.raises(TooManyMessagesError, match="2 answers are being written for you"):
        check_rate(NOW, asked(5, 90, alive=1), BOUNDS)
    check_rate(NOW, asked(70, 90, alive=65), BOUNDS)


def test_a_long_message_is_told_its_length():
    check_length("x" * 100, 100)
    check_length("x" * 1000, 0)
    with pytest.raises(MessageTooLongError, match="101 characters, and at most 100 are read"):
        check_length("x" * 101, 100)


def test_long_output_is_told_what_to_paste_instead():
    output = "$ kubectl apply -f pod.yaml\nError from server: connection refused\n" * 30
    with pytest.raises(MessageTooLongError, match="paste the command, the first error") as refused:
        check_length(output, 100)
    assert f"{len(output):,} characters" in refused.value.detail


def test_messages_that_are_kept_nowhere_are_counted_too():
    recent = RecentMessages(2)
    recent.take("ada")
    recent.take("ada")
    with pytest.raises(TooManyMessagesError) as refused:
        recent.take("ada")
    assert 59 <= refused.value.extra["retry_after"] <= 60
    recent.take("bob")
    unlimited = RecentMessages(0)
    for _ in range(100):
        unlimited.take("ada")
