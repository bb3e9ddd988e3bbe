"""Killercoda and Katacoda scenarios: `index.json` with intro, steps and finish, their scripts, and code that runs at a click."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote, unquote

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.click_code import Clicks, code_that_runs_at_a_click
from agents.template_converter.forms.difficulty import difficulty_of
from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.json_safely import UnsafeJsonError, load_json
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import FenceInfo, Variable, parse_fence_info

_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_STEP_PAGE = re.compile(r"(?:^|/)step[-_]?\d+(?:\.md|/text\.md)$", re.IGNORECASE)
_STEM = re.compile(r"([A-Za-z]+)[-_ ]?(\d+)$")
_ADDRESS = re.compile(r"(?P<before>\]\(\s*<?|\b(?:src|href)\s*=\s*[\"']?)/(?P<path>[^\s()<>\"'#?]+)")
_TIME = re.compile(r"(?P<number>\d+)\s*(?P<unit>h(?:ou)?rs?\b|h\b)?", re.IGNORECASE)
_SCRIPTS = {"background": ("background", "courseData"), "foreground": ("foreground", "code"), "verify": ("verify",)}
_HELP = ("answer", "hint")
MAX_ASSET_BYTES = 1024 * 1024


@dataclass
class _Part:
    """Intro, a step or finish, as `index.json` names it."""

    kind: str
    text: str = ""
    title: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    help: dict[str, str] = field(default_factory=dict)


@dataclass
class _Scenario:
    """What `index.json` says, paths in the tree."""

    path: str
    title: str
    description: str
    parts: list[_Part]
    assets: list[tuple[str, str, str]]
    twice: list[str]
    difficulty: str = ""
    minutes: int | None = None
    environment: str = ""


class KillercodaImporter:
    """Recognises and reads scenarios."""

    form = Form.KILLERCODA

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Every scenario of the repository, those of a collection in its order."""
        found = []
        collections = _collections(tree)
        for path in signals.visible(tree):
            if posixpath.basename(path) != "index.json":
                continue
            try:
                value, _ = _load(tree, path)
            except UnreadableSourceError:
                continue
            if isinstance(value.get("details"), dict) or isinstance(value.get("backend"), dict):
                folder = posixpath.dirname(path)
                pages = sum(part.text in tree for part in _parts(tree, folder, value))
                # A terminal alone is a scenario too, and names its machine.
                bare = not pages and not isinstance(value.get("backend"), dict)
                score = 0.3 if bare else 0.45 if signals.is_showcase(folder) else 0.95
                evidence = [f"`{path}` describes a Killercoda scenario of {pages} page{'' if pages == 1 else 's'}."]
                if folder in collections:
                    by, title, number = collections[folder]
                    evidence.append(f"`{by}` lists it as number {number}" + (f", “{title}”." if title else "."))
                found.append(FormCandidate(form=self.form, score=score, path=folder, evidence=evidence))
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The scenario at `candidate.path`.

        Raises:
            UnreadableSourceError: `index.json` is not there or is not JSON.
        """
        scenario = _read_index(tree, posixpath.join(candidate.path, "index.json"))
        clicks = Clicks()
        broken: list[Broken] = []
        steps: list[StepPlan] = []
        parts: list[_Part] = []
        losses: list[Loss] = []
        for part in scenario.parts:
            broken += _missing(tree, scenario, part)
            if part.text not in tree:
                losses += _without_page(tree, scenario, part)
                continue
            page = _page(tree, candidate.path, part.text, clicks)
            _help(tree, candidate.path, part, page, clicks)
            steps.append(StepPlan(page, 0, len(page.lines), part.title or page.title or _name(part)))
            parts.append(part)
        if not steps:
            steps, parts = [_only_step(scenario)], [_Part("intro")]
        name_steps(steps, [_name(part) for part in parts])
        names = frozenset(clicks.variables)
        plan = Plan(scenario.title or steps[0].title, steps, root=candidate.path, fences=_as_written, variables=names)
        plan.summary = scenario.description or first_paragraph(steps[0].page)
        workshop = assemble(tree, plan)
        workshop.difficulty = difficulty_of(scenario.difficulty)
        workshop.duration = workshop.duration or scenario.minutes
        for step, part in zip(workshop.steps, parts, strict=True):
            _scripts(tree, part, step)
        workshop.variables = [Variable(name=name, description=_traffic(name)) for name in sorted(names)]
        workshop.losses += [*losses, *clicks.losses(), *_assets(tree, scenario, workshop.steps[0], broken)]
        workshop.losses += [
            Loss(kind="manifest", source=scenario.path, line=0, detail=f"`{key}` stands twice in one place; the last one counts.")
            for key in scenario.twice
        ]
        workshop.losses += _environment(scenario)
        workshop.broken += broken
        return workshop


def _collections(tree: Tree) -> dict[str, tuple[str, str, int]]:
    """By scenario's folder: the file that lists it, the title that it has there, and its number in it."""
    found: dict[str, tuple[str, str, int]] = {}
    for path in signals.visible(tree):
        name = posixpath.basename(path)
        if name != "structure.json" and not name.endswith("-pathway.json"):
            continue
        try:
            value, _ = _load(tree, path)
        except UnreadableSourceError:
            continue
        rows = value.get("items", value.get("courses"))
        home = posixpath.join(posixpath.dirname(path), name.removesuffix("-pathway.json") if "courses" in value else "")
        for number, row in enumerate((row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)), 1):
            target = _text(row.get("path")) or _text(row.get("course_id"))
            folder = posixpath.normpath(posixpath.join(home, target)) if target else ""
            if folder:
                found.setdefault(folder, (path, _text(row.get("title")), number))
    return found


def _load(tree: Tree, path: str) -> tuple[dict[str, Any], list[str]]:
    """The object in a JSON file, and the keys that stand twice in one place."""
    twice: list[str] = []
    if path not in tree:
        raise UnreadableSourceError(f"There is no `{path}`, which a scenario needs.")
    text = tree.read_text(path)
    try:
        try:
            value = load_json(text, twice)
        except UnsafeJsonError:
            twice.clear()
            value = load_json(_TRAILING_COMMA.sub("", text), twice)
    except UnsafeJsonError as error:
        raise UnreadableSourceError(f"`{path}` {error}.") from error
    if not isinstance(value, dict):
        raise UnreadableSourceError(f"`{path}` holds no object, so it describes no scenario.")
    return value, twice


def _read_index(tree: Tree, path: str) -> _Scenario:
    value, twice = _load(tree, path)
    folder = posixpath.dirname(path)
    return _Scenario(
        path, _text(value.get("title")) or _collections(tree).get(folder, ("", "", 0))[1], _text(value.get("description")),
        _parts(tree, folder, value), _uploads(value), twice, _text(value.get("difficulty")), _minutes(value.get("time")),
        _text(_object(value.get("backend")).get("imageid")),
    )  # fmt: skip


def _minutes(value: object) -> int | None:
    """The longest time that `10-15 minutes` or `1 hour` speaks of."""
    found = list(_TIME.finditer(str(value))) if isinstance(value, str | int) and not isinstance(value, bool) else []
    longest = max((int(row["number"][:6]) * (60 if row["unit"] else 1) for row in found), default=0)
    return longest if 0 < longest <= 100_000 else None


def _parts(tree: Tree, folder: str, value: dict[str, Any]) -> list[_Part]:
    """Intro, steps and finish in order; where `index.json` lists no step, the pages whose names count steps."""
    details = _object(value.get("details"))
    steps = details.get("steps")
    listed = [_part(folder, "step", row) for row in steps if isinstance(row, dict)] if isinstance(steps, list) else []
    if not listed:
        beside = [path for path in tree.under(folder) if _STEP_PAGE.search(path[len(folder) :])]
        listed = [_Part("step", path) for path in sorted(beside, key=natural)]
    intro, finish = (_part(folder, kind, _object(details.get(kind))) for kind in ("intro", "finish"))
    return [part for part in [intro, *listed, finish] if part.text or part.title or part.scripts or part.help]


def _part(folder: str, kind: str, row: dict[str, Any]) -> _Part:
    def path(key: str) -> str:
        named = _text(row.get(key))
        return posixpath.normpath(posixpath.join(folder, named)) if named else ""

    scripts = {name: next((found for key in keys if (found := path(key))), "") for name, keys in _SCRIPTS.items()}
    scripts = {name: script for name, script in scripts.items() if script}
    return _Part(kind, path("text"), _text(row.get("title")), scripts, {name: found for name in _HELP if (found := path(name))})


def _uploads(value: dict[str, Any]) -> list[tuple[str, str, str]]:
    """`(pattern, target, host)` of the files that are put into the environment."""
    hosts = _object(_object(value.get("details")).get("assets"))
    return [
        (_text(row.get("file")), _text(row.get("target")), str(host))
        for host, rows in hosts.items()
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and _text(row.get("file"))
    ]


def _page(tree: Tree, folder: str, path: str, clicks: Clicks) -> Page:
    front, lines = split_front_matter(lines_of(tree.read_text(path), path))
    lines = [_own_addresses(tree, folder, line) if "/" in line.text else line for line in lines]
    return make_page(path, front, code_that_runs_at_a_click(lines, clicks), mkdocs=False)


def _own_addresses(tree: Tree, folder: str, line: Line) -> Line:
    """A line whose addresses on the site, `/USER/SCENARIO/assets/x.png`, are paths of the repository where one is meant."""
    above = [folder, *(folder[:at] for at, char in reversed(list(enumerate(folder))) if char == "/"), ""]

    def repository(match: re.Match[str]) -> str:
        parts = match["path"].split("/")
        tails = ["/".join(parts[first:]) for first in range(len(parts) - 1 if len(parts) < 12 else 0)]
        found = next((path for tail in tails for base in above if (path := posixpath.join(base, unquote(tail))) in tree), None)
        return (
            match[0] if found is None else match["before"] + quote(posixpath.relpath(found, posixpath.dirname(line.file) or "."))
        )

    changed = _ADDRESS.sub(repository, line.text)
    return line if changed == line.text else line.with_text(changed)


def _only_step(scenario: _Scenario) -> StepPlan:
    """A scenario without pages is a terminal with a title."""
    title = scenario.title or "Scenario"
    lines = [Line(f"# {title}", scenario.path, 0), *([Line("", scenario.path, 0)] if scenario.description else [])]
    lines += [Line(scenario.description, scenario.path, 0)] if scenario.description else []
    front, rest = split_front_matter(lines)
    page = make_page(scenario.path, front, rest, mkdocs=False)
    return StepPlan(page, 0, len(page.lines), title)


def _as_written(info: str, _body: str) -> tuple[FenceInfo, str]:
    """The info strings are in the neutral form by now."""
    return parse_fence_info(info), ""


def _name(part: _Part) -> str:
    """What a page is called that does not say so itself."""
    if part.kind != "step":
        return {"intro": "Introduction", "finish": "Finish"}[part.kind]
    stem = posixpath.splitext(posixpath.basename(part.text))[0]
    if stem in ("text", "index", "README"):
        stem = posixpath.basename(posixpath.dirname(part.text)) or stem
    counted = _STEM.match(stem)
    return (f"{counted[1]} {int(counted[2])}" if counted else stem.replace("-", " ").replace("_", " ")).capitalize()


def _missing(tree: Tree, scenario: _Scenario, part: _Part) -> Iterator[Broken]:
    """What `index.json` names for a part and what is not there."""
    of = f"`{part.text}`" if part.text else f"the {part.kind}"
    kinds = {"verify": "check", "answer": "answer", "hint": "hint"}
    named = [(kinds.get(name, "setup"), path, f"the {name} script of {of}") for name, path in part.scripts.items()]
    named += [(kinds[name], path, f"the {name} of {of}") for name, path in part.help.items()]
    for kind, path, role in [("page", part.text, part.kind), *named] if part.text else named:
        if path not in tree:
            detail = f"`{scenario.path}` names it as {role}, and it is not there."
            yield Broken(kind=kind, source=scenario.path, line=0, target=path, detail=detail)


def _without_page(tree: Tree, scenario: _Scenario, part: _Part) -> Iterator[Loss]:
    """What a part without a page has else, which has no step to go to."""
    if not part.text:
        called = f" “{part.title}”" if part.title else ""
        detail = f"Its {part.kind}{called} has no text, so it is no step."
        yield Loss(kind="page", source=scenario.path, line=0, detail=detail)
    for name, path in [*part.scripts.items(), *part.help.items()]:
        if path in tree:
            detail = f"It is named as {name} of the {part.kind}, which has no page; it is not carried over."
            yield Loss(kind="help" if name in _HELP else "script", source=path, line=0, detail=detail)


def _scripts(tree: Tree, part: _Part, step: ImportedStep) -> None:
    """Give a step its check and its setup."""
    texts = {name: tree.read_text(path) for name, path in part.scripts.items() if path in tree}
    step.check = texts.pop("verify", None)
    if len(texts) == 2:
        step.setup = f"# In the background\n{texts['background'].rstrip()}\n\n# In the terminal\n{texts['foreground']}"
    else:
        step.setup = next(iter(texts.values()), None)


def _help(tree: Tree, folder: str, part: _Part, page: Page, clicks: Clicks) -> None:
    """Katacoda's pages with the answer; a hint that is a script which prints it is shown as it is."""
    for name, into in (("answer", page.asides.solutions), ("hint", page.asides.hints)):
        path = part.help.get(name, "")
        if path not in tree:
            continue
        if path.endswith(".md"):
            beside = _page(tree, folder, path, clicks)
            into.append((len(page.lines), beside.lines))
            page.losses += beside.losses
        elif text := tree.read_text(path).rstrip():
            rows = lines_of(text, path)
            into.append((len(page.lines), [rows[0].made("```bash"), *rows, rows[-1].made("```")]))


def _environment(scenario: _Scenario) -> list[Loss]:
    if not scenario.environment:
        return []
    detail = f"The scenario runs in the environment `{scenario.environment}`; a workshop's environment is its template's to say."
    return [Loss(kind="setting", source=scenario.path, line=0, detail=detail)]


def _assets(tree: Tree, scenario: _Scenario, step: ImportedStep, broken: list[Broken]) -> Iterator[Loss]:
    """Carry along the files that the environment is given, and say where each of them goes."""
    folder = posixpath.join(posixpath.dirname(scenario.path), "assets")
    for pattern, target, host in scenario.assets:
        matching = [path for path in tree.under(folder) if fnmatchcase(path[len(folder) + 1 :], pattern)]
        if not matching:
            detail = f"`{scenario.path}` puts it into the environment, and it is not there."
            broken.append(Broken(kind="asset", source=scenario.path, line=0, target=f"{folder}/{pattern}", detail=detail))
        for path in matching:
            if tree.files[path] > MAX_ASSET_BYTES:
                detail = "It is put into the environment; it has more than a megabyte and is not copied."
                yield Loss(kind="asset", source=path, line=0, detail=detail)
            else:
                step.files[f"files/{path[len(folder) + 1 :]}"] = tree.read_bytes(path)
        if matching:
            files = f"{len(matching)} file{'s' if len(matching) > 1 else ''} of `{folder}`"
            detail = (
                f"`{pattern}` ({files}) goes to `{target or '/root'}` on {host} at the start; here it is with the first step."
            )
            yield Loss(kind="asset", source=scenario.path, line=0, detail=detail)


def _traffic(name: str) -> str:
    """What a variable stands for."""
    port = re.fullmatch(r"TRAFFIC_HOST(\d+)_(\d+)", name)
    if port:
        return f"Address under which port {port[2]} of host {port[1]} is reached."
    return "Address of the page on which a port is chosen." if name == "TRAFFIC_SELECTOR" else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
