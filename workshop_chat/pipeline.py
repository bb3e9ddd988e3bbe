"""From a question to checked blocks: understand, retrieve, decide, write, check. What is kept and how it is sent is others' work.

Nothing reaches the reader unchecked. When the model fails, the passages' own words take over, and a note says so.
"""

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal

from structlog import get_logger

from shared_services.contracts.chat import (
    Answer,
    BlockRef,
    CheckVerdict,
    Citation,
    HelpMode,
    NearestSection,
    StatusEvent,
    StoredTurn,
)
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import Passage
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import Finish, ModelGateway
from shared_services.llm.prompt import fitting_passages
from workshop_chat import metrics
from workshop_chat.contexts import SafetyLevel
from workshop_chat.help import readable_kinds
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.ports import Search
from workshop_chat.safety.levels import refusal, stopping
from workshop_chat.situation import Situation, situation_of
from workshop_chat.stages.asks import Asking, ask_what, ask_which, leans_on_earlier, may_ask_back, rivals
from workshop_chat.stages.check import Checked, Checker, UncitedError
from workshop_chat.stages.decide import Decision, abstention, cause_elsewhere, decide, nearest_sections, reply_to
from workshop_chat.stages.hint import Guard, concerns, hint_block, next_hint, socratic, solution_blocks
from workshop_chat.stages.moderate import masking_note, moderate_block, moderate_passages
from workshop_chat.stages.retrieve import Retrieved, retrieve
from workshop_chat.stages.reveal import NO_COMMANDS
from workshop_chat.stages.understand import small_talk
from workshop_chat.stages.write import (
    PARAGRAPH,
    Commission,
    NotInPassagesError,
    WrittenBlock,
    write_extractive,
    write_with_model,
)

log = get_logger()

NOTE_MODEL_AWAY = "The language model does not answer right now, so this answer is made of its sources' own sentences."
NOTE_MODEL_STOPPED = "The language model stopped in mid-answer; the last part is made of its sources' own sentences."
NOTE_MODEL_UNCITED = "The language model named no passage for its answer, so this one is made of its sources' own sentences."
NOTE_KEYWORDS_ONLY = (
    "This workshop is searched by keywords only until it is indexed again, so less of it may be found than usual."
)
NOTE_HINTS_USED_UP = "You have had all of the author's hints for this step; this one is made from its text."
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


@dataclass(frozen=True)
class Question:
    """A message that was let in.

    Attributes:
        turns: Earlier turns, oldest first.
        step: The step the participant is on; one of the version's steps, or None.
        checks: What the safety checks said of the message as it came; `text` is what they left of it.
        level: Which safety checks are made.
        mode: How the participant wants to be helped.
        about: The code block of the step that the message is about.
        participant: Who asks; empty where nobody is known, and then locks of solutions stay shut.
    """

    text: str
    step: str | None
    turns: Sequence[StoredTurn]
    published: WorkshopVersion
    checks: Sequence[CheckVerdict] = ()
    level: SafetyLevel = "educational_standard"
    mode: HelpMode = "explain"
    about: BlockRef | None = None
    participant: str = ""

    @property
    def step_title(self) -> str | None:
        """The title of the step."""
        return self.published.steps[self.step].title if self.step else None


@dataclass(frozen=True)
class Block:
    """A checked piece of an answer; `n` from 0. `before + markdown` of all blocks is the answer."""

    n: int
    markdown: str
    before: str


@dataclass
class Draft:
    """An answer as far as it has come.

    Attributes:
        opening: A sentence that stands before the answer as soon as there is one.
    """

    conversation: str
    mode: HelpMode = "explain"
    opening: str = ""
    asks_back: bool = False
    options: list[str] = field(default_factory=list)
    general_knowledge: bool = False
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

    def add(self, markdown: str, before: str = PARAGRAPH) -> Block:
        """Append a block, `before` it the white space that sets it off from the last one."""
        self.blocks.append(Block(len(self.blocks), markdown, before if self.blocks else ""))
        return self.blocks[-1]

    def take(self, checked: Checked) -> list[Citation | Block]:
        """The pieces of a checked block: the citations that it uses for the first time, then itself."""
        opening, self.opening = self.opening, ""
        before = [self.add(opening)] if opening else []
        citations = [citation_of(number, passage) for number, passage in checked.new]
        self.citations.extend(citations)
        return [*before, *citations, self.add(checked.markdown, PARAGRAPH if before else checked.before)]

    def moderated(self, checked: Checked, level: SafetyLevel, passages: Sequence[Passage]) -> list[Citation | Block]:
        """The pieces of a checked block; in place of one that may not be sent, the sentence that ends the answer (`refused`)."""
        findings = moderate_block(level, checked.markdown, passages)
        self.checks += findings
        ending = stopping(findings)
        if ending is None:
            return self.take(checked)
        self.refused = True
        return [self.add(refusal(ending))]

    def answer(self) -> Answer:
        """The answer so far, as it is sent and kept."""
        return Answer(
            conversation=self.conversation,
            answer="".join(block.before + block.markdown for block in self.blocks),
            mode=self.mode,
            abstained=self.abstained,
            asks_back=self.asks_back,
            options=self.options,
            general_knowledge=self.general_knowledge,
            written_by=self.written_by,
            refused=self.refused,
            checks=self.checks,
            note=" ".join(
                note for note in (masking_note(self.checks), self.note, NOTE_KEYWORDS_ONLY if self.keywords_only else "") if note
            ),
            nearest=self.nearest,
            citations=self.citations,
            timings=self.timings,
        )


Piece = StatusEvent | Citation | Block


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
    ) -> None:
        self._workshop = workshop
        self._search = search
        self._gateway = gateway
        self._desk = desk
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
        elif draft.asks_back:
            metrics.ASKED_BACK.labels(self._workshop).inc()
        elif draft.abstained:
            metrics.ABSTENTIONS.labels(self._workshop).inc()
        else:
            metrics.ANSWERS.labels(self._workshop, draft.written_by).inc()

    async def _stages(self, question: Question, draft: Draft) -> AsyncGenerator[Piece]:
        draft.checks += question.checks
        draft.mode = question.mode
        ending = stopping(question.checks)
        if ending is not None:
            draft.refused = True
            yield draft.add(refusal(ending))
            return
        kind = small_talk(question.text)
        if kind is not None:
            yield draft.add(reply_to(kind, question.published.manifest.title, question.step_title))
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
            async with aclosing(self._hint(question, here, draft, from_text=True)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        if here.subjectless and here.mode == "solve" and here.texts.solution:
            passages = [part.passage for part in here.texts.solution]
            for piece in self._given(question, draft, passages, solution_blocks(here.texts.solution), Guard(here.unsaid)):
                yield piece
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
        asked = time.perf_counter()
        found = await retrieve(
            self._search,
            here.understood,
            workshop=self._workshop,
            version=question.published.version,
            step=question.step,
            limit=self._limit,
            kinds=readable_kinds(here.mode, solve_open=here.solve_open),
        )
        draft.stamp("retrieve", asked)
        draft.keywords_only = found.keywords_only
        passages, verdicts = moderate_passages(question.level, found.passages)
        if verdicts:
            log.warning("passages_withheld", workshop=self._workshop, checks=[verdict.check for verdict in verdicts])
            draft.checks += verdicts
        here, passages = await here.with_passages(self._desk, question, passages)
        answerable = decide(replace(found, passages=passages), self._threshold) is Decision.ANSWER or here.is_pinned
        start = len(draft.blocks)
        if answerable and may_ask_back(question.turns) and not here.is_pinned and not leans_on_earlier(question.turns):
            which = rivals(question.text, passages, question.step)
            if which:
                yield self._ask(draft, ask_which(question.text, which))
                return
        if answerable and passages:
            yield StatusEvent(stage="writing", message="Writing the answer")
            if here.understood.pasted is not None:
                draft.opening = cause_elsewhere(found.passages, question.step, question.published)
            async with aclosing(self._answer(question, here, passages, draft)) as pieces:
                async for piece in pieces:
                    yield piece
        draft.opening = ""
        for stand_in in (self._hint_instead, self._general, self._abstain):
            if len(draft.blocks) > start:
                return
            async with aclosing(stand_in(question, here, found, draft)) as instead:
                async for piece in instead:
                    yield piece

    def _ask(self, draft: Draft, asking: Asking) -> Block:
        draft.asks_back, draft.options = True, asking.options
        return draft.add(asking.text)

    async def _answer(
        self, question: Question, here: Situation, found: Sequence[Passage], draft: Draft
    ) -> AsyncGenerator[Citation | Block]:
        """Blocks by the model, or by what stands in for it; none when the passages do not hold the answer after all."""
        passages = fitting_passages(found, self._context_characters)
        checker = Checker(passages)
        guard = here.guard(question)
        if self._gateway.configured:
            commission = self._commission(question, here, passages)
            try:
                async with aclosing(self._by_model(question, commission, checker, guard, draft)) as pieces:
                    async for piece in pieces:
                        draft.written_by = "model"
                        yield piece
            except NotInPassagesError:
                return
            except UncitedError:
                if guard.withheld:
                    log.warning("model_gave_away", workshop=self._workshop, blocks=guard.withheld)
                    draft.note = NOTE_GAVE_AWAY if here.mode == "hint" else NOTE_GAVE_AWAY_LOCKED
                    if here.mode == "hint" and here.texts.hints:
                        return
                else:
                    log.warning("model_answer_uncited", workshop=self._workshop)
                    draft.note = NOTE_MODEL_UNCITED
            except ModelUnavailableError as error:
                log.warning("model_unavailable", workshop=self._workshop, reason=error.reason, detail=error.detail)
                draft.note = NOTE_MODEL_STOPPED if draft.written_by == "model" else NOTE_MODEL_AWAY
            else:
                if guard.withheld and not draft.note:
                    draft.note = NOTE_KEPT_BACK
                return
            checker.restart()
            # What was let through but never sent has told nobody anything.
            guard = guard if draft.written_by == "model" else here.guard(question)
        blocks = write_extractive(here.understood.question, passages)
        for piece in self._given(question, draft, passages, blocks, guard, checker):
            yield piece

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

    def _given(
        self,
        question: Question,
        draft: Draft,
        passages: Sequence[Passage],
        blocks: Sequence[WrittenBlock],
        guard: Guard,
        checker: Checker | None = None,
    ) -> Iterator[Citation | Block]:
        """The pieces of blocks that are at hand, checked like any other."""
        checker = checker or Checker(passages)
        for block in blocks:
            for checked in checker.check(block) if guard.lets(block) else []:
                yield from draft.moderated(checked, question.level, passages)
                if draft.refused:
                    return

    async def _by_model(
        self, question: Question, commission: Commission, checker: Checker, guard: Guard, draft: Draft
    ) -> AsyncGenerator[Citation | Block]:
        async with aclosing(write_with_model(self._gateway, commission)) as written:
            async for block in written:
                if isinstance(block, Finish):
                    draft.note = NOTES_ON_END.get(block.reason, "")
                    continue
                for checked in checker.check(block) if guard.lets(block) else []:
                    for piece in draft.moderated(checked, question.level, commission.passages):
                        yield piece
                    if draft.refused:
                        return
        checker.close()

    async def _hint(
        self, question: Question, here: Situation, draft: Draft, *, from_text: bool
    ) -> AsyncGenerator[Citation | Block]:
        """The author's next hint; where there is none left, one made from the step's text, by the model where `from_text`."""
        hints = here.texts.hints
        if hints and question.step:
            shown = await self._desk.hints_shown(draft.conversation, question.participant, question.step)
            number = next_hint(hints, shown, question.turns)
            if number is not None:
                # The author may say in a hint what they like.
                for piece in self._given(
                    question, draft, [hints[number].passage], [hint_block(hints, number)], Guard(NO_COMMANDS)
                ):
                    yield piece
                return
        start = len(draft.blocks)
        if from_text and self._gateway.configured and here.texts.prose:
            async with aclosing(self._answer(question, here, here.texts.prose, draft)) as pieces:
                async for piece in pieces:
                    yield piece
        if len(draft.blocks) == start and question.step_title is not None:
            passages, block = socratic(question.text, here.texts, question.step_title)
            draft.written_by = "extractive"
            checker = Checker(passages, must_cite=bool(passages))
            for piece in self._given(question, draft, passages, [block], here.guard(question), checker):
                yield piece
        if hints and not draft.note:
            draft.note = NOTE_HINTS_USED_UP

    async def _hint_instead(
        self, question: Question, here: Situation, found: Retrieved, draft: Draft
    ) -> AsyncGenerator[Citation | Block]:
        """In hint mode, a hint where the model would have said too much, or nothing was found about what the step speaks of."""
        needed = draft.note == NOTE_GAVE_AWAY or here.about is not None or concerns(question.text, here.texts)
        if here.mode == "hint" and question.step and needed:
            async with aclosing(self._hint(question, here, draft, from_text=False)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _general(
        self, question: Question, here: Situation, found: Retrieved, draft: Draft
    ) -> AsyncGenerator[Citation | Block]:
        """What the model knows in general, where the author allows it; nothing where it fails."""
        if not (question.published.manifest.help.general_knowledge and self._gateway.configured):
            return
        draft.note = ""
        checker, guard = Checker([], must_cite=False), here.guard(question)
        commission = self._commission(question, here, [], general=True)
        start = len(draft.blocks)
        ended = ""
        try:
            async with aclosing(self._by_model(question, commission, checker, guard, draft)) as pieces:
                async for piece in pieces:
                    draft.general_knowledge, draft.written_by = True, "model"
                    yield piece
        except NotInPassagesError:
            return
        except ModelUnavailableError as error:
            log.warning("model_unavailable", workshop=self._workshop, reason=error.reason, detail=error.detail)
            ended = NOTE_GENERAL_STOPPED
        if len(draft.blocks) > start:
            draft.nearest = nearest_sections(found.passages)
            draft.note = " ".join(note for note in (NOTE_GENERAL, draft.note or ended) if note)

    async def _abstain(
        self, question: Question, here: Situation, found: Retrieved, draft: Draft
    ) -> AsyncGenerator[Citation | Block]:
        """That the workshop does not hold it, and what comes near."""
        draft.abstained, draft.written_by, draft.note = True, "extractive", ""
        draft.nearest = nearest_sections(found.passages)
        yield draft.add(abstention(question.published.manifest.title, draft.nearest))


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
