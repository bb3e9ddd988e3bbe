"""What a participant does with their own history, over HTTP; and the one thing that whoever teaches may do with it: delete it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from shared_services.contracts.chat import (
    ConversationChange,
    ConversationExport,
    ConversationSummary,
    Feedback,
    Me,
    ParticipantExport,
    Removed,
)
from shared_services.kit.errors import ForbiddenError, PlatformError
from workshop_chat.bus import SESSIONS, Bus
from workshop_chat.errors import ConversationNotFoundError, ParticipantNotFoundError
from workshop_chat.history import HistoryRepository, OpenTurn
from workshop_chat.participants import Participant, Participants
from workshop_chat.repository import ConversationRepository
from workshop_chat.transcript import conversation_markdown, file_name

MAX_LISTED = 100
LISTED = 30
_PAGE_COOKIES = ("workshop_conversation", "workshop_step")
_NOT_KEPT = {"cache-control": "private, no-store"}

Stop = Callable[[str, str, int], Awaitable[object]]
Form = Annotated[Literal["json", "markdown"], Query(alias="format")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class History:
    """The history of one workshop's participants.

    Args:
        workshop: Its slug.
        kept: What is kept.
        conversations: Reads turns.
        bus: Tells the board that somebody is gone.
        stop: Ends an answer that is being made: of which conversation, whose, which number.
    """

    def __init__(
        self, workshop: str, kept: HistoryRepository, conversations: ConversationRepository, bus: Bus, stop: Stop
    ) -> None:
        self.workshop = workshop
        self.kept = kept
        self._conversations = conversations
        self._bus = bus
        self._stop = stop

    async def export(self, conversation: str, participant: str) -> ConversationExport:
        """A conversation, whole.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        summary = await self.kept.summary(conversation, participant)
        return ConversationExport(
            workshop=self.workshop,
            title=summary.title,
            created_at=summary.created_at,
            exported_at=datetime.now(UTC),
            turns=await self._conversations.turns(conversation, participant),
        )

    async def export_all(self, participant: Participant) -> AsyncIterator[bytes]:
        """A `ParticipantExport` as JSON, piece by piece: one conversation at a time is held."""
        whole = ParticipantExport(
            workshop=self.workshop,
            participant=participant.id,
            name=participant.name,
            exported_at=datetime.now(UTC),
            steps=await self.kept.steps(participant.id),
            conversations=[],
        )
        yield whole.model_dump_json().removesuffix("]}").encode()
        separator = b""
        for conversation in await self.kept.conversation_ids(participant.id):
            # Deleted since the ids were read: then it is no longer theirs to take away.
            with suppress(ConversationNotFoundError):
                exported = await self.export(conversation, participant.id)
                yield separator + exported.model_dump_json().encode()
                separator = b",\n"
        yield b"]}"

    async def delete(self, conversation: str, participant: str) -> None:
        """End what is being answered in a conversation, and delete it.

        Raises:
            ConversationNotFoundError: It is not this participant's.
        """
        await self.kept.summary(conversation, participant)
        await self._stop_all(participant, conversation)
        await self.kept.delete(conversation, participant)

    async def remove(self, participant: str) -> Removed:
        """End what is being answered for a participant, and delete everything that is kept of them."""
        await self._stop_all(participant, None)
        removed = await self.kept.remove(participant)
        await self._bus.signal(SESSIONS, participant)
        return removed

    async def _stop_all(self, participant: str, conversation: str | None) -> None:
        turns = await self.kept.open_turns(participant, conversation)
        async with anyio.create_task_group() as tasks:
            for turn in turns:
                tasks.start_soon(self._stop_one, turn, participant)

    async def _stop_one(self, turn: OpenTurn, participant: str) -> None:
        # Gone or unreachable: its row is deleted next, which ends it as well.
        with suppress(PlatformError):
            await self._stop(turn.conversation, participant, turn.number)


def history_router(history: History, participants: Participants, retention_days: int) -> APIRouter:
    """The routes of conversations' lists, names, feedback and files, and of the caller's data.

    Args:
        history: What they act on.
        participants: Tell who asks, and forget them when they want to be forgotten.
        retention_days: What `Me` says.
    """
    router = APIRouter(prefix="/api/v1")

    async def participant(request: Request) -> Participant:
        return participants.identify(request)

    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    _add_conversations(router, history, participant)
    _add_feedback(router, history, participant)

    @router.get("/me")
    async def read_me(asking: Asking) -> Me:
        """Who the caller is here, and how long what is kept of them is kept."""
        return Me(id=asking.id, name=asking.name, teaches=asking.teaches, retention_days=retention_days)

    @router.delete("/me")
    async def delete_me(request: Request, response: Response, asking: Asking) -> Removed:
        """Delete everything that is kept of the caller in this workshop. Their browser forgets them as well."""
        removed = await history.remove(asking.id)
        root = request.scope.get("root_path") or "/"
        for name in _PAGE_COOKIES:
            response.delete_cookie(name, path=root, samesite="lax")
        participants.forget(request)
        return removed

    @router.get("/export", response_class=Response, responses={200: {"model": ParticipantExport}})
    async def export_everything(asking: Asking) -> Response:
        """Everything that is kept of the caller in this workshop, as one JSON file."""
        name = f"{history.workshop}-my-data-{datetime.now(UTC):%Y-%m-%d}.json"
        return StreamingResponse(history.export_all(asking), media_type="application/json", headers=_attachment(name))

    @router.delete("/participants/{someone:path}")
    async def delete_participant(someone: str, asking: Asking) -> Removed:
        """Delete everything that is kept of a participant in this workshop; for those who teach in it."""
        if not asking.teaches:
            raise ForbiddenError("Only whoever runs the workshop may delete someone else's data. Your own: DELETE /api/v1/me.")
        removed = await history.remove(someone) if someone.isprintable() else None
        if removed is None or not any(removed.model_dump().values()):
            raise ParticipantNotFoundError("Check the id for typing errors. It may have been deleted already.")
        return removed

    return router


Caller = Callable[[Request], Coroutine[Any, Any, Participant]]


def _add_conversations(router: APIRouter, history: History, participant: Caller) -> None:
    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    @router.get("/conversations")
    async def list_conversations(
        asking: Asking, limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = LISTED, before: str | None = None
    ) -> list[ConversationSummary]:
        """The caller's conversations, the one asked in last first. The next page is `before` the last one's id."""
        return await history.kept.conversations(asking.id, limit, before)

    @router.patch("/conversations/{conversation}")
    async def rename_conversation(conversation: str, change: ConversationChange, asking: Asking) -> ConversationSummary:
        """Give one of the caller's conversations a name."""
        return await history.kept.rename(conversation, asking.id, change.title)

    @router.delete("/conversations/{conversation}", status_code=204)
    async def delete_conversation(conversation: str, asking: Asking) -> None:
        """Delete one of the caller's conversations, with its turns."""
        await history.delete(conversation, asking.id)

    @router.get("/conversations/{conversation}/export", response_class=Response, responses={200: {"model": ConversationExport}})
    async def export_conversation(conversation: str, asking: Asking, form: Form = "json") -> Response:
        """One of the caller's conversations as a file."""
        exported = await history.export(conversation, asking.id)
        if form == "markdown":
            headers = _attachment(file_name(exported, "md"))
            return Response(conversation_markdown(exported), media_type="text/markdown", headers=headers)
        headers = _attachment(file_name(exported, "json"))
        return Response(exported.model_dump_json(indent=2), media_type="application/json", headers=headers)


def _add_feedback(router: APIRouter, history: History, participant: Caller) -> None:
    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    @router.put("/conversations/{conversation}/turns/{number}/feedback")
    async def rate(conversation: str, number: Number, feedback: Feedback, asking: Asking) -> Feedback | None:
        """Say what the caller thinks of an answer; what is kept of it comes back, with secrets masked."""
        return await history.kept.rate(conversation, asking.id, number, feedback)

    @router.delete("/conversations/{conversation}/turns/{number}/feedback", status_code=204)
    async def unrate(conversation: str, number: Number, asking: Asking) -> None:
        """Take a rating back."""
        await history.kept.rate(conversation, asking.id, number, None)


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', **_NOT_KEPT}
