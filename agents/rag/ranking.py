"""Pure decisions about order: fusing scores, favouring steps and identifiers, folding duplicates, joining neighbours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.rag.blocks import pieces, split_lines
from agents.rag.store import Hit, StoredChunk
from agents.rag.terms import words

DENSE_WEIGHT, KEYWORD_WEIGHT, IDENTIFIER_WEIGHT = 0.4, 0.27, 0.33
"""What the best cosine, the best BM25 score and all of the identifiers add to a passage's score; 1 together."""
LEAST_SPAN = 0.3
"""In cosines: what sets a chunk that says nothing apart from the best one, at least."""
STEP_FAVOUR = 1.15
DUPLICATE_SHARE = 0.9
JOINED_PIECES = 420


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


def score_fusion(dense: Sequence[Sequence[Hit]], keyword: Sequence[Sequence[Hit]]) -> dict[int, float]:
    """Each chunk's score over rankings that are best first: what it reached of the best in each, weighed and averaged.

    Cosines count from the lowest of their ranking, which says nothing where there are many chunks, but a difference never
    counts more than out of `LEAST_SPAN`: the lowest of three may be as good as the best. BM25 scores count from 0, which
    is what a chunk without any of the terms has.
    """
    fused: dict[int, float] = {}
    for ranking in dense:
        span = max(ranking[0].score - ranking[-1].score, LEAST_SPAN) if ranking else LEAST_SPAN
        for hit in ranking:
            reached = 1 - (ranking[0].score - hit.score) / span
            fused[hit.ordinal] = fused.get(hit.ordinal, 0.0) + DENSE_WEIGHT * reached / len(dense)
    for ranking in keyword:
        for hit in ranking:
            reached = hit.score / ranking[0].score if ranking[0].score > 0 else 1.0
            fused[hit.ordinal] = fused.get(hit.ordinal, 0.0) + KEYWORD_WEIGHT * reached / len(keyword)
    return fused


def favour_step(candidates: Iterable[Candidate], step: str | None) -> list[Candidate]:
    """Raise the current step's passages a little, so that a clearly better one elsewhere stays first."""
    return [replace(each, fused=each.fused * STEP_FAVOUR) if step and each.chunk.step == step else each for each in candidates]


def favour_identifiers(candidates: Sequence[Candidate], identifiers: Sequence[str]) -> list[Candidate]:
    """Raise passages that hold the question's identifiers literally.

    Identifiers that no candidate holds, or that every candidate holds, tell nothing and do not count.
    """
    texts = [each.chunk.text.lower() for each in candidates] if identifiers else []
    telling = [name for name in identifiers if 0 < sum(name in text for text in texts) < len(texts)]
    if not telling:
        return list(candidates)
    return [
        replace(each, fused=each.fused + IDENTIFIER_WEIGHT * sum(name in text for name in telling) / len(telling))
        for each, text in zip(candidates, texts, strict=True)
    ]


def ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; equal ones in the order of the text."""
    return sorted(candidates, key=lambda each: (-each.fused, each.chunk.ordinal))


def passages(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """At most `limit` passages from ordered candidates: near duplicates folded, neighbours of one section joined."""
    chosen: list[Candidate] = []
    bags: list[frozenset[str]] = []
    for each in candidates:
        bag = frozenset(words(each.chunk.text))
        if any(_alike(bag, other) for other in bags):
            continue
        place = next((index for index, held in enumerate(chosen) if _neighbours(held.chunk, each.chunk)), None)
        if place is not None:
            chosen[place] = _joined(chosen[place], each)
        elif len(chosen) < limit:
            chosen.append(each)
        else:
            break
        bags.append(bag)
    return chosen


def _alike(bag: frozenset[str], other: frozenset[str]) -> bool:
    union = len(bag | other)
    return union == 0 or len(bag & other) / union >= DUPLICATE_SHARE


def _covered(chunk: StoredChunk) -> dict[int, str]:
    lines = split_lines(chunk.text)
    return {chunk.first_line + offset: line for offset, line in enumerate(lines)}


def _neighbours(one: StoredChunk, other: StoredChunk) -> bool:
    if (one.file, one.heading, one.kind in _HELP) != (other.file, other.heading, other.kind in _HELP):
        return False
    first, second = sorted((one, other), key=lambda chunk: (chunk.first_line, chunk.last_line))
    gap = len(split_lines(first.after))
    touching = second.first_line <= first.last_line + gap + 1
    return touching and pieces(one.text) + pieces(other.text) <= JOINED_PIECES


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
