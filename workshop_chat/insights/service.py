"""Insights into one workshop: counts, groups of questions that want an answer, steps that take long. Knows no HTTP and no SQL."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import anyio.to_thread

from shared_services.contracts.insights import (
    DEFAULT_DAYS,
    GroupedQuestion,
    Insights,
    Likeness,
    QuestionGroup,
    Section,
)
from shared_services.contracts.library import WorkshopVersion
from workshop_chat.content import WorkshopContent
from workshop_chat.insights.grouping import (
    EMBEDDINGS_THRESHOLD,
    WORDS_THRESHOLD,
    Item,
    Pairs,
    alike_by_vectors,
    alike_by_words,
    grouped,
    medoid,
)
from workshop_chat.insights.masked import shown
from workshop_chat.insights.questions import (
    Outcome,
    RawQuestion,
    is_question,
    over_time,
    period,
    section_key,
    section_of,
    totals,
)
from workshop_chat.insights.stays import Stay, long_stays
from workshop_chat.insights.vectors import Found, QuestionVectors
from workshop_chat.insights.words import folded

MOST_GROUPED = 1_000
SHOWN_QUESTIONS = 10


class Reader(Protocol):
    """What happened in one workshop."""

    async def outcomes(self, since: datetime) -> list[Outcome]:
        """What became of each message since then."""
        ...

    async def to_group(self, since: datetime, limit: int) -> tuple[list[RawQuestion], int]:
        """The newest questions to be grouped, newest first; and how many there are."""
        ...

    async def stays(self, since: datetime) -> list[Stay]:
        """Who was on which step for how long."""
        ...


@dataclass(frozen=True)
class Wanting:
    """A question that wants an answer, masked, and what it is about."""

    shown: GroupedQuestion
    section: Section
    participant: str


@dataclass(frozen=True)
class Group:
    """Questions that are alike, newest first."""

    id: str
    section: Section
    representative: str
    questions: Sequence[Wanting]


@dataclass(frozen=True)
class Groups:
    """The groups of a period, largest first; `left_out` counts older questions that are in none."""

    found: Sequence[Group]
    likeness: Likeness
    left_out: int


class InsightsService:
    """Insights into one workshop.

    Args:
        content: The workshop.
        reader: What happened in it.
        vectors: Tell which questions mean the same.
        most: How many questions are grouped at most, the newest.
    """

    def __init__(self, content: WorkshopContent, reader: Reader, vectors: QuestionVectors, *, most: int = MOST_GROUPED) -> None:
        self._content = content
        self._reader = reader
        self._vectors = vectors
        self._most = most

    async def look(self, days: int = DEFAULT_DAYS, now: datetime | None = None) -> Insights:
        """The insights of the last `days` days.

        Raises:
            UnavailableError: The workshop or the store cannot be read.
        """
        until = now or datetime.now(UTC)
        since, resolution = period(until, days)
        version = await self._content.current()
        outcomes = await anyio.to_thread.run_sync(_asked, await self._reader.outcomes(since))
        groups = await self._groups(since, version)
        stays = await self._reader.stays(since)
        return Insights(
            workshop=version.workshop,
            since=since,
            until=until,
            days=days,
            resolution=resolution,
            totals=totals(outcomes),
            over_time=over_time(outcomes, since, until, resolution),
            groups=[_wire(group) for group in groups.found],
            grouped=sum(len(group.questions) for group in groups.found),
            left_out=groups.left_out,
            likeness=groups.likeness,
            stays=long_stays(stays, version),
        )

    async def groups(self, days: int = DEFAULT_DAYS, now: datetime | None = None) -> Groups:
        """The groups with every question that is in them.

        Raises:
            UnavailableError: The workshop or the store cannot be read.
        """
        since, _ = period(now or datetime.now(UTC), days)
        return await self._groups(since, await self._content.current())

    async def _groups(self, since: datetime, version: WorkshopVersion) -> Groups:
        raw, count = await self._reader.to_group(since, self._most)
        questions = await anyio.to_thread.run_sync(_wanting, raw, version)
        found = await self._vectors.of(sorted({folded(question.shown.text) for question in questions}))
        # Seconds for a thousand questions, so not on the event loop.
        groups = await anyio.to_thread.run_sync(_grouped, questions, found)
        by_vectors = found.vectors is not None
        likeness = Likeness(
            by="embeddings" if by_vectors else "words",
            model=found.model,
            threshold=EMBEDDINGS_THRESHOLD if by_vectors else WORDS_THRESHOLD,
            note=found.note,
        )
        return Groups(groups, likeness, count - len(raw))


def _asked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if is_question(outcome.beginning)]


def _wanting(raw: Sequence[RawQuestion], version: WorkshopVersion) -> list[Wanting]:
    return [
        Wanting(
            shown=GroupedQuestion(
                text=shown(one.text, one.name),
                asked_at=one.asked_at,
                step=one.step,
                unanswered=one.unanswered,
                thumbs_down=one.thumbs_down,
                reason=shown(one.reason, one.name),
            ),
            section=section_of(one.nearest if one.unanswered else None, one.citation, one.step, version),
            participant=one.participant,
        )
        for one in raw
        if is_question(one.text)
    ]


def _grouped(questions: Sequence[Wanting], found: Found) -> list[Group]:
    """Questions in groups; the same words about the same place count as one item, however often they were asked."""
    by_item: dict[Item, list[Wanting]] = {}
    for question in questions:
        item = Item(folded(question.shown.text), section_key(question.section), question.shown.step or "")
        by_item.setdefault(item, []).append(question)
    items = sorted(by_item, key=lambda item: (item.folded, item.section, item.step))
    alike = alike_by_words(items) if found.vectors is None else alike_by_vectors(items, found.vectors)
    pairs = Pairs(len(items), alike)
    weights = [len(by_item[item]) for item in items]
    threshold = WORDS_THRESHOLD if found.vectors is None else EMBEDDINGS_THRESHOLD
    groups = []
    for places in grouped(pairs, threshold):
        members = sorted(
            (question for place in places for question in by_item[items[place]]),
            key=lambda question: question.shown.asked_at,
            reverse=True,
        )
        center = by_item[items[medoid(places, weights, items, pairs)]][0]
        groups.append(_group(center, members))
    return sorted(groups, key=lambda group: (-len(group.questions), -group.questions[0].shown.asked_at.timestamp(), group.id))


def _group(center: Wanting, members: list[Wanting]) -> Group:
    """A group is about the section that most of its questions are about; of equal ones, that of its representative."""
    counted = Counter(section_key(question.section) for question in members)
    most = max(counted.values())
    preferred = [center, *members]
    section = next(question.section for question in preferred if counted[section_key(question.section)] == most)
    digest = hashlib.sha256("\n".join([*section_key(section), center.shown.step or "", folded(center.shown.text)]).encode())
    return Group(digest.hexdigest()[:12], section, center.shown.text, members)


def _wire(group: Group) -> QuestionGroup:
    shown_ones = [question.shown for question in group.questions]
    reasons = list(dict.fromkeys(question.reason for question in shown_ones if question.reason))
    return QuestionGroup(
        id=group.id,
        section=group.section,
        representative=group.representative,
        size=len(shown_ones),
        people=len({question.participant for question in group.questions}),
        unanswered=sum(question.unanswered for question in shown_ones),
        thumbs_down=sum(question.thumbs_down for question in shown_ones),
        first_asked=shown_ones[-1].asked_at,
        last_asked=shown_ones[0].asked_at,
        questions=shown_ones[:SHOWN_QUESTIONS],
        reasons=reasons[:SHOWN_QUESTIONS],
    )
