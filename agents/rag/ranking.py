"""Pure decisions about order: fusing scores, favouring steps and identifiers, folding duplicates, joining neighbours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.rag.blocks import split_lines
from agents.rag.store import Hit, StoredChunk
from agents.rag.terms import holds, identifiers, phrases

LEAST_SPAN = 0.3
"""In cosines: what sets a chunk that says nothing apart from the best one, at least."""
STEP_FAVOUR = 1.15
OWN_FAVOUR = 1.05
"""Enough that of two texts that say the same the workshop's own comes first, not that it hides a better shared document."""
NEIGHBOUR_FAVOUR = 1.05
DUPLICATE_SHARE = 0.9
JOINED_CHARACTERS = 1_800
"""A longer passage is not read at once."""
LATER = 15
MOST_LITERAL = 64
"""Identifiers and phrases of a question that are looked for in the candidates' texts."""


_SENTENCE_SIGNS = ".,:;!?()\"'*"
_TELLING_WORDS = """
no not never none without neither nor only before after first last one two three four five six seven eight nine ten
true false yes on off enable disable enabled disabled start stop add remove create delete allow deny up down
"""
_LETTERS = ("", "a", "A", "I")
_TELLING = frozenset(_TELLING_WORDS.split())
"""Plain words that make another text of two that are otherwise alike."""


@dataclass(frozen=True)
class FusionWeights:
    """What makes a passage's score; the first four are 1 together. `benchmarks.fusion_fit` chooses them.

    Attributes:
        dense: What the best cosine adds.
        keyword: What the best BM25 score adds.
        identifiers: What all of the question's identifiers add.
        phrases: What all of the question's phrases add.
        joined: Share of the form that is joined with the turn before, where the question cannot stand alone. Else the forms
            count alike.
    """

    dense: float
    keyword: float
    identifiers: float
    phrases: float
    joined: float

    @classmethod
    def of(cls, *, dense: float, identifiers: float, phrases: float, joined: float) -> "FusionWeights":
        """The weights, given the dense share of both rankings, and what literal finds add where both rankings add 1."""
        total = 1 + identifiers + phrases
        return cls(dense / total, (1 - dense) / total, identifiers / total, phrases / total, joined)


FUSION = FusionWeights.of(dense=0.6, identifiers=0.5, phrases=0.05, joined=0.6)


@dataclass(frozen=True)
class Candidate:
    """A found chunk, or neighbouring chunks joined, with the parts of its score.

    Attributes:
        chunk: The text and where it stands; after joining, all of the joined lines.
        fused: What the order is made by.
        dense: Best cosine over the forms of the question; None when the dense search did not return it.
        bm25: Best BM25 score likewise.
    """

    chunk: StoredChunk
    fused: float
    dense: float | None = None
    bm25: float | None = None


def form_shares(forms: int, *, dependent: bool, weights: FusionWeights = FUSION) -> list[float]:
    """What each form of a question counts, 1 together; the last of two is the joined one."""
    if forms == 2 and dependent:
        return [1 - weights.joined, weights.joined]
    return [1 / forms] * forms


def score_fusion(
    dense: Sequence[Sequence[Hit]],
    keyword: Sequence[Sequence[Hit]],
    dense_shares: Sequence[float] | None = None,
    keyword_shares: Sequence[float] | None = None,
    weights: FusionWeights = FUSION,
) -> dict[int, float]:
    """Each chunk's score over rankings that are best first: what it reached of the best in each, weighed and averaged.

    Cosines count from the lowest of their ranking, which says nothing where there are many chunks, but a difference never
    counts more than out of `LEAST_SPAN`: the lowest of three may be as good as the best. BM25 scores count from 0, which
    is what a chunk without any of the terms has. Shares say what each ranking counts; without them all count alike.
    """
    fused: dict[int, float] = {}
    for ranking, share in zip(dense, dense_shares or _alike_shares(dense), strict=True):
        span = max(ranking[0].score - ranking[-1].score, LEAST_SPAN) if ranking else LEAST_SPAN
        for hit in ranking:
            reached = 1 - (ranking[0].score - hit.score) / span
            fused[hit.ordinal] = fused.get(hit.ordinal, 0.0) + weights.dense * reached * share
    for ranking, share in zip(keyword, keyword_shares or _alike_shares(keyword), strict=True):
        for hit in ranking:
            reached = hit.score / ranking[0].score if ranking[0].score > 0 else 1.0
            fused[hit.ordinal] = fused.get(hit.ordinal, 0.0) + weights.keyword * reached * share
    return fused


def favour_own(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Raise a workshop's own passages a little where there are shared documents' beside them."""
    if not any(each.chunk.document for each in candidates):
        return list(candidates)
    return [each if each.chunk.document else replace(each, fused=each.fused * OWN_FAVOUR) for each in candidates]


def _alike_shares(rankings: Sequence[object]) -> list[float]:
    return [1 / max(len(rankings), 1)] * len(rankings)


def favour_step(
    candidates: Iterable[Candidate],
    step: str | None,
    beside: Collection[str] = (),
    own: float = STEP_FAVOUR,
    next_to: float = NEIGHBOUR_FAVOUR,
) -> list[Candidate]:
    """Raise the current step's passages a little, and less those of the steps before and after it (`beside`).

    A clearly better passage elsewhere stays first. `benchmarks.step_favour` measures both factors.
    """
    if not step:
        return list(candidates)
    return [
        replace(each, fused=each.fused * (own if each.chunk.step == step else next_to))
        if not each.chunk.document and (each.chunk.step == step or each.chunk.step in beside)
        else each
        for each in candidates
    ]


def step_order(chunks: Iterable[StoredChunk]) -> list[str]:
    """The steps, in the order of the text."""
    return list(dict.fromkeys(each.step for each in sorted(chunks, key=lambda each: each.ordinal)))


def steps_beside(order: Sequence[str], step: str | None) -> frozenset[str]:
    """The steps before and after one; none for a step that is not there."""
    if step is None or step not in order:
        return frozenset()
    place = order.index(step)
    return frozenset(order[near] for near in (place - 1, place + 1) if 0 <= near < len(order))


def favour_literal(candidates: Sequence[Candidate], query: str, weights: FusionWeights = FUSION) -> list[Candidate]:
    """Raise passages that hold the question's identifiers and phrases literally.

    What no candidate holds, or every candidate holds, tells nothing and does not count.
    """
    texts = [each.chunk.text.lower() for each in candidates]
    added = [0.0] * len(texts)
    for names, most in ((identifiers(query), weights.identifiers), (phrases(query), weights.phrases)):
        held = [[holds(text, name) for text in texts] for name in names[:MOST_LITERAL]]
        telling = [row for row in held if any(row) and not all(row)]
        for row in telling:
            for place, holding in enumerate(row):
                added[place] += most * holding / len(telling)
    return [replace(each, fused=each.fused + more) if more else each for each, more in zip(candidates, added, strict=True)]


def ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; equal ones in the order of the text."""
    return sorted(candidates, key=lambda each: (-each.fused, each.chunk.ordinal))


def lead(candidates: Iterable[Candidate]) -> float:
    """How far the best score is ahead of the `LATER`th, or of the last where there are fewer.

    Where something answers a question it stands out; where nothing does, many passages are about as near.
    """
    scores = sorted((each.fused for each in candidates), reverse=True)
    return scores[0] - scores[min(LATER, len(scores)) - 1] if scores else 0.0


def passages(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """At most `limit` passages from ordered candidates: near duplicates folded, neighbours of one section joined.

    Where a workshop and a shared document say the same, the workshop's own passage stands for both.
    """
    chosen: list[Candidate] = []
    seen: list[tuple[int, _Seen]] = []
    for each in candidates:
        own = _Seen.of(each.chunk)
        twin = next((place for place, other in seen if own.repeats(other)), None)
        if twin is not None:
            held = chosen[twin]
            if held.chunk.document and not each.chunk.document and own.repeats(_Seen.of(held.chunk)):
                chosen[twin] = replace(each, fused=held.fused)
            continue
        place = next((index for index, held in enumerate(chosen) if _neighbours(held.chunk, each.chunk)), None)
        if place is not None:
            chosen[place] = _joined(chosen[place], each)
        elif len(chosen) < limit:
            place = len(chosen)
            chosen.append(each)
        else:
            break
        seen.append((place, own))
    return chosen


@dataclass(frozen=True)
class _Seen:
    """What tells a text from another: its words as they are written, in order where they are commands or code."""

    tokens: tuple[str, ...]
    bag: frozenset[str]
    exact: bool

    @classmethod
    def of(cls, chunk: StoredChunk) -> "_Seen":
        tokens = tuple(chunk.text.split())
        return cls(
            tokens, frozenset(token.strip(_SENTENCE_SIGNS) for token in tokens), chunk.kind not in ("prose", "hint", "explain")
        )

    def repeats(self, other: "_Seen") -> bool:
        """Whether who has read the other learns nothing here: prose that differs in a few plain words, or the very same code.

        One flag, one number or one name makes another text of it, and so does any word of a command.
        """
        if self.exact or other.exact:
            return self.tokens == other.tokens
        shorter, longer = sorted((len(self.bag), len(other.bag)))
        if shorter < DUPLICATE_SHARE * longer:
            return False
        differing = self.bag ^ other.bag
        return len(differing) <= (1 - DUPLICATE_SHARE) * len(self.bag | other.bag) and all(map(_plain, differing))


def _plain(token: str) -> bool:
    return token in _LETTERS or (token.isalpha() and token[1:].islower() and token.lower() not in _TELLING)


def _covered(chunk: StoredChunk) -> dict[int, str]:
    lines = split_lines(chunk.text)
    return {chunk.first_line + offset: line for offset, line in enumerate(lines)}


def _neighbours(one: StoredChunk, other: StoredChunk) -> bool:
    if _section(one) != _section(other):
        return False
    first, second = sorted((one, other), key=lambda chunk: (chunk.first_line, chunk.last_line))
    gap = len(split_lines(first.after))
    touching = second.first_line <= first.last_line + gap + 1
    return touching and len(one.text) + len(other.text) <= JOINED_CHARACTERS


def _section(chunk: StoredChunk) -> tuple[str, int, str, tuple[str, ...], bool]:
    return (chunk.workshop, chunk.document, chunk.file, chunk.heading, chunk.kind in _HELP)


_HELP: Mapping[str, None] = dict.fromkeys(("hint", "explain", "solve", "check"))


def _joined(better: Candidate, other: Candidate) -> Candidate:
    first, second = sorted((better.chunk, other.chunk), key=lambda chunk: (chunk.first_line, chunk.last_line))
    lines = _covered(first)
    if second.last_line > first.last_line:
        lines |= {first.last_line + 1 + offset: line for offset, line in enumerate(split_lines(first.after))}
        lines |= _covered(second)
    last = max(first.last_line, second.last_line)
    chunk = replace(
        first,
        last_line=last,
        text="".join(lines[number] for number in range(first.first_line, last + 1)),
        after=second.after if second.last_line >= first.last_line else first.after,
        kind=better.chunk.kind,
    )
    return Candidate(chunk, better.fused, _most(better.dense, other.dense), _most(better.bm25, other.bm25))


def _most(one: float | None, other: float | None) -> float | None:
    given = [value for value in (one, other) if value is not None]
    return max(given) if given else None
