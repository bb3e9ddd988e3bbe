"""Indexing as durable jobs: one version of one workshop, and everything that another model or older rules have left behind.

Who may start them was decided when they were submitted (`agents.rag.endpoints`); a job that goes on after a kill has no
token any more. The old index serves until the new one is whole, so that no search is ever refused on their account.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from agents.rag.errors import NotIndexedError
from agents.rag.files import FilesSource
from agents.rag.scope import Scope
from agents.rag.service import Progress, RagService
from shared_services.contracts.rag import IndexStatus, ReindexReport, ReindexRequest
from shared_services.jobs.context import JobContext, JobFunction
from shared_services.kit.errors import ConflictError, NotFoundError, PlatformError
from shared_services.kit.tokens import Claims

INDEX = "index"
REINDEX = "reindex"
RETRIES = 2
_SERVICE = "service:rag"


ReindexDocuments = Callable[[Claims, Progress], Awaitable[int]]
"""Makes the shared documents' index anew where it is of another model or form; gives how many documents that took."""


class ReindexError(ConflictError):
    """Some workshops could not be indexed anew; `failed` says which and why."""

    slug = "reindex-incomplete"
    title = "Not every workshop could be indexed anew"


def index_input(workshop: str, version: str, *, activate: bool) -> dict[str, Any]:
    """What a job `index` is submitted with."""
    return {"workshop": workshop, "version": version, "activate": activate}


def index_job(service: Callable[[], RagService], files: Callable[[], FilesSource]) -> JobFunction:
    """The job `index`; input as `index_input` makes it, result an `IndexStatus`.

    Args:
        service: Indexes; asked for when the job runs, as is `files`.
        files: Where the version's files come from.
    """

    async def index(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        workshop, version = str(given["workshop"]), str(given["version"])
        scope = _scope(workshop)

        async def on_progress(done: int, total: int) -> None:
            job.raise_if_cancelled()
            await job.progress(done, total, f"Indexing {workshop}: {done} of {total} passages")

        async def build() -> dict[str, Any]:
            found = await files().fetch(workshop, version)
            status = await service().index(scope, version, found, on_progress)
            return status.model_dump(mode="json")

        async def activate() -> dict[str, Any]:
            return (await service().activate(scope, version)).model_dump(mode="json")

        status = await job.step("index", build, retries=RETRIES)
        if given["activate"]:
            status = await job.step("activate", activate, retries=RETRIES)
        await job.log(f"Indexed {workshop} {version}: {status['chunks']} passages.")
        return status

    return index


def reindex_job(
    service: Callable[[], RagService], files: Callable[[], FilesSource], documents: ReindexDocuments | None = None
) -> JobFunction:
    """The job `reindex`; input a `ReindexRequest`, result a `ReindexReport`.

    A workshop whose files cannot be had does not keep the others from being indexed; the job then ends as failed, and
    tried again goes on with it.

    Args:
        service: Indexes; asked for when the job runs, as is `files`.
        files: Where the serving versions' files come from.
        documents: Makes the shared documents' index anew; None where there are none.
    """

    async def reindex(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ReindexRequest.model_validate(given)

        async def look() -> dict[str, Any]:
            return _planned(await service().serving(), request.workshops)

        plan = await job.step("look", look)
        renewed: list[IndexStatus] = []
        gone: list[str] = []
        failed: dict[str, str] = {}
        progress = _Overall(job, {each["workshop"]: each["chunks"] for each in plan["behind"]})

        async def renew(workshop: str) -> dict[str, Any] | None:
            status = await _renewed(service(), files(), workshop, progress.of(workshop))
            return None if status is None else status.model_dump(mode="json")

        for workshop in progress.sizes:
            try:
                found = await job.step(f"index {workshop}", renew, workshop, retries=RETRIES)
            except PlatformError as error:
                if not _concerns_it_alone(error):
                    raise
                failed[workshop] = error.detail or error.title
                await job.log(f"{workshop} could not be indexed: {failed[workshop]}", "warning")
                continue
            if found is None:
                gone.append(workshop)
                continue
            status = IndexStatus.model_validate(found)
            progress.ended(workshop, status.chunks)
            renewed.append(status)
            await job.log(f"Indexed {workshop} {status.version} anew: {status.chunks} passages.")
        shared = 0
        if documents is not None and request.workshops is None:
            keeper = Claims(_SERVICE, "rag", 0)
            shared = await job.step("shared documents", documents, keeper, progress.of_documents, retries=RETRIES)
        if failed:
            reasons = " ".join(f"{workshop}: {detail}" for workshop, detail in failed.items())
            raise ReindexError(f"{len(failed)} of {len(progress.sizes)} were not indexed anew. {reasons}", failed=failed)
        report = ReindexReport(renewed=renewed, current=plan["current"], gone=gone, documents=shared)
        return report.model_dump(mode="json")

    return reindex


def _scope(workshop: str) -> Scope:
    """The scope of a job about a workshop that its submitter was allowed to index."""
    return Scope.of(Claims(_SERVICE, "rag", 0, workshop=workshop))


def _planned(serving: list[IndexStatus], wanted: list[str] | None) -> dict[str, Any]:
    """Which of the serving indexes are to be made anew, and which are current.

    Raises:
        NotIndexedError: A workshop is wanted that no index serves.
    """
    chosen = [status for status in serving if wanted is None or status.workshop in wanted]
    missing = sorted(set(wanted or []) - {status.workshop for status in chosen})
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise NotIndexedError(f"Nothing is indexed of {names}. Publish a workshop; that indexes it.")
    behind = [status for status in chosen if not (status.current_model and status.current_form)]
    return {
        "behind": [{"workshop": status.workshop, "chunks": status.chunks} for status in behind],
        "current": [status.workshop for status in chosen if status not in behind],
    }


async def _renewed(service: RagService, files: FilesSource, workshop: str, progress: Progress) -> IndexStatus | None:
    """Index what serves of a workshop by now; None when nothing does any more."""
    scope = _scope(workshop)
    status = await _serving(service, scope)
    if status is None:
        return None
    if status.current_model and status.current_form:
        await progress(status.chunks, status.chunks)
        return status
    try:
        found = await files.fetch(workshop, status.version)
    except PlatformError:
        if await _serving(service, scope) is None:
            return None  # removed, and the library goes first
        raise
    return await service.index(scope, status.version, found, progress)


async def _serving(service: RagService, scope: Scope) -> IndexStatus | None:
    try:
        status = await service.status(scope)
    except NotFoundError:
        return None
    return status if status.active else None


def _concerns_it_alone(error: PlatformError) -> bool:
    """Whether an error is about one workshop's files, so that the next one may still be indexed."""
    return error.status in {404, 413, 422}


class _Overall:
    """Progress over all workshops, in passages. How many a workshop has is taken from its old index until the new one is cut."""

    def __init__(self, job: JobContext, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self._job = job
        self._done = 0

    def of(self, workshop: str) -> Progress:
        """The progress of one workshop's indexing."""
        place = list(self.sizes).index(workshop) + 1

        async def on_progress(done: int, total: int) -> None:
            self._job.raise_if_cancelled()
            self.sizes[workshop] = total
            what = f"Indexing {workshop} ({place} of {len(self.sizes)}): {done} of {total} passages"
            await self._job.progress(self._done + done, sum(self.sizes.values()), what)

        return on_progress

    def ended(self, workshop: str, chunks: int) -> None:
        """Count a workshop as done."""
        self.sizes[workshop] = chunks
        self._done += chunks

    async def of_documents(self, done: int, total: int) -> None:
        """The progress of the shared documents' indexing."""
        self._job.raise_if_cancelled()
        await self._job.progress(done, total, f"Indexing shared documents: {done} of {total} passages")
