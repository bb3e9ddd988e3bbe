"""The Model Context Protocol: tools with which an agent or an editor searches the workshop, reads a step and asks.

Nothing is kept of what is asked here. The protocol's package is imported when the first request comes.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared_services.contracts.chat import Answer
from shared_services.contracts.rag import Passage, SearchRequest
from shared_services.kit.errors import PlatformError
from shared_services.kit.http import problem_response
from shared_services.kit.logging import request_id
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import StepNotFoundError
from workshop_chat.faces.lazy import LazyApp
from workshop_chat.faces.openai_api import sources
from workshop_chat.masking import mask_secrets
from workshop_chat.participants import Participant
from workshop_chat.ports import Search
from workshop_chat.service import ChatService
from workshop_chat.stages.moderate import moderate_passages
from workshop_chat.stages.retrieve import READABLE

Identify = Callable[[Request], Participant]

MOST_PASSAGES = 20


class McpFace:
    """The protocol's endpoint, for whoever may ask the workshop.

    Args:
        content: The workshop.
        service: Answers.
        search: Retrieval in the workshop's scope.
        identify: Who asks; raises where they may not.
    """

    def __init__(self, content: WorkshopContent, service: ChatService, search: Search, identify: Identify) -> None:
        self._identify = identify
        self._app = LazyApp(lambda: _app(content, service, search))

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
                self._identify(Request(scope, receive))
            except PlatformError as error:
                await problem_response(error.problem(request_id.get()))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _app(content: WorkshopContent, service: ChatService, search: Search) -> Starlette:
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
                query=mask_secrets(query[:20_000]).text,
                limit=max(1, min(limit, MOST_PASSAGES)),
                kinds=READABLE,
                version=published.version,
            )
            found = await search.search(request)
        except PlatformError as error:
            raise ToolError(error.detail or error.title) from error
        own = [passage for passage in found.passages if passage.document is not None or passage.workshop == name]
        # Who reads them is an assistant, too.
        safe, _ = moderate_passages(service.level(published), own)
        return {"confidence": found.confidence, "passages": [_shown(passage) for passage in safe]}

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
            asked = await service.question(question[:20_000], [], step)
            async with aclosing(service.reply(asked)) as pieces:
                answer = [piece async for piece in pieces if isinstance(piece, Answer)][-1]
        except PlatformError as error:
            raise ToolError(error.detail or error.title) from error
        note = f"\n\n*{answer.note}*" if answer.note else ""
        return answer.answer + note + sources(answer.citations)

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
