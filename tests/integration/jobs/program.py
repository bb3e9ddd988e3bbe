"""A process with jobs, to be killed: `python program.py FOLDER COMMAND...`.

Every step appends its name to `FOLDER/steps.txt`. `hold` in the folder keeps the second step from ending.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from shared_services.jobs import JobContext, JobFunction, Jobs
from shared_services.kit.database import create_engine
from shared_services.kit.logging import configure_logging


def kinds(folder: Path) -> dict[str, JobFunction]:
    """`three`: three steps. `dying`: kills its process."""

    def note(line: str) -> None:
        with (folder / "steps.txt").open("a") as file:
            file.write(line + "\n")

    async def three(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        async def one() -> dict[str, str]:
            note("one")
            return {"from": "one"}

        async def two() -> list[int]:
            note("two")
            await context.progress(1, 2, "waiting")
            while (folder / "hold").exists():  # noqa: ASYNC110  set by another process
                await asyncio.sleep(0.05)
            return [1, 2]

        async def last() -> str:
            note("three")
            return "end"

        return {
            "one": await context.step("one", one),
            "two": await context.step("two", two),
            "three": await context.step("three", last),
            "given": given,
        }

    async def dying(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        async def die() -> None:
            note("dying")
            os.kill(os.getpid(), signal.SIGKILL)

        await context.step("die", die)
        return {}

    return {"three": three, "dying": dying}


async def main(folder: Path, command: str) -> None:
    configure_logging()
    engine = create_engine(f"sqlite:///{folder}/jobs.sqlite")
    jobs = Jobs(engine, f"sqlite:///{folder}/dbos.sqlite", kinds(folder))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await jobs.start()
    print("ready", flush=True)
    if command.startswith("submit-"):
        job = await jobs.submit(command.removeprefix("submit-"), "x", "author:1", {"n": 1})
        print(job.id, flush=True)
    elif command == "submit+die":
        job = await jobs.submit("three", "x", "author:1", {"n": 1})
        os.write(1, f"{job.id}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    await stop.wait()
    await jobs.stop()
    await engine.dispose()
    print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
