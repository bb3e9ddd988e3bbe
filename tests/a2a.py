"""What a test says over A2A with the protocol's own client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import SendMessageRequest, StreamResponse, Task, TaskState
from google.protobuf.json_format import MessageToDict, ParseDict

BINDINGS = ["JSONRPC", "HTTP+JSON"]


def bearer(given: str) -> dict[str, str]:
    return {"authorization": f"Bearer {given}"}


async def call(method: str, url: str, given: str, **options: object) -> httpx.Response:
    async with httpx.AsyncClient(headers=bearer(given) | {"A2A-Version": "1.0"}, timeout=240) as http:
        return await http.request(method, url, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def client(url: str, given: str, *, streaming: bool = False, binding: str = "JSONRPC") -> AsyncIterator[Client]:
    async with httpx.AsyncClient(headers=bearer(given), timeout=240) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(
            streaming=streaming, httpx_client=http, supported_protocol_bindings=[binding], use_client_preference=True
        )
        yield ClientFactory(config).create(card)


def message(*, text: str | None = None, data: object = None, at_once: bool = False, **more: object) -> SendMessageRequest:
    parts = ([{"text": text}] if text is not None else []) + ([{"data": data}] if data is not None else [])
    body = {"message": {"messageId": uuid4().hex, "role": "ROLE_USER", "parts": parts, **more}}
    return ParseDict(body | {"configuration": {"returnImmediately": at_once}}, SendMessageRequest())


async def send(url: str, given: str, request: SendMessageRequest, **options: object) -> list[StreamResponse]:
    async with client(url, given, **options) as opened:  # type: ignore[arg-type]
        return [event async for event in opened.send_message(request)]


def data_of(parts) -> object:
    return next(MessageToDict(part.data) for part in parts if part.HasField("data"))


def text_of(parts) -> str:
    return next(part.text for part in parts if part.HasField("text"))


def state_of(task: Task) -> str:
    return TaskState.Name(task.status.state).removeprefix("TASK_STATE_")
