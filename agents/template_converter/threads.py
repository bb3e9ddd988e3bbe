"""Blocking work, awaited: it ends soon after nobody waits for it, and its progress comes to the event loop."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio

from agents.template_converter.git import Progress
from agents.template_converter.service import silent


class StoppedError(Exception):
    """The caller no longer waits for what a thread does."""


async def in_thread[R](work: Callable[[Progress], R], progress: Progress = silent) -> R:
    """Run blocking work that tells its progress; where the caller is cancelled, the work ends when it next tells any.

    Args:
        work: Given the callback to tell progress by.
        progress: Called in the thread with what the work tells.
    """
    stopped = False

    def told(stage: str, done: int, total: int | None, message: str) -> None:
        if stopped:
            raise StoppedError
        progress(stage, done, total, message)

    running = asyncio.create_task(asyncio.to_thread(work, told))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped = True
        with anyio.CancelScope(shield=True):
            await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise


async def watched[R](work: Callable[[Progress], Awaitable[R]], tell: Callable[[int, int | None, str], Awaitable[None]]) -> R:
    """Await work that is given a callback for progress, which any thread may call, and tell the newest of it as it comes."""
    loop = asyncio.get_running_loop()
    newest: list[tuple[int, int | None, str]] = []
    bell = asyncio.Event()

    def note(row: tuple[int, int | None, str]) -> None:
        newest[:] = [row]
        bell.set()

    def on_progress(_stage: str, done: int, total: int | None, message: str) -> None:
        loop.call_soon_threadsafe(note, (done, total, message))

    async def telling() -> None:
        while True:
            await bell.wait()
            bell.clear()
            while newest:
                await tell(*newest.pop())

    teller = asyncio.create_task(telling())
    try:
        return await work(on_progress)
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)
