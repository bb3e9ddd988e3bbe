"""Conversations on SQLite and on PostgreSQL: kept, and nobody else's."""

import asyncio

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.chat import Answer, Feedback, NearestSection
from tests.unit.chat.worlds import passage, shared_passage
from workshop_chat.errors import ConversationNotFoundError, TurnAnsweredError, TurnNotFoundError, TurnOpenError
from workshop_chat.pipeline import Block, citation_of
from workshop_chat.repository import ConversationRepository, Progress


def answer(conversation: str, text: str = "Yes. [1]") -> Answer:
    return Answer(
        conversation=conversation,
        answer=text,
        abstained=False,
        written_by="extractive",
        note="A note.",
        nearest=[NearestSection(step="boil", heading=["Boil"], file="steps/boil/content.md", line=3)],
        citations=[citation_of(1, passage("Boil it."))],
        timings={"total": 4.5},
    )


async def test_a_turn_is_kept_whole(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p1")
    number = await repository.begin_turn(conversation, "p1", "How?", "boil", "v1")
    open_turn = (await repository.turns(conversation, "p1"))[0]
    assert (open_turn.number, open_turn.state, open_turn.answer, open_turn.step) == (1, "answering", None, "boil")
    await repository.end_turn("p1", number, answer(conversation), interrupted=False)
    done = (await repository.turns(conversation, "p1"))[0]
    assert (done.state, done.answer) == ("done", answer(conversation).model_copy(update={"number": 1}))


async def test_a_shared_documents_citation_is_kept_and_what_was_kept_before_them_is_read(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    number = await repository.begin_turn(conversation, "p", "How?", None, "v")
    shared = shared_passage("Use vinegar.")
    near = NearestSection(document=shared.document, heading=["Descaling"], file=shared.file, line=7)
    given = answer(conversation).model_copy(update={"citations": [citation_of(1, shared)], "nearest": [near]})
    await repository.end_turn("p", number, given, interrupted=False)
    assert (await repository.turns(conversation, "p"))[0].answer == given.model_copy(update={"number": 1})
    # as it was written when a citation was always a workshop's
    place = '"file": "steps/boil/content.md", "heading": ["Boil"]'
    cited = (
        f'[{{"n": 1, "workshop": "kettle", "step": "boil", {place}, "first_line": 3, "last_line": 3, "text": "Boil it.", '
        '"source": {"file": "docs/boil.md", "line": 3}}]'
    )
    kept = (
        '{"answer": "Yes. [1]", "abstained": false, "written_by": "extractive", "note": "", '
        f'"nearest": [{{"step": "boil", {place}, "line": 3}}]}}'
    )
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE chat_turns SET answer = :kept, citations = :cited"), {"kept": kept, "cited": cited})
    old = (await repository.turns(conversation, "p"))[0].answer
    assert old is not None
    assert (old.citations[0].workshop, old.citations[0].step, old.citations[0].document) == ("kettle", "boil", None)
    assert (old.nearest[0].step, old.nearest[0].document) == ("boil", None)


async def test_nobody_else_reads_or_writes_it(engine: AsyncEngine):
    own, other = ConversationRepository(engine, "kettle"), ConversationRepository(engine, "teapot")
    conversation = await own.create("p1")
    number = await own.begin_turn(conversation, "p1", "How?", None, "v1")
    for repository, participant in ((own, "p2"), (other, "p1")):
        with pytest.raises(ConversationNotFoundError):
            await repository.turns(conversation, participant)
        with pytest.raises(TurnNotFoundError):
            await repository.turn(conversation, participant, number)
        await repository.ask_to_stop(conversation, participant, number)
        with pytest.raises(ConversationNotFoundError):
            await repository.begin_turn(conversation, participant, "?", None, "v1")
        assert await repository.last_turns(conversation, participant, 5) == []
        await repository.end_turn(participant, number, answer(conversation), interrupted=False)
    assert await other.interrupt_open() == []
    assert await own.stay_alive([(conversation, number)]) == {(conversation, number): False}
    assert (await own.turns(conversation, "p1"))[0].state == "answering"


async def test_a_start_marks_what_was_left_of_its_own_workshop_alone(engine: AsyncEngine):
    own, other = ConversationRepository(engine, "kettle"), ConversationRepository(engine, "teapot")
    mine, theirs = await own.create("p"), await other.create("p")
    await own.begin_turn(mine, "p", "a", None, "v")
    await other.begin_turn(theirs, "p", "b", None, "v")
    assert await own.interrupt_open() == [(mine, 1)]
    assert (await own.turns(mine, "p"))[0].state == "interrupted"
    assert (await other.turns(theirs, "p"))[0].state == "answering"
    assert await own.interrupt_open() == []


async def test_only_the_newest_answered_turns_are_read_for_a_follow_up(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    for question in "abc":
        number = await repository.begin_turn(conversation, "p", question, None, "v")
        await repository.end_turn("p", number, answer(conversation), interrupted=False)
    await repository.begin_turn(conversation, "p", "d", None, "v")
    assert [turn.question for turn in await repository.last_turns(conversation, "p", 3)] == ["b", "c"]
    assert await repository.last_turns(conversation, "p", 0) == []


async def test_messages_at_once_get_numbers_of_their_own(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")

    async def ask(text: str) -> None:
        await repository.begin_turn(conversation, "p", text, None, "v")

    async with anyio.create_task_group() as tasks:
        for text in ("a", "b", "c", "d"):
            tasks.start_soon(ask, text)
    assert [turn.number for turn in await repository.turns(conversation, "p")] == [1, 2, 3, 4]


async def test_only_turns_whose_process_is_silent_are_given_up(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    for question in "abc":
        await repository.begin_turn(conversation, "p", question, None, "v")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE chat_turns SET alive_at = '2001-01-01 00:00:00' WHERE number = 1"))
        await connection.execute(text("UPDATE chat_turns SET alive_at = NULL WHERE number = 2"))
    keys = [(conversation, 1), (conversation, 3)]
    assert await ConversationRepository(engine, "teapot").stay_alive(keys) == {}
    assert sorted(await repository.interrupt_open(60)) == [(conversation, 1), (conversation, 2)]
    await repository.ask_to_stop(conversation, "q", 3)
    assert await repository.stay_alive(keys) == {(conversation, 1): False, (conversation, 3): False}
    await repository.ask_to_stop(conversation, "p", 3)
    assert await repository.stay_alive([*keys, ("gone", 1)]) == {(conversation, 1): False, (conversation, 3): True}
    assert [turn.state for turn in await repository.turns(conversation, "p")] == ["interrupted", "interrupted", "answering"]


async def test_progress_never_undoes_an_end(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    number = await repository.begin_turn(conversation, "p", "How?", None, "v", "hint")
    part, whole = (answer(conversation, each).model_copy(update={"number": number}) for each in ("Yes.", "Yes. And more."))
    await repository.save_progress([Progress(part, [Block(0, "Yes.", "")], None)])
    assert (await repository.turn(conversation, "p", number)).turn.answer == part
    await repository.end_turn("p", number, whole, interrupted=False)
    await repository.save_progress([Progress(part, [Block(0, "Yes.", "")], None)])
    kept = (await repository.turn(conversation, "p", number)).turn
    assert (kept.state, kept.mode, kept.answer) == ("done", "hint", whole)


async def test_feedback_is_read_with_its_turn(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    await repository.begin_turn(conversation, "p", "How?", None, "v")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE chat_turns SET rating = 'down', reason = 'Too short.'"))
    assert (await repository.turns(conversation, "p"))[0].feedback == Feedback(rating="down", reason="Too short.")


async def test_an_answer_begun_anew_is_not_written_over_by_whoever_comes_late(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    number = await repository.begin_turn(conversation, "p", "How?", "boil", "v1", "hint")
    key = (conversation, number)
    with pytest.raises(TurnOpenError):
        await repository.reopen_turn(conversation, "p", number, "v2")
    await repository.interrupt_open()
    assert await repository.reopen_turn(conversation, "p", number, "v2") == 2
    assert await repository.stay_alive([key], {key: 1}) == {}
    assert await repository.stay_alive([key], {key: 2}) == {key: False}
    late = answer(conversation).model_copy(update={"number": number, "answer": "Of the first."})
    await repository.save_progress([Progress(late, [Block(0, "Of the first.", "")], None, 1)])
    await repository.end_turn("p", number, late, interrupted=False, attempt=1)
    open_still = (await repository.turn(conversation, "p", number)).turn
    assert (open_still.state, open_still.answer, open_still.mode) == ("answering", None, "hint")
    whole = late.model_copy(update={"answer": "Of the second."})
    await repository.save_progress([Progress(whole, [Block(0, "Of the second.", "")], None, 2)])
    await repository.end_turn("p", number, whole, interrupted=False, attempt=2)
    await repository.end_turn("p", number, late, interrupted=True, attempt=1)
    (kept,) = await repository.turns(conversation, "p")
    assert (kept.state, kept.answer) == ("done", whole)
    with pytest.raises(TurnAnsweredError):
        await repository.reopen_turn(conversation, "p", number, "v2")
    with pytest.raises(TurnNotFoundError):
        await repository.reopen_turn(conversation, "q", number, "v2")
    with pytest.raises(TurnNotFoundError):
        await ConversationRepository(engine, "teapot").reopen_turn(conversation, "p", number, "v2")


async def test_of_two_who_try_again_at_once_one_is_let(engine: AsyncEngine):
    repository = ConversationRepository(engine, "kettle")
    conversation = await repository.create("p")
    number = await repository.begin_turn(conversation, "p", "How?", None, "v")
    await repository.interrupt_open()
    tried = await asyncio.gather(
        *(repository.reopen_turn(conversation, "p", number, "v") for _ in range(4)), return_exceptions=True
    )
    assert sorted(str(each) if isinstance(each, int) else type(each).__name__ for each in tried) == ["2", *["TurnOpenError"] * 3]
