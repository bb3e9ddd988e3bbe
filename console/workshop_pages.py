"""`/`: the workshops that there are, for everybody; for authors with what they can do."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from console.joining import Meeting
from console.people import frame, person
from shared_services.contracts.base import Slug
from shared_services.jobs.service import Jobs
from shared_services.kit.identity import Permission, issue_hand_over, require
from shared_services.kit.tokens import TokenIssuer, TokenVerifier
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


def open_router(templates: Templates, issuer: TokenIssuer, meeting: Meeting) -> APIRouter:
    """`/workshops/{workshop}/open?page=...`: the way to the pages for whoever runs a workshop that has an address of its own."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    verifier = issuer.verifier()

    @router.get("/workshops/{workshop}/open")
    async def open_there(
        request: Request, workshop: Annotated[Slug, Path()], page: Annotated[Literal["/board", "/insights"], Query()] = "/board"
    ) -> Response:
        identity = require(person(verifier, request), Permission.WORKSHOP_TEACH, workshop=workshop)
        if not meeting.apart(workshop):
            return RedirectResponse(meeting.page(request, workshop, page), status_code=303)
        given = urlencode({"token": issue_hand_over(issuer, identity, workshop), "next": page})
        response = RedirectResponse(f"{meeting.page(request, workshop, '/sign-in')}?{given}", status_code=303)
        response.headers["cache-control"] = "no-store"
        return response

    return router
