"""The A2A face of an agent: its card, and a door that lets callers with a token through to what speaks the protocol.

The protocol's library costs half a second and 20 MB, which an agent should not pay before another agent calls. So
this module does not import it: cards are made as plain JSON, tokens are checked here, and what speaks the protocol
(`a2a_server`, and the agent's executor) is imported at the first call, in a thread.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared_services.kit.auth import bearer_token
from shared_services.kit.errors import PlatformError, UnauthenticatedError, UnavailableError
from shared_services.kit.http import problem_response
from shared_services.kit.logging import request_id
from shared_services.kit.tokens import Claims, TokenVerifier

CARD_PATH = "/.well-known/agent-card.json"
FACE_PATH = "/a2a"
JSONRPC_PATH = "/rpc"
REST_PATH = "/rest"
PROTOCOL_VERSION = "1.0"
CLAIMS = "a2a_claims"
"""Where in a request's ASGI scope the caller's claims are."""

JSON = "application/json"
TEXT = "text/plain"

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


@dataclass(frozen=True)
class Skill:
    """What an agent can do, as its card says it.

    Attributes:
        id: Stable name.
        name: For people.
        description: What goes in and what comes out.
        tags: Words to find it by.
        examples: Messages that ask for it.
        input_modes: Media types of the parts that it takes.
    """

    id: str
    name: str
    description: str
    tags: Sequence[str]
    examples: Sequence[str] = ()
    input_modes: Sequence[str] = (JSON,)


def agent_card(*, name: str, description: str, base: str, audience: str, skills: Sequence[Skill]) -> dict[str, Any]:
    """An agent card in the protocol's JSON.

    Args:
        name: The agent's.
        description: What it is for.
        base: Address of the agent's own root, without a slash at its end.
        audience: Service that a token must be for.
        skills: What it can do.
    """
    bindings = {"JSONRPC": JSONRPC_PATH, "HTTP+JSON": REST_PATH}
    return {
        "name": name,
        "description": description,
        "version": "1",
        "supportedInterfaces": [
            {"url": f"{base}{FACE_PATH}{path}", "protocolBinding": binding, "protocolVersion": PROTOCOL_VERSION}
            for binding, path in bindings.items()
        ],
        "capabilities": {"streaming": True, "pushNotifications": False, "extendedAgentCard": False},
        "securitySchemes": {
            "bearer": {
                "httpAuthSecurityScheme": {
                    "scheme": "Bearer",
                    "bearerFormat": "JWT",
                    "description": f"A token of this platform for the service '{audience}'; it says which workshop is meant.",
                }
            }
        },
        "securityRequirements": [{"schemes": {"bearer": {"list": []}}}],
        "defaultInputModes": [TEXT, JSON],
        "defaultOutputModes": [TEXT, JSON],
        "skills": [
            {
                "id": skill.id,
                "name": skill.name,
                "description": skill.description,
                "tags": list(skill.tags),
                "examples": list(skill.examples),
                "inputModes": list(skill.input_modes),
                "outputModes": [TEXT, JSON],
            }
            for skill in skills
        ],
    }


def base_address(scope: Scope, public_url: str = "") -> str:
    """Address of an agent's root, without a slash at its end: the one it is known by, else the one it was called under."""
    if public_url:
        return public_url.rstrip("/")
    host = Headers(scope=scope).get("host", "")
    if not _HOST.fullmatch(host):
        # What is not a host's name must not get into addresses that others call.
        name, port = scope.get("server") or ("localhost", None)
        host = name if port is None else f"{name}:{port}"
    return f"{scope.get('scheme', 'http')}://{host}{quote(scope.get('root_path', '').rstrip('/'))}"


OpenFace = Callable[[], AbstractAsyncContextManager[ASGIApp]]
"""Makes what speaks the protocol, and ends its tasks when left. It is called in the event loop; imports belong before it."""


class A2AFace:
    """The door: checks the token of each call, and opens the face at the first that has one.

    Args:
        load: Imports the protocol's library and gives what makes the face; called once, in a thread.
        verifier: Checks tokens.
        audience: Service that a token must be for.
        admit: Raises a PlatformError for a caller whom the agent does not serve at all.
    """

    def __init__(
        self,
        load: Callable[[], OpenFace],
        verifier: TokenVerifier,
        audience: str,
        admit: Callable[[Claims], object] | None = None,
    ) -> None:
        self._load = load
        self._verifier = verifier
        self._audience = audience
        self._admit = admit
        self._app: ASGIApp | None = None
        self._opening = anyio.Lock()
        self._stack = AsyncExitStack()
        self._closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        try:
            token = bearer_token(Headers(scope=scope).get("authorization"))
            if token is None:
                raise UnauthenticatedError("Send a token: `Authorization: Bearer ...`.")
            claims = self._verifier.verify(token, self._audience)
            if self._admit is not None:
                self._admit(claims)
            app = await self._opened()
        except PlatformError as error:
            headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
            await problem_response(error.problem(request_id.get()), headers)(scope, receive, send)
            return
        await app({**scope, CLAIMS: claims}, receive, send)

    async def close(self) -> None:
        """End the tasks that are under way."""
        async with self._opening:
            self._closed = True
            await self._stack.aclose()

    async def _opened(self) -> ASGIApp:
        if self._app is None:
            async with self._opening:
                if self._closed:
                    raise UnavailableError("The agent is being stopped. Ask again when it has started.")
                if self._app is None:
                    self._app = await self._stack.enter_async_context((await self._loaded())())
        return self._app

    async def _loaded(self) -> OpenFace:
        try:
            return await anyio.to_thread.run_sync(self._load)
        except ImportError as error:
            raise UnavailableError("A2A is not spoken here: the extra `a2a` is not installed.") from error


def mount_a2a(app: FastAPI, face: A2AFace, card: Callable[[str], dict[str, Any]], public_url: str = "") -> None:
    """Give an agent's app its card and its face; whoever ends the app closes the face.

    Args:
        app: The agent's.
        face: What answers under `FACE_PATH`.
        card: The agent's card, given the address of the agent's root.
        public_url: That address, where it is not the one that callers use.
    """

    @app.get(CARD_PATH, include_in_schema=False)
    async def agent_card_json(request: Request) -> JSONResponse:
        # It depends on the address that it was asked for under.
        return JSONResponse(card(base_address(request.scope, public_url)), headers={"cache-control": "no-cache", "vary": "host"})

    app.mount(FACE_PATH, face)
