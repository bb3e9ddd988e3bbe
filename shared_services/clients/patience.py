"""Waiting for a service that is busy: it says when to ask again, and until then nothing is wrong."""

import time
from collections.abc import Awaitable, Callable

import anyio

from shared_services.kit.errors import PlatformError

BUSY = frozenset({429, 503})
LONGEST_WAIT_SECONDS = 3600.0
LONGEST_PAUSE_SECONDS = 120.0

OnWait = Callable[[float, PlatformError], Awaitable[None]]
"""Told how many seconds the next pause takes, and what the service said."""


def pause_of(error: PlatformError) -> float | None:
    """Seconds after which asking again is worth it; None for an error that says nothing of the kind."""
    seconds = error.extra.get("retry_after")
    if error.status not in BUSY or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return min(max(float(seconds), 0.0), LONGEST_PAUSE_SECONDS)


async def patiently[T](
    call: Callable[[], Awaitable[T]],
    on_wait: OnWait,
    *,
    longest: float = LONGEST_WAIT_SECONDS,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> T:
    """Call until the service has time; each other error ends it.

    Args:
        call: What to try; run from the beginning each time.
        on_wait: Told before each pause.
        longest: Seconds after which the service's answer is raised after all.
        sleep: Waits.
    """
    last = time.monotonic() + longest
    while True:
        try:
            return await call()
        except PlatformError as error:
            seconds = pause_of(error)
            if seconds is None or time.monotonic() + seconds > last:
                raise
            await on_wait(seconds, error)
        await sleep(seconds)
