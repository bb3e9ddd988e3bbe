"""Client of a workshop's chat agent."""

from collections.abc import AsyncIterator, Callable

import httpx

from shared_services.clients.service import NO_TIMEOUT, ServiceClient
from shared_services.contracts.chat import Answer, ConversationCreated, MessageRequest, StoredTurn
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

    async def stream(
        self, conversation: str, message: MessageRequest, *, begun: Callable[[int], None] | None = None
    ) -> AsyncIterator[ServerSentEvent]:
        """The answer's events as they come: `status`, `citation`, `block`, then `done` or `error`.

        The answer goes on when its reader goes away: `resume` gives the rest, `stop` ends it.

        Args:
            conversation: Its id.
            message: What is asked.
            begun: Told the turn's number before the first event.
        """
        path = f"/api/v1/conversations/{conversation}/messages"
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        async with self._stream("POST", path, content=message.model_dump_json(), headers=headers) as response:
            number = response.headers.get("content-location", "").rpartition("/")[2]
            if begun is not None and number.isdecimal():
                begun(int(number))
            async for event in decode(response.aiter_bytes()):
                yield event

    async def resume(self, conversation: str, number: int, after: int | None = None) -> AsyncIterator[ServerSentEvent]:
        """An answer's events again: its citations and the blocks after number `after` (None for all), then what still comes."""
        headers = {"accept": "text/event-stream"} | ({} if after is None else {"last-event-id": str(after)})
        async with self._stream("GET", f"{_turn(conversation, number)}/events", headers=headers) as response:
            async for event in decode(response.aiter_bytes()):
                yield event

    async def stop(self, conversation: str, number: int) -> None:
        """End an answer; what there is of it is kept. Nothing happens to one that has ended."""
        await self._request("POST", f"{_turn(conversation, number)}/stop")

    async def turn(self, conversation: str, number: int) -> StoredTurn:
        """A turn, its answer as far as it is kept."""
        return await self._model(StoredTurn, "GET", _turn(conversation, number))

    async def ask(self, conversation: str, message: MessageRequest) -> Answer:
        """The whole answer at once."""
        path = f"/api/v1/conversations/{conversation}/messages"
        return await self._model(Answer, "POST", path, body=message, timeout=NO_TIMEOUT, headers={"accept": "application/json"})


def _turn(conversation: str, number: int) -> str:
    return f"/api/v1/conversations/{conversation}/turns/{number}"
