"""Puts the chat agent of one workshop together. The same app runs alone in a cluster and under `/w/NAME` on a laptop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog import get_logger

from shared_services.kit.database import migrate
from shared_services.kit.health import Fact, Readiness
from shared_services.kit.http import create_app as create_service_app
from shared_services.kit.tokens import TokenVerifier
from shared_services.llm.gateway import ModelGateway
from shared_services.llm.moderation import Moderator, NullModerator
from workshop_chat import metrics
from workshop_chat.content import WorkshopContent
from workshop_chat.contexts import NOTHING, SHIPPED, ContextLayer, Contexts, read_contexts, read_template
from workshop_chat.endpoints import api_router
from workshop_chat.faces.mcp_server import McpFace
from workshop_chat.faces.openai_api import openai_router
from workshop_chat.join import join_router, send_strangers_to_join
from workshop_chat.narrowing import NarrowedSearch
from workshop_chat.pages.router import page_router
from workshop_chat.participants import ParticipantCookieMiddleware, Participants
from workshop_chat.pipeline import AnswerPipeline
from workshop_chat.ports import Library, Search
from workshop_chat.repository import ConversationRepository
from workshop_chat.service import ChatService
from workshop_chat.settings import ChatSettings
from workshop_chat.tables import MIGRATIONS

log = get_logger()

MAX_TOKENS = 800
CONTEXT_CHARACTERS = 12_000


def contexts_of(settings: ChatSettings) -> Contexts:
    """The contexts that the settings name.

    Raises:
        ContextError: The contexts or the template file cannot be used, or there is no context of the name that the settings give.
    """
    environment = ContextLayer(
        rag_context_filter=None if settings.rag_context_filter is None else list(settings.rag_context_filter),
        content_focus=settings.content_focus,
        safety_level=settings.safety_level,
        participant_limit=settings.participant_limit,
        session_timeout=settings.session_timeout,
    )
    template = read_template(settings.template_file) if settings.template_file else NOTHING
    known = read_contexts(settings.contexts_file or SHIPPED)
    return Contexts(settings.context, known, environment=environment, template=template)


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
    max_tokens: int = MAX_TOKENS,
    context_characters: int = CONTEXT_CHARACTERS,
    moderator: Moderator | None = None,
) -> FastAPI:
    """The app of the workshop that the settings name.

    A mounted app's lifespan is not run by the app that mounts it: enter `app.router.lifespan_context(app)` around serving.

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
        moderator: The safety model; None for none.

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
    contexts = contexts_of(settings)
    moderator = moderator or NullModerator()
    rag = NarrowedSearch(rag, content, contexts)
    pipeline = AnswerPipeline(
        name,
        rag,
        gateway,
        threshold=settings.confidence_threshold,
        passages=settings.passages,
        max_tokens=max_tokens,
        context_characters=context_characters,
        moderator=moderator,
    )
    service = ChatService(content, repository, pipeline, contexts, history_turns=settings.history_turns)
    mcp = McpFace(content, service, rag, participants.identify)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await migrate(engine, MIGRATIONS)
        left = await repository.interrupt_open()
        if left:
            metrics.INTERRUPTED.labels(name).inc(left)
            log.info("unfinished_turns_marked", workshop=name, turns=left)
        try:
            yield
        finally:
            await mcp.close()

    readiness = Readiness()
    readiness.add("workshop", content.ready)
    for fact, told in facts(settings, content, contexts, gateway, moderator).items():
        readiness.tell(fact, told)
    app = create_service_app(f"Assistant of the workshop {name}", service="chat", readiness=readiness, lifespan=lifespan)
    app.add_middleware(ParticipantCookieMiddleware)
    send_strangers_to_join(app)
    app.include_router(api_router(content, service, participants.identify))
    app.include_router(openai_router(content, service, participants.identify))
    app.mount("/mcp", mcp.app)
    app.include_router(join_router(participants))
    app.include_router(page_router(content, participants.identify, repository))
    return app
