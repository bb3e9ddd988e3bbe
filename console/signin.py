"""Signing in and out: by the author's link, and through an OpenID Connect issuer where one is set."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from console.oidc import OidcSignIn
from console.people import frame, local_target, person
from console.settings import ConsoleSettings
from shared_services.contracts.identity import Identity
from shared_services.kit.errors import UnauthenticatedError
from shared_services.kit.identity import SESSION_COOKIE, SESSION_SECONDS, SIGN_IN_AUDIENCE, identity_of, issue_session
from shared_services.kit.tokens import TokenIssuer
from shared_services.pages.templating import Templates, page_route


def sign_in_router(settings: ConsoleSettings, templates: Templates, issuer: TokenIssuer) -> APIRouter:
    """Routes `/sign-in`, `/sign-out` and, with an issuer, `/oidc/...`."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))
    verifier = issuer.verifier()

    def signed_in(identity: Identity, target: str) -> Response:
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            SESSION_COOKIE,
            issue_session(issuer, identity),
            max_age=int(SESSION_SECONDS),
            httponly=True,
            samesite="lax",
            secure=settings.secure_cookies,
        )
        return response

    def sign_in_page(request: Request, target: str, problem: str = "") -> Response:
        framed = frame(person(verifier, request), "")
        status = UnauthenticatedError.status if problem else 200
        return templates.page(
            request, "sign-in.html", status=status, **framed, problem=problem, oidc=oidc is not None, target=target
        )

    oidc = OidcSignIn(settings, issuer) if settings.oidc_issuer else None

    @router.get("/sign-in")
    async def sign_in(
        request: Request,
        token: Annotated[str | None, Query()] = None,
        target: Annotated[str | None, Query(alias="next")] = None,
    ) -> Response:
        if token is None:
            return sign_in_page(request, local_target(target))
        try:
            identity = identity_of(verifier.verify(token, SIGN_IN_AUDIENCE))
        except UnauthenticatedError:
            problem = "This sign-in link does not hold any more. `workshop sign-in` prints a new one."
            return sign_in_page(request, "/", problem)
        return signed_in(identity, local_target(target))

    @router.post("/sign-out")
    async def sign_out() -> Response:
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    if oidc is not None:

        @router.get("/oidc/start")
        async def start(request: Request, target: Annotated[str | None, Query(alias="next")] = None) -> Response:
            return await oidc.start(str(request.url_for("oidc_callback")), local_target(target))

        @router.get("/oidc/callback", name="oidc_callback")
        async def callback(request: Request) -> Response:
            identity, target = await oidc.finish(request)
            return oidc.forget(signed_in(identity, target))

    return router
