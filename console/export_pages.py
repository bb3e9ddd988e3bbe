"""A version of a workshop in another form: which forms there are, what each could not hold, and the archive."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from console.people import frame, requires
from console.reports import FORM_NAMES, export_sentence
from shared_services.clients.converter import ConverterClient
from shared_services.contracts.conversion import ExportRequest, Form
from shared_services.contracts.identity import Identity
from shared_services.kit.identity import Permission
from shared_services.kit.tokens import TokenVerifier
from shared_services.library.service import LibraryService
from shared_services.pages.templating import Templates, page_route

EXPORT_FORMS = {
    Form.SHOWROOM: "An Antora site in Showroom's layout, with a playbook and a small UI bundle.",
    Form.EDUCATES: "A workshop for Educates, with clickable actions, checks and quizzes.",
    Form.MKDOCS: "Plain Markdown with a `mkdocs.yml`.",
}

LONG_STEPS = 30
"""A workshop of more steps is exported as a job: AsciiDoc takes a moment for each."""


def step_of(path: str) -> str:
    """The step that a path inside a workshop belongs to; empty where it belongs to none."""
    parts = path.split("/")
    return parts[1] if parts[0] == "steps" and len(parts) > 2 else ""


def export_router(
    templates: Templates,
    verifier: TokenVerifier,
    library: LibraryService,
    converter_for: Callable[[Identity], ConverterClient],
) -> APIRouter:
    """Routes below `/drafts/{workshop}/{version}/export`."""
    router = APIRouter(prefix="/drafts/{workshop}/{version}/export", include_in_schema=False, route_class=page_route(templates))
    permission = Depends(requires(verifier, Permission.WORKSHOP_CONVERT))

    @router.get("")
    async def choices(request: Request, workshop: str, version: str, identity: Annotated[Identity, permission]) -> Response:
        found = await library.version(workshop, version)
        return templates.page(
            request,
            "export.html",
            **frame(identity, ""),
            version=found,
            forms=EXPORT_FORMS,
            form_names=FORM_NAMES,
            long=len(found.manifest.steps) > LONG_STEPS,
            report=None,
        )

    @router.get("/{form}")
    async def report(
        request: Request, workshop: str, version: str, form: Form, identity: Annotated[Identity, permission]
    ) -> Response:
        found = await library.version(workshop, version)
        made = await converter_for(identity).export(workshop, form, version)
        return templates.page(
            request,
            "export.html",
            **frame(identity, ""),
            version=found,
            forms=EXPORT_FORMS,
            form_names=FORM_NAMES,
            report=made,
            sentence=export_sentence(made),
            step_of=step_of,
        )

    @router.post("/{form}")
    async def start(workshop: str, version: str, form: Form, identity: Annotated[Identity, permission]) -> Response:
        """Export a long workshop as a job."""
        found = await library.version(workshop, version)
        asked = ExportRequest(workshop=found.workshop, version=found.version, form=form)
        job = await converter_for(identity).start_export(asked)
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)

    @router.get("/{form}/archive")
    async def archive(
        workshop: str,
        version: str,
        form: Form,
        identity: Annotated[Identity, permission],
        kept: Annotated[bool, Query(description="Take the one that a job kept.")] = False,
    ) -> Response:
        found = await library.version(workshop, version)
        if kept:
            held = await library.export(found.workshop, found.version, form)
        else:
            held = await converter_for(identity).export_archive(found.workshop, form, found.version)
        return Response(
            held,
            media_type="application/zip",
            headers={
                "content-disposition": f'attachment; filename="{found.workshop}-{form}.zip"',
                "cache-control": "private, no-cache",
            },
        )

    return router
