"""Who gets the model next: a few threads, searches before ingest. Knows no engine.

A batch that has begun is not interrupted, so a search waits for the rest of one batch and for searches that came before it,
however much an ingest has handed over; and while there are searches, an ingest's batches are cut to a quarter. Ingest is not
starved: it gets every ninth turn.
"""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

SEARCHES_IN_A_ROW = 8
CORES_A_WORKER = 4
SLICES = 4
QUIET_SECONDS = 2.0

_background: ContextVar[bool] = ContextVar("model_background", default=False)


def in_background[T, *A](function: Callable[[*A], T], *arguments: *A) -> T:
    """Call `function`; what it asks of a model waits behind everybody else."""
    token = _background.set(True)
    try:
        return function(*arguments)
    finally:
        _background.reset(token)


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(wanted: int, cores: int) -> int:
    """How many batches are computed at the same time: as many as wanted, or, for 0, one for each four cores.

    A batch of short texts keeps some four cores busy; more of them gain little, another batch beside it does.
    """
    return wanted or max(1, cores // CORES_A_WORKER)


class ModelWorkers:
    """Threads that run a model's batches.

    Args:
        count: How many run at the same time.
        clock: Seconds, from anywhere.
    """

    def __init__(self, count: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="embedder")
        self._searches: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._ingest: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._in_a_row = 0
        self._clock = clock
        self._searched = -math.inf
        self._lock = threading.Lock()

    def submit[T](self, work: Callable[[], T]) -> Future[T]:
        """Have `work` run by the next free thread, behind what came before it and, from `in_background`, behind searches.

        Raises:
            RuntimeError: The threads were ended.
        """
        job: Future[T] = Future()
        waiting = self._ingest if _background.get() else self._searches
        if waiting is self._searches:
            self._searched = self._clock()
        with self._lock:
            # One turn for each job; which job it runs is chosen when it comes.
            self._pool.submit(self._turn)
            waiting.append((job, work))
        return job

    def batch(self, most: int) -> int:
        """How many texts the caller's batches should have: `most`, but from `in_background` fewer while there are searches."""
        searched = self._clock() - self._searched < QUIET_SECONDS
        return max(1, most // SLICES) if searched and _background.get() else most

    def close(self) -> None:
        """End the threads; what is waiting is dropped, and what is under way (it cannot be stopped) not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            left = [*self._searches, *self._ingest]
            self._searches.clear()
            self._ingest.clear()
        for job, _ in left:
            job.cancel()

    def _turn(self) -> None:
        with self._lock:
            chosen = self._next()
        if chosen is None:
            return
        job, work = chosen
        if not job.set_running_or_notify_cancel():
            return
        try:
            job.set_result(work())
        except BaseException as error:
            job.set_exception(error)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        if self._searches and not (self._ingest and self._in_a_row >= SEARCHES_IN_A_ROW):
            self._in_a_row += 1
            return self._searches.popleft()
        self._in_a_row = 0
        return self._ingest.popleft() if self._ingest else None
