"""Client of a workshop's chat agent."""

from collections.abc import AsyncIterator

import httpx

from shared_services.clients.service import NO_TIMEOUT, ServiceClient
from shared_services.contracts.chat import Answer, ConversationCreated, MessageRequest
from shared_services.kit.sse import ServerSentEvent, decode
from shared_services.kit.tokens import TokenSource


class ChatClient(ServiceClient):
    """Asks one workshop's chat agent."""

    audience = "chat"
    service = "chat"

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        super().__init__(http, token)

    async def create_conversation(self) -> str:
        """A new conversation's id."""
        return (await self._model(ConversationCreated, "POST", "/api/v1/conversations")).id

    async def stream(self, conversation: str, message: MessageRequest) -> AsyncIterator[ServerSentEvent]:
        """The answer's events as they come: `status`, `citation`, `block`, then `done` or `error`."""
        path = f"/api/v1/conversations/{conversation}/messages"
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        async with self._stream("POST", path, content=message.model_dump_json(), headers=headers) as response:
            async for event in decode(response.aiter_bytes()):
                yield event

    async def ask(self, conversation: str, message: MessageRequest) -> Answer:
        """The whole answer at once."""
        path = f"/api/v1/conversations/{conversation}/messages"
        return await self._model(Answer, "POST", path, body=message, timeout=NO_TIMEOUT, headers={"accept": "application/json"})
