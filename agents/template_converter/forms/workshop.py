"""The neutral form itself: recognised by its manifest, judged, and taken as it is."""

import posixpath

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.lines import lines_of, runs_of
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Form, FormCandidate
from shared_services.contracts.workshop import API_VERSION
from shared_services.library.form import InvalidWorkshopError, WorkshopFiles, validate_files


class WorkshopImporter:
    """Recognises and reads workshops that are in the neutral form already."""

    form = Form.WORKSHOP

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each `workshop.yaml` of this platform."""
        found = []
        for path in signals.visible(tree):
            if posixpath.basename(path) == "workshop.yaml" and API_VERSION in tree.read_text(path)[:20_000]:
                folder = posixpath.dirname(path)
                steps = sum(row.endswith("/content.md") for row in tree.under(posixpath.join(folder, "steps")))
                score = 0.45 if folder and signals.is_showcase(folder) else 0.99
                found.append(
                    FormCandidate(
                        form=Form.WORKSHOP,
                        score=score,
                        path=folder,
                        evidence=[f"`{path}` is a manifest of {API_VERSION} with {steps} steps beside it."],
                    )
                )
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The workshop at `candidate.path`, in the importers' words; its files themselves are in `read_files`.

        Raises:
            UnreadableSourceError: Not a valid workshop; every finding is named.
        """
        workshop = read_files(tree, candidate.path)
        steps = []
        for step_id in workshop.manifest.steps:
            source = posixpath.join(candidate.path, f"steps/{step_id}/content.md")
            content = workshop.text(f"steps/{step_id}/content.md") or ""
            manifest = workshop.steps[step_id]
            texts = {name: workshop.text(f"steps/{step_id}/{name}.md") for name in ("hints", "explain", "solve")}
            steps.append(
                ImportedStep(
                    id=step_id,
                    title=manifest.title,
                    source=source,
                    content=content,
                    runs=runs_of(lines_of(content, source)),
                    duration=manifest.duration,
                    hints=texts["hints"],
                    explain=texts["explain"],
                    solve=texts["solve"],
                )
            )
        given = workshop.manifest
        return ImportedWorkshop(
            title=given.title,
            steps=steps,
            summary=given.summary,
            authors=given.authors,
            tags=given.tags,
            duration=given.duration,
            chapters=given.chapters,
            variables=given.variables,
        )


def read_files(tree: Tree, folder: str) -> WorkshopFiles:
    """Every file of the workshop in `folder`, judged; hidden files are left out.

    Raises:
        UnreadableSourceError: Not a valid workshop.
    """
    prefix = f"{folder}/" if folder else ""
    paths = [path for path in tree.under(folder) if not any(part.startswith(".") for part in path[len(prefix) :].split("/"))]
    files = {
        path[len(prefix) :]: tree.read_bytes(path)
        for path in paths
        if path[len(prefix) :].split("/")[0] in ("workshop.yaml", "steps", "assets")
    }
    try:
        return validate_files(files)
    except InvalidWorkshopError as error:
        raise UnreadableSourceError(f"`{prefix}workshop.yaml`: {error.detail}", **error.extra) from error
