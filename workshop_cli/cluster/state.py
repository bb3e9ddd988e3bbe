"""`operate status` and `operate remove`: what library and index hold of a workshop, and its end."""

from functools import partial
from typing import Any

import anyio

from shared_services.contracts.jobs import FINAL_STATES, Job
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import NotFoundError, UnavailableError
from shared_services.library.publishing import PUBLISH
from workshop_cli.cluster.content import index_of
from workshop_cli.cluster.inside import Inside, when_ready
from workshop_cli.cluster.server import Say

CANCEL_SECONDS = 30.0
JOBS_LOOKED_THROUGH = 1000
_PAGE = 100


async def current_of(core: Inside, name: str) -> WorkshopVersion | None:
    """The version that participants see; None where nothing is published."""
    try:
        return await core.stored(core.library.current(name))
    except NotFoundError:
        return None


async def status(core: Inside, name: str, say: Say) -> dict[str, Any]:
    """What is published and indexed of a workshop; None for what is not.

    Raises:
        PlatformError: The database or the RAG agent does not answer.
    """
    version, index = await current_of(core, name), await index_of(core, name, say)
    return {
        "workshop": name,
        "title": version.manifest.title if version else None,
        "version": version.version if version else None,
        "number": version.number if version else None,
        "published_at": version.published_at.isoformat() if version and version.published_at else None,
        "steps": len(version.steps) if version else 0,
        "indexed_version": index.version if index else None,
        "chunks": index.chunks if index else 0,
    }


async def remove(core: Inside, name: str, say: Say) -> dict[str, Any]:
    """Remove a workshop from library and index, whichever of them has it, drafts too.

    Publications that are under way are cancelled first: they would build the index anew.

    Raises:
        PlatformError: A part of it could not be removed; running it again goes on.
    """
    await _cancel_publications(core, name, say)
    removed = await core.stored(core.library.remove(name))
    say("Removed from the library" if removed else "The library has nothing of it")
    indexed = await index_of(core, name, say) is not None
    # Also where no index serves: one may be half built.
    await when_ready(lambda: core.rag(name).remove(name), say)
    say("Removed from the index" if indexed else "The index has nothing of it")
    return {"workshop": name, "library": removed, "index": indexed}


async def _cancel_publications(core: Inside, name: str, say: Say) -> None:
    try:
        running = await _running_publications(core, name, say)
        for job in running:
            say(f"Cancelling job {job.id}, which publishes it")
            await core.jobs.cancel(job.id)
        # One whose process is gone for good never ends.
        with anyio.move_on_after(CANCEL_SECONDS):
            for job in running:
                await core.jobs.wait(job.id)
    except UnavailableError as error:
        raise UnavailableError(f"{error.detail} Nothing was removed yet.") from error


async def _running_publications(core: Inside, name: str, say: Say) -> list[Job]:
    """Unfinished ones among the newest; the older ones ended long ago."""
    found: list[Job] = []
    before: str | None = None
    for _ in range(JOBS_LOOKED_THROUGH // _PAGE):
        page = await when_ready(partial(core.jobs.list, kind=PUBLISH, limit=_PAGE, before=before), say)
        found += [job for job in page if job.subject == name and job.state not in FINAL_STATES]
        if len(page) < _PAGE:
            break
        before = page[-1].id
    return found
