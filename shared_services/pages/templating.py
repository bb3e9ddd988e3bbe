"""Server-rendered pages: Jinja with escaping on, unknown names as errors, and addresses below the app's own root."""

import gzip
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from structlog import get_logger

from shared_services.kit.errors import PlatformError, UnauthenticatedError
from shared_services.kit.logging import request_id
from shared_services.pages.icons import icon
from shared_services.pages.static_files import StaticBundle, accepts_gzip

log = get_logger()

SHARED = Path(__file__).parent / "templates"
_MIN_COMPRESSED = 1000


class Templates:
    """Renders the templates of one app.

    Every template has `url("/path")` (an address below the app's root), `static("name")`, `icon("name")` and `request`.

    Args:
        bundle: The app's static files.
        folders: The app's own templates; one of the same name goes before a shared one.
        names: What every template of the app has besides.
    """

    def __init__(self, bundle: StaticBundle, folders: Sequence[Path] = (), names: Mapping[str, Any] | None = None) -> None:
        self._bundle = bundle
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, SHARED)]),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"icon": icon, **(names or {})}

    def text(self, request: Request, name: str, **context: Any) -> str:
        """A template's HTML."""
        root = root_path(request)
        return self._environment.get_template(name).render(
            request=request, url=lambda path: root + path, static=lambda file: root + self._bundle.path(file), **context
        )

    def page(self, request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A template as a response, compressed where the client takes it; never kept by caches between people."""
        html = self.text(request, name, **context)
        headers = {"cache-control": "private, no-cache", "vary": "accept-encoding, cookie"}
        raw = html.encode()
        if len(raw) < _MIN_COMPRESSED or not accepts_gzip(request):
            return HTMLResponse(raw, status_code=status, headers=headers)
        return HTMLResponse(gzip.compress(raw, 5, mtime=0), status_code=status, headers={**headers, "content-encoding": "gzip"})


def root_path(request: Request) -> str:
    """The path that the app stands under, without a slash at its end; empty at a host's root."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def page_route(templates: Templates) -> type[APIRoute]:
    """A route class that shows browsers an error as a page (`message.html`); other clients get the problem document.

    Errors with status 401 are left to the app, which knows where people sign in.
    """

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_page(request: Request) -> Response:
                try:
                    return await handle(request)
                except PlatformError as error:
                    if error.status == UnauthenticatedError.status or "text/html" not in request.headers.get("accept", ""):
                        raise
                    if error.status >= 500:
                        log.exception("page_failed", slug=error.slug, detail=error.detail, path=request.url.path)
                    again = ("Try again", request.url.path)
                    start = ("Go to the start", f"{root_path(request)}/")
                    return templates.page(
                        request,
                        "message.html",
                        status=error.status,
                        heading=error.title,
                        detail=error.detail,
                        action=again if error.status >= 500 else start,
                    )
                except (HTTPException, RequestValidationError):
                    raise
                except Exception:
                    # Nobody foresaw it: a person who reads is still told in a page, and where to look.
                    if "text/html" not in request.headers.get("accept", ""):
                        raise
                    log.exception("page_failed", slug=PlatformError.slug, path=request.url.path)
                    return templates.page(
                        request,
                        "message.html",
                        status=PlatformError.status,
                        heading=PlatformError.title,
                        detail=f"The log has the details under request id {request_id.get()}. Try again in a moment.",
                        action=("Try again", request.url.path),
                    )

            return handle_page

    return PageRoute
