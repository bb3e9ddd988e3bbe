"""workshop-builder's workshops: its manifest names the steps, each in a folder of its own, with goss specs as checks.

A step's recipe (files, commands) makes the state that the step leaves behind, so it becomes the setup of the step after it.
"""

import posixpath
import re
import shlex
from typing import Any

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble
from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.pages import first_paragraph, load_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import API_VERSION

_GOSS = "#!/bin/bash\nexec goss --gossfile files/goss.yaml validate\n"
_MANIFEST = re.compile(r"^workshop:", re.MULTILINE)
"""What the neutral form, whose layout is alike, never has."""
_KNOWN_STEP = frozenset({"title", "group", "files", "commands", "requires", "env", "llm", "id"})


class WorkshopBuilderImporter:
    """Recognises and reads workshop-builder's workshops."""

    form = Form.WORKSHOP_BUILDER

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each manifest whose steps lie beside it; those in examples count where there are no others."""
        found = []
        for path in signals.visible(tree):
            if posixpath.basename(path) != "workshop.yaml":
                continue
            folder = posixpath.dirname(path)
            steps = sorted(
                row for row in tree.under(posixpath.join(folder, "steps")) if row.endswith(("/step.yaml", "/goss.yaml"))
            )
            text = tree.read_text(path)[:20_000]
            if not steps or API_VERSION in text or not _MANIFEST.search(text):
                continue
            count = len({posixpath.dirname(row) for row in steps})
            evidence = f"`{path}` is laid out as workshop-builder does, with {count} step folders beside it."
            found.append(FormCandidate(form=self.form, score=0.9, path=folder, evidence=[evidence]))
        shown = [bool(row.path) and signals.is_showcase(row.path) for row in found]
        below = 0.75 if all(shown) else 0.45
        return [row.model_copy(update={"score": below}) if example else row for row, example in zip(found, shown, strict=True)]

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The workshop at `candidate.path`.

        Raises:
            UnreadableSourceError: The manifest cannot be read, or none of its steps is there.
        """
        manifest = posixpath.join(candidate.path, "workshop.yaml")
        values = _load(tree, manifest)
        about = values.get("workshop") if isinstance(values.get("workshop"), dict) else values
        assert isinstance(about, dict)
        broken: list[Broken] = []
        losses = [
            _loss("setting", manifest, f"`{name}` of the manifest is the environment's, not the workshop's, and is left out.")
            for name in ("base", "infrastructure")
            if values.get(name)
        ]
        ids = _step_ids(tree, candidate.path, manifest, values.get("steps"), broken, losses)
        if not ids:
            raise UnreadableSourceError(f"`{manifest}` names no step that has a content.md.")
        recipes = {name: _recipe(tree, posixpath.join(candidate.path, "steps", name), losses) for name in ids}
        steps = [_plan(tree, posixpath.join(candidate.path, "steps", name), name, recipes[name]) for name in ids]
        title = _text(about.get("title")) or _text(about.get("name")) or steps[0].title
        workshop = assemble(tree, Plan(title, steps, root=candidate.path, summary=first_paragraph(steps[0].page)))
        before: tuple[str, dict[str, Any]] | None = None
        for step in workshop.steps:
            folder = posixpath.join(candidate.path, "steps", step.id)
            _beside(tree, folder, step, losses)
            if before is not None:
                step.setup = _setup(tree, before[0], before[1], step, broken)
            before = (folder, recipes[step.id])
        if before is not None and (before[1].get("files") or before[1].get("commands")):
            losses.append(_loss("setup", f"{before[0]}/step.yaml", "What the last step leaves behind is the setup of no step."))
        prompts = tree.under(posixpath.join(candidate.path, "prompts"))
        losses += [_loss("setting", name, "The prompt of the other platform's assistant is left out.") for name in prompts]
        workshop.losses += losses
        workshop.broken += broken
        return workshop


def _load(tree: Tree, path: str) -> dict[str, Any]:
    try:
        values = load_plain(tree.read_text(path)) if path in tree else None
    except UnsafeYamlError as error:
        raise UnreadableSourceError(f"`{path}` cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise UnreadableSourceError(f"`{path}` holds no settings.")
    return values


def _step_ids(tree: Tree, folder: str, manifest: str, named: object, broken: list[Broken], losses: list[Loss]) -> list[str]:
    """The manifest's steps that are there, each once; folders that it does not name are told."""
    found: dict[str, None] = {}
    for row in named if isinstance(named, list) else []:
        name = _text(row.get("id") if isinstance(row, dict) else row)
        if f"{folder}/steps/{name}/content.md".lstrip("/") not in tree:
            detail = f"The manifest names the step `{name}`, which has no content.md."
            broken.append(Broken(kind="page", source=manifest, line=0, target=name, detail=detail))
        elif name in found:
            losses.append(
                _loss("page", manifest, f"The manifest names the step `{name}` again; it is one step, at its first place.")
            )
        else:
            found[name] = None
    home = posixpath.join(folder, "steps")
    there = {path[len(home) + 1 :].split("/")[0] for path in tree.under(home) if path.endswith("/content.md")}
    detail = "The manifest does not name this step, so it is none."
    losses += [_loss("page", f"{home}/{name}/content.md", detail) for name in sorted(there - set(found))]
    return list(found)


def _recipe(tree: Tree, folder: str, losses: list[Loss]) -> dict[str, Any]:
    path = f"{folder}/step.yaml"
    if path not in tree:
        return {}
    values = _load(tree, path)
    for name in sorted(str(name) for name in set(values) - {"title", "group", "files", "commands", "id"}):
        what = "is left out" if name in _KNOWN_STEP else "is not known and is left out"
        losses.append(_loss("setting", path, f"`{name}` of the step {what}."))
    return values


def _plan(tree: Tree, folder: str, name: str, recipe: dict[str, Any]) -> StepPlan:
    page = load_page(tree, f"{folder}/content.md")
    for file, place in (("hints.md", page.asides.hints), ("solve.md", page.asides.solutions)):
        if f"{folder}/{file}" in tree:
            place.append((len(page.lines), lines_of(tree.read_text(f"{folder}/{file}"), f"{folder}/{file}")))
    return StepPlan(
        page, 0, len(page.lines), _text(recipe.get("title")) or page.title or name, id=name, chapter=_text(recipe.get("group"))
    )


def _beside(tree: Tree, folder: str, step: ImportedStep, losses: list[Loss]) -> None:
    """What lies beside a step's content: its explanation and its check."""
    if f"{folder}/explain.md" in tree:
        step.explain = tree.read_text(f"{folder}/explain.md")
    if f"{folder}/goss.yaml" in tree:
        step.check = _GOSS
        step.files["files/goss.yaml"] = tree.read_bytes(f"{folder}/goss.yaml")
        losses.append(_loss("check", f"{folder}/goss.yaml", "The check runs `goss`, which the environment must have."))
    detail = "A text for the other platform's assistant is left out."
    losses += [_loss("file", path, detail) for path in tree.under(f"{folder}/llm-docs")]


def _setup(tree: Tree, folder: str, recipe: dict[str, Any], step: ImportedStep, broken: list[Broken]) -> str | None:
    """The script that makes what the step in `folder` leaves behind, for the step after it."""
    rows: list[str] = []
    files = recipe.get("files")
    for entry in files if isinstance(files, list) else []:
        source, target = (_text(entry.get(key)) for key in ("source", "target")) if isinstance(entry, dict) else ("", "")
        path = posixpath.normpath(f"{folder}/files/{source}")
        if not source or not target or path not in tree or not path.startswith(f"{folder}/files/"):
            detail = f"The step's recipe names the file `{source}`, which is not in its folder `files`."
            broken.append(Broken(kind="file", source=f"{folder}/step.yaml", line=0, target=source, detail=detail))
            continue
        kept = f"files/before/{path[len(folder) + 7 :]}"
        step.files[kept] = tree.read_bytes(path)
        mode = _text(entry.get("mode"))
        option = f"-m {mode} " if mode.isdigit() else ""
        rows.append(f"install -D {option}{shlex.quote(kept)} {shlex.quote(target)}")
    commands = recipe.get("commands")
    rows += [str(command) for command in commands if isinstance(command, str)] if isinstance(commands, list) else []
    return "#!/bin/bash\nset -e\n" + "".join(f"{row}\n" for row in rows) if rows else None


def _loss(kind: str, source: str, detail: str) -> Loss:
    return Loss(kind=kind, source=source, line=0, detail=detail)


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
