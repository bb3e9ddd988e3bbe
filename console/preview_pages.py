"""A draft as its participants would see it, before anybody does; beside each block, where it came from."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from console.comparing import anchors, block_places, excerpt, excerpts
from console.people import frame, requires
from console.places import read_file, read_map, web_address
from shared_services.contracts.identity import Identity
from shared_services.contracts.library import WorkshopVersion
from shared_services.kit.errors import NotFoundError
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.service import LibraryService
from shared_services.pages.addresses import WorkshopLinks
from shared_services.pages.markdown import render_step
from shared_services.pages.templating import Templates, page_route, root_path
from shared_services.pages.workshop_files import file_response


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
        request: Request,
        workshop: str,
        version: str,
        step: str,
        identity: Annotated[Identity, permission],
        of: Annotated[str, Query(max_length=1024, description="File of the source that a report names.")] = "",
        at: Annotated[int, Query(ge=0, description="Its line.")] = 0,
    ) -> Response:
        found = await library.version(workshop, version)
        if step not in found.steps:
            raise NotFoundError(f"The workshop has no step {step}.")
        position = found.manifest.steps.index(step)
        return templates.page(
            request,
            "preview.html",
            **frame(identity, ""),
            version=found,
            step=step,
            previous=found.manifest.steps[position - 1] if position else None,
            following=found.manifest.steps[position + 1] if position + 1 < len(found.manifest.steps) else None,
            position=position + 1,
            named=(of, at),
            **await _rendered(library, found, step, f"{root_path(request)}/drafts/{workshop}/{version}"),
        )

    @router.get("/source")
    async def source(
        request: Request,
        workshop: str,
        version: str,
        identity: Annotated[Identity, permission],
        of: Annotated[str, Query(min_length=1, max_length=1024, description="File of the source.")],
        at: Annotated[int, Query(ge=0, description="Its line.")] = 0,
    ) -> Response:
        """A file of the source that no step shows, as it was kept."""
        found = await library.version(workshop, version)
        page = excerpt(of, await library.source(workshop, version, of), None)
        return templates.page(
            request,
            "source.html",
            **frame(identity, ""),
            version=found,
            excerpts=[(page, web_address(found.manifest.source, of, page.first))],
            named=(of, at),
        )

    @router.get("/files/{path:path}")
    async def file(workshop: str, version: str, path: str, _identity: Annotated[Identity, permission]) -> Response:
        return file_response(path, await read_file(library, await library.version(workshop, version), path))

    return router


async def _rendered(library: LibraryService, version: WorkshopVersion, step: str, base: str) -> dict[str, Any]:
    """A step's text and hints as HTML, and the places that its blocks came from."""
    paths = {file.path for file in version.files}
    links = WorkshopLinks(
        folder=f"steps/{step}",
        steps=version.steps,
        files=paths,
        step_address=lambda target: f"{base}/steps/{target}",
        file_address=lambda path: f"{base}/files/{path}",
    )
    variables = {variable.name for variable in version.manifest.variables} or None

    async def html_of(name: str, prefix: str = "") -> str:
        text = (await read_file(library, version, f"steps/{step}/{name}")).decode()
        return render_step(text, link=links, variables=variables, prefix=prefix).html

    content = await html_of("content.md")
    source_map = await read_map(library, version, step)
    source = version.manifest.source
    places = block_places(content, source_map) if source_map else {}
    lines = (await read_file(library, version, f"steps/{step}/content.md")).count(b"\n") + 1
    shown = await excerpts(library, version, source_map, lines) if source_map else []
    beside = anchors(places, shown)
    told = {
        line: {
            "file": place.file,
            "first": place.first,
            "last": place.last,
            "web": web_address(source, place.file, place.first),
            "anchor": beside.get(line),
        }
        for line, place in places.items()
    }
    return {
        "rendered": content,
        "titled": content.startswith("<h1"),
        "hints": await html_of("hints.md", "hints-") if f"steps/{step}/hints.md" in paths else "",
        "source": source_map.file if source_map else "",
        "source_web": web_address(source, source_map.file, 0) if source_map else None,
        "excerpts": [(each, web_address(source, each.file, each.first)) for each in shown],
        "places": json.dumps(told),
    }
