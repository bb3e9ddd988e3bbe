"""Puts the chat agent of one workshop together. The same app runs alone in a cluster and under `/w/NAME` on a laptop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.kit.a2a import A2AFace, OpenFace, mount_a2a
from shared_services.kit.database import migrate
from shared_services.kit.health import Fact, Readiness
from shared_services.kit.http import create_app as create_service_app
from shared_services.kit.tokens import TokenVerifier
from shared_services.llm.gateway import ModelGateway
from shared_services.llm.moderation import Moderator, NullModerator
from workshop_chat import retention
from workshop_chat.bus import open_bus
from workshop_chat.card import chat_card
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import Contexts
from workshop_chat.counted import CountedGateway
from workshop_chat.endpoints import api_router
from workshop_chat.faces.mcp_server import McpFace
from workshop_chat.faces.openai_api import openai_router
from workshop_chat.help_api import help_router
from workshop_chat.helpdesk import HelpDesk
from workshop_chat.history import HistoryRepository
from workshop_chat.history_api import History, history_router
from workshop_chat.join import join_router, send_strangers_to_join
from workshop_chat.limits import Bounds, Gate, TurnLimit
from workshop_chat.live import Connections, LiveChannel
from workshop_chat.narrowing import NarrowedSearch
from workshop_chat.notes import Notes
from workshop_chat.pages.hand_over import hand_over_router
from workshop_chat.pages.router import page_router
from workshop_chat.participants import AUDIENCE, ParticipantCookieMiddleware, Participants
from workshop_chat.pipeline import AnswerPipeline
from workshop_chat.ports import Embeddings, Library, Search
from workshop_chat.progress import ProgressRepository
from workshop_chat.queue import ModelQueue
from workshop_chat.repository import ConversationRepository
from workshop_chat.runs import Runs
from workshop_chat.service import ChatService
from workshop_chat.session_api import live_router, session_router
from workshop_chat.sessions import Sessions, running
from workshop_chat.settings import ChatSettings, contexts_of
from workshop_chat.shared_names import SharedNames
from workshop_chat.tables import MIGRATIONS
from workshop_chat.teaching import Teaching

MAX_TOKENS = 800
CONTEXT_CHARACTERS = 12_000
MAX_BODY_BYTES = 2 * 1024 * 1024
"""Of a request: the longest message many times over, with the conversation that some faces send along."""


def facts(
    settings: ChatSettings, content: WorkshopContent, contexts: Contexts, gateway: ModelGateway, moderator: Moderator
) -> dict[str, Fact]:
    """How the chat agent is configured, for `/readyz`; none of it is asked over the network, and none of it decides."""

    def level() -> str:
        published = content.known()
        return contexts.of(published.manifest).safety_level if published else "unknown until the workshop is"

    return {
        "safety_level": level,
        "safety_model": lambda: moderator.state,
        "model": lambda: (gateway.name or "not asked yet") if gateway.configured else "none configured; extractive answers",
        "namespace": lambda: settings.namespace or "none",
    }


def create_app(
    settings: ChatSettings,
    *,
    library: Library,
    rag: Search,
    gateway: ModelGateway,
    engine: AsyncEngine,
    verifier: TokenVerifier,
    participant_key: bytes,
    join_code: str | None = None,
    embeddings: Embeddings | None = None,
    max_tokens: int = MAX_TOKENS,
    context_characters: int = CONTEXT_CHARACTERS,
    moderator: Moderator | None = None,
    readiness: Readiness | None = None,
) -> FastAPI:
    """The app of the workshop that the settings name.

    A mounted app's lifespan is not run by the app that mounts it: enter `app.router.lifespan_context(app)` around serving.
    `app.state.drain()` says that the process is about to end: no answer is begun, those that are being made get their grace.

    Args:
        settings: Which workshop, who may take part, how it answers.
        library: Published versions.
        rag: Retrieval; the scope is that of the token it sends.
        gateway: The language model, or `NullGateway`.
        engine: The store; the caller opens and disposes it. Several chat agents may share one.
        verifier: Checks the platform's tokens and sessions.
        participant_key: The secret for participants' cookies, 32 bytes or more.
        join_code: Needed where `settings.access` is `code`.
        embeddings: The RAG agent's model, which tells which questions mean the same; without it their words do.
        max_tokens: Longest answer of the model.
        context_characters: How many characters of passages a prompt may hold.
        moderator: The safety model; None for none.
        readiness: What `/readyz` reports besides the app's own.

    Raises:
        ValueError: The key is too short, or the join code is missing.
        ContextError: The contexts file cannot be used, or has no context of the name that the settings give.
    """
    name = settings.workshop
    participants = Participants(
        name, verifier, participant_key, access=settings.access, join_code=join_code, secure=settings.secure_cookies
    )
    content = WorkshopContent(library, name)
    bounds = Bounds(settings.messages_per_minute, settings.answers_at_once, settings.message_characters)
    names = SharedNames(name, participant_key)
    repository = ConversationRepository(engine, name, TurnLimit(names, bounds))
    progress = ProgressRepository(engine, name)
    desk = HelpDesk(content, progress)
    contexts = contexts_of(settings)
    moderator = moderator or NullModerator()
    rag = NarrowedSearch(rag, content, contexts)
    pipeline = AnswerPipeline(
        name,
        rag,
        CountedGateway(gateway, name),
        desk,
        threshold=settings.confidence_threshold,
        passages=settings.passages,
        max_tokens=max_tokens,
        context_characters=context_characters,
        queue=ModelQueue(name, streams=settings.model_streams, patience=settings.model_wait_seconds),
        moderator=moderator,
        rewording_seconds=settings.rewording_seconds,
    )
    bus = open_bus(engine, names)
    runs = Runs(name, repository, bus, grace=settings.drain_seconds)
    service = ChatService(content, repository, pipeline, contexts, runs, history_turns=settings.history_turns)
    history = History(name, HistoryRepository(engine, name), repository, bus, service.stop)
    connections = Connections(name)
    sessions = Sessions(engine, content, contexts, bus, secret=participant_key, present=connections.participants)
    notes = Notes(engine, name, bus)
    channel = LiveChannel(connections, sessions, notes, bus)
    gate = Gate(sessions, bounds)
    teaching = Teaching(content, engine, participants.identify, bus, embeddings)
    mcp = McpFace(content, service, rag, participants.identify, gate)

    def load_a2a() -> OpenFace:
        from workshop_chat.executor import chat_face

        return chat_face(content, service, rag, participants, gate)

    a2a = A2AFace(load_a2a, verifier, AUDIENCE, participants.of_token)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await migrate(engine, MIGRATIONS)
        await bus.start()
        await runs.start()
        try:
            async with (
                running(sessions.keep, channel.keep),
                retention.running(retention.Retention(engine, name, settings.history_retention_days)),
            ):
                yield
        finally:
            await mcp.close()
            # Before the face that follows answers: what it follows gets its time to finish.
            await runs.close()
            with anyio.CancelScope(shield=True):
                await a2a.close()
            await bus.close()

    readiness = readiness or Readiness()

    async def staying() -> str | None:
        return "The process is about to end." if runs.draining.is_set() else None

    readiness.add("staying", staying)
    readiness.add("workshop", content.ready)
    for fact, told in facts(settings, content, contexts, gateway, moderator).items():
        readiness.tell(fact, told)
    app = create_service_app(
        f"Assistant of the workshop {name}",
        service="chat",
        readiness=readiness,
        lifespan=lifespan,
        most_body_bytes=MAX_BODY_BYTES,
    )

    def drain() -> None:
        runs.drain()
        connections.close()
        teaching.close()

    app.state.drain = drain
    app.state.bus = bus
    app.state.content = content
    app.add_middleware(ParticipantCookieMiddleware)
    send_strangers_to_join(app)
    app.include_router(api_router(content, service, participants.identify, gate))
    app.include_router(help_router(desk, progress, bus, participants.identify))
    app.include_router(history_router(history, participants, settings.history_retention_days))
    app.include_router(session_router(content, participants, sessions))
    app.include_router(live_router(participants, sessions, notes, channel))
    app.include_router(openai_router(content, service, participants.identify, gate))
    app.mount("/mcp", mcp.app)
    mount_a2a(app, a2a, partial(chat_card, name), settings.public_url)
    app.include_router(join_router(participants))
    app.include_router(hand_over_router(participants))
    app.include_router(teaching.router)
    app.include_router(page_router(content, participants, repository, sessions, channel, progress, bounds.characters))
    return app
