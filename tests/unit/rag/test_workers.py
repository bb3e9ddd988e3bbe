"""Whose batch a model computes next."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import closing

import pytest

from agents.rag.workers import QUIET_SECONDS, SEARCHES_IN_A_ROW, ModelWorkers, in_background, worker_count


class Gate:
    """One worker that is held at a first batch, so that what comes meanwhile has to wait."""

    def __init__(self, workers: ModelWorkers, count: int = 1) -> None:
        self.order: list[str] = []
        self.jobs: list[Future[None]] = []
        self._workers = workers
        self._held = threading.Event()
        begun = [threading.Event() for _ in range(count)]
        for each in begun:
            self.jobs.append(workers.submit(lambda each=each: (each.set(), self._held.wait(20))))  # type: ignore[misc]
        for each in begun:
            assert each.wait(20)

    def search(self, name: str) -> None:
        self.jobs.append(self._workers.submit(lambda: self.order.append(name)))

    def ingest(self, name: str) -> None:
        in_background(self.search, name)

    def open(self) -> list[str]:
        self._held.set()
        for job in self.jobs:
            job.result(20)
        return self.order


@pytest.fixture
def workers() -> Iterator[ModelWorkers]:
    with closing(ModelWorkers()) as made:
        yield made


def test_a_search_goes_before_an_ingest_that_came_first(workers: ModelWorkers) -> None:
    gate = Gate(workers)
    gate.ingest("ingest 1")
    gate.ingest("ingest 2")
    gate.search("search 1")
    gate.search("search 2")
    assert gate.open() == ["search 1", "search 2", "ingest 1", "ingest 2"]


def test_an_ingest_gets_its_turn_under_searches_without_end(workers: ModelWorkers) -> None:
    gate = Gate(workers)
    gate.ingest("ingest")
    for number in range(3 * SEARCHES_IN_A_ROW):
        gate.search(f"search {number}")
    # the batch that held the worker was asked for by a search too
    assert gate.open().index("ingest") == SEARCHES_IN_A_ROW - 1


def test_as_many_batches_run_at_once_as_there_are_workers() -> None:
    with closing(ModelWorkers(3)) as workers:
        gate = Gate(workers, 3)
        held = list(gate.jobs)
        assert not any(job.done() for job in held)
        gate.open()
        assert all(job.done() for job in held)


def test_an_error_reaches_who_asked_and_the_next_is_served(workers: ModelWorkers) -> None:
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result(20)
    assert workers.submit(lambda: 7).result(20) == 7


def test_closing_drops_what_waits(workers: ModelWorkers) -> None:
    gate = Gate(workers)
    gate.search("never")
    gate.ingest("never")
    workers.close()
    for job in gate.jobs[1:]:
        with pytest.raises(CancelledError):
            job.result(20)
    with pytest.raises(RuntimeError):
        workers.submit(lambda: None)
    gate._held.set()
    gate.jobs[0].result(20)
    assert gate.order == []


def test_an_ingest_s_batches_are_smaller_while_there_are_searches() -> None:
    now = 100.0
    with closing(ModelWorkers(clock=lambda: now)) as workers:
        assert in_background(workers.batch, 8) == 8
        in_background(workers.submit, lambda: None).result(20)
        assert in_background(workers.batch, 8) == 8
        workers.submit(lambda: None).result(20)
        assert in_background(workers.batch, 8) == 2
        assert in_background(workers.batch, 1) == 1
        assert workers.batch(8) == 8
        now += QUIET_SECONDS
        assert in_background(workers.batch, 8) == 8


@pytest.mark.parametrize(("wanted", "cores", "count"), [(0, 1, 1), (0, 2, 1), (0, 7, 1), (0, 8, 2), (0, 64, 16), (3, 2, 3)])
def test_without_a_wish_there_is_a_worker_for_each_four_cores(wanted: int, cores: int, count: int) -> None:
    assert worker_count(wanted, cores) == count
