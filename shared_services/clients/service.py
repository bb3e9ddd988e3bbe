"""What every client shares: a token on each call, problem documents raised again, unreachable services named."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared_services.contracts.problems import Problem
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX, ProblemError, UnavailableError
from shared_services.kit.logging import request_id
from shared_services.kit.tokens import TokenSource

NO_TIMEOUT = httpx.Timeout(10.0, read=None)


class ServiceClient:
    """Base of the typed clients.

    Args:
        http: Has the service's address as `base_url`; the caller opens and closes it.
        token: Gives a token for `audience`; None for calls without one.
    """

    audience = ""
    service = ""

    def __init__(self, http: httpx.AsyncClient, token: TokenSource | None = None) -> None:
        self._http = http
        self._token = token

    def _headers(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        headers = dict(extra or {})
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token(self.audience)}"
        if request_id.get():
            headers["x-request-id"] = request_id.get()
        return headers

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self._headers(options.pop("headers", None))
        try:
            response = await self._http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        _raise_for_problem(response, response.content)
        return response

    async def _model[T](self, shape: type[T], method: str, path: str, *, body: BaseModel | None = None, **options: Any) -> T:
        if body is not None:
            options["content"] = body.model_dump_json()
            options["headers"] = {**options.get("headers", {}), "content-type": "application/json"}
        response = await self._request(method, path, **options)
        try:
            return TypeAdapter(shape).validate_json(response.content)
        except ValidationError as error:
            raise UnavailableError(f"The {self.service} service answered in a form that is not understood.") from error

    @asynccontextmanager
    async def _stream(self, method: str, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        headers = self._headers(options.pop("headers", None))
        try:
            async with self._http.stream(method, path, headers=headers, timeout=NO_TIMEOUT, **options) as response:
                if response.status_code >= 400:
                    _raise_for_problem(response, await response.aread())
                yield response
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.HTTPError) -> UnavailableError:
        return UnavailableError(
            f"The {self.service} service at {self._http.base_url} does not answer ({type(error).__name__}). "
            "Try again in a moment."
        )


def _raise_for_problem(response: httpx.Response, content: bytes) -> None:
    status = response.status_code
    if status < 400:
        return
    # Of when to ask again, an answer's header tells where its body does not; a proxy's has nothing else.
    seconds = response.headers.get("retry-after", "")
    again = {"retry_after": int(seconds)} if seconds.isdecimal() else {}
    try:
        problem = Problem.model_validate(again | json.loads(content))
    except (ValidationError, ValueError, TypeError):
        problem = Problem(type=f"{PROBLEM_TYPE_PREFIX}http-{status}", title=f"HTTP {status}", status=status, **again)
    raise ProblemError(problem)
