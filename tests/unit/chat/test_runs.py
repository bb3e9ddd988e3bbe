"""Answers in the making: what a reader is given again, what is kept meanwhile, and what a store that is away changes."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from shared_services.contracts.chat import Answer, StatusEvent
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.errors import UnavailableError
from tests.unit.chat.worlds import passage
from workshop_chat.bus import LocalBus
from workshop_chat.errors import AnswerInterruptedError, TurnNotFoundError
from workshop_chat.pipeline import Block, Draft, Piece, citation_of
from workshop_chat.repository import ConversationRepository, Progress, cut
from workshop_chat.runs import NOTE_NOT_KEPT_YET, Run, Runs, missed
from workshop_chat.tables import MIGRATIONS

RETRIEVING = StatusEvent(stage="retrieving", message="Looking")
WRITING = StatusEvent(stage="writing", message="Writing")
CITED = citation_of(1, passage("Boil it."))
BLOCKS = [Block(0, "One. [1]", ""), Block(1, "Zwei ü 🫖.", " "), Block(2, "```\nthree\n```", "\n\n")]


class Watched(ConversationRepository):
    """A repository that notes what is kept, and fails where it is told to."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.saved: list[list[Progress]] = []
        self.kept = anyio.Event()
        self.failing = 0
        self.failed = anyio.Event()

    async def save_progress(self, progress: Sequence[Progress]) -> None:
        await super().save_progress(progress)
        self.saved.append(list(progress))
        self.kept.set()
        self.kept = anyio.Event()

    async def end_turn(self, *given: Any, **named: Any) -> None:
        if self.failing:
            self.failing -= 1
            self.failed.set()
            raise UnavailableError("The database does not answer.")
        await super().end_turn(*given, **named)


class World:
    """A process with its store."""

    def __init__(self, runs: Runs, repository: Watched) -> None:
        self.runs = runs
        self.repository = repository

    async def begin(self, script: "Script") -> Run:
        conversation = await self.repository.create("p")
        number = await self.repository.begin_turn(conversation, "p", "How?", None, "v")
        draft = Draft(conversation)
        return self.runs.begin(conversation, "p", number, draft, script.pieces(draft))


class Script:
    """Gives a status and a block, and the next block each time it is told to go on."""

    def __init__(self, blocks: int = 3, failure: Exception | None = None) -> None:
        self.blocks = blocks
        self.failure = failure
        self.closed = anyio.Event()
        self._go = anyio.Semaphore(1)

    def go(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self._go.release()

    async def pieces(self, draft: Draft) -> AsyncGenerator[Piece]:
        try:
            yield WRITING
            for n in range(self.blocks):
                await self._go.acquire()
                yield draft.add(f"Block {n}.")
            if self.failure is not None:
                raise self.failure
        finally:
            self.closed.set()


@asynccontextmanager
async def process(repository: ConversationRepository, **options: Any) -> AsyncIterator[Runs]:
    runs = Runs("kettle", repository, LocalBus(), **{"grace": 0, "flush": 0.01, **options})
    await runs.start()
    yield runs
    await runs.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    engine = create_engine(f"sqlite:///{tmp_path}/chat.db")
    await migrate(engine, MIGRATIONS)
    repository = Watched(engine, "kettle")
    async with process(repository) as runs:
        yield World(runs, repository)
    await engine.dispose()


async def collect(pieces: AsyncGenerator[Piece | Answer], most: int | None = None) -> list[Piece | Answer]:
    got: list[Piece | Answer] = []
    with anyio.fail_after(60):
        async for piece in pieces:
            got.append(piece)
            if len(got) == most:
                break
    await pieces.aclose()
    return got


def numbers(pieces: Sequence[Piece | Answer]) -> list[int]:
    return [piece.n for piece in pieces if isinstance(piece, Block)]


@pytest.mark.parametrize(
    ("after", "blocks"),
    [(-1, [0, 1, 2]), (0, [1, 2]), (2, []), (9, [])],
)
def test_a_reader_lacks_the_blocks_after_its_last_and_all_else(after, blocks):
    pieces: list[Piece] = [RETRIEVING, WRITING, CITED, *BLOCKS]
    given = missed(pieces, after)
    assert numbers(given) == blocks
    assert CITED in given
    assert [piece for piece in given if isinstance(piece, StatusEvent)] == [WRITING]


def test_an_answers_text_is_cut_into_its_blocks_again():
    whole = "".join(block.before + block.markdown for block in BLOCKS)
    assert cut(whole, [[len(block.before), len(block.markdown)] for block in BLOCKS]) == BLOCKS
    assert cut("as it was kept before", None) == [Block(0, "as it was kept before", "")]
    assert cut("", None) == []


async def test_readers_come_and_go_and_the_answer_goes_on(world: World):
    script = Script()
    run = await world.begin(script)
    assert len(await collect(run.follow(), 2)) == 2
    script.go(2)
    first, second = await collect(run.follow()), await collect(run.follow(after=0))
    assert numbers(first) == [0, 1, 2]
    assert numbers(second) == [1, 2]
    assert first[-1] == second[-1] == await run.result()
    kept = await world.repository.turn(run.conversation, "p", 1)
    assert (kept.turn.state, kept.turn.answer, kept.blocks) == ("done", first[-1], run.draft.blocks)
    assert await collect(world.runs.follow(run.conversation, "p", 1, 1)) == [run.draft.blocks[2], first[-1]]


async def test_what_there_is_is_kept_for_all_at_once(world: World):
    scripts = [Script() for _ in range(50)]
    runs = [await world.begin(script) for script in scripts]
    for run in runs:
        await collect(run.follow(), 2)
    with anyio.fail_after(60):
        while {each.answer.conversation for saved in world.repository.saved for each in saved if each.blocks} < {
            run.conversation for run in runs
        }:
            await world.repository.kept.wait()
    kept = await world.repository.turn(runs[7].conversation, "p", 1)
    assert (kept.turn.state, kept.status, numbers(kept.blocks)) == ("answering", WRITING, [0])
    assert kept.turn.answer is not None
    assert kept.turn.answer.answer == "Block 0."
    quiet = len(world.repository.saved)
    for script in scripts:
        script.go()
    for run in runs:
        await collect(run.follow(after=0), 2)
    with anyio.fail_after(60):
        while numbers((await world.repository.turn(runs[49].conversation, "p", 1)).blocks) != [0, 1]:
            await world.repository.kept.wait()
    assert len(world.repository.saved) - quiet < len(runs)
    for script in scripts:
        script.go(2)
    for run in runs:
        await run.left.wait()


async def test_stop_keeps_what_was_given_and_ends_the_pieces(world: World):
    script = Script()
    run = await world.begin(script)
    await collect(run.follow(), 2)
    with pytest.raises(TurnNotFoundError):
        await world.runs.stop(run.conversation, "q", 1)
    assert run.ending is None
    await world.runs.stop(run.conversation, "p", 1)
    assert script.closed.is_set()
    answer = await run.result()
    assert (answer.stopped, answer.answer, answer.number) == (True, "Block 0.", 1)
    assert (await world.repository.turn(run.conversation, "p", 1)).turn.state == "stopped"
    await world.runs.stop(run.conversation, "p", 1)
    assert (await world.repository.turn(run.conversation, "p", 1)).turn.answer == answer


async def test_a_stop_before_the_first_piece_still_stops(world: World):
    script = Script()
    run = await world.begin(script)
    await world.runs.stop(run.conversation, "p", 1)
    assert (await run.result()).stopped
    assert (await world.repository.turn(run.conversation, "p", 1)).turn.state == "stopped"


async def test_readers_do_not_wait_for_a_store_that_is_away_and_the_answer_is_kept_once_it_is_back(world: World):
    world.repository.failing = 5
    script = Script(blocks=1)
    run = await world.begin(script)
    with anyio.fail_after(60):
        answer = await run.result()
        assert not run.left.is_set()
        assert await collect(world.runs.follow(run.conversation, "p", 1, -1)) == [*run.draft.blocks, WRITING, answer]
        await run.left.wait()
    kept = await world.repository.turn(run.conversation, "p", 1)
    assert answer.note == NOTE_NOT_KEPT_YET
    assert (kept.turn.state, kept.turn.answer) == ("done", answer.model_copy(update={"note": ""}))
    assert world.repository.failing == 0


async def test_a_failure_is_told_to_every_reader_and_ends_no_other_answer(world: World):
    bad, good = Script(blocks=1, failure=RuntimeError("a secret of the inside")), Script(blocks=1)
    broken, whole = await world.begin(bad), await world.begin(good)
    for follow in (broken.follow(), broken.follow(after=0)):
        with pytest.raises(Exception, match="log has the details") as caught:
            await collect(follow)
        assert "secret" not in str(caught.value)
    assert not (await whole.result()).stopped
    with pytest.raises(AnswerInterruptedError):
        await collect(world.runs.follow(broken.conversation, "p", 1, -1))


async def test_what_a_process_left_is_interrupted_and_nobody_waits_for_it(world: World):
    conversation = await world.repository.create("p")
    await world.repository.begin_turn(conversation, "p", "How?", None, "v")
    with pytest.raises(AnswerInterruptedError):
        await collect(world.runs.follow(conversation, "p", 1, -1))
    async with process(world.repository):
        assert (await world.repository.turn(conversation, "p", 1)).turn.state == "interrupted"


async def test_the_end_of_the_process_waits_and_then_keeps_what_there_is(world: World):
    scripts = [Script(), Script()]
    async with process(world.repository, grace=0.5) as runs:
        there = World(runs, world.repository)
        slow, endless = [await there.begin(script) for script in scripts]
        await collect(slow.follow(), 2)
        await collect(endless.follow(), 2)
        runs.drain()
        with pytest.raises(UnavailableError):
            runs.check_open()
        scripts[0].go(2)
    assert (await world.repository.turn(slow.conversation, "p", 1)).turn.state == "done"
    cut_off = await world.repository.turn(endless.conversation, "p", 1)
    assert cut_off.turn.state == "interrupted"
    assert cut_off.turn.answer is not None
    assert cut_off.turn.answer.answer == "Block 0."
    with pytest.raises(AnswerInterruptedError):
        await endless.result()
