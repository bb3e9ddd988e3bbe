"""Every job: the list; one watched live, with its report when it was a conversion; cancel and try again."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.export_pages import step_of
from console.joining import Meeting
from console.people import frame, requires
from console.places import StepLine, find_line, read_maps, web_address
from console.reimport_pages import REIMPORT
from console.reports import (
    FORM_NAMES,
    READABLE_FORMS,
    are_apart,
    conversion_of,
    conversions_of,
    export_of,
    inspection_of,
    needs_choice,
    problem_slug,
    report_sentence,
)
from shared_services.contracts.conversion import Broken, ConversionReport, ConversionResult, Loss
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import FINAL_STATES, Job, JobState
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import WorkshopSource
from shared_services.jobs.endpoints import check_access
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import NotFoundError
from shared_services.kit.identity import Permission, may
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.publishing import PUBLISH
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

LISTED_JOBS = 50


def can_retry(job: Job) -> bool:
    """Whether trying again may help: not where what was read decided it."""
    return job.state == JobState.FAILED and not needs_choice(job) and problem_slug(job) != "not-a-workshop"


def jobs_pages_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    meeting: Meeting,
) -> APIRouter:
    """Routes below `/jobs`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    read_permission = Depends(requires(verifier, Permission.JOBS_READ))
    manage_permission = Depends(requires(verifier, Permission.JOBS_MANAGE))

    async def own_job(job_id: str, identity: Identity, own: Permission, every: Permission) -> Job:
        return check_access(await jobs.get(job_id), identity, own=own, every=every)

    @router.get("/jobs")
    async def job_list(request: Request, identity: Annotated[Identity, read_permission]) -> Response:
        everybody = may(identity, Permission.JOBS_READ_ALL)
        rows = await jobs.list(owner=None if everybody else identity.id, limit=LISTED_JOBS)
        return templates.page(request, "jobs.html", **frame(identity, "jobs"), jobs=rows, everybody=everybody, most=LISTED_JOBS)

    @router.get("/jobs/{job_id}")
    async def one_job(request: Request, job_id: str, identity: Annotated[Identity, read_permission]) -> Response:
        job = await own_job(job_id, identity, Permission.JOBS_READ, Permission.JOBS_READ_ALL)
        if job.kind == REIMPORT and may(identity, Permission.WORKSHOP_CONVERT):
            return RedirectResponse(f"/reimports/{job_id}", status_code=303)
        ended = job.state in FINAL_STATES
        own = job.owner == identity.id
        manages = (own and may(identity, Permission.JOBS_MANAGE)) or may(identity, Permission.JOBS_MANAGE_ALL)
        lines = [event.data for event in [row async for row in jobs.events(job_id)] if event.type == "log"] if ended else []
        result = job.result or {}
        candidates = (job.error or {}).get("candidates", [])
        published = job.kind == PUBLISH and job.state == JobState.SUCCEEDED
        return templates.page(
            request,
            "job.html",
            **frame(identity, "jobs"),
            job=job,
            own=own,
            live=not ended,
            lines=lines,
            candidates=candidates,
            apart=are_apart(job),
            has_readable=any(row["form"] in READABLE_FORMS for row in candidates),
            form_names=FORM_NAMES,
            readable=READABLE_FORMS,
            can_cancel=manages and not ended,
            can_retry=manages and can_retry(job),
            invitation=await meeting.invitation(request, str(result["workshop"])) if published else None,
            every=conversions_of(job),
            inspection=inspection_of(job),
            **await _export(library, job),
            place_on_the_web=_place_on_the_web(job),
            inspectable=own and problem_slug(job) == "not-a-workshop",
            **await _report(library, conversion_of(job)),
        )

    @router.get("/jobs/{job_id}/workshops/{workshop}")
    async def one_workshop(
        request: Request, job_id: str, workshop: str, identity: Annotated[Identity, read_permission]
    ) -> Response:
        """The report of one of the workshops that a job made."""
        job = await own_job(job_id, identity, Permission.JOBS_READ, Permission.JOBS_READ_ALL)
        every = conversions_of(job)
        made = next((row for row in every.workshops if row.workshop == workshop), None) if every else None
        if made is None:
            raise NotFoundError(f"Job '{job_id}' made no workshop '{workshop}'.")
        return templates.page(
            request,
            "job-workshop.html",
            **frame(identity, "jobs"),
            job=job,
            form_names=FORM_NAMES,
            path=made.path,
            **await _report(library, made),
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


async def _export(library: LibraryService, job: Job) -> dict[str, Any]:
    """What the page shows of an export; its version may have been removed since."""
    exported = export_of(job)
    try:
        version = await library.version(exported.workshop, exported.version) if exported else None
    except NotFoundError:
        version = None
    return {"exported": exported, "export_version": version, "step_of": step_of}


def _place_on_the_web(job: Job) -> Callable[[str, int], str | None]:
    """What leads from a place of an inventory to its page on the web."""
    inspection = inspection_of(job)
    source = WorkshopSource(repository=job.subject, commit=inspection.inventory.commit) if inspection else None
    return lambda file, line: web_address(source, file, line)


async def _report(library: LibraryService, made: ConversionResult | None) -> dict[str, Any]:
    """What the page shows of a conversion's report; the draft may have been removed since."""
    if made is None:
        return {"report": None, "made": None, "sentence": "", "draft": None, "places": {}, "web": {}, "kept": set()}
    try:
        draft = await library.version(made.workshop, made.version)
    except NotFoundError:
        draft = None
    places, web = await _places(library, draft, made.report) if draft else ({}, {})
    told = {"report": made.report, "made": made, "sentence": report_sentence(made.report)}
    kept = await library.source_paths(made.workshop, made.version)
    return {**told, "draft": draft, "places": places, "web": web, "kept": kept}


async def _places(
    library: LibraryService, draft: WorkshopVersion, report: ConversionReport
) -> tuple[dict[tuple[str, int], StepLine], dict[tuple[str, int], str]]:
    """Where each place that the report names is in the preview, and on the web."""
    rows: list[Loss | Broken] = [*report.losses, *report.broken]
    named = {(row.source, row.line) for row in rows}
    maps = await read_maps(library, draft) if named else {}
    found = {place: find_line(maps, *place) for place in named}
    addresses = {place: web_address(draft.manifest.source, *place) for place in named}
    return (
        {place: line for place, line in found.items() if line is not None},
        {place: address for place, address in addresses.items() if address is not None},
    )
