"""The library over HTTP: `/api/v1/library` for readers, drafts and publishing for authors."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared_services.contracts.base import Sha256, Slug
from shared_services.contracts.conversion import Form
from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import Job
from shared_services.contracts.library import WorkshopSummary, WorkshopVersion
from shared_services.contracts.merging import Merge, MergeRequest
from shared_services.jobs.service import Jobs
from shared_services.kit.errors import TooLargeError
from shared_services.kit.identity import Permission, may, require
from shared_services.library import archive
from shared_services.library.choice_endpoints import add_choices
from shared_services.library.merges import diff_versions, merge_versions
from shared_services.library.publishing import PUBLISH, REMOVE
from shared_services.library.service import LibraryService

MAX_UPLOAD_BYTES = 200 * 1024 * 1024

Identify = Callable[..., Identity | None]


async def read_limited(request: Request, limit: int = MAX_UPLOAD_BYTES) -> bytes:
    """A request's body.

    Raises:
        TooLargeError: Longer than `limit` bytes; nothing past the limit is read.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"The upload is larger than {limit >> 20} MiB.")
    return bytes(body)


def library_router(library: LibraryService, jobs: Jobs, identify: Identify) -> APIRouter:
    """Routes under `/api/v1`; `identify` is a dependency that says who calls."""
    router = APIRouter(prefix="/api/v1", tags=["library"])
    caller = Annotated[Identity | None, Depends(identify)]

    @router.get("/library")
    async def list_workshops(identity: caller) -> list[WorkshopSummary]:
        return [row for row in await library.list() if _reads(identity, row.workshop)]

    @router.get("/library/{workshop}")
    async def current_version(workshop: Slug, identity: caller) -> WorkshopVersion:
        _must_read(identity, workshop)
        return await library.current(workshop)

    @router.get("/library/{workshop}/versions/{version}")
    async def one_version(workshop: Slug, version: str, identity: caller) -> WorkshopVersion:
        _must_read(identity, workshop)
        found = await library.version(workshop, version)
        if found.published_at is None:
            require(identity, Permission.WORKSHOP_PREVIEW, workshop=workshop)
        return found

    @router.get("/library/{workshop}/files/{sha256}")
    async def file(workshop: Slug, sha256: Sha256, identity: caller) -> Response:
        reader = require(identity, Permission.WORKSHOP_READ, workshop=workshop)
        return Response(
            await library.file(workshop, sha256, drafts=may(reader, Permission.WORKSHOP_PREVIEW, workshop=workshop)),
            media_type="application/octet-stream",
            headers={"cache-control": "private, max-age=31536000, immutable"},
        )

    @router.post("/library/drafts", status_code=201)
    async def draft(request: Request, identity: caller) -> WorkshopVersion:
        require(identity, Permission.WORKSHOP_CONVERT)
        return await library.draft(archive.unpack(await read_limited(request)))

    _add_what_is_kept_beside(router, library, identify)

    @router.post("/library/{workshop}/versions/{version}/publish", status_code=202)
    async def publish(workshop: Slug, version: str, identity: caller) -> Job:
        who = require(identity, Permission.WORKSHOP_PUBLISH, workshop=workshop)
        await library.version(workshop, version)
        return await jobs.submit(PUBLISH, workshop, who.id, {"workshop": workshop, "version": version})

    @router.delete("/library/{workshop}", status_code=202)
    async def remove(workshop: Slug, identity: caller) -> Job:
        who = require(identity, Permission.WORKSHOP_REMOVE, workshop=workshop)
        await library.current(workshop)
        return await jobs.submit(REMOVE, workshop, who.id, {"workshop": workshop})

    _add_merges(router, library, identify)
    add_choices(router, library.choices, identify)
    return router


def _add_merges(router: APIRouter, library: LibraryService, identify: Identify) -> None:
    caller = Annotated[Identity | None, Depends(identify)]

    @router.get("/library/{workshop}/versions/{version}/diff")
    async def diff(workshop: Slug, version: str, identity: caller, old: Annotated[str, Query(alias="from")]) -> WorkshopDiff:
        """What differs between the version `from` and this one."""
        require(identity, Permission.WORKSHOP_PREVIEW, workshop=workshop)
        return await diff_versions(library, workshop, old, version)

    @router.post("/library/{workshop}/merges", status_code=201)
    async def merge(workshop: Slug, request: MergeRequest, identity: caller) -> Merge:
        """A draft of three versions made one, with every conflict."""
        require(identity, Permission.WORKSHOP_CONVERT)
        merged, version = await merge_versions(library, workshop, request)
        return Merge(workshop=workshop, version=version.version, conflicts=merged.conflicts)


def _add_what_is_kept_beside(router: APIRouter, library: LibraryService, identify: Identify) -> None:
    """Pages that a version was made from, and archives of it in other forms."""
    caller = Annotated[Identity | None, Depends(identify)]

    @router.put("/library/{workshop}/versions/{version}/sources", status_code=204)
    async def keep_sources(workshop: Slug, version: str, request: Request, identity: caller) -> None:
        """Keep the pages that a version was made from (a gzipped tar) beside it."""
        require(identity, Permission.WORKSHOP_CONVERT, workshop=workshop)
        await library.keep_sources(workshop, version, archive.unpack_files(await read_limited(request)))

    @router.get("/library/{workshop}/versions/{version}/sources")
    async def source(
        workshop: Slug, version: str, path: Annotated[str, Query(min_length=1, max_length=1024)], identity: caller
    ) -> Response:
        """The text of a page that a version was made from."""
        require(identity, Permission.WORKSHOP_PREVIEW, workshop=workshop)
        return Response(await library.source(workshop, version, path), media_type="text/plain; charset=utf-8")

    @router.put("/library/{workshop}/versions/{version}/exports/{form}", status_code=204)
    async def keep_export(workshop: Slug, version: str, form: Form, request: Request, identity: caller) -> None:
        """Keep an archive of a version in another form."""
        require(identity, Permission.WORKSHOP_CONVERT, workshop=workshop)
        await library.keep_export(workshop, version, form, await read_limited(request))

    @router.get(
        "/library/{workshop}/versions/{version}/exports/{form}",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}},
    )
    async def export(workshop: Slug, version: str, form: Form, identity: caller) -> Response:
        """The archive of a version in another form that a job kept."""
        require(identity, Permission.WORKSHOP_CONVERT, workshop=workshop)
        return Response(await library.export(workshop, version, form), media_type="application/zip")


def _reads(identity: Identity | None, workshop: str) -> bool:
    return identity is not None and may(identity, Permission.WORKSHOP_READ, workshop=workshop)


def _must_read(identity: Identity | None, workshop: str) -> None:
    require(identity, Permission.WORKSHOP_READ, workshop=workshop)
