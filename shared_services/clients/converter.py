"""Client of the template converter."""

import httpx

from shared_services.clients.service import ServiceClient
from shared_services.contracts.conversion import ConvertRequest, FormCandidate
from shared_services.contracts.jobs import Job
from shared_services.kit.tokens import TokenSource


class ConverterClient(ServiceClient):
    """Classifies and converts sources; with an author's token."""

    audience = "template-converter"
    service = "template converter"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def classify(self, request: ConvertRequest) -> list[FormCandidate]:
        """Readings of a source, best first."""
        return await self._model(
            list[FormCandidate], "POST", "/api/v1/classify", body=request, timeout=httpx.Timeout(10.0, read=600.0)
        )

    async def convert(self, request: ConvertRequest) -> Job:
        """Start a conversion; its result is `{workshop, version, report}`."""
        return await self._model(Job, "POST", "/api/v1/conversions", body=request)
