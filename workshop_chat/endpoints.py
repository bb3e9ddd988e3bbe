"""The chat agent's HTTP API. Who asks comes from the token or cookie; in which workshop is fixed for the whole app."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request
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
from shared_services.kit.errors import BadInputError, PlatformError, UnavailableError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import EventStreamResponse, encode, event_stream
from shared_services.pages.markdown import render_answer
from shared_services.pages.templating import root_path
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import NotTakenError
from workshop_chat.limits import Gate
from workshop_chat.participants import Participant
from workshop_chat.pipeline import Piece
from workshop_chat.runs import Run
from workshop_chat.schemas import StepLine, StepView, WorkshopView
from workshop_chat.service import ChatService

log = get_logger()

Identify = Callable[[Request], Participant]
TurnNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
MAX_DIGITS = 9
RETRY_SECONDS = 5


def api_router(content: WorkshopContent, service: ChatService, identify: Identify, gate: Gate) -> APIRouter:
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
        """Ask. With `Accept: text/event-stream` the answer's events as they come, else the whole answer.

        The answer goes on when its reader goes away. `Content-Location` is the turn: `/events` under it has what a reader
        missed, `/stop` ends it.
        """
        try:
            await gate.message(asking, message.text)
            run = await service.begin(await service.admit(conversation, asking.id, message))
        except UnavailableError as error:
            detail = f"Your question was not taken, and nothing of it is kept. {error.detail}"
            raise NotTakenError(detail, **{"retry_after": RETRY_SECONDS, **error.extra}) from error
        return await answered(request, run)

    @router.get("/conversations/{conversation}/turns/{number}")
    async def read_turn(conversation: str, number: TurnNumber, asking: Asking) -> StoredTurn:
        """One of the caller's turns; its answer as far as it is kept."""
        return await service.turn(conversation, asking.id, number)

    @router.get("/conversations/{conversation}/turns/{number}/events", response_class=EventStreamResponse)
    async def read_events(
        conversation: str,
        number: TurnNumber,
        asking: Asking,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The answer's events: citations and the blocks after `Last-Event-ID`, then what is still to come.

        A turn that has ended is given in the same way.
        """
        after = last_block(last_event_id)
        await service.turn(conversation, asking.id, number)
        return event_stream(answer_events(service.follow(conversation, asking.id, number, after)))

    @router.post("/conversations/{conversation}/turns/{number}/retry", response_model=Answer)
    async def retry_answer(conversation: str, number: TurnNumber, request: Request, asking: Asking) -> Response:
        """Answer a question anew whose answer was interrupted or could not be begun; the turn stays the same.

        As sending the message: with `Accept: text/event-stream` the answer's events, else the whole answer.
        """
        await gate.enter(asking)
        return await answered(request, await service.retry(conversation, asking.id, number))

    @router.post("/conversations/{conversation}/turns/{number}/stop", status_code=204)
    async def stop_answer(conversation: str, number: TurnNumber, asking: Asking) -> None:
        """End the answer; what there is of it is kept. Its readers get `done`, with `stopped`."""
        await service.stop(conversation, asking.id, number)

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


async def answered(request: Request, run: Run) -> Response:
    """An answer that was begun, in the form that the caller accepts."""
    place = {"content-location": f"{root_path(request)}/api/v1/conversations/{run.conversation}/turns/{run.number}"}
    if "text/event-stream" in request.headers.get("accept", ""):
        response: Response = event_stream(answer_events(run.follow()))
        response.headers.update(place)
        return response
    return JSONResponse((await run.result()).model_dump(mode="json"), headers=place)


async def answer_events(pieces: AsyncGenerator[Piece | Answer]) -> AsyncGenerator[bytes]:
    """An answer's pieces as server-sent events; a failure on the way is the event `error` with its problem document."""
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield _event(piece)
    except PlatformError as error:
        yield encode("error", error.problem(request_id.get()))
    except Exception as error:
        log.exception("events_crashed", error=type(error).__name__)
        detail = f"The answer could not be sent. The log has the details under request id {request_id.get()}."
        yield encode("error", PlatformError(detail).problem(request_id.get()))


def last_block(header: str | None) -> int:
    """The number of the last block that a reader has, from `Last-Event-ID`; -1 for none.

    Raises:
        BadInputError: It is no block's number.
    """
    if not header:
        return -1
    if not (header.isascii() and header.isdecimal() and len(header) <= MAX_DIGITS):
        raise BadInputError("Last-Event-ID is not the number of a block. Send the id of the last `block` event, or leave it out.")
    return int(header)


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
            return encode("block", BlockEvent(n=piece.n, markdown=piece.markdown, html=html, before=piece.before), piece.n)
