"""Writing checked blocks into a draft: by the model within its passages or beyond them, or of what is at hand.

When the model fails, or says what it must not, the passages' own words take over, and a note says so.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from structlog import get_logger

from shared_services.contracts.chat import CheckVerdict, Citation, StatusEvent
from shared_services.contracts.rag import Passage, Turn
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import Finish, ModelGateway
from shared_services.llm.moderation import Moderator, NullModerator
from shared_services.llm.prompt import fitting_passages
from workshop_chat.draft import Block, Draft, Question
from workshop_chat.queue import ModelQueue
from workshop_chat.safety.levels import stopping
from workshop_chat.situation import Situation
from workshop_chat.stages.check import Checked, Checker, UncitedError
from workshop_chat.stages.hint import Guard
from workshop_chat.stages.moderate import masked_block, moderate_block, moderate_by_model
from workshop_chat.stages.standalone import leans_on_history, stand_alone
from workshop_chat.stages.write import (
    Commission,
    NotInPassagesError,
    WrittenBlock,
    write_extractive,
    write_with_model,
)

log = get_logger()

NOTE_MODEL_AWAY = "The language model does not answer right now, so this answer is made of its sources' own sentences."
NOTE_MODEL_BUSY = "The language model is busy with others' questions, so this answer is made of its sources' own sentences."
NOTE_MODEL_STOPPED = "The language model stopped in mid-answer; the last part is made of its sources' own sentences."
NOTE_MODEL_UNCITED = "The language model named no passage for its answer, so this one is made of its sources' own sentences."
NOTE_GAVE_AWAY = "The language model's answer would have given the solution away, so this hint stands in its place."
NOTE_GAVE_AWAY_LOCKED = (
    "The language model's answer would have given the solution away, so this one is made of its sources' own sentences."
)
NOTE_KEPT_BACK = "A part that would have given the solution away was left out."
NOTE_GENERAL = (
    "Not from this workshop: the language model wrote this from what it knows in general. Check it before you rely on it."
)
NOTE_GENERAL_STOPPED = "The language model stopped in mid-answer."
NOTES_ON_END = {
    "length": "The answer reached its greatest length and was cut. Ask for the rest.",
    "filtered": "The language model's filter ended this answer early.",
}


EARLIER_CHARACTERS = 1_500
"""How much of the answer so far the safety model reads with its next piece: a sentence alone may look harmless."""

Written = CheckVerdict | Citation | Block


class Writer:
    """Writes the answers of one workshop.

    Args:
        workshop: Its slug.
        gateway: The language model; one that is not `configured` is never asked.
        max_tokens: Longest answer of the model, in its tokens.
        context_characters: How many characters of passages a prompt may hold.
        queue: Hands out turns at the model; everybody has one at once when absent.
        moderator: The safety model; one that is not `configured` is never asked.
    """

    def __init__(
        self,
        workshop: str,
        gateway: ModelGateway,
        *,
        max_tokens: int,
        context_characters: int,
        queue: ModelQueue | None = None,
        moderator: Moderator | None = None,
    ) -> None:
        self._workshop = workshop
        self._gateway = gateway
        self._moderator = moderator or NullModerator()
        self._queue = queue or ModelQueue(workshop, streams=0, patience=0)
        self._max_tokens = max_tokens
        self._context_characters = context_characters

    @property
    def has_model(self) -> bool:
        """Whether a language model is configured."""
        return self._gateway.configured

    async def stand_alone(self, text: str, history: Sequence[Turn], seconds: float) -> str | None:
        """A follow-up as a question of its own; None where the model gives none of use within `seconds`, or need not."""
        if not self._gateway.configured or seconds <= 0 or not leans_on_history(text, history):
            return None
        return await stand_alone(self._gateway, text, history, seconds=seconds)

    async def answer(
        self, question: Question, here: Situation, found: Sequence[Passage], draft: Draft, *, stand_in: bool = True
    ) -> AsyncGenerator[StatusEvent | Written]:
        """Blocks by the model, or by what stands in for it; none when the passages do not hold the answer after all.

        Args:
            question: What is asked.
            here: Where it stands.
            found: Passages, best first.
            draft: What is written to.
            stand_in: Let the passages' own sentences stand in for the model.
        """
        passages = fitting_passages(found, self._context_characters)
        checker = Checker(passages)
        guard = here.guard(question)
        if self._gateway.configured:
            commission = self._commission(question, here, passages)
            try:
                async with aclosing(self._in_turn(question, commission, checker, guard, draft)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Citation | Block):
                            draft.written_by = "model"
                        yield piece
            except NotInPassagesError:
                return
            except UncitedError:
                if guard.withheld:
                    log.warning("model_gave_away", workshop=self._workshop, blocks=guard.withheld)
                    draft.note = NOTE_GAVE_AWAY if here.mode == "hint" else NOTE_GAVE_AWAY_LOCKED
                    if here.mode == "hint" and here.texts.hints:
                        return  # the author's own stand in for it
                else:
                    log.warning("model_answer_uncited", workshop=self._workshop)
                    draft.note = NOTE_MODEL_UNCITED
            except ModelUnavailableError as error:
                log.warning("model_unavailable", workshop=self._workshop, reason=error.reason, detail=error.detail)
                away = NOTE_MODEL_BUSY if error.reason == "rate_limited" else NOTE_MODEL_AWAY
                draft.note = NOTE_MODEL_STOPPED if draft.written_by == "model" else away
            else:
                if guard.withheld and not draft.note:
                    draft.note = NOTE_KEPT_BACK
                return
            checker.restart()
            # What was let through but never sent has told nobody anything.
            guard = guard if draft.written_by == "model" else here.guard(question)
        blocks = write_extractive(here.understood.question, passages) if stand_in else []
        async with aclosing(self.given(question, draft, passages, blocks, guard, checker)) as at_hand:
            async for given in at_hand:
                yield given

    def _commission(
        self, question: Question, here: Situation, passages: Sequence[Passage], *, general: bool = False
    ) -> Commission:
        return Commission(
            question=here.understood.question,
            passages=passages,
            history=here.history,
            workshop_title=question.published.manifest.title,
            step_title=question.step_title,
            max_tokens=self._max_tokens,
            context_characters=self._context_characters,
            mode=here.mode,
            about=here.pointed_at,
            general=general,
        )

    async def given(
        self,
        question: Question,
        draft: Draft,
        passages: Sequence[Passage],
        blocks: Sequence[WrittenBlock],
        guard: Guard,
        checker: Checker | None = None,
    ) -> AsyncGenerator[Written]:
        """The pieces of blocks that are at hand, checked like any other."""
        checker = checker or Checker(passages)
        let = [each for block in blocks for each in guard.let(block)] + list(guard.close())
        async with aclosing(self._safe(question, draft, passages, checker, let)) as pieces:
            async for piece in pieces:
                yield piece

    async def _safe(
        self, question: Question, draft: Draft, passages: Sequence[Passage], checker: Checker, blocks: Sequence[WrittenBlock]
    ) -> AsyncGenerator[Written]:
        """Of blocks, those that are ready to be sent and safe; after them the sentence that ends the answer (`refused`).

        They are judged together: the safety model is asked once for what is ready at once.
        """
        safe: list[Checked] = []
        ending: CheckVerdict | None = None
        for each in (checked for block in blocks for checked in checker.check(block)):
            verdicts = moderate_block(question.level, each.markdown, passages)
            for verdict in draft.note_checks(verdicts):
                yield verdict
            ending = stopping(verdicts)
            if ending is not None:
                break
            safe.append(replace(each, markdown=masked_block(each.markdown, verdicts, passages)))
        if safe:
            text = draft.text[-EARLIER_CHARACTERS:] + "".join(each.before + each.markdown for each in safe)
            judged = await moderate_by_model(
                self._moderator, question.level, "answer", text.strip(), draft.checks, asked=question.text
            )
            for verdict in draft.note_checks(judged):
                yield verdict
            found = stopping(judged, question.level)
            if found is not None:
                safe, ending = [], found
        for each in safe:
            for piece in draft.take(each):
                yield piece
        if ending is not None:
            yield draft.refuse(ending)

    async def _in_turn(
        self, question: Question, commission: Commission, checker: Checker, guard: Guard, draft: Draft
    ) -> AsyncGenerator[StatusEvent | Written]:
        """What the model writes, once it is this answer's turn; a model that says it is busy is asked again in its time."""
        start = len(draft.blocks)
        with self._queue.place(question.participant) as place:
            while True:
                async with aclosing(place.turn()) as waiting:
                    async for told in waiting:
                        yield told
                try:
                    async with aclosing(self._by_model(question, commission, checker, guard, draft)) as pieces:
                        async for piece in pieces:
                            yield piece
                except ModelUnavailableError as error:
                    if len(draft.blocks) > start or not place.again(error):
                        raise
                else:
                    return

    async def _by_model(
        self, question: Question, commission: Commission, checker: Checker, guard: Guard, draft: Draft
    ) -> AsyncGenerator[Written]:
        async with aclosing(write_with_model(self._gateway, commission)) as written:
            async for block in written:
                if isinstance(block, Finish):
                    draft.note = NOTES_ON_END.get(block.reason, "")
                    continue
                async with aclosing(self._safe(question, draft, commission.passages, checker, guard.let(block))) as pieces:
                    async for piece in pieces:
                        yield piece
                if draft.refused:
                    return
        async with aclosing(self._safe(question, draft, commission.passages, checker, guard.close())) as pieces:
            async for piece in pieces:
                yield piece
        if not draft.refused:
            checker.close()

    async def general(self, question: Question, here: Situation, draft: Draft) -> AsyncGenerator[StatusEvent | Written]:
        """What the model knows in general, marked as such; nothing where it fails."""
        draft.note = ""
        checker, guard = Checker([], must_cite=False), here.guard(question)
        commission = self._commission(question, here, [], general=True)
        start = len(draft.blocks)
        ended = ""
        try:
            async with aclosing(self._in_turn(question, commission, checker, guard, draft)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Citation | Block):
                        draft.general_knowledge, draft.written_by = not draft.refused, "model"
                    yield piece
        except NotInPassagesError:
            return
        except ModelUnavailableError as error:
            log.warning("model_unavailable", workshop=self._workshop, reason=error.reason, detail=error.detail)
            ended = NOTE_GENERAL_STOPPED
        if len(draft.blocks) > start:
            draft.note = " ".join(note for note in (NOTE_GENERAL, draft.note or ended) if note)
