"""The live channel of a participant's page: whether they have a place, what is said to all, and that a hand was lowered.

One subscription to the chat agent's signals serves every open page: it looks once at what has changed and wakes the pages whose
view is another one. A page that reads slowly gets the newest state, not each one before it. Signals may be lost, so everything
is looked at again every ten seconds.
"""

from collections.abc import AsyncGenerator, Collection, Iterable

import anyio
from structlog import get_logger

from shared_services.contracts.chat import Note, SessionView
from shared_services.kit.errors import PlatformError
from shared_services.kit.sse import encode
from workshop_chat import metrics
from workshop_chat.admission import view
from workshop_chat.bus import NOTES, SESSIONS, Bus
from workshop_chat.notes import Notes
from workshop_chat.participants import Participant
from workshop_chat.sessions import Sessions

log = get_logger()

LOOK_SECONDS = 10.0
GATHER_SECONDS = 0.1
"""Signals that come this close together are looked at together."""


class Connection:
    """An open page: what it shall show, and what it was last told."""

    def __init__(self, who: Participant) -> None:
        self.who = who
        self.session: SessionView | None = None
        self.notes: list[Note] | None = None
        self._told_session: SessionView | None = None
        self._told_notes: list[Note] | None = None
        self._changed = anyio.Event()
        self._closed = False

    def close(self) -> None:
        """End its events."""
        self._closed = True
        self._changed.set()

    def show(self, *, session: SessionView | None = None, notes: list[Note] | None = None) -> None:
        """Set what the page shall show; None leaves it."""
        self.session = session or self.session
        self.notes = self.notes if notes is None else notes
        if self._session_differs() or self._notes_differ():
            self._changed.set()

    def _session_differs(self) -> bool:
        return self.session is not None and _shown(self.session) != _shown(self._told_session)

    def _notes_differ(self) -> bool:
        return self.notes is not None and self.notes != self._told_notes

    async def events(self) -> AsyncGenerator[bytes]:
        """What the page has to be told, as server-sent events, until it is closed."""
        while not self._closed:
            self._changed = anyio.Event()
            if self._session_differs() and self.session is not None:
                told, self._told_session = self._told_session, self.session
                yield encode("session", self.session)
                if told is not None and told.hand_raised and not self._told_session.hand_raised:
                    yield encode("hand", {"raised": False})
            if self._notes_differ() and self.notes is not None:
                self._told_notes = self.notes
                yield encode("note", {"notes": [note.model_dump(mode="json") for note in self._told_notes]})
            if not (self._closed or self._session_differs() or self._notes_differ()):
                await self._changed.wait()


class Connections:
    """The open pages of one chat agent at this process."""

    def __init__(self, workshop: str) -> None:
        self._open: dict[str, set[Connection]] = {}
        self._gauge = metrics.LIVE_CONNECTIONS.labels(workshop)

    def add(self, connection: Connection) -> None:
        """A page was opened."""
        self._open.setdefault(connection.who.id, set()).add(connection)
        self._gauge.inc()

    def remove(self, connection: Connection) -> None:
        """A page was closed."""
        mine = self._open[connection.who.id]
        mine.discard(connection)
        if not mine:
            del self._open[connection.who.id]
        self._gauge.dec()

    def close(self) -> None:
        """End them all: the process is about to, and their pages look for another one."""
        for connection in self.every():
            connection.close()

    def participants(self) -> Collection[str]:
        """Whose pages are open."""
        return self._open.keys()

    def of(self, participant: str) -> Collection[Connection]:
        """One participant's open pages."""
        return self._open.get(participant, ())

    def every(self) -> Iterable[Connection]:
        """All open pages."""
        return [connection for mine in self._open.values() for connection in mine]


class LiveChannel:
    """Tells open pages what concerns them.

    Args:
        connections: Where they are found.
        sessions: Who has a place.
        notes: What was said to all.
        bus: Tells that something has changed.
    """

    def __init__(self, connections: Connections, sessions: Sessions, notes: Notes, bus: Bus) -> None:
        self._connections = connections
        self._sessions = sessions
        self._notes = notes
        self._bus = bus
        self._standing: list[Note] | None = None

    async def standing(self) -> list[Note]:
        """The notes that stand, newest first, as this process knows them."""
        if self._standing is None:
            self._standing = await self._notes.standing()
        return self._standing

    async def events(self, who: Participant) -> AsyncGenerator[bytes]:
        """What a participant's page has to be told, without end: `session` and `note` at once, then each when it changes.

        Raises:
            PlatformError: The workshop or the store cannot be read.
        """
        connection = Connection(who)
        self._connections.add(connection)
        try:
            connection.show(session=await self._sessions.view(who), notes=await self.standing())
            async for event in connection.events():
                yield event
        finally:
            self._connections.remove(connection)

    async def keep(self) -> None:
        """Listen until cancelled."""
        async with self._bus.subscribe(SESSIONS, NOTES) as signals:
            come: set[tuple[str, str]] = set()
            while True:
                try:
                    await self.look(come)
                except PlatformError as error:
                    log.warning("live_channel_failed", detail=error.detail)
                except Exception:
                    log.exception("live_channel_failed")
                come = await signals.wait(LOOK_SECONDS)
                await anyio.sleep(GATHER_SECONDS if come else 0)

    async def look(self, come: Collection[tuple[str, str]]) -> None:
        """Look at what signals speak of, or at everything where there are none, and wake the pages that it concerns."""
        if not come or (NOTES, "") in come:
            standing = await self._notes.standing()
            if standing != self._standing:
                self._standing = standing
                for connection in self._connections.every():
                    connection.show(notes=standing)
        changed = {key for topic, key in come if topic == SESSIONS}
        await self._sessions.look_again(changed)
        if changed or not come:
            await self._look_at_sessions(changed or {""})

    async def _look_at_sessions(self, changed: Collection[str]) -> None:
        pages = [one for one in self._connections.every() if not one.who.teaches]
        if "" not in changed:
            # Whoever waits moves up when somebody else leaves.
            pages = [one for one in pages if one.who.id in changed or (one.session and one.session.state == "waiting")]
        if not pages:
            return
        rules = await self._sessions.rules()
        places, live = await self._sessions.look([one.who.id for one in pages])
        known = {place.participant: place for place in places}
        waiting = [place for place in places if place.state == "waiting"]
        now = self._sessions.now()
        for one in pages:
            one.show(session=view(now, known.get(one.who.id), waiting, live, rules))


def _shown(session: SessionView | None) -> tuple[object, ...]:
    """What of a session is worth telling: not how many others there are."""
    return () if session is None else (session.state, session.name, session.position, session.hand_raised)
