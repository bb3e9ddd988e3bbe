"""The language model, counted: which calls failed and why, how many are under way, and how long the first words took."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from shared_services.llm.errors import ModelUnavailableError
from shared_services.llm.gateway import ChatMessage, Finish, ModelGateway
from workshop_chat import metrics


class CountedGateway:
    """Passes everything on to another gateway.

    Args:
        gateway: The model.
        workshop: Whose calls these are; several workshops may share the model.
    """

    def __init__(self, gateway: ModelGateway, workshop: str) -> None:
        self._gateway = gateway
        self._workshop = workshop
        self.configured = gateway.configured

    @property
    def name(self) -> str:
        """The model's name."""
        return self._gateway.name

    async def ready(self) -> str | None:
        """None when the model can be asked now, else why not."""
        return await self._gateway.ready()

    async def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> AsyncGenerator[str | Finish, None]:
        """Ask; see `ModelGateway.stream`.

        Raises:
            ModelUnavailableError: As the model's own.
        """
        began, silent = time.perf_counter(), True
        with metrics.MODEL_STREAMS.labels(self._workshop).track_inprogress():
            try:
                async with aclosing(self._gateway.stream(messages, max_tokens=max_tokens, temperature=temperature)) as parts:
                    async for part in parts:
                        if silent:
                            silent = False
                            metrics.FIRST_WORDS_SECONDS.labels(self._workshop).observe(time.perf_counter() - began)
                        yield part
            except ModelUnavailableError as error:
                metrics.MODEL_ERRORS.labels(self._workshop, error.reason).inc()
                raise
