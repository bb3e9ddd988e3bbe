"""Client of agents that speak A2A; the protocol's library is imported at the first call.

The token goes to the agent's own address and to no other: a card that names another host is refused.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError

from shared_services.clients.rag import OnProgress
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import IndexStatus, SearchRequest, SearchResponse
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX, ProblemError, UnavailableError
from shared_services.kit.logging import request_id
from shared_services.kit.tokens import TokenSource

if TYPE_CHECKING:
    from a2a.client import Client
    from a2a.types import AgentCard, StreamResponse

# A stream says something every fifteen seconds.
SILENCE_SECONDS = 60.0


class A2AClient:
    """Calls the RAG agent's skills.

    Args:
        http: Has the address of the agent's own root as `base_url`; the caller opens and closes it.
        token: Gives a token for `audience`.
        audience: Service that the token is for.
    """

    def __init__(self, http: httpx.AsyncClient, token: TokenSource, audience: str = "rag") -> None:
        self._http = http
        self._token = token
        self._audience = audience
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def card(self) -> "AgentCard":
        """The agent's card.

        Raises:
            UnavailableError: The agent does not answer, or its card cannot be read or names another host.
        """
        client_library = await asyncio.to_thread(_library)
        try:
            card = await client_library.A2ACardResolver(self._http, self._base).get_agent_card()
        except client_library.A2AClientError as error:
            raise UnavailableError(f"The agent at {self._base} gives no card: {error}") from error
        for interface in card.supported_interfaces:
            if urlsplit(interface.url)[:2] != urlsplit(self._base)[:2]:
                raise UnavailableError(
                    f"The card of the agent at {self._base} names {interface.url}, another host; no token is sent there. "
                    "Set the agent's public address to the one that it is called by."
                )
        return card

    async def search(self, request: SearchRequest) -> SearchResponse:
        """Passages for a question, best first, from the token's workshop.

        Raises:
            ProblemError: What the agent said went wrong.
            UnavailableError: The agent does not answer as the protocol wants it.
        """
        async for event in self._send(request.model_dump(mode="json", exclude_none=True)):
            if event.HasField("message"):
                return _read(SearchResponse, _data(event.message.parts))
        raise UnavailableError(f"The agent at {self._base} ended without an answer.")

    async def index(
        self, workshop: str, version: str, on_progress: OnProgress | None = None, *, activate: bool = False
    ) -> IndexStatus:
        """Index a version; `on_progress` gets chunks done and in all.

        Raises:
            ProblemError: What the agent said went wrong.
            UnavailableError: The agent ended before the index was built.
        """
        found: IndexStatus | None = None
        async for event in self._send({"workshop": workshop, "version": version, "activate": activate}):
            if event.HasField("artifact_update"):
                found = _read(IndexStatus, _data(event.artifact_update.artifact.parts))
            elif event.HasField("status_update") and on_progress is not None:
                told = _data(event.status_update.status.message.parts)
                if isinstance(told, dict) and {"done", "total"} <= told.keys():
                    await on_progress(int(told["done"]), int(told["total"]))
        if found is None:
            raise UnavailableError(f"The agent at {self._base} ended before the index was built. The old index still serves.")
        return found

    @property
    def _base(self) -> str:
        return str(self._http.base_url).rstrip("/")

    async def _send(self, data: dict[str, Any]) -> AsyncIterator["StreamResponse"]:
        """Send a data part, and give what comes back until the task or the message is there.

        Raises:
            ProblemError: The task ended with a problem.
        """
        library = await asyncio.to_thread(_library)
        client = await self._connected()
        headers = {"Authorization": f"Bearer {self._token(self._audience)}"}
        if request_id.get():
            headers["x-request-id"] = request_id.get()
        context = library.ClientCallContext(service_parameters=headers, timeout=SILENCE_SECONDS)
        request = library.message({"messageId": uuid4().hex, "role": "ROLE_USER", "parts": [{"data": data}]})
        try:
            async for event in client.send_message(request, context=context):
                _raise_for_end(library, event)
                yield event
        except library.A2AError as error:
            _raise_as_problem(error, self._base)

    async def _connected(self) -> "Client":
        async with self._connecting:
            if self._client is None:
                library = await asyncio.to_thread(_library)
                card = await self.card()
                self._client = library.connect(self._http, card)
            return self._client


class _Library:
    """What is used of the protocol's library."""

    def __init__(self) -> None:
        from a2a.client import A2ACardResolver, A2AClientError, ClientCallContext, ClientConfig, ClientFactory
        from a2a.types import SendMessageRequest, TaskState
        from a2a.utils.errors import A2AError
        from google.protobuf import json_format

        self.A2ACardResolver = A2ACardResolver
        self.A2AClientError = A2AClientError
        self.A2AError = A2AError
        self.ClientCallContext = ClientCallContext
        self._config = ClientConfig
        self._factory = ClientFactory
        self._json = json_format
        self._request = SendMessageRequest
        self.failed = {TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_REJECTED, TaskState.TASK_STATE_CANCELED}

    def connect(self, http: httpx.AsyncClient, card: "AgentCard") -> "Client":
        """A client of the agent with this card, on `http`."""
        return self._factory(self._config(httpx_client=http)).create(card)

    def message(self, message: dict[str, Any]) -> Any:
        """A request that sends a message."""
        return self._json.ParseDict({"message": message}, self._request())


@cache
def _library() -> _Library:
    return _Library()


def _data(parts: Any) -> Any:
    from google.protobuf.json_format import MessageToDict

    return next((MessageToDict(part.data) for part in parts if part.WhichOneof("content") == "data"), None)


def _read[M: BaseModel](shape: type[M], data: Any) -> M:
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise UnavailableError("The agent answered in a form that is not understood.") from error


def _raise_for_end(library: _Library, event: "StreamResponse") -> None:
    task = event.task if event.HasField("task") else event.status_update if event.HasField("status_update") else None
    if task is None or task.status.state not in library.failed:
        return
    data = _data(task.status.message.parts)
    texts = [part.text for part in task.status.message.parts if part.WhichOneof("content") == "text"]
    try:
        problem = Problem.model_validate(data)
    except ValidationError:
        problem = Problem(
            type=f"{PROBLEM_TYPE_PREFIX}a2a-task-ended", title="The task ended early", status=409, detail=" ".join(texts)
        )
    raise ProblemError(problem)


def _raise_as_problem(error: Exception, base: str) -> NoReturn:
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPStatusError):
        try:
            raise ProblemError(Problem.model_validate_json(cause.response.content)) from error
        except (ValidationError, httpx.ResponseNotRead):
            raise UnavailableError(f"The agent at {base} refused the call with HTTP {cause.response.status_code}.") from error
    raise UnavailableError(f"The agent at {base} did not take the call: {error}") from error
