"""The HTTP API of sessions, notes and the live channel. Who asks comes from the token or cookie."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.responses import Response
from structlog import get_logger

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.chat import Note, SessionView
from shared_services.kit.errors import BadInputError, ForbiddenError, PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.sse import encode, event_stream
from workshop_chat.content import WorkshopContent
from workshop_chat.live import LiveChannel
from workshop_chat.notes import Notes
from workshop_chat.participants import MAX_NAME_CHARACTERS, Participant, Participants
from workshop_chat.sessions import Sessions

log = get_logger()

Identify = Callable[[Request], Participant]

MAX_NOTE_CHARACTERS = 2_000
_GREATEST_ID = 2**31 - 1


class SessionChange(WireModel):
    """What somebody can change of their session."""

    name: Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)]


class Activity(WireModel):
    """A sign that somebody is doing something, and on which step."""

    step: Slug | None = None


class Hand(WireModel):
    """Whether somebody asks for a person."""

    raised: bool


class NoteRequest(WireModel):
    """A note to all."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARACTERS)]


def session_router(content: WorkshopContent, participants: Participants, sessions: Sessions) -> APIRouter:
    """The routes under `/api/v1/session`."""
    router = APIRouter(prefix="/api/v1", tags=["session"])

    async def participant(request: Request) -> Participant:
        return participants.identify(request)

    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type

    @router.get("/session")
    async def read_session(asking: Asking) -> SessionView:
        """The caller's place in the workshop. Looking at it is no activity."""
        return await sessions.view(asking)

    @router.patch("/session")
    async def change_session(change: SessionChange, request: Request, asking: Asking) -> SessionView:
        """Give the caller another display name; those who are signed in have that of their sign-in."""
        renamed = participants.rename(request, asking, change.name)
        await sessions.enter(renamed)
        return await sessions.view(renamed)

    @router.post("/session/activity")
    async def note_activity(activity: Activity, asking: Asking) -> SessionView:
        """Tell that the caller does something, which keeps their session live, or begins one where there is a place."""
        known = activity.step in (await content.current()).steps
        await sessions.enter(asking, step=activity.step if known else None)
        return await sessions.view(asking)

    @router.post("/session/hand")
    async def raise_hand(hand: Hand, asking: Asking) -> SessionView:
        """Ask for a person, or no longer."""
        if asking.teaches:
            raise ForbiddenError("You run this workshop, so there is nobody to call.")
        await sessions.raise_hand(asking, hand.raised)
        return await sessions.view(asking)

    @router.post("/session/leave")
    async def leave(asking: Asking) -> SessionView:
        """Give the caller's place up."""
        await sessions.leave(asking)
        return await sessions.view(asking)

    return router


def live_router(participants: Participants, sessions: Sessions, notes: Notes, channel: LiveChannel) -> APIRouter:
    """The routes `/api/v1/notes` and `/api/v1/live`."""
    router = APIRouter(prefix="/api/v1", tags=["session"])

    async def participant(request: Request) -> Participant:
        return participants.identify(request)

    async def teacher(request: Request) -> Participant:
        who = participants.identify(request)
        if not who.teaches:
            raise ForbiddenError("Notes to all are given by those who run the workshop. Sign in as one of them.")
        return who

    Asking = Annotated[Participant, Depends(participant)]  # noqa: N806  a type
    Teaching = Annotated[Participant, Depends(teacher)]  # noqa: N806  a type

    @router.get("/notes")
    async def read_notes(_asking: Asking) -> list[Note]:
        """The notes to all that stand, newest first."""
        return await notes.standing()

    @router.post("/notes", status_code=201)
    async def give_note(note: NoteRequest, teaching: Teaching) -> Note:
        """Say something to everybody in the workshop; it appears on every page at once."""
        text = note.text.strip()
        if not text or "\0" in text:
            raise BadInputError("The note is empty or holds a character that is not text. Write what everybody shall read.")
        return await notes.give(text, teaching.name)

    @router.delete("/notes/{note}", status_code=204)
    async def take_note_back(note: Annotated[int, Path(ge=1, le=_GREATEST_ID)], _teaching: Teaching) -> Response:
        """Take a note back from every page."""
        await notes.take_back(note)
        return Response(status_code=204)

    @router.get("/live")
    async def live(asking: Asking) -> Response:
        """What the caller's page has to know at once, as server-sent events without end.

        `session` (SessionView) when their place or hand changes, `note` (`notes`: those that stand) when notes change, `hand`
        (`raised`: false) when somebody lowered their hand for them. `session` and `note` come at once.
        """
        # Before the stream begins, so that a workshop that cannot be read is told by a status.
        await sessions.rules()
        return event_stream(_told(channel, asking))

    return router


async def _told(channel: LiveChannel, who: Participant) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(channel.events(who)) as events:
            async for event in events:
                yield event
    except PlatformError as error:
        log.warning("live_failed", slug=error.slug, detail=error.detail)
        yield encode("error", error.problem(request_id.get()))
