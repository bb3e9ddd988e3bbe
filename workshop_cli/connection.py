"""How a command reaches the services: the server that holds the data folder, or the services themselves, started here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from shared_services.clients.chat import ChatClient
from shared_services.clients.documents import DocumentsClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Role
from shared_services.contracts.library import WorkshopSummary, WorkshopVersion
from shared_services.kit.tokens import TokenIssuer, load_or_create_key
from workshop_cli.datafolder import DataFolder, DataHeldError, hold, holder_of
from workshop_cli.settings import CliSettings

LOCAL_ADDRESS = "http://workshop.internal"
_ROLES = frozenset({Role.ADMIN})


class ReadsLibrary(Protocol):
    """Reads published versions: the library itself, or a client of it."""

    async def list(self) -> list[WorkshopSummary]:
        """Every workshop's current version."""
        ...

    async def current(self, workshop: str) -> WorkshopVersion:
        """The version that participants see."""
        ...


@dataclass(frozen=True)
class Connection:
    """Clients of the services; the person at this machine's keyboard is their administrator.

    Attributes:
        url: The running server, None when the services run in this process.
    """

    library: LibraryClient
    jobs: JobsClient
    url: str | None
    _http: httpx.AsyncClient
    _issuer: TokenIssuer

    @property
    def documents(self) -> DocumentsClient:
        """The shared documents."""
        http = httpx.AsyncClient(
            transport=self._http._transport,  # noqa: SLF001  as below
            base_url=f"{self.url or LOCAL_ADDRESS}/agents/rag",
            timeout=self._http.timeout,
        )
        return DocumentsClient(http, self._issuer.source("author:local", roles=_ROLES))

    def chat(self, workshop: str) -> ChatClient:
        """The chat agent of a workshop."""
        return ChatClient(self._at(f"w/{workshop}"), self._issuer.source("author:local", roles=_ROLES, workshop=workshop))

    def rag(self) -> RagClient:
        """The RAG agent."""
        return RagClient(self._at("agents/rag"), self._issuer.source("author:local", roles=_ROLES))

    def _at(self, path: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._http._transport,  # noqa: SLF001  one transport, another base address
            base_url=f"{self.url or LOCAL_ADDRESS}/{path}",
        )


def _connection(http: httpx.AsyncClient, issuer: TokenIssuer, url: str | None) -> Connection:
    token = issuer.source("author:local", roles=_ROLES)
    return Connection(LibraryClient(http, token), JobsClient(http, token), url, http, issuer)


@asynccontextmanager
async def connect(settings: CliSettings, command: str) -> AsyncIterator[Connection]:
    """Connect for one command.

    Raises:
        DataHeldError: Another process holds the data folder and does not serve.
        PlatformError: The data folder cannot be used.
    """
    root = data_root(settings)
    async with AsyncExitStack() as stack:
        server = _server_of(root)
        if server is not None:
            yield await _to_server(stack, root, server)
            return
        # The services take seconds to import, and a command that talks to a server needs none of them.
        from workshop_cli.core import open_core

        folder = stack.enter_context(hold(root, command))
        core = await stack.enter_async_context(open_core(folder, settings, warm=False))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=InProcessTransport(core.app), base_url=LOCAL_ADDRESS, timeout=httpx.Timeout(None))
        )
        yield _connection(http, core.issuer, None)


@asynccontextmanager
async def connect_library(settings: CliSettings, command: str) -> AsyncIterator[ReadsLibrary]:
    """Connect for a command that only reads the library: without a server, nothing but the library is started.

    Raises:
        DataHeldError: Another process holds the data folder and does not serve.
        PlatformError: The data folder cannot be used.
    """
    root = data_root(settings)
    async with AsyncExitStack() as stack:
        server = _server_of(root)
        if server is not None:
            yield (await _to_server(stack, root, server)).library
            return
        from shared_services.kit.database import create_engine, migrate
        from shared_services.library.repository import MIGRATIONS
        from shared_services.library.service import LibraryService

        folder = stack.enter_context(hold(root, command))
        engine = create_engine(folder.database_url)
        stack.push_async_callback(engine.dispose)
        await migrate(engine, MIGRATIONS)
        yield LibraryService(engine)


def _server_of(root: Path) -> str | None:
    """The address of the server that holds the folder; None when nobody holds it."""
    holder = holder_of(root)
    if holder is None:
        return None
    if holder.url is None:
        raise DataHeldError(
            f"The data folder {root} is held by {holder.who}, which does not serve requests (yet). "
            "Wait for it to end or to finish starting, and try again."
        )
    return holder.url


async def _to_server(stack: AsyncExitStack, root: Path, url: str) -> Connection:
    issuer = TokenIssuer(load_or_create_key(DataFolder(root).core_key))
    return _connection(await stack.enter_async_context(_open_http(url)), issuer, url)


def _open_http(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(10.0, read=120.0), trust_env=False)


def data_root(settings: CliSettings) -> Path:
    """The data folder, resolved."""
    return settings.data.expanduser().resolve()
