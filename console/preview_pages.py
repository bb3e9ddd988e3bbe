"""A draft as its participants would see it, before anybody does."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from console.people import requires
from shared_services.contracts.identity import Identity
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import SourceMap
from shared_services.kit.errors import NotFoundError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.service import LibraryService
from shared_services.pages.addresses import WorkshopLinks
from shared_services.pages.markdown import render_step
from shared_services.pages.templating import Templates, page_route, root_path
from shared_services.pages.workshop_files import file_response


async def _read(library: LibraryService, version: WorkshopVersion, path: str) -> bytes:
    found = next((file for file in version.files if file.path == path), None)
    if found is None:
        raise NotFoundError(f"The workshop has no file {path}.")
    return await library.file(version.workshop, found.sha256)


def preview_router(templates: Templates, verifier: TokenVerifier, library: LibraryService) -> APIRouter:
    """Routes below `/drafts/{workshop}/{version}`."""
    router = APIRouter(prefix="/drafts/{workshop}/{version}", include_in_schema=False, route_class=page_route(templates))
    permission = Depends(requires(verifier, Permission.WORKSHOP_PREVIEW))

    @router.get("")
    async def first(request: Request, workshop: str, version: str, _identity: Annotated[Identity, permission]) -> Response:
        found = await library.version(workshop, version)
        return RedirectResponse(f"{root_path(request)}/drafts/{workshop}/{version}/steps/{found.manifest.steps[0]}", 303)

    @router.get("/steps/{step}")
    async def one_step(
        request: Request, workshop: str, version: str, step: str, identity: Annotated[Identity, permission]
    ) -> Response:
        found = await library.version(workshop, version)
        if step not in found.steps:
            raise NotFoundError(f"The workshop has no step {step}.")
        base = f"{root_path(request)}/drafts/{workshop}/{version}"
        paths = {file.path for file in found.files}
        links = WorkshopLinks(
            folder=f"steps/{step}",
            steps=found.steps,
            files=paths,
            step_address=lambda target: f"{base}/steps/{target}",
            file_address=lambda path: f"{base}/files/{path}",
        )
        content = (await _read(library, found, f"steps/{step}/content.md")).decode()
        hints = f"steps/{step}/hints.md"
        variables = {variable.name for variable in found.manifest.variables}
        position = found.manifest.steps.index(step)
        return templates.page(
            request,
            "preview.html",
            identity=identity,
            here="convert",
            version=found,
            step=step,
            rendered=render_step(content, link=links, variables=variables or None).html,
            hints=render_step((await _read(library, found, hints)).decode(), link=links).html if hints in paths else "",
            source=await _source_file(library, found, step),
            previous=found.manifest.steps[position - 1] if position else None,
            following=found.manifest.steps[position + 1] if position + 1 < len(found.manifest.steps) else None,
            position=position + 1,
        )

    @router.get("/files/{path:path}")
    async def file(workshop: str, version: str, path: str, _identity: Annotated[Identity, permission]) -> Response:
        return file_response(path, await _read(library, await library.version(workshop, version), path))

    return router


async def _source_file(library: LibraryService, version: WorkshopVersion, step: str) -> str:
    path = f"steps/{step}/source-map.json"
    if all(file.path != path for file in version.files):
        return ""
    return SourceMap.model_validate_json(await _read(library, version, path)).file
