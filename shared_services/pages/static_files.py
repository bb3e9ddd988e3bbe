"""Styles and scripts, served under a hash of all of them, so that a browser may keep them for ever.

One hash for the whole bundle, not one for each file: modules import each other by relative address and need no build step.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from shared_services.kit.errors import NotFoundError
from shared_services.pages.highlight import stylesheet

SHARED = Path(__file__).parent / "static"
IMMUTABLE = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_MIN_COMPRESSED = 500


@dataclass(frozen=True)
class StaticFile:
    """A file in memory, and the same compressed."""

    media_type: str
    raw: bytes
    packed: bytes


class StaticBundle:
    """The static files of one app: those that all pages share, and the app's own.

    Args:
        folders: The app's own folders; a name that comes twice is taken from the last one.

    Attributes:
        digest: Hash over names and contents, 16 hexadecimal digits.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        contents = {"code.css": stylesheet().encode()}
        for folder in (SHARED, *folders):
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    contents[path.relative_to(folder).as_posix()] = path.read_bytes()
        whole = hashlib.sha256()
        for name, raw in sorted(contents.items()):
            whole.update(f"{name}\0{len(raw)}\0".encode() + raw)
        self.digest = whole.hexdigest()[:16]
        self._files = {name: _static_file(name, raw) for name, raw in contents.items()}

    def path(self, name: str) -> str:
        """The address of a file below the app's root, e.g. `/static/HASH/base.css`.

        Raises:
            KeyError: There is no such file.
        """
        if name not in self._files:
            raise KeyError(f"no static file {name!r}")
        return f"/static/{self.digest}/{name}"

    def response(self, digest: str, name: str, *, compressed: bool) -> Response:
        """A file as a response; one asked for by another bundle's hash is served, but not kept.

        Raises:
            NotFoundError: There is no such file.
        """
        file = self._files.get(name)
        if file is None:
            raise NotFoundError("There is no such file.")
        headers = {"cache-control": IMMUTABLE if digest == self.digest else "no-cache", "vary": "accept-encoding"}
        if compressed and file.packed:
            return Response(file.packed, media_type=file.media_type, headers={**headers, "content-encoding": "gzip"})
        return Response(file.raw, media_type=file.media_type, headers=headers)

    def router(self) -> APIRouter:
        """Routes under `/static`."""
        router = APIRouter(include_in_schema=False)

        @router.get("/static/{digest}/{name:path}")
        async def static(request: Request, digest: str, name: str) -> Response:
            return self.response(digest, name, compressed=accepts_gzip(request))

        return router


def _static_file(name: str, raw: bytes) -> StaticFile:
    media_type = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StaticFile(media_type, raw, gzip.compress(raw, 9, mtime=0) if len(raw) >= _MIN_COMPRESSED else b"")


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip."""
    return any(part.split(";")[0].strip() == "gzip" for part in request.headers.get("accept-encoding", "").split(","))
