"""How much is indexed at once, and what one too many is told."""

import anyio
import pytest

from agents.rag.admission import LONGEST_RETRY_SECONDS, Admission, IngestFullError, retry_after


class Held:
    """Requests that come in, and go out when they are let."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.let = anyio.Event()
        self.inside = 0
        self.done = 0

    async def request(self) -> None:
        async with self._admission.admitted():
            self.inside += 1
            await self.let.wait()
        self.done += 1


async def test_some_run_some_wait_and_one_more_is_told_when_to_come_back() -> None:
    admission = Admission(running=2, waiting=3)
    held = Held(admission)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(held.request)
        await anyio.wait_all_tasks_blocked()
        assert held.inside == 2
        with pytest.raises(IngestFullError) as full:
            admission.check()
        with pytest.raises(IngestFullError):
            await held.request()
        assert full.value.status == 429
        assert full.value.extra["retry_after"] == 5
        assert "in 5 seconds" in full.value.detail
        held.let.set()
    assert held.done == 5
    admission.check()


async def test_who_stops_waiting_makes_room() -> None:
    admission = Admission(running=1, waiting=1)
    held = Held(admission)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(held.request)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0):
            await held.request()
        admission.check()
        held.let.set()
    assert held.done == 1


async def test_a_failure_gives_the_place_back() -> None:
    admission = Admission(running=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            async with admission.admitted():
                raise ValueError("broken")


@pytest.mark.parametrize(
    ("taken", "running", "seconds"), [(10, 2, 5), (0.1, 2, 1), (0, 1, 1), (7, 2, 4), (9_999, 1, LONGEST_RETRY_SECONDS)]
)
def test_when_asking_again_is_worth_it(taken: float, running: int, seconds: int) -> None:
    assert retry_after(taken, running) == seconds
