"""Joining a workshop: the one address where a display name and, where needed, the join code are taken."""

import re
from json import JSONDecodeError
from urllib.parse import quote, urlencode

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared_services.kit.errors import BadInputError, PlatformError
from shared_services.kit.http import problem_response
from shared_services.kit.logging import request_id
from workshop_chat.errors import JoinRequiredError
from workshop_chat.participants import Participants, display_name
from workshop_chat.schemas import Joined


class JoinRequest(BaseModel):
    """What someone who joins sends, as a form or as JSON."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=500)
    next: str = Field(default="", max_length=500)


def after_joining(target: str) -> str:
    """Where a participant goes who has joined: the step they wanted to see, else the workshop's first page."""
    return target if re.fullmatch(r"/steps/[a-z0-9-]{1,63}", target) else "/"


def join_router(participants: Participants) -> APIRouter:
    """`POST /join`. A form is answered with a redirect (to the workshop, or back with `?problem=SLUG`), JSON with JSON."""
    router = APIRouter()

    @router.post("/join", response_model=Joined)
    async def join(request: Request) -> Response:
        """Join under a display name; the cookie comes with the response."""
        root = request.scope.get("root_path", "")
        as_json = request.headers.get("content-type", "").startswith("application/json")
        wanted = JoinRequest()
        target = "/"
        try:
            wanted = await _read(request, as_json)
            target = after_joining(wanted.next)
            participant = participants.join(request, wanted.code, wanted.name)
        except PlatformError as error:
            if as_json:
                raise
            # What was typed goes back into the form, so that one wrong letter is mended and not all typed anew.
            back = {"problem": error.slug, "next": target, "name": display_name(wanted.name), "code": wanted.code}
            query = urlencode({key: value for key, value in back.items() if value}, safe="/")
            return RedirectResponse(f"{root}/join?{query}", status_code=303)
        if as_json:
            return JSONResponse(Joined(id=participant.id, name=participant.name).model_dump())
        return RedirectResponse(f"{root}{target}", status_code=303)

    return router


async def _read(request: Request, as_json: bool) -> JoinRequest:
    try:
        return JoinRequest.model_validate(await request.json() if as_json else dict(await request.form()))
    except (ValidationError, JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInputError("Send `code` and `name` as text.") from error


def send_strangers_to_join(app: FastAPI) -> None:
    """Show pages' visitors the join page where the API answers 401."""

    @app.exception_handler(JoinRequiredError)
    async def join_required(request: Request, error: JoinRequiredError) -> Response:
        root = request.scope.get("root_path", "")
        path = request.url.path.removeprefix(root)
        if path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            return problem_response(error.problem(request_id.get()))
        return RedirectResponse(f"{root}/join?next={quote(path)}", status_code=303)
