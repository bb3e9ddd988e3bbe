"""Hints: the author's next one, what stands in for one, and the guard that lets nothing through that gives the commands away."""

from collections.abc import Iterable, Sequence

from shared_services.contracts.chat import StoredTurn
from shared_services.contracts.rag import Passage
from shared_services.llm.blocks import BlockAssembler
from shared_services.llm.folding import folded, without_citations
from shared_services.llm.words import inverse_frequencies, terms
from workshop_chat.stages.asks import subject
from workshop_chat.stages.excerpts import Told, cited
from workshop_chat.stages.links import with_safe_links
from workshop_chat.stages.reveal import LOOKED_BACK, Commands, bare_words, begins, code_of, reveals
from workshop_chat.stages.texts import StepTexts
from workshop_chat.stages.write import PARAGRAPH, WrittenBlock


class Guard:
    """Lets blocks of one answer through that give none of the commands away, alone or with what went before.

    Args:
        commands: What must not be given away.
        before: What the participant was told last.
        no_code: Let no code through at all but what a step's output shows.

    Attributes:
        withheld: How many blocks were kept back.
    """

    def __init__(self, commands: Commands, before: str = "", *, no_code: bool = False) -> None:
        self._commands = commands
        self._said = before[-LOOKED_BACK:]
        self._no_code = no_code
        self._waiting: list[WrittenBlock] = []
        self.withheld = 0

    def let(self, block: WrittenBlock) -> list[WrittenBlock]:
        """What may be sent now, which then counts as said.

        What announces something (`Run this:`), or may be the beginning of a command, waits until it is clear what follows.
        """
        if not self._commands and not self._no_code:
            return [block]
        said = self._said + "".join(waiting.before + waiting.markdown for waiting in self._waiting) + block.before
        if self._gives_away(block, said):
            self._waiting = []
            self.withheld += 1
            return []
        words = bare_words(block.markdown)
        if not words:
            return []
        if _announces(block) or begins(self._commands, bare_words(said), words):
            self._waiting.append(block)
            return []
        return self._release(block)

    def close(self) -> list[WrittenBlock]:
        """The answer has ended: what waited for nothing."""
        while self._waiting and _announces(self._waiting[-1]):
            self._waiting.pop()
        return self._release()

    def _release(self, *block: WrittenBlock) -> list[WrittenBlock]:
        free, self._waiting = [*self._waiting, *block], []
        self._said = (self._said + "".join(each.before + each.markdown for each in free))[-2 * LOOKED_BACK :]
        return free

    def _gives_away(self, block: WrittenBlock, said: str) -> bool:
        if self._no_code and code_of(block.markdown)[0]:
            return True
        if reveals(self._commands, block.markdown, said):
            return True
        shown = with_safe_links(block.markdown, ())
        return shown != block.markdown and reveals(self._commands, shown, said)


def _announces(block: WrittenBlock) -> bool:
    return without_citations(block.markdown).rstrip(" *_\n").endswith(":")


def stripped(text: str, commands: Commands) -> str:
    """An earlier text without its code blocks and without what gives one of the commands away."""
    assembler = BlockAssembler()
    guard = Guard(commands, no_code=True)
    blocks = [WrittenBlock(block.markdown, block.before) for block in [*assembler.feed(text), *assembler.close()]]
    kept = [let for block in blocks for let in guard.let(block)] + guard.close()
    return "".join(block.before + block.markdown for block in kept).strip()


def next_hint(hints: Sequence[Told], shown: Iterable[str], turns: Sequence[StoredTurn]) -> int | None:
    """Which hint (from 0) a conversation has not had; None where it has had them all.

    Args:
        hints: The author's, in order.
        shown: Texts of hints that the conversation has cited.
        turns: Earlier turns, for whoever keeps the conversation elsewhere.
    """
    had = {folded(text) for text in shown}
    said = [folded(turn.answer.answer) for turn in turns if turn.answer is not None]
    for number, hint in enumerate(hints):
        own = folded(hint.excerpt.markdown)
        if folded(hint.passage.text) not in had and not any(own in answer for answer in said):
            return number
    return None


def hint_block(hints: Sequence[Told], number: int) -> WrittenBlock:
    """A hint of the author's as it is shown; its passage is number 1."""
    count = f"**Hint {number + 1} of {len(hints)}.** " if len(hints) > 1 else "**Hint.** "
    text = cited(hints[number].excerpt, 1)
    return WrittenBlock(f"{count}{text}" if text[:1].isalnum() or text[:1] in "*_`\"'“" else f"{count.strip()}\n\n{text}")


def solution_blocks(solution: Sequence[Told]) -> list[WrittenBlock]:
    """The parts of a solution as they are shown; the passages are numbered in the same order."""
    return [WrittenBlock(cited(part.excerpt, number), PARAGRAPH) for number, part in enumerate(solution, 1)]


def concerns(question: str, texts: StepTexts, step_title: str) -> bool:
    """Whether at least half of what a question is about occurs in the step."""
    wanted = set(subject(question))
    held = set(terms(" ".join([step_title, *texts.headings, *(passage.text for passage in texts.prose)])))
    return bool(wanted) and 2 * len(wanted & held) >= len(wanted)


def socratic(question: str, texts: StepTexts, step_title: str) -> tuple[list[Passage], WrittenBlock]:
    """A question that leads to the section of the step that is meant, and the passage of it that gives nothing away, if any."""
    passage = _nearest(question, texts.prose, texts.task)
    heading = passage.heading[-1] if passage and passage.heading else next(iter(texts.headings), step_title)
    text = (
        f"Read “{heading}” once more, part by part: what does each one want to reach, which have you not done yet, "
        "and what would you see if it had worked?"
    )
    return ([passage], WrittenBlock(f"{text} [1]")) if passage else ([], WrittenBlock(text))


PLAIN_HINT = WrittenBlock(
    "Go through the step from its beginning: what does each part want to reach, which have you not done yet, and what would you "
    "see if it had worked?"
)
"""A hint that stands whatever the step says."""


def _nearest(question: str, passages: Sequence[Passage], task: str) -> Passage | None:
    """The passage that a question is about; where it is about none, the one of the section in which something is done."""
    words = [set(terms(" ".join([passage.text, *passage.heading[1:]]))) for passage in passages]
    weights = inverse_frequencies(words)
    wanted = {term: weights.get(term, 0.0) for term in subject(question)}
    scores = [sum(weight for term, weight in wanted.items() if term in held) for held in words]
    if not any(scores):
        scores = [float(passage.heading[-1:] == [task]) for passage in passages]
    return passages[scores.index(max(scores))] if scores else None
