"""A process with the RAG agent's job `index`, to be killed: `python -m ... FOLDER`. It kills itself in the middle of an indexing."""

import os
import signal
import sys
from pathlib import Path

import anyio

from agents.rag.job import INDEX, index_input, index_job
from shared_services.jobs import Jobs
from shared_services.kit.database import create_engine
from shared_services.library.form import WorkshopFiles
from tests.integration.rag.conftest import Room, open_room
from tests.integration.rag.test_indexing import SHOP, _version
from tests.unit.rag.fakes import FakeEmbedder


class Files:
    async def fetch(self, name: str, version: str) -> WorkshopFiles:
        return {"v1": _version("alpha"), "v2": _version("beta", 60)}[version]


class Dying(FakeEmbedder):
    """Ends its process at the third batch of the second version."""

    def encode(self, texts):  # type: ignore[no-untyped-def]
        if any("beta" in text for text in texts) and self.encoded > 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(texts)


def jobs_of(folder: Path, room: Room) -> Jobs:
    """Jobs on a folder; its engine is the caller's to dispose of."""
    engine = create_engine(f"sqlite:///{folder}/jobs-tables.sqlite3")
    return Jobs(engine, f"sqlite:///{folder}/jobs.sqlite3", {INDEX: index_job(lambda: room.service, Files)})


async def main(folder: Path) -> None:
    async with open_room(folder, Dying()) as room:
        await room.service.index(SHOP, "v1", _version("alpha"))
        await room.service.activate(SHOP, "v1")
        jobs = jobs_of(folder, room)
        await jobs.start()
        job = await jobs.submit(INDEX, "shop v2", "author:1", index_input("shop", "v2", activate=True))
        os.write(1, f"{job.id}\n".encode())
        await jobs.wait(job.id)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
