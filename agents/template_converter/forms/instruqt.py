"""Instruqt tracks: `track.yml` with challenges written into it or beside it, their scripts, notes, quizzes and tabs."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.anchors import slug
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.difficulty import difficulty_of
from agents.template_converter.forms.fences import track_info
from agents.template_converter.forms.frontmatter import FrontMatter, minutes_of
from agents.template_converter.forms.instruqt_lab import is_lab, read_lab
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import Variable

TRACKS = ("track.yml", "track.yaml")
CONFIGS = ("config.yml", "config.yaml")
_SCRIPT = re.compile(r"^(?P<kind>setup|check|solve|cleanup)(?:-(?P<host>[A-Za-z0-9_.-]+)|\.sh)$")
_NUMBER = re.compile(r"^\d+[-_]")
_TAB = re.compile(
    r"\[(?:button(?:\s[^\]\[]*?label=\"(?P<label>[^\"\n]*)\"[^\]\[]*+)?|(?P<words>[^\[\]]*))\]\(#?tab-(?P<number>\d+)\)"
)
_PICTURE = re.compile(r"!\[|<img\b", re.IGNORECASE)
_VARIABLE = re.compile(r"\[\[\s*+Instruqt-Var\s[^\]\[]*?key=\"(?P<key>[A-Za-z_][\w.-]*)\"[^\[\]]*\]\]", re.IGNORECASE)


@dataclass
class _Challenge:
    """One challenge, wherever it was written.

    `lines` are its assignment, `notes` those in a file of their own, `answers` those of a quiz.
    """

    slug: str
    values: dict[str, Any]
    lines: list[Line]
    folder: str
    source: str
    notes: list[Line] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@dataclass
class _Met:
    """What was met on the way, told once for the track."""

    variables: set[str] = field(default_factory=set)
    tabs: int = 0
    tab: Line | None = None


class InstruqtImporter:
    """Recognises and reads tracks, and labs in HCL."""

    form = Form.INSTRUQT

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Every track and every lab."""
        found = []
        for path in signals.visible(tree):
            if posixpath.basename(path) in TRACKS:
                folder = posixpath.dirname(path)
                count = sum(1 for _ in _assignments(tree, folder))
                written = f" with {count} challenge{'' if count == 1 else 's'} beside it" if count else ""
                empty = not count and "challenges:" not in tree.read_text(path)
                written = written or (" without challenges" if empty else "")
                score = 0.3 if empty else 0.45 if signals.is_showcase(folder) else 0.95
                evidence = [f"`{path}` is an Instruqt track{written}."]
                found.append(FormCandidate(form=self.form, score=score, path=folder, evidence=evidence))
            elif is_lab(tree, path):
                folder = posixpath.dirname(path)
                pages = sum(row.endswith(".md") for row in tree.under(folder))
                score = 0.3 if not pages else 0.45 if folder and signals.is_showcase(folder) else 0.95
                said = f"`{path}` describes an Instruqt lab, with {signals.amount(pages, 'Markdown page')} below it."
                found.append(FormCandidate(form=self.form, score=score, path=folder, evidence=[said]))
        return found + self._unlisted(tree, {row.path for row in found})

    def _unlisted(self, tree: Tree, known: set[str]) -> list[FormCandidate]:
        """Folders of numbered challenges without a `track.yml`, which some keep in the site alone."""
        homes = Counter(
            posixpath.dirname(posixpath.dirname(path))
            for path in signals.visible(tree)
            if path.endswith("/assignment.md") and _NUMBER.match(posixpath.basename(posixpath.dirname(path)))
        )
        return [
            FormCandidate(
                form=self.form, score=0.45 if signals.is_showcase(home) else 0.85, path=home,
                evidence=[f"`{home or '.'}` holds {count} numbered folders with an `assignment.md`, as Instruqt's tracks do."],
            )
            for home, count in sorted(homes.items())
            if count > 1 and home not in known
        ]  # fmt: skip

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The track at `candidate.path`.

        Raises:
            UnreadableSourceError: There is no `track.yml`, it cannot be read, or no challenge is there.
        """
        path = next((found for name in TRACKS if (found := posixpath.join(candidate.path, name)) in tree), None)
        beside = (row for row in tree.under(candidate.path) if posixpath.dirname(row) == candidate.path)
        if path is None and any(is_lab(tree, row) for row in beside):
            return read_lab(tree, candidate.path)
        if path is None and next(_assignments(tree, candidate.path), None) is None:
            raise UnreadableSourceError(f"There is no `{posixpath.join(candidate.path, TRACKS[0])}`, which a track needs.")
        track, places = ({}, {}) if path is None else _load(tree, path)
        path = path or posixpath.join(candidate.path, TRACKS[0])
        challenges, twice = _challenges(tree, candidate.path, path, track, places)
        if not challenges:
            raise UnreadableSourceError(f"`{path}` has no challenges, neither in it nor as `*/assignment.md` beside it.")
        met = _Met()
        steps = [_plan(challenge, met) for challenge in challenges]
        name_steps(steps, [challenge.slug for challenge in challenges])
        opening = make_page(path, FrontMatter(), lines_of(_block(track.get("description")), path), mkdocs=False)
        plan = Plan(_text(track.get("title")), steps, root=candidate.path, fences=track_info, variables=frozenset(met.variables))
        plan.summary = _text(track.get("teaser")) or first_paragraph(opening)
        plan.authors = [_text(one) for one in _rows(track.get("developers")) if _text(one)]
        plan.tags = [_text(tag) for tag in _rows(track.get("tags")) if _text(tag)]
        workshop = assemble(tree, plan)
        levels = [difficulty_of(values.get(key)) for key, values in _levels(track, challenges)]
        workshop.difficulty = next((level for level in levels if level), None)
        workshop.variables = [Variable(name=name) for name in sorted(met.variables)]
        for step, challenge in zip(workshop.steps, challenges, strict=True):
            workshop.losses += _beside(tree, challenge, step)
        workshop.losses += twice
        workshop.losses += _track_scripts(tree, candidate.path, workshop.steps[0])
        workshop.losses += _around(tree, candidate.path, path, opening, plan.summary)
        if met.tab is not None:
            detail = f"Links to the track's tabs are words here ({met.tabs} times); a step has no tabs."
            workshop.losses.append(Loss(kind="link", source=met.tab.file, line=met.tab.number, detail=detail))
        workshop.broken += _empty(challenges)
        return workshop


def _load(tree: Tree, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The track's values, and by slug the line before each challenge's assignment where that is a literal block."""
    text = tree.read_text(path)
    try:
        value = load_plain(text)
    except UnsafeYamlError as error:
        raise UnreadableSourceError(f"`{path}` cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise UnreadableSourceError(f"`{path}` holds no mapping, so it describes no track.")
    return value, _assignment_lines(text)


def _assignment_lines(text: str) -> dict[str, int]:
    places: dict[str, int] = {}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for challenge in _children(root, "challenges"):
        found = {str(key.value): value for key, value in challenge.value} if isinstance(challenge, yaml.MappingNode) else {}
        name, assignment = found.get("slug"), found.get("assignment")
        if isinstance(name, yaml.ScalarNode) and isinstance(assignment, yaml.ScalarNode) and assignment.style == "|":
            places[str(name.value)] = assignment.start_mark.line + 1
    return places


def _children(node: yaml.Node | None, key: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return []
    value = next((value for name, value in node.value if name.value == key), None)
    return list(value.value) if isinstance(value, yaml.SequenceNode) else []


def _assignments(tree: Tree, folder: str) -> Iterator[str]:
    depth = folder.count("/") + 2 if folder else 1
    for path in tree.under(folder):
        if path.endswith("/assignment.md") and path.count("/") == depth:
            yield path


def _challenges(
    tree: Tree, folder: str, path: str, track: dict[str, Any], places: dict[str, int]
) -> tuple[list[_Challenge], list[Loss]]:
    """Those of `track.yml` in its order, each with what stands beside it; then those that it does not list, by number.

    A slug that is listed again has its folder no more: without an assignment of its own it is told, and is no step.
    """
    beside = {posixpath.dirname(page): page for page in sorted(_assignments(tree, folder), key=natural)}
    by_slug: dict[str, list[str]] = {}
    for each in beside:
        by_slug.setdefault(_NUMBER.sub("", posixpath.basename(each)), []).append(each)
    listed = [row for row in _rows(track.get("challenges")) if isinstance(row, dict)]
    found: list[_Challenge] = []
    twice: list[Loss] = []
    for row in listed:
        name = _text(row.get("slug")) or slug(_text(row.get("title")))
        if by_slug.get(name):
            found.append(_written_beside(tree, beside.pop(by_slug[name].pop(0)), row))
            continue
        text = _block(row.get("assignment"))
        if name in by_slug and not text.strip():
            detail = f"It lists the challenge `{name}` more than once; it is one step, where it stands first."
            twice.append(Loss(kind="page", source=path, line=0, detail=detail))
            continue
        before = places.get(name)
        lines = [Line(line.text, path, before + line.number if before is not None else 0) for line in lines_of(text, path)]
        found.append(_Challenge(name, row, lines, posixpath.join(folder, name), path))
    return found + [_written_beside(tree, page, {}) for page in beside.values()], twice


def _written_beside(tree: Tree, page: str, listed: dict[str, Any]) -> _Challenge:
    lines = lines_of(tree.read_text(page), page)
    values: object = {}
    end = next((row for row, line in enumerate(lines[1:], 1) if line.text.rstrip() == "---"), None)
    if lines and lines[0].text.rstrip() == "---" and end is not None:
        try:
            values = load_plain("\n".join(line.text for line in lines[1:end]))
            lines = lines[end + 1 :]
        except UnsafeYamlError:
            values = {}
    merged = {**listed, **(values if isinstance(values, dict) else {})}
    folder = posixpath.dirname(page)
    notes = posixpath.join(folder, "notes.md")
    return _Challenge(
        _text(merged.get("slug")) or _NUMBER.sub("", posixpath.basename(folder)), merged, lines, folder, page,
        lines_of(tree.read_text(notes), notes) if notes in tree else [],
    )  # fmt: skip


def _plan(challenge: _Challenge, met: _Met) -> StepPlan:
    lines = [line.with_text(_without_tabs(line, met)) for line in challenge.lines]
    said_as = (Line(str(text), challenge.source, 0) for text in _rows(challenge.values.get("answers")))
    challenge.answers = [_without_tabs(answer, met) for answer in said_as]
    for tab in _rows(challenge.values.get("tabs")):
        address = _site(tab) if isinstance(tab, dict) else ""
        if address:
            words = " ".join(re.sub(r"[][\\`*_<>]+", " ", _text(tab.get("title"))).split()) or "Site"
            lines += [Line("", challenge.source, 0), Line(f"[{words}](<{address}>)", challenge.source, 0)]
    beside = challenge.source.endswith("/assignment.md")
    path = challenge.source if beside else posixpath.join(challenge.folder, "assignment.md")
    page = make_page(path, FrontMatter(), lines, mkdocs=False)
    first = page.title if not challenge.values else ""
    title = _text(challenge.values.get("title")) or first or challenge.slug.replace("-", " ").capitalize()
    for note in _rows(challenge.values.get("notes")):
        text = _block(note.get("contents")).strip() if isinstance(note, dict) else ""
        if text:
            said = [Line(_without_tabs(line, met), challenge.source, 0) for line in lines_of(text, challenge.source)]
            _explain(page, make_page(path, FrontMatter(), said, mkdocs=False))
    if challenge.notes:
        _explain(page, make_page(challenge.notes[0].file, FrontMatter(), challenge.notes, mkdocs=False))
    limit = challenge.values.get("timelimit")
    minutes = minutes_of(-(-limit // 60)) if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None
    return StepPlan(page, 0, len(page.lines), title, minutes=minutes)


def _site(tab: dict[str, Any]) -> str:
    """The address of a tab that shows a site; empty for others."""
    address = _text(tab.get("url"))
    return address if tab.get("type") in ("website", "external") and re.match(r"https?://[^\s<>]+$", address) else ""


def _explain(page: Page, note: Page) -> None:
    page.asides.explanations.append((0, note.lines))
    page.losses += note.losses


def _without_tabs(line: Line, met: _Met) -> str:
    def words(match: re.Match[str]) -> str:
        met.tabs += 1
        met.tab = met.tab or line
        return f"**{match['label'] or match['words'] or 'Tab ' + match['number']}**"

    def variable(match: re.Match[str]) -> str:
        met.variables.add(match["key"])
        return f"{{{{{match['key']}}}}}"

    return _TAB.sub(words, _VARIABLE.sub(variable, line.text))


def _beside(tree: Tree, challenge: _Challenge, step: ImportedStep) -> Iterator[Loss]:
    """Scripts, notes and the quiz of a challenge; what has no place is told."""
    step.source = challenge.source
    scripts: dict[str, list[tuple[str, str]]] = {}
    for path in tree.under(challenge.folder):
        here = posixpath.dirname(path) in (challenge.folder, posixpath.join(challenge.folder, "scripts"))
        match = _SCRIPT.match(posixpath.basename(path)) if here else None
        if match and match["kind"] == "cleanup":
            yield Loss(kind="script", source=path, line=0, detail="A step has no clean-up script; this one is not carried over.")
        elif match:
            scripts.setdefault(match["kind"], []).append((match["host"] or "its host", tree.read_text(path)))
        elif posixpath.dirname(path) == challenge.folder and posixpath.basename(path) == "tabs.md":
            yield Loss(kind="tab", source=path, line=0, detail="It describes the challenge's tabs, which a step has not.")
    step.setup = _joined(scripts.get("setup"))
    step.check = _joined(scripts.get("check"))
    solve = _joined(scripts.get("solve"))
    if solve:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", solve)), default=0))
        step.solve = f"{fence}bash\n{solve.rstrip()}\n{fence}\n" + (f"\n{step.solve}" if step.solve else "")
    for note in _rows(challenge.values.get("notes")):
        if isinstance(note, dict) and not note.get("contents"):
            address = _text(note.get("url")) or _text(note.get("type")) or "empty"
            yield Loss(
                kind="note", source=challenge.source, line=0, detail=f"A note without text ({address}) is not carried over."
            )
    teaser = _text(challenge.values.get("teaser"))
    if teaser:
        detail = f"A step has no summary; the challenge's teaser “{teaser}” is not carried over."
        yield Loss(kind="description", source=challenge.source, line=0, detail=detail)
    if _text(challenge.values.get("type")) == "quiz":
        step.files["quiz.yaml"] = _quiz(challenge, step)
        for answer in filter(_PICTURE.search, challenge.answers):
            detail = f"The quiz's answer “{answer[:80]}” shows a picture, which is not carried over; its address stays."
            yield Loss(kind="image", source=challenge.source, line=0, detail=detail)
    tabs = [tab for tab in _rows(challenge.values.get("tabs")) if isinstance(tab, dict) and not _site(tab)]
    if any(tab.get("type") != "terminal" for tab in tabs):
        named = ", ".join(filter(None, (_text(tab.get("title")) for tab in tabs)))
        detail = f"The tabs of “{step.title}” ({named}) are not carried over."
        yield Loss(kind="tab", source=challenge.source, line=0, detail=detail)


def _quiz(challenge: _Challenge, step: ImportedStep) -> bytes:
    """The question as the step has it, whose addresses and variables it shares."""
    right = {int(number) for number in _rows(challenge.values.get("solution")) if str(number).isdecimal()}
    answers = [{"text": text, "correct": at in right} for at, text in enumerate(challenge.answers)]
    question = step.content.strip() if any(not line.blank for line in challenge.lines) else ""
    quiz = {"questions": [{"question": question, "answers": answers}]}
    return yaml.safe_dump(quiz, sort_keys=False, allow_unicode=True).encode()


def _joined(scripts: list[tuple[str, str]] | None) -> str | None:
    """One script, as it is; several one after the other, each under its host."""
    if not scripts:
        return None
    if len(scripts) == 1:
        return scripts[0][1]
    return "\n".join(f"# On {host}\n{text.rstrip()}\n" for host, text in scripts)


def _track_scripts(tree: Tree, folder: str, first: ImportedStep) -> Iterator[Loss]:
    """Set-up of the whole track goes before the first step's."""
    home = posixpath.join(folder, "track_scripts")
    setups = []
    for path in tree.under(home):
        match = _SCRIPT.match(posixpath.basename(path))
        if match and match["kind"] == "setup":
            setups.append((match["host"] or "its host", tree.read_text(path)))
        else:
            yield Loss(kind="script", source=path, line=0, detail="A workshop has no place for it; it is not carried over.")
    before = _joined(setups)
    if before:
        first.setup = before if first.setup is None else f"{before.rstrip()}\n\n{first.setup}"


def _levels(track: dict[str, Any], challenges: list[_Challenge]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a difficulty may stand, the track's own first, then the challenges' from the last one."""
    yield "level", track
    for challenge in reversed(challenges):
        yield "difficulty", challenge.values


def _around(tree: Tree, folder: str, path: str, opening: Page, summary: str) -> Iterator[Loss]:
    """What a track says of itself and of its environment, for which a workshop has no place."""
    text = " ".join(" ".join(line.text.split()) for line in opening.lines).strip()
    if text and text != summary:
        yield Loss(
            kind="description", source=path, line=0, detail=f"The track's description is no step; the summary is “{summary}”."
        )
    config = next((found for name in CONFIGS if (found := posixpath.join(folder, name)) in tree), None)
    if config is None:
        return
    try:
        values = load_plain(tree.read_text(config))
    except UnsafeYamlError:
        values = {}
    kinds = (
        [f"{len(rows)} of `{kind}`" for kind, rows in values.items() if isinstance(rows, list)]
        if isinstance(values, dict)
        else []
    )
    named = f" ({', '.join(kinds)})" if kinds else ""
    yield Loss(kind="setting", source=config, line=0, detail=f"The track's environment{named} is its template's to say.")


def _empty(challenges: list[_Challenge]) -> list[Broken]:
    return [
        Broken(
            kind="page",
            source=each.source,
            line=0,
            target=each.slug,
            detail="The challenge has no assignment; its step is empty.",
        )
        for each in challenges
        if not any(not line.blank for line in each.lines)
    ]


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _block(value: object) -> str:
    return value if isinstance(value, str) else ""
