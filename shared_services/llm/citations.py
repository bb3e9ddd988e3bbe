"""Checks a finished block of a model's answer against the passages that the model was given. Pure.

A citation that leads nowhere is taken out, the spellings that models use are made one, and a command that no cited passage
holds is marked as the model's own, so that a reader never takes it for the workshop's.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from shared_services.contracts.rag import Passage
from shared_services.llm.folding import code_blocks, folded, without_prompt
from shared_services.llm.sentences import CITATION

_INLINE_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_HELD_PLACES: Final = re.compile("[\ue000\ue001]")
"""What stands for code spans while the text around them is changed; a text that brings its own must not be taken for it."""
_RANGE: Final = re.compile(r"(\d{1,3})\s*[–-]\s*\^?(\d{1,3})")
_MOST_IN_RANGE: Final = 10
_PROGRAMS: Final = """
ansible ansible-playbook apt apt-get aws az bash brew cargo cat cd chmod chown cp curl dnf docker dotnet export find
flask gcloud git go gradle grep helm java jq kill kn kubectl kustomize ls make minikube mkdir mv mvn ./mvnw ./gradlew
node npm npx oc odo openssl pip pip3 podman psql pytest python python3 rm rosa scp sed sh source ssh sudo systemctl tail
tar terraform tkn uv uvicorn virtctl wget yarn yum
"""
_COMMAND_WORDS: Final = frozenset(_PROGRAMS.split())
_OPTION: Final = re.compile(r"\s-{1,2}[A-Za-z]|\s[|>]{1,2}\s|\s&&\s|^\./\S+\s")


@dataclass(frozen=True)
class QuotedCommand:
    """A command in a block.

    Attributes:
        text: A code block's content, or a command in the running text.
        own: No cited passage holds it: it is the model's own.
        found_in: Numbers of all passages that hold it, ascending.
    """

    text: str
    own: bool
    found_in: tuple[int, ...]


@dataclass(frozen=True)
class CheckedBlock:
    """A block as it may be sent.

    Attributes:
        markdown: The block with its citations as `[1]`; empty when nothing but wrong citations stood there.
        cites: Numbers of the passages cited, in order of appearance, each once.
        removed: Citation numbers that were taken out because there is no such passage.
        commands: The commands that stand in it.
    """

    markdown: str
    cites: tuple[int, ...]
    removed: tuple[int, ...]
    commands: tuple[QuotedCommand, ...]

    @property
    def own(self) -> bool:
        """Whether it holds a command of the model's own."""
        return any(command.own for command in self.commands)


def check_block(markdown: str, passages: Sequence[Passage], cited_before: Collection[int] = ()) -> CheckedBlock:
    """Check one finished block.

    Args:
        markdown: The block, as `BlockAssembler` gives it.
        passages: What the model was given; the first one is number 1.
        cited_before: Numbers that earlier blocks of the same answer cited: a code block rests on the sentence that introduces it.

    Returns:
        The block, citations corrected. A command counts as the workshop's when a passage holds it that this block or an
        earlier one cites; where nothing is cited yet, any passage given.
    """
    cites: list[int] = []
    removed: list[int] = []

    def correct(match: re.Match[str]) -> str:
        kept = []
        for number in _numbers(match.group()):
            known = 1 <= number <= len(passages)
            (cites if known else removed).append(number)
            if known and number not in kept:
                kept.append(number)
        return "".join(f"[{number}]" for number in kept)

    text = _outside_code(markdown, lambda part: _tidy(CITATION.sub(correct, part)) if CITATION.search(part) else part)
    sources = {*cites, *cited_before} or set(range(1, len(passages) + 1))
    held = [folded(passage.text) for passage in passages]
    return CheckedBlock(
        markdown=text.rstrip(),
        cites=tuple(dict.fromkeys(cites)),
        removed=tuple(dict.fromkeys(removed)),
        commands=tuple(_judge(command, held, sources) for command in _commands(markdown)),
    )


def _numbers(citation: str) -> list[int]:
    """The numbers of `[1, 2]`, `[1-3]`, `[^1]` or `【1†source】`."""
    inner = citation.strip("[]【】").split("†")[0]
    found: list[int] = []
    rest = inner
    for match in _RANGE.finditer(inner):
        first, last = int(match.group(1)), int(match.group(2))
        found += range(first, last + 1) if 0 <= last - first <= _MOST_IN_RANGE else [first, last]
        rest = rest.replace(match.group(), " ")
    return sorted(found + [int(number) for number in re.findall(r"\d+", rest)])


def _tidy(text: str) -> str:
    """Close the holes that removed citations leave: a space before a stop, two spaces in a row, a number given twice in a row."""
    text = re.sub(r"(\[\d+\])(?:\s*\1)+", r"\1", text)
    text = re.sub(r"(?<=\S)[ \t]+(?=[.!?,;:](?:\s|$))", "", text)
    return re.sub(r"(?<=\S) {2,}(?=\S)", " ", text)


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Apply `change` to everything that stands in no code."""
    out, at = [], 0
    for block in code_blocks(markdown):
        out += [_outside_inline(markdown[at : block.start()], change), block.group()]
        at = block.end()
    return "".join([*out, _outside_inline(markdown[at:], change)])


def _outside_inline(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to the text with its code spans out of reach."""
    text = _HELD_PLACES.sub("", text)
    spans = [match.group() for match in _INLINE_CODE.finditer(text)]
    if not spans:
        return change(text)
    # A private-use character stands for each span, so that `change` sees the text as a whole.
    numbered = iter(range(len(spans)))
    hidden = _INLINE_CODE.sub(lambda _: f"\ue000{next(numbered)}\ue001", text)
    return re.sub("\ue000(\\d+)\ue001", lambda match: spans[int(match.group(1))], change(hidden))


def _commands(markdown: str) -> list[str]:
    """Content of every code block, and what looks like a command in the running text."""
    blocks = code_blocks(markdown)
    found = [block["body"].strip("\n") for block in blocks if block["body"].strip()]
    prose = markdown
    for block in blocks:
        prose = prose.replace(block.group(), "\n")
    return found + [match.group(2).strip() for match in _INLINE_CODE.finditer(prose) if looks_like_command(match.group(2))]


def looks_like_command(code: str) -> bool:
    """Whether inline code is something to run rather than a name: a known program with arguments, or options or pipes."""
    words = without_prompt(code).split()
    return len(words) > 1 and (words[0] in _COMMAND_WORDS or bool(_OPTION.search(code)))


def _judge(command: str, held: Sequence[str], sources: Collection[int]) -> QuotedCommand:
    found = tuple(number for number, text in enumerate(held, 1) if _holds(text, command))
    together = " \n ".join(text for number, text in enumerate(held, 1) if number in sources)
    own = not (set(found) & set(sources)) and not all(_holds(together, line) for line in command.splitlines() if line.strip())
    return QuotedCommand(command, own, found)


def _holds(text: str, command: str) -> bool:
    """Whether folded `text` holds the command, as whole words."""
    wanted = folded(without_prompt(command))
    return re.search(rf"(?<![\w/.-]){re.escape(wanted)}(?![\w/-])", text) is not None
