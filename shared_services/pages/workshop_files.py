"""How a workshop's own files leave the server: nothing that an author wrote is ever run as a page or a script of ours."""

from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.responses import Response

IMMUTABLE = "private, max-age=31536000, immutable"
FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".svg": "image/svg+xml",
}
_DOWNLOADS = {".pdf": "application/pdf", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar"}
_TEXT_NAMES = frozenset(
    {"dockerfile", "makefile", "containerfile", "license", "readme", "procfile", "jenkinsfile", "vagrantfile"}
)
_TEXT_SUFFIXES = """
.txt .md .adoc .rst .csv .tsv .log .json .jsonl .yaml .yml .toml .ini .cfg .conf .env .properties .py .sh .bash
.java .kt .go .rs .js .mjs .ts .tsx .jsx .c .h .cpp .hpp .cs .rb .php .pl .sql .r .scala .groovy .gradle .tf
.hcl .xml .html .htm .xhtml .css .scss .less .j2 .tpl .diff .patch .ps1 .bat .proto .rego .lua
"""
_TEXT = frozenset(_TEXT_SUFFIXES.split())


def media_type(path: str) -> tuple[str, bool]:
    """The type that a file is served as, and whether it is saved instead of shown.

    Source code, HTML and styles among it, is plain text: as `nosniff` is set, no page can run it.
    """
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if suffix in _IMAGES:
        return _IMAGES[suffix], False
    if suffix in _TEXT or name.name.lower() in _TEXT_NAMES:
        return "text/plain; charset=utf-8", False
    return _DOWNLOADS.get(suffix, "application/octet-stream"), True


def file_response(path: str, raw: bytes) -> Response:
    """A file of the workshop as a response that a browser may keep for ever, since its address names the version."""
    kind, saved = media_type(path)
    headers = {"cache-control": IMMUTABLE, "content-security-policy": FILE_POLICY, "x-content-type-options": "nosniff"}
    if saved:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(PurePosixPath(path).name, safe='')}"
    return Response(raw, headers={**headers, "content-type": kind})
