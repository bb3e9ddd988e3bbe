"""Workshops as Antora sites in Showroom's layout: a page a step, navigation by chapter, automation beside, a small UI bundle."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import yaml

from agents.template_converter.exports.asciidoc import kept_as_written, to_asciidoc
from agents.template_converter.exports.model import Exported
from agents.template_converter.exports.scripts import add_script
from agents.template_converter.exports.steps import (
    Step,
    Targets,
    add_quiz,
    body_and_title,
    lose_limits,
    lose_settings,
    lose_trailing_blanks,
    steps_of,
)
from shared_services.contracts.conversion import Form
from shared_services.library.form import WorkshopFiles

UI = Path(__file__).parent / "antora_ui"
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif")
_ROOT = "content/modules/ROOT"


class AntoraExporter:
    """Writes sites that Antora builds from a local Git repository, and Showroom shows."""

    form = Form.SHOWROOM

    def write(self, workshop: WorkshopFiles) -> Exported:
        """`site.yml`, `ui-bundle.zip`, `content/` and `runtime-automation/`."""
        exported = Exported()
        manifest = workshop.manifest
        steps = steps_of(workshop)
        names = frozenset(variable.name for variable in manifest.variables)
        for step in steps:
            exported.add(f"{_ROOT}/pages/{step.id}.adoc", _page(step, names, exported))
            _beside(step, exported)
        for path, data in workshop.files.items():
            if path.startswith("assets/"):
                exported.files[f"{_ROOT}/{_place(path.removeprefix('assets/'))}"] = data
        exported.add(f"{_ROOT}/nav.adoc", _nav(steps))
        exported.add("content/antora.yml", _yaml(_component(workshop)))
        exported.add("site.yml", _yaml(_playbook(workshop)))
        exported.add("ui-config.yml", _yaml({"type": "showroom", "default_width": 40, "persist_url_state": True}))
        exported.files["ui-bundle.zip"] = ui_bundle()
        for variable in manifest.variables:
            if variable.default is not None:
                exported.lose(
                    "variable",
                    "workshop.yaml",
                    f"The default of `{variable.name}` is not kept: what is filled in at run time has none there.",
                )
        if any(";" in author for author in manifest.authors):
            exported.lose("setting", "workshop.yaml", "An author's `;` parts two authors there.")
        lose_limits(steps, exported)
        lose_settings(workshop, exported)
        return exported


def ui_bundle() -> bytes:
    """Antora's UI as a zip: a page with its navigation and nothing else; the same bytes each time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(UI.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(UI).as_posix(), (2020, 1, 1, 0, 0, 0)), path.read_bytes())
    return held.getvalue()


def _place(asset: str) -> str:
    return f"{'images' if asset.lower().endswith(_IMAGES) else 'attachments'}/{asset}"


def _targets(step: Step) -> Targets:
    def asset(path: str) -> str:
        return path if path.lower().endswith(_IMAGES) else f"attachment${path}"

    def to_step(name: str, fragment: str) -> str:
        return f"{name}.adoc" + (f"#{fragment}" if fragment else "")

    return Targets(to_step, asset, lambda path: f"attachment${step.id}/{path}")


def _page(step: Step, variables: frozenset[str], exported: Exported) -> str:
    targets = _targets(step)
    body, title = body_and_title(step.content)
    parts = [f"= {_one_line(title or step.title, variables)}", to_asciidoc(body, targets, variables).strip("\n")]
    for label, text in (("Hint", step.hints), ("Explanation", step.explain), ("Solution", step.solve)):
        if text:
            # Longer than any block inside: admonitions have four signs.
            inner = to_asciidoc(text, targets, variables, level=2).strip("\n")
            parts.append(f".{label}\n[%collapsible]\n======\n{inner}\n======")
    lose_trailing_blanks(step, exported)
    if step.explain:
        exported.lose("help", f"steps/{step.id}/explain.md", "The explanation is a folded block of the page there.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _one_line(title: str, variables: frozenset[str]) -> str:
    """A title as AsciiDoc takes it in its header."""
    text = re.sub(r"\{\{([\w.-]+)\}\}", lambda match: f"{{{match[1]}}}" if match[1] in variables else match[0], title)
    return kept_as_written(" ".join(text.split()))


def _beside(step: Step, exported: Exported) -> None:
    home = f"runtime-automation/{step.id}"
    for name, there in (("check.sh", "validation.sh"), ("setup.sh", "setup.sh")):
        add_script(step, exported, name, f"{home}/{there}", home)
    add_quiz(step, exported, f"{home}/quiz.yaml")
    texts = "\n".join(text for text in (step.content, step.hints, step.explain, step.solve) if text)
    for path, data in step.files.items():
        if f"{home}/{path}" in exported.files and path not in texts:
            continue
        kept = f"{_ROOT}/attachments/{step.id}/{path}"
        exported.files[kept] = data
        exported.lose("file", f"steps/{step.id}/{path}", f"It is an attachment of the site there: `{kept}`.")
    if step.manifest.duration:
        exported.lose("setting", f"steps/{step.id}/step.yaml", "The step's duration has no place there.")


def _nav(steps: list[Step]) -> str:
    rows: list[str] = []
    chapter = ""
    for step in steps:
        if step.chapter and step.chapter != chapter:
            rows.append(f"* {kept_as_written(' '.join(step.chapter.split()))}")
        chapter = step.chapter
        label = kept_as_written(" ".join(step.title.split())).replace("]", "\\]")
        rows.append(f"{'**' if chapter else '*'} xref:{step.id}.adoc[{label}]")
    return "\n".join(rows) + "\n"


def _component(workshop: WorkshopFiles) -> dict[str, Any]:
    manifest = workshop.manifest
    told = {
        "page-summary": manifest.summary,
        "page-difficulty": manifest.difficulty,
        "page-duration": f"{manifest.duration}m" if manifest.duration else None,
        "page-tags": ", ".join(manifest.tags),
        "page-authors": "; ".join(manifest.authors),
    }
    attributes = {name: value for name, value in told.items() if value}
    component: dict[str, Any] = {
        "name": manifest.slug,
        "title": manifest.title,
        "version": None,
        "start_page": f"{manifest.steps[0]}.adoc",
        "nav": ["modules/ROOT/nav.adoc"],
    }
    if attributes:
        component["asciidoc"] = {"attributes": attributes}
    return component


def _playbook(workshop: WorkshopFiles) -> dict[str, Any]:
    manifest = workshop.manifest
    return {
        "site": {"title": manifest.title, "start_page": f"{manifest.slug}::{manifest.steps[0]}.adoc"},
        "content": {"sources": [{"url": ".", "branches": "HEAD", "start_path": "content"}]},
        # What is filled in at run time stays as it is written.
        "asciidoc": {"attributes": {"attribute-missing": "skip"}},
        "ui": {"bundle": {"url": "./ui-bundle.zip", "snapshot": True}},
        "output": {"dir": "./www"},
    }


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
