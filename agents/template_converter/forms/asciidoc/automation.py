"""`runtime-automation/` and `setup-automation/`: what Showroom runs for a lab and when somebody presses Validate or Solve.

A step's check and set-up are shell scripts, so a shell script becomes one. An Ansible playbook is called by one, with
`ansible-playbook`, which the environment must have; that is reported, and so are scripts for several hosts, which run one
after the other here. Solutions are shown as text, in whichever language they are.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.step_files import with_files
from agents.template_converter.model import ImportedStep, Tree
from shared_services.asciidoc.escape import fence
from shared_services.asciidoc.preprocess import Findings

FOLDER = "runtime-automation"
SETUP_FOLDER = "setup-automation"
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


def stands_in(tree: Tree, home: str) -> bool:
    """Whether a folder holds automation for modules."""
    return next(tree.under(f"{home}/{FOLDER}".lstrip("/")), None) is not None


def find(tree: Tree, root: str) -> tuple[dict[str, Automation], list[str]]:
    """Automation by the name of its module, and the files that belong to all of it."""
    prefix = f"{root}/{FOLDER}/".lstrip("/")
    found: dict[str, Automation] = {}
    shared: list[str] = []
    for path in tree.under(prefix.rstrip("/")):
        module, slash, name = path[len(prefix) :].partition("/")
        if not slash:
            shared.append(path)
            continue
        entry = found.setdefault(module, Automation(module))
        match = _SCRIPT.match(name)
        purpose = {"setup": entry.setup, "solve": entry.solve}.get(match[1], entry.validate) if match else entry.others
        purpose.append(path)
    return found, shared


def place(modules: Iterable[str], named: Mapping[str, str], stems: Mapping[str, str]) -> dict[str, list[str]]:
    """Module -> ids of its steps: by the buttons that name the module, else by the pages' names.

    Args:
        modules: Names of the automation's folders.
        named: Module -> step id, from the buttons on the pages.
        stems: Page name without ending -> step id, in the order of the steps.
    """
    placed: dict[str, list[str]] = {}
    for module in modules:
        if module in named:
            placed[module] = [named[module]]
        elif module in stems:
            placed[module] = [stems[module]]
        else:
            below = [step for stem, step in stems.items() if stem.startswith(f"{module}-")]
            alike = below or [step for stem, step in stems.items() if stem.endswith(f"-{module}")]
            if alike and (below or len(alike) == 1):
                placed[module] = alike
    return placed


def attach(tree: Tree, automation: Automation, steps: list[ImportedStep], findings: Findings) -> None:
    """Give the steps of a module its scripts: the set-up to the first of them, check and solution to the last."""
    if not steps:
        for path in (*automation.setup, *automation.solve, *automation.validate, *automation.others):
            findings.lose_at("check", path, 0, f"No step is called or names `{automation.module}`, so this file was left out.")
        return
    if len(steps) > 1:
        detail = f"It is for {len(steps)} steps together, of which `{steps[-1].id}` is the last and has its check and solution."
        findings.lose_at("check", next(iter(automation.validate or automation.solve or automation.setup), FOLDER), 0, detail)
    steps[0].setup = _joined(steps[0].setup, _script(tree, steps[0], automation.setup, findings))
    steps[-1].check = _joined(steps[-1].check, _script(tree, steps[-1], automation.validate, findings))
    _solve(tree, steps[-1], automation.solve, findings)
    for path in automation.others:
        if f"/{path}".rpartition(f"/{FOLDER}/{automation.module}/")[2] in {*steps[0].files, *steps[-1].files}:
            continue
        if path.endswith(f"/{automation.module}/quiz.yaml"):
            steps[-1].files["quiz.yaml"] = tree.read_bytes(path)
            continue
        _keep(tree, steps[-1], path, findings, "is part of the step's automation; it was kept as a file")


def attach_setup(tree: Tree, root: str, first: ImportedStep, findings: Findings) -> None:
    """Give the first step what prepares the lab before anybody comes."""
    prefix = f"{root}/{SETUP_FOLDER}/".lstrip("/")
    everything = list(tree.under(prefix.rstrip("/")))
    paths = [path for path in everything if "/" not in path[len(prefix) :]]
    scripts = [path for path in paths if (match := _SCRIPT.match(path[len(prefix) :])) and match[1] == "setup"]
    first.setup = _joined(_script(tree, first, scripts, findings), first.setup)
    report_shared([path for path in paths if path not in scripts], findings)
    _report_folders(Counter(path[len(prefix) :].partition("/")[0] for path in everything if path not in paths), prefix, findings)


def _report_folders(counts: Mapping[str, int], prefix: str, findings: Findings) -> None:
    for name, count in counts.items():
        said = "Its file was left out" if count == 1 else f"Its {count} files were left out"
        findings.lose_at("check", f"{prefix}{name}", 0, f"{said}: of the lab's set-up only the scripts above it are taken.")


def report_shared(paths: list[str], findings: Findings) -> None:
    """Say what only starts the scripts, or tells Ansible where the lab's hosts are."""
    for path in paths:
        findings.lose_at("check", path, 0, "It runs the lab's automation on the lab's own hosts; it was left out.")


def _joined(before: str | None, after: str | None) -> str | None:
    return f"{before.rstrip()}\n\n{after}" if before and after else before or after


def _script(tree: Tree, step: ImportedStep, paths: list[str], findings: Findings) -> str | None:
    """One shell script as it is; several, or a playbook, by a script that calls them."""
    scripts = sorted((path for path in paths if path.endswith(".sh")), key=natural)
    books = [path for path in paths if not path.endswith(".sh")]
    if len(scripts) == 1:
        for path in books:
            _keep(tree, step, path, findings, "is an Ansible playbook beside a script, which is the one that runs; it was kept")
        text, files = with_files(tree, scripts[0])
        step.files |= files
        return text
    kept = []
    for path in scripts:
        why = f"is one of {len(scripts)} scripts for several hosts, which run one after the other in one place here; it was kept"
        kept.append(("bash", _keep(tree, step, path, findings, why)))
    for path in [] if scripts else books:
        why = "is an Ansible playbook, run by `ansible-playbook`, which the environment must have; it was kept"
        kept.append(("ansible-playbook", _keep(tree, step, path, findings, why)))
    calls = [f"{program} {shlex.quote(file)}\n" for program, file in kept if file]
    return "#!/bin/bash\nset -e\n" + "".join(calls) if calls else None


def _solve(tree: Tree, step: ImportedStep, paths: list[str], findings: Findings) -> None:
    scripts = [path for path in paths if path.endswith(".sh")]
    for path in sorted(scripts, key=natural) or paths:
        if tree.files[path] > MAX_FILE_BYTES:
            findings.lose_at("check", path, 0, f"`{path}` is larger than {MAX_FILE_BYTES} bytes and was left out.")
            continue
        text = tree.read_text(path)
        mark = fence(text.split("\n"))
        title = f"**{path.rpartition('/')[2]}**\n\n" if len(paths) > 1 else ""
        shown = f"{title}{mark}{'bash' if path.endswith('.sh') else 'yaml'}\n{text.rstrip()}\n{mark}\n"
        step.solve = f"{step.solve.rstrip()}\n\n{shown}" if step.solve else shown
    for path in paths if scripts else []:
        if path not in scripts:
            _keep(tree, step, path, findings, "is an Ansible playbook beside a script, which the solution shows; it was kept")


def _keep(tree: Tree, step: ImportedStep, path: str, findings: Findings, why: str) -> str | None:
    """Keep a file beside the step and say so; its path there, None where it is too large."""
    if tree.files[path] > MAX_FILE_BYTES:
        findings.lose_at("check", path, 0, f"`{path}` is larger than {MAX_FILE_BYTES} bytes and was left out.")
        return None
    folder = next(name for name in (FOLDER, SETUP_FOLDER) if f"/{name}/" in f"/{path}")
    kept = f"files/{folder}/{f'/{path}'.rpartition(f'/{folder}/')[2]}"
    step.files[kept] = tree.read_bytes(path)
    findings.lose_at("check", path, 0, f"`{path.rpartition('/')[2]}` {why} (`{kept}` of step `{step.id}`).")
    return kept
