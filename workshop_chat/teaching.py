"""What is for whoever runs the workshop, put together: insights and the live board."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from workshop_chat.board.endpoints import board_api, board_pages
from workshop_chat.board.repository import BoardRepository
from workshop_chat.board.service import BoardService
from workshop_chat.bus import Bus
from workshop_chat.content import WorkshopContent
from workshop_chat.insights.endpoints import insights_api, insights_pages
from workshop_chat.insights.repository import InsightsRepository
from workshop_chat.insights.service import InsightsService
from workshop_chat.insights.vectors import QuestionVectors, shared_cache
from workshop_chat.participants import Participant
from workshop_chat.ports import Embeddings


def teaching_router(
    content: WorkshopContent,
    engine: AsyncEngine,
    identify: Callable[[Request], Participant],
    bus: Bus,
    embeddings: Embeddings | None,
) -> APIRouter:
    """The API and pages of insights and of the board; include it before the participants' pages, which take what is left.

    Args:
        content: The workshop.
        engine: The store.
        identify: Who sends a request.
        bus: Tells the board when to look again.
        embeddings: The RAG agent's model; None where there is none to ask.
    """
    name = content.workshop
    insights = InsightsService(content, InsightsRepository(engine, name), QuestionVectors(name, embeddings, shared_cache()))
    board = BoardService(content, BoardRepository(engine, name), bus)
    router = APIRouter()
    router.include_router(insights_api(insights, identify))
    router.include_router(insights_pages(insights, content, identify))
    router.include_router(board_api(board, identify))
    router.include_router(board_pages(board, identify))
    return router
