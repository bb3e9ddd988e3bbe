"""What the converter does as durable jobs: a conversion, one of every workshop of a source, an inspection, a re-import.

A job's input is the request, its result the contract's `...Result`; what it made is a draft in the library, with the pages of
the source beside it.
"""

from collections.abc import Callable
from typing import Any

from anyio import from_thread, to_thread

from agents.template_converter.exporting import export_version
from agents.template_converter.git import Progress
from agents.template_converter.reimport_job import REIMPORT, reimport_job
from agents.template_converter.remembering import read_remembering
from agents.template_converter.service import Conversion, ConverterService
from shared_services.clients.library import LibraryClient
from shared_services.contracts.conversion import (
    ConversionResult,
    ConversionsResult,
    ConvertRequest,
    ExportRequest,
    InspectionResult,
    InspectRequest,
    ReadWorkshop,
    UnreadWorkshop,
)
from shared_services.jobs.context import JobContext, JobFunction
from shared_services.kit.errors import ProblemError
from shared_services.library.archive import pack
from shared_services.library.choices import address_key, choice_in, takes_choice

CONVERT = "convert"
CONVERT_ALL = "convert-all"
INSPECT = "inspect"
EXPORT = "export"

LibrarySource = Callable[[], LibraryClient]
"""Where drafts go; asked for when a job runs."""


def converter_jobs(service: ConverterService, library: LibrarySource) -> dict[str, JobFunction]:
    """Every kind of job of the converter."""
    return {
        CONVERT: convert_job(service, library),
        CONVERT_ALL: convert_all_job(service, library),
        INSPECT: inspect_job(service, library),
        REIMPORT: reimport_job(service, library),
        EXPORT: export_job(service, library),
    }


def kind_of(request: ConvertRequest) -> str:
    """The kind of job that a conversion is."""
    return CONVERT_ALL if request.every else CONVERT


def convert_job(service: ConverterService, library: LibrarySource) -> JobFunction:
    """The job `convert`; input a `ConvertRequest`, result a `ConversionResult`.

    Without a form and a folder the source is read as a person chose before; with one of them, that is remembered.
    """

    async def convert(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ConvertRequest.model_validate(given)

        async def convert_and_keep() -> dict[str, Any]:
            address, client = address_key(request.source), library()
            choice = await client.choice(address) if takes_choice(request) else None
            made = await to_thread.run_sync(read_remembering, service, request, choice, _telling(job))
            kept = await _kept(job, client, made)
            if chosen := choice_in(request, job.owner):
                await client.remember(address, chosen)
            return kept.model_dump(mode="json")

        result = await job.step("convert", convert_and_keep)
        counts = result["report"]["counts"]
        await job.log(f"{counts['steps']} steps and {counts['code_blocks']} code blocks from {request.source}")
        return result

    return convert


def convert_all_job(service: ConverterService, library: LibrarySource) -> JobFunction:
    """The job `convert-all`; input a `ConvertRequest`, result a `ConversionsResult`. One that cannot be read stops no other."""

    async def convert_all(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ConvertRequest.model_validate(given)

        def convert_each() -> ConversionsResult:
            workshops: list[ReadWorkshop] = []
            unread: list[UnreadWorkshop] = []
            for candidate, read in service.read_all(request, _telling(job)):
                if isinstance(read, Conversion):
                    kept = from_thread.run(_kept, job, library(), read)
                    workshops.append(ReadWorkshop(form=candidate.form, path=candidate.path, **dict(kept)))
                else:
                    unread.append(UnreadWorkshop(form=candidate.form, path=candidate.path, problem=read.problem()))
            return ConversionsResult(workshops=workshops, unread=unread)

        async def convert_and_keep() -> dict[str, Any]:
            return (await to_thread.run_sync(convert_each)).model_dump(mode="json")

        result = await job.step("convert", convert_and_keep)
        await job.log(
            f"{len(result['workshops'])} of {len(result['workshops']) + len(result['unread'])} workshops from {request.source}"
        )
        return result

    return convert_all


def inspect_job(service: ConverterService, library: LibrarySource) -> JobFunction:
    """The job `inspect`; input an `InspectRequest`, result an `InspectionResult`."""

    async def inspect(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = InspectRequest.model_validate(given)

        async def inspect_and_keep() -> dict[str, Any]:
            if not request.skeleton:
                inventory = await to_thread.run_sync(service.inspect, request, None, _telling(job))
                return InspectionResult(inventory=inventory).model_dump(mode="json")
            inventory, made = await to_thread.run_sync(service.skeleton, request, _telling(job))
            kept = await _kept(job, library(), made)
            return InspectionResult(inventory=inventory, skeleton=kept).model_dump(mode="json")

        result = await job.step("inspect", inspect_and_keep)
        await job.log(f"{result['inventory']['files']} files and {len(result['inventory']['endpoints'])} endpoints")
        return result

    return inspect


def export_job(service: ConverterService, library: LibrarySource) -> JobFunction:
    """The job `export`; input an `ExportRequest` that names a version, result an `ExportReport`; the library has the archive."""

    async def export(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ExportRequest.model_validate(given)

        async def export_and_keep() -> dict[str, Any]:
            client = library()
            version = await client.version(request.workshop, request.version or "")
            await job.progress(0, None, f"Writing {len(version.manifest.steps)} steps as {request.form}")
            made = await export_version(service, client, version, request.form)
            await client.keep_export(version.workshop, version.version, request.form, await made.archived())
            return made.report.model_dump(mode="json")

        result = await job.step("export", export_and_keep)
        await job.log(f"{len(result['files'])} files, {len(result['losses'])} things changed or left out")
        return result

    return export


def _telling(job: JobContext) -> Progress:
    """Progress from a thread that ends the work once the job is to end; what each stage begins with is logged."""
    logged = ""

    def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
        nonlocal logged
        job.raise_if_cancelled()
        if stage != logged:
            logged = stage
            job.log_from_thread(message)
        job.progress_from_thread(done, total, message)

    return on_progress


async def _kept(job: JobContext, library: LibraryClient, made: Conversion) -> ConversionResult:
    """The workshop as a draft, and the pages it was made from beside it."""
    draft = await library.draft(await to_thread.run_sync(pack, made.workshop.files))
    if made.pages:
        try:
            await library.keep_sources(draft.workshop, draft.version, await to_thread.run_sync(pack, made.pages))
        except ProblemError as error:
            # The draft is whole without them; only the comparison lacks one side.
            await job.log(f"The source's pages could not be kept beside the draft. {error.title}. {error.detail}", "warning")
    return ConversionResult(workshop=draft.workshop, version=draft.version, report=made.report)
