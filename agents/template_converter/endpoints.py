"""The template converter over HTTP: thin routes over `Operations`. Authors may; nobody else."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from agents.template_converter.operations import Operations
from shared_services.contracts.base import Slug
from shared_services.contracts.conversion import (
    ConversionReport,
    ConvertRequest,
    ExportReport,
    ExportRequest,
    Form,
    FormCandidate,
    InspectRequest,
    SourceRequest,
    StepPreview,
)
from shared_services.contracts.identity import Identity
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.jobs import Job
from shared_services.contracts.reimport import ReimportRequest

AUDIENCE = "template-converter"

Version = Annotated[str | None, Query(max_length=16, description="Of the workshop; the current one where it is left out.")]
JobId = Annotated[str, Path(max_length=64, description="Id of a conversion's job.")]


def create_router(
    operations: Operations, identify: Callable[..., Identity | None], *, with_jobs: bool, with_library: bool
) -> APIRouter:
    """The agent's routes; conversions only where there are jobs to run them, exports only where there is a library."""
    router = APIRouter(prefix="/api/v1", tags=["template converter"])
    caller = Annotated[Identity | None, Depends(identify)]

    @router.post("/classify")
    async def classify(request: ConvertRequest, identity: caller) -> list[FormCandidate]:
        """Readings of a source, the likeliest first, each with its evidence."""
        return await operations.classify(identity, request)

    @router.post("/inspect")
    async def inspect(request: SourceRequest, identity: caller) -> Inventory:
        """What a source holds, from its files alone; nothing of it is run."""
        return await operations.inspect(identity, request)

    if with_jobs:
        _add_jobs(router, operations, identify, with_library=with_library)
    if with_library:
        _add_exports(router, operations, identify)
    return router


def _add_jobs(router: APIRouter, operations: Operations, identify: Callable[..., Identity | None], *, with_library: bool) -> None:
    caller = Annotated[Identity | None, Depends(identify)]

    @router.post("/conversions", status_code=202)
    async def convert(request: ConvertRequest, identity: caller) -> Job:
        """Start a conversion as a job, which is followed, cancelled and tried again under `/api/v1/jobs`.

        Its result is a `ConversionResult`, or with `every` a `ConversionsResult`. Where several readings are equally likely it
        fails with the problem `choice-required`, whose `candidates` may be sent as `as_form` and `path` of another request.
        """
        return await operations.start_conversion(identity, request)

    @router.get("/conversions/{job_id}/report")
    async def report(job_id: JobId, identity: caller) -> ConversionReport:
        """The report of a conversion that has ended; what it failed with, where it did."""
        return (await operations.result(identity, job_id)).report

    @router.post("/inspections", status_code=202)
    async def start_inspection(request: InspectRequest, identity: caller) -> Job:
        """Start an inspection as a job; its result is an `InspectionResult`, with a skeleton's draft where one is asked for."""
        return await operations.start_inspection(identity, request)

    if with_library:

        @router.post("/reimports", status_code=202)
        async def reimport(request: ReimportRequest, identity: caller) -> Job:
            """Start merging a newer commit of a workshop's source into the workshop, as a job.

            Its result is a `ReimportResult`; conflicts are listed and decided by `/api/v1/library/NAME/merges`.
            """
            return await operations.start_reimport(identity, request)

        @router.post("/exports", status_code=202)
        async def start_export(request: ExportRequest, identity: caller) -> Job:
            """Start an export as a job; its result is an `ExportReport`.

            The archive is then at `/api/v1/library/NAME/versions/VERSION/exports/FORM`.
            """
            return await operations.start_export(identity, request)

        @router.get("/conversions/{job_id}/preview/{step}")
        async def preview(job_id: JobId, step: Slug, identity: caller) -> StepPreview:
            """A step of a conversion, beside the text of the pages that it was made from."""
            return await operations.preview(identity, job_id, step)


def _add_exports(router: APIRouter, operations: Operations, identify: Callable[..., Identity | None]) -> None:
    caller = Annotated[Identity | None, Depends(identify)]

    @router.get("/exports/{workshop}/{form}")
    async def export(workshop: Slug, form: Form, identity: caller, version: Version = None) -> ExportReport:
        """What a workshop would be in another form: its files, and what that form has no place for.

        The answer waits until it is written; for a long workshop start a job.
        """
        return (await operations.export(identity, workshop, version, form)).report

    @router.get(
        "/exports/{workshop}/{form}/archive",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "The files in a folder, and the report beside it."}},
    )
    async def archive(workshop: Slug, form: Form, identity: caller, version: Version = None) -> Response:
        """A workshop in another form, as a zip."""
        made = await operations.export(identity, workshop, version, form)
        return Response(
            await made.archived(),
            media_type="application/zip",
            headers={"content-disposition": f'attachment; filename="{made.file_name}"'},
        )
