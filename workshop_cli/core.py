"""The one place that puts every service together, for a laptop: one process, one data folder."""

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from agents.rag.app import create_app as create_rag_app
from agents.rag.files import LibraryFiles
from agents.rag.job import INDEX, REINDEX, index_job, reindex_job
from agents.rag.service import Progress, RagService
from agents.rag.settings import RagSettings
from agents.template_converter.app import create_app as create_converter_app
from agents.template_converter.job import converter_jobs
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from console.app import create_app as create_console_app
from console.joining import Meeting
from console.settings import ConsoleSettings
from shared_services.clients.converter import ConverterClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Identity, Role
from shared_services.jobs.service import Jobs
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.tokens import Claims, TokenIssuer, TokenSource, load_or_create_key
from shared_services.library.publishing import PUBLISH, REMOVE, publish_job, remove_job
from shared_services.library.repository import MIGRATIONS as LIBRARY_MIGRATIONS
from shared_services.library.service import LibraryService
from shared_services.llm.gateway import ModelGateway
from shared_services.llm.settings import LlmSettings, build_gateway, build_moderator
from workshop_chat.app import create_app as create_chat_app
from workshop_chat.contexts import WorkshopContext
from workshop_chat.settings import ChatSettings, contexts_of
from workshop_cli.access import access_for, join_code
from workshop_cli.context import ContextSearch
from workshop_cli.datafolder import DataFolder
from workshop_cli.mounts import ChatMounts, House
from workshop_cli.settings import CliSettings

CORE = frozenset({Role.ADMIN})
DRAIN_SECONDS = 2.0
"""Who presses Ctrl-C waits for running answers no longer than this."""


def load_or_create_secret(folder: DataFolder) -> bytes:
    """The secret that the chat agents' own cookies and the join codes follow from."""
    path = folder.participant_key
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(secrets.token_bytes(32))
        draft.replace(path)
    return path.read_bytes()


@dataclass(frozen=True)
class Core:
    """Every service of this process, running."""

    app: ASGIApp
    issuer: TokenIssuer
    library: LibraryService
    jobs: Jobs
    rag: RagClient
    chats: ChatMounts
    secret: bytes

    def token(self, subject: str, *, roles: frozenset[Role] = CORE, workshop: str | None = None) -> TokenSource:
        """A source of tokens signed here."""
        return self.issuer.source(subject, roles=roles, workshop=workshop)


class _Builder:
    """Makes the parts that need each other late: a job's clients reach apps that are built after the jobs."""

    def __init__(self, folder: DataFolder, settings: CliSettings, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.settings = settings
        self.stack = stack
        self.issuer = TokenIssuer(load_or_create_key(folder.core_key))
        self.secret = load_or_create_secret(folder)
        self.engine: AsyncEngine = create_engine(folder.database_url)
        self.library = LibraryService(self.engine)
        self.llm = LlmSettings()
        self.gateway: ModelGateway = build_gateway(self.llm)
        self.moderator = build_moderator(self.llm)
        self.apps: dict[str, FastAPI] = {}
        self._http: dict[str, httpx.AsyncClient] = {}

    def http(self, name: str) -> httpx.AsyncClient:
        """A client of the app named `name`, in this process."""
        if name not in self._http:
            transport = InProcessTransport(self.apps[name])
            self._http[name] = httpx.AsyncClient(transport=transport, base_url=f"http://{name}.internal")
        return self._http[name]

    async def close_clients(self) -> None:
        for client in self._http.values():
            await client.aclose()

    def library_client(self, workshop: str | None = None, roles: frozenset[Role] = CORE) -> LibraryClient:
        return LibraryClient(self.http("console"), self.issuer.source("service:core", roles=roles, workshop=workshop))

    def library_files(self) -> LibraryFiles:
        return LibraryFiles(self.library_client())

    def rag_service(self) -> RagService:
        service: RagService = self.apps["rag"].state.service
        return service

    async def reindex_documents(self, claims: Claims, progress: Progress) -> int:
        renewed: int = await self.apps["rag"].state.documents.reindex(claims, progress)
        return renewed

    def rag_client(self, workshop: str | None, roles: frozenset[Role] = CORE) -> RagClient:
        return RagClient(self.http("rag"), self.issuer.source("service:core", roles=roles, workshop=workshop))

    def converter_client(self, person: Identity) -> ConverterClient:
        token = self.issuer.source(person.id, roles=person.roles, workshop=person.workshop)
        return ConverterClient(self.http("template-converter"), token)

    async def chat_app(self, workshop: str) -> FastAPI:
        """The chat agent of a workshop; it holds tokens for its own workshop alone.

        Raises:
            WorkshopNotFoundError: Nothing is published under this name.
        """
        await self.library.current(workshop)

        def token(context: WorkshopContext) -> TokenSource:
            return self.issuer.source(
                f"service:chat:{workshop}",
                roles=frozenset({Role.PARTICIPANT}),
                workshop=workshop,
                tags=context.rag_context_filter or (),
                content_focus=context.content_focus,
            )

        settings = ChatSettings(workshop=workshop, access=access_for(self.settings), drain_seconds=DRAIN_SECONDS)
        contexts = contexts_of(settings)
        key = hmac.digest(self.secret, f"participants:{workshop}".encode(), hashlib.sha256)
        retrieval = ContextSearch(workshop, self.library, contexts, lambda context: RagClient(self.http("rag"), token(context)))
        return create_chat_app(
            settings,
            library=LibraryClient(self.http("console"), token(WorkshopContext())),
            rag=retrieval,
            embeddings=retrieval,
            gateway=self.gateway,
            engine=self.engine,
            verifier=self.issuer.verifier(),
            participant_key=key,
            join_code=join_code(self.secret, workshop),
            max_tokens=self.llm.max_tokens,
            context_characters=self.llm.context_characters,
            moderator=self.moderator,
        )


@asynccontextmanager
async def open_core(folder: DataFolder, settings: CliSettings, *, warm: bool) -> AsyncIterator[Core]:
    """Every service on one data folder, started; stopped when the block ends.

    Unfinished jobs of an earlier process go on at once.

    Args:
        folder: Held by this process.
        settings: Who may come in, and what listens where.
        warm: Load the embedding model at once; else when it is first needed.

    Raises:
        NewerDataError: A newer version of the program wrote the data.
        StorageFullError: The disk is full.
    """
    async with AsyncExitStack() as stack:
        builder = _Builder(folder, settings, stack)
        stack.push_async_callback(builder.engine.dispose)
        stack.push_async_callback(builder.close_clients)
        await migrate(builder.engine, LIBRARY_MIGRATIONS)
        chats = ChatMounts(builder.chat_app)
        stack.push_async_callback(chats.close)
        converter = ConverterService(ConverterSettings())
        jobs = Jobs(
            builder.engine,
            folder.jobs_url,
            {
                **converter_jobs(converter, builder.library_client),
                INDEX: index_job(builder.rag_service, builder.library_files),
                PUBLISH: publish_job(builder.library, builder.rag_client),
                REINDEX: reindex_job(builder.rag_service, builder.library_files, builder.reindex_documents),
                REMOVE: remove_job(builder.library, builder.rag_client, chats.drop),
            },
            concurrency=JobsSettings().concurrency,
        )
        verifier = builder.issuer.verifier()

        async def code_of(workshop: str) -> str | None:
            return join_code(builder.secret, workshop) if access_for(settings) == "code" else None

        builder.apps["template-converter"] = create_converter_app(converter, verifier, jobs=jobs, library=builder.library_client)
        builder.apps["console"] = create_console_app(
            ConsoleSettings(),
            issuer=builder.issuer,
            library=builder.library,
            jobs=jobs,
            converter_for=builder.converter_client,
            meeting=Meeting(code_of, settings.public_url),
        )
        builder.apps["rag"] = create_rag_app(
            RagSettings(data=folder.rag),
            builder.engine,
            verifier,
            files_source=builder.library_files(),
            jobs=jobs,
            warm=warm,
        )
        for app in builder.apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        await jobs.start()
        stack.push_async_callback(jobs.stop)
        agents: dict[str, ASGIApp] = {name: builder.apps[name] for name in ("rag", "template-converter")}
        house = House(builder.apps["console"], agents, chats)
        rag = builder.rag_client(None)
        yield Core(house, builder.issuer, builder.library, jobs, rag, chats, builder.secret)
