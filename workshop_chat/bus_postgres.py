"""Signals over PostgreSQL's LISTEN and NOTIFY, to every process of one chat agent.

One task owns one connection outside the pool: it listens there and sends what was given to `signal`. When the connection is
lost it makes another, and tells every subscriber once that something may have been missed. A pooler that hands out
connections by the transaction cannot be in between.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from workshop_chat.bus import LocalBus
from workshop_chat.shared_names import SharedNames

log = get_logger()

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
HEARTBEAT_SECONDS = 10.0
ANSWER_SECONDS = 5.0
LAST_SEND_SECONDS = 1.0
MAX_PAYLOAD_BYTES = 7_900
"""PostgreSQL takes payloads shorter than 8,000 bytes."""
MAX_KEY_BYTES = 2_000
MAX_WAITING = 10_000
_SEPARATOR = "\n"


def payloads(sender: str, signals: set[tuple[str, str]]) -> list[str]:
    """Signals as payloads `SENDER TOPIC KEY`, with as many keys in one, each on its line, as PostgreSQL takes."""
    made: list[str] = []
    size = MAX_PAYLOAD_BYTES
    head = ""
    for topic, key in sorted((topic, sendable(key)) for topic, key in signals):
        start = f"{sender} {topic} "
        taken = len(key.encode()) + 1
        if start != head or size + taken > MAX_PAYLOAD_BYTES:
            head, size = start, len(start.encode()) + taken
            made.append(start + key)
        else:
            size += taken
            made[-1] += _SEPARATOR + key
    return made


def sendable(key: str) -> str:
    """A key as PostgreSQL takes it; empty, which stands for all of its topic, for one that it does not take."""
    encoded = key.encode(errors="replace")
    return "" if b"\0" in encoded or len(encoded) > MAX_KEY_BYTES else encoded.decode()


def read_payload(payload: str) -> tuple[str, str, list[str]]:
    """Sender, topic and keys of a payload; empty ones where it is none of ours."""
    sender, _, rest = payload.partition(" ")
    topic, _, keys = rest.partition(" ")
    return sender, topic, keys.split(_SEPARATOR)


class PostgresBus:
    """A bus between all processes that serve one workshop on one PostgreSQL. Those in this process are told at once.

    Args:
        engine: Gives the connection, with all that its url says.
        names: Whose it is; the signals of another workshop are never heard, nor can it give or hear those of this one.
    """

    def __init__(self, engine: AsyncEngine, names: SharedNames) -> None:
        self._engine = engine
        self._workshop = names.workshop
        self._channel = names.channel()
        self._local = LocalBus()
        self._id = uuid.uuid4().hex[:12]
        self._waiting: set[tuple[str, str]] = set()
        self._due = anyio.Event()
        self._sent = anyio.Event()
        self._task: asyncio.Task[None] | None = None
        self.connected = anyio.Event()
        """Set while it listens."""

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[Any]:
        """Listen for `topics` while the block lasts."""
        async with self._local.subscribe(*topics) as subscription:
            yield subscription

    async def signal(self, topic: str, *keys: str) -> None:
        """Tell all who listen for `topic`, here and in every other process; without a key, that anything may have changed."""
        self._local.give(topic, *keys)
        self._waiting.update((topic, key) for key in keys or ("",))
        if len(self._waiting) > MAX_WAITING:
            # The database has been away for long: which keys it were matters less than the memory.
            self._waiting = {(each, "") for each, _ in self._waiting}
        self._due.set()
        self._sent = anyio.Event()

    async def start(self) -> None:
        """Begin to listen. Returns before there is a connection; whoever subscribes is woken when there is one."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_connected())

    async def close(self) -> None:
        """Send what waits if that can be done at once, stop listening and close the connection."""
        if self._waiting and self.connected.is_set():
            with anyio.move_on_after(LAST_SEND_SECONDS):
                await self._sent.wait()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._serve()
            except Exception as error:
                log.warning("signals_lost", workshop=self._workshop, error=type(error).__name__, reason=str(error)[:200])
            pause = FIRST_PAUSE_SECONDS if self.connected.is_set() else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self.connected = anyio.Event()
            await asyncio.sleep(pause)

    async def _serve(self) -> None:
        """Listen and send on a new connection until it is lost, which raises."""
        async with self._engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await connection.run_sync(lambda each: each.detach())
            lost = anyio.Event()

            def on_lost(_connection: Any) -> None:
                lost.set()
                self._due.set()

            raw.add_termination_listener(on_lost)
            await raw.add_listener(self._channel, self._heard)
            self.connected.set()
            self._local.give_all()
            try:
                while not lost.is_set():
                    with anyio.move_on_after(HEARTBEAT_SECONDS):
                        await self._due.wait()
                    self._due = anyio.Event()
                    if not lost.is_set():
                        await self._send(raw)
            finally:
                raw.remove_termination_listener(on_lost)
                if not raw.is_closed():
                    raw.terminate()
        raise ConnectionError("the connection was closed")

    async def _send(self, raw: Any) -> None:
        """Send what waits; with nothing waiting, find out whether the connection still stands."""
        signals, self._waiting = self._waiting, set()
        try:
            await raw.execute(
                "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload",
                self._channel,
                payloads(self._id, signals),
                timeout=ANSWER_SECONDS,
            )
        except BaseException:
            self._waiting |= signals
            self._due.set()
            raise
        if not self._waiting:
            self._sent.set()

    def _heard(self, _connection: Any, _process: int, _channel: str, payload: object) -> None:
        sender, topic, keys = read_payload(str(payload))
        if topic and sender != self._id:
            self._local.give(topic, *keys)
