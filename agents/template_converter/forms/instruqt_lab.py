"""Instruqt's labs as HCL describes them: chapters and pages by reference, tasks with conditions, quizzes, component tags."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import yaml

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.fences import track_info, without_title
from agents.template_converter.forms.frontmatter import minutes_of, split_front_matter
from agents.template_converter.forms.hcl_values import blocks, labelled, load_hcl
from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.forms.pages import first_paragraph, make_page
from agents.template_converter.forms.tags import attributes_of
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Loss
from shared_services.contracts.workshop import FenceInfo, Variable, parse_fence_info

_REFERENCE = re.compile(r"^\$\{(?P<path>[\w.\[\]\"-]+)\}$")
_OPEN = re.compile(r"^(?P<indent>[ \t]*)<instruqt-code(?=[\s>/])(?P<attributes>[^>]*?)(?P<empty>/?)>(?P<rest>.*)$")
_CODE_OPENED = re.compile(r"<instruqt-code(?=[\s>])[^<>]*+(?<!/)>")
_CODE_END = re.compile(r"</instruqt-code>[ \t]*$")
_TAG = re.compile(r"<(?P<close>/?)instruqt-(?P<name>[a-z-]++)(?P<attributes>[^<>]*?)/?>")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LAB = re.compile(r"^[ \t]*resource[ \t]+\"?lab\"?\s+\"", re.MULTILINE)


@dataclass
class _Module:
    """The HCL files of a folder, taken together; `files` are those that resources stand in."""

    folder: str
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Met:
    """What was met on a page; `activities` are what it calls tasks and quizzes, with the references."""

    tasks: list[str] = field(default_factory=list)
    quizzes: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    activities: dict[str, str] = field(default_factory=dict)


def is_lab(tree: Tree, path: str) -> bool:
    """Whether an HCL file describes a lab."""
    return path.endswith(".hcl") and bool(_LAB.search(tree.read_text(path)[:100_000]))


def read_lab(tree: Tree, folder: str) -> ImportedWorkshop:
    """The lab whose files are in `folder`.

    Raises:
        UnreadableSourceError: A file is not HCL, there is no lab, or it shows no page that is there.
    """
    module = _module(tree, folder)
    named = next((row for row in module.resources if row[0] == "lab"), None)
    if named is None:
        raise UnreadableSourceError(f"No HCL file in `{folder or 'the source'}` describes a lab.")
    lab = module.resources[named]
    broken: list[Broken] = []
    steps: list[StepPlan] = []
    met: list[_Met] = []
    owners: list[_Module] = []
    names: set[str] = set()
    for chapter, label, body in _listed(lab):
        found = _page(tree, module, body, label, broken, module.files[named])
        if found is None:
            continue
        owner, path, page = found
        seen = _Met(activities={name: _text(reference) for name, reference in _object(page.get("activities")).items()})
        names.update(name for name in _object(page.get("variables")) if _NAME.fullmatch(name))
        front, lines = split_front_matter(lines_of(tree.read_text(path), path))
        made = make_page(path, front, _components(lines, seen), mkdocs=False)
        title = _text(body.get("title")) or _text(page.get("title")) or made.title or label
        steps.append(StepPlan(made, 0, len(made.lines), title, chapter=chapter))
        met.append(seen)
        owners.append(owner)
    if not steps:
        raise UnreadableSourceError(f"The lab in `{folder or 'the source'}` shows no page that is there.")
    name_steps(steps, [step.page.path for step in steps])
    title = _text(lab.get("title")) or steps[0].title
    workshop = assemble(tree, Plan(title, steps, root=folder, roots=(folder,), fences=_info, variables=frozenset(names)))
    workshop.variables = [Variable(name=name) for name in sorted(names)]
    workshop.summary = _text(lab.get("description")) or first_paragraph(steps[0].page)
    workshop.duration = workshop.duration or _limit(lab)
    for step, seen, owner in zip(workshop.steps, met, owners, strict=True):
        _tasks(tree, owner, seen, step, broken)
        _quiz(tree, owner, seen, step, broken)
        workshop.losses += seen.losses
    workshop.broken += broken
    workshop.losses += _environment(module)
    return workshop


def _module(tree: Tree, folder: str) -> _Module:
    found = _Module(folder)
    prefix = f"{folder}/" if folder else ""
    for path in tree.under(folder):
        if not path.endswith(".hcl") or "/" in path[len(prefix) :]:
            continue
        values = load_hcl(tree.read_text(path), path)
        for row in blocks(values, "resource"):
            for kind, named in row.items():
                for name, body in named.items() if isinstance(named, dict) else ():
                    found.resources[str(kind), str(name)] = body if isinstance(body, dict) else {}
                    found.files[str(kind), str(name)] = path
        found.sources |= {label: _text(body.get("source")) for label, body in labelled(values, "module")}
        found.outputs |= {label: body.get("value") for label, body in labelled(values, "output")}
    return found


def _listed(lab: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """`(chapter's title, page's label, its block)` in the lab's order."""
    return [
        (_text(chapter.get("title")) or name, label, body)
        for content in blocks(lab, "content")
        for name, chapter in labelled(content, "chapter")
        for label, body in labelled(chapter, "page")
    ]


def _page(
    tree: Tree, module: _Module, body: dict[str, Any], label: str, broken: list[Broken], source: str
) -> tuple[_Module, str, dict[str, Any]] | None:
    """The module that holds a page, its file and its block."""
    reference = _text(body.get("reference"))
    owner, page = _follow(tree, module, reference)
    file = _text(page.get("file")) if page is not None else ""
    path = posixpath.normpath(posixpath.join(owner.folder, file)) if file else ""
    if page is None or path not in tree:
        what = f"`{reference.strip('${}')}`" if page is None else f"the file `{file}`"
        detail = f"The lab's page `{label}` refers to {what}, which is not there."
        broken.append(Broken(kind="page", source=source, line=0, target=label, detail=detail))
        return None
    return owner, path, page


def _follow(tree: Tree, module: _Module, reference: str, depth: int = 0) -> tuple[_Module, dict[str, Any] | None]:
    """What a reference names: a resource of this module, or what another one gives out."""
    match = _REFERENCE.match(reference)
    parts = re.findall(r"[\w-]+", match["path"]) if match else []
    if len(parts) >= 3 and parts[0] == "resource":
        return module, module.resources.get((parts[1], parts[2]))
    if len(parts) >= 4 and parts[0] == "module" and parts[2] == "output" and depth < 5:
        source = module.sources.get(parts[1], "")
        folder = posixpath.normpath(posixpath.join(module.folder, source))
        if source.startswith(".") and not folder.startswith("..") and next(tree.under(folder), None) is not None:
            inner = _module(tree, folder)
            value: Any = inner.outputs.get(parts[3])
            for part in parts[4:]:
                value = value.get(part) if isinstance(value, dict) else None
            return _follow(tree, inner, _text(value), depth + 1)
    return module, None


def _components(lines: list[Line], met: _Met) -> list[Line]:
    """Component tags as CommonMark: code as fences, the rest as words and links."""
    out: list[Line] = []
    inside = [flag for _, _, flag in outside_fences(lines)]
    row = 0
    while row < len(lines):
        line = lines[row]
        match = None if inside[row] else _OPEN.match(line.text)
        if match is None:
            out.append(line if inside[row] else line.with_text(_TAG.sub(partial(_word, line=line, met=met), line.text)))
            row += 1
            continue
        end = _code_end(lines, row)
        out += _code(lines[row : end + 1], match)
        row = end + 1
    return out


def _code_end(lines: list[Line], row: int) -> int:
    """The row on which the code that begins on `row` ends; what it shows may be such tags itself."""
    depth = 0
    for at in range(row, len(lines)):
        depth += len(_CODE_OPENED.findall(lines[at].text)) - lines[at].text.count("</instruqt-code>")
        if depth <= 0:
            return at
    return next((at for at in range(row, len(lines)) if _CODE_END.search(lines[at].text)), len(lines) - 1)


def _code(block: list[Line], match: re.Match[str]) -> list[Line]:
    attributes = attributes_of(match["attributes"])
    rows = [block[0].with_text(match["rest"]), *block[1:]] if match["rest"].strip() else block[1:]
    if rows:
        rows[-1] = rows[-1].with_text(_CODE_END.sub("", rows[-1].text))
    body = [row for number, row in enumerate(rows) if row.text.strip() or 0 < number < len(rows) - 1]
    runs = attributes.get("run") == "true"
    output = not runs and (attributes.get("no-copy") == "true" or attributes.get("copy") == "false")
    info = FenceInfo(
        language=attributes.get("language", "").lower(), executable=runs, copyable=not runs and not output, output=output
    )
    longest = max((len(run) for row in body for run in re.findall(r"`{3,}", row.text)), default=2)
    mark, indent = "`" * (longest + 1), match["indent"]
    title = [block[0].made(f"{indent}**{attributes['title']}**"), block[0].made("")] if attributes.get("title") else []
    return [
        block[0].made(""),
        *title,
        block[0].with_text(f"{indent}{mark}{info}"),
        *body,
        block[-1].made(f"{indent}{mark}"),
        block[-1].made(""),
    ]


def _word(tag: re.Match[str], line: Line, met: _Met) -> str:
    """A tag that stands alone, in words."""
    name, attributes = tag["name"], attributes_of(tag["attributes"])
    if tag["close"] or name in ("code-group", "callout"):
        return ""
    if name == "task":
        met.tasks.append(attributes.get("id", ""))
        return ""
    if name == "quiz":
        met.quizzes.append(attributes.get("id", ""))
        return "Answer the questions of this step."
    make = _WORDS.get(name)
    words = make(attributes) if make else ""
    shown = f"“{words}” stands in its place" if words else "it is left out"
    met.losses.append(
        Loss(kind="macro", source=line.file, line=line.number, detail=f"`<instruqt-{name}>` has no place in a step; {shown}.")
    )
    return words


def _link(address: str, words: str) -> str:
    return f"[{words or address}]({address})" if re.match(r"https?://[^\s()]+$", address) else words


_WORDS: dict[str, Callable[[dict[str, str]], str]] = {
    "switch-tab-button": lambda given: f"**{given.get('title') or given.get('label') or given.get('id', '')}**",
    "switch-tab-link": lambda given: f"**{given.get('title') or given.get('label') or given.get('id', '')}**",
    "video": lambda given: _link(
        f"https://www.youtube.com/watch?v={given.get('id', '')}" if given.get("id") else given.get("url", ""), "Video"
    ),
    "slides": lambda given: _link(given.get("url", ""), "Slides"),
    "pdf": lambda given: _link(given.get("url", ""), "PDF"),
    "completion": lambda given: f"**{given['heading']}**" if given.get("heading") else "",
}


def _info(info: str, body: str) -> tuple[FenceInfo, str]:
    """Component tags are in the neutral form by now; fences have a track's info strings."""
    if "," in info or " " not in info.strip():
        return track_info(info, body)
    neutral, title = without_title(info)
    return parse_fence_info(neutral), title


def _tasks(tree: Tree, module: _Module, met: _Met, step: ImportedStep, broken: list[Broken]) -> None:
    """Conditions' scripts: checks one after the other, solutions as what is typed, setups first."""
    checks: list[str] = []
    solves: list[str] = []
    setups: list[str] = []
    for name in met.tasks:
        owner, task = _activity(tree, module, met, "task", name)
        if task is None:
            broken.append(_gone("check", step, name, f"The page shows the task `{name}`, which is not there."))
            continue
        for label, condition in labelled(task, "condition"):
            met.losses += _cleanups(owner, condition, label)
            for kind, into in (("check", checks), ("solve", solves), ("setup", setups)):
                for body in blocks(condition, kind):
                    path = posixpath.normpath(posixpath.join(owner.folder, _text(body.get("script"))))
                    if path not in tree:
                        broken.append(_gone("check", step, path, f"The script of the condition `{label}` is not there."))
                    elif kind == "check":
                        kept = f"files/checks/{name}-{label}-{posixpath.basename(path)}"
                        step.files[kept] = tree.read_bytes(path)
                        into.append(_checked(kept, _text(body.get("failure_message")) or _text(condition.get("description"))))
                    else:
                        into.append(tree.read_text(path).rstrip())
    if checks:
        step.check = "#!/bin/bash\n" + "".join(checks)
    if setups:
        step.setup = "\n\n".join(setups) + "\n"
    if solves:
        text = "\n\n".join(solves)
        mark = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
        step.solve = f"{mark}bash\n{text}\n{mark}\n" + (f"\n{step.solve}" if step.solve else "")


def _cleanups(module: _Module, condition: dict[str, Any], label: str) -> list[Loss]:
    scripts = [_text(body.get("script")) for body in blocks(condition, "cleanup")]
    detail = f"It cleans up after the condition `{label}`; a step has no clean-up script, so it is not carried over."
    paths = (posixpath.normpath(posixpath.join(module.folder, script)) for script in scripts if script)
    return [Loss(kind="script", source=path, line=0, detail=detail) for path in paths]


def _gone(kind: str, step: ImportedStep, target: str, detail: str) -> Broken:
    return Broken(kind=kind, source=step.source, line=0, target=target, detail=detail)


def _checked(script: str, message: str) -> str:
    runner = "node" if script.endswith(".js") else "python3" if script.endswith(".py") else "bash"
    said = message.replace("'", "'\\''")
    return f"{runner} '{script}' || {{ echo '{said}' >&2; exit 1; }}\n"


def _activity(tree: Tree, module: _Module, met: _Met, kind: str, name: str) -> tuple[_Module, dict[str, Any] | None]:
    """The task or quiz that a page shows under a name, and the module that holds it."""
    named = met.activities.get(name)
    owner, body = _follow(tree, module, named) if named else (module, None)
    return owner, body if body is not None else module.resources.get((kind, name))


def _quiz(tree: Tree, module: _Module, met: _Met, step: ImportedStep, broken: list[Broken]) -> None:
    questions = []
    for name in met.quizzes:
        owner, quiz = _activity(tree, module, met, "quiz", name)
        if quiz is None:
            broken.append(_gone("quiz", step, name, f"The page shows the quiz `{name}`, which is not there."))
            continue
        listed = quiz.get("questions")
        for reference in listed if isinstance(listed, list) else []:
            parts = re.findall(r"[\w-]+", _text(reference))
            body = owner.resources.get((parts[1], parts[2])) if len(parts) >= 3 else None
            if body is not None:
                questions.append(_question(body))
            else:
                target = _text(reference).strip("${}")
                broken.append(_gone("quiz", step, target, f"The quiz `{name}` asks `{target}`, which is not there."))
    if questions:
        step.files["quiz.yaml"] = yaml.safe_dump({"questions": questions}, sort_keys=False, allow_unicode=True).encode()


def _question(body: dict[str, Any]) -> dict[str, Any]:
    given, others = body.get("answer", body.get("answers")), body.get("distractors")
    right = given if isinstance(given, list) else [given] if given is not None else []
    answers = [{"text": str(text), "correct": True} for text in right]
    answers += [{"text": str(text), "correct": False} for text in (others if isinstance(others, list) else [])]
    question: dict[str, Any] = {"question": _text(body.get("question")), "answers": answers}
    hints = body.get("hints")
    if isinstance(hints, list) and hints:
        question["explanation"] = " ".join(str(hint) for hint in hints)
    return question


def _limit(lab: dict[str, Any]) -> int | None:
    for settings in blocks(lab, "settings"):
        for limit in blocks(settings, "timelimit"):
            return minutes_of(limit.get("duration"))
    return None


def _environment(module: _Module) -> list[Loss]:
    """What the lab's sandbox is made of, told once per kind."""
    kinds: dict[str, list[str]] = {}
    notes = [
        Loss(
            kind="page",
            source=posixpath.normpath(posixpath.join(module.folder, _text(body.get("file")))),
            line=0,
            detail=f"The lab shows it in a tab as the note `{name}`; it is no step.",
        )
        for (kind, name), body in module.resources.items()
        if kind == "note"
    ]
    for (kind, _), path in module.files.items():
        if kind not in ("lab", "page", "task", "quiz", "layout", "note") and not kind.endswith("_question"):
            kinds.setdefault(kind, []).append(path)
    return notes + [
        Loss(
            kind="setting",
            source=paths[0],
            line=0,
            detail=f"{len(paths)} of the lab's `{kind}` belong to its environment and are left out.",
        )
        for kind, paths in kinds.items()
    ]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
