"""Forgetting how a repository was read before, and reading it anew."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from console.people import requires
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.identity import Identity
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import NotFoundError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.choices import address_key
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route


def choices_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
) -> APIRouter:
    """The route `/jobs/{job_id}/forget-choice`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    permission = Depends(requires(verifier, Permission.WORKSHOP_CONVERT))

    @router.post("/jobs/{job_id}/forget-choice")
    async def forget(job_id: str, identity: Annotated[Identity, permission]) -> Response:
        """Forget what is remembered of one's own conversion's source, and convert it as if for the first time."""
        job = await jobs.get(job_id)
        asked = await jobs.given(job_id)
        if job.owner != identity.id or job.kind != "convert":
            raise NotFoundError(f"There is no conversion '{job_id}'.")
        request = ConvertRequest.model_validate(asked)
        await library.choices.forget(address_key(request.source))
        again = await converter_for(identity).convert(request.model_copy(update={"as_form": None, "path": ""}))
        return RedirectResponse(f"/jobs/{again.id}", status_code=303)

    return router
