"""The typed client of a chat agent: reading on, stopping, and a turn by its number."""

import httpx
import pytest

from shared_services.clients.chat import ChatClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.chat import MessageRequest
from shared_services.contracts.identity import Role
from shared_services.kit.errors import ProblemError
from shared_services.llm.llama_stack import LlamaStackGateway
from tests.integration.chat.conftest import Platform
from tests.upstream import Endless, ScriptedUpstream

ASKED = MessageRequest(text="How do I deploy the application?", step="deploy")


async def test_an_answer_is_left_read_on_and_stopped(platform: Platform, upstream: ScriptedUpstream, model: LlamaStackGateway):
    upstream.script(Endless("Apply the manifest. [1]\n\n"))
    token = platform.issuer.source("participant:p", workshop="harbor", roles=frozenset({Role.PARTICIPANT}))
    async with (
        platform.app("harbor", gateway=model) as app,
        httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://chat") as http,
    ):
        chat = ChatClient(http, token)
        conversation = await chat.create_conversation()
        numbers: list[int] = []
        stream = chat.stream(conversation, ASKED, begun=numbers.append)
        async for first in stream:
            if first.event == "block":
                break
        await stream.aclose()  # type: ignore[attr-defined]  an async generator
        assert numbers == [1]
        names: list[str] = []
        seen: list[int] = []
        async for event in chat.resume(conversation, 1, after=int(first.id or 0)):
            names.append(event.event)
            if event.event == "block":
                seen.append(event.json()["n"])
                if len(seen) == 2:
                    await chat.stop(conversation, 1)
        turn = await chat.turn(conversation, 1)
        with pytest.raises(ProblemError) as missing:
            await chat.stop(conversation, 2)
    assert names[0] == "citation"
    assert names[-1] == "done"
    assert seen == list(range(1, len(seen) + 1))
    assert turn.state == "stopped"
    assert missing.value.slug == "turn-not-found"
