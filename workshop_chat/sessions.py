"""The sessions of one workshop as they are kept: `admission` decides, this asks it and writes down what it says.

All that come at one moment are settled in one transaction, under a lock that every process of the chat agent takes, so the
limit holds however many there are. Signs of activity of those who are known to be live are written together, every 20 s.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from sqlalchemy import RowMapping, bindparam, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog import get_logger

from shared_services.contracts.chat import SessionView
from shared_services.kit.database import storage_errors
from shared_services.kit.errors import PlatformError
from workshop_chat import metrics
from workshop_chat.admission import Arrival, Place, Rules, State, admit, seconds_spent, settle, signs, stay, view
from workshop_chat.bus import SESSIONS, Bus
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts
from workshop_chat.errors import WorkshopFullError
from workshop_chat.participants import Participant
from workshop_chat.session_rows import CONCERNED_HELD, LIVE, NOBODY, OTHERS, SOME, SOME_HELD, keep_statement
from workshop_chat.shared_names import SharedNames
from workshop_chat.tables import ProgressRow, SessionRow

log = get_logger()

SWEEP_SECONDS = 10.0
WRITE_EVERY = timedelta(seconds=20)
TRUST = timedelta(seconds=30)
"""How long what was read of a session counts without another look; signals end it earlier."""
SEEN_EVERY = {"waiting": timedelta(seconds=8), "live": timedelta(seconds=60)}
RETRY_SECONDS = 15
MOST_SIGNALS = 100
"""More changes at once than this are told as one signal without a key."""

_FIELDS = [field.name for field in fields(Place)]
_SESSIONS = SessionRow.__table__.c
_PROGRESS = ProgressRow.__table__.c


@dataclass
class _Coming:
    """Somebody whose arrival waits to be settled, and what came of it."""

    arrival: Arrival
    settled: bool = False
    place: Place | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A live session as it was last read, with what its participant did since."""

    name: str
    step: str | None
    active_at: datetime
    read_at: datetime


class Sessions:
    """Who is in the workshop, and who waits for a place.

    Args:
        engine: The store; `MIGRATIONS` must have been applied to it.
        content: The workshop.
        contexts: Tell its limit and timeout.
        bus: Is told whose session changed.
        secret: What names the lock that every process of the chat agent takes; see `SharedNames`.
        present: The ids of those whose page is open at this process.
        clock: The time, with its zone.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        content: WorkshopContent,
        contexts: Contexts,
        bus: Bus,
        *,
        secret: bytes = b"",
        present: Callable[[], Iterable[str]] = tuple,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._content = content
        self._contexts = contexts
        self._bus = bus
        self._present = present
        self._clock = clock
        self._workshop = content.workshop
        self._keep = keep_statement(on_postgres=self._postgres)
        self._lock = SharedNames(content.workshop, secret).lock("sessions")
        self._coming: dict[str, _Coming] = {}
        self._known: dict[str, _Known] = {}
        self._told: dict[str, Arrival] = {}
        self._told_at = clock()
        self._settling = anyio.Lock()

    def now(self) -> datetime:
        """The time that sessions are judged by."""
        return self._clock()

    async def rules(self) -> Rules:
        """What the workshop's context allows now.

        Raises:
            UnavailableError: The workshop cannot be read.
        """
        context = self._contexts.of((await self._content.current()).manifest)
        return Rules(context.participant_limit, timedelta(seconds=context.session_timeout))

    async def enter(self, who: Participant, *, step: str | None = None) -> State:
        """Somebody does something: they stay in, are let in, or get in line. Those who teach are in anyway.

        Args:
            who: They.
            step: The step they are on, where it is known; one of the workshop's.

        Raises:
            PlatformError: The workshop or the store cannot be read.
        """
        if who.teaches:
            return "live"
        now = self._clock()
        rules = await self.rules()
        known = self._known.get(who.id)
        if (
            known is not None
            and now - known.read_at <= TRUST
            and now - known.active_at <= rules.timeout
            and step in (None, known.step)
            and known.name == who.name
        ):
            self._known[who.id] = _Known(known.name, known.step, now, known.read_at)
            self._tell(Arrival(who.id, active_at=now, step=step, late=True))
            return "live"
        place = await self._arrive(Arrival(who.id, who.name, now, step, fleeting=who.newcomer))
        return "over" if place is None else place.state

    async def require(self, who: Participant, *, step: str | None = None) -> None:
        """As `enter`, for those who cannot be shown a page to wait on.

        Raises:
            WorkshopFullError: There is no place for them yet.
        """
        if await self.enter(who, step=step) == "live":
            return
        seen = await self.view(who)
        if seen.state == "waiting":
            raise WorkshopFullError(
                f"All {seen.limit} places are taken, and you are number {seen.position} in line. "
                f"Try again in {RETRY_SECONDS} seconds, or keep the workshop's page open: it lets you in.",
                retry_after=RETRY_SECONDS,
                position=seen.position,
            )

    async def view(self, who: Participant) -> SessionView:
        """Their place as they see it; looking is not doing something, but keeps their turn in line."""
        rules = await self.rules()
        now = self._clock()
        places, live = await self.look([who.id])
        if who.teaches:
            return SessionView(state="live", name=who.name, limit=rules.limit, live=live)
        mine = next((place for place in places if place.participant == who.id), None)
        if mine is not None and mine.state == "waiting":
            self._tell(Arrival(who.id, seen_at=now))
        return view(now, mine, [place for place in places if place.state == "waiting"], live, rules)

    async def raise_hand(self, who: Participant, raised: bool) -> None:
        """Ask for a person, or no longer.

        Raises:
            WorkshopFullError: They have no place.
        """
        await self.require(who)
        await self._arrive(Arrival(who.id, who.name, self._clock(), hand=raised))

    async def leave(self, who: Participant) -> None:
        """Give a place, or a turn in line, up."""
        if not who.teaches:
            self._told.pop(who.id, None)
            await self._arrive(Arrival(who.id, leaves=True))

    async def look_again(self, participants: Collection[str]) -> None:
        """Read anew what is known of these sessions: a signal says that they changed. An empty id stands for all."""
        stale = [who for who in self._known if who in participants or "" in participants]
        if not stale:
            return
        try:
            with storage_errors():
                async with self._engine.connect() as connection:
                    rows = (await connection.execute(SOME, {"in_": self._workshop, "named": stale})).mappings().all()
        except PlatformError:
            self._known = {who: known for who, known in self._known.items() if who not in stale}
            raise
        now = self._clock()
        live = {place.participant: place for place in map(_place, rows) if place.state == "live"}
        for who in stale:
            place, known = live.get(who), self._known.get(who)
            if place is None:
                self._known.pop(who, None)
            elif known is not None:
                self._known[who] = _Known(place.name, place.step, max(known.active_at, place.active_at), now)

    async def look(self, participants: Sequence[str], *, everybody: bool = False) -> tuple[list[Place], int]:
        """Those who wait, and those who are named (or everybody who is live); and how many are live."""
        chosen = [_SESSIONS.state == "waiting", _SESSIONS.participant.in_(participants)]
        if everybody:
            chosen.append(_SESSIONS.state == "live")
        query = select(SessionRow.__table__).where(_SESSIONS.workshop == self._workshop, or_(*chosen))
        with storage_errors():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
                live = await connection.scalar(LIVE, {"in_": self._workshop})
        return [_place(row) for row in rows], live or 0

    async def keep(self) -> None:
        """Sweep until cancelled; what was told by then is written."""
        try:
            while True:
                try:
                    await self.sweep()
                except PlatformError as error:
                    log.warning("sessions_not_swept", workshop=self._workshop, detail=error.detail)
                except Exception:
                    log.exception("sessions_not_swept", workshop=self._workshop)
                await anyio.sleep(SWEEP_SECONDS)
        finally:
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._write_told()
            # What this process saw last is true no longer.
            for state in ("live", "waiting"):
                metrics.SESSIONS.remove(self._workshop, state)

    async def sweep(self) -> None:
        """End idle sessions, let those in who wait, and write down who was active or is there.

        Raises:
            PlatformError: The workshop or the store cannot be read.
        """
        rules, now = await self.rules(), self._clock()
        places, _ = await self.look([], everybody=True)
        here = set(self._present())
        for place in places:
            if place.participant in here and now - place.seen_at >= SEEN_EVERY[place.state]:
                self._tell(Arrival(place.participant, seen_at=now))
        waits = any(place.state == "waiting" and place.participant in self._told for place in places)
        changes = bool(admit(now, places, rules.limit, rules.timeout))
        if changes or waits or now - self._told_at >= WRITE_EVERY:
            await self._write_told(everybody=changes)
        live = {place.participant for place in places if place.state == "live"}
        self._known = {
            participant: replace(known, read_at=now) if participant in live else known
            for participant, known in self._known.items()
            if participant in live or now - known.read_at <= TRUST
        }
        for state in ("live", "waiting"):
            metrics.SESSIONS.labels(self._workshop, state).set(sum(place.state == state for place in places))

    async def _write_told(self, *, everybody: bool = False) -> None:
        told, self._told, self._told_at = self._told, {}, self._clock()
        if told or everybody:
            async with self._settling:
                with anyio.CancelScope(shield=True):
                    await self._settle(list(told.values()), everybody=everybody)

    def _tell(self, arrival: Arrival) -> None:
        self._told[arrival.participant] = arrival.after(self._told.get(arrival.participant))

    async def _arrive(self, arrival: Arrival) -> Place | None:
        """The participant's place after this. Whoever comes first settles all that have come by then."""
        coming = self._coming.get(arrival.participant)
        if coming is None:
            coming = self._coming[arrival.participant] = _Coming(arrival)
        else:
            coming.arrival = arrival.after(coming.arrival)
        async with self._settling:
            if not coming.settled:
                await self._settle_coming()
        if coming.error is not None:
            raise coming.error
        return coming.place

    async def _settle_coming(self) -> None:
        taken, self._coming = self._coming, {}
        # Shielded: others' arrivals are settled with that of whoever may go away right now.
        with anyio.CancelScope(shield=True):
            try:
                after = await self._settle([one.arrival for one in taken.values()])
            except Exception as error:
                for one in taken.values():
                    one.settled, one.error = True, error
                return
        for participant, one in taken.items():
            one.settled, one.place = True, after.get(participant)

    async def _settle(self, arrivals: Sequence[Arrival], *, everybody: bool = False) -> dict[str, Place]:
        """The places after the arrivals, written down. Those who only go on do not read, or hold up, everybody else."""
        rules, now = await self.rules(), self._clock()
        with storage_errors():
            # Somebody who is not known to be live most likely comes.
            comes = any(one.active_at is not None and not one.late and one.participant not in self._known for one in arrivals)
            done = None if everybody or comes else await self._settle_stays(now, arrivals, rules)
            before, after = done or await self._settle_all(now, arrivals, rules)
        for arrival in arrivals:
            place = after.get(arrival.participant)
            if place is None or place.state != "live":
                self._known.pop(arrival.participant, None)
            else:
                self._known[place.participant] = _Known(place.name, place.step, place.active_at, now)
        shown = [place.participant for place in after.values() if _shows(place) != _shows(before.get(place.participant))]
        if shown:
            await self._bus.signal(SESSIONS, *(shown if len(shown) <= MOST_SIGNALS else ()))
        return after

    async def _settle_stays(
        self, now: datetime, arrivals: Sequence[Arrival], rules: Rules
    ) -> tuple[dict[str, Place], dict[str, Place]] | None:
        """The arrivals' places before and after, where none of them comes or goes."""
        named = [arrival.participant for arrival in arrivals]
        async with self._engine.begin() as connection:
            await self._lock_rows(connection)
            rows = await connection.execute(SOME_HELD, {"in_": self._workshop, "named": named})
            before = {row["participant"]: _place(row) for row in rows.mappings()}
            after = stay(now, before.values(), arrivals, rules)
            if after is None:
                return None
            await self._write(connection, before, after, arrivals)
        return before, after

    async def _settle_all(
        self, now: datetime, arrivals: Sequence[Arrival], rules: Rules
    ) -> tuple[dict[str, Place], dict[str, Place]]:
        """The places before and after of those who come, wait or have been idle for too long; of all others only how many."""
        named = [arrival.participant for arrival in arrivals]
        given = {"in_": self._workshop, "named": named, "since": now - rules.timeout}
        async with self._engine.begin() as connection:
            await self._lock_workshop(connection)
            # The rows too: a hand is lowered by others.
            rows = await connection.execute(CONCERNED_HELD, given)
            before = {row["participant"]: _place(row) for row in rows.mappings()}
            # Counted after they are locked: whoever was idle until just now, and is not any more, is among these.
            taken = await connection.scalar(OTHERS, given) or 0
            after = settle(now, before.values(), arrivals, replace(rules, limit=rules.limit - taken))
            await self._write(connection, before, after, arrivals)
        return before, after

    @property
    def _postgres(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def _lock_workshop(self, connection: AsyncConnection) -> None:
        """Hold off every other settling of this workshop's places until the transaction ends."""
        if self._postgres:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._lock})
        else:
            await self._lock_rows(connection)

    async def _lock_rows(self, connection: AsyncConnection) -> None:
        """SQLite's `FOR UPDATE`: it has one writer at a time, and becomes it with a statement that writes, be it nothing."""
        if not self._postgres:
            await connection.execute(NOBODY, {"in_": self._workshop})

    async def _write(
        self,
        connection: AsyncConnection,
        before: dict[str, Place],
        after: dict[str, Place],
        arrivals: Sequence[Arrival],
    ) -> None:
        changed = [place for place in after.values() if before.get(place.participant) != place]
        if changed:
            # In one order everywhere, as rows are locked, so that no two transactions wait for each other.
            changed.sort(key=lambda place: place.participant)
            rows = [{"workshop": self._workshop, **{name: getattr(place, name) for name in _FIELDS}} for place in changed]
            await connection.execute(self._keep, rows)
        await self._write_progress(connection, signs(before, after, arrivals))

    async def _write_progress(self, connection: AsyncConnection, signs: dict[tuple[str, str], datetime]) -> None:
        """Add the time since the last sign of activity to the step that it was spent on; begin steps that are new."""
        if not signs:
            return
        mine = _PROGRESS.workshop == self._workshop
        query = select(_PROGRESS.participant, _PROGRESS.step, _PROGRESS.last_seen_at).where(
            mine, _PROGRESS.participant.in_({participant for participant, _ in signs})
        )
        known = {(row.participant, row.step): _aware(row.last_seen_at) for row in await connection.execute(query)}
        new = [
            {
                "workshop": self._workshop,
                "participant": participant,
                "step": step,
                "first_seen_at": at,
                "last_seen_at": at,
                "seconds": 0.0,
                "failed_checks": 0,
            }
            for (participant, step), at in sorted(signs.items())
            if (participant, step) not in known
        ]
        more = [
            {"who": key[0], "where": key[1], "at": at, "more": seconds_spent(known[key], at)}
            for key, at in sorted(signs.items())
            if key in known and at > known[key]
        ]
        if new:
            insert = postgresql.insert if self._postgres else sqlite.insert
            await connection.execute(insert(ProgressRow).on_conflict_do_nothing(), new)
        if more:
            spent = (
                update(ProgressRow.__table__)  # type: ignore[arg-type]
                .where(mine, _PROGRESS.participant == bindparam("who"), _PROGRESS.step == bindparam("where"))
                .values(last_seen_at=bindparam("at"), seconds=_PROGRESS.seconds + bindparam("more"))
            )
            await connection.execute(spent, more)


@contextlib.asynccontextmanager
async def running(*services: Callable[[], Any]) -> Any:
    """Run coroutines beside the block, and cancel them after it."""
    # Tasks and not a task group: a lifespan may be left in another task than it was entered in.
    tasks = [asyncio.create_task(service()) for service in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _shows(place: Place | None) -> tuple[object, ...]:
    """What others see of a session."""
    return () if place is None else (place.state, place.name, place.step, place.hand_raised_at)


def _place(row: RowMapping) -> Place:
    given: dict[str, Any] = {name: _aware(row[name]) if isinstance(row[name], datetime) else row[name] for name in _FIELDS}
    return Place(**given)


def _aware(at: datetime) -> datetime:
    """SQLite gives times back without their zone; they were written as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
