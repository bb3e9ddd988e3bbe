"""The template converter over A2A: messages become the same operations, for the same callers, as over HTTP.

`skill` in a data part says what is asked for; a source without one is converted. What takes long is a durable job that the task
follows: it goes on where this process ends, and so does the task. Classifications, checks and comparisons are read at once, and
end with the process. Imports the protocol's library, so it is imported at the first call.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types import Part, Task, TaskState

from agents.template_converter.card import converter_card
from agents.template_converter.endings import listed, tell_end, tell_problem
from agents.template_converter.git import Progress
from agents.template_converter.messages import (
    Asked,
    CheckAsked,
    ClassifyAsked,
    ConvertAsked,
    DiffAsked,
    ExportAsked,
    InspectAsked,
    Question,
    Readings,
    UpdateAsked,
    answered,
    asked,
    chosen,
)
from agents.template_converter.operations import Operations
from agents.template_converter.threads import watched
from shared_services.contracts.checking import CheckReport, Severity
from shared_services.contracts.conversion import ConvertRequest, ExportRequest, InspectRequest
from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.identity import Identity
from shared_services.contracts.jobs import Job
from shared_services.jobs.a2a_tasks import JobExecutor, open_job_face, teller
from shared_services.jobs.service import Jobs
from shared_services.kit.a2a import OpenFace
from shared_services.kit.a2a_server import Work, claims_of, data_of, data_part, open_face, text_part, texts_of
from shared_services.kit.errors import BadInputError
from shared_services.kit.identity import identity_of

_ASKS_NOTHING = "This task asks nothing, so it takes no further messages. Send a message without a task's id."


class ConverterExecutor(JobExecutor):
    """Every skill as a task: jobs are followed, what is read at once tells its progress.

    Args:
        operations: Does it.
        jobs: Run what takes long; None where there are none.
    """

    def __init__(self, operations: Operations, jobs: Jobs | None) -> None:
        super().__init__(jobs)
        self._operations = operations

    async def begin(self, context: RequestContext) -> Work:
        """Take a request, or the answer to a question; refuse who may not ask."""
        message = context.message
        if message is None:
            raise BadInputError("The message is empty.")
        caller = identity_of(claims_of(context))
        texts, data = texts_of(message), data_of(message)
        if context.current_task is None:
            return await self._begun(caller, asked(texts, data))
        first, question = _earlier(context.current_task)
        return await self._begun(caller, answered(first, chosen(texts, data, question.candidates)))

    async def conclude(self, task: TaskUpdater, job: Job) -> None:
        """Tell what a job came to."""
        await tell_end(task, job, self._operations)

    async def _begun(self, caller: Identity, request: Asked) -> Work:
        does = self._operations
        if isinstance(request, ConvertAsked):
            return self.following(await does.start_conversion(caller, request.request()))
        if isinstance(request, InspectAsked):
            wanted = InspectRequest(**request.model_dump(exclude={"skill"}))
            return self.following(await does.start_inspection(caller, wanted))
        if isinstance(request, ExportAsked):
            return self.following(await does.start_export(caller, ExportRequest(**request.model_dump(exclude={"skill"}))))
        if isinstance(request, UpdateAsked):
            return self.following(await does.start_reimport(caller, request.request()))
        return self._reading(caller, request)

    def _reading(self, caller: Identity, request: ClassifyAsked | CheckAsked | DiffAsked) -> Work:
        async def read(progress: Progress) -> tuple[str, Sequence[Part]]:
            if isinstance(request, ClassifyAsked):
                source = ConvertRequest(source=request.source, ref=request.ref, path=request.path)
                rows = await self._operations.classify(caller, source, progress)
                return "readings", [data_part(Readings(candidates=rows)), text_part(listed(rows))]
            if isinstance(request, CheckAsked):
                report = await self._operations.check(caller, request, progress)
                return "findings", [data_part(report), text_part(_said_of_check(report))]
            diff = await self._operations.diff(caller, request, progress)
            return "differences", [data_part(diff), text_part(_said_of_diff(diff))]

        return self.at_once(_telling(read))


def _telling(read: Callable[[Progress], Awaitable[tuple[str, Sequence[Part]]]]) -> Work:
    """Work that reads something with progress, and whose artifact is what it found."""

    async def work(task: TaskUpdater) -> None:
        await task.start_work()
        try:
            name, parts = await watched(read, teller(task))
        except Exception as error:
            await tell_problem(task, error)
            return
        await task.add_artifact(list(parts), name=name)
        await task.complete()

    return work


def _earlier(task: Task) -> tuple[Asked, Question]:
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
        raise BadInputError(_ASKS_NOTHING)
    return asked(texts_of(first), data_of(first)), Question.model_validate(question)


def _asks(row: Any) -> bool:
    return isinstance(row, dict) and {"job", "candidates"} == row.keys()


def _said_of_check(report: CheckReport) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    counts = f"{report.title or 'No readable workshop'}: {report.steps} steps, {errors} errors, {warnings} warnings."
    return "\n".join([counts, *(f"{row.file}:{row.line}: {row.severity} {row.kind}: {row.detail}" for row in report.findings)])


def _said_of_diff(diff: WorkshopDiff) -> str:
    if diff.is_empty():
        return "No differences."
    return "\n".join(f"{step.title}: {', '.join(step.changes)}" for step in diff.steps if step.changes) or (
        f"No step differs; {len(diff.fields)} fields and {len(diff.files)} files do."
    )


def converter_face(operations: Operations, jobs: Jobs | None) -> OpenFace:
    """What makes the face of a template converter; its tasks outlive the process where there are jobs."""
    # The addresses in this copy of the card are read by nobody: callers get theirs from the card's own path.
    card, executor = converter_card(""), ConverterExecutor(operations, jobs)
    return lambda: open_face(card, executor) if jobs is None else open_job_face(card, executor, jobs)
