"""The RAG agent over A2A: messages become the same calls of the same service, in the same scope, as over HTTP.

Which skill a message asks for is seen from what it carries: a text or `query` searches, `version` indexes. Imports the
protocol's library, so it is imported at the first call.
"""

from typing import Any

from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types import Message, Part, TaskState
from pydantic import Field, ValidationError

from agents.rag.admission import Admission
from agents.rag.card import rag_card
from agents.rag.endpoints import writer_scope
from agents.rag.files import FilesSource
from agents.rag.scope import Scope
from agents.rag.service import RagService
from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.rag import IndexRequest, IndexStatus, Passage, SearchRequest, SearchResponse
from shared_services.kit.a2a import OpenFace
from shared_services.kit.a2a_server import (
    SkillExecutor,
    Work,
    answer,
    claims_of,
    data_of,
    data_part,
    open_face,
    text_part,
    texts_of,
)
from shared_services.kit.errors import BadInputError

PROGRESS_PARTS = 20


class IndexAsked(IndexRequest):
    """An index request as a message carries it; over HTTP the workshop is in the path."""

    workshop: Slug


def asked(texts: list[str], data: list[Any]) -> SearchRequest | IndexAsked:
    """What a message asks for, from its text and data parts.

    Raises:
        BadInputError: It asks for nothing that there is a skill for, or for more than one thing.
    """
    if len(data) > 1 or (data and texts) or not (data or texts):
        raise BadInputError(
            "Send one data part, or text parts alone: a question as text or {query, ...} searches, {workshop, version} indexes."
        )
    given = data[0] if data else {"query": "\n".join(texts)}
    if not isinstance(given, dict) or not {"query", "version"} & given.keys():
        raise BadInputError("A data part is an object with `query`, to search, or with `workshop` and `version`, to index.")
    try:
        return SearchRequest.model_validate(given) if "query" in given else IndexAsked.model_validate(given)
    except ValidationError as error:
        rows = [{"field": ".".join(str(part) for part in row["loc"]), "message": row["msg"]} for row in error.errors()]
        raise BadInputError("; ".join(f"{row['field']}: {row['message']}" for row in rows[:5]), fields=rows) from None


class RagExecutor(SkillExecutor):
    """Searches at once, indexes as a task.

    Args:
        service: Does both.
        files: Where the files of a version come from.
        admission: The door of indexing, the same as over HTTP.
    """

    def __init__(self, service: RagService, files: FilesSource, admission: Admission) -> None:
        super().__init__()
        self._service = service
        self._files = files
        self._admission = admission

    async def begin(self, context: RequestContext) -> Message | Work:
        """Answer a search; check an index request and say how it is done."""
        message = context.message
        if message is None:
            raise BadInputError("The message is empty.")
        if context.current_task is not None:
            raise BadInputError("A task of this agent takes no further messages. Send a message without a task's id.")
        claims = claims_of(context)
        request = asked(texts_of(message), data_of(message))
        if isinstance(request, SearchRequest):
            found = await self._service.search(Scope.of(claims), request)
            return answer(context, [text_part(readable(found)), data_part(found)])
        scope = writer_scope(claims, request.workshop)
        self._admission.check()
        return self._indexing(scope, request)

    def _indexing(self, scope: Scope, request: IndexAsked) -> Work:
        async def work(task: TaskUpdater) -> None:
            async with self._admission.admitted():
                await task.start_work()
                files = await self._files.fetch(scope.workshop, request.version)
                told = -1

                async def progress(done: int, total: int) -> None:
                    nonlocal told
                    part = done * PROGRESS_PARTS // max(total, 1)
                    if part != told:
                        told = part
                        await task.update_status(TaskState.TASK_STATE_WORKING, task.new_agent_message(_progress(done, total)))

                status = await self._service.index(scope, request.version, files, progress)
                if request.activate:
                    status = await self._service.activate(scope, request.version)
            await task.add_artifact([data_part(status), text_part(_indexed(status))], name="index")
            await task.complete()

        return work


class _Progress(WireModel):
    done: int = Field(ge=0)
    total: int = Field(ge=0)


def _progress(done: int, total: int) -> list[Part]:
    return [text_part(f"{done} of {total} passages indexed"), data_part(_Progress(done=done, total=total))]


def _indexed(status: IndexStatus) -> str:
    shown = "is what searches read" if status.active else "is searchable by its version"
    return f"Version {status.version} of workshop '{status.workshop}' {shown}, with {status.chunks} passages."


def readable(found: SearchResponse) -> str:
    """Passages as text for people: each with its heading and where it stands."""
    if not found.passages:
        return "No passage was found."
    return "\n\n".join(f"{number}. {_place(passage)}\n{passage.text}" for number, passage in enumerate(found.passages, 1))


def _place(passage: Passage) -> str:
    title = " > ".join(passage.heading) or passage.step_title or passage.file
    return f"{title} ({passage.file}, lines {passage.first_line}-{passage.last_line})"


def rag_face(service: RagService, files: FilesSource, admission: Admission) -> OpenFace:
    """What makes the face of a RAG agent."""
    # The addresses in this copy of the card are read by nobody: callers get theirs from the card's own path.
    return lambda: open_face(rag_card(""), RagExecutor(service, files, admission))
