"""Structured logs with a request id: lines for people or JSON for machines; a value under a secret's name is hidden."""

import logging
import logging.handlers
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import structlog

request_id: ContextVar[str] = ContextVar("request_id", default="")

_CHATTY = ("httpx", "httpcore", "uvicorn.access", "alembic", "asyncio", "pymilvus", "sentence_transformers", "dbos", "faiss")
FILE_BYTES = 10_000_000
_SECRET_NAMES = ("token", "secret", "password", "authorization", "cookie", "api_key", "private_key")


def _with_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id.get():
        event.setdefault("request_id", request_id.get())
    return event


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = "[hidden]"
    return event


def _console_renderer() -> Any:
    # Plain tracebacks: the richer kinds print local variables, which may hold secrets.
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return logging.handlers.RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=2, encoding="utf-8", delay=True)


def configure_logging(
    level: str = "info", *, as_json: bool = True, file: Path | None = None, bound: Mapping[str, str] | None = None
) -> None:
    """Send structlog and the standard library's loggers to stderr or to a file that is turned over at 10 MB.

    Args:
        level: Lowest level shown, as the standard library names it.
        as_json: One JSON object a line; otherwise readable lines.
        file: Where to write instead of stderr; its folder is made.
        bound: Stands in every line, e.g. where this process runs.
    """

    def with_bound(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in (bound or {}).items():
            event.setdefault(name, value)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request_id,
        with_bound,
        _without_secrets,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else _console_renderer()
    tail: list[Any] = [structlog.processors.format_exc_info, renderer] if as_json else [renderer]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _handler(file)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel("WARNING")
    # Milvus Lite answers calls that it does not have with an exception, which pymilvus expects and grpc logs as an error.
    logging.getLogger("grpc").setLevel("CRITICAL")
