"""Signals between the parts of one chat agent: that something has changed, never what.

What is true stands in the database; a signal only says that it is time to look again. So a signal that is lost costs a moment,
never a fact, and a subscriber that has missed some looks once. `LocalBus` reaches this process, `PostgresBus` (in
`bus_postgres`) all processes of the chat agent. An empty key says that anything of the topic may have changed.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from workshop_chat.shared_names import SharedNames

TURNS = "turns"
"""A turn has new blocks or has ended; the key is `CONVERSATION/NUMBER`."""
STOPS = "stops"
"""A turn shall stop, wherever its answer is being made; the key is `CONVERSATION/NUMBER`."""
SESSIONS = "sessions"
"""Somebody came, left, moved to a step, raised or lowered their hand, or a check ended; the key is the participant's id,
or empty where many did at once."""
NOTES = "notes"
"""A note to all was given or taken back; without a key."""


class Subscription:
    """Signals that have come since `wait` last returned, as one: `(topic, key)` pairs, each once.

    Args:
        topics: What is listened for.
    """

    def __init__(self, *topics: str) -> None:
        self.topics = frozenset(topics)
        self._come: set[tuple[str, str]] = set()
        self._event = anyio.Event()

    def give(self, topic: str, key: str) -> None:
        """A signal has come."""
        if topic in self.topics:
            self._come.add((topic, key))
            self._event.set()

    def give_all(self) -> None:
        """Signals may have been missed: each topic once, with an empty key."""
        for topic in self.topics:
            self.give(topic, "")

    async def wait(self, seconds: float | None = None) -> set[tuple[str, str]]:
        """The signals since the last call, as soon as there are any; an empty set after `seconds` without."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        come, self._come, self._event = self._come, set(), anyio.Event()
        return come


class Bus(Protocol):
    """Sends signals to all parts of the chat agent that listen."""

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]:
        """Listen for `topics` while the block lasts."""
        ...

    async def signal(self, topic: str, *keys: str) -> None:
        """Tell all who listen for `topic`; without a key, that anything of it may have changed.

        Never waits for the network and never raises: what a signal speaks of is in the database by then.
        """
        ...

    async def start(self) -> None:
        """Begin to listen; `close` ends it."""
        ...

    async def close(self) -> None:
        """Stop listening."""
        ...


class LocalBus:
    """A bus inside this process, which is all there is on SQLite."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[Subscription]:
        """Listen for `topics` while the block lasts."""
        subscription = Subscription(*topics)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def signal(self, topic: str, *keys: str) -> None:
        """Tell all who listen for `topic`; without a key, that anything of it may have changed."""
        self.give(topic, *keys)

    def give(self, topic: str, *keys: str) -> None:
        """Tell those in this process."""
        for subscription in list(self._subscriptions):
            for key in keys or ("",):
                subscription.give(topic, key)

    def give_all(self) -> None:
        """Tell all subscribers in this process that they may have missed something."""
        for subscription in list(self._subscriptions):
            subscription.give_all()

    async def start(self) -> None:
        """Nothing is to be begun."""

    async def close(self) -> None:
        """Nothing is held."""


def open_bus(engine: AsyncEngine, names: SharedNames) -> Bus:
    """The bus that reaches every process of a workshop's chat agent on this store: `start` it, and `close` it in the end."""
    if engine.dialect.name != "postgresql":
        return LocalBus()
    # Its driver takes memory, and a laptop never needs it.
    from workshop_chat.bus_postgres import PostgresBus

    return PostgresBus(engine, names)
