"""What an app does beside its requests: tasks that live as long as its lifespan does.

A lifespan may be entered in one task and left in another (the laptop's process does so), which a task group forbids; so the
group is held in a task of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup


class Background:
    """A task group of its own. A task that raises ends all of them, and `close` raises what it raised."""

    def __init__(self) -> None:
        self._stop = anyio.Event()
        self._group: TaskGroup | None = None
        self._held: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open it."""
        opened = anyio.Event()

        async def hold() -> None:
            async with anyio.create_task_group() as group:
                self._group = group
                opened.set()
                await self._stop.wait()
                group.cancel_scope.cancel()

        self._held = asyncio.create_task(hold())
        await opened.wait()

    def start_soon[*Given](self, work: Callable[[*Given], Coroutine[Any, Any, object]], *given: *Given) -> None:
        """Run `work` in it, with what was bound to the calling task's context."""
        if self._group is None:
            raise RuntimeError("the background is not open: enter the app's lifespan")
        self._group.start_soon(work, *given)

    async def close(self) -> None:
        """Cancel what still runs, and wait for it."""
        self._stop.set()
        if self._held is not None:
            held, self._held = self._held, None
            try:
                # The group stays until it has ended: a task that woke before it was cancelled may still start another.
                await held
            finally:
                self._group = None
