"""Progress and log lines of a running job on their way to the store: from any thread, as often as the store should bear."""

import asyncio
import math
from collections import deque
from typing import Any

from structlog import get_logger

from shared_services.jobs.store import NewEvent, OwnJobs, clean

log = get_logger()

SECONDS_BETWEEN_PROGRESS = 0.2
LONGEST_MESSAGE = 4000


class EventWriter:
    """Stores a job's log lines in order and of its progress at most five states a second, the last one always.

    `progress` and `log` may be called from any thread and never wait. The rest belongs to the event loop on which the
    writer was made.
    """

    def __init__(self, store: OwnJobs, job_id: str) -> None:
        self._store = store
        self._job_id = job_id
        self._loop = asyncio.get_running_loop()
        self._lines: deque[NewEvent] = deque()
        self._progress: tuple[int, int | None, str] | None = None
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task = self._loop.create_task(self._write_behind())

    def progress(self, done: int, total: int | None, message: str) -> None:
        """Note how far the current step is."""
        self._progress = (done, total, clean(message)[:LONGEST_MESSAGE])
        self._loop.call_soon_threadsafe(self._wake.set)

    def log(self, level: str, message: str, fields: dict[str, Any]) -> None:
        """Note a line of the log. `fields` are shown as JSON, or as text where JSON has no form for them."""
        data: dict[str, Any] = {"level": level, "message": clean(message)[:LONGEST_MESSAGE]}
        if fields:
            data["fields"] = {name: _plain(value) for name, value in fields.items()}
        self._lines.append(NewEvent("log", data))
        self._loop.call_soon_threadsafe(self._wake.set)

    async def flush(self, *, progress: bool = True) -> None:
        """Store everything noted so far; leaves the progress to its own pace when `progress` is False."""
        async with self._writing:
            lines = list(self._lines)
            latest = self._progress if progress else None
            events = list(lines)
            columns: dict[str, Any] = {}
            if latest is not None:
                columns = dict(zip(("done", "total", "message"), latest, strict=True))
                events.append(NewEvent("progress", dict(columns)))
            if not events:
                return
            await self._store.record(self._job_id, events, **columns)
            for _ in lines:
                self._lines.popleft()
            if self._progress is latest:
                self._progress = None

    async def close(self) -> None:
        """Store what is left and end. A line noted later is lost."""
        async with self._writing:  # so that no write is cut off whose end nobody would learn
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    def abandon(self) -> None:
        """End without storing anything more."""
        self._task.cancel()

    async def _write_behind(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except Exception as error:
                # What was noted stays noted: the flush at the end of the step stores it, or fails the step.
                log.warning("job_events_not_stored", job=self._job_id, error=str(error))
            await asyncio.sleep(SECONDS_BETWEEN_PROGRESS)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(name)): _plain(item) for name, item in value.items()}
    return clean(str(value))[:LONGEST_MESSAGE]
