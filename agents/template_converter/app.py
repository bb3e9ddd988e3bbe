"""Puts the template converter together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from agents.template_converter.card import converter_card
from agents.template_converter.endpoints import AUDIENCE, create_router
from agents.template_converter.job import LibrarySource
from agents.template_converter.operations import Operations
from agents.template_converter.service import ConverterService
from shared_services.jobs.service import Jobs
from shared_services.kit import http
from shared_services.kit.a2a import A2AFace, OpenFace, mount_a2a
from shared_services.kit.auth import caller_identity
from shared_services.kit.health import Readiness
from shared_services.kit.tokens import TokenVerifier


def create_app(
    service: ConverterService,
    verifier: TokenVerifier,
    jobs: Jobs | None = None,
    *,
    library: LibrarySource | None = None,
    public_url: str = "",
    readiness: Readiness | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
) -> FastAPI:
    """The agent's app.

    Args:
        service: Recognises, converts, inspects and exports.
        verifier: Checks tokens for the audience `template-converter`, and sessions.
        jobs: Run conversions and inspections; without them there is what is read at once.
        library: Where versions to export and preview are read; without it there are no exports.
        public_url: Address of the agent's root for its card, where it is not the one that callers use.
        readiness: What `/readyz` reports.
        lifespan: As FastAPI takes it; A2A's tasks end before it does.
    """
    operations = Operations(service, jobs, library)

    def load_face() -> OpenFace:
        from agents.template_converter.executor import converter_face

        return converter_face(operations, jobs)

    face = A2AFace(load_face, verifier, AUDIENCE)

    @asynccontextmanager
    async def with_face(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if lifespan is not None:
                await stack.enter_async_context(lifespan(app))
            stack.push_async_callback(face.close)
            yield

    app = http.create_app("Template converter", service=AUDIENCE, readiness=readiness, lifespan=with_face)
    identify = caller_identity(verifier, AUDIENCE)
    app.include_router(create_router(operations, identify, with_jobs=jobs is not None, with_library=library is not None))
    mount_a2a(app, face, converter_card, public_url)
    return app
