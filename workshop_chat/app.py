"""Puts the chat agent of one workshop together. The same app runs alone in a cluster and under `/w/NAME` on a laptop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.kit.a2a import A2AFace, OpenFace, mount_a2a
from shared_services.kit.database import migrate
from shared_services.kit.health import Readiness
from shared_services.kit.http import create_app as create_service_app
from shared_services.kit.tokens import TokenVerifier
from shared_services.llm.gateway import ModelGateway
from workshop_chat.bus import open_bus
from workshop_chat.card import chat_card
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import SHIPPED, ContextLayer, Contexts, read_contexts
from workshop_chat.counted import CountedGateway
from workshop_chat.endpoints import api_router
from workshop_chat.faces.mcp_server import McpFace
from workshop_chat.faces.openai_api import openai_router
from workshop_chat.join import join_router, send_strangers_to_join
from workshop_chat.pages.router import page_router
from workshop_chat.participants import AUDIENCE, ParticipantCookieMiddleware, Participants
from workshop_chat.pipeline import AnswerPipeline
from workshop_chat.ports import Library, Search
from workshop_chat.repository import ConversationRepository
from workshop_chat.runs import Runs
from workshop_chat.service import ChatService
from workshop_chat.settings import ChatSettings
from workshop_chat.tables import MIGRATIONS

MAX_TOKENS = 800
CONTEXT_CHARACTERS = 12_000


def contexts_of(settings: ChatSettings) -> Contexts:
    """The contexts that the settings name.

    Raises:
        ContextError: The contexts file cannot be used, or has no context of the name that the settings give.
    """
    environment = ContextLayer(safety_level=settings.safety_level)
    return Contexts(settings.context, read_contexts(settings.contexts_file or SHIPPED), environment=environment)


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
    max_tokens: int = MAX_TOKENS,
    context_characters: int = CONTEXT_CHARACTERS,
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
        max_tokens: Longest answer of the model.
        context_characters: How many characters of passages a prompt may hold.

    Raises:
        ValueError: The key is too short, or the join code is missing.
        ContextError: The contexts file cannot be used, or has no context of the name that the settings give.
    """
    name = settings.workshop
    participants = Participants(
        name, verifier, participant_key, access=settings.access, join_code=join_code, secure=settings.secure_cookies
    )
    content = WorkshopContent(library, name)
    repository = ConversationRepository(engine, name)
    pipeline = AnswerPipeline(
        name,
        rag,
        CountedGateway(gateway, name),
        threshold=settings.confidence_threshold,
        passages=settings.passages,
        max_tokens=max_tokens,
        context_characters=context_characters,
    )
    contexts = contexts_of(settings)
    bus = open_bus(engine, name)
    runs = Runs(name, repository, bus, grace=settings.drain_seconds)
    service = ChatService(content, repository, pipeline, contexts, runs, history_turns=settings.history_turns)
    mcp = McpFace(content, service, rag, participants.identify)

    def load_a2a() -> OpenFace:
        from workshop_chat.executor import chat_face

        return chat_face(content, service, rag, participants)

    a2a = A2AFace(load_a2a, verifier, AUDIENCE, participants.of_token)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await migrate(engine, MIGRATIONS)
        await bus.start()
        await runs.start()
        try:
            yield
        finally:
            await mcp.close()
            # Before the face that follows answers: what it follows gets its time to finish.
            await runs.close()
            with anyio.CancelScope(shield=True):
                await a2a.close()
            await bus.close()

    readiness = Readiness()
    readiness.add("workshop", content.ready)
    app = create_service_app(f"Assistant of the workshop {name}", service="chat", readiness=readiness, lifespan=lifespan)
    app.state.drain = runs.drain
    app.add_middleware(ParticipantCookieMiddleware)
    send_strangers_to_join(app)
    app.include_router(api_router(content, service, participants.identify))
    app.include_router(openai_router(content, service, participants.identify))
    app.mount("/mcp", mcp.app)
    mount_a2a(app, a2a, partial(chat_card, name), settings.public_url)
    app.include_router(join_router(participants))
    app.include_router(page_router(content, participants.identify, repository))
    return app
