"""Steps where people stay long. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from shared_services.contracts.insights import StepStay
from shared_services.contracts.library import WorkshopVersion

FEWEST_PEOPLE = 3
OVER_STATED = 1.5
OVER_OTHERS = 2.0
SHORTEST_LONG_SECONDS = 120.0


@dataclass(frozen=True)
class Stay:
    """One participant on one step."""

    step: str
    seconds: float
    failed_checks: int
    passed: bool


def long_stays(stays: Sequence[Stay], version: WorkshopVersion) -> list[StepStay]:
    """The steps of the current version that somebody was on, the longest first.

    One is long where at least three people were on it, and half of them stayed for more than 1.5 times what the author states;
    where nothing is stated, for more than twice the median of the other steps, and two minutes.
    """
    by_step: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        by_step[stay.step].append(stay)
    medians = {step: median(stay.seconds for stay in found) for step, found in by_step.items()}
    result = []
    for number, step in enumerate(version.manifest.steps, 1):
        found = by_step.get(step, [])
        if not found:
            continue
        stated = version.steps[step].duration
        others = [medians[other] for other in version.manifest.steps if other != step and other in medians]
        result.append(
            StepStay(
                step=step,
                title=version.steps[step].title,
                number=number,
                people=len(found),
                median_seconds=round(medians[step], 1),
                stated_seconds=stated * 60.0 if stated else None,
                long=len(found) >= FEWEST_PEOPLE and _is_long(medians[step], stated, others),
                failed_checks=sum(stay.failed_checks for stay in found),
                passed=sum(stay.passed for stay in found),
            )
        )
    return sorted(result, key=lambda stay: (-stay.median_seconds, stay.number))


def _is_long(seconds: float, stated_minutes: int | None, others: Sequence[float]) -> bool:
    if stated_minutes:
        return seconds > OVER_STATED * stated_minutes * 60
    return bool(others) and seconds > max(SHORTEST_LONG_SECONDS, OVER_OTHERS * median(others))
