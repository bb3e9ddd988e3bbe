"""workshop-builder's workshops: its manifest names the steps, each in a folder of its own, with goss specs as checks.

A step's recipe (files, commands) makes the state that the step leaves behind, so it becomes the setup of the step after it.
"""

import posixpath
import re
import shlex
from typing import Any

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.anchors import slug, unique_slug
from agents.template_converter.forms.assemble import MAX_LINKED_BYTES, Plan, StepPlan, assemble
from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.pages import Page, first_paragraph, load_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import API_VERSION

_GOSS = "#!/bin/bash\nexec goss --gossfile files/goss.yaml validate\n"
_MANIFEST = re.compile(r"^workshop:", re.MULTILINE)
"""What the neutral form, whose layout is alike, never has."""
_KNOWN_STEP = frozenset({"title", "group", "files", "commands", "requires", "env", "llm", "id"})
_READ = frozenset({"content.md", "hints.md", "explain.md", "solve.md", "step.yaml", "goss.yaml"})
"""Files of a step's folder that become something of their own."""


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
        losses = _settings(manifest, values, about)
        ids = _step_ids(tree, candidate.path, manifest, values.get("steps"), broken, losses)
        if not ids:
            raise UnreadableSourceError(f"`{manifest}` names no step that has a content.md.")
        recipes = {name: _recipe(tree, posixpath.join(candidate.path, "steps", name), losses) for name in ids}
        steps = [_plan(tree, posixpath.join(candidate.path, "steps", name), name, recipes[name]) for name in ids]
        taken: set[str] = set()
        for number, step_plan in enumerate(steps, 1):
            step_plan.id = unique_slug(slug(step_plan.id) or f"step-{number}", taken)
        title = _text(about.get("title")) or _text(about.get("name")) or steps[0].title
        summary = _text(about.get("description")) or first_paragraph(steps[0].page)
        workshop = assemble(tree, Plan(title, steps, root=candidate.path, summary=summary))
        before: tuple[str, dict[str, Any]] | None = None
        for name, step in zip(ids, workshop.steps, strict=True):
            folder = posixpath.join(candidate.path, "steps", name)
            _beside(tree, folder, step, losses)
            if before is not None:
                step.setup = _setup(tree, before[0], before[1], step, broken)
            _keep_others(tree, folder, step, set(workshop.assets.values()) | _installed(folder, recipes[name]), losses)
            before = (folder, recipes[name])
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


def _settings(manifest: str, values: dict[str, Any], about: dict[str, Any]) -> list[Loss]:
    """What the manifest says of the environment, and what is not known."""
    said = "of the manifest is the environment's, not the workshop's, and is left out."
    losses = [_loss("setting", manifest, f"`{name}` {said}") for name in ("base", "infrastructure") if values.get(name)]
    known = {"version", "workshop", "steps", "base", "infrastructure"}
    unknown = {
        str(name) for name in about if name not in {"title", "name", "description"} | (known if about is values else set())
    }
    if about is not values:
        unknown |= {str(name) for name in values if name not in known}
    return losses + [
        _loss("setting", manifest, f"`{name}` of the manifest has no place in the workshop and is left out.")
        for name in sorted(unknown)
    ]


def _step_ids(tree: Tree, folder: str, manifest: str, named: object, broken: list[Broken], losses: list[Loss]) -> list[str]:
    """The manifest's steps that are there, each once; folders that it does not name are told."""
    found: dict[str, None] = {}
    for row in named if isinstance(named, list) else []:
        others = sorted(str(key) for key in set(row) - {"id"}) if isinstance(row, dict) else []
        losses += [
            _loss("setting", manifest, f"`{key}` of a step in the manifest is not known and is left out.") for key in others
        ]
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
    for name, kind, wanted in (("commands", str, "text"), ("files", dict, "a source with its target")):
        rows = values.get(name)
        count = sum(not isinstance(row, kind) for row in rows) if isinstance(rows, list) else int(rows is not None)
        if count:
            losses.append(_loss("setup", path, f"`{name}` of the step: what is not {wanted} is left out ({count} times)."))
    return values


def _plan(tree: Tree, folder: str, name: str, recipe: dict[str, Any]) -> StepPlan:
    page = load_page(tree, f"{folder}/content.md")
    asides = page.asides
    for file, place in (("hints.md", asides.hints), ("explain.md", asides.explanations), ("solve.md", asides.solutions)):
        if f"{folder}/{file}" in tree:
            _draw(page, load_page(tree, f"{folder}/{file}"), place)
    return StepPlan(
        page, 0, len(page.lines), _text(recipe.get("title")) or page.title or name, id=name, chapter=_text(recipe.get("group"))
    )


def _draw(page: Page, aside: Page, place: list[tuple[int, list[Line]]]) -> None:
    """Put a page of help beside a step's content, with whatever was found in it."""
    end = len(page.lines)
    place.append((end, aside.lines))
    for own, further in (
        (page.asides.hints, aside.asides.hints),
        (page.asides.solutions, aside.asides.solutions),
        (page.asides.explanations, aside.asides.explanations),
    ):
        own += [(end, lines) for _, lines in further]
    page.losses += aside.losses
    page.unknown_tags += [(end, tag) for _, tag in aside.unknown_tags]
    names = {name for heading in aside.headings for name in heading.names} | set(aside.anchors) | aside.moved
    page.moved |= names - {name for heading in page.headings for name in heading.names} - set(page.anchors)


def _beside(tree: Tree, folder: str, step: ImportedStep, losses: list[Loss]) -> None:
    """What lies beside a step's content: its check, and texts for an assistant."""
    if f"{folder}/goss.yaml" in tree:
        step.check = _GOSS
        step.files["files/goss.yaml"] = tree.read_bytes(f"{folder}/goss.yaml")
        losses.append(_loss("check", f"{folder}/goss.yaml", "The check runs `goss`, which the environment must have."))
    detail = "A text for the other platform's assistant is left out."
    losses += [_loss("file", path, detail) for path in tree.under(f"{folder}/llm-docs")]


def _installed(folder: str, recipe: dict[str, Any]) -> set[str]:
    """The files of a step that its recipe names."""
    rows = recipe.get("files")
    named = (_text(row.get("source")) for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))
    return {posixpath.normpath(f"{folder}/files/{name}") for name in named}


def _meets(path: str, files: dict[str, bytes]) -> bool:
    """Whether a path is one of the files, or one of the two would be a folder of the other."""
    return any(path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in files)


def _keep_others(tree: Tree, folder: str, step: ImportedStep, used: set[str], losses: list[Loss]) -> None:
    """Keep a step's other files below `files/`; those that cannot be kept are told."""
    for path in tree.under(folder):
        inner = path[len(folder) + 1 :]
        if path in used or inner in _READ or inner.startswith("llm-docs/"):
            continue
        kept = f"files/{inner.removeprefix('files/')}"
        if _meets(kept, step.files) or tree.files[path] > MAX_LINKED_BYTES or posixpath.basename(path).startswith("."):
            losses.append(_loss("file", path, "The file is hidden, too large or named like another one, and is left out."))
        else:
            step.files[kept] = tree.read_bytes(path)


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
