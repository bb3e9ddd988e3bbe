"""What an author starts: a conversion from a git address in a form, a publication, a removal."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from console.people import requires
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.conversion import Form as SourceForm
from shared_services.contracts.identity import Identity
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import PlatformError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.publishing import PUBLISH, REMOVE
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route


def author_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
) -> APIRouter:
    """Routes `/convert`, and what the buttons to publish and remove do."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    convert_permission = Depends(requires(verifier, Permission.WORKSHOP_CONVERT))
    publish_permission = Depends(requires(verifier, Permission.WORKSHOP_PUBLISH))
    remove_permission = Depends(requires(verifier, Permission.WORKSHOP_REMOVE))

    def form_page(request: Request, identity: Identity, given: dict[str, str], problem: str = "", status: int = 200) -> Response:
        return templates.page(
            request,
            "convert.html",
            status=status,
            identity=identity,
            here="convert",
            given=given,
            problem=problem,
            forms=list(SourceForm),
        )

    @router.get("/convert")
    async def convert_form(request: Request, identity: Annotated[Identity, convert_permission]) -> Response:
        return form_page(request, identity, dict.fromkeys(("source", "ref", "path", "as_form"), ""))

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
            problem = "; ".join(f"{row['loc'][0]}: {row['msg']}" for row in error.errors())
            if not given["source"]:
                problem = "Enter the address of a Git repository."
            return form_page(request, identity, given, problem, 422)
        except PlatformError as error:
            return form_page(request, identity, given, error.detail or error.title, error.status)
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)

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
