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


class Teaching:
    """The API and pages of insights and of the board.

    Include the `router` before that of the participants' pages, which takes what is left.

    Args:
        content: The workshop.
        engine: The store.
        identify: Who sends a request.
        bus: Tells the board when to look again.
        embeddings: The RAG agent's model; None where there is none to ask.
    """

    def __init__(
        self,
        content: WorkshopContent,
        engine: AsyncEngine,
        identify: Callable[[Request], Participant],
        bus: Bus,
        embeddings: Embeddings | None,
    ) -> None:
        name = content.workshop
        insights = InsightsService(content, InsightsRepository(engine, name), QuestionVectors(name, embeddings, shared_cache()))
        self._board = BoardService(content, BoardRepository(engine, name), bus)
        self.router = APIRouter()
        self.router.include_router(insights_api(insights, identify))
        self.router.include_router(insights_pages(insights, content, identify))
        self.router.include_router(board_api(self._board, identify))
        self.router.include_router(board_pages(self._board, identify))

    def close(self) -> None:
        """End the boards that are open."""
        self._board.close()
