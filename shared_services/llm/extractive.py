"""An answer without a model: the passages' own sentences, steps and commands, chosen and put together. Pure.

Nothing is written here. A piece is taken whole or left; it comes with what it cannot be read without (a command with the
sentence that introduces it, a sentence that begins with "It" with the one before), in the order in which the author wrote it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared_services.contracts.rag import Passage
from shared_services.llm.citations import looks_like_command
from shared_services.llm.folding import folded
from shared_services.llm.markdown_units import Unit, units_of
from shared_services.llm.words import Asked, asked_for, inverse_frequencies, terms

MOST_BLOCKS: Final = 6
MOST_PROSE: Final = 1_200
MOST_CODE: Final = 3
_KEEP: Final[dict[Asked, float]] = {"reason": 0.75, "command": 0.55, "place": 0.6, "output": 0.55, "any": 0.55}
"""What scores less than this part of the best piece is left out."""
_KEEP_ELSEWHERE: Final = 0.7
"""The same for pieces of other passages than the best piece's."""
_BASE: Final = 0.12
"""What a piece is worth for standing in a passage that was found, where one with every term of the question gets 1."""
_LEAD_WORTH: Final = 0.7
_HEADING_WORTH: Final = 0.55

_DANGLING: Final = re.compile(
    r"^[\W_]*(?:(?:these|that|those|it|they|its|their|then|also|however|otherwise|therefore|thus|hence|so|but|and|instead|such|"
    r"as a result|in this case|after that|es|sie|dann|danach|dadurch)\b|"
    r"this (?!step|workshop|lab|section|module|guide|exercise|chapter|tutorial)\w+)",
    re.IGNORECASE,
)
_BECAUSE: Final = re.compile(
    r"\b(?:because|so that|otherwise|since|therefore|in order to|to avoid|prevents?|ensures?|means that|reason|"
    r"weil|damit|sonst)\b",
    re.IGNORECASE,
)
_DEFINES: Final = re.compile(
    r"^\W*(?:an? |the )?[\w`*./ -]{2,40}?\b(?:is|are|means|lets|provides|stores|describes|holds|ist|sind)\b", re.IGNORECASE
)
_PATH: Final = re.compile(
    r"`[^`\s]*/[^`\s]*`|(?:^|\s)~?/?(?:[\w.-]+/)+[\w.-]*|"
    r"\b[\w-]+\.(?:ya?ml|json|toml|ini|conf|properties|py|java|js|ts|go|sh|md|xml|txt|env|cfg|log)\b",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(r"`([^`]+)`")

_FACTORS: Final[dict[Asked, dict[str, float]]] = {
    "command": {"code": 1.5, "item": 1.2, "sentence": 0.85, "table": 0.7},
    "reason": {"code": 0.35, "item": 1.0, "sentence": 1.25, "table": 0.9},
    "place": {"code": 0.7, "item": 1.0, "sentence": 1.0, "table": 1.1},
    "output": {"code": 0.8, "item": 1.0, "sentence": 1.0, "table": 1.0},
    "any": {"code": 1.0, "item": 1.0, "sentence": 1.0, "table": 0.9},
}


@dataclass(frozen=True)
class AnswerBlock:
    """A piece of an answer.

    Attributes:
        markdown: CommonMark with its citation, `[n]`, at the end of its prose, or after its code block where it has no prose.
        cites: Numbers of the passages it rests on; the first passage is 1.
    """

    markdown: str
    cites: list[int]


@dataclass(frozen=True)
class _Candidate:
    """A unit of passage `n`, with its worth for the question; `matched` when it holds a term of the question itself."""

    n: int
    unit: Unit
    score: float
    matched: bool


@dataclass
class _Choice:
    """What is chosen so far: passage number -> places of its units."""

    places: dict[int, set[int]] = field(default_factory=dict)
    best: dict[int, float] = field(default_factory=dict)

    def holds(self, n: int, place: int) -> bool:
        return place in self.places.get(n, ())

    def plus(self, n: int, places: Iterable[int], score: float) -> "_Choice":
        merged = {number: set(chosen) for number, chosen in self.places.items()}
        merged.setdefault(n, set()).update(places)
        return _Choice(merged, {**self.best, n: max(score, self.best.get(n, 0.0))})


def extract_answer(question: str, passages: Sequence[Passage]) -> list[AnswerBlock]:
    """Answer a question with the passages' own words.

    Args:
        question: As the participant wrote it, or made to stand alone.
        passages: Best first; the first is number 1.

    Returns:
        At most 6 blocks with 1,200 characters of prose and 3 code blocks, the best passage first; empty without passages. A
        single piece that is longer than that by itself is given alone, whole.
    """
    units = {n: units_of(passage.text) for n, passage in enumerate(passages, 1)}
    candidates = _scored(question, passages, units)
    if not candidates:
        return []
    choice = _choose(candidates, units, asked_for(question))
    return _assemble(choice, units)


def _scored(question: str, passages: Sequence[Passage], units: dict[int, tuple[Unit, ...]]) -> list[_Candidate]:
    """Every unit with its score, best first; between equals the earlier one."""
    asked = asked_for(question)
    words = {(n, unit.place): frozenset(terms(unit.plain)) for n, of in units.items() for unit in of}
    headings = {n: frozenset(terms(" ".join(_titles(passage)))) for n, passage in enumerate(passages, 1)}
    weights = inverse_frequencies([*words.values(), *headings.values()])
    wanted = {term: weights[term] for term in terms(question) if term in weights}
    total = sum(wanted.values()) or 1.0
    found = []
    for n, of in units.items():
        for unit in of:
            own = words[n, unit.place]
            lead = words[n, unit.lead] if unit.lead is not None else frozenset()
            worth = sum(
                weight * (1.0 if term in own else _LEAD_WORTH if term in lead else _HEADING_WORTH if term in headings[n] else 0.0)
                for term, weight in wanted.items()
            )
            rank = 1 / (1 + 0.15 * (n - 1))
            defines = asked == "reason" and unit.kind == "sentence" and bool(_DEFINES.search(unit.markdown))
            subject = 1.4 if defines and not wanted.keys().isdisjoint(terms(" ".join(unit.plain.split()[:4]))) else 1.0
            score = (_BASE + worth / total) * _fit(asked, unit) * subject * rank * (1 + 0.05 / (1 + unit.place))
            found.append(_Candidate(n, unit, score, not own.isdisjoint(wanted)))
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.n, candidate.unit.place))


def _titles(passage: Passage) -> list[str]:
    return passage.document.titles(passage.heading) if passage.document else [passage.step_title, *passage.heading]


def _fit(asked: Asked, unit: Unit) -> float:
    """How well the unit's form suits what is asked for."""
    factor = _FACTORS[asked][unit.kind]
    text = unit.markdown
    if unit.output:
        factor *= 1.8 if asked == "output" else 0.25
    if (
        asked == "command"
        and unit.kind in {"sentence", "item"}
        and (unit.code_blocks or any(map(looks_like_command, _INLINE.findall(text))))
    ):
        factor *= 1.3
    if asked == "place" and _PATH.search(text):
        factor *= 1.6
    if asked == "reason" and unit.code_blocks and unit.kind == "item":
        factor *= 0.5
    if asked == "reason" and unit.kind == "sentence":
        factor *= 1.25 if _BECAUSE.search(text) else 1.0
    if unit.kind == "sentence":
        factor *= (
            (0.75 if _DANGLING.match(text) else 1.0)
            * (0.6 if len(unit.plain.split()) < 4 else 1.0)
            * (0.7 if text.endswith("?") else 1.0)
        )
    return factor


def _choose(candidates: Sequence[_Candidate], units: dict[int, tuple[Unit, ...]], asked: Asked) -> _Choice:
    choice = _Choice()
    best = candidates[0]
    blind = not any(candidate.matched for candidate in candidates)
    strong = [candidate for candidate in candidates if candidate.score >= best.score * _threshold(asked, candidate.n == best.n)]
    for candidate in strong:
        of = units[candidate.n]
        if blind and (candidate.n != best.n or len(choice.places.get(best.n, ())) > 2):
            break
        if choice.holds(candidate.n, candidate.unit.place) or _is_repeated(candidate.unit, choice, units):
            continue
        matched = {other.unit.place for other in strong if other.n == candidate.n and other.matched}
        wider = [choice.plus(candidate.n, bundle, candidate.score) for bundle in _bundles(candidate.unit, of, asked, matched)]
        fitting = next((option for option in wider if _fits(option, units)), None)
        choice = fitting or (choice if choice.places or not wider else wider[-1])
    return choice


def _threshold(asked: Asked, same_passage: bool) -> float:
    return _KEEP[asked] if same_passage else max(_KEEP[asked], _KEEP_ELSEWHERE)


def _bundles(unit: Unit, of: Sequence[Unit], asked: Asked, matched: set[int]) -> list[set[int]]:
    """Sets of places that the unit can be shown with, the fullest first; each can be read by itself.

    Args:
        unit: The unit.
        of: All units of its passage.
        asked: What is asked for.
        matched: Places of the passage's units that bear on the question by themselves.
    """
    if unit.kind == "sentence":
        return _sentence_bundles(unit, of, asked)
    lead = set[int]()
    if unit.lead is not None and (unit.kind == "code" or _introduces(of[unit.lead])):
        lead = _with_referent(of[unit.lead], of)
    if unit.kind != "item":
        return [lead | {unit.place}]
    single = _with_code({unit.place}, of)
    items = {other.place for other in of if other.group == unit.group and other.kind == "item"}
    in_order = unit.ordered and asked in {"command", "any"}
    about = len(items & matched) * 2 >= len(items) or (unit.lead in matched and bool(lead))
    return [lead | _with_code(items, of), single] if in_order or about else [single]


def _sentence_bundles(unit: Unit, of: Sequence[Unit], asked: Asked) -> list[set[int]]:
    alone = _with_referent(unit, of)
    follows = [other for other in of if other.lead == unit.place]
    if follows and (_introduces(unit) or (asked == "command" and follows[0].kind == "code")):
        group = _with_code({other.place for other in follows if other.group == follows[0].group}, of)
        return [alone | group, *([] if _introduces(unit) else [alone])]
    if _introduces(unit):
        return []
    after = of[unit.place + 1] if unit.place + 1 < len(of) else unit
    elaborates = (
        after.kind == "sentence"
        and after.group == unit.group
        and bool(_DANGLING.match(after.markdown))
        and not _introduces(after)
    )
    return [alone | {after.place}, alone] if elaborates and asked in {"reason", "any"} else [alone]


def _introduces(unit: Unit) -> bool:
    """Whether a sentence ends in a colon, and so cannot stand without what follows it."""
    return unit.kind == "sentence" and unit.markdown.rstrip("*_ ").endswith(":")


def _with_code(places: set[int], of: Sequence[Unit]) -> set[int]:
    """The places and those of the code blocks that follow them directly."""
    return places | {other.place for other in of if other.kind == "code" and other.lead in places}


def _with_referent(unit: Unit, of: Sequence[Unit]) -> set[int]:
    """A sentence's place, with those before it while it begins with a word that points back."""
    places = {unit.place}
    while _DANGLING.match(unit.markdown) and unit.kind == "sentence" and unit.place > 0 and len(places) < 3:
        before = of[unit.place - 1]
        if before.kind != "sentence" or (before.group != unit.group and not _introduces(unit)):
            break
        unit = before
        places.add(unit.place)
    return places


def _is_repeated(unit: Unit, choice: _Choice, units: dict[int, tuple[Unit, ...]]) -> bool:
    """Whether something chosen already says the same."""
    mine, my_words = folded(unit.plain).lower(), frozenset(terms(unit.plain, keep_stops=True))
    for n, places in choice.places.items():
        for place in places:
            other = units[n][place]
            theirs = folded(other.plain).lower()
            if mine in theirs:
                return True
            if unit.kind == other.kind != "code":
                words = frozenset(terms(other.plain, keep_stops=True))
                if len(my_words & words) >= 0.85 * len(my_words | words) and _literals(unit) == _literals(other):
                    return True
    return False


def _literals(unit: Unit) -> frozenset[str]:
    """The code and numbers of a unit: sentences that differ in these are never the same."""
    return frozenset(_INLINE.findall(unit.markdown)) | frozenset(re.findall(r"\d+", unit.plain))


def _fits(choice: _Choice, units: dict[int, tuple[Unit, ...]]) -> bool:
    chosen = [units[n][place] for n, places in choice.places.items() for place in places]
    return (
        sum(unit.prose_size for unit in chosen) <= MOST_PROSE
        and sum(unit.code_blocks for unit in chosen) <= MOST_CODE
        and len(_assemble(choice, units)) <= MOST_BLOCKS
    )


def _assemble(choice: _Choice, units: dict[int, tuple[Unit, ...]]) -> list[AnswerBlock]:
    """The chosen units as blocks: passages by their best unit, units in the author's order, what repeats left out."""
    blocks: list[AnswerBlock] = []
    shown: set[str] = set()
    for n in sorted(choice.places, key=lambda number: (-choice.best[number], number)):
        run: list[Unit] = []
        for place in sorted(choice.places[n]):
            unit = units[n][place]
            if run and not _belongs(unit, run[-1]):
                blocks += _block(run, n, shown)
                run = []
            run.append(unit)
        blocks += _block(run, n, shown)
    return blocks


def _belongs(unit: Unit, before: Unit) -> bool:
    """Whether the two stand in one block."""
    return unit.group == before.group or unit.lead == before.place


def _block(run: Sequence[Unit], n: int, shown: set[str]) -> list[AnswerBlock]:
    fresh = [unit for unit in run if unit.kind not in {"sentence", "code"} or folded(unit.markdown) not in shown]
    shown.update(folded(unit.markdown) for unit in run)
    if not fresh or (len(fresh) < len(run) and all(map(_introduces, fresh))):
        return []
    parts: list[str] = []
    cited = False
    for before, unit in zip([None, *fresh], fresh, strict=False):
        text = unit.markdown
        if before is not None and unit.kind == before.kind == "sentence" and unit.group == before.group:
            parts[-1] = f"{parts[-1]} {text}"
        elif before is not None and unit.kind == before.kind == "item" and unit.group == before.group:
            parts[-1] = f"{parts[-1]}{'\n\n' if '\n\n' in before.markdown + text else '\n'}{text}"
        else:
            parts.append(text)
    if fresh[0].kind == "sentence":
        parts[0] = f"{parts[0]} [{n}]"
        cited = True
    markdown = "\n\n".join(parts)
    return [AnswerBlock(markdown if cited else _cited(markdown, fresh[-1], n), [n])]


def _cited(markdown: str, last: Unit, n: int) -> str:
    """The block with its citation at the end: on the last line of a list, below anything else."""
    if last.kind == "item" and not re.search(r"(?:`{3,}|~{3,}|\|)[ \t]*$", markdown):
        return f"{markdown} [{n}]"
    return f"{markdown}\n\n[{n}]"
