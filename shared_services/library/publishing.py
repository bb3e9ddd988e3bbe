"""Publishing as a durable job: the old version serves until the new one is whole.

The library's pointer is flipped after the new index is built and before it is made current. A chat agent names the
version it shows in each search, so that content and index agree in between.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from shared_services.clients.patience import patiently
from shared_services.clients.rag import RagClient
from shared_services.jobs.context import JobContext, JobFunction
from shared_services.kit.errors import PlatformError
from shared_services.library.service import LibraryService

PUBLISH = "publish"
REMOVE = "remove"

RagFor = Callable[[str], RagClient]
"""A RAG client whose token is bound to one workshop."""


RETRIES = 2
RETRIES_OVER_A_NETWORK = 7
"""About a minute in all: as long as the RAG agent's pod takes to be replaced."""


def publish_job(library: LibraryService, rag_for: RagFor, *, retries: int = RETRIES) -> JobFunction:
    """The job `publish`; input `{workshop, version}`, result the same with `chunks`.

    Args:
        library: Where the versions are.
        rag_for: Clients of the RAG agent.
        retries: How often a step is tried again that may yet succeed.
    """

    async def publish(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        workshop, version = str(given["workshop"]), str(given["version"])
        rag = rag_for(workshop)

        async def index() -> dict[str, Any]:
            async def on_progress(done: int, total: int) -> None:
                job.raise_if_cancelled()
                await job.progress(done, total, f"Indexing {workshop}: {done} of {total} passages")

            async def on_wait(seconds: float, error: PlatformError) -> None:
                job.raise_if_cancelled()
                await job.log(f"{error.detail} Asking again in {seconds:g} s.")

            status = await patiently(lambda: rag.index(workshop, version, on_progress), on_wait)
            return status.model_dump(mode="json")

        async def show() -> None:
            await library.set_current(workshop, version)
            await rag.activate(workshop, version)

        await library.version(workshop, version)
        status = await job.step("index", index, retries=retries)
        await job.step("show", show, retries=retries)
        await job.log(f"Published {workshop} {version} with {status['chunks']} passages.")
        return {"workshop": workshop, "version": version, "chunks": status["chunks"]}

    return publish


def remove_job(
    library: LibraryService, rag_for: RagFor, close: Callable[[str], Awaitable[None]], *, retries: int = RETRIES
) -> JobFunction:
    """The job `remove`; input `{workshop}`. The library goes first, so that nothing is shown that cannot be searched.

    Args:
        library: Where the versions are.
        rag_for: Clients of the RAG agent.
        close: Ends what serves the workshop in this process.
        retries: How often a step is tried again that may yet succeed.
    """

    async def remove(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        workshop = str(given["workshop"])

        async def from_library() -> bool:
            return await library.remove(workshop)

        async def from_index() -> None:
            await close(workshop)
            await rag_for(workshop).remove(workshop)

        removed = await job.step("library", from_library, retries=retries)
        await job.step("index", from_index, retries=retries)
        return {"workshop": workshop, "removed": removed}

    return remove
