"""What the board is made of, as it is read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Seat:
    """A session on the board. `guest` counts those without a name, from 1, by when they came; 0 for who has one."""

    participant: str
    name: str
    guest: int
    state: str
    joined_at: datetime
    active_at: datetime
    seen_at: datetime
    step: str | None
    step_since: datetime | None
    hand_raised_at: datetime | None


@dataclass(frozen=True)
class Stay:
    """A participant on a step."""

    participant: str
    step: str
    seconds: float
    failed_checks: int
    passed: bool


@dataclass(frozen=True)
class AskedQuestion:
    """A question of the last hours; its beginning, where it is long."""

    participant: str
    text: str
    step: str | None
    asked_at: datetime
