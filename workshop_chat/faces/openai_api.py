"""OpenAI's chat completions: `/v1/models` and `/v1/chat/completions`, so that any client of that kind can ask a workshop.

The protocol carries the conversation in each request, so nothing is kept here. Its system messages are not followed, and
no sampling setting changes anything: the workshop's own pipeline answers, with every check that it has.
"""

import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from structlog import get_logger

from shared_services.contracts.chat import Answer, Citation, StoredTurn
from shared_services.contracts.openai import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatMessage,
    Choice,
    ChunkChoice,
    CompletionMessage,
    Delta,
    FinishReason,
    Model,
    ModelList,
)
from shared_services.kit.errors import BadInputError, NotFoundError, PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import event_stream
from workshop_chat.content import WorkshopContent
from workshop_chat.limits import Gate
from workshop_chat.participants import Participant
from workshop_chat.pipeline import NOTES_ON_END, Block
from workshop_chat.service import ChatService

log = get_logger()

Identify = Callable[[Request], Participant]
_END = b"data: [DONE]\n\n"


def openai_router(content: WorkshopContent, service: ChatService, identify: Identify, gate: Gate) -> APIRouter:
    """The routes under `/v1`. Errors have the shape that clients of this protocol read."""
    router = APIRouter(prefix="/v1", tags=["openai"])

    @router.get("/models", response_model=ModelList)
    async def models(request: Request) -> Response:
        """The workshop, as the one model there is."""
        try:
            identify(request)
            published = await content.current()
        except PlatformError as error:
            return _refused(error)
        created = int((published.published_at or published.created_at).timestamp())
        return JSONResponse(ModelList(data=[Model(id=content.workshop, created=created)]).model_dump())

    @router.post("/chat/completions", response_model=ChatCompletion)
    async def completions(request: Request) -> Response:
        """Answer the last user message in the light of those before it."""
        try:
            asking = identify(request)
            asked = await _read(request)
            text, step = asked.messages[-1].text, step_of(asked.model, content.workshop)
            await gate.question(asking, text)
            question = await service.question(text, turns_of(asked.messages[:-1]), step, asking.id)
        except PlatformError as error:
            return _refused(error)
        writer = _Writer(asked.model)
        if asked.stream:
            return event_stream(_streamed(writer, service.reply(question)))
        try:
            async with aclosing(service.reply(question)) as pieces:
                answer = [piece async for piece in pieces if isinstance(piece, Answer)][-1]
        except PlatformError as error:
            return _refused(error)
        return JSONResponse(writer.whole(answer).model_dump(mode="json"))

    return router


async def _read(request: Request) -> ChatCompletionRequest:
    try:
        asked = ChatCompletionRequest.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadInputError(f"{where}: {first['msg']}.") from error
    if asked.messages[-1].role != "user":
        raise BadInputError("The last message must be the user's.")
    return asked


def step_of(model: str, workshop: str) -> str | None:
    """The step that a model's name speaks of.

    Raises:
        NotFoundError: It names another workshop.
    """
    name, _, step = model.partition("/")
    if name != workshop:
        raise NotFoundError(f"There is no model {model[:80]!r} here. This workshop's is '{workshop}'.")
    return step or None


def turns_of(messages: Sequence[ChatMessage]) -> list[StoredTurn]:
    """Earlier messages as turns, oldest first: each of the user's with what the assistant said to it."""
    turns: list[StoredTurn] = []
    for message in messages:
        if message.role == "user":
            turns.append(StoredTurn(number=len(turns) + 1, question=message.text, step=None, state="interrupted", answer=None))
        elif message.role == "assistant" and turns and turns[-1].answer is None:
            said = Answer(
                conversation="", answer=message.text, abstained=False, written_by="model", nearest=[], citations=[], timings={}
            )
            turns[-1] = turns[-1].model_copy(update={"state": "done", "answer": said})
    return turns


def sources(citations: Sequence[Citation]) -> str:
    """The citations as a list under the answer, as CommonMark; empty where there are none."""
    if not citations:
        return ""
    lines = [f"[{each.n}] {' > '.join(each.heading) or each.file} ({each.file}:{each.first_line})" for each in citations]
    return "\n\n" + "\\\n".join(lines)


def finish_reason(answer: Answer) -> FinishReason:
    """Why the answer ended, in the protocol's words."""
    if answer.note == NOTES_ON_END["length"]:
        return "length"
    return "content_filter" if answer.refused or answer.note == NOTES_ON_END["filtered"] else "stop"


class _Writer:
    """Puts an answer into the protocol's shapes."""

    def __init__(self, model: str) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = model

    def whole(self, answer: Answer) -> ChatCompletion:
        text = answer.answer + sources(answer.citations)
        choice = Choice(message=CompletionMessage(content=text), finish_reason=finish_reason(answer))
        return ChatCompletion(id=self._id, created=self._created, model=self._model, choices=[choice], workshop=_beside(answer))

    def chunk(self, content: str | None, *, first: bool = False, answer: Answer | None = None) -> bytes:
        delta = Delta(role="assistant" if first else None, content=content)
        choice = ChunkChoice(delta=delta, finish_reason=None if answer is None else finish_reason(answer))
        made = ChatCompletionChunk(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=[choice],
            workshop=None if answer is None else _beside(answer),
        )
        return b"data: " + made.model_dump_json(exclude_none=True).encode() + b"\n\n"


async def _streamed(writer: _Writer, pieces: AsyncGenerator[object]) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(pieces):
            yield writer.chunk("", first=True)
            async for piece in pieces:
                if isinstance(piece, Block):
                    yield writer.chunk(piece.before + piece.markdown)
                elif isinstance(piece, Answer):
                    if piece.citations:
                        yield writer.chunk(sources(piece.citations))
                    yield writer.chunk(None, answer=piece)
    except PlatformError as error:
        log.warning("completion_failed", slug=error.slug, detail=error.detail)
        yield b"data: " + _refused(error).body + b"\n\n"
        return
    except Exception as error:
        log.exception("completion_crashed", error=type(error).__name__)
        crashed = PlatformError(f"The answer could not be finished. The log has the details under {request_id.get()}.")
        yield b"data: " + bytes(_refused(crashed).body) + b"\n\n"
        return
    yield _END


def _beside(answer: Answer) -> dict[str, object]:
    return answer.model_dump(
        mode="json", include={"abstained", "refused", "checks", "written_by", "note", "citations", "nearest"}
    )


def _refused(error: PlatformError) -> JSONResponse:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    problem = {"message": error.detail or error.title, "type": kind, "code": error.slug, "param": None}
    wait = error.extra.get("retry_after")
    headers = {} if wait is None else {"retry-after": str(wait)}
    return JSONResponse({"error": problem}, status_code=error.status, headers=headers)
