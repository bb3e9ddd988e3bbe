"""Where a question stands: how it is answered, what of the step must not be said, and what the participant points at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared_services.contracts.chat import HelpMode
from shared_services.contracts.rag import Passage, Turn
from shared_services.contracts.workshop import parse_fence_info
from workshop_chat.draft import Question
from workshop_chat.help import SolveLock
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.stages.asks import is_subjectless
from workshop_chat.stages.excerpts import Told, around, without_commands
from workshop_chat.stages.hint import Guard, stripped
from workshop_chat.stages.retrieve import solutions_first, with_block_first, with_section_first
from workshop_chat.stages.reveal import NO_COMMANDS, Commands, bare_words, code_of
from workshop_chat.stages.texts import NO_TEXTS, StepTexts
from workshop_chat.stages.understand import Understood, understand
from workshop_chat.suggestions import section_meant

_HERE = re.compile(r"\b(?:this|the|current) (?:step|page|section|task|exercise)\b|\bhere\b|\bhier\b", re.IGNORECASE)

MOST_POINTED_AT = 100


@dataclass(frozen=True)
class Situation:
    """A question's situation.

    Attributes:
        mode: The way of helping that it is answered in.
        shut: Why it is not the one that was asked for.
        solve_open: Whether the step's solution may be read.
        texts: What the step says.
        unsaid: Commands that must not be given away.
        about: What of the step the message points at.
        section: The section of the step whose question it is; it needs no further search.
        subjectless: The message names nothing to search for, and points at nothing.
        points_here: It means the step as a whole.
        history: Earlier turns as the prompt may hold them.
    """

    mode: HelpMode
    shut: SolveLock | None
    solve_open: bool
    texts: StepTexts
    unsaid: Commands
    about: Told | None
    section: Passage | None
    subjectless: bool
    points_here: bool
    understood: Understood
    history: Sequence[Turn]

    @property
    def is_pinned(self) -> bool:
        """Whether the section or the block that the message points at says by itself what it is about."""
        if self.about is None:
            return self.section is not None
        return self.understood.pasted is not None or is_subjectless(self.understood.question)

    @property
    def pointed_at(self) -> str:
        """What of the step the message points at, in words: the block itself stands in a passage, as quoted material."""
        if self.about is None:
            return ""
        where = f"the code block in the section “{self.about.passage.heading[-1]}”"
        lines = [line.strip() for fence in code_of(self.about.excerpt.markdown)[0] for line in fence.splitlines() if line.strip()]
        return where if self.mode == "hint" or not lines else f"{where} that begins with `{lines[0][:MOST_POINTED_AT]}`"

    def guard(self, question: Question) -> Guard:
        """What keeps back blocks that give away what must not be said."""
        last = question.turns[-1].answer if question.turns else None
        return Guard(self.unsaid, f"{last.answer}\n\n" if last else "", no_code=self.mode == "hint")

    async def with_passages(
        self, desk: HelpDesk, question: Question, found: Sequence[Passage]
    ) -> tuple["Situation", list[Passage]]:
        """The situation and the passages that may be shown, in order, now that it is known what was found.

        A hint rests on passages without code and commands; what the steps hold that they are of must not be said either.
        """
        unsaid = self.unsaid
        for step in {passage.step for passage in found if passage.step not in (None, question.step)}:
            assert step is not None
            if self.mode == "hint":
                unsaid |= (await desk.texts(question.published, step)).commands
            elif await desk.lock(question.published, step, question.participant) is not None:
                unsaid |= (await desk.texts(question.published, step)).secret
        passages = solutions_first(found, question.step if self.solve_open else None)
        if self.about is not None:
            passages = with_block_first(passages, [self.about.passage])
        elif self.section is not None:
            passages = with_section_first(passages, self.section)
        if self.mode == "hint":
            passages = [part for passage in passages for part in without_commands(passage, unsaid)]
        elif unsaid:
            unsaid = _not_held(unsaid, passages)
        history = (
            [turn.model_copy(update={"text": stripped(turn.text, unsaid)}) for turn in self.history] if unsaid else self.history
        )
        return replace(self, unsaid=unsaid, history=[turn for turn in history if turn.text]), passages


def _not_held(commands: Commands, passages: Sequence[Passage]) -> Commands:
    """The commands that no passage holds: what the workshop says elsewhere is no secret."""
    words = [word for passage in passages for word in bare_words(passage.text)]
    text, spaced = "".join(words), f" {' '.join(words)} "
    return Commands(
        frozenset(string for string in commands.strings if string not in text),
        frozenset(phrase for phrase in commands.phrases if f" {' '.join(phrase)} " not in spaced),
        frozenset(word for word in commands.alone if word not in words),
    )


async def situation_of(desk: HelpDesk, question: Question) -> Situation:
    """The situation of a question, before anything is searched for.

    Raises:
        PlatformError: The step's texts or the participant's record cannot be read.
    """
    lock, texts, about = None, NO_TEXTS, None
    mode: HelpMode = question.mode
    if question.step is not None:
        await desk.seen(question.participant, question.step)
        lock = await desk.lock(question.published, question.step, question.participant)
        texts = await desk.texts(question.published, question.step)
        about = await _pointed(desk, question)
    shut = lock if mode == "solve" else None
    if mode == "solve" and question.step is None:
        mode = "explain"
    elif shut is not None:
        mode = "hint"
    unsaid = texts.commands if mode == "hint" else texts.secret if lock is not None else NO_COMMANDS
    code = about.excerpt.markdown if about is not None else ""
    understood = understand(
        question.text, question.turns, about=code, told=lambda text: stripped(text, unsaid) if unsaid else text
    )
    meant = section_meant(question.text, texts.sections) if about is None and understood.pasted is None else None
    subjectless = meant is None and about is None and understood.pasted is None and is_subjectless(understood.question)
    points_here = question.step is not None and mode == "explain" and bool(_HERE.search(question.text))
    if subjectless and points_here:
        understood = replace(understood, query=f"{understood.query} {question.step_title}")
    return Situation(
        mode=mode,
        shut=shut,
        solve_open=mode == "solve",
        texts=texts,
        unsaid=unsaid,
        about=about,
        section=texts.sections[meant] if meant is not None else None,
        subjectless=subjectless,
        points_here=points_here,
        understood=understood,
        history=understood.history,
    )


async def _pointed(desk: HelpDesk, question: Question) -> Told | None:
    if question.about is None or question.step is None:
        return None
    content = await desk.file(question.published, question.step, "content.md")
    excerpt = around(content.text, question.about) if content is not None else None
    if content is None or excerpt is None:
        return None
    first = excerpt.markdown.lstrip("`~").partition("\n")[0]
    return Told(content.passage(excerpt, "output" if parse_fence_info(first).output else "command"), excerpt)
