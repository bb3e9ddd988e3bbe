"""A re-import as a durable job: a workshop of the library and a newer commit of its source in, a draft with its conflicts out."""

from collections.abc import Callable
from typing import Any

from anyio import to_thread

from agents.template_converter.reimport import Newer, read_newer
from agents.template_converter.service import ConverterService
from shared_services.clients.library import LibraryClient
from shared_services.contracts.merging import MergeRequest
from shared_services.contracts.reimport import ReimportRequest, ReimportResult
from shared_services.jobs.context import JobContext, JobFunction
from shared_services.library.archive import pack

REIMPORT = "reimport"


def reimport_job(service: ConverterService, library: Callable[[], LibraryClient]) -> JobFunction:
    """The job `reimport`; input a `ReimportRequest`, result a `ReimportResult`.

    Args:
        service: Does the conversions.
        library: Where the workshop is and the draft goes; asked for when the job runs.
    """

    async def reimport(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ReimportRequest.model_validate(given)

        def on_progress(_stage: str, done: int, total: int | None, message: str) -> None:
            job.raise_if_cancelled()
            job.progress_from_thread(done, total, message)

        async def read() -> dict[str, Any]:
            client = library()
            version = request.version
            mine = await (client.version(request.workshop, version) if version else client.current(request.workshop))

            def convert() -> Newer:
                return read_newer(
                    service,
                    mine.manifest,
                    source=request.source,
                    ref=request.ref,
                    base=request.base,
                    form=request.as_form,
                    path=request.path,
                    progress=on_progress,
                )

            newer = await to_thread.run_sync(convert)
            base = await client.draft(await to_thread.run_sync(pack, newer.base.files))
            theirs = await client.draft(await to_thread.run_sync(pack, newer.theirs.files))
            if newer.pages:
                await client.keep_sources(theirs.workshop, theirs.version, await to_thread.run_sync(pack, newer.pages))
            origin = newer.base.manifest.source
            return {
                "mine": mine.version,
                "base": base.version,
                "theirs": theirs.version,
                "old_commit": origin.commit if origin else None,
                "commit": newer.report.commit,
                "lost": len(newer.report.losses),
                "broken": len(newer.report.broken),
            }

        async def merge(versions: dict[str, Any]) -> dict[str, Any]:
            asked = MergeRequest(base=versions["base"], mine=versions["mine"], theirs=versions["theirs"])
            merged = await library().merge(request.workshop, asked)
            return {"version": merged.version, "conflicts": len(merged.conflicts)}

        found = await job.step("read", read)
        made = await job.step("merge", merge, found)
        result = ReimportResult(workshop=request.workshop, **found, **made)
        await job.log(f"Merged {(result.commit or 'the source')[:12]} into {result.mine}: {result.conflicts} conflicts")
        return result.model_dump(mode="json")

    return reimport
