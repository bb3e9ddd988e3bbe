"""Client of the jobs' API."""

from collections.abc import AsyncIterator

import httpx
from pydantic import TypeAdapter

from shared_services.clients.service import ServiceClient
from shared_services.contracts.jobs import FINAL_STATES, Job, JobEvent
from shared_services.kit.sse import decode
from shared_services.kit.tokens import TokenSource

_EVENT: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)


class JobsClient(ServiceClient):
    """Watches and steers durable jobs."""

    audience = "jobs"
    service = "jobs"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def get(self, job_id: str) -> Job:
        """One job."""
        return await self._model(Job, "GET", f"/api/v1/jobs/{job_id}")

    async def list(self, *, kind: str | None = None, limit: int = 50, before: str | None = None) -> list[Job]:
        """Jobs that the caller may see, the newest first.

        Args:
            kind: Of this kind alone.
            limit: At most so many.
            before: Id of the last job of the page before.
        """
        wanted = {"kind": kind, "limit": limit, "before": before}
        params = {name: value for name, value in wanted.items() if value is not None}
        return await self._model(list[Job], "GET", "/api/v1/jobs", params=params)

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[JobEvent]:
        """Events as they happen, from number `after` on, to the job's end."""
        async with self._stream("GET", f"/api/v1/jobs/{job_id}/events", params={"after": after}) as response:
            async for event in decode(response.aiter_bytes()):
                yield _EVENT.validate_json(event.data)

    async def cancel(self, job_id: str) -> Job:
        """Ask a job to stop."""
        return await self._model(Job, "POST", f"/api/v1/jobs/{job_id}/cancel")

    async def retry(self, job_id: str) -> Job:
        """Let a failed job go on from the step that failed.

        Raises:
            ProblemError: Status 409: it has not failed.
        """
        return await self._model(Job, "POST", f"/api/v1/jobs/{job_id}/retry")

    async def wait(self, job_id: str) -> Job:
        """The job once it has ended."""
        while (job := await self.get(job_id)).state not in FINAL_STATES:
            async for _event in self.events(job_id):
                pass
        return job
