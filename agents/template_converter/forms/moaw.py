"""MOAW workshops: one Markdown outline, cut into sections at `---` lines, that may draw its parts in by `include::`.

The front matter of the whole stands before the first section, also where an included file brings that one along. Targets are
relative to the outline, whatever file a line comes from.
"""

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.lines import Line, lines_of, outside_fences, trimmed
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.forms.sections import section_steps
from agents.template_converter.forms.tags import attributes_of
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import Variable

_INCLUDE = re.compile(r"^[ \t]*include::(?P<path>[^\[\]\n]+\.(?:md|markdown))\[[^\]\n]*\][ \t]*$", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(r"^type:[ \t]*[\"']?workshop\b", re.MULTILINE)
_OWN_FIELDS = re.compile(
    r"^(?:short_title|sections_title|duration_minutes|navigation_levels|navigation_numbering|contacts|wt_id|oc_id):", re.MULTILINE
)
_DIV = re.compile(r"^(?P<indent>[ \t]*)<div\b(?P<attributes>[^>]*)>[ \t]*$", re.IGNORECASE)
_DIV_TAG = re.compile(r"<(?P<close>/?)div\b[^>]*>", re.IGNORECASE)
_BOXES = frozenset({"info", "tip", "warning", "important", "task", "note", "danger", "caution", "success", "error", "assignment"})
_VARIABLE = re.compile(r"(?<!\\)\$\$(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?::(?P<default>[^$\n]+?))?\$\$")
_ESCAPED = re.compile(r"\\(?=\$\$[^$\n]+\$\$|(?:\.?\./)?assets/)")
_MAX_DEPTH = 12
_MAX_LINES = 200_000
_LEVELS: dict[str, Literal["beginner", "intermediate", "advanced"]] = {
    "beginner": "beginner", "intermediate": "intermediate", "advanced": "advanced",
}  # fmt: skip


@dataclass
class _Document:
    """An outline with its parts in place.

    Attributes:
        cuts: Places of the lines between sections.
        conditions: How many blocks a variable shows or hides.
    """

    front: FrontMatter
    lines: list[Line]
    cuts: frozenset[tuple[str, int]] = frozenset()
    defaults: dict[str, str | None] = field(default_factory=dict)
    conditions: Counter[str] = field(default_factory=Counter)
    included: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def readings(tree: Tree) -> list[FormCandidate]:
    """Every outline as a reading; its path is its folder, or the page itself where the folder holds several that are alike."""
    folders: dict[str, list[str]] = {}
    for path in _outlines(tree):
        folders.setdefault(posixpath.dirname(path), []).append(path)
    found = []
    for folder, paths in folders.items():
        main = [path for path in paths if posixpath.basename(path).lower() == "workshop.md"] or paths
        for path in main:
            document = _load(tree, path)
            parts = f", drawing in {len(document.included)} files" if document.included else ""
            evidence = f"`{path}` is a MOAW workshop of {len(document.cuts) + 1} sections{parts}."
            score = 0.45 if folder and signals.is_showcase(folder) else 0.97
            place = folder if len(main) == 1 else path
            found.append(FormCandidate(form=Form.MARKDOWN, score=score, path=place, evidence=[evidence]))
    return found


def outline_at(tree: Tree, path: str) -> str | None:
    """The outline that `path` is, or that its folder holds; None where there is none."""
    outlines = _outlines(tree)
    if path in outlines:
        return path
    here = [row for row in outlines if posixpath.dirname(row) == path]
    return next((row for row in here if posixpath.basename(row).lower() == "workshop.md"), here[0] if here else None)


def read_outline(tree: Tree, path: str) -> ImportedWorkshop:
    """The workshop that an outline describes.

    Raises:
        UnreadableSourceError: The outline and its parts hold no text.
    """
    document = _load(tree, path)
    if not document.lines:
        raise UnreadableSourceError(f"`{path}` and the files that it draws in hold no text.")
    page = make_page(path, replace(document.front, minutes=None), document.lines, mkdocs=False, cuts=document.cuts)
    steps, losses = _steps(page, document)
    name_steps(steps, [f"section-{number}" for number in range(1, len(steps) + 1)])
    title = document.front.title or _first_heading(page) or str(document.front.values.get("short_title") or "")
    plan = Plan(
        title,
        steps,
        root=posixpath.dirname(path),
        variables=frozenset(document.defaults),
        summary=document.front.description or first_paragraph(page),
        authors=document.front.authors,
        tags=document.front.tags,
    )
    workshop = assemble(tree, plan)
    for step in workshop.steps:
        step.source = next((file for _, file, number in step.runs if number), path)
    workshop.duration = document.front.minutes or workshop.duration
    workshop.difficulty = _LEVELS.get(str(document.front.values.get("level") or "").strip().lower())
    workshop.variables = [Variable(name=name, default=default) for name, default in sorted(document.defaults.items())]
    workshop.losses += losses + _told(tree, path, document)
    workshop.broken += document.broken
    return workshop


def _told(tree: Tree, path: str, document: _Document) -> list[Loss]:
    losses = [
        Loss(
            kind="condition",
            source=path,
            line=0,
            detail=f"The variable `{name}` shows or hides {count} parts; all of them are kept, each below a line that says when.",
        )
        for name, count in sorted(document.conditions.items())
    ]
    others = [row for row in _outlines(tree) if row != path and posixpath.dirname(row) == posixpath.dirname(path)]
    detail = f"This is another outline beside `{path}`, which is the one that is read; name it by --path to read it."
    return losses + [Loss(kind="page", source=row, line=0, detail=detail) for row in others]


def _outlines(tree: Tree) -> list[str]:
    """Pages that say they are a workshop, or that consist of parts; none that is itself a part or a translation."""
    found: list[str] = []
    parts: set[str] = set()
    for path in signals.pages(tree):
        if "translations" in path.split("/")[:-1]:
            continue
        text = tree.read_text(path)
        drawn = {posixpath.normpath(posixpath.join(posixpath.dirname(path), match["path"])) for match in _INCLUDE.finditer(text)}
        there = {row for row in drawn if row in tree and row != path}
        opening = text.lstrip()[:200]
        if _says_so(text) or (len(there) >= 2 and _INCLUDE.match(opening)):
            found.append(path)
            parts |= there
    whole = {posixpath.dirname(path) for path in found if posixpath.basename(path).lower() == "workshop.md"}
    return [path for path in found if path not in parts and not _generated_beside(path, whole)]


def _says_so(text: str) -> bool:
    if not text.startswith("---"):
        return False
    front = text[: text.find("\n---", 3)] if "\n---" in text[3:20_000] else ""
    return bool(_TYPE.search(front) and _OWN_FIELDS.search(front))


def _generated_beside(path: str, whole: set[str]) -> bool:
    """Whether a page lies below a folder with the whole workshop: a part of it that repeats the front matter."""
    folder = posixpath.dirname(path)
    return any(folder != above and (not above or folder.startswith(f"{above}/")) for above in whole if above)


def _load(tree: Tree, path: str) -> _Document:
    document = _Document(FrontMatter(), [])
    lines = trimmed(_drawn(tree, path, path, document, ()))
    document.front, lines = split_front_matter(lines)
    lines = trimmed(lines)
    document.cuts = frozenset((line.file, line.number) for line in _cuts(lines))
    lines = _boxes(lines, document)
    for line in lines:
        for match in _VARIABLE.finditer(line.text):
            document.defaults[match["name"]] = document.defaults.get(match["name"]) or match["default"]
    document.lines = [_filled(line) for line in lines]
    return document


def _filled(line: Line) -> Line:
    if "$$" not in line.text and "\\" not in line.text:
        return line
    return line.with_text(_ESCAPED.sub("", _VARIABLE.sub(lambda match: "{{" + match["name"] + "}}", line.text)))


def _drawn(tree: Tree, path: str, outline: str, document: _Document, above: tuple[str, ...]) -> list[Line]:
    out: list[Line] = []
    for line in lines_of(tree.read_text(path), path):
        match = _INCLUDE.match(line.text)
        if match is None:
            out.append(line)
            continue
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match["path"].strip()))
        why = (
            f"There is no `{target}` to draw in" + (f": {tree.absent[target]}." if target in tree.absent else ".")
            if target not in tree
            else "The files draw each other in without end; this one is left out."
            if target in (*above, path) or len(above) >= _MAX_DEPTH or len(out) > _MAX_LINES
            else ""
        )
        if why:
            document.broken.append(Broken(kind="include", source=line.file, line=line.number, target=match["path"], detail=why))
            continue
        document.included.append(target)
        drawn = _drawn(tree, target, outline, document, (*above, path))
        # A part may repeat the front matter; the whole has but the one before its first section.
        out += trimmed(split_front_matter(drawn)[1]) if any(not row.blank for row in out) else drawn
    return out


def _cuts(lines: list[Line]) -> list[Line]:
    """The `---` lines between blank ones; those in code are code."""
    return [
        line
        for row, line, inside in outside_fences(lines)
        if not inside
        and line.text.rstrip() == "---"
        and (row == 0 or lines[row - 1].blank)
        and (row + 1 == len(lines) or lines[row + 1].blank)
    ]


def _boxes(lines: list[Line], document: _Document, depth: int = 0) -> list[Line]:
    """`<div class="tip" data-title="...">` as quotes with a bold label; what a variable shows stands below a line saying so."""
    inside = [flag for _, _, flag in outside_fences(lines)]
    out: list[Line] = []
    row = 0
    while row < len(lines):
        line = lines[row]
        match = None if inside[row] or depth > _MAX_DEPTH else _DIV.match(line.text)
        given = attributes_of(match["attributes"]) if match else {}
        box = (given.get("class") or "").split()
        end = (
            _closing(lines, inside, row)
            if {*box} & _BOXES or {"data-title", "data-visible", "data-hidden"} & set(given)
            else None
        )
        if match is None or end is None:
            out.append(line)
            row += 1
            continue
        body = _boxes(trimmed(lines[row + 1 : end]), document, depth + 1)
        indent = match["indent"]
        out += _condition(line, indent, given, document) if body else []
        if {*box} & _BOXES or "data-title" in given:
            title = given.get("data-title") or next(iter(box), "note")
            out += _quoted(line, indent, title[:1].upper() + title[1:], body)
        else:
            out += body
        out.append(line.made(""))
        row = end + 1
    return out


def _closing(lines: list[Line], inside: list[bool], first: int) -> int | None:
    depth = 0
    for row in range(first, len(lines)):
        for match in () if inside[row] else _DIV_TAG.finditer(lines[row].text):
            depth += -1 if match["close"] else 1
        if depth == 0:
            return row if lines[row].text.strip().lower() == "</div>" else None
    return None


def _condition(line: Line, indent: str, given: dict[str, str], document: _Document) -> list[Line]:
    out = []
    for key, words in (("data-visible", "is given"), ("data-hidden", "is not given")):
        for match in _VARIABLE.finditer(given.get(key, "")):
            document.conditions[match["name"]] += 1
            out += [line.with_text(f"{indent}*Only where `{match['name']}` {words}:*"), line.made("")]
    return out


def _quoted(line: Line, indent: str, title: str, body: list[Line]) -> list[Line]:
    bare = [row.with_text(row.text.removeprefix(indent)) for row in body]
    quoted = all(row.blank or row.text.startswith(">") for row in bare)
    rows = [row.text if quoted and not row.blank else f"> {row.text}".rstrip() for row in bare]
    head = [line.with_text(f"{indent}> **{title.replace('**', '').strip()}**"), line.made(f"{indent}>")]
    return head + [row.with_text(indent + text) for row, text in zip(bare, rows, strict=True)]


def _steps(page: Page, document: _Document) -> tuple[list[StepPlan], list[Loss]]:
    """A step for each section with text; one that is not cut at all goes by its headings."""
    rows = [
        row for row, line in enumerate(page.lines) if (line.file, line.number) in document.cuts and line.text.strip() == "---"
    ]
    if not rows:
        return section_steps(page)
    titles = document.front.values.get("sections_title")
    named = [str(title) for title in titles] if isinstance(titles, list) else []
    steps = []
    for number, (first, end) in enumerate(zip([0, *(row + 1 for row in rows)], [*rows, len(page.lines)], strict=True)):
        if all(line.blank for line in page.lines[first:end]):
            continue
        heading = next((row.text for row in page.headings if first <= row.row < end and row.text), "")
        title = (named[number] if number < len(named) else "") or heading or f"Section {number + 1}"
        steps.append(StepPlan(page, first, end, title))
    return steps, []


def _first_heading(page: Page) -> str:
    return next((row.text for row in page.headings if row.level == 1), page.headings[0].text if page.headings else "")
