"""Histories on SQLite and on PostgreSQL: theirs alone, named, rated, deleted, gone when too old."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Feedback
from shared_services.kit.errors import BadInputError
from tests.integration.chat.test_repository import answer
from workshop_chat.errors import ConversationNotFoundError, TurnNotFoundError, TurnOpenError
from workshop_chat.history import HistoryRepository, OpenTurn
from workshop_chat.repository import ConversationRepository
from workshop_chat.retention import Retention
from workshop_chat.tables import Base, ConversationRow, ProgressRow, SessionRow, TurnRow

NOW = datetime.now(UTC)
TOKEN = "ghp_" + "a1B2" * 9


class Kept:
    """One workshop's history in a store."""

    def __init__(self, engine: AsyncEngine, workshop: str = "kettle") -> None:
        self.engine = engine
        self.workshop = workshop
        self.turns = ConversationRepository(engine, workshop)
        self.history = HistoryRepository(engine, workshop)

    async def asked(self, participant: str, *questions: str, ended: bool = True) -> str:
        conversation = await self.turns.create(participant)
        for question in questions:
            number = await self.turns.begin_turn(conversation, participant, question, "boil", "v1")
            if ended:
                await self.turns.end_turn(participant, number, answer(conversation), interrupted=False)
        return conversation

    async def been(self, participant: str, at: datetime = NOW) -> None:
        """They have a session, and have been on a step."""
        async with self.engine.begin() as connection:
            mine = {"workshop": self.workshop, "participant": participant}
            session = insert(SessionRow).values(
                **mine, name="Ann", state="over", since=at, active_at=at, seen_at=at, step="boil", step_since=at
            )
            await connection.execute(session)
            await connection.execute(
                insert(ProgressRow).values(
                    **mine, step="boil", first_seen_at=at, last_seen_at=at, seconds=61.5, failed_checks=2, passed_at=at
                )
            )

    async def age(self, conversation: str, days: float, number: int | None = None) -> None:
        """Move a conversation, or one turn of it, into the past."""
        at = NOW - timedelta(days=days)
        async with self.engine.begin() as connection:
            turns = update(TurnRow).where(TurnRow.conversation == conversation)
            if number is None:
                await connection.execute(update(ConversationRow).where(ConversationRow.id == conversation).values(created_at=at))
            else:
                turns = turns.where(TurnRow.number == number)
            await connection.execute(turns.values(asked_at=at))

    async def rows_of(self, participant: str) -> int:
        """In how many rows of all tables, of any workshop, an id stands."""
        found = 0
        async with self.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for row in (await connection.execute(select(table))).all():
                    found += any(participant in str(value) for value in row)
        return found

    async def owned(self) -> dict[str, int]:
        """How many rows of this workshop there are, by table."""
        counts: dict[str, int] = {}
        async with self.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                rows = await connection.execute(select(table).where(table.c.workshop == self.workshop))
                counts[table.name] = len(rows.all())
        return counts


@pytest.fixture
def kettle(engine: AsyncEngine) -> Kept:
    return Kept(engine)


@pytest.fixture
def teapot(engine: AsyncEngine) -> Kept:
    return Kept(engine, "teapot")


async def test_conversations_are_listed_by_what_was_asked_last(kettle: Kept):
    old, young, empty = await kettle.asked("p", "First?"), await kettle.asked("p", "Second?"), await kettle.asked("p")
    await kettle.asked("q", "Not theirs")
    assert [one.id for one in await kettle.history.conversations("p", 10)] == [empty, young, old]
    await kettle.turns.begin_turn(old, "p", "Again?", None, "v")
    listed = await kettle.history.conversations("p", 10)
    assert [(one.id, one.title, one.turns) for one in listed] == [(old, "First?", 2), (empty, "", 0), (young, "Second?", 1)]
    assert all(one.updated_at.tzinfo and one.created_at.tzinfo for one in listed)
    assert listed[0].updated_at > listed[0].created_at


async def test_pages_give_each_conversation_once(kettle: Kept):
    made = [await kettle.asked("p", f"Question {number}?") for number in range(23)]
    # as old as each other to the microsecond
    for conversation in made[5:15]:
        await kettle.age(conversation, 1)
    seen: list[str] = []
    before = None
    while page := await kettle.history.conversations("p", 4, before):
        seen += [one.id for one in page]
        before = page[-1].id
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(made)
    assert seen[:8] == made[:14:-1]
    assert seen[-5:] != made[4::-1]
    assert set(seen[8:13]) == set(made[:5])


async def test_a_name_of_their_own_is_kept_on_one_line_without_secrets(kettle: Kept):
    conversation = await kettle.asked("p", "First?")
    renamed = await kettle.history.rename(conversation, "p", f" My\n kettle\x00 {TOKEN} ")
    assert renamed.title == "My kettle [masked GitHub token]"
    assert (await kettle.history.summary(conversation, "p")).title == renamed.title
    with pytest.raises(BadInputError):
        await kettle.history.rename(conversation, "p", " \n\x00\u202e ")


async def test_a_deleted_conversation_is_gone_with_its_turns(kettle: Kept):
    conversation, other = await kettle.asked("p", "First?"), await kettle.asked("p", "Second?")
    await kettle.history.delete(conversation, "p")
    assert [one.id for one in await kettle.history.conversations("p", 10)] == [other]
    assert (await kettle.owned())["chat_turns"] == 1
    with pytest.raises(ConversationNotFoundError):
        await kettle.turns.turns(conversation, "p")
    with pytest.raises(ConversationNotFoundError):
        await kettle.history.delete(conversation, "p")


async def test_feedback_is_kept_without_secrets_changed_and_taken_back(kettle: Kept):
    conversation = await kettle.asked("p", "First?", "Second?")
    given = Feedback(rating="down", reason=f"It says\x00\r\n{TOKEN} " + "password=abcd " * 100)
    kept = await kettle.history.rate(conversation, "p", 2, given)
    assert kept is not None
    assert kept.reason.startswith("It says\n[masked GitHub token] password=[masked secret]")
    assert len(kept.reason) == 2000
    turns = await kettle.turns.turns(conversation, "p")
    assert [turn.feedback for turn in turns] == [None, kept]
    await kettle.history.rate(conversation, "p", 2, Feedback(rating="up"))
    assert (await kettle.turns.turns(conversation, "p"))[1].feedback == Feedback(rating="up")
    assert await kettle.history.rate(conversation, "p", 2, None) is None
    assert (await kettle.turns.turns(conversation, "p"))[1].feedback is None


async def test_feedback_needs_a_finished_answer(kettle: Kept):
    conversation = await kettle.asked("p", "First?", ended=False)
    with pytest.raises(TurnOpenError):
        await kettle.history.rate(conversation, "p", 1, Feedback(rating="up"))
    with pytest.raises(TurnNotFoundError):
        await kettle.history.rate(conversation, "p", 2, Feedback(rating="up"))


@pytest.mark.parametrize("stranger", ["participant", "workshop"])
async def test_nobody_elses_history_exists(kettle: Kept, teapot: Kept, stranger: str):
    conversation = await kettle.asked("p", "First?")
    await kettle.been("p")
    who, history = ("q", kettle.history) if stranger == "participant" else ("p", teapot.history)
    assert await history.conversations(who, 10) == []
    assert await history.conversation_ids(who) == []
    assert await history.steps(who) == []
    for act in (
        history.summary(conversation, who),
        history.conversations(who, 10, conversation),
        history.rename(conversation, who, "Mine"),
        history.delete(conversation, who),
        history.rate(conversation, who, 1, Feedback(rating="down")),
    ):
        with pytest.raises(ConversationNotFoundError):
            await act
    assert await history.open_turns(who) == []
    assert not any((await history.remove(who)).model_dump().values())
    assert (await kettle.history.summary(conversation, "p")).title == "First?"
    assert (await kettle.turns.turns(conversation, "p"))[0].feedback is None
    assert len(await kettle.history.steps("p")) == 1


@pytest.mark.parametrize("name", ["", "gone", "\x00", "0" * 33, "0" * 32, "' OR 1=1 --", "Z" * 32])
async def test_what_is_no_conversation_is_not_found(kettle: Kept, name: str):
    await kettle.asked("p", "First?")
    for act in (kettle.history.summary(name, "p"), kettle.history.delete(name, "p"), kettle.history.rename(name, "p", "x")):
        with pytest.raises(ConversationNotFoundError):
            await act


async def test_everything_of_a_participant_is_removed_and_nothing_else(kettle: Kept, teapot: Kept):
    for workshop in (kettle, teapot):
        for participant in ("participant:gone", "participant:stays"):
            conversation = await workshop.asked(participant, "First?", "Second?")
            await workshop.asked(participant, "Third?", ended=False)
            await workshop.asked(participant)
            await workshop.history.rate(conversation, participant, 1, Feedback(rating="up"))
            await workshop.been(participant)
    before = await teapot.owned()
    removed = await kettle.history.remove("participant:gone")
    assert removed.model_dump() == {"conversations": 3, "turns": 3, "feedback": 1, "sessions": 1, "steps": 1}
    assert await teapot.owned() == before
    assert {name: 2 * count for name, count in (await kettle.owned()).items()} == {**before}
    await teapot.history.remove("participant:gone")
    assert await kettle.rows_of("participant:gone") == 0
    assert await kettle.rows_of("participant:stays") > 0


async def test_two_removals_at_once_share_the_work(kettle: Kept):
    for number in range(30):
        await kettle.asked("p", f"Question {number}?")
    counts: list[int] = []

    async def remove() -> None:
        counts.append((await kettle.history.remove("p")).turns)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(remove)
    assert sum(counts) == 30
    assert await kettle.rows_of("p") == 0


async def test_an_answer_that_ends_after_its_removal_brings_nothing_back(kettle: Kept):
    conversation = await kettle.asked("participant:gone", "First?", ended=False)
    await kettle.asked("participant:gone", "Second?")
    assert await kettle.history.open_turns("participant:gone") == [OpenTurn(conversation, 1)]
    assert await kettle.history.open_turns("participant:gone", "0" * 32) == []
    await kettle.history.remove("participant:gone")
    await kettle.turns.end_turn("participant:gone", 1, answer(conversation), interrupted=True)
    assert await kettle.rows_of("participant:gone") == 0


async def test_a_question_in_a_conversation_that_is_deleted_right_now_is_not_found(kettle: Kept, monkeypatch: pytest.MonkeyPatch):
    conversation = await kettle.asked("p", "First?")
    insert_turn = kettle.turns._insert

    async def deleted_first(*given: Any) -> int:
        await kettle.history.delete(conversation, "p")
        monkeypatch.undo()
        return await insert_turn(*given)

    monkeypatch.setattr(kettle.turns, "_insert", deleted_first)
    with pytest.raises(ConversationNotFoundError):
        await kettle.turns.begin_turn(conversation, "p", "Second?", None, "v")
    assert await kettle.rows_of("p") == 0


async def test_what_is_too_old_goes_and_nothing_else(kettle: Kept, teapot: Kept):
    for workshop in (kettle, teapot):
        mixed = await workshop.asked("p", "Old?", "New?")
        await workshop.age(mixed, 40)
        await workshop.age(mixed, 1, number=2)
        await workshop.age(await workshop.asked("p", *[f"Old {number}?" for number in range(7)]), 31)
        await workshop.age(await workshop.asked("p"), 31)
        await workshop.age(await workshop.asked("p", "Still being answered?", ended=False), 31)
        await workshop.asked("p")
        await workshop.been("old", NOW - timedelta(days=31))
        await workshop.been("new", NOW - timedelta(days=29))
    before = await teapot.owned()
    assert await Retention(kettle.engine, "kettle", 0).sweep() == {}
    gone = await Retention(kettle.engine, "kettle", 30, batch=3).sweep()
    assert gone == {"turns": 8, "conversations": 2, "sessions": 1, "steps": 1}
    assert await teapot.owned() == before
    listed = await kettle.history.conversations("p", 10)
    assert sorted(one.title for one in listed) == ["", "New?", "Still being answered?"]
    assert [turn.number for turn in await kettle.turns.turns(next(one.id for one in listed if one.title == "New?"), "p")] == [2]
    assert await Retention(kettle.engine, "kettle", 30).sweep() == dict.fromkeys(gone, 0)
    later = Retention(kettle.engine, "kettle", 30, now=lambda: NOW + timedelta(days=400))
    assert (await later.sweep())["turns"] == 1
    assert [one.title for one in await kettle.history.conversations("p", 10)] == ["Still being answered?"]


async def test_two_sweeps_at_once_delete_each_row_once(kettle: Kept):
    for number in range(40):
        await kettle.age(await kettle.asked("p", f"Old {number}?"), 31)
    found: list[dict[str, int]] = []

    async def sweep() -> None:
        found.append(await Retention(kettle.engine, "kettle", 30, batch=7).sweep())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sweep)
        tasks.start_soon(sweep)
    await sweep()
    assert sum(one["turns"] for one in found) == 40
    assert sum(one["conversations"] for one in found) == 40
    assert (await kettle.owned())["chat_turns"] == 0
