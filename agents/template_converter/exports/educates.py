"""Workshops as Educates has them: a Workshop resource, a page bundle a step, blocks to run as clickable actions."""

import re
from typing import Any

import yaml

from agents.template_converter.exports.model import Exported
from agents.template_converter.exports.scripts import add_script
from agents.template_converter.exports.steps import (
    Step,
    Targets,
    add_quiz,
    body_and_title,
    lose_blank_lines,
    lose_settings,
    rewritten,
    steps_of,
)
from agents.template_converter.forms.lines import lines_of, outside_fences
from agents.template_converter.forms.parsing import parse
from shared_services.contracts.conversion import Form
from shared_services.contracts.workshop import FenceInfo, parse_fence_info
from shared_services.library.form import WorkshopFiles

_OPEN = re.compile(r"^(?P<before>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
_VARIABLE = re.compile(r"\{\{([A-Za-z_][\w.-]*)\}\}")
_ASSET_IN_PAGE = re.compile(r"\.\./\.\./assets/([^\s)#?>\"]+)")


class EducatesExporter:
    """Writes workshops for Educates (training.educates.dev/v1beta1, pages rendered by Hugo)."""

    form = Form.EDUCATES

    def write(self, workshop: WorkshopFiles) -> Exported:
        """`resources/workshop.yaml`, `workshop/config.yaml`, `workshop/content/`, examiner tests and setup scripts."""
        exported = Exported()
        steps = steps_of(workshop)
        variables = frozenset(variable.name for variable in workshop.manifest.variables)
        bundles = {step.id: f"{step.number:02d}-{step.id}" for step in steps}
        for step in steps:
            folder = f"workshop/content/{bundles[step.id]}"
            exported.add(f"{folder}/index.md", _page(step, bundles, variables))
            _assets(workshop, step, folder, exported)
            _scripts(step, exported)
            _lose_marks(step, exported)
            lose_blank_lines(step, exported)
        exported.add("resources/workshop.yaml", _yaml(_resource(workshop)))
        exported.add("workshop/config.yaml", _yaml(_config(workshop, steps, bundles)))
        if workshop.manifest.chapters:
            exported.lose("chapter", "workshop.yaml", "Chapters have no place there; their steps stand one after the other.")
        lose_settings(workshop, exported)
        return exported


def _lose_marks(step: Step, exported: Exported) -> None:
    """What a clickable action or a plain block does not say of a block."""
    infos = [parse_fence_info(token.info) for token in parse(lines_of(step.content, "")).tokens if token.type == "fence"]
    for count, what in (
        (sum(info.copyable and info.language not in ("", "text") for info in infos), "to copy lose their language"),
        (sum(info.output for info in infos), "of output are plain blocks"),
    ):
        if count:
            exported.lose("code", step.path, f"{count} block{'s' if count > 1 else ''} {what} there.")


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)


def _page(step: Step, bundles: dict[str, str], variables: frozenset[str]) -> str:
    def to_step(name: str, fragment: str) -> str:
        return f"../{bundles.get(name, name)}" + (f"#{fragment}" if fragment else "")

    targets = Targets(to_step, lambda path: f"assets/{path}", lambda path: path)

    def written(text: str) -> str:
        made = "\n".join(_actions(rewritten(text, targets, lambda info, _body: str(info)))).strip("\n")
        return _VARIABLE.sub(lambda match: f"{{{{< param {match[1]} >}}}}" if match[1] in variables else match[0], made)

    body, title = body_and_title(written(step.content))
    parts = [f"---\n{_yaml({'title': step.title})}---", f"# {title}" if title and title != step.title else "", body]
    for label, text in (("Hint", step.hints), ("Explanation", step.explain), ("Solution", step.solve)):
        if text:
            parts.append(f"```section:begin\ntitle: {label}\n```\n\n{written(text)}\n\n```section:end\ntitle: {label}\n```")
    if step.check is not None:
        test: dict[str, Any] = {"name": step.id, "title": "Check this step"}
        if step.manifest.check:
            test["timeout"] = step.manifest.check.timeout
        parts.append(f"```examiner:execute-test\n{_yaml(test)}```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _actions(text: str) -> list[str]:
    """Blocks to run and to copy as clickable actions, whose bodies are YAML; other blocks with their language alone."""
    rows = lines_of(text, "")
    inside = [flag for _, _, flag in outside_fences(rows)]
    out: list[str] = []
    row = 0
    while row < len(rows):
        line = rows[row].text
        match = _OPEN.match(line) if inside[row] else None
        if match is None:
            out.append(line)
            row += 1
            continue
        end = _closing([each.text for each in rows], row, match["mark"])
        before, info = match["before"], parse_fence_info(match["info"])
        indent = re.sub(r"[^\t]", " ", before)
        body = [rows[number].text.removeprefix(indent) for number in range(row + 1, end)]
        first, *others = _block(indent, match["mark"], info, body)
        out += [before + first.removeprefix(indent), *others]
        row = end + 1
    return out


def _closing(rows: list[str], first: int, mark: str) -> int:
    for number in range(first + 1, len(rows)):
        text = rows[number].strip()
        if text.startswith(mark) and not text.strip(mark[0]):
            return number
    return len(rows)


def _block(indent: str, mark: str, info: FenceInfo, body: list[str]) -> list[str]:
    plain = [f"{indent}{mark}{info.language}", *(indent + row if row else "" for row in body), f"{indent}{mark}"]
    if not (info.executable or info.copyable) or not any(row.strip() for row in body):
        return plain
    action, key = ("terminal:execute", "command") if info.executable else ("workshop:copy", "text")
    session = [f"session: {info.target}"] if info.executable and info.target else []
    # A block scalar keeps every character but trailing blank lines; one that begins with a space says how far it is indented.
    first = next(row for row in body if row)
    scalar = f"{key}: |2" if first.startswith((" ", "\t")) else f"{key}: |"
    made = [*session, f"{scalar}-" if not body or body[-1].strip() else scalar, *(f"  {row}" if row else "" for row in body)]
    return [f"{indent}{mark}{action}", *(indent + row if row else "" for row in made), f"{indent}{mark}"]


def _assets(workshop: WorkshopFiles, step: Step, folder: str, exported: Exported) -> None:
    """What the step's texts refer to, into the step's own bundle."""
    texts = "\n".join(text for text in (step.content, step.hints, step.explain, step.solve) if text)
    for path in dict.fromkeys(_ASSET_IN_PAGE.findall(texts)):
        data = workshop.files.get(f"assets/{path}")
        if data is not None:
            exported.files[f"{folder}/assets/{path}"] = data
    add_quiz(step, exported, f"{folder}/quiz.yaml")
    for path, data in step.files.items():
        exported.files[f"{folder}/{path}"] = data
        if not path.startswith("files/"):
            exported.lose("file", f"steps/{step.id}/{path}", f"It has no meaning there; it is kept in `{folder}`.")


def _scripts(step: Step, exported: Exported) -> None:
    home = f"workshop/steps/{step.id}"
    add_script(step, exported, "check.sh", f"workshop/examiner/tests/{step.id}", home)
    add_script(step, exported, "setup.sh", f"workshop/setup.d/{step.number:02d}-{step.id}.sh", home)
    if step.setup is not None:
        exported.lose(
            "setup", f"steps/{step.id}/setup.sh", "There it runs when the session starts, and not when the step is entered."
        )
    if step.explain is not None:
        exported.lose("help", f"steps/{step.id}/explain.md", "The explanation is a section of the page there.")
    if step.manifest.duration:
        exported.lose("setting", f"steps/{step.id}/step.yaml", "The step's duration has no place there.")


def _resource(workshop: WorkshopFiles) -> dict[str, Any]:
    manifest = workshop.manifest
    spec: dict[str, Any] = {"title": manifest.title, "description": manifest.summary or manifest.title}
    if manifest.duration:
        spec["duration"] = f"{manifest.duration}m"
    if manifest.difficulty:
        spec["difficulty"] = manifest.difficulty
    if manifest.authors:
        spec["authors"] = manifest.authors
    if manifest.tags:
        spec["tags"] = manifest.tags
    tests = any(step.check is not None for step in steps_of(workshop))
    applications: dict[str, Any] = {"terminal": {"enabled": True, "layout": "split"}, "editor": {"enabled": True}}
    if tests:
        applications["examiner"] = {"enabled": True}
    spec["session"] = {"applications": applications}
    return {
        "apiVersion": "training.educates.dev/v1beta1",
        "kind": "Workshop",
        "metadata": {"name": manifest.slug},
        "spec": spec,
    }


def _config(workshop: WorkshopFiles, steps: list[Step], bundles: dict[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "modules": [{"path": bundles[step.id], "title": step.title} for step in steps],
        "pathways": {
            "default": "workshop",
            "paths": {"workshop": {"title": workshop.manifest.title, "steps": [bundles[step.id] for step in steps]}},
        },
    }
    if workshop.manifest.variables:
        config["params"] = [
            {"name": variable.name} | ({"value": variable.default} if variable.default is not None else {})
            for variable in workshop.manifest.variables
        ]
    return config
