"""`/`: the workshops that there are, for everybody; for authors with what they can do."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from console.joining import Meeting
from console.people import frame, person
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
    meeting: Meeting,
) -> APIRouter:
    """The route `/`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))

    @router.get("/")
    async def workshops(request: Request) -> Response:
        identity = person(verifier, request)
        framed = frame(identity, "workshops")
        found = await library.list()
        recent = await jobs.list(owner=identity.id, limit=RECENT_JOBS) if identity and framed["can"]["convert"] else []
        return templates.page(
            request,
            "workshops.html",
            **framed,
            workshops=found,
            recent=recent,
            invitations={
                row.workshop: await meeting.invitation(request, row.workshop) for row in found if framed["can"]["publish"]
            },
        )

    return router
