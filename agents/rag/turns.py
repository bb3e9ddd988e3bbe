"""Who may change a workshop's index now, and who still reads one that is gone: both within one process."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import anyio


@dataclass
class Turnstile:
    """One writer for each workshop at a time; locks are forgotten when nobody waits."""

    locks: dict[str, tuple[anyio.Lock, int]] = field(default_factory=dict)

    @asynccontextmanager
    async def alone(self, workshop: str) -> AsyncIterator[None]:
        """Wait for the workshop, and hold it to the end of the block."""
        lock, waiting = self.locks.get(workshop, (anyio.Lock(), 0))
        self.locks[workshop] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self.locks.pop(workshop)
            if waiting > 1:
                self.locks[workshop] = (lock, waiting - 1)


@dataclass
class Readers:
    """Searches under way in each collection, and which of these collections were dropped meanwhile."""

    counts: Counter[str] = field(default_factory=Counter)
    dropped: set[str] = field(default_factory=set)

    def drop(self, collection: str) -> None:
        """Note that a collection is gone."""
        if self.counts[collection]:
            self.dropped.add(collection)
        else:
            del self.counts[collection]

    @contextmanager
    def reading(self, collection: str, forget: Callable[[str], None]) -> Iterator[None]:
        """Read a collection; `forget` is called by the last reader of one that was dropped."""
        self.counts[collection] += 1
        try:
            yield
        finally:
            self.counts[collection] -= 1
            if not self.counts[collection]:
                del self.counts[collection]
                if collection in self.dropped:
                    self.dropped.remove(collection)
                    forget(collection)
