"""Work that lives as long as an app's lifespan."""

import anyio
import pytest

from workshop_chat.background import Background


async def test_a_task_that_starts_another_while_all_are_ended_harms_nothing():
    background = Background()
    await background.start()
    heard = anyio.Event()
    ended: list[str] = []

    async def follow() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("follow")

    async def listen() -> None:
        await heard.wait()
        background.start_soon(follow)
        ended.append("listen")

    background.start_soon(listen)
    await anyio.wait_all_tasks_blocked()
    heard.set()
    await background.close()
    assert ended[0] == "listen"
    with pytest.raises(RuntimeError, match="not open"):
        background.start_soon(follow)


async def test_closing_raises_what_a_task_raised():
    background = Background()
    await background.start()

    async def fail() -> None:
        raise ValueError("broken")

    background.start_soon(fail)
    with pytest.raises(ExceptionGroup) as raised:
        await background.close()
    assert raised.group_contains(ValueError, match="broken")
