"""How a command reaches the services: the server that holds the data folder, or the services themselves, started here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared_services.clients.chat import ChatClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer, load_or_create_key
from workshop_cli.datafolder import DataFolder, DataHeldError, hold, holder_of
from workshop_cli.settings import CliSettings

LOCAL_ADDRESS = "http://workshop.internal"
_ROLES = frozenset({Role.ADMIN})


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

    def chat(self, workshop: str) -> ChatClient:
        """The chat agent of a workshop."""
        http = httpx.AsyncClient(
            transport=self._http._transport,  # noqa: SLF001  one transport, another base address
            base_url=f"{self.url or LOCAL_ADDRESS}/w/{workshop}",
        )
        return ChatClient(http, self._issuer.source("author:local", roles=_ROLES, workshop=workshop))


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
    root = settings.data.expanduser().resolve()
    holder = holder_of(root)
    async with AsyncExitStack() as stack:
        if holder is not None and holder.url is not None:
            issuer = TokenIssuer(load_or_create_key(DataFolder(root).core_key))
            http = await stack.enter_async_context(_open_http(holder.url))
            yield _connection(http, issuer, holder.url)
        elif holder is not None:
            raise DataHeldError(
                f"The data folder {root} is held by process {holder.pid} (workshop {holder.command}), which does not serve "
                "requests (yet). Wait for it to end or to finish starting, and try again."
            )
        else:
            # The services take seconds to import, and a command that talks to a server needs none of them.
            from workshop_cli.core import open_core

            folder = stack.enter_context(hold(root, command))
            core = await stack.enter_async_context(open_core(folder, settings, warm=False))
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=InProcessTransport(core.app), base_url=LOCAL_ADDRESS, timeout=httpx.Timeout(None))
            )
            yield _connection(http, core.issuer, None)


def _open_http(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(10.0, read=120.0), trust_env=False)


def data_root(settings: CliSettings) -> Path:
    """The data folder, resolved."""
    return settings.data.expanduser().resolve()
