"""Progress on steps, on both engines: times, checks, two processes at once, and nobody else's."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Answer, Citation
from shared_services.contracts.workshop import SourcePlace
from shared_services.kit.database import create_engine, session_factory
from workshop_chat.help import StepRecord
from workshop_chat.progress import IDLE_SECONDS, ProgressRepository
from workshop_chat.repository import ConversationRepository
from workshop_chat.tables import ProgressRow

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def seconds(engine: AsyncEngine, participant: str = "p", workshop: str = "harbor") -> dict[str, float]:
    query = select(ProgressRow).where(ProgressRow.participant == participant, ProgressRow.workshop == workshop)
    async with session_factory(engine)() as session:
        return {row.step: round(row.seconds, 2) for row in (await session.scalars(query)).all()}


async def test_time_is_spent_where_one_was(engine: AsyncEngine):
    progress = ProgressRepository(engine, "harbor")
    await progress.seen("p", "prepare", START)
    await progress.seen("p", "prepare", after(30))
    await progress.seen("p", "deploy", after(50.5))
    await progress.seen("p", "prepare", after(60.5))
    await progress.seen("p", "prepare", after(61))
    assert await seconds(engine) == {"prepare": pytest.approx(51, abs=0.05), "deploy": pytest.approx(10, abs=0.05)}
    assert await progress.record("p", "prepare") == StepRecord(START, 0)


async def test_whoever_was_away_spent_no_time(engine: AsyncEngine):
    progress = ProgressRepository(engine, "harbor")
    await progress.seen("p", "prepare", START)
    await progress.seen("p", "prepare", after(IDLE_SECONDS + 1))
    await progress.seen("p", "prepare", after(IDLE_SECONDS + 11))
    assert (await seconds(engine))["prepare"] == pytest.approx(10, abs=0.05)


async def test_a_clock_behind_takes_nothing_back(engine: AsyncEngine):
    progress = ProgressRepository(engine, "harbor")
    await progress.seen("p", "prepare", START)
    await progress.seen("p", "prepare", after(20))
    await progress.seen("p", "prepare", after(10))
    await progress.seen("p", "prepare", after(25))
    assert (await seconds(engine))["prepare"] == pytest.approx(25, abs=0.05)


async def test_failed_checks_count_until_one_passes(engine: AsyncEngine):
    progress = ProgressRepository(engine, "harbor")
    for _ in range(3):
        await progress.checked("p", "deploy", passed=False, now=START)
    assert await progress.record("p", "deploy") == StepRecord(START, 3)
    await progress.checked("p", "deploy", passed=True, now=after(5))
    assert await progress.record("p", "deploy") == StepRecord(START, 0, passed=True)
    await progress.checked("p", "deploy", passed=False, now=after(9))
    assert (await progress.record("p", "deploy")).failed_checks == 1
    assert await progress.record("p", "prepare") == StepRecord()


async def test_it_is_nobody_elses(engine: AsyncEngine):
    harbor, orchard = ProgressRepository(engine, "harbor"), ProgressRepository(engine, "orchard")
    await harbor.seen("p", "deploy", START)
    await orchard.seen("p", "deploy", after(5))
    await harbor.seen("q", "deploy", after(7))
    await harbor.checked("p", "deploy", passed=False, now=after(8))
    assert (await orchard.record("p", "deploy")) == StepRecord(after(5), 0)
    assert (await harbor.record("q", "deploy")).failed_checks == 0
    assert await seconds(engine, workshop="orchard") == {"deploy": 0}


async def test_two_processes_lose_nothing_of_each_others(engine: AsyncEngine, database_url: str):
    second = create_engine(database_url)
    try:
        both = [ProgressRepository(engine, "harbor"), ProgressRepository(second, "harbor")]
        await asyncio.gather(*(both[n % 2].checked("p", "deploy", passed=False) for n in range(20)))
        await asyncio.gather(*(both[n % 2].seen("p", ("deploy", "scale")[n // 2 % 2]) for n in range(20)))
        assert (await both[0].record("p", "deploy")).failed_checks == 20
        await asyncio.gather(*(both[n % 2].seen("new", "tidy", START) for n in range(10)))
        assert await seconds(second, "new") == {"tidy": 0}
    finally:
        await second.dispose()


async def test_the_hints_of_a_conversation_are_its_own(engine: AsyncEngine):
    conversations, progress = ConversationRepository(engine, "harbor"), ProgressRepository(engine, "harbor")

    def citing(conversation: str, file: str, text: str) -> Answer:
        cited = Citation(
            n=1, workshop="harbor", step="deploy", file=file, first_line=1, last_line=1, heading=[], text=text,
            source=SourcePlace(file=file, line=1),
        )  # fmt: skip
        return Answer(
            conversation=conversation, answer="a [1]", abstained=False, written_by="extractive", nearest=[], citations=[cited], timings={}
        )  # fmt: skip

    told = [
        ("p", "steps/deploy/hints.md", "one"),
        ("p", "steps/deploy/content.md", "two"),
        ("p", "steps/scale/hints.md", "three"),
    ]
    conversation = await conversations.create("p")
    for participant, file, text in told:
        number = await conversations.begin_turn(conversation, participant, "hint", "deploy", "v")
        await conversations.end_turn(participant, number, citing(conversation, file, text), interrupted=False)
    assert await progress.hints_shown(conversation, "p", "deploy") == ["one"]
    assert await progress.hints_shown(conversation, "q", "deploy") == []
    assert await progress.hints_shown(await conversations.create("p"), "p", "deploy") == []
    assert await ProgressRepository(engine, "orchard").hints_shown(conversation, "p", "deploy") == []
