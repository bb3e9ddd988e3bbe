"""The chat agent's HTTP API. Who asks comes from the token or cookie; in which workshop is fixed for the whole app."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response
from structlog import get_logger

from shared_services.contracts.chat import (
    Answer,
    BlockEvent,
    CheckVerdict,
    Citation,
    ConversationCreated,
    MessageRequest,
    StatusEvent,
    StoredTurn,
)
from shared_services.kit.errors import PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import encode, event_stream
from shared_services.pages.markdown import render_answer
from workshop_chat.content import WorkshopContent
from workshop_chat.participants import Participant
from workshop_chat.pipeline import Piece
from workshop_chat.schemas import StepLine, StepView, WorkshopView
from workshop_chat.service import Admitted, ChatService

log = get_logger()

Identify = Callable[[Request], Participant]


def api_router(content: WorkshopContent, service: ChatService, identify: Identify) -> APIRouter:
    """The routes under `/api/v1`."""
    router = APIRouter(prefix="/api/v1")

    async def participant(request: Request) -> Participant:
        return identify(request)

    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    @router.post("/conversations", status_code=201)
    async def create_conversation(asking: Asking) -> ConversationCreated:
        """Begin a conversation."""
        return ConversationCreated(id=await service.create(asking.id))

    @router.get("/conversations/{conversation}")
    async def read_conversation(conversation: str, asking: Asking) -> list[StoredTurn]:
        """The turns of one of the caller's conversations, oldest first."""
        return await service.turns(conversation, asking.id)

    @router.post("/conversations/{conversation}/messages", response_model=Answer)
    async def send_message(conversation: str, message: MessageRequest, request: Request, asking: Asking) -> Response:
        """Ask. With `Accept: text/event-stream` the answer's events as they come, else the whole answer."""
        turn = await service.admit(conversation, asking.id, message)
        if "text/event-stream" in request.headers.get("accept", ""):
            return event_stream(answer_events(service, turn))
        return JSONResponse((await _whole(service, turn)).model_dump(mode="json"))

    @router.get("/workshop")
    async def read_workshop(_asking: Asking) -> WorkshopView:
        """The workshop's manifest and the version that is shown now."""
        published = await content.current()
        steps = [
            StepLine(id=step, title=published.steps[step].title, duration=published.steps[step].duration)
            for step in published.manifest.steps
        ]
        return WorkshopView(workshop=published.workshop, version=published.version, manifest=published.manifest, steps=steps)

    @router.get("/steps/{step}")
    async def read_step(step: str, _asking: Asking) -> StepView:
        """A step of the current version."""
        return StepView.model_validate(vars(await content.step(step)))

    return router


async def _whole(service: ChatService, turn: Admitted) -> Answer:
    async with aclosing(service.answer(turn)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Answer):
                return piece
    raise AssertionError("an answer ends with itself or with an error")


async def answer_events(service: ChatService, turn: Admitted) -> AsyncGenerator[bytes]:
    """The answer as server-sent events; a failure on the way is the event `error` with its problem document."""
    try:
        async with aclosing(service.answer(turn)) as pieces:
            async for piece in pieces:
                yield _event(piece)
    except PlatformError as error:
        log.warning("answer_failed", slug=error.slug, detail=error.detail)
        yield encode("error", error.problem(request_id.get()))
    except Exception as error:
        log.exception("answer_crashed", error=type(error).__name__)
        detail = f"The answer could not be finished. The log has the details under request id {request_id.get()}."
        yield encode("error", PlatformError(detail).problem(request_id.get()))


def _event(piece: Piece | Answer) -> bytes:
    match piece:
        case StatusEvent():
            return encode("status", piece)
        case Citation():
            return encode("citation", piece)
        case CheckVerdict():
            return encode("check", piece)
        case Answer():
            return encode("done", piece)
        case _:
            html = render_answer(piece.markdown)
            return encode("block", BlockEvent(n=piece.n, markdown=piece.markdown, html=html, before=piece.before))
