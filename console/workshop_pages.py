"""`/`: the workshops that there are, for everybody; for authors with what they can do."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.people import is_author, person
from shared_services.jobs.service import Jobs
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

RECENT_JOBS = 5


def workshops_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    jobs: Jobs,
    join_code: Callable[[str], str | None],
) -> APIRouter:
    """The route `/`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))

    @router.get("/")
    async def workshops(request: Request) -> Response:
        identity = person(verifier, request)
        author = is_author(identity)
        found = await library.list()
        recent = await jobs.list(owner=identity.id, limit=RECENT_JOBS) if author and identity else []
        codes = {row.workshop: join_code(row.workshop) for row in found} if author else {}
        return templates.page(
            request,
            "workshops.html",
            identity=identity,
            author=author,
            workshops=found,
            recent=recent,
            codes=codes,
            here="workshops",
        )

    return router
