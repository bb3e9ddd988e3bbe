"""One of several processes with jobs on one PostgreSQL: `python replica.py URL SYSTEM_URL EXECUTOR FOLDER [KIND...]`.

Reads commands, a line each: `submit NAME`, `retry ID`, `cancel ID`; answers each with a line. Every step appends
`EXECUTOR JOB STEP` to `FOLDER/steps.txt`; `FOLDER/hold-EXECUTOR` keeps the second step of that executor's jobs from ending,
`FOLDER/fail` makes it fail. A minute of silence is three seconds here.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from shared_services.jobs import JobContext, JobFunction, Jobs, executors, service
from shared_services.kit.database import create_engine
from shared_services.kit.errors import BadInputError
from shared_services.kit.logging import configure_logging

executors.SILENT_SECONDS = 3.0
executors.BEAT_SECONDS = 0.5
service.SWEEP_SECONDS = 0.5
service.POLL_SECONDS = 0.2


def three(folder: Path, executor: str) -> JobFunction:
    """A job of three steps."""

    async def run(context: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        async def step(name: str) -> str:
            with (folder / "steps.txt").open("a") as file:
                file.write(f"{executor} {given['name']} {name}\n")
            if name == "two":
                while (folder / f"hold-{executor}").exists():  # noqa: ASYNC110  set by another process
                    await asyncio.sleep(0.02)
                if (folder / "fail").exists():
                    raise BadInputError("It is to fail.")
            return f"{name} by {executor}"

        return {"steps": [await context.step(name, step, name) for name in ("one", "two", "three")]}

    return run


async def main(url: str, system_url: str, executor: str, folder: Path, kinds: list[str]) -> None:
    configure_logging()
    engine = create_engine(url)
    jobs = Jobs(engine, system_url, {kind: three(folder, executor) for kind in kinds}, executor, concurrency=1)
    await jobs.start()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, given = line.split()
        if command == "submit":
            print((await jobs.submit(kinds[0], "x", "author:1", {"name": given})).id, flush=True)
        elif command == "retry":
            print((await jobs.retry(given)).state, flush=True)
        else:
            print((await jobs.cancel(given)).state, flush=True)
    await jobs.stop()
    await engine.dispose()
    print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5:]))
