"""The template converter over HTTP: thin routes over `ConverterService` and the jobs. Authors may; nobody else."""

from collections.abc import Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends

from agents.template_converter.job import CONVERT
from agents.template_converter.service import ConverterService
from agents.template_converter.sources import parse_source, redact
from shared_services.contracts.conversion import ConvertRequest, FormCandidate
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import Job
from shared_services.jobs.service import Jobs
from shared_services.kit.identity import Permission, require

AUDIENCE = "template-converter"


def may_use(identity: Identity, request: ConvertRequest) -> None:
    """Refuse a source that the caller may not read: this machine's own folders are for its administrators.

    The person at the machine, who signed in by the printed link, is one; an author of a server who signed in from elsewhere
    is not, and learns nothing about which folders there are.

    Raises:
        BadAddressError: No address that this caller may give.
        HostileSourceError: Made to be taken for an option or a command.
    """
    if Role.ADMIN not in identity.roles:
        parse_source(request.source, allow_local=False)


def create_router(service: ConverterService, identify: Callable[..., Identity | None], jobs: Jobs | None) -> APIRouter:
    """The agent's routes; conversions only where there are jobs to run them."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/classify")
    async def classify(request: ConvertRequest, caller: Annotated[Identity | None, Depends(identify)]) -> list[FormCandidate]:
        """Readings of a source, the likeliest first."""
        may_use(require(caller, Permission.WORKSHOP_CONVERT), request)
        return await to_thread.run_sync(service.classify, request)

    if jobs is not None:

        @router.post("/conversions", status_code=202)
        async def convert(request: ConvertRequest, caller: Annotated[Identity | None, Depends(identify)]) -> Job:
            """Start a conversion as a job."""
            identity = require(caller, Permission.WORKSHOP_CONVERT)
            may_use(identity, request)
            return await jobs.submit(CONVERT, redact(request.source), identity.id, request.model_dump(mode="json"))

    return router
