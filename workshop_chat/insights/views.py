"""What the page of insights shows, and its bar chart. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared_services.contracts.insights import Insights, QuestionGroup, QuestionsAt
from shared_services.contracts.library import WorkshopVersion
from shared_services.pages.markdown import heading_slug
from workshop_chat.board.stuck import minutes

PERIODS = ((1, "24 hours"), (7, "7 days"), (30, "30 days"), (90, "90 days"))
CHART_WIDTH = 720
CHART_HEIGHT = 160
LEFT = 32
RIGHT = 16
BOTTOM = 20
TOP = 8
_TICKS = 4
_LABELS = 8


@dataclass(frozen=True)
class Bar:
    """A bar: all questions, and how many of them found no answer. In the SVG's own units; `label` says it in words."""

    x: float
    width: float
    y: float
    height: float
    open_y: float
    open_height: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A number or date at an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A bar chart of questions over time."""

    bars: list[Bar]
    ticks: list[Mark]
    dates: list[Mark]


@dataclass(frozen=True)
class GroupCard:
    """A group as it is shown; `address` leads to its section, or is None where no page shows it."""

    group: QuestionGroup
    address: str | None
    more: int


@dataclass(frozen=True)
class InsightsView:
    """What the page adds to the insights themselves.

    Attributes:
        table: Time and counts of each bar, for people who read the chart.
    """

    chart: Chart
    table: list[tuple[str, QuestionsAt]]
    cards: list[GroupCard]
    first_block: str
    stays: list[tuple[str, str]]


def step_size(most: int) -> int:
    """Between two marks of the axis: 1, 2 or 5 times a power of ten, so that there are four marks at most."""
    wanted = max(1.0, most / _TICKS)
    power = 10 ** math.floor(math.log10(wanted))
    return next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= wanted)


def chart(counts: Sequence[QuestionsAt], resolution: str) -> Chart:
    """Bars over time."""
    most = max((count.asked for count in counts), default=0)
    step = step_size(most)
    top = max(step, math.ceil(most / step) * step)
    height = CHART_HEIGHT - BOTTOM - TOP
    slot = (CHART_WIDTH - LEFT - RIGHT) / max(1, len(counts))
    width = max(1.0, min(40.0, slot * 0.7))

    def y(number: float) -> float:
        return round(TOP + height - number / top * height, 1)

    bars = []
    for place, count in enumerate(counts):
        x = round(LEFT + place * slot + (slot - width) / 2, 1)
        words = (
            f"{when(count, resolution)}: {count.asked} asked, {count.unanswered} without an answer, "
            f"{count.thumbs_down} thumbs down"
        )
        bars.append(
            Bar(
                x,
                round(width, 1),
                y(count.asked),
                round(y(0) - y(count.asked), 1),
                y(count.unanswered),
                round(y(0) - y(count.unanswered), 1),
                words,
            )
        )
    every = max(1, math.ceil(len(counts) / _LABELS))
    dates = [
        Mark(round(LEFT + (place + 0.5) * slot, 1), short(count, resolution))
        for place, count in enumerate(counts)
        if (len(counts) - 1 - place) % every == 0
    ]
    return Chart(bars, [Mark(y(number), str(number)) for number in range(0, top + 1, step)], dates)


def when(count: QuestionsAt, resolution: str) -> str:
    """A bar's time in words (UTC)."""
    return f"{count.start:%-d %b, %H:00}" if resolution == "hour" else f"{count.start:%a %-d %b}"


def short(count: QuestionsAt, resolution: str) -> str:
    """A bar's time at the axis."""
    return f"{count.start:%H:00}" if resolution == "hour" else f"{count.start:%-d %b}"


def insights_view(found: Insights, version: WorkshopVersion, step_address: Callable[[str], str]) -> InsightsView:
    """What the page shows of insights."""
    cards = []
    for group in found.groups:
        section = group.section
        address = None
        if section.step is not None and section.step in version.steps:
            anchor = heading_slug(section.heading[-1]) if len(section.heading) > 1 else ""
            address = step_address(section.step) + (f"#{anchor}" if anchor else "")
        cards.append(GroupCard(group, address, group.size - len(group.questions)))
    first = found.totals.first_block_ms
    return InsightsView(
        chart=chart(found.over_time, found.resolution),
        table=[(when(count, found.resolution), count) for count in found.over_time if count.asked],
        cards=cards,
        first_block="" if first is None else f"{first / 1000:.1f} s",
        stays=[
            (minutes(stay.median_seconds), minutes(stay.stated_seconds) if stay.stated_seconds else "") for stay in found.stays
        ],
    )
