"""The live board over HTTP, for whoever runs the workshop: as JSON, as a stream of it, and as a page."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from structlog import get_logger

from shared_services.contracts.board import Board, BoardEvent, HandChange
from shared_services.kit.errors import PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import encode, event_stream
from shared_services.pages.templating import page_route
from workshop_chat.access import teacher
from workshop_chat.board.service import BoardService
from workshop_chat.board.views import board_view
from workshop_chat.pages.router import look
from workshop_chat.participants import Participant

log = get_logger()

Render = Callable[[Board], str]


def board_api(board: BoardService, identify: Callable[[Request], Participant]) -> APIRouter:
    """The routes under `/api/v1/board`."""
    _, templates = look()
    router = APIRouter(prefix="/api/v1/board", tags=["board"], dependencies=[Depends(teacher(identify))])

    @router.get("")
    async def read_board() -> Board:
        """Who is on which step, who is stuck and why, whose hand is up."""
        return await board.look()

    @router.get("/events")
    async def board_events(request: Request) -> Response:
        """The board now and after each change, as server-sent events: `board` (BoardEvent), or `trouble` (a problem)."""
        # Before the stream begins, so that a failure has its status.
        await board.look()

        def render(shown: Board) -> str:
            return templates.text(request, "board-live.html", view=board_view(shown))

        return event_stream(events(board, render))

    @router.post("/participants/{participant:path}/hand", status_code=204)
    async def lower_hand(participant: str, _change: HandChange) -> Response:
        """Lower somebody's hand; nobody but they themselves can raise it."""
        await board.lower_hand(participant)
        return Response(status_code=204)

    return router


def board_pages(board: BoardService, identify: Callable[[Request], Participant]) -> APIRouter:
    """The page `/board`."""
    _, templates = look()
    router = APIRouter(include_in_schema=False, route_class=page_route(templates), dependencies=[Depends(teacher(identify))])

    @router.get("/board")
    async def board_page(request: Request) -> Response:
        return templates.page(request, "board.html", view=board_view(await board.look()))

    return router


async def events(board: BoardService, render: Render) -> AsyncGenerator[bytes]:
    """The board whenever what a page shows of it has changed; a failure once, and the board again after it."""
    last = ""
    async with aclosing(board.changes()) as changes:
        async for change in changes:
            if isinstance(change, PlatformError):
                log.warning("board_not_read", slug=change.slug, detail=change.detail)
                if last != change.slug:
                    yield encode("trouble", change.problem(request_id.get()))
                last = change.slug
                continue
            html = render(change)
            if html != last:
                yield encode("board", BoardEvent(board=change, html=html))
            last = html
