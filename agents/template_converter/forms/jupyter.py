"""Jupyter notebooks and books: one whose sections are the steps, or several that are a step each; outputs are counted."""

import base64
import binascii
import json
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.json_safely import UnsafeJsonError, load_json
from agents.template_converter.forms.judging import SitePage, judge
from agents.template_converter.forms.jupyter_book import TOC, book_gaps, book_pages, book_title, books
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.myst_pages import Met, myst_as_commonmark
from agents.template_converter.forms.numbering import natural, number_of
from agents.template_converter.forms.pages import Page, first_paragraph, load_page, make_page
from agents.template_converter.forms.sections import section_steps
from agents.template_converter.forms.solved_copies import solved_copies
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Form, FormCandidate, Loss
from shared_services.contracts.workshop import FenceInfo, parse_fence_info

_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9+#-]{0,30}")
_ATTACHMENT = re.compile(
    r"(?P<before>\]\(\s*)(?P<open><)?attachment:(?P<name>(?(open)[^<>]+|[^()\s<>]+))(?(open)>)(?=[\s)])"
    r"|(?P<source>\bsrc\s*=\s*)(?:(?P<quote>[\"'])attachment:(?P<quoted>.*?)(?P=quote)|attachment:(?P<bare>[^\s\"'<>]+))",
    re.IGNORECASE,
)
_LINKED = re.compile(r"\]\(<?(?P<path>[^()<>]+?)\.(?:ipynb|html)(?P<rest>(?:#[^()<>]*)?>?\))")
_INDEX = re.compile(r"(?:^|[-_ ])(?:index|toc|contents?|overview|readme|start(?: ?here)?)(?:$|[-_ .])", re.IGNORECASE)
_TIGHT = re.compile(r"^(#(?=[A-Z])|#{2,6}(?=[A-Za-z]))")
_PART = re.compile(r"\d+\.\d+\b")
_ALIKE = 3
_CELL = re.compile(r"^(?:```+|:::+)\{code-cell\}", re.MULTILINE)
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
MAX_ATTACHMENT_BYTES = 5 * 1024 * 1024


@dataclass
class _Notebook:
    """A notebook as CommonMark; `attachments` are its pictures by the name that its text has for them."""

    path: str
    lines: list[Line]
    attachments: dict[str, bytes] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)


class JupyterImporter:
    """Recognises and reads notebooks."""

    form = Form.JUPYTER

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """The notebooks of the repository as one workshop, the stronger the less else there is."""
        found = [_judge_book(tree, folder, by, pages) for folder, by, pages in books(tree)]
        notebooks = _notebooks(tree, "")
        if not notebooks or any(row.path == "" for row in found):
            return found
        folders = [posixpath.dirname(path) for path in notebooks]
        folder = posixpath.commonpath(folders) if all(folders) else ""
        sources = sum(path.endswith(".py") for path in signals.visible(tree))
        score = round(0.4 + 0.45 * len(notebooks) / (len(notebooks) + sources), 2)
        program = signals.code(tree)
        counted = sum(number_of(posixpath.basename(path)) is not None for path in notebooks)
        if program.is_library and program.sources:
            score = min(score, 0.45)
        elif not program.build_files and counted >= 3 and counted >= 0.6 * len(notebooks):
            score = max(score, 0.6)
        evidence = [f"{len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}, from `{notebooks[0]}`."]
        if posts := signals.dated_posts(tree):
            score = min(score, 0.45)
            evidence.append(f"They lie in a blog of {posts} dated posts.")
        if not any(row.path == folder for row in found):
            found.append(FormCandidate(form=self.form, score=score, path=folder, evidence=evidence))
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The notebooks below `candidate.path`, or the one that it is.

        Raises:
            UnreadableSourceError: There is none, or none can be read.
        """
        paths, losses = _ordered(tree, candidate.path)
        read = [book for path in paths if (book := _read(tree, path, losses)) is not None]
        if not read:
            said = f" {losses[0].detail}" if losses else ""
            raise UnreadableSourceError(f"There is no notebook in `{candidate.path or 'the source'}` that can be read.{said}")
        solved = {} if book_pages(tree, candidate.path) else _solved(read)
        pages = [_page(tree, book) for book in read if book.path not in solved]
        for book in (book for book in read if book.path in solved):
            page = next(page for page in pages if page.path == solved[book.path])
            page.asides.solutions.append((len(page.lines), _page(tree, book).lines))
        chapters = dict(book_pages(tree, candidate.path))
        if len(pages) == 1:
            steps, more = section_steps(pages[0])
            losses += more
        else:
            steps = [StepPlan(page, 0, len(page.lines), _step_title(page), chapter=chapters.get(page.path, "")) for page in pages]
        _name_alike(steps)
        name_steps(steps, [_words(step.page.path) for step in steps])
        title = pages[0].title if len(pages) == 1 else _title(tree, candidate.path)
        plan = Plan(title, steps, root=candidate.path, summary=first_paragraph(pages[0]), fences=_as_written)
        plan.imports = bool(solved)
        pictures: dict[str, dict[str, bytes]] = {}
        for book in read:
            pictures.setdefault(solved.get(book.path, book.path), {}).update(book.attachments)
        plan.own_files = frozenset(name for names in pictures.values() for name in names)
        workshop = assemble(tree, plan)
        for step in workshop.steps:
            said = "\n".join(filter(None, (step.content, step.hints, step.solve, step.explain)))
            step.files |= {name: data for name, data in pictures[step.source].items() if _shows(said, name)}
        unread, broken = book_gaps(tree, candidate.path)
        workshop.losses += losses + unread + [loss for book in read for loss in book.losses]
        workshop.broken += broken
        return workshop


def _solved(read: list[_Notebook]) -> dict[str, str]:
    """Notebooks that are the solutions of others; not those whose pictures are called as other pictures of these are."""
    books = {book.path: book for book in read}
    return {
        path: original
        for path, original in solved_copies(list(books)).items()
        if all(books[original].attachments.get(name, data) == data for name, data in books[path].attachments.items())
    }


def _judge_book(tree: Tree, folder: str, by: str, pages: list[str]) -> FormCandidate:
    """A book; where its form is that of documentation too, its cells of code make it one, or what makes any site a workshop."""
    about = f"`{by}` lists {signals.amount(len(pages), 'page')} of a Jupyter Book."
    cells = sum(path.lower().endswith(".ipynb") or _CELL.search(tree.read_text(path)) is not None for path in pages)
    if posixpath.basename(by) == TOC or cells >= max(2, 0.4 * len(pages)):
        score = 0.45 if signals.is_showcase(folder) else 0.9 if len(pages) > 1 else 0.6
        return FormCandidate(form=Form.JUPYTER, score=score, path=folder, evidence=[about])
    texts = [SitePage(path, (), "", "" if path.lower().endswith(".ipynb") else tree.read_text(path)) for path in pages]
    return judge(Form.JUPYTER, folder, about, book_title(tree, folder), texts, signals.code(tree))


def _page(tree: Tree, book: _Notebook) -> Page:
    """A notebook's page, its links to notebooks as a site shows them leading to the notebooks, its headings named as there."""

    def notebook(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(book.path), f"{unquote(match['path'])}.ipynb"))
        return (
            f"]({'<' if match['rest'].endswith('>)') else ''}{match['path']}.ipynb{match['rest']}" if target in tree else match[0]
        )

    lines = [line.with_text(_LINKED.sub(notebook, line.text)) if ".html" in line.text else line for line in book.lines]
    page = make_page(book.path, FrontMatter(), lines, mkdocs=False)
    page.headings = [replace(row, names=row.names | {re.sub(r"\s", "-", row.text)}) for row in page.headings]
    return page


def _notebooks(tree: Tree, folder: str) -> list[str]:
    if folder in tree:
        return [folder]
    found = (path for path in tree.under(folder) if path.lower().endswith(".ipynb") and ".ipynb_checkpoints/" not in path)
    return sorted((path for path in found if signals.counts(path)), key=natural)


def _ordered(tree: Tree, folder: str) -> tuple[list[str], list[Loss]]:
    """Notebooks in the order of `_toc.yml`, else of the notebook that lists them, else of their names."""
    paths = _notebooks(tree, folder)
    listed = [path for path, _ in book_pages(tree, folder)]
    if listed:
        rest = [path for path in paths if path not in listed]
        return listed, [
            Loss(kind="page", source=path, line=0, detail="The table of contents does not list it, so it is no step.")
            for path in rest
        ]
    for index in paths:
        if len(paths) > 2 and _INDEX.search(posixpath.splitext(posixpath.basename(index))[0]):
            linked = _links(tree, index, paths)
            if len(linked) >= (len(paths) - 1) / 2:
                rest = [path for path in paths if path not in linked and path != index]
                if all(number_of(posixpath.basename(path)) is not None for path in (index, *linked)):
                    # Counted as the others are, it is the first of them.
                    return [index, *linked, *rest], []
                detail = "It lists the notebooks and gives their order; its own text is no step."
                return linked + rest, [Loss(kind="page", source=index, line=0, detail=detail)]
    return paths, []


def _links(tree: Tree, index: str, paths: list[str]) -> list[str]:
    cells, _ = _cells(tree.read_text(index))
    text = "\n".join(_source(cell) for cell in cells if cell.get("cell_type") == "markdown")
    named = (_notebook(index, unquote(match["path"]), set(paths)) for match in _LINKED.finditer(text))
    return list(dict.fromkeys(path for path in named if path and path != index))


def _notebook(page: str, target: str, paths: set[str]) -> str:
    """The notebook that a link without its ending leads to: relative to its page, or by the tail of an address that shows it."""
    parts = target.split("/")
    if "://" not in target:
        found = posixpath.normpath(posixpath.join(posixpath.dirname(page), f"{target}.ipynb"))
        return found if found in paths else ""
    tails = ("/".join(parts[first:]) + ".ipynb" for first in range(3, min(len(parts), 20)))
    beside = posixpath.join(posixpath.dirname(page), f"{parts[-1]}.ipynb")
    return next((tail for tail in tails if tail in paths and "/" in tail), beside if beside in paths else "")


def _read(tree: Tree, path: str, losses: list[Loss]) -> _Notebook | None:
    """A notebook; None where it is none, which is told."""
    text = tree.read_text(path)
    if not path.lower().endswith(".ipynb"):
        return _text_page(path, text)
    cells, language = _cells(text)
    if not cells:
        detail = "The notebook holds no cells." if text.strip().startswith("{") else "It is no notebook: it does not hold JSON."
        losses.append(Loss(kind="page", source=path, line=0, detail=detail))
        return None
    book = _Notebook(path, [])
    places = _Places(text)
    outputs = raw = 0
    for cell in cells:
        outputs += len(cell["outputs"]) if isinstance(cell.get("outputs"), list) else 0
        source = _source(cell)
        if not source.strip():
            continue
        kind = cell.get("cell_type")
        if kind == "raw":
            raw += 1
            continue
        lines = [Line(row, path, places.of(row)) for row in source.rstrip("\n").split("\n")]
        book.lines += [*_cell(kind, cell, lines, book, language), Line("", path, 0)]
    if outputs:
        many = "s of code cells are left out; they come" if outputs > 1 else " of a code cell is left out; it comes"
        said = f"{outputs} output{many} when it is run."
        book.losses.append(Loss(kind="output", source=path, line=0, detail=said))
    if raw:
        said = f"{raw} raw cell{'s are' if raw > 1 else ' is'} left out, which a notebook does not show as text."
        book.losses.append(Loss(kind="cell", source=path, line=0, detail=said))
    return book


def _text_page(path: str, text: str) -> _Notebook:
    """A book's page of MyST text."""
    front, lines = split_front_matter(lines_of(text, path))
    kernel = front.values.get("kernelspec")
    said = kernel.get("language", kernel.get("name")) if isinstance(kernel, dict) else None
    language = said if isinstance(said, str) and _LANGUAGE.fullmatch(said) else "python"
    met = Met()
    book = _Notebook(path, myst_as_commonmark(lines, "python" if language.startswith("python") else language, met))
    book.losses = met.losses()
    return book


def _cell(kind: object, cell: dict[str, Any], lines: list[Line], book: _Notebook, language: str) -> list[Line]:
    first = lines[0]
    if kind == "heading":
        level = cell.get("level")
        marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 2)
        return [first.with_text(f"{marks} {' '.join(line.text.strip() for line in lines)}")]
    if kind == "code":
        longest = max((len(run) for line in lines for run in re.findall(r"`+", line.text)), default=0)
        fence = "`" * max(3, longest + 1)
        return [first.made(f"{fence}{_language_of(lines[0].text, language)}"), *lines, first.made(fence)]
    names = _attach(cell, book)
    lines = [
        line.with_text(_TIGHT.sub(r"\1 ", line.text)) if row == 0 or lines[row - 1].blank else line
        for row, line in enumerate(lines)
    ]

    def picture(match: re.Match[str]) -> str:
        name = match["name"] or match["quoted"] or match["bare"] or ""
        address = names.get(unquote(name), names.get(name, name))
        return f"{match['before']}<{address}>" if match["before"] else f'{match["source"]}"{address}"'

    return [line.with_text(_ATTACHMENT.sub(picture, line.text)) if "attachment:" in line.text else line for line in lines]


def _shows(text: str, address: str) -> bool:
    return re.search(rf"[(\"<]{re.escape(address)}[)\"> ]", text) is not None


def _language_of(first: str, language: str) -> str:
    magic = re.match(r"%%(?P<name>bash|sh|html|javascript|js|latex|ruby|perl|sql|R)\b", first)
    return magic["name"].lower() if magic else language


def _attach(cell: dict[str, Any], book: _Notebook) -> dict[str, str]:
    """Keep a cell's attachments; by their names the addresses that the step has for them."""
    names = {}
    attachments = cell.get("attachments")
    for name, kinds in attachments.items() if isinstance(attachments, dict) else []:
        data = next((each for each in kinds.values() if isinstance(each, str)), "") if isinstance(kinds, dict) else ""
        try:
            picture = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            picture = b""
        if not picture or len(picture) > MAX_ATTACHMENT_BYTES:
            detail = f"The attached picture `{name}` cannot be read or is too large; its description stands in its place."
            book.losses.append(Loss(kind="image", source=book.path, line=0, detail=detail))
            continue
        address = _free(book.attachments, _PLAIN_NAME.sub("-", str(name)).strip("-.") or "picture", picture)
        book.attachments[address] = picture
        names[str(name)] = address
    return names


def _free(taken: dict[str, bytes], name: str, picture: bytes) -> str:
    """An address for a picture: its name, with a number where another picture has it."""
    stem, ending = posixpath.splitext(name)
    address, count = f"files/{name}", 1
    while taken.get(address, picture) != picture:
        count += 1
        address = f"files/{stem}-{count}{ending}"
    return address


class _Places:
    """Finds the line of a notebook's JSON on which a source line stands; notebooks are written with a line for each."""

    def __init__(self, text: str) -> None:
        self._rows = [row.strip().rstrip(",") for row in text.split("\n")]
        self._next = 0

    def of(self, source: str) -> int:
        """Its number, from 1; 0 where it is not found as it should stand."""
        wanted = {json.dumps(source + end, ensure_ascii=ascii_only) for end in ("\n", "") for ascii_only in (True, False)}
        for row in range(self._next, len(self._rows)):
            if self._rows[row] in wanted or self._rows[row].partition(": ")[2] in wanted:
                self._next = row + 1
                return row + 1
        return 0


def _cells(text: str) -> tuple[list[dict[str, Any]], str]:
    """A notebook's cells and the language of its code; no cells where it is no notebook."""
    try:
        book = load_json(text)
    except UnsafeJsonError:
        return [], "python"
    if not isinstance(book, dict):
        return [], "python"
    cells = book.get("cells")
    if not isinstance(cells, list):
        sheets = book.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for rows in lists if isinstance(rows, list) for cell in rows]
    metadata = book.get("metadata")
    for name, key in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(name) if isinstance(metadata, dict) else None
        said = about.get(key) if isinstance(about, dict) else None
        if isinstance(said, str) and _LANGUAGE.fullmatch(said):
            return [cell for cell in cells if isinstance(cell, dict)], said.lower()
    return [cell for cell in cells if isinstance(cell, dict)], "python"


def _source(cell: dict[str, Any]) -> str:
    value = cell.get("source", cell.get("input", ""))
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _as_written(info: str, _body: str) -> tuple[FenceInfo, str]:
    """Code cells name their language and nothing else; fences in text may say more, which is passed over."""
    return FenceInfo(language=parse_fence_info(info).language), ""


def _step_title(page: Page) -> str:
    """A notebook's heading of the first level where it begins with it or has no other, and that of no part (`8.1 …`).

    Else its file's name; where that is a number, its first heading.
    """
    first = [heading for heading in page.headings if heading.level == 1]
    begins = next((row for row, line in enumerate(page.lines) if not line.blank), -1)
    if first and (len(first) == 1 or first[0].row == begins) and not _PART.match(first[0].text):
        return first[0].text.rstrip(":")
    words = _words(page.path)
    return page.headings[0].text.rstrip(":") if words.isdecimal() and page.headings else words


def _name_alike(steps: list[StepPlan]) -> None:
    """Call notebooks as their files where more than half of them have one heading, which then names none of them."""
    title, count = Counter(step.title for step in steps).most_common(1)[0]
    if count >= _ALIKE and count * 2 > len(steps):
        for step in steps:
            if step.title == title:
                step.title = _words(step.page.path)


def _title(tree: Tree, folder: str) -> str:
    """What the README beside or above the notebooks calls itself."""
    names = [posixpath.join(above, name) for above in dict.fromkeys((folder, "")) for name in ("README.md", "readme.md")]
    readme = next((path for path in names if path in tree), None)
    return book_title(tree, folder) or (load_page(tree, readme).title if readme else "") or posixpath.basename(folder)


def _words(path: str) -> str:
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return " ".join(stem.split() if " " in stem else re.split(r"[-_]+", stem)).strip() or "Notebook"
