"""Jobs over HTTP, through a real server so that the stream is one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import Header

from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import JobEvent
from shared_services.jobs import JobContext, Jobs
from shared_services.jobs.endpoints import jobs_router
from shared_services.kit.http import create_app
from shared_services.kit.sse import ServerSentEvent, decode
from tests.integration.jobs.conftest import MakeJobs

ROLES = {"anna": Role.AUTHOR, "bert": Role.AUTHOR, "rita": Role.REVIEWER, "otto": Role.OPS, "paul": Role.PARTICIPANT}


def identify(person: Annotated[str | None, Header()] = None) -> Identity | None:
    return None if person is None else Identity(id=person, roles=frozenset({ROLES[person]}))


@asynccontextmanager
async def served(jobs: Jobs) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Jobs", service="jobs")
    app.include_router(jobs_router(jobs, identify))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        await task


def as_(person: str, **headers: str) -> dict[str, str]:
    return {"person": person, **headers}


async def test_events_stream_while_they_happen_and_resume(make_jobs: MakeJobs) -> None:
    go = asyncio.Event()

    async def wait(context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
        await context.log("first")
        await go.wait()
        await context.log("second")
        return {}

    jobs = await make_jobs(wait=wait)
    job = await jobs.submit("wait", "", "anna", {})
    async with served(jobs) as client:
        seen: list[ServerSentEvent] = []
        async with client.stream("GET", f"/jobs/{job.id}/events", headers=as_("anna")) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            async for event in decode(response.aiter_bytes()):
                seen.append(event)
                if event.event == "log":
                    break
        assert [event.event for event in seen] == ["state", "state", "log"]
        assert JobEvent.model_validate_json(seen[-1].data).data["message"] == "first"
        go.set()
        await jobs.wait(job.id)
        for last in ({"last-event-id": str(seen[-1].id)}, {}):
            query = {} if last else {"after": str(seen[-1].id)}
            response = await client.get(f"/jobs/{job.id}/events", headers=as_("anna", **last), params=query)
            rest = [event async for event in decode(response.aiter_bytes())]
            assert [event.id for event in rest] == ["4", "5"]
            assert rest[-1].json()["data"] == {"state": "succeeded"}


async def fail(_context: JobContext, _given: dict[str, Any]) -> dict[str, Any]:
    raise ConnectionError


@pytest.mark.parametrize(
    ("person", "read", "manage", "listed"),
    [
        ("anna", 200, 200, 1),
        ("otto", 200, 200, 1),
        ("bert", 404, 404, 0),
        ("rita", 404, 403, 0),
        ("paul", 403, 403, None),
        (None, 401, 401, None),
    ],
)
async def test_who_may_what(make_jobs: MakeJobs, person: str | None, read: int, manage: int, listed: int | None) -> None:
    jobs = await make_jobs(fail=fail)
    job = await jobs.submit("fail", "", "anna", {})
    await jobs.wait(job.id)
    headers = as_(person) if person else {}
    async with served(jobs) as client:
        assert (await client.get(f"/jobs/{job.id}", headers=headers)).status_code == read
        assert (await client.get(f"/jobs/{job.id}/events", headers=headers)).status_code == read
        assert (await client.post(f"/jobs/{job.id}/cancel", headers=headers)).status_code == manage
        assert (await client.post(f"/jobs/{job.id}/retry", headers=headers)).status_code == manage
        found = await client.get("/jobs", headers=headers)
        assert (len(found.json()) if found.status_code == 200 else None) == listed
    if manage == 200:
        await jobs.wait(job.id)


async def test_answers_to_junk_are_problems(make_jobs: MakeJobs) -> None:
    jobs = await make_jobs(fail=fail)
    job = await jobs.submit("fail", "", "anna", {})
    await jobs.wait(job.id)
    async with served(jobs) as client:
        for path, status in (("/nothing", 404), ("/nothing/events", 404), ("?limit=0", 422), ("?before=nothing", 404)):
            response = await client.get(f"/jobs{path}", headers=as_("anna"))
            assert response.status_code == status
            assert response.headers["content-type"] == "application/problem+json"
        events = await client.get(f"/jobs/{job.id}/events", headers=as_("anna", **{"last-event-id": "no number"}))
        assert events.text.startswith("id: 1\n")
