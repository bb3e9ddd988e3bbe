"""Puts the template converter together."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI

from agents.template_converter.endpoints import AUDIENCE, create_router
from agents.template_converter.service import ConverterService
from shared_services.jobs.service import Jobs
from shared_services.kit import http
from shared_services.kit.auth import caller_identity
from shared_services.kit.health import Readiness
from shared_services.kit.tokens import TokenVerifier


def create_app(
    service: ConverterService,
    verifier: TokenVerifier,
    jobs: Jobs | None = None,
    *,
    readiness: Readiness | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
) -> FastAPI:
    """The agent's app.

    Args:
        service: Recognises and converts.
        verifier: Checks tokens for the audience `template-converter`, and sessions.
        jobs: Runs conversions; without it there is classification alone.
        readiness: What `/readyz` reports.
        lifespan: As FastAPI takes it.
    """
    app = http.create_app("Template converter", service=AUDIENCE, readiness=readiness, lifespan=lifespan)
    app.include_router(create_router(service, caller_identity(verifier, AUDIENCE), jobs))
    return app
