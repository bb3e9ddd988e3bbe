"""Calls to a model's server through llama-stack-client: a connection each, a deadline, and one kind of error for every trouble.

All calls share one client, which holds no connection between them (`connections`). The library's own retries are off, because it
would retry without knowing our budget. The library is imported when the first call is made, in a thread, so that a process
without a model never pays for it.
"""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import httpx
from structlog import get_logger

from shared_services.llm.connections import connection_each
from shared_services.llm.errors import ModelUnavailableError

if TYPE_CHECKING:
    from llama_stack_client import AsyncLlamaStackClient

log = get_logger()


class ModelServer:
    """A server with `/v1` paths.

    Args:
        address: Where `/v1` stands; see `settings.server_address`.
        api_key: Sent as a bearer token; None sends none.
        connect_seconds: Longest wait for a connection.

    Attributes:
        host: Its name and port, for people.
    """

    def __init__(self, address: str, *, api_key: str | None, connect_seconds: float) -> None:
        self._address = address
        self._api_key = api_key
        self._connect_seconds = connect_seconds
        self._client: AsyncLlamaStackClient | None = None
        self._making_client = anyio.Lock()
        parts = urlsplit(address)
        self.host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    async def client(self) -> "AsyncLlamaStackClient":
        """The client for all calls. There is nothing to close but the response of a call that streams."""
        if self._client is None:
            async with self._making_client:
                self._client = self._client or await self._make_client()
        return self._client

    async def _make_client(self) -> "AsyncLlamaStackClient":
        library = await anyio.to_thread.run_sync(load_library)
        http = await anyio.to_thread.run_sync(connection_each, self._address, self._connect_seconds)
        # Without a key no header may be sent: an empty bearer token is not a valid one.
        headers = {} if self._api_key else {"Authorization": library.Omit()}
        client: AsyncLlamaStackClient = library.AsyncLlamaStackClient(
            base_url=self._address, api_key=self._api_key or "", max_retries=0, default_headers=headers, http_client=http
        )
        return client

    async def within[T](self, call: Awaitable[T], deadline: float) -> T:
        """What `call` gives until `deadline` (of anyio's clock).

        Raises:
            ModelUnavailableError: For whatever the library, HTTP or the clock makes of it.
        """
        library = load_library()
        try:
            # Once for each chunk of each answer: anyio's scope takes 11 microseconds, this 3.
            async with asyncio.timeout_at(deadline):
                return await call
        except TimeoutError as error:
            raise ModelUnavailableError("timeout", f"The model server at {self.host} was silent for too long.") from error
        except library.RateLimitError as error:
            wait = _seconds(error.response.headers.get("retry-after"))
            raise ModelUnavailableError(
                "rate_limited", f"The model server at {self.host} has too many requests.", retry_after=wait
            ) from error
        except library.APIStatusError as error:
            reason: Any = "failed" if error.status_code >= 500 else "rejected"
            log.warning("model_server_error", status=error.status_code, server=self.host, said=str(error.message)[:300])
            raise ModelUnavailableError(
                reason, f"The model server at {self.host} answered with status {error.status_code}.", answered=error.status_code
            ) from error
        except library.APIConnectionError as error:
            raise ModelUnavailableError("unreachable", f"The model server at {self.host} cannot be reached.") from error
        except library.APIResponseValidationError as error:
            raise ModelUnavailableError("garbage", f"The model server at {self.host} sent something unreadable.") from error
        except library.APIError as error:
            log.warning("model_server_error", server=self.host, said=str(error.message)[:300])
            raise ModelUnavailableError("failed", f"The model server at {self.host} reported an error in its answer.") from error
        except httpx.HTTPError as error:
            raise ModelUnavailableError("cut_off", f"The connection to the model server at {self.host} broke.") from error
        except (ValueError, TypeError, AttributeError) as error:
            # The library lets its parser's errors through, e.g. for a page of HTML or a chunk that is not JSON.
            raise ModelUnavailableError("garbage", f"The model server at {self.host} sent something unreadable.") from error


_loaded: Any = None


def load_library() -> Any:
    """The library, imported when this is first called."""
    global _loaded
    if _loaded is None:
        import llama_stack_client

        # The library imports each of its resources when that is first used; a call must not wait for it.
        import llama_stack_client.resources.chat
        import llama_stack_client.resources.models

        _loaded = llama_stack_client
    return _loaded


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
