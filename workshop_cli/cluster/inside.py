"""What `operate` works with inside a console's pod: the core's key and database, the console beside it, the shared agents."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from shared_services.clients.converter import ConverterClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.patience import patiently
from shared_services.clients.rag import RagClient
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine, storage_errors
from shared_services.kit.errors import BadInputError, PlatformError
from shared_services.kit.tokens import TokenIssuer, TokenSource, load_key
from shared_services.library.service import LibraryService
from workshop_cli.cluster.server import Say
from workshop_cli.settings import ConsoleProcessSettings

WHO = "author:operate"
"""Owns the jobs that `operate` starts."""

REQUEST_SECONDS = 60.0
BUSY_SECONDS = 120.0
_ROLES = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Inside:
    """The core, from inside.

    Attributes:
        library: In the database, without the console between: a workshop is not held in memory twice.
    """

    settings: ConsoleProcessSettings
    issuer: TokenIssuer
    library: LibraryService
    console_http: httpx.AsyncClient
    rag_http: httpx.AsyncClient
    converter_http: httpx.AsyncClient

    def token(self, workshop: str | None = None) -> TokenSource:
        """Tokens of an administrator, for one workshop or for all."""
        return self.issuer.source(WHO, roles=_ROLES, workshop=workshop)

    @staticmethod
    async def stored[T](call: Awaitable[T]) -> T:
        """What the library gives.

        Raises:
            UnavailableError: The database does not answer.
        """
        with storage_errors():
            return await call

    @property
    def console(self) -> LibraryClient:
        """The console, which publishes."""
        return LibraryClient(self.console_http, self.token())

    @property
    def jobs(self) -> JobsClient:
        """Every job of the core."""
        return JobsClient(self.console_http, self.token())

    @property
    def converter(self) -> ConverterClient:
        """The template converter, which alone reaches hosts of repositories."""
        return ConverterClient(self.converter_http, self.token())

    def rag(self, workshop: str) -> RagClient:
        """The RAG agent."""
        return RagClient(self.rag_http, self.token(workshop))


def issuer_of(settings: ConsoleProcessSettings) -> TokenIssuer:
    """Signs with the core's key.

    Raises:
        BadInputError: It is not here: this is not a console's pod.
    """
    if settings.private_key_file is None:
        raise BadInputError(
            "CORE_PRIVATE_KEY_FILE is not set. Run this in a console's pod: "
            "kubectl exec -n workshop-core-system console-0 -- workshop-service operate ..."
        )
    try:
        return TokenIssuer(load_key(settings.private_key_file))
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError(f"The core's private key cannot be read from CORE_PRIVATE_KEY_FILE: {error}") from error


async def when_ready[T](call: Callable[[], Awaitable[T]], say: Say) -> T:
    """What a service answers once it has time; one that says when to ask again is starting, or busy.

    Raises:
        PlatformError: What it answers else, and at last.
    """

    async def on_wait(seconds: float, error: PlatformError) -> None:
        say(f"{error.detail or error.title} Asking again in {seconds:g} s")

    return await patiently(call, on_wait, longest=BUSY_SECONDS)


@asynccontextmanager
async def inside(settings: ConsoleProcessSettings) -> AsyncIterator[Inside]:
    """The core as the console's settings name it, for the length of a block.

    Raises:
        BadInputError: The core's key cannot be read.
    """
    issuer = issuer_of(settings)
    engine = create_engine(settings.database_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)

        async def http(address: str) -> httpx.AsyncClient:
            client = httpx.AsyncClient(base_url=address, timeout=REQUEST_SECONDS, trust_env=False)
            return await stack.enter_async_context(client)

        yield Inside(
            settings,
            issuer,
            LibraryService(engine),
            await http(f"http://127.0.0.1:{settings.port}"),
            await http(settings.rag_endpoint),
            await http(settings.converter_endpoint),
        )
