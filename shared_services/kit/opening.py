"""Opening what a service stands on, such as a database server, while it answers its probes already.

A process that ends because its database is not there yet is started again by whoever watches it, later and later. One that
goes on trying serves as soon as it can, and its readiness says what it waits for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from structlog import get_logger

from shared_services.kit.errors import NewerDataError

log = get_logger()

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0


class Opening:
    """Calls `open` until it succeeds once.

    Args:
        what: What is opened, for people; begins a sentence.
        open: Does it; tried again from its beginning.
        patient: Whether trying again can help, as with a server that is still to come. Else the first error is raised.
    """

    def __init__(self, what: str, open: Callable[[], Awaitable[None]], *, patient: bool) -> None:  # noqa: A002
        self._what = what
        self._open = open
        self._patient = patient
        self._problem: str | None = f"{what} is not opened yet."

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self._problem is None

    async def ready(self) -> str | None:
        """None once it is open, else why not; a check of readiness."""
        return self._problem

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open for the length of a block, which a patient opening does not hold up.

        Raises:
            Exception: Whatever `open` raises where it is not patient.
        """
        if not self._patient:
            await self._open()
            self._problem = None
            yield
            return
        trying = asyncio.create_task(self._until_open())
        try:
            yield
        finally:
            trying.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.gather(trying, return_exceptions=True)

    async def _until_open(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._open()
            except Exception as error:
                told = f"{self._what} cannot be used: {error}"
                if told != self._problem:
                    log.warning("not_open_yet", what=self._what, error=f"{type(error).__name__}: {error}")
                self._problem = told
                if isinstance(error, NewerDataError):
                    # Another version of the program has to come; this one says so for as long as it is left standing.
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._problem = None
                log.info("opened", what=self._what)
                return
