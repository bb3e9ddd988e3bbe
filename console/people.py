"""Who looks at a page of the console, what it offers them, and where they are sent when they have to sign in."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from console.reports import kind_name, outcome, report_sentence, several, state_of, ticked
from shared_services.contracts.identity import Identity
from shared_services.kit.errors import UnauthenticatedError
from shared_services.kit.http import problem_response
from shared_services.kit.identity import SESSION_COOKIE, Permission, may, read_session, require
from shared_services.kit.logging import request_id
from shared_services.kit.tokens import TokenVerifier


def person(verifier: TokenVerifier, request: Request) -> Identity | None:
    """Who is signed in; None for nobody."""
    return read_session(verifier, request.cookies.get(SESSION_COOKIE))


def requires(verifier: TokenVerifier, permission: Permission) -> Callable[[Request], Identity]:
    """A dependency: the person, who must have `permission`.

    Raises:
        UnauthenticatedError: Nobody is signed in.
        ForbiddenError: They may not.
    """

    def dependency(request: Request) -> Identity:
        return require(person(verifier, request), permission)

    return dependency


def frame(identity: Identity | None, here: str) -> dict[str, Any]:
    """What the frame of every page is drawn from.

    Args:
        identity: Who looks; None for nobody.
        here: The page's name in the navigation; empty for none.

    Returns:
        `identity`, `here`, `can` (what the person may do, so that no page offers what would be refused), and what words are
        made with.
    """

    def can(permission: Permission) -> bool:
        return identity is not None and may(identity, permission)

    allowed = {
        "convert": can(Permission.WORKSHOP_CONVERT),
        "preview": can(Permission.WORKSHOP_PREVIEW),
        "publish": can(Permission.WORKSHOP_PUBLISH),
        "teach": can(Permission.WORKSHOP_TEACH),
        "remove": can(Permission.WORKSHOP_REMOVE),
        "jobs": can(Permission.JOBS_READ),
    }
    words = {
        "kind_name": kind_name,
        "outcome": outcome,
        "report_sentence": report_sentence,
        "several": several,
        "state_of": state_of,
        "ticked": ticked,
    }
    return {"identity": identity, "here": here, "can": allowed, **words}


def local_target(target: str | None) -> str:
    """Where to go after signing in: a path of this site, else the start."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(sign) < 32 for sign in target):
        return "/"
    return target


def page_before(request: Request) -> str:
    """The page whose form was sent: the path that the browser says it came from on this site, else the start."""
    came_from = urlsplit(request.headers.get("referer", ""))
    return local_target(came_from.path) if came_from.netloc == request.headers.get("host") else "/"


async def to_sign_in(request: Request, error: Exception) -> Response:
    """Send a person who is not signed in to the sign-in page, and back afterwards; a program gets the problem document."""
    assert isinstance(error, UnauthenticatedError)
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return problem_response(error.problem(request_id.get()))
    target = request.url.path if request.method in ("GET", "HEAD") else page_before(request)
    return RedirectResponse(f"/sign-in?next={quote(target)}", status_code=303)
