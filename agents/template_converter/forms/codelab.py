"""Codelabs: one Markdown page that begins with header lines; each H2 is a step, with its duration, boxes and buttons."""

import posixpath
import re
from dataclasses import dataclass, field
from itertools import pairwise

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.frontmatter import FrontMatter, minutes_of
from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.forms.pages import first_paragraph, make_page
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss

_FIELD = re.compile(
    r"^(?P<name>id|summary|categor(?:y|ies)|status|environments?|feedback[ _]link|analytics(?:[ _](?:account|ga4[ _]account))?"
    r"|authors?|tags?|keywords|language|source|project|last updated|author ldap)[ \t]*+:[ \t]*+(?P<value>.*)$",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"^\**Duration(?::\**|(?=[ \t]+\d+:\d\d))[ \t]*+(?P<value>[\d:]++)[ \t]*+(?:min(?:ute)?s?)?[ \t]*+$", re.IGNORECASE
)
_BOX = re.compile(r"^(?:> aside[ \t]+)?(?P<kind>positive|negative)[ \t]*$", re.IGNORECASE)
_ASIDE = re.compile(r"^[ \t]*<aside\b[^>]*class=[\"']?(?P<kind>positive|negative|special|warning)[\"']?[^>]*>", re.IGNORECASE)
_ASIDE_END = re.compile(r"</aside\s*>", re.IGNORECASE)
_BUTTON = re.compile(r"</?button\b[^>]*>", re.IGNORECASE)
_IMPORT = re.compile(r"^[ \t]*<<(?P<path>[^<>]+\.md)>>[ \t]*$")
_H1 = re.compile(r"^#[ \t]+\S")
_H2 = re.compile(r"^##[ \t]++(?P<title>\S(?:.*[^ \t#])?)[ \t#]*+$")
_ONLY_HERE = re.compile(r"environments|feedback link|analytics .*")
_WORDS = {"positive": "Tip", "special": "Tip", "negative": "Note", "warning": "Note"}
HEADER_LINES = 40
MAX_IMPORTS = 50


@dataclass
class _Codelab:
    """What the page says before and between its steps."""

    header: dict[str, str]
    lines: list[Line]
    minutes: dict[tuple[str, int], int] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)


class CodelabImporter:
    """Recognises and reads codelabs."""

    form = Form.CODELAB

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Every codelab; its folder is its path, and where a folder holds several, the page is."""
        found: dict[str, list[tuple[str, int]]] = {}
        for path in signals.visible(tree):
            if path.lower().endswith(signals.MARKDOWN):
                lines = lines_of(tree.read_text(path)[:6000], path)
                fields = _header(lines)[0]
                if len(fields) >= 3 and _is_codelab(lines, fields):
                    found.setdefault(posixpath.dirname(path), []).append((path, len(fields)))
        return [
            FormCandidate(
                form=self.form,
                score=0.45 if signals.is_showcase(folder) or (len(found) > 1 and _shows_how(path)) else 0.92,
                path=path if len(pages) > 1 or any(other.startswith(f"{folder}/") for other in found if folder) else folder,
                evidence=[f"`{path}` begins with {fields} header lines of a codelab."],
            )
            for folder, pages in found.items()
            for path, fields in pages
        ]

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The codelab that `candidate.path` is, or that its folder holds.

        Raises:
            UnreadableSourceError: There is no page with the header lines of a codelab.
        """
        path = _page_of(tree, candidate.path)
        lab = _read(tree, path)
        front = FrontMatter(
            description=lab.header.get("summary", ""),
            authors=_list(lab.header.get("authors", lab.header.get("author", ""))),
            tags=_list(lab.header.get("tags", lab.header.get("categories", lab.header.get("category", "")))),
        )
        page = make_page(path, front, lab.lines, mkdocs=False)
        starts = [row.row for row in page.headings if row.level == 2 and page.lines[row.row].text.startswith("##")]
        titles = {row.row: row.text for row in page.headings}
        above = [row for row in page.headings if row.level == 1]
        title = above[0].text if above else ""
        first = above[0].end if above and above[0].row < min(starts, default=len(page.lines)) else 0
        steps = [
            StepPlan(page, row, end, titles[row], minutes=lab.minutes.get(_place(page.lines[row])))
            for row, end in zip(starts, [*starts[1:], len(page.lines)], strict=False)
        ]
        opening = page.lines[first : starts[0]] if starts else page.lines
        if any(not line.blank for line in opening):
            steps.insert(0, StepPlan(page, first, starts[0] if starts else len(page.lines), "Introduction"))
        for number, step in enumerate(steps):
            page.anchors.setdefault(str(number), step.first)
        name_steps(steps, ["introduction"] * len(steps))
        root = posixpath.dirname(path)
        summary = front.description or first_paragraph(page)
        plan = Plan(title, steps, root=root, summary=summary, authors=front.authors, tags=front.tags, imports=True)
        workshop = assemble(tree, plan)
        workshop.broken += lab.broken
        workshop.losses += _survey(lab)
        workshop.losses += _above_the_title(page.lines[: above[0].row] if first else [])
        return workshop


def _shows_how(path: str) -> bool:
    """Whether a page by its name shows how codelabs are written: the template beside the others."""
    return signals.is_showcase(posixpath.splitext(posixpath.basename(path))[0])


def _page_of(tree: Tree, path: str) -> str:
    if path in tree:
        return path
    below = [page for page in tree.under(path) if page.lower().endswith(signals.MARKDOWN)]
    pages = [(len(_header(lines_of(tree.read_text(page)[:6000], page))[0]), page.count("/"), page) for page in below]
    best = sorted((-fields, depth, page) for fields, depth, page in pages if fields)
    if not best:
        raise UnreadableSourceError(f"No page in `{path or 'the source'}` begins with header lines such as `id:` and `summary:`.")
    return best[0][2]


def _header(lines: list[Line]) -> tuple[dict[str, str], int]:
    """The header's fields, names in lower case, and the row after it; they end where the page begins."""
    fields: dict[str, str] = {}
    rows = [row for row, line in enumerate(lines[:2]) if line.text.strip() == "---"]
    row = rows[0] + 1 if rows == [0] else 0
    while row < min(len(lines), HEADER_LINES):
        text = lines[row].text
        match = _FIELD.match(text)
        if match:
            fields.setdefault(match["name"].lower().replace("_", " "), match["value"].strip())
        elif text.strip() and not (fields and text.strip() == "---"):
            break
        row += 1
    return fields, row if fields else 0


def _is_codelab(lines: list[Line], fields: dict[str, str]) -> bool:
    """Whether a header is a codelab's and not any page's front matter.

    It names what only codelabs have, or a step has a duration, or it has the `id` that their tools ask for and no `---` above.
    """
    if any(map(_ONLY_HERE.fullmatch, fields)) or ("id" in fields and lines[0].text.strip() != "---"):
        return True
    said = [line.text for line in lines if not line.blank]
    return any(_H2.match(above) and _DURATION.match(below) for above, below in pairwise(said))


def _read(tree: Tree, path: str) -> _Codelab:
    lines = lines_of(tree.read_text(path), path)
    header, row = _header(lines)
    lab = _Codelab(header, [])
    _take(tree, lines[row:], lab, (path,))
    lab.lines = _boxes(lab.lines)
    return lab


def _take(tree: Tree, lines: list[Line], lab: _Codelab, seen: tuple[str, ...]) -> None:
    """The page's lines with imported ones in their place, and without durations, which are kept by their step's line."""
    step: Line | None = None
    for _, line, inside in list(outside_fences(lines)):
        if inside:
            lab.lines.append(line)
            continue
        imported = _IMPORT.match(line.text)
        if imported:
            _import(tree, line, imported["path"].strip(), lab, seen)
            continue
        duration = _DURATION.match(line.text)
        if duration and step is not None:
            minutes = minutes_of(_minutes(duration["value"]))
            if minutes:
                lab.minutes[_place(step)] = minutes
            continue
        if _H2.match(line.text):
            step = line
        elif not line.blank:
            step = step if _BUTTON.sub("", line.text).strip() == "" else None
        without = _BUTTON.sub("", line.text)
        if without == line.text:
            lab.lines.append(line)
        elif without.strip():
            lab.lines.append(line.with_text(without.strip()))


def _place(line: Line) -> tuple[str, int]:
    return line.file, line.number


def _minutes(value: str) -> int:
    """Minutes of `M`, `M:SS` or `H:MM:SS`, a part of a minute as a whole one; what is no number counts as nothing."""
    parts = value.split(":", 2)
    parts = [*parts, "0"] if len(parts) == 1 else parts
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + (int(part[:9]) if part.isdecimal() else 0)
    return -(-seconds // 60)


def _import(tree: Tree, line: Line, target: str, lab: _Codelab, seen: tuple[str, ...]) -> None:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(line.file), target))
    if path in seen or len(seen) > MAX_IMPORTS:
        detail = "The page imports itself; it is taken once."
    elif path not in tree:
        detail = f"There is no `{path}`."
    else:
        _take(tree, lines_of(tree.read_text(path), path), lab, (*seen, path))
        return
    lab.broken.append(Broken(kind="include", source=line.file, line=line.number, target=target, detail=detail))


def _boxes(lines: list[Line]) -> list[Line]:
    """Boxes as quotes that begin with what they are; in each of the three ways they are written."""
    out: list[Line] = []
    flags = [inside for _, _, inside in outside_fences(lines)]
    row = 0
    while row < len(lines):
        line = lines[row]
        box, aside = (None, None) if flags[row] else (_BOX.match(line.text), _ASIDE.match(line.text))
        following = lines[row + 1].text if row + 1 < len(lines) else ""
        if box and following.lstrip().startswith(":"):
            end = next((at for at in range(row + 1, len(lines)) if lines[at].blank), len(lines))
            first = lines[row + 1].with_text(lines[row + 1].text.lstrip()[1:].strip())
            out += _quoted(box["kind"], [first, *lines[row + 2 : end]])
            row = end
        elif box and line.text.startswith(">"):
            end = next((at for at in range(row + 1, len(lines)) if not lines[at].text.startswith(">")), len(lines))
            out += _quoted(box["kind"], [each.with_text(each.text[1:].removeprefix(" ")) for each in lines[row + 1 : end]])
            row = end
        elif aside:
            end = next((at for at in range(row, len(lines)) if _ASIDE_END.search(lines[at].text)), row)
            inner = [line.with_text(_ASIDE.sub("", line.text)), *lines[row + 1 : end + 1]]
            out += _quoted(aside["kind"], [each.with_text(_ASIDE_END.sub("", each.text).strip()) for each in inner])
            row = end + 1
        else:
            out.append(line)
            row += 1
    return out


def _quoted(kind: str, lines: list[Line]) -> list[Line]:
    kept = lines
    while kept and kept[0].blank:
        kept = kept[1:]
    while kept and kept[-1].blank:
        kept = kept[:-1]
    if not kept:
        return []
    label = f"> **{_WORDS[kind.lower()]}:** "
    plain = re.match(r"[-*+] |\d+[.)] |`{3}|#|\|", kept[0].text) is None
    head = [kept[0].with_text(label + kept[0].text)] if plain else [kept[0].made(label.rstrip()), kept[0].made(">")]
    rest = kept[1:] if plain else kept
    return [*head, *(line.with_text(f"> {line.text}".rstrip()) for line in rest)]


def _above_the_title(lines: list[Line]) -> list[Loss]:
    said = [line for line in lines if not line.blank]
    if not said:
        return []
    words = " ".join(said[0].text.split())[:80]
    detail = (
        f"{len(said)} line{'s' if len(said) > 1 else ''} above the title, from “{words}”, belong to no step and are left out."
    )
    return [Loss(kind="text", source=said[0].file, line=said[0].number, detail=detail)]


def _survey(lab: _Codelab) -> list[Loss]:
    forms = [line for line in lab.lines if re.match(r"[ \t]*<form\b", line.text, re.IGNORECASE)]
    return [
        Loss(
            kind="quiz",
            source=line.file,
            line=line.number,
            detail="The survey's answers are collected nowhere; its text is kept.",
        )
        for line in forms
    ]


def _list(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
