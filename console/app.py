"""Puts the console together: the list of workshops, signing in, the author's pages, and the library's and jobs' APIs."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from console.author_pages import author_router
from console.job_pages import jobs_pages_router
from console.people import to_sign_in
from console.preview_pages import preview_router
from console.settings import ConsoleSettings
from console.signin import sign_in_router
from console.workshop_pages import workshops_router
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.identity import Identity
from shared_services.jobs.endpoints import jobs_router
from shared_services.jobs.service import Jobs
from shared_services.kit.auth import caller_identity
from shared_services.kit.errors import UnauthenticatedError
from shared_services.kit.http import create_app as create_service_app
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.endpoints import library_router
from shared_services.library.service import LibraryService
from shared_services.pages.static_files import StaticBundle
from shared_services.pages.templating import Templates

HERE = Path(__file__).parent


def create_app(
    settings: ConsoleSettings,
    *,
    issuer: TokenIssuer,
    library: LibraryService,
    jobs: Jobs,
    converter_for: Callable[[Identity], ConverterClient],
    join_code: Callable[[str], str | None],
) -> FastAPI:
    """The console's app, which stands at the root.

    Args:
        settings: How people sign in.
        issuer: Signs sessions.
        library: Published versions and drafts.
        jobs: Conversions and publications.
        converter_for: The template converter, asked in a person's name.
        join_code: A workshop's join code; None where none is needed.
    """
    verifier = issuer.verifier()
    bundle = StaticBundle([HERE / "static"])
    templates = Templates(bundle, [HERE / "templates"])
    app = create_service_app("Workshop Assistant", service="console")
    app.add_exception_handler(UnauthenticatedError, to_sign_in)
    app.include_router(bundle.router())
    app.include_router(library_router(library, jobs, caller_identity(verifier, "library")))
    app.include_router(jobs_router(jobs, caller_identity(verifier, "jobs")))
    app.include_router(sign_in_router(settings, templates, issuer))
    app.include_router(workshops_router(templates, verifier, library, jobs, join_code))
    app.include_router(author_router(templates, verifier, library, jobs, converter_for))
    app.include_router(jobs_pages_router(templates, verifier, library, jobs))
    app.include_router(preview_router(templates, verifier, library))
    return app
