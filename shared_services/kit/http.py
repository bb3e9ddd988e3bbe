"""The one way to make a service's HTTP app: request ids, problem details, health, metrics, security headers.

Middleware is plain ASGI, so that a streamed response stays a stream.
"""

import re
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger

from shared_services.contracts.problems import Problem
from shared_services.kit.errors import (
    PROBLEM_TYPE_PREFIX,
    BadInputError,
    ForbiddenError,
    NotFoundError,
    PlatformError,
    TooLargeError,
)
from shared_services.kit.health import Readiness
from shared_services.kit.logging import request_id

log = get_logger()

REQUEST_ID_HEADER = "x-request-id"
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

REQUESTS = Counter("workshop_http_requests_total", "HTTP requests answered.", ["service", "method", "status"])
REQUEST_SECONDS = Histogram("workshop_http_request_seconds", "Seconds to the first byte of the response.", ["service"])
READY = Gauge("workshop_ready", "1 where a check of readiness passed when it was last asked for, else 0.", ["service", "check"])

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
}


class RequestMiddleware:
    """Gives each request an id, security headers and its place in the metrics; a crash becomes a problem document."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of scope pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        identifier = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        token = request_id.set(identifier)
        started = time.perf_counter()
        responding = False

        async def send_with_headers(message: Message) -> None:
            nonlocal responding
            if message["type"] == "http.response.start":
                responding = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = identifier
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                REQUESTS.labels(self.service, scope["method"], message["status"]).inc()
                REQUEST_SECONDS.labels(self.service).observe(time.perf_counter() - started)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if responding:
                raise
            log.exception("request_crashed", error=type(error).__name__, path=scope["path"])
            detail = f"The log has the details under request id {identifier}."
            await problem_response(PlatformError(detail).problem(identifier))(scope, receive, send_with_headers)
        finally:
            request_id.reset(token)


class SameOriginMiddleware:
    """Refuses a state-changing request that a browser sends from another site.

    A request with a bearer token is let through: no page of another site can know one. So is a request without an
    `Origin`, which only a program sends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
            foreign = foreign or headers.get("sec-fetch-site") == "cross-site"
            if foreign and not headers.get("authorization", "").lower().startswith("bearer "):
                error = ForbiddenError("The request came from a page of another site.")
                await problem_response(error.problem(request_id.get()))(scope, receive, send)
                return
        await self.app(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a request whose body is larger than `most` bytes: by its stated length before a byte is read, else when it is."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isascii() and stated.isdecimal() and int(stated[:20]) > self.most:
            await self._refuse(scope, receive, send)
            return
        came, responding, refused = 0, False, False

        async def receive_counted() -> Message:
            nonlocal came, refused
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most and not responding:
                refused = True
                raise TooLargeError
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal responding
            if not refused:
                responding = True
                await send(message)

        try:
            await self.app(scope, receive_counted, send_unless_refused)
        except TooLargeError:
            if not refused:
                raise
        if refused:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = f"{self.most // 1024:,} KiB"
        error = TooLargeError(f"The request's body is larger than {most}, which is the most that is read. Send less at once.")
        # What is still to come is not read: the connection cannot be used again.
        await problem_response(error.problem(request_id.get()), {"connection": "close"})(scope, receive, send)


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document as a response."""
    return JSONResponse(problem.model_dump(), status_code=problem.status, headers=headers, media_type="application/problem+json")


def retry_header(error: PlatformError) -> dict[str, str]:
    """`Retry-After` of an error that says when asking again is worth it."""
    seconds = error.extra.get("retry_after")
    return {} if seconds is None else {"retry-after": str(ceil(seconds))}


async def _platform_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)
    if error.status >= 500:
        log.error("request_failed", slug=error.slug, detail=error.detail, exc_info=error)
    return problem_response(error.problem(request_id.get()), retry_header(error))


async def _invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    rows = [{"field": ".".join(str(part) for part in row["loc"]), "message": row["msg"]} for row in error.errors()]
    detail = "; ".join(f"{row['field']}: {row['message']}" for row in rows[:5])
    return problem_response(BadInputError(detail, fields=rows).problem(request_id.get()))


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_response(NotFoundError("There is nothing at this address.").problem(request_id.get()))
    problem = Problem(
        type=f"{PROBLEM_TYPE_PREFIX}http-{error.status_code}",
        title=str(error.detail),
        status=error.status_code,
        instance=request_id.get(),
    )
    return problem_response(problem, dict(error.headers or {}))


def register_problem_handlers(app: FastAPI) -> None:
    """Register the handlers that turn a known error into a problem document; once for each app."""
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)


def create_app(
    title: str,
    *,
    service: str,
    readiness: Readiness | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
    most_body_bytes: int | None = None,
) -> FastAPI:
    """An app with everything that all services share; routes under `/api/v1` are the caller's.

    Args:
        title: The API's title in its OpenAPI document.
        service: Name in metrics and logs.
        readiness: What `/readyz` reports; always ready when absent.
        lifespan: As FastAPI takes it.
        most_body_bytes: Largest body of a request; None for no limit.
    """
    app = FastAPI(title=title, version="1", lifespan=lifespan, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    register_problem_handlers(app)
    if most_body_bytes is not None:
        app.add_middleware(BodyLimitMiddleware, most=most_body_bytes)
    app.add_middleware(SameOriginMiddleware)
    app.add_middleware(RequestMiddleware, service=service)
    checks = readiness or Readiness()

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        report = await checks.report()
        for check, problem in report.items():
            READY.labels(service, check).set(0 if problem else 1)
        ready = not any(report.values())
        facts = {"facts": told} if (told := checks.facts()) else {}
        return JSONResponse({"ready": ready, "checks": report, **facts}, status_code=200 if ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
