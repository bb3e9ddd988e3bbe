"""What an author starts: a conversion from a git address in a form, a publication, a removal."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from console.people import frame, requires
from console.reports import FORM_NAMES, READABLE_FORMS
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.identity import Identity, Role
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import NotFoundError, PlatformError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.publishing import PUBLISH, REMOVE
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

FIELDS = {"source": "The address", "ref": "The branch, tag or commit", "path": "The subfolder", "as_form": "The form"}


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


def author_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
) -> APIRouter:
    """Routes `/convert`, `/jobs/{id}/read-as`, and what the buttons to publish and remove do."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    convert_permission = Depends(requires(verifier, Permission.WORKSHOP_CONVERT))
    publish_permission = Depends(requires(verifier, Permission.WORKSHOP_PUBLISH))
    remove_permission = Depends(requires(verifier, Permission.WORKSHOP_REMOVE))

    def form_page(
        request: Request,
        identity: Identity,
        given: dict[str, str],
        *,
        problem: tuple[str, str] | None = None,
        fields: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        return templates.page(
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

    async def own_request(job_id: str, identity: Identity) -> dict[str, Any]:
        """What somebody's own conversion was asked with: it may hold a password, so nobody else's."""
        if (await jobs.get(job_id)).owner != identity.id:
            raise NotFoundError(f"There is no job '{job_id}'.")
        asked = await jobs.given(job_id)
        if "source" not in asked:
            raise NotFoundError(f"Job '{job_id}' is no conversion.")
        return asked

    @router.get("/convert")
    async def convert_form(
        request: Request, identity: Annotated[Identity, convert_permission], job: Annotated[str, Query()] = ""
    ) -> Response:
        asked = await own_request(job, identity) if job else {}
        return form_page(request, identity, {name: str(asked.get(name) or "") for name in FIELDS})

    @router.post("/convert")
    async def convert(
        request: Request,
        identity: Annotated[Identity, convert_permission],
        source: Annotated[str, Form()] = "",
        ref: Annotated[str, Form()] = "",
        path: Annotated[str, Form()] = "",
        as_form: Annotated[str, Form()] = "",
    ) -> Response:
        given = {"source": source.strip(), "ref": ref.strip(), "path": path.strip(), "as_form": as_form}
        try:
            asked = ConvertRequest.model_validate(
                {name: value or None for name, value in given.items()} | {"path": given["path"]}
            )
            job = await converter_for(identity).convert(asked)
        except ValidationError as error:
            return form_page(request, identity, given, fields=problems_of(error, given), status=422)
        except PlatformError as error:
            said = error.problem()
            return form_page(request, identity, given, problem=(said.title, said.detail), status=error.status)
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)

    @router.post("/jobs/{job_id}/read-as")
    async def read_as(
        request: Request,
        job_id: str,
        identity: Annotated[Identity, convert_permission],
        as_form: Annotated[str, Form()] = "",
        path: Annotated[str, Form()] = "",
    ) -> Response:
        """Convert a job's source again, the way that a person chose."""
        earlier = await own_request(job_id, identity)
        chosen = {"ref": "", **{name: str(value or "") for name, value in earlier.items()}, "as_form": as_form, "path": path}
        return await convert(request, identity, chosen["source"], chosen["ref"], chosen["path"], chosen["as_form"])

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
