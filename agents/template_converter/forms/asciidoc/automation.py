"""`runtime-automation/`: what Showroom runs when a participant presses Validate or Solve.

A step's check is a shell script, so a shell script becomes one. An Ansible playbook cannot be run by the platform: it is
kept as a file of the step, for the author to port, and reported as a lost check, so that no step claims a check it lacks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agents.template_converter.model import ImportedStep, Tree
from shared_services.asciidoc.escape import fence
from shared_services.asciidoc.preprocess import Findings

FOLDER = "runtime-automation"
_SCRIPT = re.compile(r"^(setup|solve|validat(?:e|ion))\b[\w-]*\.(sh|ya?ml)$")
MAX_FILE_BYTES = 1_000_000


@dataclass
class Automation:
    """The files of one module's automation, by what they are for."""

    module: str
    setup: list[str] = field(default_factory=list)
    solve: list[str] = field(default_factory=list)
    validate: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find(tree: Tree, root: str) -> dict[str, Automation]:
    """Automation by the name of its module."""
    prefix = f"{root}/{FOLDER}/".lstrip("/")
    found: dict[str, Automation] = {}
    for path in tree.under(prefix.rstrip("/")):
        module, slash, name = path[len(prefix) :].partition("/")
        if not slash:
            continue
        entry = found.setdefault(module, Automation(module))
        match = _SCRIPT.match(name)
        purpose = {"setup": entry.setup, "solve": entry.solve}.get(match[1], entry.validate) if match else entry.others
        purpose.append(path)
    return found


def place(modules: Iterable[str], named: Mapping[str, str], stems: Mapping[str, str]) -> dict[str, str]:
    """Module -> step id: by the buttons that name the module, else by the page's name.

    Args:
        modules: Names of the automation's folders.
        named: Module -> step id, from the buttons on the pages.
        stems: Page name without ending -> step id, in the order of the steps.
    """
    placed: dict[str, str] = {}
    for module in modules:
        if module in named:
            placed[module] = named[module]
        elif module in stems:
            placed[module] = stems[module]
        else:
            alike = [step for stem, step in stems.items() if stem.startswith(f"{module}-") or stem.endswith(f"-{module}")]
            if len(alike) == 1:
                placed[module] = alike[0]
    return placed


def attach(tree: Tree, automation: Automation, step: ImportedStep | None, findings: Findings) -> None:
    """Give a step the scripts of its module; what cannot run is kept as files and reported."""
    files = [*automation.setup, *automation.solve, *automation.validate, *automation.others]
    if step is None:
        for path in files:
            findings.lose_at("check", path, 0, f"No step is called or names `{automation.module}`, so this file was left out.")
        return
    for purpose, paths in (("setup", automation.setup), ("solve", automation.solve), ("check", automation.validate)):
        _take(tree, step, purpose, paths, findings)
    for path in automation.others:
        _keep(tree, step, path, findings, "is part of the step's automation; it was kept as a file")


def _take(tree: Tree, step: ImportedStep, purpose: str, paths: list[str], findings: Findings) -> None:
    scripts = [path for path in paths if path.endswith(".sh")]
    taken = scripts[0] if len(scripts) == 1 and getattr(step, purpose) is None else None
    if taken is not None:
        text = tree.read_text(taken)
        if purpose == "solve":
            mark = fence(text.split("\n"))
            step.solve = f"{mark}bash\n{text.rstrip()}\n{mark}\n"
        else:
            setattr(step, purpose, text)
    for path in paths:
        if path != taken:
            what = (
                "cannot run as a step's script"
                if path.endswith(".sh")
                else "is an Ansible playbook, which the platform does not run"
            )
            _keep(tree, step, path, findings, f"{what}; it was kept as a file")


def _keep(tree: Tree, step: ImportedStep, path: str, findings: Findings, why: str) -> None:
    if tree.files[path] > MAX_FILE_BYTES:
        findings.lose_at("check", path, 0, f"`{path}` is larger than {MAX_FILE_BYTES} bytes and was left out.")
        return
    kept = f"files/{FOLDER}/{path.rpartition(f'{FOLDER}/')[2]}"
    step.files[kept] = tree.read_bytes(path)
    findings.lose_at("check", path, 0, f"`{path.rpartition('/')[2]}` {why} (`{kept}` of step `{step.id}`).")
