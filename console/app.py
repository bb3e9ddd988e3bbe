"""Puts the console together: the list of workshops, signing in, the author's pages, and the library's and jobs' APIs."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import RedirectResponse, Response

from console.author_pages import author_router, source_router
from console.choice_pages import choices_router
from console.credentials import CredentialRepository
from console.exchange import exchange_router
from console.export_pages import export_router
from console.job_pages import jobs_pages_router
from console.joining import Meeting
from console.people import local_target, to_sign_in
from console.preview_pages import preview_router
from console.reimport_pages import reimport_router
from console.settings import ConsoleSettings
from console.signin import sign_in_router
from console.workshop_pages import open_router, workshops_router
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.identity import Identity
from shared_services.jobs.endpoints import jobs_router
from shared_services.jobs.service import Jobs
from shared_services.kit.auth import caller_identity
from shared_services.kit.errors import NotFoundError, UnauthenticatedError
from shared_services.kit.health import Readiness
from shared_services.kit.http import create_app as create_service_app
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.endpoints import library_router
from shared_services.library.service import LibraryService
from shared_services.pages.static_files import StaticBundle
from shared_services.pages.templating import Templates, page_route

HERE = Path(__file__).parent


def create_app(
    settings: ConsoleSettings,
    *,
    issuer: TokenIssuer,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
    meeting: Meeting,
    credentials: CredentialRepository | None = None,
    readiness: Readiness | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
) -> FastAPI:
    """The console's app, which stands at the root.

    Args:
        settings: How people sign in.
        issuer: Signs sessions.
        library: Published versions and drafts.
        jobs: Conversions and publications.
        converter_for: The template converter, asked in a person's name.
        meeting: Where workshops' pages are, and their join codes.
        credentials: What services exchange for tokens; None where every service is in this process.
        readiness: What `/readyz` reports.
        lifespan: As FastAPI takes it.
    """
    verifier = issuer.verifier()
    bundle = StaticBundle([HERE / "static"])
    templates = Templates(bundle, [HERE / "templates"], {"workshop_page": meeting.page, "workshop_teaching": meeting.teaching})
    app = create_service_app("Workshop Assistant", service="console", readiness=readiness, lifespan=lifespan)
    app.add_exception_handler(UnauthenticatedError, to_sign_in)
    app.include_router(bundle.router())
    app.include_router(library_router(library, jobs, caller_identity(verifier, "library")))
    app.include_router(jobs_router(jobs, caller_identity(verifier, "jobs")))
    if credentials is not None:
        app.include_router(exchange_router(credentials, issuer))
    app.include_router(sign_in_router(settings, templates, issuer))
    app.include_router(workshops_router(templates, verifier, library, jobs, meeting))
    app.include_router(open_router(templates, issuer, meeting))
    app.include_router(source_router(templates, verifier, jobs, converter_for))
    app.include_router(author_router(templates, verifier, library, jobs))
    app.include_router(jobs_pages_router(templates, verifier, library, jobs, meeting))
    app.include_router(export_router(templates, verifier, library, converter_for))
    app.include_router(preview_router(templates, verifier, library))
    app.include_router(choices_router(templates, verifier, library, jobs, converter_for))
    app.include_router(reimport_router(templates, verifier, library, jobs, converter_for))
    app.include_router(nothing_router(templates))
    return app


def nothing_router(templates: Templates) -> APIRouter:
    """A page for every address that nothing is at; added last."""
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))

    @router.get("/{path:path}")
    async def nothing(path: str) -> Response:
        if path.endswith("/"):
            return RedirectResponse(local_target("/" + path.strip("/")), status_code=307)
        raise NotFoundError("There is nothing at this address. It may have been removed, or the link has a typing error.")

    return router
