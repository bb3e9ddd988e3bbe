"""The whole laptop's house on a socket, with the converter under `/agents/template-converter`, and repositories to give it."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from shared_services.clients.converter import ConverterClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer, load_key
from tests.serving import serve
from workshop_cli.core import Core, open_core
from workshop_cli.datafolder import hold
from workshop_cli.settings import CliSettings

ADMIN = frozenset({Role.ADMIN})
AUTHOR = frozenset({Role.AUTHOR})


@dataclass
class House:
    """A served house; `core` belongs to the server's own loop, so tests speak to it over HTTP."""

    url: str
    issuer: TokenIssuer
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def converter_url(self) -> str:
        return f"{self.url}/agents/template-converter"

    def token(self, subject: str = "ann", roles: frozenset[Role] = ADMIN, **claims: Any) -> str:
        return self.issuer.issue(subject, "template-converter", roles=roles, **claims)

    def converter(self, subject: str = "ann", roles: frozenset[Role] = ADMIN) -> ConverterClient:
        return ConverterClient(self._http(self.converter_url), self.issuer.source(subject, roles=roles))

    def jobs(self, subject: str = "ann", roles: frozenset[Role] = ADMIN) -> JobsClient:
        return JobsClient(self._http(self.url), self.issuer.source(subject, roles=roles))

    def library(self, subject: str = "ann", roles: frozenset[Role] = ADMIN) -> LibraryClient:
        return LibraryClient(self._http(self.url), self.issuer.source(subject, roles=roles))

    def _http(self, base: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=base, timeout=120)
        self.opened.append(client)
        return client

    async def close(self) -> None:
        for client in self.opened:
            await client.aclose()
        self.opened.clear()


class _Served:
    """Opens the core in its lifespan."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._core: Core | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._core is not None
        await self._core.app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            assert (await receive())["type"] == "lifespan.startup"
            held = stack.enter_context(hold(self._folder, "test"))
            self._core = await stack.enter_async_context(open_core(held, CliSettings(data=self._folder), warm=False))
            await send({"type": "lifespan.startup.complete"})
            assert (await receive())["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A house on a data folder, served until the block ends."""
    with serve(_Served(folder)) as url:
        key = next(path for path in folder.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()[:64])
        yield House(url, TokenIssuer(load_key(key)))


APPLICATION = {
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi"]\n',
    "shop/main.py": 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/orders")\ndef orders() -> list[str]:\n    return []\n',
    "README.md": "# Shop\n\nSells things.\n",
}
