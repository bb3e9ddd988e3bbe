"""A platform of the real parts: library on SQLite, RAG agent on Milvus Lite with its model, chat agents beside each other."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Mount

from agents.rag.app import create_app as create_rag
from agents.rag.settings import RagSettings
from shared_services.clients.rag import RagClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import WorkshopFiles, validate_files
from shared_services.library.repository import MIGRATIONS as LIBRARY_MIGRATIONS
from shared_services.library.service import LibraryService
from shared_services.llm.gateway import ModelGateway, NullGateway
from shared_services.llm.llama_stack import LlamaStackGateway, Patience
from shared_services.llm.moderation import Moderator
from tests.integration.chat.houses import House
from tests.integration.chat.workshops import HARBOR, ORCHARD, files_of
from tests.postgres import throwaway_postgres
from tests.upstream import ScriptedUpstream
from workshop_chat.app import create_app
from workshop_chat.settings import ChatSettings
from workshop_chat.tables import MIGRATIONS, Base

KEY = b"the chat agents' own secret, 32+"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with throwaway_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    return f"sqlite:///{tmp_path}/chat.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@asynccontextmanager
async def migrated(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A store with the chat agent's tables, which are dropped afterwards."""
    made = create_engine(database_url)
    await migrate(made, MIGRATIONS)
    await migrate(made, MIGRATIONS)
    yield made
    async with made.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.exec_driver_sql("DROP TABLE chat_alembic_version")
    await made.dispose()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A store of each kind."""
    async with migrated(database_url) as made:
        yield made


@pytest.fixture
async def postgres_engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A store that several processes can share."""
    async with migrated(postgres_url) as made:
        yield made


@dataclass
class LibraryFiles:
    """Gives the RAG agent the files of a version."""

    library: LibraryService

    async def fetch(self, workshop: str, version: str) -> WorkshopFiles:
        held = await self.library.version(workshop, version)
        return validate_files({file.path: await self.library.file(workshop, file.sha256) for file in held.files})


@dataclass
class Platform:
    """What chat agents stand on."""

    issuer: TokenIssuer
    engine: AsyncEngine
    library: LibraryService
    rag: FastAPI

    def rag_client(self, http: httpx.AsyncClient, **claims: Any) -> RagClient:
        return RagClient(http, self.issuer.source("service:test", **claims))

    async def publish(self, files: WorkshopFiles) -> None:
        version = await self.library.draft(files)
        slug = files.manifest.slug
        async with httpx.AsyncClient(transport=InProcessTransport(self.rag), base_url="http://rag", timeout=60) as http:
            client = self.rag_client(http, workshop=slug, roles=frozenset({Role.AUTHOR}))
            await client.index(slug, version.version)
            await self.library.set_current(slug, version.version)
            await client.activate(slug, version.version)

    @asynccontextmanager
    async def app(
        self,
        workshop: str,
        *,
        gateway: ModelGateway | None = None,
        engine: AsyncEngine | None = None,
        join_code: str | None = None,
        tags: tuple[str, ...] = (),
        moderator: Moderator | None = None,
        **settings: Any,
    ) -> AsyncIterator[FastAPI]:
        """A running chat agent of `workshop`; `tags` are what its token carries.

        Tests ask faster than people, and come in crowds: unless they say otherwise, there is room for all, nobody waits for a
        busy model, and it ends at once.
        """
        if not {"context", "contexts_file"} & settings.keys():
            settings = {"participant_limit": 100_000, **settings}
        settings = {"drain_seconds": 0, "messages_per_minute": 0, "answers_at_once": 0, "model_wait_seconds": 0, **settings}
        async with httpx.AsyncClient(transport=InProcessTransport(self.rag), base_url="http://rag", timeout=60) as http:
            rag = self.rag_client(http, workshop=workshop, tags=tags)
            app = create_app(
                ChatSettings(workshop=workshop, access="code" if join_code else "open", **settings),
                library=self.library,
                rag=rag,
                embeddings=rag,
                gateway=gateway or NullGateway(),
                engine=engine or self.engine,
                verifier=self.issuer.verifier(),
                participant_key=KEY,
                join_code=join_code,
                moderator=moderator,
            )
            async with app.router.lifespan_context(app):
                yield app


def browser(app: FastAPI, workshop: str = "harbor", **options: Any) -> httpx.AsyncClient:
    """Someone's browser at a chat agent that is mounted as on a laptop, with a cookie jar of its own."""
    laptop = Starlette(routes=[Mount(f"/w/{workshop}", app)])
    address = f"http://workshop.test/w/{workshop}"
    return httpx.AsyncClient(transport=InProcessTransport(laptop), base_url=address, timeout=60, **options)


@pytest.fixture(scope="session")
async def platform(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("platform")
    engine = create_engine(f"sqlite:///{folder}/platform.db")
    await migrate(engine, LIBRARY_MIGRATIONS)
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    library = LibraryService(engine)
    rag = create_rag(RagSettings(data=folder / "rag"), engine, issuer.verifier(), LibraryFiles(library))
    async with rag.router.lifespan_context(rag):
        built = Platform(issuer, engine, library, rag)
        await built.publish(files_of("harbor", "Ships in the harbor", HARBOR))
        await built.publish(files_of("orchard", "Apples in the orchard", ORCHARD))
        yield built
    await engine.dispose()


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as server:
        yield server


@pytest.fixture
def model(upstream: ScriptedUpstream) -> LlamaStackGateway:
    return LlamaStackGateway(upstream.url, patience=Patience(connect=20, first_token=30, gap=30, total=60, retries=0))


@pytest.fixture
async def processes(engine: AsyncEngine, database_url: str) -> AsyncIterator[list[AsyncEngine]]:
    """Two engines on one database, as two processes have them."""
    other = create_engine(database_url)
    yield [engine, other]
    await other.dispose()


@pytest.fixture
async def apps(processes: list[AsyncEngine], database_url: str) -> AsyncIterator[tuple[House, FastAPI, FastAPI]]:
    """Two chat agents with room for two. On SQLite, where one process is all, it is the same one twice."""
    house = House()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(house.app(processes[0]))
        postgres = database_url.startswith("postgres")
        yield house, one, await stack.enter_async_context(house.app(processes[1])) if postgres else one
