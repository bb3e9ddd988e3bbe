"""A workshop's chat agent over A2A: messages become calls of the same service as over HTTP, by the same participant.

Which skill a message asks for is seen from what it carries: a text or `question` asks, `query` searches, `step` alone reads. A
context is a conversation of whoever sent its first message; the same context of another caller is another conversation, which
is kept like any other. Imports the protocol's library, so it is imported at the first call.
"""

import uuid
from contextlib import aclosing
from typing import Annotated, Any

import anyio
from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types import Message, Part, TaskState
from pydantic import Field, ValidationError

from shared_services.contracts.base import WireModel
from shared_services.contracts.chat import Answer, HelpMode, MessageRequest, StatusEvent
from shared_services.contracts.rag import Passage, SearchResponse
from shared_services.kit.a2a import OpenFace
from shared_services.kit.a2a_server import (
    SkillExecutor,
    Work,
    answer,
    claims_of,
    context_of,
    data_of,
    data_part,
    open_face,
    text_part,
    texts_of,
)
from shared_services.kit.errors import BadInputError
from workshop_chat.card import chat_card
from workshop_chat.content import WorkshopContent
from workshop_chat.faces.openai_api import sources
from workshop_chat.faces.tools import MOST_CHARACTERS, MOST_PASSAGES, search_workshop, step_named
from workshop_chat.limits import Gate
from workshop_chat.participants import Participants
from workshop_chat.pipeline import Block, Piece
from workshop_chat.ports import Search
from workshop_chat.schemas import StepView
from workshop_chat.service import Admitted, ChatService

ARTIFACT = "answer"


class Asked(WireModel):
    """A question as a data part carries it."""

    question: str
    step: str | None = None
    mode: HelpMode = "explain"


class Sought(WireModel):
    """A search as a data part carries it."""

    query: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    limit: Annotated[int, Field(ge=1, le=MOST_PASSAGES)] = 5


class Read(WireModel):
    """The wish to read a step, by its id or number."""

    step: str


def wanted(texts: list[str], data: list[Any]) -> MessageRequest | Sought | Read:
    """What a message asks for, from its text and data parts.

    Raises:
        BadInputError: It asks for nothing that there is a skill for, or for more than one thing.
    """
    if len(data) > 1 or (data and texts) or not (data or texts):
        raise BadInputError(
            "Send one data part, or text parts alone: a question as text or {question, ...} asks, {query, ...} searches, "
            "{step} reads a step."
        )
    given = data[0] if data else {"question": "\n".join(texts)}
    if not isinstance(given, dict) or not {"question", "query", "step"} & given.keys():
        raise BadInputError("A data part is an object with `question`, to ask, `query`, to search, or `step`, to read a step.")
    try:
        if "query" in given:
            return Sought.model_validate(given)
        if "question" not in given:
            return Read.model_validate(given)
        asked = Asked.model_validate(given)
        return MessageRequest(text=asked.question, step=asked.step, mode=asked.mode)
    except ValidationError as error:
        rows = [{"field": ".".join(str(part) for part in row["loc"]), "message": row["msg"]} for row in error.errors()]
        raise BadInputError("; ".join(f"{row['field']}: {row['message']}" for row in rows[:5]), fields=rows) from None


class ChatExecutor(SkillExecutor):
    """Answers as a task that grows with the answer; searches and reads at once.

    Args:
        content: The workshop.
        service: Answers.
        search: Retrieval in the workshop's scope.
        participants: Tell whom a caller's token speaks for.
        gate: Lets in those who have a place, and their messages within the limits.
    """

    cancelled = "It was cancelled. What had been answered by then stands in the artifact."

    def __init__(
        self, content: WorkshopContent, service: ChatService, search: Search, participants: Participants, gate: Gate
    ) -> None:
        super().__init__()
        self._content = content
        self._service = service
        self._search = search
        self._participants = participants
        self._gate = gate

    async def begin(self, context: RequestContext) -> Message | Work:
        """Search or read at once; let a question in and say how it is answered."""
        message = context.message
        if message is None:
            raise BadInputError("The message is empty.")
        caller = self._participants.of_token(claims_of(context))
        request = wanted(texts_of(message), data_of(message))
        if isinstance(request, MessageRequest):
            await self._gate.message(caller, request.text)
            conversation = await self._service.resume(context_of(context), caller.id)
            return self._answering(await self._service.admit(conversation, caller.id, request))
        if context.current_task is not None:
            raise BadInputError(
                "This task waits for an answer to what it asked back. Send it as text, or search in a task of its own."
            )
        await self._gate.enter(caller)
        if isinstance(request, Sought):
            found = await search_workshop(self._content, self._search, self._service.level, request.query, request.limit)
            return answer(context, [text_part(readable(found)), data_part(found)])
        published = await self._content.current()
        step = await self._content.step(step_named(request.step, published.manifest.steps), published.version)
        return answer(context, [text_part(step.content), data_part(StepView.model_validate(vars(step)))])

    def _answering(self, turn: Admitted) -> Work:
        async def work(task: TaskUpdater) -> None:
            artifact = uuid.uuid4().hex
            await task.start_work()
            run = await self._service.begin(turn)
            try:
                async with aclosing(run.follow()) as pieces:
                    async for piece in pieces:
                        await _tell(task, artifact, piece)
            except anyio.get_cancelled_exc_class():
                # The answer would go on without its reader; who cancels a task wants the model to stop.
                with anyio.CancelScope(shield=True):
                    await self._service.stop(turn.conversation, turn.participant, run.number)
                raise

        return work


async def _tell(task: TaskUpdater, artifact: str, piece: Piece | Answer) -> None:
    if isinstance(piece, StatusEvent):
        await task.update_status(TaskState.TASK_STATE_WORKING, task.new_agent_message([text_part(piece.message)]))
    elif isinstance(piece, Block):
        text = [text_part(piece.before + piece.markdown)]
        await task.add_artifact(text, artifact, ARTIFACT, append=piece.n > 0, last_chunk=False)
    elif isinstance(piece, Answer):
        await task.add_artifact(_ending(piece), artifact, ARTIFACT, append=True, last_chunk=True)
        await _end(task, piece)


def _ending(whole: Answer) -> list[Part]:
    shown = sources(whole.citations)
    return [*([text_part(shown)] if shown else []), data_part(whole)]


async def _end(task: TaskUpdater, whole: Answer) -> None:
    if whole.asks_back:
        choices = "".join(f"\n- {option}" for option in whole.options)
        await task.requires_input(task.new_agent_message([text_part(whole.answer + choices)]))
    else:
        await task.complete()


def readable(found: SearchResponse) -> str:
    """Passages as text for people: each with its heading and where it stands."""
    if not found.passages:
        return "No passage was found."
    return "\n\n".join(f"{number}. {_place(passage)}\n{passage.text}" for number, passage in enumerate(found.passages, 1))


def _place(passage: Passage) -> str:
    title = " > ".join(passage.heading) or passage.step_title or passage.file
    return f"{title} ({passage.file}, lines {passage.first_line}-{passage.last_line})"


def chat_face(content: WorkshopContent, service: ChatService, search: Search, participants: Participants, gate: Gate) -> OpenFace:
    """What makes the face of a chat agent."""
    # The addresses in this copy of the card are read by nobody: callers get theirs from the card's own path.
    return lambda: open_face(chat_card(content.workshop, ""), ChatExecutor(content, service, search, participants, gate))
