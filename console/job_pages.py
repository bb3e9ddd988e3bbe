"""Every job: the list; one watched live, with its report when it was a conversion; cancel and try again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.people import requires
from shared_services.contracts.conversion import ConversionReport
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import FINAL_STATES, Job, JobState
from shared_services.jobs.endpoints import check_access
from shared_services.jobs.service import Jobs
from shared_services.kit.identity import Permission, may
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

LISTED_JOBS = 50


def report_sentence(report: ConversionReport) -> str:
    """A conversion in one sentence: what was kept, what was lost, what was broken before."""
    counts = report.counts
    lost = f"{len(report.losses)} lost or changed" if report.losses else "none lost"
    broken = f"; {len(report.broken)} references were broken in the source" if report.broken else ""
    return f"{_several(counts.steps, 'step')}, {_several(counts.code_blocks, 'code block')} kept, {lost}{broken}."


def _several(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def report_of(job: Job) -> ConversionReport | None:
    """The report in a finished conversion's result."""
    return ConversionReport.model_validate(job.result["report"]) if job.result and "report" in job.result else None


def jobs_pages_router(templates: Templates, verifier: TokenVerifier, library: LibraryService, jobs: Jobs) -> APIRouter:
    """Routes below `/jobs`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    read_permission = Depends(requires(verifier, Permission.JOBS_READ))
    manage_permission = Depends(requires(verifier, Permission.JOBS_MANAGE))

    async def own_job(job_id: str, identity: Identity, own: Permission, every: Permission) -> Job:
        return check_access(await jobs.get(job_id), identity, own=own, every=every)

    @router.get("/jobs")
    async def job_list(request: Request, identity: Annotated[Identity, read_permission]) -> Response:
        owner = None if may(identity, Permission.JOBS_READ_ALL) else identity.id
        rows = await jobs.list(owner=owner, limit=LISTED_JOBS)
        return templates.page(request, "jobs.html", identity=identity, here="jobs", jobs=rows)

    @router.get("/jobs/{job_id}")
    async def one_job(request: Request, job_id: str, identity: Annotated[Identity, read_permission]) -> Response:
        job = await own_job(job_id, identity, Permission.JOBS_READ, Permission.JOBS_READ_ALL)
        report = report_of(job)
        published = await _is_current(library, job)
        lines = [event.data async for event in jobs.events(job_id) if event.type == "log"] if job.state in FINAL_STATES else []
        return templates.page(
            request,
            "job.html",
            identity=identity,
            here="jobs",
            job=job,
            live=job.state not in FINAL_STATES,
            lines=lines,
            report=report,
            sentence=report_sentence(report) if report else "",
            published=published,
            candidates=(job.error or {}).get("candidates", []),
            given=(job.error or {}).get("request", {}),
            can_retry=job.state == JobState.FAILED,
        )

    @router.post("/jobs/{job_id}/cancel")
    async def cancel(job_id: str, identity: Annotated[Identity, manage_permission]) -> Response:
        await own_job(job_id, identity, Permission.JOBS_MANAGE, Permission.JOBS_MANAGE_ALL)
        await jobs.cancel(job_id)
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    @router.post("/jobs/{job_id}/retry")
    async def retry(job_id: str, identity: Annotated[Identity, manage_permission]) -> Response:
        await own_job(job_id, identity, Permission.JOBS_MANAGE, Permission.JOBS_MANAGE_ALL)
        await jobs.retry(job_id)
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    return router


async def _is_current(library: LibraryService, job: Job) -> bool:
    result: dict[str, Any] = job.result or {}
    if "workshop" not in result or "version" not in result:
        return False
    return any(row.workshop == result["workshop"] and row.version == result["version"] for row in await library.list())
