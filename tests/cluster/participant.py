"""Somebody who takes part in a workshop, over the network, as their browser would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from shared_services.clients.chat import ChatClient
from shared_services.contracts.chat import Answer, BlockEvent, Citation, MessageRequest, StoredTurn


@dataclass
class Reading:
    """An answer's stream as it was read.

    Attributes:
        blocks: Its blocks in order.
        done: The whole answer, once it came.
        error: The problem document of an event `error`, or what broke the connection; None where nothing did.
        number: The turn's number.
    """

    blocks: list[BlockEvent] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    done: Answer | None = None
    error: str | None = None
    number: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self.done is not None or self.error is not None

    @property
    def text(self) -> str:
        """What was read, as one text."""
        return "".join(block.before + block.markdown for block in self.blocks)


@dataclass(frozen=True)
class Participant:
    """Somebody with a place in one workshop."""

    http: httpx.AsyncClient

    @property
    def chat(self) -> ChatClient:
        """Their client."""
        return ChatClient(self.http)

    async def conversation(self) -> str:
        """Begin one."""
        return await self.chat.create_conversation()

    async def ask(self, question: str, conversation: str | None = None) -> Reading:
        """Ask, and read the stream to its end, whatever that is."""
        reading = Reading()
        await self.read(question, conversation or await self.conversation(), reading)
        return reading

    async def read(self, question: str, conversation: str, reading: Reading) -> None:
        """Ask, filling in `reading` as the answer comes."""

        def begun(number: int) -> None:
            reading.number = number

        try:
            async for event in self.chat.stream(conversation, MessageRequest(text=question), begun=begun):
                if event.event == "block":
                    reading.blocks.append(BlockEvent.model_validate_json(event.data))
                elif event.event == "citation":
                    reading.citations.append(Citation.model_validate_json(event.data))
                elif event.event == "done":
                    reading.done = Answer.model_validate_json(event.data)
                elif event.event == "error":
                    reading.error = event.data
        except Exception as error:
            reading.error = f"{type(error).__name__}: {error}"
        if not reading.ended:
            reading.error = "the stream ended without `done`"

    async def turns(self, conversation: str) -> list[StoredTurn]:
        """What is kept of a conversation."""
        response = await self.http.get(f"/api/v1/conversations/{conversation}")
        response.raise_for_status()
        return [StoredTurn.model_validate(row) for row in response.json()]


@asynccontextmanager
async def participant(address: str, join_code: str, name: str) -> AsyncIterator[Participant]:
    """Join the workshop at `address`."""
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as http:
        response = await http.post("/join", json={"code": join_code, "name": name})
        response.raise_for_status()
        # The cookie is for https, which the cluster's ingress would speak; here it goes by hand.
        http.headers["cookie"] = response.headers["set-cookie"].split(";")[0]
        http.cookies.clear()
        yield Participant(http)


async def until_words(reading: Reading, blocks: int, seconds: float = 60) -> None:
    """Wait until so many blocks of an answer came.

    Raises:
        AssertionError: They did not.
    """
    end = asyncio.get_running_loop().time() + seconds
    while len(reading.blocks) < blocks and not reading.ended and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert len(reading.blocks) >= blocks, f"{len(reading.blocks)} blocks came of {blocks} awaited; error: {reading.error}"
