"""Where the console sends whoever runs a workshop that has an address of its own: its cookie does not come here."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from shared_services.pages.templating import page_route, root_path
from workshop_chat.pages.router import look
from workshop_chat.participants import Participants


def after_signing_in(target: str) -> str:
    """Where whoever runs the workshop goes: the page that they were sent to, else the workshop's first page."""
    return target if target in ("/board", "/insights") else "/"


def hand_over_router(participants: Participants) -> APIRouter:
    """`GET /sign-in?token=...&next=...`; the cookie comes with the response."""
    _, templates = look()
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))

    @router.get("/sign-in")
    async def sign_in(request: Request, token: str = "", next: str = "") -> Response:  # noqa: A002  the console's word
        participants.hand_over(request, token)
        # To another address at once, so that the one with the token stays in no history.
        return RedirectResponse(f"{root_path(request)}{after_signing_in(next)}", status_code=303)

    return router
