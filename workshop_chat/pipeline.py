"""From a question to checked blocks: understand, retrieve, decide, write, check. What is kept and how it is sent is others' work.

Nothing reaches the reader unchecked, and nothing that the way of helping withholds.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from structlog import get_logger

from shared_services.contracts.chat import CheckVerdict, Citation, StatusEvent
from shared_services.llm.gateway import ModelGateway
from shared_services.llm.moderation import Moderator, NullModerator
from workshop_chat import metrics
from workshop_chat.draft import NOTE_KEYWORDS_ONLY, Block, Draft, Question, citation_of
from workshop_chat.help import readable_kinds
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.ports import Search
from workshop_chat.queue import ModelQueue
from workshop_chat.safety.levels import stopping
from workshop_chat.situation import Situation, situation_of
from workshop_chat.stages.asks import Asking, ask_what, ask_which, leans_on_earlier, may_ask_back, rivals
from workshop_chat.stages.check import Checker
from workshop_chat.stages.decide import Decision, abstention, cause_elsewhere, decide, nearest_sections, reply_to
from workshop_chat.stages.hint import PLAIN_HINT, Guard, concerns, hint_block, next_hint, socratic, solution_blocks
from workshop_chat.stages.moderate import moderate_by_model, moderate_passages, moderate_subject
from workshop_chat.stages.retrieve import Retrieved, retrieve
from workshop_chat.stages.reveal import NO_COMMANDS
from workshop_chat.stages.shelf import Shelf
from workshop_chat.stages.understand import Understood, small_talk
from workshop_chat.writing import (
    NOTE_GAVE_AWAY,
    NOTE_MODEL_AWAY,
    NOTE_MODEL_BUSY,
    NOTE_MODEL_STOPPED,
    NOTE_MODEL_UNCITED,
    NOTES_ON_END,
    Writer,
)

__all__ = [
    "NOTES_ON_END",
    "NOTE_KEYWORDS_ONLY",
    "NOTE_MODEL_AWAY",
    "NOTE_MODEL_BUSY",
    "NOTE_MODEL_STOPPED",
    "NOTE_MODEL_UNCITED",
    "AnswerPipeline",
    "Block",
    "Draft",
    "Piece",
    "Question",
    "citation_of",
]

log = get_logger()

NOTE_HINTS_USED_UP = "You have had all of the author's hints for this step; this one is made from its text."

Piece = StatusEvent | Citation | Block | CheckVerdict


class AnswerPipeline:
    """Answers questions of one workshop.

    Args:
        workshop: Its slug.
        search: Retrieval in its scope.
        gateway: The language model; one that is not `configured` is never asked.
        desk: Knows the steps, and what is open to whom.
        threshold: Confidence (0 to 1) below which a question is not answered.
        passages: How many passages an answer may rest on.
        max_tokens: Longest answer of the model, in its tokens.
        context_characters: How many characters of passages a prompt may hold.
        queue: Hands out turns at the model; everybody has one at once when absent.
        moderator: The safety model; one that is not `configured` is never asked.
        rewording_seconds: How long the model may take to make a follow-up stand alone; 0 never asks it.
    """

    def __init__(
        self,
        workshop: str,
        search: Search,
        gateway: ModelGateway,
        desk: HelpDesk,
        *,
        threshold: float,
        passages: int,
        max_tokens: int,
        context_characters: int,
        queue: ModelQueue | None = None,
        moderator: Moderator | None = None,
        rewording_seconds: float = 0.0,
    ) -> None:
        self._workshop = workshop
        self._search = search
        self._rewording_seconds = rewording_seconds
        self._moderator = moderator or NullModerator()
        self._writer = Writer(
            workshop,
            gateway,
            max_tokens=max_tokens,
            context_characters=context_characters,
            queue=queue,
            moderator=self._moderator,
        )
        self._desk = desk
        self._shelf = Shelf()
        self._threshold = threshold
        self._limit = passages

    async def run(self, question: Question, draft: Draft) -> AsyncGenerator[Piece]:
        """Answer into `draft`, giving each piece when it is ready: a citation before the block that first uses it.

        Raises:
            PlatformError: Retrieval failed. Whatever the model does is no error.
        """
        async with aclosing(self._stages(question, draft)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Block) and "first_block" not in draft.timings:
                    metrics.FIRST_BLOCK_SECONDS.labels(self._workshop).observe(draft.stamp("first_block") / 1000)
                yield piece
        draft.stamp("total")
        if draft.refused:
            metrics.REFUSALS.labels(self._workshop).inc()
        elif draft.asks_back:
            metrics.ASKED_BACK.labels(self._workshop).inc()
        elif draft.abstained:
            metrics.ABSTENTIONS.labels(self._workshop).inc()
        else:
            metrics.ANSWERS.labels(self._workshop, draft.written_by).inc()

    async def _stages(self, question: Question, draft: Draft) -> AsyncGenerator[Piece]:
        draft.mode = question.mode
        for verdict in draft.note_checks(question.checks):
            yield verdict
        ending = stopping(question.checks)
        if ending is not None:
            yield draft.refuse(ending)
            return
        kind = small_talk(question.text)
        if kind is not None:
            yield draft.add(reply_to(kind, question.published.manifest.title, question.step_title))
            return
        judged = await moderate_by_model(self._moderator, question.level, "message", question.text, draft.checks)
        for verdict in draft.note_checks(judged):
            yield verdict
        ending = stopping(judged, question.level)
        if ending is not None:
            yield draft.refuse(ending)
            return
        here = await situation_of(self._desk, question)
        draft.mode = here.mode
        if here.shut is not None:
            yield draft.add(self._desk.sentence(here.shut))
        async with aclosing(self._helped(question, here, draft)) as pieces:
            async for piece in pieces:
                yield piece

    async def _helped(self, question: Question, here: Situation, draft: Draft) -> AsyncGenerator[Piece]:
        """What is done for a message without a subject, else what is found for it."""
        if here.subjectless and here.mode == "hint" and question.step:
            async with aclosing(self._hint(question, here, draft, from_text=True)) as hint:
                async for part in hint:
                    yield part
            return
        if here.subjectless and here.mode == "solve" and here.texts.solution:
            passages = [part.passage for part in here.texts.solution]
            blocks = solution_blocks(here.texts.solution)
            async with aclosing(self._writer.given(question, draft, passages, blocks, Guard(here.unsaid))) as given:
                async for written in given:
                    yield written
            return
        lost = here.subjectless and not here.points_here and not leans_on_earlier(question.turns)
        if lost and may_ask_back(question.turns):
            steps = [question.published.steps[step].title for step in question.published.manifest.steps]
            yield self._ask(draft, ask_what(question.text, question.step_title, here.texts.headings, steps))
            return
        async with aclosing(self._found(question, here, draft)) as pieces:
            async for piece in pieces:
                yield piece

    async def _found(self, question: Question, here: Situation, draft: Draft) -> AsyncGenerator[Piece]:
        """The answer from what is found; where the workshop holds none, what may stand in for it."""
        yield StatusEvent(stage="retrieving", message="Looking in the workshop")
        understood = await self._understood(here, draft)
        asked = time.perf_counter()
        found = await retrieve(
            self._search,
            understood,
            workshop=self._workshop,
            version=question.published.version,
            step=question.step,
            limit=self._limit,
            kinds=readable_kinds(here.mode, solve_open=here.solve_open),
        )
        draft.stamp("retrieve", asked)
        draft.keywords_only = found.keywords_only
        found, told, ending = self._screened(question, found, draft)
        for verdict in told:
            yield verdict
        if ending is not None:
            yield draft.refuse(ending)
            return
        sure = decide(found, self._threshold) is Decision.ANSWER
        here, passages = await here.with_passages(self._desk, question, found.passages if sure or here.section is None else [])
        if here.is_pinned or here.about is not None:
            passages, _ = moderate_passages(question.level, passages)
        answerable = decide(replace(found, passages=passages), self._threshold) is Decision.ANSWER or here.is_pinned
        start = len(draft.blocks)
        if answerable and may_ask_back(question.turns) and not here.is_pinned and not leans_on_earlier(question.turns):
            which = rivals(question.text, passages, question.step)
            if which:
                yield self._ask(draft, ask_which(question.text, which))
                return
        # They are held as long as the answer is written, by many at once.
        found, passages = replace(found, passages=self._shelf.shared(found.passages)), self._shelf.shared(passages)
        if answerable and passages:
            yield StatusEvent(stage="writing", message="Writing the answer")
            if here.understood.pasted is not None:
                draft.opening = cause_elsewhere(found.passages, question.step, question.published)
            async with aclosing(self._writer.answer(question, here, passages, draft)) as pieces:
                async for piece in pieces:
                    yield piece
        draft.opening = ""
        for stand_in in (self._hint_instead, self._general, self._abstain):
            if len(draft.blocks) > start:
                return
            async with aclosing(stand_in(question, here, found, draft)) as instead:
                async for part in instead:
                    yield part

    async def _understood(self, here: Situation, draft: Draft) -> Understood:
        """What is searched for: a follow-up stands alone where the model makes it so."""
        understood = here.understood
        if understood.pasted is not None or here.about is not None:
            return understood
        started = time.perf_counter()
        alone = await self._writer.stand_alone(understood.question, here.history, self._rewording_seconds)
        if alone is None:
            return understood
        draft.stamp("understand", started)
        return replace(understood, query=alone, history=[])

    def _screened(
        self, question: Question, found: Retrieved, draft: Draft
    ) -> tuple[Retrieved, list[CheckVerdict], CheckVerdict | None]:
        """What was found without passages that may not be used, verdicts to tell of, and the one that ends the answer."""
        passages, verdicts = moderate_passages(question.level, found.passages)
        withheld = draft.note_checks(verdicts)
        for verdict in withheld:
            log.warning("passages_withheld", workshop=self._workshop, check=verdict.check)
        beyond = draft.note_checks(moderate_subject(question.level, question.text, passages))
        return replace(found, passages=passages), [*withheld, *beyond], next(iter(beyond), None)

    def _ask(self, draft: Draft, asking: Asking) -> Block:
        draft.asks_back, draft.options = True, asking.options
        return draft.add(asking.text)

    async def _hint(self, question: Question, here: Situation, draft: Draft, *, from_text: bool) -> AsyncGenerator[Piece]:
        """The author's next hint; where there is none left, one made from the step's text, by the model where `from_text`."""
        hints = here.texts.hints
        if hints and question.step:
            shown = await self._desk.hints_shown(draft.conversation, question.participant, question.step)
            number = next_hint(hints, shown, question.turns)
            if number is not None:
                # The author may say in a hint what they like.
                block = hint_block(hints, number)
                async with aclosing(
                    self._writer.given(question, draft, [hints[number].passage], [block], Guard(NO_COMMANDS))
                ) as given:
                    async for piece in given:
                        yield piece
                return
        start = len(draft.blocks)
        prose, _ = moderate_passages(question.level, here.texts.prose)
        if from_text and self._writer.has_model and prose:
            async with aclosing(self._writer.answer(question, here, prose, draft, stand_in=False)) as pieces:
                async for written in pieces:
                    yield written
        if len(draft.blocks) == start:
            draft.written_by = "extractive"
            passages, block = socratic(question.text, here.texts, question.step_title or "")
            # Even a section's title may give a command away; the plain hint never does.
            for cited, stand_in in ((passages, block), ([], PLAIN_HINT)):
                checker = Checker(cited, must_cite=bool(cited))
                async with aclosing(
                    self._writer.given(question, draft, cited, [stand_in], here.guard(question), checker)
                ) as given:
                    async for piece in given:
                        yield piece
                if len(draft.blocks) > start:
                    break
        if hints and not draft.note:
            draft.note = NOTE_HINTS_USED_UP

    async def _hint_instead(self, question: Question, here: Situation, found: Retrieved, draft: Draft) -> AsyncGenerator[Piece]:
        """In hint mode, a hint where the model would have said too much, or nothing was found about what the step speaks of."""
        needed = (
            draft.note == NOTE_GAVE_AWAY
            or here.about is not None
            or concerns(question.text, here.texts, question.step_title or "")
        )
        if here.mode == "hint" and question.step and needed:
            async with aclosing(self._hint(question, here, draft, from_text=False)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _general(self, question: Question, here: Situation, found: Retrieved, draft: Draft) -> AsyncGenerator[Piece]:
        """What the model knows in general, where the author allows it."""
        if question.published.manifest.help.general_knowledge and self._writer.has_model:
            async with aclosing(self._writer.general(question, here, draft)) as pieces:
                async for piece in pieces:
                    yield piece
        if draft.general_knowledge:
            draft.nearest = nearest_sections(found.passages)

    async def _abstain(self, question: Question, here: Situation, found: Retrieved, draft: Draft) -> AsyncGenerator[Piece]:
        """That the workshop does not hold it, and what comes near."""
        draft.abstained, draft.written_by, draft.note = True, "extractive", ""
        draft.nearest = nearest_sections(found.passages)
        yield draft.add(abstention(question.published.manifest.title, draft.nearest))
