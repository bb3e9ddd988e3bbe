"""Client of the library: published versions of workshops."""

import httpx

from shared_services.clients.service import ServiceClient
from shared_services.contracts.choices import Choice, ChoiceRequest
from shared_services.contracts.conversion import Form
from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.jobs import Job
from shared_services.contracts.library import WorkshopSummary, WorkshopVersion
from shared_services.contracts.merging import Merge, MergeRequest
from shared_services.kit.errors import ProblemError
from shared_services.kit.tokens import TokenSource

NOT_FOUND = 404


class LibraryClient(ServiceClient):
    """Reads versions; with an author's token drafts and removes them."""

    audience = "library"
    service = "library"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def list(self) -> list[WorkshopSummary]:
        """Every workshop's current version, by title."""
        return await self._model(list[WorkshopSummary], "GET", "/api/v1/library")

    async def current(self, workshop: str) -> WorkshopVersion:
        """The version that participants see.

        Raises:
            ProblemError: Status 404: there is no such workshop.
        """
        return await self._model(WorkshopVersion, "GET", f"/api/v1/library/{workshop}")

    async def version(self, workshop: str, version: str) -> WorkshopVersion:
        """One version of a workshop, draft or published."""
        return await self._model(WorkshopVersion, "GET", f"/api/v1/library/{workshop}/versions/{version}")

    async def file(self, workshop: str, sha256: str) -> bytes:
        """A file's bytes; only files that a version of `workshop` holds."""
        response = await self._request("GET", f"/api/v1/library/{workshop}/files/{sha256}")
        return response.content

    async def files(self, version: WorkshopVersion) -> dict[str, bytes]:
        """Every file of a version by path, each distinct content fetched once."""
        contents = {file.sha256: b"" for file in version.files}
        for sha256 in contents:
            contents[sha256] = await self.file(version.workshop, sha256)
        return {file.path: contents[file.sha256] for file in version.files}

    async def draft(self, archive: bytes) -> WorkshopVersion:
        """Store a workshop (a gzipped tar of the neutral form) as a version that nobody sees yet.

        Raises:
            ProblemError: Slug `invalid-workshop`, with `findings`.
        """
        return await self._model(
            WorkshopVersion,
            "POST",
            "/api/v1/library/drafts",
            content=archive,
            headers={"content-type": "application/gzip"},
            timeout=httpx.Timeout(120.0),
        )

    async def keep_sources(self, workshop: str, version: str, archive: bytes) -> None:
        """Keep the pages that a version was made from (a gzipped tar) beside it, for authors."""
        await self._request(
            "PUT",
            f"/api/v1/library/{workshop}/versions/{version}/sources",
            content=archive,
            headers={"content-type": "application/gzip"},
            timeout=httpx.Timeout(120.0),
        )

    async def source(self, workshop: str, version: str, path: str) -> str:
        """The text of a page that a version was made from.

        Raises:
            ProblemError: Status 404: it was not kept.
        """
        response = await self._request("GET", f"/api/v1/library/{workshop}/versions/{version}/sources", params={"path": path})
        return response.text

    async def diff(self, workshop: str, old: str, new: str) -> WorkshopDiff:
        """What differs between two versions."""
        return await self._model(WorkshopDiff, "GET", f"/api/v1/library/{workshop}/versions/{new}/diff?from={old}")

    async def merge(self, workshop: str, request: MergeRequest) -> Merge:
        """A draft of three versions made one.

        Raises:
            ProblemError: Slug `merge-undecided`, with `conflicts`, where the request is strict.
        """
        return await self._model(
            Merge, "POST", f"/api/v1/library/{workshop}/merges", body=request, timeout=httpx.Timeout(10.0, read=600.0)
        )

    async def choice(self, address: str) -> Choice | None:
        """How a person chose to read a repository; None where nothing is remembered."""
        try:
            return await self._model(Choice, "GET", "/api/v1/choices", params={"address": address})
        except ProblemError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    async def remember(self, address: str, choice: Choice) -> None:
        """Remember how to read a repository."""
        body = ChoiceRequest(address=address, choice=choice).model_dump_json()
        await self._request("PUT", "/api/v1/choices", content=body, headers={"content-type": "application/json"})

    async def forget(self, address: str) -> None:
        """Forget how to read a repository."""
        await self._request("DELETE", "/api/v1/choices", params={"address": address})

    async def keep_export(self, workshop: str, version: str, form: Form, archive: bytes) -> None:
        """Keep a version in another form."""
        await self._request(
            "PUT",
            f"/api/v1/library/{workshop}/versions/{version}/exports/{form}",
            content=archive,
            headers={"content-type": "application/zip"},
            timeout=httpx.Timeout(120.0),
        )

    async def export(self, workshop: str, version: str, form: Form) -> bytes:
        """The archive of a version in another form that a job kept.

        Raises:
            ProblemError: Status 404: none is kept.
        """
        path = f"/api/v1/library/{workshop}/versions/{version}/exports/{form}"
        return (await self._request("GET", path, timeout=httpx.Timeout(120.0))).content

    async def publish(self, workshop: str, version: str) -> Job:
        """Start publishing a stored version; participants see it once the job has ended."""
        return await self._model(Job, "POST", f"/api/v1/library/{workshop}/versions/{version}/publish")

    async def remove(self, workshop: str) -> Job:
        """Start removing a workshop with every version and its index."""
        return await self._model(Job, "DELETE", f"/api/v1/library/{workshop}")
