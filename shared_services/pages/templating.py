"""Server-rendered pages: Jinja with escaping on, unknown names as errors, and addresses below the app's own root."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from shared_services.pages.icons import icon
from shared_services.pages.static_files import StaticBundle, accepts_gzip

SHARED = Path(__file__).parent / "templates"
_MIN_COMPRESSED = 1000


class Templates:
    """Renders the templates of one app.

    Every template has `url("/path")` (an address below the app's root), `static("name")`, `icon("name")` and `request`.

    Args:
        bundle: The app's static files.
        folders: The app's own templates; one of the same name goes before a shared one.
    """

    def __init__(self, bundle: StaticBundle, folders: Sequence[Path] = ()) -> None:
        self._bundle = bundle
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, SHARED)]),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["icon"] = icon

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
