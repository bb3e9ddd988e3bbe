"""Who has a place in the workshop, decided from the rows and the clock alone; what is decided is acted on in `sessions`.

A session is live, waiting or over. Live ones that do nothing for the timeout end; a free place goes to whoever has waited
longest among those whose page is still there. Nobody loses a place because the limit was lowered.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from shared_services.contracts.chat import SessionView

State = Literal["live", "waiting", "over"]

PRESENT = timedelta(seconds=30)
"""A waiting page that was not seen for this long is passed over when a place frees."""
FORGOTTEN = timedelta(minutes=10)
"""A waiting page that was not seen for this long has lost its turn."""
CLAIM = timedelta(minutes=2)
"""Whoever was let in while they waited, or came for the first time, has this long to do something (more) before their place is
free again."""
MOST_GAP = timedelta(minutes=5)
"""Two signs of activity on a step count as time spent on it when they are no further apart."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the workshop's context allows: `limit` live sessions, each over after `timeout` without activity."""

    limit: int
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """A participant's session; the fields are those of `SessionRow`."""

    participant: str
    name: str
    state: State
    since: datetime
    active_at: datetime
    seen_at: datetime
    step: str | None = None
    step_since: datetime | None = None
    hand_raised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of somebody since their row was written.

    Attributes:
        name: None where it is not known.
        active_at: When they last did something; None where only their page was seen.
        seen_at: When that was; now where it is not said.
        step: The step they are on.
        hand: Whether they want their hand raised; None where they did not say.
        leaves: They give their place up.
        late: It is told some time after it happened, so it begins no session.
        fleeting: Nobody knows them yet, and may never see them again: a robot, or a program that keeps no cookie.
    """

    participant: str
    name: str | None = None
    active_at: datetime | None = None
    step: str | None = None
    hand: bool | None = None
    leaves: bool = False
    late: bool = False
    fleeting: bool = False
    seen_at: datetime | None = None

    def after(self, earlier: "Arrival | None") -> "Arrival":
        """This one with what only the earlier one says."""
        if earlier is None:
            return self
        return Arrival(
            self.participant,
            earlier.name if self.name is None else self.name,
            self.active_at or earlier.active_at,
            self.step or earlier.step,
            earlier.hand if self.hand is None else self.hand,
            self.leaves,
            self.late and earlier.late,
            self.fleeting and earlier.fleeting,
            self.seen_at,
        )


def settle(now: datetime, places: Iterable[Place], arrivals: Collection[Arrival], rules: Rules) -> dict[str, Place]:
    """All places after the arrivals, by participant.

    Args:
        now: The time.
        places: The workshop's live and waiting ones, and those of the arrivals in whatever state.
        arrivals: What is new.
        rules: The workshop's.
    """
    after = {place.participant: place for place in places}
    for arrival in arrivals:
        arrived = arrive(now, after.get(arrival.participant), arrival, rules)
        if arrived is not None:
            after[arrival.participant] = arrived
    here = {arrival.participant for arrival in arrivals if arrival.active_at is not None and not arrival.fleeting}
    after |= admit(now, list(after.values()), rules.limit, rules.timeout, here)
    for arrival in arrivals:
        place = after.get(arrival.participant)
        if place is not None and place.state == "live":
            after[arrival.participant] = _moved(now, place, arrival)
    return after


def stay(now: datetime, places: Iterable[Place], arrivals: Collection[Arrival], rules: Rules) -> dict[str, Place] | None:
    """The places of those who only go on with what they have; None where somebody comes or goes, which is everybody's matter.

    Args:
        now: The time.
        places: Those of the arrivals.
        arrivals: What is new, of each once.
        rules: The workshop's.
    """
    held = {place.participant: place for place in places}
    after: dict[str, Place] = {}
    for arrival in arrivals:
        place = held.get(arrival.participant)
        arrived = arrive(now, place, arrival, rules)
        if (place.state if place else None) != (arrived.state if arrived else None):
            return None
        if arrived is not None:
            waits = arrived.state != "live" and arrival.active_at is not None
            if waits:
                return None
            after[arrival.participant] = _moved(now, arrived, arrival) if arrived.state == "live" else arrived
    return after


def arrive(now: datetime, place: Place | None, arrival: Arrival, rules: Rules) -> Place | None:
    """A place after its participant did something or was seen; one who has none gets in line. None: there is still no row."""
    if arrival.leaves:
        return None if place is None or place.state == "over" else _over(place, now)
    if arrival.active_at is None:
        return None if place is None else replace(place, seen_at=max(place.seen_at, arrival.seen_at or now))
    if arrival.late and (place is None or place.state == "over"):
        return None
    name = arrival.name if arrival.name is not None else place.name if place else ""
    if place is not None and place.state == "live" and arrival.active_at - place.active_at <= rules.timeout:
        return replace(place, name=name, active_at=max(place.active_at, arrival.active_at), seen_at=now)
    if place is not None and place.state == "waiting" and now - place.seen_at <= FORGOTTEN:
        return replace(place, name=name, active_at=now, seen_at=now)
    return Place(arrival.participant, name, "waiting", now, now, now)


def admit(
    now: datetime, places: Sequence[Place], limit: int, timeout: timedelta, here: Collection[str] = frozenset()
) -> dict[str, Place]:
    """The places that change, by participant: idle ones end, then those who have waited longest are let in.

    Args:
        now: The time.
        places: Every live and waiting one of the workshop.
        limit: How many may be live.
        timeout: How long a live one may do nothing.
        here: Who is doing something right now; others have `CLAIM` to come.
    """
    changed: dict[str, Place] = {}
    live = 0
    for place in places:
        idle = place.state == "live" and now - place.active_at > timeout
        if idle or (place.state == "waiting" and now - place.seen_at > FORGOTTEN):
            changed[place.participant] = _over(place, now)
        elif place.state == "live":
            live += 1
    for place in line(now, places)[: max(0, limit - live)]:
        active_at = now if place.participant in here else now - timeout + min(CLAIM, timeout)
        changed[place.participant] = replace(place, state="live", since=now, active_at=active_at)
    return changed


def line(now: datetime, places: Iterable[Place]) -> list[Place]:
    """Those who wait and whose page is there, the next one first."""
    waiting = [place for place in places if place.state == "waiting" and now - place.seen_at <= PRESENT]
    return sorted(waiting, key=lambda place: (place.since, place.participant))


def view(now: datetime, place: Place | None, waiting: Sequence[Place], live: int, rules: Rules) -> SessionView:
    """A participant's place as they see it.

    Args:
        now: The time.
        place: Theirs; None where they were never here.
        waiting: Everybody who waits.
        live: How many sessions are live.
        rules: The workshop's.
    """
    state: State = "over" if place is None else place.state
    if place is None or (state == "live" and now - place.active_at > rules.timeout):
        return SessionView(state="over", name=place.name if place else "", limit=rules.limit, live=live)
    if state == "waiting":
        mine = replace(place, seen_at=now)
        others = [other for other in waiting if other.participant != place.participant]
        return SessionView(
            state="waiting", name=place.name, position=1 + line(now, [*others, mine]).index(mine), limit=rules.limit, live=live
        )
    return SessionView(
        state=state,
        name=place.name,
        ends_at=place.active_at + rules.timeout if state == "live" else None,
        limit=rules.limit,
        live=live,
        hand_raised=place.hand_raised_at is not None,
    )


def signs(
    before: Mapping[str, Place], after: Mapping[str, Place], arrivals: Iterable[Arrival]
) -> dict[tuple[str, str], datetime]:
    """When live ones were active on which step, by participant and step; somebody who moves on was active on both."""
    found: dict[tuple[str, str], datetime] = {}
    for arrival in arrivals:
        place, earlier = after.get(arrival.participant), before.get(arrival.participant)
        if arrival.active_at is None or place is None or place.state != "live":
            continue
        for step in (place.step, earlier.step if earlier is not None and earlier.state == "live" else None):
            if step is not None:
                found[(arrival.participant, step)] = arrival.active_at
    return found


def seconds_spent(last_seen_at: datetime, at: datetime) -> float:
    """Seconds on a step that a new sign of activity adds; 0 after a gap that is idle time."""
    gap = at - last_seen_at
    return gap.total_seconds() if timedelta(0) < gap <= MOST_GAP else 0.0


def _over(place: Place, now: datetime) -> Place:
    return replace(place, state="over", since=now, hand_raised_at=None)


def _moved(now: datetime, place: Place, arrival: Arrival) -> Place:
    if arrival.step is not None and arrival.step != place.step:
        place = replace(place, step=arrival.step, step_since=now)
    if arrival.hand is not None and arrival.hand != (place.hand_raised_at is not None):
        place = replace(place, hand_raised_at=now if arrival.hand else None)
    return place
