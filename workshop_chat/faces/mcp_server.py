"""The Model Context Protocol: tools with which an agent or an editor searches the workshop, reads a step and asks.

Nothing is kept of what is asked here. The protocol's package is imported when the first request comes.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared_services.contracts.chat import Answer
from shared_services.contracts.rag import Passage, SearchRequest
from shared_services.kit.errors import PlatformError
from shared_services.kit.http import problem_response, retry_header
from shared_services.kit.logging import request_id
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import StepNotFoundError
from workshop_chat.faces.lazy import LazyApp
from workshop_chat.faces.openai_api import sources
from workshop_chat.help import readable_kinds
from workshop_chat.limits import Gate
from workshop_chat.participants import Participant
from workshop_chat.ports import Search
from workshop_chat.service import ChatService

Identify = Callable[[Request], Participant]

MOST_PASSAGES = 20

_asking: ContextVar[Participant] = ContextVar("asking")
"""Who sends the request that a tool is called by."""


class McpFace:
    """The protocol's endpoint, for whoever may ask the workshop.

    Args:
        content: The workshop.
        service: Answers.
        search: Retrieval in the workshop's scope.
        identify: Who asks; raises where they may not.
        gate: Lets in those who have a place, and their questions within the limits.
    """

    def __init__(self, content: WorkshopContent, service: ChatService, search: Search, identify: Identify, gate: Gate) -> None:
        self._identify = identify
        self._gate = gate
        self._app = LazyApp(lambda: _app(content, service, search, gate))

    @property
    def app(self) -> ASGIApp:
        """To be mounted at `/mcp`."""
        return self._serve

    async def close(self) -> None:
        """End it."""
        await self._app.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                asking = self._identify(Request(scope, receive))
                await self._gate.enter(asking)
            except PlatformError as error:
                await problem_response(error.problem(request_id.get()), retry_header(error))(scope, receive, send)
                return
            _asking.set(asking)
        await self._app(scope, receive, send)


def _app(content: WorkshopContent, service: ChatService, search: Search, gate: Gate) -> Starlette:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.server.transport_security import TransportSecuritySettings

    name = content.workshop
    server: MCPServer[Any] = MCPServer(
        name,
        instructions=f"Search, read and ask the workshop '{name}'. Answers rest on its text and cite it.",
        log_level="WARNING",
    )

    @server.tool()
    async def search_workshop(query: str, limit: int = 5) -> dict[str, Any]:
        """Passages of the workshop that answer a question or hold a command, best first, each with its place."""
        try:
            published = await content.current()
            request = SearchRequest(
                query=query[:20_000],
                limit=max(1, min(limit, MOST_PASSAGES)),
                kinds=readable_kinds("explain", solve_open=False),
                version=published.version,
            )
            found = await search.search(request)
        except PlatformError as error:
            raise ToolError(error.detail or error.title) from error
        own = [passage for passage in found.passages if passage.document is not None or passage.workshop == name]
        return {"confidence": found.confidence, "passages": [_shown(passage) for passage in own]}

    @server.tool()
    async def get_step(step: str) -> dict[str, Any]:
        """A step's text as Markdown; `step` is its id, or its number from 1."""
        try:
            published = await content.current()
            found = await content.step(step_named(step, published.manifest.steps), published.version)
        except PlatformError as error:
            raise ToolError(error.detail or error.title) from error
        return {"id": found.id, "title": found.title, "number": found.number, "of": found.total, "content": found.content}

    @server.tool()
    async def ask(question: str, step: str | None = None) -> str:
        """The workshop assistant's answer, with numbered citations; it says so where the workshop holds none."""
        try:
            asking = _asking.get()
            await gate.question(asking, question)
            asked = await service.question(question, [], step, asking.id)
            async with aclosing(service.reply(asked)) as pieces:
                answer = [piece async for piece in pieces if isinstance(piece, Answer)][-1]
        except PlatformError as error:
            raise ToolError(error.detail or error.title) from error
        return answer.answer + sources(answer.citations)

    # Who may come in is decided before this, by tokens and cookies; the host that is asked for says nothing here.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(
        streamable_http_path="/", stateless_http=True, json_response=True, transport_security=security
    )


def step_named(name: str, order: Sequence[str]) -> str:
    """The step with this id or number.

    Raises:
        StepNotFoundError: There is none; the sentence lists those that there are.
    """
    if name.isascii() and name.isdecimal() and 1 <= int(name) <= len(order):
        return order[int(name) - 1]
    if name not in order:
        raise StepNotFoundError(f"There is no step {name[:80]!r}. The steps: {', '.join(order)}.")
    return name


def _shown(passage: Passage) -> dict[str, Any]:
    return {
        "text": passage.text,
        "heading": passage.heading,
        "step": passage.step,
        "document": passage.document.title if passage.document else None,
        "file": passage.file,
        "lines": [passage.first_line, passage.last_line],
        "kind": passage.kind,
    }
