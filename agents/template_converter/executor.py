"""The template converter over A2A: messages become the same operations, for the same callers, as over HTTP.

`skill` in a data part says what is asked for; a source without one is converted. A conversion is a durable job that the task
follows: it goes on where this process ends, and is then followed under its id over HTTP. Imports the protocol's library, so it
is imported at the first call.
"""

from typing import Any

from a2a.server.agent_execution import RequestContext
from a2a.server.events import EventQueue
from a2a.server.tasks import TaskUpdater
from a2a.types import Task, TaskState
from pydantic import TypeAdapter

from agents.template_converter.card import converter_card
from agents.template_converter.messages import (
    ClassifyAsked,
    ConvertAsked,
    ExportAsked,
    InspectAsked,
    Progressed,
    Question,
    Readings,
    asked,
    chosen,
)
from agents.template_converter.operations import Operations
from agents.template_converter.recognise import named
from agents.template_converter.threads import watched
from shared_services.contracts.conversion import (
    ConversionReport,
    ConversionResult,
    ConversionsResult,
    ConvertRequest,
    ExportReport,
    FormCandidate,
    InspectionResult,
    InspectRequest,
)
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import FINAL_STATES, Job, JobState
from shared_services.contracts.problems import Problem
from shared_services.kit.a2a import OpenFace
from shared_services.kit.a2a_server import (
    SkillExecutor,
    Work,
    claims_of,
    data_of,
    data_part,
    file_part,
    open_face,
    problem_parts,
    text_part,
    texts_of,
)
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX, BadInputError, ProblemError, UnavailableError
from shared_services.kit.identity import identity_of

CHOICE = f"{PROBLEM_TYPE_PREFIX}choice-required"
MOST_ARCHIVE_BYTES = 32 * 1024 * 1024
"""A larger archive is not put into a message; it is fetched over HTTP."""

PROGRESS_PARTS = 20


class ConverterExecutor(SkillExecutor):
    """Every skill as a task: jobs are followed, what is read at once tells its progress.

    Args:
        operations: Does it.
    """

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._followed: dict[str, str] = {}

    async def begin(self, context: RequestContext) -> Work:
        """Take a request, or the answer to a question; refuse who may not ask."""
        message = context.message
        if message is None:
            raise BadInputError("The message is empty.")
        caller = identity_of(claims_of(context))
        texts, data = texts_of(message), data_of(message)
        if context.current_task is not None:
            first, question = _earlier(context.current_task)
            answer = chosen(texts, data, question.candidates)
            again = {"as_form": answer.as_form, "path": first.path if answer.path is None else answer.path, "every": answer.every}
            return await self._converting(caller, first.request().model_copy(update=again))
        request = asked(texts, data)
        if isinstance(request, ConvertAsked):
            return await self._converting(caller, request.request())
        if isinstance(request, ClassifyAsked):
            return self._classifying(caller, ConvertRequest(source=request.source, ref=request.ref, path=request.path))
        if isinstance(request, InspectAsked):
            return await self._inspecting(caller, InspectRequest(**request.model_dump(exclude={"skill"})))
        return self._exporting(caller, request)

    async def _converting(self, caller: Identity, request: ConvertRequest) -> Work:
        job = await self._operations.start_conversion(caller, request)

        async def work(task: TaskUpdater) -> None:
            ended = await self._follow(task, job)
            if ended.state is not JobState.SUCCEEDED or ended.result is None:
                await _end(task, ended)
            elif request.every:
                every = ConversionsResult.model_validate(ended.result)
                await task.add_artifact([data_part(every), text_part(_said_of_all(every))], name="workshops")
                await task.complete()
            else:
                made = ConversionResult.model_validate(ended.result)
                await task.add_artifact([data_part(made), text_part(_said_of(made.report))], name="workshop")
                await task.complete()

        return work

    async def _inspecting(self, caller: Identity, request: InspectRequest) -> Work:
        job = await self._operations.start_inspection(caller, request)

        async def work(task: TaskUpdater) -> None:
            ended = await self._follow(task, job)
            if ended.state is not JobState.SUCCEEDED or ended.result is None:
                await _end(task, ended)
                return
            found = InspectionResult.model_validate(ended.result)
            counts = f"{found.inventory.files} files, {len(found.inventory.endpoints)} endpoints."
            await task.add_artifact([data_part(found), text_part(counts)], name="inventory")
            await task.complete()

        return work

    def _classifying(self, caller: Identity, request: ConvertRequest) -> Work:
        async def work(task: TaskUpdater) -> None:
            await task.start_work()
            try:
                rows = await watched(lambda progress: self._operations.classify(caller, request, progress), _teller(task, None))
            except Exception as error:
                await _fail(task, error)
                return
            await task.add_artifact([data_part(Readings(candidates=rows)), text_part(_listed(rows))], name="readings")
            await task.complete()

        return work

    def _exporting(self, caller: Identity, request: ExportAsked) -> Work:
        async def work(task: TaskUpdater) -> None:
            await task.start_work()
            try:
                made = await self._operations.export(caller, request.workshop, request.version, request.form)
                archive = await made.archived()
            except Exception as error:
                await _fail(task, error)
                return
            parts = [data_part(made.report), text_part(_said_of_export(made.report, len(archive)))]
            if len(archive) <= MOST_ARCHIVE_BYTES:
                parts.append(file_part(archive, made.file_name, "application/zip"))
            await task.add_artifact(parts, name="export")
            await task.complete()

        return work

    async def _follow(self, task: TaskUpdater, job: Job) -> Job:
        """Tell a job's progress until it has ended.

        Raises:
            UnavailableError: This process ends before; the job goes on.
        """
        jobs = self._operations.jobs
        self._followed[task.task_id] = job.id
        tell = _teller(task, job.id)
        try:
            await task.start_work(task.new_agent_message([data_part(Progressed(job=job.id))]))
            async for event in jobs.events(job.id):
                if event.type == "progress":
                    await tell(event.data["done"], event.data["total"], event.data["message"])
            ended = await jobs.get(job.id)
        finally:
            self._followed.pop(task.task_id, None)
        if ended.state not in FINAL_STATES:
            raise UnavailableError(
                f"The program was stopped before job {job.id} ended. It goes on at the next start; follow it under /api/v1/jobs."
            )
        return ended

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """End a task's job, and wait until it has cleaned up after itself; else what it does at once."""
        job = self._followed.get(context.task_id or "")
        if job is None:
            await super().cancel(context, event_queue)
            return
        await self._operations.jobs.cancel(job)
        await self.ended(context.task_id or "")


def _earlier(task: Task) -> tuple[ConvertAsked, Question]:
    """What a task was first asked, and what it asks back.

    Raises:
        BadInputError: It asks nothing.
    """
    told = data_of(task.status.message) if task.status.HasField("message") else []
    question = next(
        (row for row in [*told, *(row for each in reversed(task.history) for row in data_of(each))] if _asks(row)), None
    )
    first = next((each for each in task.history if texts_of(each) or data_of(each)), None)
    if task.status.state != TaskState.TASK_STATE_INPUT_REQUIRED or question is None or first is None:
        raise BadInputError("This task asks nothing, so it takes no further messages. Send a message without a task's id.")
    begun = asked(texts_of(first), data_of(first))
    if not isinstance(begun, ConvertAsked):
        raise BadInputError("This task asks nothing, so it takes no further messages. Send a message without a task's id.")
    return begun, Question.model_validate(question)


def _asks(row: Any) -> bool:
    return isinstance(row, dict) and {"job", "candidates"} == row.keys()


def _teller(task: TaskUpdater, job: str | None) -> Any:
    """Tells progress where a part of it is done, or something else is being done."""
    last: tuple[str, int] | None = None

    async def tell(done: int, total: int | None, message: str) -> None:
        nonlocal last
        now = (message, done * PROGRESS_PARTS // total if total else 0)
        if now == last:
            return
        last = now
        told = Progressed(job=job, done=done, total=total, message=message)
        words = f"{message} ({done} of {total})" if total else message
        await task.update_status(TaskState.TASK_STATE_WORKING, task.new_agent_message([text_part(words), data_part(told)]))

    return tell


async def _end(task: TaskUpdater, job: Job) -> None:
    """How a task ends whose job made nothing: a question, a cancellation or a failure."""
    if job.state is JobState.CANCELLED or job.error is None:
        await task.cancel(task.new_agent_message([text_part(ConverterExecutor.cancelled)]))
        return
    problem = Problem.model_validate(job.error)
    if problem.type != CHOICE:
        await _fail(task, ProblemError(problem))
        return
    rows = TypeAdapter(list[FormCandidate]).validate_python((problem.model_extra or {}).get("candidates", []))
    words = f"{problem.title}: answer with its number, or `all`.\n{_listed(rows)}"
    await task.requires_input(task.new_agent_message([text_part(words), data_part(Question(job=job.id, candidates=rows))]))


async def _fail(task: TaskUpdater, error: Exception) -> None:
    """What goes wrong with work that was taken is a failure, whoever's fault it is."""
    _, parts = problem_parts(error)
    await task.failed(task.new_agent_message(parts))


def _listed(rows: list[FormCandidate]) -> str:
    return "\n".join(f"{number}. {named(row)} ({row.score:.2f}): {' '.join(row.evidence)}" for number, row in enumerate(rows, 1))


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


def _said_of_export(report: ExportReport, size: int) -> str:
    lost = f"{len(report.losses)} things have no place in that form" if report.losses else "nothing was lost"
    words = f"{report.workshop} as {report.form}: {len(report.files)} files, {lost}."
    if size <= MOST_ARCHIVE_BYTES:
        return words
    address = f"/api/v1/exports/{report.workshop}/{report.form}/archive?version={report.version}"
    return f"{words} The archive has {size >> 20} MiB; fetch it at {address} under this agent's root."


def converter_face(operations: Operations) -> OpenFace:
    """What makes the face of a template converter."""
    # The addresses in this copy of the card are read by nobody: callers get theirs from the card's own path.
    return lambda: open_face(converter_card(""), ConverterExecutor(operations))
