"""The last gate before the reader: citations exist and are renumbered, links lead nowhere new, and a model's own commands say so.

A reader sees citations numbered from 1 in the order of first use, whatever numbers the passages had in the prompt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared_services.contracts.rag import Passage
from shared_services.llm.citations import CheckedBlock, check_block
from workshop_chat.stages.links import with_safe_links
from workshop_chat.stages.write import WrittenBlock

_CODE = re.compile(r"(^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)|(`+)(?!`).+?(?<!`)\3(?!`))", re.DOTALL | re.MULTILINE)
_REFERENCE = re.compile(r"(?<!\\)\[(\d{1,3})\](?![(:])")


OWN_CODE = "*This code is the assistant's own; the workshop does not hold it.*"
OWN_COMMAND = "*(The assistant's own command; the workshop does not hold it.)*"


@dataclass(frozen=True)
class Checked:
    """A block that may be sent.

    Attributes:
        markdown: With the reader's numbers, and with the mark of a command that no passage holds.
        before: White space between the block before and this one.
        new: Passages that this block is the first to cite, under their numbers.
        cited: Whether it cites any passage.
    """

    markdown: str
    before: str
    new: list[tuple[int, Passage]]
    cited: bool


class UncitedError(Exception):
    """An answer came to its end without naming a single passage."""


class Numbering:
    """Gives passages the numbers that the reader sees: 1, 2, ... in the order of first use.

    Args:
        passages: As they were numbered, from 1, for whoever writes.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._shown: dict[int, int] = {}

    @property
    def cited(self) -> list[int]:
        """The writer's numbers that have been cited so far."""
        return list(self._shown)

    def renumber(self, markdown: str) -> tuple[str, list[tuple[int, Passage]]]:
        """A block with the reader's numbers, and the passages it is the first to cite. Code and links are left alone."""
        new: list[tuple[int, Passage]] = []

        def reference(match: re.Match[str]) -> str:
            shown = self._show(int(match.group(1)), new)
            return "" if shown is None else f"[{shown}]"

        parts: list[str] = []
        end = 0
        for code in _CODE.finditer(markdown):
            parts += [_REFERENCE.sub(reference, markdown[end : code.start()]), code.group()]
            end = code.end()
        parts.append(_REFERENCE.sub(reference, markdown[end:]))
        return "".join(parts), new

    def _show(self, number: int, new: list[tuple[int, Passage]]) -> int | None:
        if not 1 <= number <= len(self._passages):
            return None
        if number not in self._shown:
            self._shown[number] = len(self._shown) + 1
            new.append((self._shown[number], self._passages[number - 1]))
        return self._shown[number]


class Checker:
    """Checks the blocks of one answer, in order.

    Args:
        passages: As they were numbered, from 1, for whoever writes.
        must_cite: Hold blocks back until one cites a passage; off for what rests on none.
    """

    def __init__(self, passages: Sequence[Passage], *, must_cite: bool = True) -> None:
        self._passages = passages
        self._numbering = Numbering(passages)
        self._held: list[Checked] = []
        self._any_cited = not must_cite

    def check(self, block: WrittenBlock) -> list[Checked]:
        """What may be sent now. Blocks wait here until the first one that cites a passage: an answer without any is none."""
        found = check_block(block.markdown, self._passages, cited_before=self._numbering.cited)
        if found.markdown.strip():
            rests_on = {*self._numbering.cited, *found.cites}
            safe = with_safe_links(found.markdown, [self._passages[number - 1].text for number in rests_on])
            if not safe.strip():
                return []
            markdown, new = self._numbering.renumber(safe)
            self._held.append(Checked(_marked(markdown, found), block.before, new, bool(found.cites)))
            self._any_cited = self._any_cited or bool(found.cites)
        if not self._any_cited:
            return []
        free, self._held = self._held, []
        return free

    def close(self) -> None:
        """The answer has ended.

        Raises:
            UncitedError: Nothing in it cited a passage; nothing of it has been given out.
        """
        if not self._any_cited:
            raise UncitedError

    def restart(self) -> None:
        """Forget blocks that wait: their writer has failed, and another one goes on."""
        self._held = []


def _marked(markdown: str, found: CheckedBlock) -> str:
    """The block, saying of a command that no passage holds that it is the assistant's own."""
    if not found.own:
        return markdown
    in_fence = any(mark in markdown for mark in ("```", "~~~"))
    return f"{markdown}\n\n{OWN_CODE}" if in_fence else f"{markdown} {OWN_COMMAND}"
