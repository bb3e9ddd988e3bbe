"""The console as a process of its own, the core of a cluster: pages, library, jobs, and tokens in exchange for credentials.

Several may run on one database. The only process that holds the private key; the RAG agent and the template converter are
reached over HTTP with tokens that are signed here.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx
from fastapi import FastAPI

from console.app import create_app
from console.credentials import MIGRATIONS as CREDENTIAL_MIGRATIONS
from console.credentials import CredentialRepository
from console.joining import Meeting
from console.settings import ConsoleSettings
from shared_services.clients.converter import ConverterClient
from shared_services.clients.rag import RagClient
from shared_services.contracts.identity import Identity, Role
from shared_services.jobs.service import Jobs
from shared_services.jobs.settings import JobsSettings
from shared_services.kit.database import create_engine, is_server, migrate, reachable
from shared_services.kit.health import Readiness
from shared_services.kit.logging import configure_logging
from shared_services.kit.opening import Prepare
from shared_services.kit.process import StartError, run_reporting, serve
from shared_services.kit.tokens import TokenIssuer, load_key
from shared_services.library.publishing import PUBLISH, REMOVE, RETRIES_OVER_A_NETWORK, publish_job, remove_job
from shared_services.library.repository import MIGRATIONS as LIBRARY_MIGRATIONS
from shared_services.library.service import LibraryService
from workshop_cli.settings import ConsoleProcessSettings

SUBJECT = "service:core"
REQUEST_SECONDS = 30.0
GRACE_SECONDS = 10


def issuer_of(settings: ConsoleProcessSettings) -> TokenIssuer:
    """Signs with the core's key.

    Raises:
        StartError: No key is named, or it cannot be read.
    """
    if settings.private_key_file is None:
        raise StartError("CORE_PRIVATE_KEY_FILE is not set. Name the PEM file with the core's private key.")
    try:
        return TokenIssuer(load_key(settings.private_key_file))
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"The core's private key cannot be read from CORE_PRIVATE_KEY_FILE: {error}") from error


@dataclass(frozen=True)
class CoreClients:
    """The shared agents, asked by the core."""

    issuer: TokenIssuer
    rag_http: httpx.AsyncClient
    converter_http: httpx.AsyncClient

    def rag(self, workshop: str | None) -> RagClient:
        """The RAG agent, with a token for one workshop, or for all."""
        return RagClient(self.rag_http, self.issuer.source(SUBJECT, roles=frozenset({Role.ADMIN}), workshop=workshop))

    def converter(self, person: Identity) -> ConverterClient:
        """The template converter, asked in a person's name."""
        token = self.issuer.source(person.id, roles=person.roles, workshop=person.workshop)
        return ConverterClient(self.converter_http, token)


def core_clients(settings: ConsoleProcessSettings, issuer: TokenIssuer) -> CoreClients:
    """Clients at the addresses that the settings name; the caller closes `rag_http` and `converter_http`."""
    tls = httpx.create_ssl_context()
    client = partial(httpx.AsyncClient, timeout=REQUEST_SECONDS, verify=tls)
    return CoreClients(issuer, client(base_url=settings.rag_endpoint), client(base_url=settings.converter_endpoint))


async def _nothing_to_close(_workshop: str) -> None:
    """A workshop's chat agent is another process, which sees for itself that its workshop is gone."""


@dataclass(frozen=True)
class ConsoleProcess:
    """The console, put together.

    Attributes:
        app: Opens and closes everything in its lifespan.
        prepare: Makes the tables; tried until the databases are there.
        drain: Ends the streams that would go on for ever.
    """

    app: FastAPI
    prepare: Prepare
    drain: Callable[[], None]


def build(settings: ConsoleProcessSettings, running: JobsSettings) -> ConsoleProcess:
    """Put the console together.

    Raises:
        StartError: The private key cannot be read.
    """
    issuer = issuer_of(settings)
    clients = core_clients(settings, issuer)
    engine = create_engine(settings.database_url)
    library, credentials = LibraryService(engine), CredentialRepository(engine)
    jobs = Jobs(
        engine,
        settings.jobs_url,
        {
            PUBLISH: publish_job(library, clients.rag, retries=RETRIES_OVER_A_NETWORK),
            REMOVE: remove_job(library, clients.rag, _nothing_to_close, retries=RETRIES_OVER_A_NETWORK),
        },
        running.executor_id,
        concurrency=running.concurrency,
    )

    async def prepare() -> None:
        for migrations in (LIBRARY_MIGRATIONS, CREDENTIAL_MIGRATIONS):
            await migrate(engine, migrations)
        await jobs.prepare()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            await stack.enter_async_context(clients.rag_http)
            await stack.enter_async_context(clients.converter_http)
            await prepare()
            await jobs.start()
            stack.push_async_callback(jobs.stop)
            yield

    readiness = Readiness()
    readiness.add("database", partial(reachable, engine))
    app = create_app(
        ConsoleSettings(),
        issuer=issuer,
        library=library,
        jobs=jobs,
        converter_for=clients.converter,
        meeting=Meeting(credentials.join_code, settings.public_url, settings.workshop_url),
        credentials=credentials,
        readiness=readiness,
        lifespan=lifespan,
    )
    return ConsoleProcess(app, prepare, jobs.drain)


def _run() -> int:
    settings = ConsoleProcessSettings()
    configure_logging(settings.log_level, as_json=settings.log_json)
    console = build(settings, JobsSettings())
    prepare = console.prepare if is_server(settings.database_url) else None
    return serve(console.app, settings.host, settings.port, grace=GRACE_SECONDS, drain=console.drain, prepare=prepare)


def main() -> int:
    """Run until stopped; the exit status."""
    return run_reporting(_run)
