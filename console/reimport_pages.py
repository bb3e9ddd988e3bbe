"""A newer commit of a workshop's source: asked for, watched, compared step by step, decided upon, accepted as a draft."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from console.people import frame, requires
from console.reimports import MOST_LINES, OWN_WORDS, decisions_of, diff_lines, kept_of, parts_of, sentence_of
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import FINAL_STATES, Job
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.merging import Decision, MergeRequest
from shared_services.contracts.reimport import ReimportRequest, ReimportResult
from shared_services.jobs.endpoints import check_access
from shared_services.jobs.service import MOST_LISTED, Jobs
from shared_services.kit.errors import NotFoundError, PlatformError
from shared_services.kit.identity import Permission, may
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.merges import UndecidedError, diff_versions, merge_of, merge_versions
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

REIMPORT = "reimport"
MOST_FIELDS = 20_000
MOST_FIELD_BYTES = 2_000_000
FIELDS = {"source": "The address", "ref": "The branch, tag or commit", "base": "The commit it was made from"}


def reimport_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
) -> APIRouter:
    """Routes `/workshops/{workshop}/update` and `/reimports/{job_id}`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    may_convert = Depends(requires(verifier, Permission.WORKSHOP_CONVERT))
    _asking(router, templates, library, jobs, converter_for, may_convert)
    _reviewing(router, templates, library, jobs, may_convert)
    return router


def _asking(
    router: APIRouter,
    templates: Templates,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
    may_convert: Any,
) -> None:
    """The form, and what its button does."""

    async def version_of(workshop: str, version: str) -> WorkshopVersion:
        return await (library.version(workshop, version) if version else library.current(workshop))

    def form_page(
        request: Request,
        identity: Identity,
        version: WorkshopVersion,
        given: dict[str, str],
        *,
        problem: tuple[str, str] | None = None,
        fields: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        return templates.page(
            request,
            "reimport-form.html",
            status=status,
            **frame(identity, "workshops"),
            version=version,
            source=version.manifest.source,
            given=given,
            problem=problem,
            fields=fields or {},
            local=Role.ADMIN in identity.roles,
        )

    @router.get("/workshops/{workshop}/update")
    async def ask(
        request: Request, workshop: str, identity: Annotated[Identity, may_convert], version: Annotated[str, Query()] = ""
    ) -> Response:
        found = await version_of(workshop, version)
        source = await known_source(jobs, identity, found)
        return form_page(request, identity, found, {"source": source, "ref": "", "base": ""})

    @router.post("/workshops/{workshop}/update")
    async def start(
        request: Request,
        workshop: str,
        identity: Annotated[Identity, may_convert],
        version: Annotated[str, Form()] = "",
        source: Annotated[str, Form()] = "",
        ref: Annotated[str, Form()] = "",
        base: Annotated[str, Form()] = "",
    ) -> Response:
        found = await version_of(workshop, version)
        given = {"source": source.strip(), "ref": ref.strip(), "base": base.strip()}
        try:
            asked = ReimportRequest(
                workshop=workshop, version=found.version, **{name: value or None for name, value in given.items()}
            )
            job = await converter_for(identity).reimport(asked)
        except ValidationError as error:
            wrong = {str(row["loc"][0]): f"{FIELDS[str(row['loc'][0])]} cannot be used." for row in error.errors()}
            return form_page(request, identity, found, given, fields=wrong, status=422)
        except PlatformError as error:
            said = error.problem()
            return form_page(request, identity, found, given, problem=(said.title, said.detail), status=error.status)
        return RedirectResponse(f"/reimports/{job.id}", status_code=303)


def _reviewing(router: APIRouter, templates: Templates, library: LibraryService, jobs: Jobs, may_convert: Any) -> None:
    """The page of one re-import, and what accepting it does."""

    async def own_job(job_id: str, identity: Identity) -> Job:
        job = check_access(await jobs.get(job_id), identity, own=Permission.JOBS_READ, every=Permission.JOBS_READ_ALL)
        if job.kind != REIMPORT:
            raise NotFoundError(f"Job '{job_id}' is no update of a workshop.")
        return job

    async def review(
        request: Request, identity: Identity, job: Job, decisions: dict[str, Decision], *, undecided: bool = False
    ) -> Response:
        result = ReimportResult.model_validate(job.result) if job.result else None
        return templates.page(
            request,
            "reimport.html",
            status=409 if undecided else 200,
            **frame(identity, "jobs"),
            job=job,
            own=job.owner == identity.id,
            live=job.state not in FINAL_STATES,
            can_retry=job.error is not None and may(identity, Permission.JOBS_MANAGE),
            result=result,
            undecided=undecided,
            decisions=decisions,
            diff_lines=diff_lines,
            OWN_WORDS=OWN_WORDS,
            most_lines=MOST_LINES,
            **(await _review(library, result, decisions) if result else {"gone": False}),
        )

    @router.get("/reimports/{job_id}")
    async def one(request: Request, job_id: str, identity: Annotated[Identity, may_convert]) -> Response:
        return await review(request, identity, await own_job(job_id, identity), {})

    @router.post("/reimports/{job_id}")
    async def accept(request: Request, job_id: str, identity: Annotated[Identity, may_convert]) -> Response:
        """Make the draft with what was decided, or show again what was not."""
        job = await own_job(job_id, identity)
        if job.result is None:
            raise NotFoundError("This update has not come to a result yet.")
        result = ReimportResult.model_validate(job.result)
        async with request.form(max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES) as form:
            decisions = decisions_of({name: value for name, value in form.items() if isinstance(value, str)})
        asked = MergeRequest(base=result.base, mine=result.mine, theirs=result.theirs, decisions=decisions, strict=True)
        try:
            _, draft = await merge_versions(library, result.workshop, asked)
        except UndecidedError:
            return await review(request, identity, job, decisions, undecided=True)
        return RedirectResponse(f"/drafts/{draft.workshop}/{draft.version}", status_code=303)


async def known_source(jobs: Jobs, identity: Identity, version: WorkshopVersion) -> str:
    """Where a workshop's source is: what its manifest says, else the address that the person converted it from."""
    recorded = version.manifest.source.repository if version.manifest.source else None
    for kind in (REIMPORT, "convert"):
        for job in await jobs.list(kind=kind, owner=identity.id, limit=MOST_LISTED):
            if (job.result or {}).get("workshop") == version.workshop:
                given = (await jobs.given(job.id)).get("source")
                if given:
                    return str(given)
    return recorded or ""


async def _review(library: LibraryService, result: ReimportResult, decisions: dict[str, Decision]) -> dict[str, Any]:
    """What the page shows of a result; its versions may have been removed since."""
    try:
        merged = await merge_of(
            library, result.workshop, base=result.base, mine=result.mine, theirs=result.theirs, decisions=decisions
        )
        diff = await diff_versions(library, result.workshop, result.mine, result.version)
        own = await diff_versions(library, result.workshop, result.base, result.mine)
        draft = await library.version(result.workshop, result.version)
    except NotFoundError:
        return {"gone": True}
    conflicts = merged.conflicts
    parts = parts_of(diff, own, conflicts)
    return {
        "gone": False,
        "draft": draft,
        "diff": diff,
        "conflicts": conflicts,
        "left": sum(row.decided is None for row in conflicts),
        "parts": parts,
        "kept": kept_of(own, parts),
        "sentence": sentence_of(diff, own, conflicts),
        "unchanged": len(diff.steps) - sum(bool(part.id) for part in parts),
    }
