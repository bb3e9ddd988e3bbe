"""Conversion as a durable job: the source in, a draft in the library and the report out."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import to_thread

from agents.template_converter.service import ConverterService
from shared_services.clients.library import LibraryClient
from shared_services.contracts.conversion import ConvertRequest
from shared_services.jobs.context import JobContext, JobFunction
from shared_services.library.archive import pack
from shared_services.library.form import read_folder

CONVERT = "convert"


def convert_job(service: ConverterService, library: Callable[[], LibraryClient]) -> JobFunction:
    """The job `convert`; input a `ConvertRequest`, result `{workshop, version, report}`.

    Args:
        service: Does the conversion.
        library: Where the draft goes; asked for when the job runs.
    """

    async def convert(job: JobContext, given: dict[str, Any]) -> dict[str, Any]:
        request = ConvertRequest.model_validate(given)

        def on_progress(_stage: str, done: int, total: int | None, message: str) -> None:
            job.raise_if_cancelled()
            job.progress_from_thread(done, total, message)

        async def convert_and_keep() -> dict[str, Any]:
            with tempfile.TemporaryDirectory(prefix="workshop-convert-") as folder:
                out = Path(folder) / "workshop"
                report = await to_thread.run_sync(service.convert, request, out, on_progress)
                workshop = await to_thread.run_sync(read_folder, out)
            draft = await library().draft(await to_thread.run_sync(pack, workshop.files))
            return {"workshop": draft.workshop, "version": draft.version, "report": report.model_dump(mode="json")}

        result = await job.step("convert", convert_and_keep)
        counts = result["report"]["counts"]
        await job.log(f"{counts['steps']} steps and {counts['code_blocks']} code blocks from {request.source}")
        return result

    return convert
