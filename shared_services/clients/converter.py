"""Client of the template converter."""

import httpx

from shared_services.clients.service import ServiceClient
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
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.jobs import Job
from shared_services.contracts.reimport import ReimportRequest
from shared_services.kit.tokens import TokenSource

PATIENCE = httpx.Timeout(10.0, read=600.0)
"""For what fetches a source, or writes a whole workshop, while the caller waits."""


class ConverterClient(ServiceClient):
    """Classifies, converts, inspects and exports; with an author's token.

    What is started as a job is followed, cancelled and tried again by the client of jobs.
    """

    audience = "template-converter"
    service = "template converter"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def classify(self, request: ConvertRequest) -> list[FormCandidate]:
        """Readings of a source, best first."""
        return await self._model(list[FormCandidate], "POST", "/api/v1/classify", body=request, timeout=PATIENCE)

    async def convert(self, request: ConvertRequest) -> Job:
        """Start a conversion; its result is a `ConversionResult`, or a `ConversionsResult` of `every` workshop."""
        return await self._model(Job, "POST", "/api/v1/conversions", body=request)

    async def reimport(self, request: ReimportRequest) -> Job:
        """Start merging a newer commit into a workshop; the job's result is a `ReimportResult`."""
        return await self._model(Job, "POST", "/api/v1/reimports", body=request)

    async def report(self, job_id: str) -> ConversionReport:
        """The report of a conversion that has ended.

        Raises:
            ProblemError: What it failed with; status 409 where it has not ended.
        """
        return await self._model(ConversionReport, "GET", f"/api/v1/conversions/{job_id}/report")

    async def preview(self, job_id: str, step: str) -> StepPreview:
        """A step of a conversion, beside the pages it was made from.

        Raises:
            ProblemError: As for `report`; status 404 where there is no such step.
        """
        return await self._model(StepPreview, "GET", f"/api/v1/conversions/{job_id}/preview/{step}", timeout=PATIENCE)

    async def inspect(self, request: SourceRequest) -> Inventory:
        """What a source holds."""
        return await self._model(Inventory, "POST", "/api/v1/inspect", body=request, timeout=PATIENCE)

    async def start_inspection(self, request: InspectRequest) -> Job:
        """Start an inspection; its result is an `InspectionResult`."""
        return await self._model(Job, "POST", "/api/v1/inspections", body=request)

    async def start_export(self, request: ExportRequest) -> Job:
        """Start an export; its result is an `ExportReport`, and the client of the library has the archive.

        Raises:
            ProblemError: As for `export`.
        """
        return await self._model(Job, "POST", "/api/v1/exports", body=request)

    async def export(self, workshop: str, form: Form, version: str | None = None) -> ExportReport:
        """What a version of a workshop, the current one where none is named, would be in another form.

        Raises:
            ProblemError: Status 404: there is no such version; 422: there is no export to this form.
        """
        return await self._model(
            ExportReport, "GET", f"/api/v1/exports/{workshop}/{form}", params=_version(version), timeout=PATIENCE
        )

    async def export_archive(self, workshop: str, form: Form, version: str | None = None) -> bytes:
        """A version of a workshop in another form, as a zip with the report beside its folder.

        Raises:
            ProblemError: As for `export`.
        """
        path = f"/api/v1/exports/{workshop}/{form}/archive"
        return (await self._request("GET", path, params=_version(version), timeout=PATIENCE)).content


def _version(version: str | None) -> dict[str, str]:
    return {} if version is None else {"version": version}
