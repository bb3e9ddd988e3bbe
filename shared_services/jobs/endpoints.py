"""Jobs over HTTP: the list, one job, its events as they happen, cancel and try again."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import StreamingResponse

from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import Job, JobEvent
from shared_services.jobs.service import MOST_LISTED, Jobs
from shared_services.kit.errors import ForbiddenError, NotFoundError
from shared_services.kit.identity import Permission, may, require
from shared_services.kit.sse import encode, event_stream


def check_access(job: Job, identity: Identity, *, own: Permission, every: Permission) -> Job:
    """The job, when the identity may have it: its own with `own`, anybody's with `every`.

    Raises:
        ForbiddenError: It may see jobs, and not do this to one.
        NotFoundError: Somebody else's, which looks the same as one that does not exist.
    """
    if may(identity, every) or (job.owner == identity.id and may(identity, own)):
        return job
    if job.owner == identity.id or may(identity, Permission.JOBS_READ_ALL):
        raise ForbiddenError(f"{own} is not allowed for {', '.join(sorted(identity.roles))}.")
    raise NotFoundError(f"There is no job '{job.id}'.")


def last_number(header: str | None) -> int:
    """The event number in a `Last-Event-ID` header; 0 where it holds none of ours."""
    return int(header) if header is not None and header.isascii() and header.isdigit() and len(header) <= 9 else 0


def jobs_router(jobs: Jobs, identify: Callable[..., Identity | None]) -> APIRouter:
    """The routes under `/api/v1/jobs`.

    Args:
        jobs: What they show.
        identify: FastAPI dependency that says who calls; None for nobody, who is refused.
    """
    router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

    def reader(identity: Annotated[Identity | None, Depends(identify)]) -> Identity:
        return require(identity, Permission.JOBS_READ)

    def manager(identity: Annotated[Identity | None, Depends(identify)]) -> Identity:
        return require(identity, Permission.JOBS_MANAGE)

    async def readable(job_id: str, identity: Annotated[Identity, Depends(reader)]) -> Job:
        return check_access(await jobs.get(job_id), identity, own=Permission.JOBS_READ, every=Permission.JOBS_READ_ALL)

    async def manageable(job_id: str, identity: Annotated[Identity, Depends(manager)]) -> Job:
        return check_access(await jobs.get(job_id), identity, own=Permission.JOBS_MANAGE, every=Permission.JOBS_MANAGE_ALL)

    @router.get("")
    async def list_jobs(
        identity: Annotated[Identity, Depends(reader)],
        kind: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
        before: Annotated[str | None, Query(max_length=64, description="Id of the last job of the page before.")] = None,
    ) -> list[Job]:
        """Jobs, the newest first: one's own, or everybody's for those who may see them."""
        owner = None if may(identity, Permission.JOBS_READ_ALL) else identity.id
        return await jobs.list(kind=kind, owner=owner, limit=limit, before=before)

    @router.get("/{job_id}")
    async def get_job(job: Annotated[Job, Depends(readable)]) -> Job:
        """One job as it is now."""
        return job

    @router.get("/{job_id}/events")
    async def job_events(
        job: Annotated[Job, Depends(readable)],
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        """Server-sent events, each a `JobEvent` named by its type; after `Last-Event-ID` or `after`, whichever is later."""
        return event_stream(_encoded(jobs.events(job.id, max(after, last_number(last_event_id)))))

    @router.post("/{job_id}/cancel")
    async def cancel_job(job: Annotated[Job, Depends(manageable)]) -> Job:
        """Cancel a job; one that has ended stays as it is."""
        return await jobs.cancel(job.id)

    @router.post("/{job_id}/retry")
    async def retry_job(job: Annotated[Job, Depends(manageable)]) -> Job:
        """Let a failed job go on from the step that failed."""
        return await jobs.retry(job.id)

    return router


async def _encoded(events: AsyncIterator[JobEvent]) -> AsyncIterator[bytes]:
    async for event in events:
        yield encode(event.type, event, event.number)
