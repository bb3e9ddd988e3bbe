"""What an author starts: a conversion or inspection from a git address in a form, a publication, a removal."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from console.people import frame, requires
from console.reports import FORM_NAMES, READABLE_FORMS
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.conversion import ConvertRequest, InspectRequest
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import Job
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import NotFoundError, PlatformError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.publishing import PUBLISH, REMOVE
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

FIELDS = {"source": "The address", "ref": "The branch, tag or commit", "path": "The subfolder", "as_form": "The form"}

ConverterFor = Callable[[Identity], ConverterClient]


def problems_of(error: ValidationError, given: dict[str, str]) -> dict[str, str]:
    """What is wrong with a form, by field, in plain words."""
    if not given["source"]:
        return {"source": "Enter the address of a Git repository."}
    found = {}
    for row in error.errors():
        most = row.get("ctx", {}).get("max_length")
        said = f"is longer than {most:,} characters" if most else "cannot be used"
        name = str(row["loc"][0])
        found[name] = f"{FIELDS[name]} {said}."
    return found


class SourceForms:
    """The form that names a source, and what it starts.

    Args:
        templates: Of the console.
        jobs: Know what earlier jobs were asked.
        converter_for: The template converter, asked in a person's name.
    """

    def __init__(self, templates: Templates, jobs: Jobs, converter_for: ConverterFor) -> None:
        self._templates = templates
        self._jobs = jobs
        self._converter_for = converter_for

    def page(
        self,
        request: Request,
        identity: Identity,
        given: dict[str, str],
        *,
        problem: tuple[str, str] | None = None,
        fields: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """The form, with what was typed and what is wrong with it."""
        return self._templates.page(
            request,
            "convert.html",
            status=status,
            **frame(identity, "convert"),
            given=given,
            problem=problem,
            fields=fields or {},
            forms=[(form, FORM_NAMES[form]) for form in READABLE_FORMS],
            local=Role.ADMIN in identity.roles,
        )

    async def earlier(self, job_id: str, identity: Identity) -> dict[str, str]:
        """What somebody's own job was asked with: it may hold a password, so nobody else's.

        Raises:
            NotFoundError: It is no job of theirs, or none that reads a source.
        """
        if (await self._jobs.get(job_id)).owner != identity.id:
            raise NotFoundError(f"There is no job '{job_id}'.")
        asked = await self._jobs.given(job_id)
        if "source" not in asked:
            raise NotFoundError(f"Job '{job_id}' is no conversion and no inspection.")
        return {name: str(asked.get(name) or "") for name in FIELDS}

    async def convert(self, request: Request, identity: Identity, given: dict[str, str], *, every: bool) -> Response:
        """Start a conversion."""
        wanted = {name: value or None for name, value in given.items()} | {"path": given["path"], "every": every}

        async def start() -> Job:
            return await self._converter_for(identity).convert(ConvertRequest.model_validate(wanted))

        return await self._started(request, identity, given, start)

    async def inspect(self, request: Request, identity: Identity, given: dict[str, str], *, skeleton: bool) -> Response:
        """Start an inspection; the form that a person chose is passed over."""
        wanted: dict[str, Any] = {"source": given["source"], "ref": given["ref"] or None, "path": given["path"]}

        async def start() -> Job:
            asked = InspectRequest.model_validate({**wanted, "skeleton": skeleton})
            return await self._converter_for(identity).start_inspection(asked)

        return await self._started(request, identity, given, start)

    async def _started(
        self, request: Request, identity: Identity, given: dict[str, str], start: Callable[[], Awaitable[Job]]
    ) -> Response:
        """To the page of the job, or back to the form with what is wrong."""
        try:
            job = await start()
        except ValidationError as error:
            return self.page(request, identity, given, fields=problems_of(error, given), status=422)
        except PlatformError as error:
            said = error.problem()
            return self.page(request, identity, given, problem=(said.title, said.detail), status=error.status)
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def typed(
    source: Annotated[str, Form()] = "",
    ref: Annotated[str, Form()] = "",
    path: Annotated[str, Form()] = "",
    as_form: Annotated[str, Form()] = "",
) -> dict[str, str]:
    """A dependency: the fields of the form."""
    return {"source": source.strip(), "ref": ref.strip(), "path": path.strip(), "as_form": as_form}


def source_router(templates: Templates, verifier: TokenVerifier, jobs: Jobs, converter_for: ConverterFor) -> APIRouter:
    """Routes `/convert` and `/inspect`, and both again for what a job was asked."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    person = Annotated[Identity, Depends(requires(verifier, Permission.WORKSHOP_CONVERT))]
    forms = SourceForms(templates, jobs, converter_for)

    @router.get("/convert")
    async def convert_form(request: Request, identity: person, job: Annotated[str, Query()] = "") -> Response:
        given = await forms.earlier(job, identity) if job else dict.fromkeys(FIELDS, "")
        return forms.page(request, identity, given)

    @router.post("/convert")
    async def convert(
        request: Request,
        identity: person,
        given: Annotated[dict[str, str], Depends(typed)],
        every: Annotated[bool, Form()] = False,
    ) -> Response:
        return await forms.convert(request, identity, given, every=every)

    @router.post("/inspect")
    async def inspect(
        request: Request,
        identity: person,
        given: Annotated[dict[str, str], Depends(typed)],
        skeleton: Annotated[bool, Form()] = False,
    ) -> Response:
        return await forms.inspect(request, identity, given, skeleton=skeleton)

    @router.post("/jobs/{job_id}/read-as")
    async def read_as(
        request: Request,
        job_id: str,
        identity: person,
        as_form: Annotated[str, Form()] = "",
        path: Annotated[str, Form()] = "",
        every: Annotated[bool, Form()] = False,
    ) -> Response:
        """Convert a job's source again, the way that a person chose; with `every` each workshop of what was asked for."""
        earlier = await forms.earlier(job_id, identity)
        chosen = {"as_form": ""} if every else {"as_form": as_form, "path": path}
        return await forms.convert(request, identity, earlier | chosen, every=every)

    @router.post("/jobs/{job_id}/inspect")
    async def inspect_again(
        request: Request, job_id: str, identity: person, skeleton: Annotated[bool, Form()] = False
    ) -> Response:
        """Inspect what a job was asked to convert, or had inspected."""
        return await forms.inspect(request, identity, await forms.earlier(job_id, identity), skeleton=skeleton)

    return router


def author_router(templates: Templates, verifier: TokenVerifier, library: LibraryService, jobs: Jobs) -> APIRouter:
    """What the buttons to publish and remove do."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    publish_permission = Depends(requires(verifier, Permission.WORKSHOP_PUBLISH))
    remove_permission = Depends(requires(verifier, Permission.WORKSHOP_REMOVE))

    @router.post("/drafts/{workshop}/{version}/publish")
    async def publish(workshop: str, version: str, identity: Annotated[Identity, publish_permission]) -> Response:
        await library.version(workshop, version)
        job = await jobs.submit(PUBLISH, workshop, identity.id, {"workshop": workshop, "version": version})
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)

    @router.post("/workshops/{workshop}/remove")
    async def remove(workshop: str, identity: Annotated[Identity, remove_permission]) -> Response:
        await library.current(workshop)
        job = await jobs.submit(REMOVE, workshop, identity.id, {"workshop": workshop})
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)

    return router
