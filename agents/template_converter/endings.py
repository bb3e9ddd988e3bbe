"""How a task ends over A2A whose job ended: the artifact that the job's result is, a question, a cancellation or a failure.

Artifacts carry the job's id, so that telling an end twice tells the same.
"""

from a2a.server.tasks import TaskUpdater
from a2a.types import Part
from pydantic import BaseModel, TypeAdapter

from agents.template_converter.job import CONVERT, CONVERT_ALL, EXPORT, INSPECT
from agents.template_converter.messages import Question
from agents.template_converter.operations import Operations
from agents.template_converter.recognise import named
from agents.template_converter.reimport_job import REIMPORT
from shared_services.contracts.conversion import (
    ConversionReport,
    ConversionResult,
    ConversionsResult,
    ExportReport,
    FormCandidate,
    InspectionResult,
)
from shared_services.contracts.jobs import Job, JobState
from shared_services.contracts.problems import Problem
from shared_services.contracts.reimport import ReimportResult
from shared_services.kit.a2a_server import SkillExecutor, data_part, file_part, problem_parts, text_part
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX, PlatformError, ProblemError

CHOICE = f"{PROBLEM_TYPE_PREFIX}choice-required"
MOST_ARCHIVE_BYTES = 8 * 1024 * 1024
"""A larger archive is not put into a message, and not kept with the task; it is fetched over HTTP."""

_RESULTS: dict[str, tuple[str, type[BaseModel]]] = {
    CONVERT: ("workshop", ConversionResult),
    CONVERT_ALL: ("workshops", ConversionsResult),
    INSPECT: ("inventory", InspectionResult),
    EXPORT: ("export", ExportReport),
    REIMPORT: ("update", ReimportResult),
}


async def tell_end(task: TaskUpdater, job: Job, operations: Operations) -> None:
    """Tell what a job came to.

    Raises:
        PlatformError: What it made cannot be read now.
    """
    if job.state is JobState.CANCELLED or (job.result is None and job.error is None):
        await task.cancel(task.new_agent_message([text_part(SkillExecutor.cancelled)]))
    elif job.error is not None:
        await tell_problem(task, ProblemError(Problem.model_validate(job.error)), job.id)
    else:
        name, shape = _RESULTS[job.kind]
        made = shape.model_validate(job.result)
        await task.add_artifact([data_part(made), *await _beside(made, operations)], artifact_id=job.id, name=name)
        await task.complete()


async def tell_problem(task: TaskUpdater, error: Exception, job: str | None = None) -> None:
    """What goes wrong with work that was taken is a failure, whoever's fault it is; a choice to be made is a question."""
    problem = error.problem() if isinstance(error, PlatformError) else None
    if problem is None or problem.type != CHOICE:
        _, parts = problem_parts(error)
        await task.failed(task.new_agent_message(parts))
        return
    rows = TypeAdapter(list[FormCandidate]).validate_python((problem.model_extra or {}).get("candidates", []))
    words = f"{problem.title}: answer with its number{', or `all`' if job else ''}.\n{listed(rows)}"
    await task.requires_input(task.new_agent_message([text_part(words), data_part(Question(job=job, candidates=rows))]))


def listed(rows: list[FormCandidate]) -> str:
    """Readings for people, numbered."""
    return "\n".join(f"{number}. {named(row)} ({row.score:.2f}): {' '.join(row.evidence)}" for number, row in enumerate(rows, 1))


async def _beside(made: BaseModel, operations: Operations) -> list[Part]:
    """What goes with a result: a sentence about it, and an export's archive."""
    if isinstance(made, ExportReport):
        return await _archive(made, operations)
    if isinstance(made, ConversionsResult):
        return [text_part(_said_of_all(made))]
    if isinstance(made, ConversionResult):
        return [text_part(_said_of(made.report))]
    if isinstance(made, InspectionResult):
        return [text_part(f"{made.inventory.files} files, {len(made.inventory.endpoints)} endpoints.")]
    if isinstance(made, ReimportResult):
        return [text_part(_said_of_update(made))]
    return []


async def _archive(report: ExportReport, operations: Operations) -> list[Part]:
    lost = f"{len(report.losses)} things have no place in that form" if report.losses else "nothing was lost"
    words = f"{report.workshop} as {report.form}: {len(report.files)} files, {lost}."
    address = f"/api/v1/exports/{report.workshop}/{report.form}/archive?version={report.version}"
    try:
        archive = await operations.kept_export(report)
    except ProblemError as error:
        return [text_part(f"{words} The archive that was kept cannot be had ({error.detail}); it is at {address}, made anew.")]
    if len(archive) > MOST_ARCHIVE_BYTES:
        return [text_part(f"{words} The archive has {len(archive) >> 20} MiB; fetch it at {address} under this agent's root.")]
    return [text_part(words), file_part(archive, f"{report.workshop}-{report.form}.zip", "application/zip")]


def _said_of(report: ConversionReport) -> str:
    counts = report.counts
    return (
        f"{report.workshop.title}: {counts.steps} steps, {counts.code_blocks} code blocks, {counts.images} images; "
        f"{len(report.losses)} lost or changed, {len(report.broken)} broken in the source."
    )


def _said_of_all(every: ConversionsResult) -> str:
    rows = [f"{row.path or '.'}: {_said_of(row.report)}" for row in every.workshops]
    rows += [f"{row.path or '.'}: not read. {row.problem.detail}" for row in every.unread]
    return "\n".join(rows)


def _said_of_update(made: ReimportResult) -> str:
    waiting = f"{made.conflicts} conflicts wait for a decision" if made.conflicts else "nothing is in conflict"
    return f"{made.workshop}: {(made.commit or 'the source')[:12]} merged into the draft {made.version}; {waiting}."
