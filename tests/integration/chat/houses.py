"""Chat agents of one workshop on one database, without a platform around them, and their visitors."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Role
from shared_services.kit.sse import ServerSentEvent, decode
from shared_services.kit.tokens import TokenIssuer
from shared_services.llm.gateway import ModelGateway, NullGateway
from tests.unit.chat.worlds import FakeLibrary, FakeSearch, passage
from workshop_chat.app import create_app
from workshop_chat.settings import ChatSettings

CONTEXTS = Path(__file__).with_name("contexts.yaml")
KEY = b"k" * 32


class House:
    """Chat agents of one workshop on one database."""

    def __init__(self) -> None:
        self.issuer = TokenIssuer(Ed25519PrivateKey.generate())

    @asynccontextmanager
    async def app(
        self, engine: AsyncEngine, context: str = "two", gateway: ModelGateway | None = None, **settings: Any
    ) -> AsyncIterator[FastAPI]:
        library = FakeLibrary()
        library.publish()
        app = create_app(
            ChatSettings(workshop="kettle", context=context, contexts_file=CONTEXTS, drain_seconds=0, **settings),
            library=library,
            rag=FakeSearch([passage("Start heating with one command.")]),
            gateway=gateway or NullGateway(),
            engine=engine,
            verifier=self.issuer.verifier(),
            participant_key=KEY,
        )
        async with app.router.lifespan_context(app):
            yield app

    def teacher(self) -> dict[str, str]:
        token = self.issuer.issue("author:a", "chat", roles=frozenset({Role.AUTHOR}), extra={"name": "Ann"})
        return {"authorization": f"Bearer {token}"}


def browser(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://chat.test", timeout=60, **options)


@asynccontextmanager
async def live(http: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    async with http.stream("GET", "/api/v1/live") as response:
        assert response.status_code == 200, await response.aread()
        yield decode(response.aiter_bytes())


async def following(events: AsyncIterator[ServerSentEvent], name: str, fits: Callable[[Any], bool]) -> Any:
    """The data of the next event of this name that fits."""
    with anyio.fail_after(60):
        async for event in events:
            if event.event == name and fits(event.json()):
                return event.json()
    raise AssertionError(f"the stream ended without the event {name!r}")
