"""Plain tutorials in Markdown or AsciiDoc: numbered pages, a list of contents or a README that lists them, or one README."""

import posixpath
import re
from dataclasses import dataclass, replace

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.sketch import includes
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.book import Book, BookPage, find_book
from agents.template_converter.forms.contents import Contents, contents, exercise_steps, site_of
from agents.template_converter.forms.judging import SitePage, judge
from agents.template_converter.forms.mdbook import BookReader
from agents.template_converter.forms.moaw import outline_at, read_outline, readings
from agents.template_converter.forms.numbering import natural, number_of
from agents.template_converter.forms.pages import Page, first_paragraph, load_page
from agents.template_converter.forms.plain_pages import at_first_sight, is_page, pages, readme_of, stem_of
from agents.template_converter.forms.sections import section_steps
from agents.template_converter.forms.toc import listed_pages
from agents.template_converter.forms.unlisted import RECORDS, unlisted_pages
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Form, FormCandidate, Loss
from shared_services.contracts.workshop import Variable

_FILLED_IN = re.compile(r"(?<!\$)\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
_ANY_PAGE = re.compile(
    r"^\W*(?:about(?: (?:the|this) (?:project|repository|repo))?|introduction|overview|read ?me|summary"
    r"|table of contents?|contents|welcome)\W*$",
    re.IGNORECASE,
)
_MAX_FOLDERS = 3000
_ALONE = ("workshop.adoc", "tutorial.adoc")
"""Pages that say by their names that they are the whole of it, whatever the README is for."""
_BEFORE_AND_AFTER = (
    ("initial", "complete"),
    ("start", "complete"),
    ("start", "finish"),
    ("start", "final"),
    ("starter", "solution"),
)


@dataclass(frozen=True)
class Layout:
    """How the pages of a tutorial lie.

    Attributes:
        kind: `book` (with a `SUMMARY.md`), `exercise` (of GitHub), `listed` (a list of contents or a README links to its
            pages), `numbered`, `chapters` (a page includes them) or `sections` (one README).
        pages: `(path, chapter)` in order.
        readme: The page that stands above them.
        contents: The file that lists them, where that is another one.
        book: The book that they are.
    """

    kind: str
    pages: list[tuple[str, str]]
    readme: str | None
    contents: Contents | None = None
    book: Book | None = None


class MarkdownImporter:
    """Recognises and reads plain tutorials."""

    form = Form.MARKDOWN

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Each MOAW workshop, else the repository itself as a tutorial, else each folder that is one."""
        outlines = readings(tree)
        if any(row.score >= 0.5 for row in outlines):
            return outlines
        program = signals.code(tree)
        whole = self._candidate(tree, "", program)
        if whole and whole.score >= 0.5:
            return [whole]
        if len(tree.files) == 1 and (alone := next(iter(pages(tree)), None)):
            named = self._candidate(tree, alone, program)
            return [named] if named else []
        folders = {posixpath.dirname(path) for path in pages(tree)}
        folders |= {posixpath.dirname(folder) for folder in folders}
        found: list[FormCandidate] = []
        for folder in sorted(folders - {""}, key=lambda path: (path.count("/"), natural(path)))[:_MAX_FOLDERS]:
            if (
                any(folder.startswith(f"{above.path}/") for above in found)
                or RECORDS.search(folder)
                or not signals.counts(f"{folder}/x")
            ):
                continue
            candidate = self._candidate(tree, folder, program)
            if candidate and candidate.score >= 0.5:
                found.append(
                    candidate.model_copy(update={"score": min(candidate.score, 0.45)})
                    if signals.is_showcase(folder)
                    else candidate
                )
        return found or ([whole] if whole else [])

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The tutorial at `candidate.path`, a folder or a page.

        Raises:
            UnreadableSourceError: No Markdown page is there.
        """
        outline = outline_at(tree, candidate.path)
        if outline is not None:
            return read_outline(tree, outline)
        layout = find_layout(tree, candidate.path)
        if layout is None:
            raise UnreadableSourceError(f"There is no page in `{candidate.path or 'the source'}` that could be a step.")
        if layout.book is not None:
            return _read_book(tree, layout.book)
        folder = posixpath.dirname(candidate.path) if candidate.path in tree else candidate.path
        readme = load_page(tree, layout.readme) if layout.readme else None
        title = layout.contents.title if layout.contents else ""
        title = title or _workshop_title(readme or _readme_above(tree, candidate.path)) or posixpath.basename(folder)
        if layout.kind in ("sections", "chapters"):
            assert readme is not None
            steps, losses = section_steps(readme)
            name_steps(steps, ["introduction"] * len(steps))
        else:
            steps, losses = self._page_steps(tree, layout, readme)
        plan = Plan(title, steps, root=folder, summary=(readme.front.description or first_paragraph(readme)) if readme else "")
        if readme:
            plan.authors, plan.tags = readme.front.authors, readme.front.tags
        named = {name for step in steps for name in step.page.variables}
        if layout.kind == "exercise":
            named |= {name for step in steps for name in _filled_in(step.page)}
        plan.variables = frozenset(named)
        if layout.contents and layout.contents.addressed:
            # Links of such sites are relative to their root, and name pages without their ending.
            plan.root = layout.contents.root
            plan.roots = (plan.root, posixpath.join(plan.root, ".vuepress/public"), posixpath.join(plan.root, "public"))
            plan.addresses = {path.rpartition(".")[0].casefold(): path for path, _ in layout.pages}
        workshop = assemble(tree, plan)
        workshop.variables = [Variable(name=name) for name in sorted(named)]
        workshop.losses += losses
        if layout.contents:
            workshop.losses += layout.contents.losses
            workshop.broken += layout.contents.broken
        if candidate.path not in tree:
            drawn_in = frozenset(path for step in steps for path in step.page.drawn_in)
            workshop.losses += unlisted_pages(tree, folder, workshop, drawn_in)
        return workshop

    @staticmethod
    def _page_steps(tree: Tree, layout: Layout, readme: Page | None) -> tuple[list[StepPlan], list[Loss]]:
        steps = []
        for path, chapter in layout.pages:
            page = readme if readme and path == readme.path else load_page(tree, path)
            # A step of an exercise may show a page of its own, with a heading above its.
            own = page.headings[0].text if layout.kind == "exercise" and page.headings else page.title
            steps.append(StepPlan(page, 0, len(page.lines), own or _words(path), chapter=chapter))
        name_steps(steps, [_words(path) for path, _ in layout.pages])
        losses = _checks_elsewhere(tree) if layout.kind == "exercise" else []
        if readme and all(path != readme.path for path, _ in layout.pages):
            losses.append(
                Loss(
                    kind="page",
                    source=readme.path,
                    line=0,
                    detail="The page above the steps gives their order and the title; its own text is not a step.",
                )
            )
        return steps, losses

    def _candidate(self, tree: Tree, folder: str, program: signals.Code) -> FormCandidate | None:
        layout = find_layout(tree, folder)
        if layout is None:
            return None
        if layout.book is not None:
            return _judge_book(tree, folder, layout.book, program)
        if folder and layout.readme is None and not layout.contents and len(_numbered_in(tree, folder)) < 2:
            return None
        readme = at_first_sight(tree, layout.readme) if layout.readme else ""
        said = f"{signals.opening(readme)} {folder.replace('-', ' ').replace('/', ' ')}"
        if layout.contents and (above := readme_of(tree, folder)) and above != layout.readme:
            said += f" {layout.contents.title} {signals.opening(at_first_sight(tree, above))}"
        words = signals.workshop_words(said)
        if layout.kind == "exercise":
            evidence = f"`.github/steps` holds the {len(layout.pages) - bool(layout.readme)} steps of a GitHub exercise."
            return FormCandidate(form=Form.MARKDOWN, score=0.9, path=folder, evidence=[evidence])
        if layout.kind == "sections":
            return _judge_sections(tree, program, folder, readme, layout, words)
        return _judge_pages(tree, folder, layout, words)


def _readme_above(tree: Tree, folder: str) -> Page | None:
    """The nearest README above a folder that has none: a folder of labs says less than the repository does."""
    while folder:
        folder = posixpath.dirname(folder)
        path = readme_of(tree, folder)
        if path:
            return load_page(tree, path)
    return None


def _workshop_title(readme: Page | None) -> str:
    """What the page above the steps calls the workshop; a heading that any page may have gives way to a better one, or none."""
    if readme is None:
        return ""
    if readme.path.lower().endswith(ASCIIDOC) and not readme.front.title and all(row.level > 1 for row in readme.headings):
        return ""  # What begins with a section, as guides do whose site has their titles, is not called as that section is.
    firsts = [row.text for row in readme.headings if row.level == 1 and not _ANY_PAGE.match(row.text)]
    return next(iter(firsts), "") if not readme.front.title and _ANY_PAGE.match(readme.title) else readme.title


def _read_book(tree: Tree, book: Book) -> ImportedWorkshop:
    """A book's pages as steps, its parts and chapters as chapters."""
    reader = BookReader(tree, book)
    pages = [(row, reader.page(row.path)) for row in book.pages]
    steps = [
        StepPlan(page, 0, len(page.lines), page.title or row.title or _words(row.path), chapter=row.chapter)
        for row, page in pages
    ]
    name_steps(steps, [_words(row.path) for row in book.pages])
    above = next((page for row, page in pages if row.path == book.readme), pages[0][1])
    plan = Plan(
        book.title or _workshop_title(above) or _workshop_title(_readme_above(tree, book.source)) or steps[0].title,
        steps,
        root=book.source,
        addresses=_book_addresses(book),
        summary=book.description or above.front.description or first_paragraph(above),
        authors=book.authors or above.front.authors,
        tags=above.front.tags,
        variables=frozenset(name for step in steps for name in step.page.variables),
    )
    workshop = assemble(tree, plan)
    workshop.variables = [Variable(name=name) for name in sorted(plan.variables)]
    workshop.losses += [*book.losses, *reader.losses, *reader.hidden_loss()]
    workshop.broken += [*book.broken, *reader.broken]
    drawn_in = frozenset(path for step in steps for path in step.page.drawn_in)
    workshop.losses += unlisted_pages(tree, book.source, workshop, drawn_in)
    return workshop


def _book_addresses(book: Book) -> dict[str, str]:
    """The pages that an mdBook serves as a folder's `index.html`."""
    if book.kind != "mdbook":
        return {}
    readmes = (page.path for page in book.pages if posixpath.basename(page.path).lower() in ("readme.md", "index.md"))
    return {posixpath.dirname(path).casefold(): path for path in readmes}


def _judge_book(tree: Tree, folder: str, book: Book, program: signals.Code) -> FormCandidate:
    def page(row: BookPage) -> SitePage:
        inner = posixpath.relpath(row.path, book.source or ".").split("/")[:-1]
        number = number_of(posixpath.basename(row.path))
        title = row.title if number is None else f"{number}. {row.title}"
        return SitePage(row.path, tuple(part for part in inner if part != ".."), title, at_first_sight(tree, row.path))

    made = "an mdBook" if book.kind == "mdbook" else "a GitBook"
    configured = f", configured by `{book.config}`" if book.config else ""
    about = f"`{book.summary}` lists the {len(book.pages)} pages of {made}{configured}."
    readme = readme_of(tree, folder)
    opening = signals.opening(at_first_sight(tree, readme)) if readme else ""
    said = f"{book.title} {book.description} {opening} {folder.replace('-', ' ')}"
    if not folder and signals.workshop_words(said):
        # The repository is the book, and its programs are the book's.
        program = replace(program, is_library=False)
    return judge(Form.MARKDOWN, folder, about, said, [page(row) for row in book.pages], program)


def _filled_in(page: Page) -> set[str]:
    """Names that GitHub fills in when it shows a step of an exercise."""
    code = page.parsed.code_rows()
    rows = (line.text for row, line in enumerate(page.lines) if row not in code)
    return {match[1] for text in rows for match in _FILLED_IN.finditer(text)}


def _checks_elsewhere(tree: Tree) -> list[Loss]:
    """The workflows that watch over an exercise's steps on GitHub, and show the next one."""
    detail = "This workflow checks a step on GitHub and shows the next one; nothing here runs it."
    paths = (path for path in tree.under(".github/workflows") if number_of(posixpath.basename(path)) is not None)
    return [Loss(kind="check", source=path, line=0, detail=detail) for path in paths]


def find_layout(tree: Tree, folder: str) -> Layout | None:
    """How a tutorial in `folder` lies: the README's own list first, then numbers, then the README's sections.

    `folder` may be a page, whose sections are then the steps.
    """
    if folder in tree:
        return Layout("sections", [(folder, "")], folder) if is_page(tree, folder) else None
    readme = readme_of(tree, folder)
    if steps := exercise_steps(tree) if not folder else []:
        return Layout("exercise", [(path, "") for path in ([readme] if readme else []) + steps], readme)
    if (found := find_book(tree, folder)) is not None:
        return Layout("book", [(page.path, page.chapter) for page in found.pages], found.readme, book=found)
    numbered = _numbered(tree, folder)
    if (listing := contents(tree, folder)) and len(listing.pages) >= len(numbered) / 2:
        return Layout("listed", listing.pages, readme_of(tree, listing.root) or readme, listing)
    whole = _whole(tree, folder)
    if whole and len(whole[1]) >= len(numbered) / 2:
        return Layout("chapters", [(path, "") for path in whole[1]], whole[0])
    if readme:
        listed = [
            path
            for path in listed_pages(tree, readme)
            if path.startswith(f"{folder}/" if folder else "") and not RECORDS.search(path)
        ]
        if len(listed) >= 2 and len(listed) >= len(numbered) - 1 and not _begin_folders(tree, listed):
            return Layout("listed", [(path, "") for path in listed], readme)
    if len(numbered) >= 2:
        return Layout("numbered", numbered, readme)
    alone = next((path for name in _ALONE if (path := posixpath.join(folder, name)) in tree and is_page(tree, path)), readme)
    return Layout("sections", [(alone, "")], alone) if alone else None


def _whole(tree: Tree, folder: str) -> tuple[str, list[str]] | None:
    """The page of a folder that includes others as its chapters, and those; the one with most of them."""
    found: list[tuple[str, list[str]]] = []
    prefix = f"{folder}/" if folder else ""
    for path in tree.under(folder):
        if "/" not in path[len(prefix) :] and path.lower().endswith(ASCIIDOC) and is_page(tree, path) and signals.counts(path):
            chapters = [page for page in includes(tree, path) if re.search(r"^=+ \S", tree.read_text(page), re.MULTILINE)]
            if len(chapters) >= 2:
                found.append((path, chapters))
    return max(found, key=lambda row: len(row[1]), default=None)


def _begin_folders(tree: Tree, listed: list[str]) -> bool:
    """Whether a list names one page each of several folders of numbered pages: tutorials side by side, or one in languages."""
    folders = [posixpath.dirname(path) for path in listed]
    return len(set(folders)) == len(folders) and all(
        path in {page for page, _ in pages} and len(pages) >= 3
        for path, folder in zip(listed, folders, strict=True)
        for pages in [_numbered_in(tree, folder) if folder else []]
    )


def _numbered(tree: Tree, folder: str) -> list[tuple[str, str]]:
    """Numbered pages directly in `folder`, or in the one folder below it that has most of them."""
    direct = _numbered_in(tree, folder)
    if len(direct) >= 2:
        return direct
    prefix = f"{folder}/" if folder else ""
    below = sorted(
        {path[len(prefix) :].split("/")[0] for path in tree.under(folder) if "/" in path[len(prefix) :] and signals.counts(path)}
    )
    found = [(name, _numbered_in(tree, prefix + name)) for name in below if not RECORDS.search(name)]
    found = [(name, pages) for name, pages in found if len(pages) >= 2]
    return found[0][1] if len(found) == 1 else []


def _numbered_in(tree: Tree, folder: str) -> list[tuple[str, str]]:
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, list[str]] = {}
    for path in tree.under(folder):
        if not is_page(tree, path) or not signals.counts(path):
            continue
        entries.setdefault(path[len(prefix) :].split("/")[0], []).append(path)
    numbered = sorted(
        (name for name in entries if number_of(name) is not None), key=lambda name: (number_of(name), natural(name))
    )
    out: list[tuple[str, str]] = []
    for name in numbered:
        here = entries[name]
        if here == [prefix + name]:
            out.append((here[0], ""))
        else:
            out += _folder_pages(tree, prefix + name, here)
    return out


def _folder_pages(tree: Tree, folder: str, paths: list[str]) -> list[tuple[str, str]]:
    """The pages of a numbered folder: its README, and its own numbered pages as a chapter."""
    top = [path for path in paths if posixpath.dirname(path) == folder]
    if not top:
        return [(path, _words(folder)) for path, _ in _numbered_in(tree, folder)]
    readme = readme_of(tree, folder)
    inner = sorted((path for path in top if path != readme and number_of(posixpath.basename(path)) is not None), key=natural)
    if inner:
        chapter = _words(folder)
        return [(path, chapter) for path in ([readme] if readme else []) + inner]
    if readme:
        return [(readme, "")]
    return [(path, _words(folder) if len(top) > 1 else "") for path in sorted(top, key=natural)]


def _words(path: str) -> str:
    """A title from a file's or folder's name."""
    name = posixpath.basename(path)
    stem = stem_of(name)
    if stem.lower() in ("readme", "index", "_index"):
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    return " ".join(re.split(r"[-_\s]+", stem)).strip().capitalize() or "Step"


def _judge_pages(tree: Tree, folder: str, layout: Layout, words: list[str]) -> FormCandidate:
    facts = [signals.instructing(at_first_sight(tree, path)) for path, _ in layout.pages]
    instruct = sum(fact.instructs for fact in facts)
    share = instruct / len(facts)
    commands = sum(fact.commands for fact in facts)
    blocks = sum(fact.blocks for fact in facts)
    numbered = sum(_is_numbered(path) for path, _ in layout.pages) / len(facts)
    score = 0.25 + 0.3 * min(1.0, share / 0.6) + (0.2 if numbered >= 0.6 else 0) + (0.2 if words else 0)
    if share < 0.25 or not (words or numbered >= 0.6):
        score = min(score, 0.4)
    listing = layout.contents.file if layout.contents else layout.readme
    how = "includes" if layout.kind == "chapters" else "lists"
    order = (
        f"`{listing}`{_of_site(layout)} {how} {len(facts)} pages in order"
        if layout.kind in ("listed", "chapters")
        else f"{len(facts)} numbered pages, from `{layout.pages[0][0]}`"
    )
    evidence = [
        f"{order} to `{layout.pages[-1][0]}`." if layout.kind == "numbered" else f"{order}.",
        (
            f"They hold {signals.amount(blocks, 'code block')}, {commands} of them shell commands; "
            f"{instruct} of {len(facts)} pages instruct."
        ),
    ]
    if words:
        evidence.append(f"`{layout.readme or folder}` speaks of {', '.join(f'“{word}”' for word in words[:4])}.")
    return FormCandidate(form=Form.MARKDOWN, score=round(min(score, 0.95), 2), path=folder, evidence=evidence)


def _of_site(layout: Layout) -> str:
    site = site_of(layout.contents.file) if layout.contents else ""
    return f" configures {site} and" if site else ""


def _is_numbered(path: str) -> bool:
    return any(number_of(part) is not None for part in path.split("/"))


def _stages(tree: Tree, readme: str) -> tuple[str, str] | None:
    """Folders beside a page that hold its program as it is before and after."""
    here = posixpath.dirname(readme)
    found = (pair for pair in _BEFORE_AND_AFTER if all(_holds_files(tree, posixpath.join(here, name)) for name in pair))
    return next(found, None)


def _holds_files(tree: Tree, folder: str) -> bool:
    return next(tree.under(folder), None) is not None


def _judge_sections(
    tree: Tree, program: signals.Code, folder: str, readme: str, layout: Layout, words: list[str]
) -> FormCandidate | None:
    fact = signals.instructing(readme)
    headings = len(re.findall(r"^#{1,3}[ \t]+\S", readme, re.MULTILINE))
    if headings < 2 or not fact.instructs:
        return None
    built = program.present if not folder else bool(program.build_files)
    counted = fact.step_headings >= 2 and fact.step_headings >= 0.3 * headings
    stages = _stages(tree, layout.readme or "")
    score = 0.2 + (0.3 if words else 0) + (0.3 if counted or stages else 0) + (0.15 if fact.blocks >= 3 else 0)
    # A program of a few files beside a page that instructs at length is the page's example.
    example = fact.commands >= 10 and fact.blocks >= 5 * program.sources
    named = posixpath.basename(layout.readme or "") in _ALONE
    if built and not stages and not (words and (counted or example or named)):
        score = min(score, 0.45 if words or counted else 0.25)
    if not (words or counted or stages):
        score = min(score, 0.4)
    evidence = [
        (
            f"`{layout.readme}` has {headings} sections with {signals.amount(fact.blocks, 'code block')}, "
            f"{fact.commands} of them shell commands."
        )
    ]
    if counted:
        evidence.append(f"{fact.step_headings} of its headings count steps.")
    if stages:
        evidence.append(f"`{stages[0]}` and `{stages[1]}` beside it hold what it builds, before and after.")
    if words:
        evidence.append(f"It speaks of {', '.join(f'“{word}”' for word in words[:4])}.")
    return FormCandidate(form=Form.MARKDOWN, score=round(score, 2), path=folder, evidence=evidence)
