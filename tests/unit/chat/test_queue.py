"""The line for the model: who is next, what those who wait are told, and that no place is lost."""

import contextlib
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import pytest

from shared_services.llm.errors import ModelUnavailableError
from workshop_chat.queue import ModelBusyError, ModelQueue, QueuePlace, Ticket, in_order, ordinal, waiting_message


def tickets(*participants: str) -> list[Ticket]:
    return [Ticket(participant, number, 0.0) for number, participant in enumerate(participants, 1)]


def names(waiting: list[Ticket], load: dict[str, int]) -> list[str]:
    return [f"{ticket.participant}{ticket.number}" for ticket in in_order(waiting, load)]


def test_whoever_asks_much_waits_behind_those_who_ask_little():
    assert names(tickets("a", "a", "a", "b", "c"), {}) == ["a1", "b4", "c5", "a2", "a3"]
    assert names(tickets("a", "b", "c"), {"a": 2, "b": 1}) == ["c3", "b2", "a1"]
    assert names(tickets("a", "b"), {}) == ["a1", "b2"]


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th")]
)
def test_ordinals(number: int, said: str):
    assert ordinal(number) == said


def test_the_message_says_the_place():
    assert waiting_message(3) == "The model is busy. You are 3rd in line."
    assert waiting_message(1) == "The model is busy. You are next in line."


def queue(streams: int = 1, patience: float = 30) -> ModelQueue:
    return ModelQueue("kettle", streams=streams, patience=patience)


async def taken(place: QueuePlace) -> list[int | None]:
    """Wait for the model; the positions that were told."""
    return [told.position async for told in place.turn()]


@contextlib.asynccontextmanager
async def waits(line: ModelQueue, participant: str) -> AsyncIterator[list[int | None]]:
    """Somebody who waits in a task of theirs; what they were told, and 0 once they have the model."""
    told: list[int | None] = []
    heard = anyio.Event()

    async def wait() -> None:
        with line.place(participant) as place:
            async for status in place.turn():
                told.append(status.position)
                heard.set()
            told.append(0)
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await heard.wait()
        yield told
        tasks.cancel_scope.cancel()


async def until(told: list[int | None], position: int) -> None:
    with anyio.fail_after(60):
        while told[-1] != position:
            await anyio.lowlevel.checkpoint()


async def test_a_free_model_is_not_waited_for():
    line = queue(streams=2)
    with line.place("a") as one, line.place("b") as two:
        assert await taken(one) == []
        assert await taken(two) == []


async def test_no_limit_lets_everybody_run():
    line = queue(streams=0)
    with contextlib.ExitStack() as places:
        for _ in range(500):
            assert await taken(places.enter_context(line.place("a"))) == []


async def test_the_next_one_goes_when_a_place_frees():
    line = queue()
    with line.place("a") as one:
        assert await taken(one) == []
        async with waits(line, "b") as b, waits(line, "c") as c:
            assert (b, c) == ([1], [2])
            line.give_up(one._ticket)
            await until(b, 0)
            await until(c, 1)


async def test_giving_up_while_waiting_frees_the_place_in_line():
    line = queue()
    with line.place("a") as one:
        assert await taken(one) == []
        async with waits(line, "a") as again:
            async with waits(line, "b") as b:
                await until(again, 2)
                assert b == [1]
            await until(again, 1)
        line.give_up(one._ticket)
        with line.place("d") as other:
            assert await taken(other) == []


async def test_who_was_served_lately_goes_behind():
    line = queue()
    with line.place("a") as first:
        assert await taken(first) == []
    with line.place("x") as held:
        assert await taken(held) == []
        async with waits(line, "a") as again, waits(line, "b") as b:
            await until(again, 2)
            assert b == [1]


async def test_waiting_too_long_is_told():
    line = queue(patience=0)
    with line.place("a") as one, line.place("b") as two:
        assert await taken(one) == []
        with pytest.raises(ModelBusyError):
            await taken(two)


async def test_a_model_that_says_it_is_busy_is_left_alone_for_that_time():
    line = queue(streams=4)
    busy = ModelUnavailableError("rate_limited", "", retry_after=0.05)
    with line.place("a") as one:
        assert await taken(one) == []
        assert one.again(busy)
        assert line.paused_for() > 0
        assert await taken(one) == [1]
        assert not one.again(ModelUnavailableError("failed", ""))


async def test_a_pause_beyond_ones_patience_is_not_waited_for():
    line = queue(patience=5)
    with line.place("a") as one, line.place("b") as two:
        assert await taken(one) == []
        assert not one.again(ModelUnavailableError("rate_limited", "", retry_after=300))
        with pytest.raises(ModelBusyError):
            await taken(two)


async def test_what_was_served_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workshop_chat.queue.LATELY_SECONDS", -1.0)
    line = queue()
    for _ in range(3):
        with line.place("a") as place:
            assert await taken(place) == []
    with line.place("b") as place:
        assert await taken(place) == []
        assert line._load == {"b": 1}
