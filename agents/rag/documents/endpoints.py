"""Shared documents over HTTP, for who looks after them: ops, admins and the platform's own services."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from agents.rag.admission import Admission
from agents.rag.documents.intake import LIMITS, Posted
from agents.rag.documents.service import DocumentsService
from agents.rag.endpoints import AUDIENCE, progress_events
from agents.rag.scope import SharedScope
from agents.rag.service import Progress, no_progress
from shared_services.contracts.rag import SharedDocument, SharedDocumentsReport
from shared_services.kit.auth import bearer_claims
from shared_services.kit.errors import BadInputError, TooLargeError
from shared_services.kit.sse import event_stream
from shared_services.kit.tokens import Claims, TokenVerifier

MAX_FIELDS = 20

_FORM: Final = {
    "type": "object",
    "required": ["files", "tags"],
    "properties": {
        "files": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "Documents, each named by its path, or archives of them (.zip, .tar.gz, .tgz).",
        },
        "tags": {"type": "string", "description": "Ids, commas between; a workshop whose context names one may read them."},
        "content_focus": {"type": "string", "description": "An id; absent for documents that fit every workshop."},
    },
}


def create_documents_router(service: DocumentsService, verifier: TokenVerifier, admission: Admission) -> APIRouter:
    """The routes of shared documents."""
    router = APIRouter(prefix="/api/v1/shared-documents", tags=["shared documents"])
    caller = bearer_claims(verifier, audience=AUDIENCE)

    @router.post(
        "",
        response_model=SharedDocumentsReport,
        responses={200: {"content": {"text/event-stream": {}}}},
        openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    )
    async def add(
        request: Request,
        claims: Annotated[Claims, Depends(caller)],
        accept: Annotated[str, Header()] = "application/json",
    ) -> Any:
        # before the body is read
        SharedScope.whole(claims, ())
        admission.check()
        form = await _form(request)
        try:
            files = [
                Posted(part.filename or "", await part.read()) for _, part in form.multi_items() if isinstance(part, UploadFile)
            ]
            tags = [tag for field in form.getlist("tags") for tag in _text(field).split(",")]
            focus = _text(form.get("content_focus", ""))
        finally:
            await form.close()

        async def run(progress: Progress = no_progress) -> SharedDocumentsReport:
            async with admission.admitted():
                return await service.add(claims, files, tags, focus, progress)

        return event_stream(progress_events(run)) if "text/event-stream" in accept else await run()

    @router.get("")
    async def listed(
        claims: Annotated[Claims, Depends(caller)], tags: Annotated[list[str] | None, Query()] = None
    ) -> list[SharedDocument]:
        return await service.listed(claims, [tag for field in tags or [] for tag in field.split(",") if tag])

    @router.get("/{document}")
    async def get(document: str, claims: Annotated[Claims, Depends(caller)]) -> SharedDocument:
        return await service.get(claims, document)

    @router.get("/{document}/text", response_class=Response, responses={200: {"content": {"text/markdown": {}}}})
    async def text(document: str, claims: Annotated[Claims, Depends(caller)]) -> Response:
        return Response((await service.text(claims, document)).encode(), media_type="text/markdown; charset=utf-8")

    @router.delete("/{document}", status_code=204)
    async def remove(document: str, claims: Annotated[Claims, Depends(caller)]) -> Response:
        await service.remove(claims, document)
        return Response(status_code=204)

    return router


async def _form(request: Request) -> FormData:
    """The request's form.

    Raises:
        BadInputError: It is none.
        TooLargeError: Longer than the limit; nothing past that is read.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise BadInputError("Post the documents as multipart/form-data: parts named `files`, and a field `tags`.")
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > LIMITS.unpacked:
            raise TooLargeError(f"The upload is larger than {LIMITS.unpacked >> 20} MiB. Post it in parts.")
        return message

    try:
        return await Request(request.scope, receive).form(max_files=LIMITS.files, max_fields=MAX_FIELDS)
    except HTTPException as error:
        raise BadInputError(f"The form cannot be read: {error.detail} Post fewer files, or an archive of them.") from error


def _text(field: object) -> str:
    if not isinstance(field, str):
        raise BadInputError("`tags` and `content_focus` are texts, not files.")
    return field
