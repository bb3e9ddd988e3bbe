"""The template converter over HTTP: thin routes over `ConverterService` and the jobs. Authors may; nobody else."""

from collections.abc import Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends

from agents.template_converter.job import CONVERT
from agents.template_converter.service import ConverterService
from agents.template_converter.sources import redact
from shared_services.contracts.conversion import ConvertRequest, FormCandidate
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import Job
from shared_services.jobs.service import Jobs
from shared_services.kit.identity import Permission, require

AUDIENCE = "template-converter"


def create_router(service: ConverterService, identify: Callable[..., Identity | None], jobs: Jobs | None) -> APIRouter:
    """The agent's routes; conversions only where there are jobs to run them."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/classify")
    async def classify(request: ConvertRequest, caller: Annotated[Identity | None, Depends(identify)]) -> list[FormCandidate]:
        """Readings of a source, the likeliest first."""
        require(caller, Permission.WORKSHOP_CONVERT)
        return await to_thread.run_sync(service.classify, request)

    if jobs is not None:

        @router.post("/conversions", status_code=202)
        async def convert(request: ConvertRequest, caller: Annotated[Identity | None, Depends(identify)]) -> Job:
            """Start a conversion as a job."""
            identity = require(caller, Permission.WORKSHOP_CONVERT)
            return await jobs.submit(CONVERT, redact(request.source), identity.id, request.model_dump(mode="json"))

    return router
