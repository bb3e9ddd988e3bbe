"""From a question to checked blocks: understand, retrieve, decide, write, check. What is kept and how it is sent is others' work.

Nothing reaches the reader unchecked. When the model fails, the passages' own words take over, and a note says so.
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal

from structlog import get_logger

from shared_services.contracts.chat import Answer, CheckVerdict, Citation, NearestSection, StatusEvent, StoredTurn
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import Passage
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import Finish, ModelGateway
from shared_services.llm.moderation import Moderator, NullModerator
from shared_services.llm.prompt import fitting_passages
from workshop_chat import metrics
from workshop_chat.contexts import SafetyLevel
from workshop_chat.ports import Search
from workshop_chat.safety.levels import refusal, stopping
from workshop_chat.stages.check import Checked, Checker, UncitedError
from workshop_chat.stages.decide import Decision, abstention, decide, nearest_sections, reply_to
from workshop_chat.stages.moderate import (
    checks_note,
    moderate_block,
    moderate_by_model,
    moderate_passages,
    moderate_subject,
    note_verdicts,
)
from workshop_chat.stages.retrieve import Retrieved, retrieve
from workshop_chat.stages.understand import Understood, understand
from workshop_chat.stages.write import PARAGRAPH, Commission, NotInPassagesError, write_extractive, write_with_model

log = get_logger()

NOTE_MODEL_AWAY = "The language model does not answer right now, so this answer is made of its sources' own sentences."
NOTE_MODEL_STOPPED = "The language model stopped in mid-answer; the last part is made of its sources' own sentences."
NOTE_MODEL_UNCITED = "The language model named no passage for its answer, so this one is made of its sources' own sentences."
NOTE_KEYWORDS_ONLY = (
    "This workshop is searched by keywords only until it is indexed again, so less of it may be found than usual."
)
NOTES_ON_END = {
    "length": "The answer reached its greatest length and was cut. Ask for the rest.",
    "filtered": "The language model's filter ended this answer early.",
}


@dataclass(frozen=True)
class Question:
    """A message that was let in.

    Attributes:
        turns: Earlier turns, oldest first.
        step: The step the participant is on; one of the version's steps, or None.
        checks: What the safety checks said of the message as it came; `text` is what they left of it.
        level: Which safety checks are made.
    """

    text: str
    step: str | None
    turns: Sequence[StoredTurn]
    published: WorkshopVersion
    checks: Sequence[CheckVerdict] = ()
    level: SafetyLevel = "educational_standard"


@dataclass(frozen=True)
class Block:
    """A checked piece of an answer; `n` from 0. `before + markdown` of all blocks is the answer."""

    n: int
    markdown: str
    before: str


@dataclass
class Draft:
    """An answer as far as it has come."""

    conversation: str
    blocks: list[Block] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    nearest: list[NearestSection] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    abstained: bool = False
    written_by: Literal["model", "extractive"] = "extractive"
    note: str = ""
    keywords_only: bool = False
    refused: bool = False
    checks: list[CheckVerdict] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def stamp(self, stage: str, since: float | None = None) -> float:
        """Note the milliseconds from `since` (the start when absent) to now under a stage's name."""
        self.timings[stage] = round((time.perf_counter() - (self.started if since is None else since)) * 1000, 1)
        return self.timings[stage]

    @property
    def text(self) -> str:
        """The answer so far, as CommonMark."""
        return "".join(block.before + block.markdown for block in self.blocks)

    def add(self, markdown: str, before: str = PARAGRAPH) -> Block:
        """Append a block, `before` it the white space that sets it off from the last one."""
        self.blocks.append(Block(len(self.blocks), markdown, before if self.blocks else ""))
        return self.blocks[-1]

    def take(self, checked: Checked) -> list[Citation | Block]:
        """The pieces of a checked block: the citations that it uses for the first time, then itself."""
        citations = [citation_of(number, passage) for number, passage in checked.new]
        self.citations.extend(citations)
        return [*citations, self.add(checked.markdown, checked.before)]

    def refuse(self, verdict: CheckVerdict) -> Block:
        """End the answer: the block that says why."""
        self.refused = True
        return self.add(refusal(verdict))

    def note_checks(self, verdicts: Sequence[CheckVerdict]) -> list[CheckVerdict]:
        """Keep verdicts; those that the reader is told of at once."""
        return note_verdicts(self.checks, verdicts)

    def answer(self) -> Answer:
        """The answer so far, as it is sent and kept."""
        return Answer(
            conversation=self.conversation,
            answer=self.text,
            abstained=self.abstained,
            written_by=self.written_by,
            refused=self.refused,
            checks=self.checks,
            note=" ".join(
                note
                for note in (
                    "" if self.refused else checks_note(self.checks),
                    self.note,
                    NOTE_KEYWORDS_ONLY if self.keywords_only else "",
                )
                if note
            ),
            nearest=self.nearest,
            citations=self.citations,
            timings=self.timings,
        )


Piece = StatusEvent | Citation | Block | CheckVerdict

EARLIER_CHARACTERS = 1_500
"""How much of the answer so far the safety model reads with its next piece: a sentence alone may look harmless."""


class AnswerPipeline:
    """Answers questions of one workshop.

    Args:
        workshop: Its slug.
        search: Retrieval in its scope.
        gateway: The language model; one that is not `configured` is never asked.
        moderator: The safety model; one that is not `configured` is never asked.
        threshold: Confidence (0 to 1) below which a question is not answered.
        passages: How many passages an answer may rest on.
        max_tokens: Longest answer of the model, in its tokens.
        context_characters: How many characters of passages a prompt may hold.
    """

    def __init__(
        self,
        workshop: str,
        search: Search,
        gateway: ModelGateway,
        *,
        threshold: float,
        passages: int,
        max_tokens: int,
        context_characters: int,
        moderator: Moderator | None = None,
    ) -> None:
        self._workshop = workshop
        self._search = search
        self._gateway = gateway
        self._moderator = moderator or NullModerator()
        self._threshold = threshold
        self._limit = passages
        self._max_tokens = max_tokens
        self._context_characters = context_characters

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
        elif draft.abstained:
            metrics.ABSTENTIONS.labels(self._workshop).inc()
        else:
            metrics.ANSWERS.labels(self._workshop, draft.written_by).inc()

    async def _stages(self, question: Question, draft: Draft) -> AsyncGenerator[Piece]:
        manifest = question.published.manifest
        for verdict in draft.note_checks(question.checks):
            yield verdict
        ending = stopping(question.checks)
        if ending is not None:
            yield draft.refuse(ending)
            return
        understood = understand(question.text, question.turns)
        if understood.small_talk is not None:
            step = question.published.steps[question.step].title if question.step else None
            yield draft.add(reply_to(understood.small_talk, manifest.title, step))
            return
        judged = await moderate_by_model(self._moderator, question.level, "message", question.text, draft.checks)
        for verdict in draft.note_checks(judged):
            yield verdict
        ending = stopping(judged, question.level)
        if ending is not None:
            yield draft.refuse(ending)
            return
        yield StatusEvent(stage="retrieving", message="Looking in the workshop")
        asked = time.perf_counter()
        found = await retrieve(
            self._search,
            understood,
            workshop=self._workshop,
            version=question.published.version,
            step=question.step,
            limit=self._limit,
        )
        draft.stamp("retrieve", asked)
        draft.keywords_only = found.keywords_only
        passages, verdicts = moderate_passages(question.level, found.passages)
        for verdict in draft.note_checks(verdicts):
            log.warning("passages_withheld", workshop=self._workshop, check=verdict.check)
            yield verdict
        found = replace(found, passages=passages)
        beyond = moderate_subject(question.level, question.text, passages)
        for verdict in draft.note_checks(beyond):
            yield verdict
        if beyond:
            yield draft.refuse(beyond[0])
            return
        if decide(found, self._threshold) is Decision.ANSWER:
            yield StatusEvent(stage="writing", message="Writing the answer")
            async with aclosing(self._answer(question, understood, found, draft)) as pieces:
                async for piece in pieces:
                    yield piece
        if not draft.blocks:
            draft.abstained, draft.written_by, draft.note = True, "extractive", ""
            draft.nearest = nearest_sections(found.passages)
            yield draft.add(abstention(manifest.title, draft.nearest))

    async def _answer(self, question: Question, understood: Understood, found: Retrieved, draft: Draft) -> AsyncGenerator[Piece]:
        """Blocks by the model, or by what stands in for it; none when the passages do not hold the answer after all."""
        passages = fitting_passages(found.passages, self._context_characters)
        checker = Checker(passages)
        if self._gateway.configured:
            commission = Commission(
                question=understood.query,
                passages=passages,
                history=understood.history,
                workshop_title=question.published.manifest.title,
                step_title=question.published.steps[question.step].title if question.step else None,
                max_tokens=self._max_tokens,
                context_characters=self._context_characters,
            )
            try:
                async with aclosing(self._by_model(question, commission, checker, draft)) as pieces:
                    async for piece in pieces:
                        draft.written_by = "model"
                        yield piece
            except NotInPassagesError:
                return
            except UncitedError:
                log.warning("model_answer_uncited", workshop=self._workshop)
                draft.note = NOTE_MODEL_UNCITED
            except ModelUnavailableError as error:
                log.warning("model_unavailable", workshop=self._workshop, reason=error.reason, detail=error.detail)
                draft.note = NOTE_MODEL_STOPPED if draft.blocks else NOTE_MODEL_AWAY
            else:
                return
            checker.restart()
        checked = [each for block in write_extractive(understood.query, passages) for each in checker.check(block)]
        async with aclosing(self._safe(question, checked, passages, draft)) as pieces:
            async for piece in pieces:
                yield piece

    async def _by_model(
        self, question: Question, commission: Commission, checker: Checker, draft: Draft
    ) -> AsyncGenerator[Piece]:
        async with aclosing(write_with_model(self._gateway, commission)) as written:
            async for block in written:
                if isinstance(block, Finish):
                    draft.note = NOTES_ON_END.get(block.reason, "")
                    continue
                async with aclosing(self._safe(question, checker.check(block), commission.passages, draft)) as pieces:
                    async for piece in pieces:
                        yield piece
                if draft.refused:
                    return
        checker.close()

    async def _safe(
        self, question: Question, checked: Sequence[Checked], passages: Sequence[Passage], draft: Draft
    ) -> AsyncGenerator[Piece]:
        """Of blocks that are ready to be sent, those that are safe; after them the sentence that ends the answer (`refused`).

        They are judged together: the safety model is asked once for what is ready at once.
        """
        safe: list[Checked] = []
        ending: CheckVerdict | None = None
        for each in checked:
            verdicts = moderate_block(question.level, each.markdown, passages)
            for verdict in draft.note_checks(verdicts):
                yield verdict
            ending = stopping(verdicts)
            if ending is not None:
                break
            safe.append(each)
        if safe:
            text = draft.text[-EARLIER_CHARACTERS:] + "".join(each.before + each.markdown for each in safe)
            verdicts = await moderate_by_model(
                self._moderator, question.level, "answer", text.strip(), draft.checks, asked=question.text
            )
            for verdict in draft.note_checks(verdicts):
                yield verdict
            found = stopping(verdicts, question.level)
            if found is not None:
                safe, ending = [], found
        for each in safe:
            for piece in draft.take(each):
                yield piece
        if ending is not None:
            yield draft.refuse(ending)


def citation_of(number: int, passage: Passage) -> Citation:
    """A passage as the citation with this number."""
    return Citation(
        n=number,
        workshop=passage.workshop,
        step=passage.step,
        document=passage.document,
        file=passage.file,
        first_line=passage.first_line,
        last_line=passage.last_line,
        heading=passage.heading,
        text=passage.text,
        source=passage.source,
    )
