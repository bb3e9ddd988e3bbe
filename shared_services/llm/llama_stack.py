"""The gateway over llama-stack-client: a Llama Stack / OGX server, or any server with the same `/v1` paths.

How the server is reached, and what becomes of the library's errors, is `model_server`'s.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import anyio
import httpx
from structlog import get_logger

from shared_services.llm.chunks import ChunkReader, GarbageError, Piece, ReportedError
from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import ChatMessage, Finish
from shared_services.llm.model_choice import choose_model, lists_model
from shared_services.llm.model_server import ModelServer
from shared_services.llm.thinking import ThinkingFilter

log = get_logger()

LIST_SECONDS: Final = 10.0
DRAIN_SECONDS: Final = 0.5
FIRST_PAUSE_SECONDS: Final = 0.25
_RETRIED: Final = frozenset({"unreachable", "rate_limited", "failed", "cut_off", "garbage"})


@dataclass(frozen=True)
class Patience:
    """How long a call may take, in seconds.

    Attributes:
        connect: For a connection.
        first_token: Until the first words, all retries included.
        gap: Between two pieces.
        total: For the whole answer.
        retries: Further tries before the first words; none after.
    """

    connect: float = 5.0
    first_token: float = 60.0
    gap: float = 20.0
    total: float = 180.0
    retries: int = 2


class LlamaStackGateway:
    """A model behind `/v1/models` and `/v1/chat/completions`.

    Args:
        address: Where `/v1` stands; see `settings.server_address`.
        model: The model's name; None for the first language model that the server lists.
        api_key: Sent as a bearer token; None sends none.
        patience: How long to wait.
    """

    configured = True

    def __init__(
        self, address: str, *, model: str | None = None, api_key: str | None = None, patience: Patience | None = None
    ) -> None:
        self._model = model
        self._chosen: str | None = None
        self._patience = patience or Patience()
        self._server = ModelServer(address, api_key=api_key, connect_seconds=self._patience.connect)
        self._host = self._server.host

    @property
    def name(self) -> str:
        """The model's name; empty until a server has been asked which it has."""
        return self._model or self._chosen or ""

    async def ready(self) -> str | None:
        """None when the server answers and has the model, else a sentence that says why not."""
        try:
            models = await self._list_models()
            if self._model is None:
                self._chosen = choose_model(models)
                return None
        except ModelUnavailableError as error:
            return error.detail
        if lists_model(models, self._model):
            return None
        return f"The model server at {self._host} does not list the model {self._model!r}; correct LLM_MODEL."

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> AsyncGenerator[str | Finish, None]:
        """Ask; see `ModelGateway.stream`.

        Raises:
            ModelUnavailableError: With its reason; what can pass is tried again within the budget for the first words.
        """
        await self._server.client()  # outside of the budget: an import is not the server's silence
        started = anyio.current_time()
        end = started + self._patience.total
        first_by = min(started + self._patience.first_token, end)
        body = {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        for attempt in count(1):
            spoke = False
            try:
                async with aclosing(self._attempt(body, first_by, end)) as parts:
                    async for part in parts:
                        spoke = True
                        yield part
            except ModelUnavailableError as error:
                pause = None if spoke else self._pause(error, attempt, first_by - anyio.current_time())
                if pause is None:
                    log.warning("model_call_failed", reason=error.reason, attempt=attempt, spoke=spoke, server=self._host)
                    raise
                log.info("model_call_retried", reason=error.reason, attempt=attempt, pause=pause, server=self._host)
            else:
                return
            await anyio.sleep(pause)

    def _pause(self, error: ModelUnavailableError, attempt: int, left: float) -> float | None:
        """Seconds to wait before the next try; None when there is none."""
        pause = max(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), error.retry_after or 0.0)
        return pause if error.reason in _RETRIED and attempt <= self._patience.retries and pause < left else None

    async def _attempt(self, body: dict[str, Any], first_by: float, end: float) -> AsyncGenerator[str | Finish, None]:
        model = self._model or self._chosen or await self._choose(first_by)
        client = await self._server.client()
        thinking = ThinkingFilter()
        reader = ChunkReader()
        deadline, anything, finish = first_by, False, None
        try:
            # As `extra_body`, because the library walks through the types of each message that it is given.
            call = client.chat.completions.create(model=model, messages=[], stream=True, extra_body=body)
            async with aclosing((await self._server.within(call, deadline)).response) as response:
                chunks = _bytes_of(response)
                while not reader.done:
                    try:
                        data = await self._server.within(anext(chunks), deadline)
                    except StopAsyncIteration:
                        break
                    for piece in self._read(reader, data):
                        anything = True
                        if text := thinking.feed(piece.text):
                            yield text
                        if piece.finish and not finish:
                            finish = piece.finish
                            # The answer is whole; what follows is at most the usage and [DONE].
                            end = min(end, anyio.current_time() + DRAIN_SECONDS)
                            deadline = end
                        elif piece.alive and not finish:
                            deadline = min(anyio.current_time() + self._patience.gap, end)
        except ModelUnavailableError as error:
            if error.reason == "rejected":
                self._chosen = None
            if finish is None:
                raise
        if finish is None:
            raise self._unfinished(anything)
        if rest := thinking.close():
            yield rest
        yield finish

    def _unfinished(self, anything: bool) -> ModelUnavailableError:
        if anything:
            return ModelUnavailableError("cut_off", f"The model server at {self._host} ended the answer in the middle.")
        return ModelUnavailableError("garbage", f"The model server at {self._host} sent no stream of an answer.")

    def _read(self, reader: ChunkReader, data: bytes) -> Iterator[Piece]:
        try:
            yield from reader.feed(data)
        except GarbageError as error:
            raise ModelUnavailableError(
                "garbage", f"The model server at {self._host} sent something that is not an answer."
            ) from error
        except ReportedError as error:
            log.warning("model_server_error", server=self._host, said=str(error))
            raise ModelUnavailableError("failed", f"The model server at {self._host} reported an error in its answer.") from error

    async def _choose(self, deadline: float) -> str:
        models = await self._list_models(deadline)
        self._chosen = choose_model(models)
        log.info("model_chosen", model=self._chosen, server=self._host)
        return self._chosen

    async def _list_models(self, deadline: float | None = None) -> list[Any]:
        client = await self._server.client()
        limit = anyio.current_time() + LIST_SECONDS
        models = await self._server.within(client.models.list(), min(limit, deadline or limit))
        if not isinstance(models, list):
            raise ModelUnavailableError("garbage", f"The model server at {self._host} sent no list of models.")
        return models


def _bytes_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """A response's bytes; without the layers that would decompress and cut them, where there is nothing to decompress."""
    if "content-encoding" in response.headers or not isinstance(response.stream, httpx.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(response.stream)
