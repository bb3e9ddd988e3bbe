"""A question as it was let in, and its answer as far as it has come."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared_services.contracts.chat import Answer, BlockRef, CheckVerdict, Citation, HelpMode, NearestSection, StoredTurn
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.rag import Passage
from workshop_chat.contexts import SafetyLevel
from workshop_chat.safety.levels import refusal, stopping
from workshop_chat.stages.check import Checked
from workshop_chat.stages.moderate import masking_note, moderate_block
from workshop_chat.stages.write import PARAGRAPH

NOTE_KEYWORDS_ONLY = (
    "This workshop is searched by keywords only until it is indexed again, so less of it may be found than usual."
)


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
