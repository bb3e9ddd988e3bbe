"""Who looks at a page of the console, and where they are sent when they have to sign in."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

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


def is_author(identity: Identity | None) -> bool:
    """Whether the author's tools are shown."""
    return identity is not None and may(identity, Permission.WORKSHOP_CONVERT)


def local_target(target: str | None) -> str:
    """Where to go after signing in: a path of this site, else the start."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(sign) < 32 for sign in target):
        return "/"
    return target


async def to_sign_in(request: Request, error: Exception) -> Response:
    """Send a person who is not signed in to the sign-in page, and back afterwards; a program gets the problem document."""
    assert isinstance(error, UnauthenticatedError)
    if request.url.path.startswith("/api/") or request.method != "GET":
        return problem_response(error.problem(request_id.get()))
    return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)
