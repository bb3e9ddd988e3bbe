"""Workshops as plain Markdown with MkDocs: a page a step, hints and solutions in folded boxes, scripts beside the pages."""

import posixpath
from typing import Any

import yaml

from agents.template_converter.exports.model import Exported
from agents.template_converter.exports.scripts import add_script
from agents.template_converter.exports.steps import (
    Step,
    Targets,
    add_quiz,
    body_and_title,
    copy_assets,
    lose_limits,
    lose_settings,
    rewritten,
    steps_of,
)
from shared_services.contracts.conversion import Form
from shared_services.contracts.workshop import FenceInfo
from shared_services.library.form import WorkshopFiles

_EXTENSIONS: list[Any] = [
    "admonition", "attr_list", "tables", "toc", "pymdownx.details", {"pymdownx.superfences": {}}, {"pymdownx.tasklist": {}},
]  # fmt: skip


class MkDocsExporter:
    """Writes MkDocs sites (the package `mkdocs` with `pymdown-extensions` builds them)."""

    form = Form.MKDOCS

    def write(self, workshop: WorkshopFiles) -> Exported:
        """`mkdocs.yml`, `docs/` with a page a step, `scripts/` with checks and setups."""
        exported = Exported()
        steps = steps_of(workshop)
        pages = {step.id: f"{step.number:02d}-{step.id}.md" for step in steps}
        for step in steps:
            exported.add(f"docs/{pages[step.id]}", _page(step, _targets(step, pages), exported))
            _scripts(step, exported)
        copy_assets(workshop, exported, "docs/assets")
        exported.add("mkdocs.yml", yaml.safe_dump(_site(workshop, steps, pages), sort_keys=False, allow_unicode=True, width=120))
        for variable in workshop.manifest.variables:
            detail = f"`{{{{{variable.name}}}}}` stays as it is: nothing fills it in there."
            exported.lose("variable", "workshop.yaml", detail)
        lose_limits(steps, exported)
        lose_settings(workshop, exported)
        return exported


def _targets(step: Step, pages: dict[str, str]) -> Targets:
    def to_step(name: str, fragment: str) -> str:
        return pages.get(name, name) + (f"#{fragment}" if fragment else "")

    return Targets(to_step, lambda path: f"assets/{path}", lambda path: f"files/{step.id}/{path.removeprefix('files/')}")


def _fence(info: FenceInfo, _body: str) -> str:
    """A language alone where that says it all; else a list of attributes, which other readers pass over."""
    marks = ["no-run"] if info.language in ("bash", "sh", "shell", "console", "zsh") and not info.executable else []
    marks += [
        name for name, given in (("run", info.executable and not _runs(info.language)), ("to-copy", info.copyable)) if given
    ]
    marks += ["output"] if info.output else []
    target = f' data-target="{info.target}"' if info.target else ""
    if not marks and not target:
        return info.language
    classes = " ".join(f".{name}" for name in [info.language or "text", *marks])
    return f" {{ {classes}{target} }}"


def _runs(language: str) -> bool:
    return language in ("bash", "sh", "shell", "console", "zsh")


def _page(step: Step, targets: Targets, exported: Exported) -> str:
    body, title = body_and_title(rewritten(step.content, targets, _fence))
    front = f"---\nduration: {step.manifest.duration}\n---" if step.manifest.duration else ""
    parts = [front, f"# {title or step.title}", body.strip("\n")]
    for kind, label, text in (
        ("tip", "Hint", step.hints),
        ("info", "Explanation", step.explain),
        ("success", "Solution", step.solve),
    ):
        if text:
            inner = rewritten(text, targets, _fence).strip("\n").split("\n")
            parts.append("\n".join([f'??? {kind} "{label}"', "", *(f"    {row}" if row.strip() else "" for row in inner)]))
    if step.explain:
        exported.lose("help", f"steps/{step.id}/explain.md", "The explanation is a folded box of the page there.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _scripts(step: Step, exported: Exported) -> None:
    home = f"scripts/{step.id}"
    for name, text in (("check.sh", step.check), ("setup.sh", step.setup)):
        if text is not None:
            add_script(step, exported, name, f"{home}/{name}", home)
            exported.lose("check", f"steps/{step.id}/{name}", f"Nothing runs it there; it is kept as `scripts/{step.id}/{name}`.")
    add_quiz(step, exported, f"{home}/quiz.yaml")
    for path, data in step.files.items():
        kept = f"docs/files/{step.id}/{path.removeprefix('files/')}"
        exported.files[kept] = data
        if not path.startswith("files/"):
            exported.lose("file", f"steps/{step.id}/{path}", f"It has no meaning there; it is kept as `{kept}`.")


def _site(workshop: WorkshopFiles, steps: list[Step], pages: dict[str, str]) -> dict[str, Any]:
    manifest = workshop.manifest
    site: dict[str, Any] = {"site_name": manifest.title}
    if manifest.summary:
        site["site_description"] = manifest.summary
    if manifest.authors:
        site["site_author"] = ", ".join(manifest.authors)
    nav: list[Any] = []
    for step in steps:
        entry = {step.title: pages[step.id]}
        if (
            step.chapter
            and nav
            and isinstance(nav[-1], dict)
            and list(nav[-1]) == [step.chapter]
            and isinstance(nav[-1][step.chapter], list)
        ):
            nav[-1][step.chapter].append(entry)
        else:
            nav.append({step.chapter: [entry]} if step.chapter else entry)
    scripts = {pages[step.id]: named for step in steps if (named := _beside(step))}
    site |= {"nav": nav, "theme": {"name": "mkdocs"}, "markdown_extensions": _EXTENSIONS}
    told: dict[str, Any] = {
        "authors": manifest.authors if len(manifest.authors) > 1 else None,
        "tags": manifest.tags,
        "difficulty": manifest.difficulty,
        "duration": manifest.duration,
        "scripts": scripts,
    }
    # What says that it is a workshop, and not a site of documentation, to whoever reads it back.
    site["extra"] = {"workshop": {"slug": manifest.slug, **{name: value for name, value in told.items() if value}}}
    return site


def _beside(step: Step) -> dict[str, str]:
    """What lies beside a step's page, by what it is."""
    home = posixpath.join("scripts", step.id)
    named = {
        "check": posixpath.join(home, "check.sh") if step.check is not None else "",
        "setup": posixpath.join(home, "setup.sh") if step.setup is not None else "",
        "quiz": posixpath.join(home, "quiz.yaml") if step.quiz is not None else "",
        "files": posixpath.join("docs/files", step.id) if any(path.startswith("files/") for path in step.files) else "",
    }
    return {name: path for name, path in named.items() if path}
