"""The queue for the language model: how many answers it writes at once, and whose turn is next.

A place goes first to whoever has had the fewest answers lately, counting those that run and those of theirs that wait already,
then to whoever came first. So a participant who asks ten questions waits behind nine others who ask one. It is this process's
own queue: two processes of a chat agent have one each.
"""

import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio

from shared_services.contracts.chat import StatusEvent
from shared_services.llm.errors import ModelUnavailableError
from workshop_chat import metrics

LATELY_SECONDS = 60.0
BUSY_SECONDS = 2.0
"""How long nobody is sent to a model that said it is busy, where it did not say for how long."""

TELL_SECONDS = 1.0
"""How often somebody who waits is told their place, where it has changed."""


class ModelBusyError(ModelUnavailableError):
    """The wait for the model was too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__("rate_limited", f"The model was busy for {seconds:.0f} seconds.")


@dataclass(eq=False)
class Ticket:
    """An answer that wants the model, or has it.

    Attributes:
        number: Order of coming.
        since: When it came, on the monotonic clock.
        granted: Set once it has the model.
    """

    participant: str
    number: int
    since: float
    runs: bool = False
    granted: anyio.Event = field(default_factory=anyio.Event)


def in_order(waiting: Sequence[Ticket], load: Mapping[str, int]) -> list[Ticket]:
    """Who gets the model next.

    Args:
        waiting: In any order.
        load: How many answers each participant has running or had lately.
    """
    ahead: dict[str, int] = {}
    ranked: list[tuple[int, int, Ticket]] = []
    for ticket in sorted(waiting, key=lambda one: one.number):
        own = ahead.get(ticket.participant, 0)
        ahead[ticket.participant] = own + 1
        ranked.append((load.get(ticket.participant, 0) + own, ticket.number, ticket))
    return [ticket for _, _, ticket in sorted(ranked, key=lambda one: one[:2])]


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th ..."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


class ModelQueue:
    """Hands out the model's places in one process.

    Args:
        workshop: For the metrics.
        streams: How many answers are written at once; 0 for no limit.
        patience: Seconds that one answer waits at most.
    """

    def __init__(self, workshop: str, *, streams: int, patience: float) -> None:
        self._streams = streams
        self.patience = patience
        self._running = 0
        self._waiting: list[Ticket] = []
        self._ranked: list[Ticket] | None = None
        self._count = 0
        self._busy_until = 0.0
        self._load: dict[str, int] = {}
        self._ended: deque[tuple[float, str]] = deque()
        self._gauge = metrics.MODEL_WAITING.labels(workshop)

    @contextmanager
    def place(self, participant: str) -> Iterator["QueuePlace"]:
        """A place in line, given up with the block however it ends."""
        self._count += 1
        # Nobody's answers are nobody's: they are not one participant who asks much.
        ticket = Ticket(participant or f"\0{self._count}", self._count, time.monotonic())
        try:
            yield QueuePlace(self, ticket)
        finally:
            self.give_up(ticket)

    def enter(self, ticket: Ticket) -> None:
        """Get in line."""
        ticket.granted = anyio.Event()
        self._waiting.append(ticket)
        self._changed()

    def give_up(self, ticket: Ticket) -> None:
        """Leave the line, or give the model to the next one."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif ticket.runs:
            ticket.runs = False
            self._running -= 1
            self._ended.append((time.monotonic(), ticket.participant))
        self._changed()

    def pause(self, seconds: float) -> None:
        """Send nobody to the model for a while."""
        self._busy_until = max(self._busy_until, time.monotonic() + seconds)

    def paused_for(self) -> float:
        """Seconds until somebody is sent to the model again."""
        return max(0.0, self._busy_until - time.monotonic())

    def grant(self) -> None:
        """Give free places to those whose turn it is."""
        while self._waiting and not self.paused_for() and (self._streams == 0 or self._running < self._streams):
            self._forget_old()
            ticket = self._order()[0]
            self._waiting.remove(ticket)
            self._ranked = None
            self._running += 1
            self._load[ticket.participant] = self._load.get(ticket.participant, 0) + 1
            ticket.runs = True
            ticket.granted.set()
        self._gauge.set(len(self._waiting))

    def position(self, ticket: Ticket) -> int:
        """A waiting one's place in line, from 1."""
        return self._order().index(ticket) + 1

    def _changed(self) -> None:
        self._ranked = None
        self.grant()

    def _order(self) -> list[Ticket]:
        if self._ranked is None:
            self._ranked = in_order(self._waiting, self._load)
        return self._ranked

    def _forget_old(self) -> None:
        long_ago = time.monotonic() - LATELY_SECONDS
        while self._ended and self._ended[0][0] < long_ago:
            _, participant = self._ended.popleft()
            self._load[participant] -= 1
            if not self._load[participant]:
                del self._load[participant]


class QueuePlace:
    """One answer's place in the queue."""

    def __init__(self, queue: ModelQueue, ticket: Ticket) -> None:
        self._queue = queue
        self._ticket = ticket

    async def turn(self) -> AsyncGenerator[StatusEvent]:
        """Wait for the model, saying each change of place; gives nothing where there is no wait.

        Raises:
            ModelBusyError: The wait was too long.
        """
        ticket, queue = self._ticket, self._queue
        until = ticket.since + queue.patience
        queue.enter(ticket)
        told = 0
        while not ticket.runs:
            position = queue.position(ticket)
            if position != told:
                told = position
                yield StatusEvent(stage="waiting", message=waiting_message(position), position=position)
                if ticket.runs:
                    return
            left = until - time.monotonic()
            if left <= queue.paused_for():
                raise ModelBusyError(queue.patience)
            with anyio.move_on_after(min(left, TELL_SECONDS)):
                await ticket.granted.wait()
            # A pause ends without anybody's doing.
            queue.grant()

    def again(self, error: ModelUnavailableError) -> bool:
        """Whether to wait for another turn after the model failed: where it is busy, and there is time left."""
        queue = self._queue
        if error.reason != "rate_limited" or isinstance(error, ModelBusyError):
            return False
        pause = BUSY_SECONDS if error.retry_after is None else error.retry_after
        queue.pause(pause)
        queue.give_up(self._ticket)
        return time.monotonic() + pause < self._ticket.since + queue.patience


def waiting_message(position: int) -> str:
    """What a reader who waits is told."""
    return f"The model is busy. You are {'next' if position == 1 else ordinal(position)} in line."
