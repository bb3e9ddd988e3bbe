"""How much indexing (or embedding of texts) goes on at once, and who is told to come back later. Knows no HTTP.

Indexing holds a workshop's files in memory and the model's threads. So a few run, some more wait with nothing but their
request in memory, and one beyond that is refused with the seconds after which it is worth asking again.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import ClassVar

import anyio

from shared_services.kit.errors import RateLimitedError

FIRST_GUESS_SECONDS = 10.0
LONGEST_RETRY_SECONDS = 120


class FullError(RateLimitedError):
    """As much runs and waits as may; `retry_after` (seconds) is in `extra`.

    Attributes:
        what: The requests that are meant.
    """

    what: ClassVar[str]


class IngestFullError(FullError):
    """As much is being indexed and waiting as may be."""

    what = "index"
    slug = "ingest-full"
    title = "Too much is being indexed right now"


class EmbeddingsFullError(FullError):
    """As many texts are being embedded and waiting as may be."""

    what = "embeddings"
    slug = "embeddings-full"
    title = "Too many texts are being embedded right now"


def retry_after(taken: float, running: int) -> int:
    """Whole seconds until one of `running` requests should have ended, when each takes `taken` seconds; 1 to 120."""
    return min(LONGEST_RETRY_SECONDS, max(1, ceil(taken / running)))


class Admission:
    """The door of indexing, or of what else keeps the model busy.

    Args:
        running: Requests that run at once.
        waiting: Requests that wait for their turn, first come, first served.
        full: What one beyond that is told.
    """

    def __init__(self, running: int, waiting: int, full: type[FullError] = IngestFullError) -> None:
        self._full = full
        self._running = running
        self._waiting = waiting
        self._inside = 0
        self._turns = anyio.Semaphore(running)
        self._taken = FIRST_GUESS_SECONDS

    @property
    def inside(self) -> int:
        """Requests that run or wait."""
        return self._inside

    def check(self) -> None:
        """Refuse what could not even wait.

        Raises:
            FullError: As many run and wait as may.
        """
        if self._inside >= self._running + self._waiting:
            seconds = retry_after(self._taken, self._running)
            raise self._full(
                f"{self._running} {self._full.what} requests run and {self._inside - self._running} wait, which is as many as "
                f"this agent takes. Nothing was changed. Send the request again in {seconds} seconds.",
                retry_after=seconds,
            )

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it to the end of the block.

        Raises:
            FullError: As many run and wait as may.
        """
        self.check()
        self._inside += 1
        try:
            async with self._turns:
                began = time.monotonic()
                yield
                # The later ones count more; what failed at once says nothing of how long a request takes.
                self._taken = 0.7 * self._taken + 0.3 * (time.monotonic() - began)
        finally:
            self._inside -= 1
