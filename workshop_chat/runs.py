"""Answers that are being made, each in a task of its own, whoever reads along.

A reader who goes away ends nothing; the participant's `stop`, the end of the process and the deletion of the turn do. What
there is of each answer is kept while it is made, for all answers in one transaction. A turn whose answer another process makes
is followed through its row; a process that has not said for a while that it lives is taken for dead, and its turns end as
interrupted.
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing, suppress
from datetime import datetime
from itertools import batched
from typing import Literal

import anyio
from structlog import get_logger

from shared_services.contracts.chat import Answer, StatusEvent
from shared_services.kit.errors import PlatformError, UnavailableError
from shared_services.kit.logging import request_id
from workshop_chat import metrics
from workshop_chat.background import Background
from workshop_chat.bus import STOPS, TURNS, Bus
from workshop_chat.errors import AnswerInterruptedError
from workshop_chat.following import Watches, follow_row, signal_key
from workshop_chat.pipeline import Block, Draft, Piece
from workshop_chat.repository import ConversationRepository, Progress, TurnKey

log = get_logger()

LEASE_SECONDS = 20.0
GRACE_SECONDS = 20.0
FLUSH_SECONDS = 0.5
FLUSH_RUNS = 200
"""Most answers in one transaction: making ready so many holds up all others for about 25 ms."""
FLUSH_SHARE = 4
"""Keeping partial answers takes at most one part in so many, and one more, of the time."""
KEEP_TRYING_SECONDS = 900.0
PATIENCE_SECONDS = 2.0
"""How long readers of a whole answer wait for it to be kept before they are told that it is not yet."""
LONGEST_RETRY_SECONDS = 5.0
STORE_SECONDS = 35.0
"""A little longer than SQLite waits for its turn to write."""
LAST_STORE_SECONDS = 5.0
STOP_SECONDS = 5.0
NOTE_NOT_KEPT_YET = "This answer is not kept yet, because the store of conversations does not answer; that is tried on."

CUT_BY_RESTART = "The assistant was restarted before the answer was finished. What there was of it is kept; ask again."

Cause = Literal["", "stopped", "restart", "gone"]


class Run:
    """One answer on its way.

    Args:
        conversation: Its conversation.
        participant: Whose it is; nobody else may follow or stop it.
        number: Its turn's number.
        draft: Holds it as far as it has come.
        attempt: Which of the turn's answers it is, from 1.
    """

    def __init__(self, conversation: str, participant: str, number: int, draft: Draft, attempt: int = 1) -> None:
        self.conversation = conversation
        self.participant = participant
        self.number = number
        self.attempt = attempt
        self.draft = draft
        self.pieces: list[Piece] = []
        self.scope = anyio.CancelScope()
        self.cause: Cause = ""
        self.ending: Answer | PlatformError | None = None
        self.left = anyio.Event()
        """Set once it is kept and nothing more happens to it."""
        self._moved = anyio.Event()

    @property
    def key(self) -> TurnKey:
        """Which turn it is."""
        return self.conversation, self.number

    def give(self, piece: Piece) -> None:
        """Add a piece and wake those who follow."""
        self.pieces.append(piece)
        self._move()

    def finish(self, ending: Answer | PlatformError) -> None:
        """It has ended so, which is said once."""
        if self.ending is None:
            self.ending = ending
            self._move()

    def cancel(self, cause: Cause) -> None:
        """End it early, and with it the model's call upstream. The first cause stands."""
        self.cause = self.cause or cause
        self.scope.cancel()

    def _move(self) -> None:
        self._moved.set()
        self._moved = anyio.Event()

    async def follow(self, after: int | None = None) -> AsyncGenerator[Piece | Answer]:
        """Its pieces as they come, then the Answer. Closing the generator ends nothing but itself.

        Args:
            after: Number of the last block that the reader has: what they lack comes first, then what is new. None gives all.

        Raises:
            PlatformError: It failed, or was interrupted.
        """
        seen = len(self.pieces) if after is not None else 0
        for piece in missed(self.pieces[:seen], -1 if after is None else after):
            yield piece
        while True:
            while seen < len(self.pieces):
                seen += 1
                yield self.pieces[seen - 1]
            if self.ending is not None:
                break
            await self._moved.wait()
        if isinstance(self.ending, PlatformError):
            raise self.ending
        yield self.ending

    async def result(self) -> Answer:
        """The whole answer, once there is one.

        Raises:
            PlatformError: It failed, or was interrupted.
        """
        while self.ending is None:
            await self._moved.wait()
        if isinstance(self.ending, PlatformError):
            raise self.ending
        return self.ending

    def progress(self) -> Progress:
        """As much of it as there is."""
        status = next((piece for piece in reversed(self.pieces) if isinstance(piece, StatusEvent)), None)
        return Progress(
            self.draft.answer().model_copy(update={"number": self.number}), list(self.draft.blocks), status, self.attempt
        )


def store_call() -> AbstractContextManager[object]:
    """Around a call of the store: not cut in the middle, which a driver takes badly, and a TimeoutError if it takes too long."""
    return anyio.fail_after(STORE_SECONDS, shield=True)


def missed(pieces: Sequence[Piece], after: int) -> list[Piece]:
    """What a reader lacks who has the blocks up to number `after`: everything but those blocks, of the statuses the last."""
    kept = [
        piece for piece in pieces if not isinstance(piece, StatusEvent) and not (isinstance(piece, Block) and piece.n <= after)
    ]
    return kept + [piece for piece in pieces if isinstance(piece, StatusEvent)][-1:]


class Runs:
    """The answers that one process makes for one workshop.

    Args:
        workshop: Its slug.
        repository: Where turns are kept.
        bus: Tells of changes, and hears of those at other processes.
        lease: Seconds of silence after which a process is taken for dead.
        grace: Seconds that answers get to finish once the process is to end.
        flush: Least seconds between two transactions that keep partial answers.
        keep_trying: Seconds to go on trying to keep a finished answer that a store refuses which is there. While it is away
            there is no end to it but the process's own.
    """

    def __init__(
        self,
        workshop: str,
        repository: ConversationRepository,
        bus: Bus,
        *,
        lease: float = LEASE_SECONDS,
        grace: float = GRACE_SECONDS,
        flush: float = FLUSH_SECONDS,
        keep_trying: float = KEEP_TRYING_SECONDS,
    ) -> None:
        self._workshop = workshop
        self._repository = repository
        self._bus = bus
        self._lease = lease
        self._grace = grace
        self._flush_pause = flush
        self._keep_trying = keep_trying
        self._running: dict[TurnKey, Run] = {}
        self._changed: dict[TurnKey, Run] = {}
        self._flush_due = anyio.Event()
        self._watches = Watches()
        self._background = Background()
        self.draining = anyio.Event()
        """Set once the process is about to end: what streams without an end of its own shall end."""

    async def start(self) -> None:
        """Mark what was left unfinished by a process that is no more, and be ready to answer."""
        await self._background.start()
        if not self._repository.shared:
            await self._interrupt_dead()
        for task in (self._flush, self._tend, self._listen):
            self._background.start_soon(task)

    def check_open(self) -> None:
        """Whether new answers are begun.

        Raises:
            UnavailableError: The process is about to end.
        """
        if self.draining.is_set():
            raise UnavailableError("The assistant is being restarted. Ask again in a moment.", retry_after=2)

    def begin(
        self,
        conversation: str,
        participant: str,
        number: int,
        draft: Draft,
        pieces: AsyncGenerator[Piece],
        attempt: int = 1,
    ) -> Run:
        """Make an answer to a turn that has been written down; `pieces` write into `draft`."""
        run = Run(conversation, participant, number, draft, attempt)
        self._running[run.key] = run
        self._background.start_soon(self._make, run, pieces)
        return run

    async def follow(self, conversation: str, participant: str, number: int, after: int) -> AsyncGenerator[Piece | Answer]:
        """What comes after block `after` (-1 for all) of a turn, wherever and whenever it was answered, then the Answer.

        Raises:
            TurnNotFoundError: This participant has no such turn.
            AnswerInterruptedError: It never ended.
            PlatformError: It failed, or the store did.
        """
        run = self._find(conversation, participant, number)
        pieces = run.follow(after) if run is not None else self._follow_row((conversation, number), participant, after)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def stop(self, conversation: str, participant: str, number: int) -> None:
        """End an answer and keep what there is of it. Waits for that a few seconds; nothing happens to one that has ended.

        Raises:
            TurnNotFoundError: This participant has no such turn.
        """
        run = self._find(conversation, participant, number)
        if run is not None:
            run.cancel("stopped")
            with anyio.move_on_after(STOP_SECONDS):
                await run.left.wait()
            return
        if (await self._repository.turn(conversation, participant, number)).turn.state != "answering":
            return
        await self._repository.ask_to_stop(conversation, participant, number)
        await self._bus.signal(STOPS, signal_key((conversation, number)))
        with anyio.move_on_after(STOP_SECONDS), suppress(PlatformError):
            async with aclosing(self._follow_row((conversation, number), participant, -1)) as pieces:
                async for _ in pieces:
                    pass

    def drain(self) -> None:
        """Begin no new answers; those that are being made get the grace period. For when the process is told to end."""
        if not self.draining.is_set():
            self.draining.set()
            self._watches.wake({""})
            self._background.start_soon(self._cut_after_grace)

    async def close(self) -> None:
        """Let answers finish for the grace period, keep the others as interrupted, and end."""
        self.drain()
        with anyio.move_on_after(self._grace + LAST_STORE_SECONDS):
            for run in list(self._running.values()):
                await run.left.wait()
        for run in self._running.values():
            log.error("answer_not_kept", workshop=self._workshop, conversation=run.conversation, number=run.number)
        if self._running:
            log.error("answers_not_kept", workshop=self._workshop, turns=len(self._running))
        await self._background.close()

    def _follow_row(self, key: TurnKey, participant: str, after: int) -> AsyncGenerator[Piece | Answer]:
        return follow_row(
            self._repository,
            self._watches,
            key,
            participant,
            after,
            patience=self._lease / 4,
            made_here=lambda: key in self._running,
            leaving=self.draining.is_set,
        )

    def _find(self, conversation: str, participant: str, number: int) -> Run | None:
        run = self._running.get((conversation, number))
        return run if run is not None and run.participant == participant else None

    # Making answers

    async def _make(self, run: Run, pieces: AsyncGenerator[Piece]) -> None:
        whole = False
        failure: PlatformError | None = None
        with run.scope:
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        run.give(piece)
                        self._mark_changed(run)
                whole = True
            except PlatformError as error:
                log.warning("answer_failed", workshop=self._workshop, slug=error.slug, detail=error.detail)
                failure = error
            except Exception as error:
                log.exception("answer_crashed", workshop=self._workshop, error=type(error).__name__)
                failure = PlatformError(
                    f"The answer could not be finished. The log has the details under request id {request_id.get()}."
                )
        stopped = not whole and failure is None and run.cause == "stopped"
        interrupted = not whole and not stopped
        if interrupted:
            metrics.INTERRUPTED.labels(self._workshop).inc()
        elif stopped:
            metrics.STOPPED.labels(self._workshop).inc()
        answer = run.draft.answer().model_copy(update={"number": run.number, "stopped": stopped})
        if failure is not None and not answer.answer:
            # Whoever reads the conversation later is told why there is no answer.
            answer = answer.model_copy(update={"note": failure.detail or failure.title})
        ending = failure or (AnswerInterruptedError(CUT_BY_RESTART) if interrupted else answer)
        await self._keep(run, answer, ending, interrupted=interrupted)
        run.finish(ending)
        if self._running.get(run.key) is run:
            del self._running[run.key]
        run.left.set()
        await self._bus.signal(TURNS, signal_key(run.key))

    async def _keep(self, run: Run, answer: Answer, ending: Answer | PlatformError, *, interrupted: bool) -> None:
        """Keep an answer that has ended. When the store is away its readers are not made to wait for it."""
        told = answer.model_copy(update={"note": " ".join(note for note in (answer.note, NOTE_NOT_KEPT_YET) if note)})
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._tell_meanwhile, run, told if ending is answer else ending)
            await self._keep_trying_to(run, answer, ending, interrupted=interrupted)
            beside.cancel_scope.cancel()

    async def _tell_meanwhile(self, run: Run, ending: Answer | PlatformError) -> None:
        await anyio.sleep(PATIENCE_SECONDS)
        run.finish(ending)

    async def _keep_trying_to(self, run: Run, answer: Answer, ending: Answer | PlatformError, *, interrupted: bool) -> None:
        began = time.monotonic()
        pause = 0.1
        while True:
            try:
                with store_call():
                    await self._repository.end_turn(
                        run.participant,
                        run.number,
                        answer,
                        interrupted=interrupted,
                        blocks=run.draft.blocks,
                        attempt=run.attempt,
                    )
            except Exception as error:
                away = isinstance(error, UnavailableError | TimeoutError)
                if not away:
                    run.finish(ending)
                if not away and time.monotonic() - began > self._keep_trying:
                    log.exception("answer_not_kept", workshop=self._workshop, conversation=run.conversation, number=run.number)
                    return
                if pause == 0.1:
                    log.warning("store_away", workshop=self._workshop, error=type(error).__name__, reason=str(error)[:200])
                await anyio.sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY_SECONDS)
            else:
                return

    def forget(self, conversation: str, participant: str, asked_at: datetime) -> None:
        """Take a question away of which nobody can say whether it was kept: its asker was told that it was not."""
        self._background.start_soon(self._forget, conversation, participant, asked_at)

    async def _forget(self, conversation: str, participant: str, asked_at: datetime) -> None:
        pause = 0.1
        while True:
            try:
                with store_call():
                    await self._repository.forget_turn(conversation, participant, asked_at)
            except Exception:
                await anyio.sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY_SECONDS)
            else:
                return

    async def _cut_after_grace(self) -> None:
        await anyio.sleep(self._grace)
        for run in list(self._running.values()):
            run.cancel("restart")

    # Keeping what there is

    def _mark_changed(self, run: Run) -> None:
        self._changed[run.key] = run
        self._flush_due.set()

    async def _flush(self) -> None:
        """Keep partial answers: at once, then no more often than the pause, and rarer where it takes long."""
        while True:
            await self._flush_due.wait()
            self._flush_due = anyio.Event()
            began = time.monotonic()
            changed, self._changed = self._changed, {}
            changed = {key: run for key, run in changed.items() if key in self._running and run.ending is None}
            try:
                for some in batched(changed.values(), FLUSH_RUNS):
                    with store_call():
                        await self._repository.save_progress([run.progress() for run in some])
                    await self._bus.signal(TURNS, *(signal_key(run.key) for run in some))
            except Exception as error:
                log.warning("progress_not_kept", workshop=self._workshop, error=type(error).__name__, reason=str(error)[:200])
                self._changed = {**changed, **self._changed}
                self._flush_due.set()
            await anyio.sleep(max(self._flush_pause, FLUSH_SHARE * (time.monotonic() - began)))

    async def _tend(self) -> None:
        """Say that this process lives, and find those that do not any more."""
        # After the store was away every process looks dead until it has had its time to speak again; and it may have been away
        # until this process began.
        failed = time.monotonic()
        while True:
            await anyio.sleep(self._lease / 4)
            try:
                await self._renew(list(self._running))
                if self._repository.shared and time.monotonic() - failed > self._lease:
                    await self._interrupt_dead()
            except Exception as error:
                failed = time.monotonic()
                log.warning("leases_not_renewed", workshop=self._workshop, error=type(error).__name__, reason=str(error)[:200])

    async def _renew(self, keys: Sequence[TurnKey]) -> None:
        if not keys:
            return
        with store_call():
            attempts = {key: self._running[key].attempt for key in keys if key in self._running}
            there = await self._repository.stay_alive(keys, attempts)
        for key in keys:
            run = self._running.get(key)
            if run is not None and key not in there:
                run.cancel("gone")
            elif run is not None and there[key]:
                run.cancel("stopped")

    async def _interrupt_dead(self) -> None:
        with store_call():
            marked = await self._repository.interrupt_open(self._lease if self._repository.shared else None)
        if marked:
            metrics.INTERRUPTED.labels(self._workshop).inc(len(marked))
            log.info("unfinished_turns_marked", workshop=self._workshop, turns=len(marked))
            await self._bus.signal(TURNS, *map(signal_key, marked))

    # Hearing of other processes

    async def _listen(self) -> None:
        async with self._bus.subscribe(TURNS, STOPS) as signals:
            while True:
                come = await signals.wait()
                stops = {key for topic, key in come if topic == STOPS}
                if stops:
                    wanted = [key for key in self._running if "" in stops or signal_key(key) in stops]
                    self._background.start_soon(self._look_for_stops, wanted)
                self._watches.wake({key for topic, key in come if topic == TURNS})

    async def _look_for_stops(self, keys: Sequence[TurnKey]) -> None:
        try:
            await self._renew(keys)
        except Exception as error:
            # The next renewal looks again.
            log.warning("stops_not_read", workshop=self._workshop, error=type(error).__name__, reason=str(error)[:200])
