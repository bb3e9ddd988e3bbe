"""Who is stuck and why; and the rows of the board, from what is on disk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from shared_services.contracts.board import Board
from shared_services.contracts.chat import Note
from shared_services.contracts.workshop import StepManifest
from shared_services.kit.errors import UnavailableError
from tests.unit.chat.worlds import FakeLibrary, published
from workshop_chat.board.rows import AskedQuestion, Seat, Stay
from workshop_chat.board.service import AWAY_AFTER, BoardService, ParticipantUnknownError, board_people, board_steps, told_apart
from workshop_chat.board.stuck import OnStep, minutes, stuck
from workshop_chat.board.views import ago, board_view
from workshop_chat.bus import SESSIONS, TURNS, LocalBus
from workshop_chat.content import WorkshopContent

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "rules"),
    [
        (OnStep(), []),
        (OnStep(seconds=10_000), []),
        (OnStep(seconds=901, stated_seconds=600), ["time"]),
        (OnStep(seconds=899, stated_seconds=600), []),
        (OnStep(seconds=299, stated_seconds=60), []),
        (OnStep(seconds=301, stated_seconds=60), ["time"]),
        (OnStep(seconds=601, median_seconds=300), ["time"]),
        (OnStep(seconds=599, median_seconds=300), []),
        (OnStep(seconds=290, median_seconds=20), []),
        (OnStep(seconds=601, median_seconds=300, stated_seconds=3600), ["time"]),
        (OnStep(failed_checks=3), ["checks"]),
        (OnStep(failed_checks=2), []),
        (OnStep(questions=["where is the lid", "how hot", "which port"]), ["questions"]),
        (OnStep(questions=["where is the lid", "how hot"]), []),
        (OnStep(questions=["where is the lid", "where is the lid of it"]), ["questions"]),
        (
            OnStep(seconds=9000, stated_seconds=60, failed_checks=5, questions=["a b", "c d", "e f"]),
            ["time", "questions", "checks"],
        ),
        (OnStep(seconds=9000, stated_seconds=60, failed_checks=5, passed=True), []),
    ],
)
def test_who_is_stuck(at: OnStep, rules: list[str]):
    assert [reason.rule for reason in stuck(at)] == rules


def test_the_reasons_are_told():
    assert stuck(OnStep(seconds=1500, stated_seconds=600))[0].text == "25 min on this step; it should take about 10 min"
    assert stuck(OnStep(seconds=1500, median_seconds=240))[0].text == (
        "25 min on this step; half of the others took 4 min or less"
    )
    assert stuck(OnStep(failed_checks=4))[0].text == "4 failed checks"


@pytest.mark.parametrize(("seconds", "words"), [(0, "< 1 min"), (59, "1 min"), (7140, "119 min"), (7500, "2 h 5 min")])
def test_times_for_people(seconds: float, words: str):
    assert minutes(seconds) == words


def test_how_long_ago():
    assert (ago(NOW, NOW), ago(NOW - timedelta(minutes=5), NOW), ago(NOW + timedelta(hours=1), NOW)) == (
        "now",
        "5 min ago",
        "now",
    )


def seat(participant: str, **about: Any) -> Seat:
    known: dict[str, Any] = {
        "name": participant.title(),
        "guest": 0,
        "state": "live",
        "joined_at": NOW - timedelta(hours=1),
        "active_at": NOW,
        "seen_at": NOW,
        "step": "boil",
        "step_since": NOW - timedelta(minutes=20),
        "hand_raised_at": None,
    }
    return Seat(participant=participant, **{**known, **about})


def rows(
    *seats: Seat, stays: tuple[Stay, ...] = (), asked: tuple[AskedQuestion, ...] = (), medians: dict[str, float] | None = None
):
    version = published()
    version = version.model_copy(update={"steps": {**version.steps, "boil": StepManifest(title="Boil the water", duration=5)}})
    return board_people(seats, stays, asked, board_steps(version, seats, medians or {}), NOW)


def test_a_person_on_a_step():
    stays = (Stay("ann", "fill", 60, 0, passed=True), Stay("ann", "boil", 100, 1, passed=False))
    asked = (
        AskedQuestion("ann", "hello", "boil", NOW),
        AskedQuestion("ann", "mail me at a@firm.com, Ann says", "boil", NOW - timedelta(minutes=1)),
    )
    person = rows(seat("ann"), stays=stays, asked=asked)[0]
    assert (person.name, person.state, person.step, person.seconds_on_step) == ("Ann", "live", "boil", 100)
    assert (person.visited, person.passed, person.stuck) == (["fill", "boil"], ["fill"], [])
    assert person.question == "mail me at [masked e-mail address], [masked name] says"
    assert person.question_at == NOW - timedelta(minutes=1)


def test_without_progress_the_time_is_that_of_the_session():
    person = rows(seat("ann"))[0]
    assert (person.seconds_on_step, person.visited) == (1200, ["boil"])
    assert [reason.rule for reason in person.stuck] == ["time"]


def test_who_is_not_there_is_not_stuck():
    away = NOW - AWAY_AFTER - timedelta(seconds=1)
    people = rows(seat("ann", seen_at=away, hand_raised_at=away), seat("bob", state="over", hand_raised_at=away))
    assert [(person.state, person.stuck) for person in people] == [("away", []), ("over", [])]
    assert [person.hand_raised_at for person in people] == [away, None]


def test_questions_about_another_step_do_not_count():
    asked = tuple(AskedQuestion("ann", f"question {word}", "fill", NOW) for word in ("lid", "water", "heat"))
    assert rows(seat("ann", step_since=NOW), asked=asked)[0].stuck == []
    assert len(rows(seat("ann", step="fill", step_since=NOW), asked=asked)[0].stuck) == 1


def test_a_step_that_is_gone_is_no_place():
    person = rows(seat("ann", step="drink"))[0]
    assert (person.step, person.seconds_on_step, person.stuck) == (None, 0, [])


def test_guests_are_numbered():
    assert [person.name for person in rows(seat("x", name="", guest=2), seat("y", name="", guest=11))] == ["Guest 2", "Guest 11"]


def test_what_calls_first_stands_first():
    people = rows(
        seat("ann", hand_raised_at=NOW - timedelta(minutes=2)),
        seat("bob", hand_raised_at=NOW - timedelta(minutes=9), step="fill"),
        seat("cid", state="over"),
    )
    board = Board(
        workshop="kettle",
        title="Kettle",
        at=NOW,
        steps=board_steps(published(), [], {}),
        people=people,
        waiting=0,
        left_out=0,
        notes=[],
    )
    view = board_view(board)
    assert [row.person.name for row in view.hands] == ["Bob", "Ann"]
    assert [row.person.name for row in view.stuck] == ["Ann"]
    assert view.live == 2
    assert [cell.state for cell in view.rows[0].cells] == ["", "here"]
    assert view.rows[0].cells[1].stuck


class FakeReader:
    """People who are what they were said to be; counts how often it was asked."""

    def __init__(self) -> None:
        self.people = [seat("ann")]
        self.looks = 0
        self.away = False

    async def seats(self, now: datetime) -> tuple[list[Seat], int]:
        self.looks += 1
        if self.away:
            raise UnavailableError("The database is away.")
        return self.people, 0

    async def waiting(self) -> int:
        return 0

    async def stays(self, participants: Any) -> list[Stay]:
        return []

    async def left(self, now: datetime) -> list[tuple[str, float]]:
        return [("boil", 30.0), ("boil", 60.0), ("boil", 90.0), ("fill", 5.0), ("fill", 5.0)]

    async def questions(self, participants: Any, now: datetime) -> list[AskedQuestion]:
        return []

    async def notes(self) -> list[Note]:
        return []

    async def lower_hand(self, participant: str) -> bool:
        return participant == "ann"


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> tuple[BoardService, FakeReader, LocalBus]:
    monkeypatch.setattr("workshop_chat.board.service.COALESCE_SECONDS", 0.01)
    library, reader, bus = FakeLibrary(), FakeReader(), LocalBus()
    library.publish()
    return BoardService(WorkshopContent(library, "kettle"), reader, bus), reader, bus


async def test_medians_are_of_those_who_left_and_are_enough(board: tuple[BoardService, FakeReader, LocalBus]):
    shown = await board[0].look(NOW)
    assert {step.id: step.median_seconds for step in shown.steps} == {"boil": 60.0, "fill": None}
    assert {step.id: step.here for step in shown.steps} == {"boil": 1, "fill": 0}


async def test_signals_at_once_are_one_look(board: tuple[BoardService, FakeReader, LocalBus]):
    service, reader, bus = board
    changes = service.changes()
    await anext(changes)
    for number in range(100):
        await bus.signal(SESSIONS, f"p{number}")
        await bus.signal(TURNS, f"c/{number}")
    await anext(changes)
    assert reader.looks == 2
    with anyio.move_on_after(0.1) as scope:
        await anext(changes)
    assert scope.cancelled_caught
    assert reader.looks == 2


async def test_a_store_that_comes_back_is_seen_again(board: tuple[BoardService, FakeReader, LocalBus]):
    service, reader, bus = board
    reader.away = True
    changes = service.changes()
    assert isinstance(await anext(changes), UnavailableError)
    reader.away = False
    await bus.signal(SESSIONS, "ann")
    assert isinstance(await anext(changes), Board)
    await changes.aclose()


async def test_a_process_that_ends_ends_its_boards(board: tuple[BoardService, FakeReader, LocalBus]):
    service, _, _ = board
    changes = service.changes()
    await anext(changes)
    rest: list[Any] = []

    async def follow() -> None:
        with anyio.fail_after(60):
            rest.extend([change async for change in changes] + ["the end"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        assert rest == []
        service.close()
    assert rest == ["the end"]


async def test_a_hand_that_is_lowered_is_told(board: tuple[BoardService, FakeReader, LocalBus]):
    service, _, bus = board
    async with bus.subscribe(SESSIONS) as signals:
        await service.lower_hand("ann")
        assert await signals.wait(30) == {(SESSIONS, "ann")}
    with pytest.raises(ParticipantUnknownError):
        await service.lower_hand("bob")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Ada", "Bo"], ["Ada", "Bo"]),
        (["Ada", "ada", "Ada"], ["Ada", "ada (2)", "Ada (3)"]),
        (["Ada", "Ada", "Ada (2)"], ["Ada", "Ada (3)", "Ada (2)"]),
        (["", "Guest 1", "Ada"], ["Guest 1", "Guest 1 (2)", "Ada"]),
    ],
)
def test_those_of_one_name_are_told_apart(names: list[str], told: list[str]):
    seats = [seat(str(number), name=name, guest=0 if name else 1) for number, name in enumerate(names)]
    assert told_apart(seats) == told
