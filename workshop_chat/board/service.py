"""The board of one workshop, put together from what is on disk. Knows no HTTP and no SQL."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Protocol

import anyio

from shared_services.contracts.board import Board, BoardPerson, BoardStep
from shared_services.contracts.chat import Note
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import NotFoundError, PlatformError
from workshop_chat.board.rows import AskedQuestion, Seat, Stay
from workshop_chat.board.stuck import OnStep, stuck
from workshop_chat.bus import NOTES, SESSIONS, TURNS, Bus, Subscription
from workshop_chat.content import WorkshopContent
from workshop_chat.insights.masked import shown
from workshop_chat.insights.questions import is_question
from workshop_chat.insights.words import folded

AWAY_AFTER = timedelta(seconds=150)
"""A page that is open says so once a minute, and it is written down a little later."""

FEWEST_OTHERS = 3
MEDIANS_SECONDS = 60.0
COALESCE_SECONDS = 1.0
REFRESH_SECONDS = 15.0
"""Time itself makes people stuck, and away, without a signal."""


class ParticipantUnknownError(NotFoundError):
    """Nobody of this id has a session in this workshop."""

    slug = "participant-not-found"
    title = "There is no such participant"


class Reader(Protocol):
    """What is known of one workshop's people."""

    async def seats(self, now: datetime) -> tuple[list[Seat], int]:
        """Those who are shown, in the order in which they came; and how many are left out."""
        ...

    async def waiting(self) -> int:
        """How many wait for a place."""
        ...

    async def stays(self, participants: Sequence[str]) -> list[Stay]:
        """These participants on each step."""
        ...

    async def left(self, now: datetime) -> list[tuple[str, float]]:
        """Step and seconds of everybody who has left a step."""
        ...

    async def questions(self, participants: Sequence[str], now: datetime) -> list[AskedQuestion]:
        """What these participants asked lately, newest first."""
        ...

    async def notes(self) -> list[Note]:
        """What is said to all."""
        ...

    async def lower_hand(self, participant: str) -> bool:
        """Lower somebody's hand; whether they are known here."""
        ...


class BoardService:
    """The board of one workshop.

    Args:
        content: The workshop.
        reader: Its people.
        bus: Tells when to look again.
    """

    def __init__(self, content: WorkshopContent, reader: Reader, bus: Bus) -> None:
        self._content = content
        self._reader = reader
        self._bus = bus
        self._medians: dict[str, float] = {}
        self._medians_at: datetime | None = None
        self._watched: set[Subscription] = set()
        self._closed = False

    async def look(self, now: datetime | None = None) -> Board:
        """The board at `now` (the present when absent).

        Raises:
            UnavailableError: The workshop or the store cannot be read.
        """
        at = now or datetime.now(UTC)
        version = await self._content.current()
        seats, left_out = await self._reader.seats(at)
        people = [seat.participant for seat in seats]
        stays = await self._reader.stays(people) if people else []
        asked = await self._reader.questions(people, at) if people else []
        medians = await self._others(at)
        steps = board_steps(version, seats, medians)
        return Board(
            workshop=version.workshop,
            title=version.manifest.title,
            at=at,
            steps=steps,
            people=board_people(seats, stays, asked, steps, at),
            waiting=await self._reader.waiting(),
            left_out=left_out,
            notes=await self._reader.notes(),
        )

    async def changes(self) -> AsyncGenerator[Board | PlatformError]:
        """The board now, and again after each change, at most every second; what went wrong in place of one that failed.

        It ends with `close`.
        """
        async with self._bus.subscribe(SESSIONS, TURNS, NOTES) as signals:
            self._watched.add(signals)
            try:
                while not self._closed:
                    try:
                        yield await self.look()
                    except PlatformError as error:
                        yield error
                    # What is signalled meanwhile is waiting afterwards.
                    await anyio.sleep(COALESCE_SECONDS)
                    await signals.wait(REFRESH_SECONDS)
            finally:
                self._watched.discard(signals)

    def close(self) -> None:
        """End what `changes` gives: the process is about to, and the pages look for another one."""
        self._closed = True
        for signals in self._watched:
            signals.give(SESSIONS, "")

    async def lower_hand(self, participant: str) -> None:
        """Lower somebody's hand.

        Raises:
            ParticipantUnknownError: Nobody of this id has a session in this workshop.
        """
        if not await self._reader.lower_hand(participant):
            raise ParticipantUnknownError("They may have left and deleted their data. Load the board again.")
        await self._bus.signal(SESSIONS, participant)

    async def _others(self, now: datetime) -> dict[str, float]:
        """How long people stayed on each step that enough of them have left; looked up once a minute."""
        if self._medians_at is None or (now - self._medians_at).total_seconds() >= MEDIANS_SECONDS:
            by_step: dict[str, list[float]] = defaultdict(list)
            for step, seconds in await self._reader.left(now):
                by_step[step].append(seconds)
            self._medians = {step: median(found) for step, found in by_step.items() if len(found) >= FEWEST_OTHERS}
            self._medians_at = now
        return self._medians


def board_steps(version: WorkshopVersion, seats: Sequence[Seat], medians: dict[str, float]) -> list[BoardStep]:
    """The steps in order, and how many live participants are on each."""
    return [
        BoardStep(
            id=step,
            title=version.steps[step].title,
            here=sum(seat.step == step and seat.state == "live" for seat in seats),
            median_seconds=round(medians[step], 1) if step in medians else None,
            stated_seconds=duration * 60.0 if (duration := version.steps[step].duration) else None,
        )
        for step in version.manifest.steps
    ]


def board_people(
    seats: Sequence[Seat], stays: Sequence[Stay], asked: Sequence[AskedQuestion], steps: Sequence[BoardStep], now: datetime
) -> list[BoardPerson]:
    """The rows of the board, in the order of `seats`."""
    by_person: dict[str, dict[str, Stay]] = defaultdict(dict)
    for stay in stays:
        by_person[stay.participant][stay.step] = stay
    questions: dict[str, list[AskedQuestion]] = defaultdict(list)
    for question in asked:
        if is_question(question.text):
            questions[question.participant].append(question)
    known = {step.id: step for step in steps}
    return [
        _person(seat, name, by_person[seat.participant], questions[seat.participant], known, now)
        for seat, name in zip(seats, told_apart(seats), strict=True)
    ]


def told_apart(seats: Sequence[Seat]) -> list[str]:
    """What each is called on the board: whoever came second under a name has a 2 behind it, and so on."""
    names = [seat.name or f"Guest {seat.guest}" for seat in seats]
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    told = []
    for name in names:
        called, number = name, 1
        while called.casefold() in seen or (number > 1 and called.casefold() in taken):
            number += 1
            called = f"{name} ({number})"
        seen.add(called.casefold())
        told.append(called)
    return told


def _person(
    seat: Seat,
    name: str,
    stays: dict[str, Stay],
    asked: Sequence[AskedQuestion],
    steps: dict[str, BoardStep],
    now: datetime,
) -> BoardPerson:
    step = steps.get(seat.step or "")
    here = stays.get(step.id) if step else None
    seconds = here.seconds if here else 0.0
    if step and not seconds and seat.step_since:
        seconds = max(0.0, (seat.active_at - seat.step_since).total_seconds())
    live = seat.state == "live"
    there = live and now - seat.seen_at <= AWAY_AFTER
    reasons = []
    if step and there:
        reasons = stuck(
            OnStep(
                seconds=seconds,
                stated_seconds=step.stated_seconds,
                median_seconds=step.median_seconds,
                questions=[folded(question.text) for question in asked if question.step == step.id],
                failed_checks=here.failed_checks if here else 0,
                passed=here.passed if here else False,
            )
        )
    last = asked[0] if asked else None
    return BoardPerson(
        id=seat.participant,
        name=name,
        state="live" if there else "away" if live else "over",
        seen_at=seat.seen_at,
        step=step.id if step else None,
        seconds_on_step=round(seconds, 1),
        visited=[one for one in steps if one in stays or (step and one == step.id)],
        passed=[one for one in steps if one in stays and stays[one].passed],
        stuck=reasons,
        hand_raised_at=seat.hand_raised_at if live else None,
        question=shown(last.text, seat.name) if last else "",
        question_at=last.asked_at if last else None,
    )
