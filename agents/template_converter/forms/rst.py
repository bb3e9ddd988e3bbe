"""Tutorials in reStructuredText and MyST: Sphinx sites by their toctrees, numbered pages, and single pages with sections."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.judging import SitePage, judge
from agents.template_converter.forms.numbering import natural, number_of
from agents.template_converter.forms.pages import Page, first_paragraph
from agents.template_converter.forms.parsing import PARSER
from agents.template_converter.forms.sections import section_steps
from agents.template_converter.forms.sphinx.conf import SphinxConf, read_conf
from agents.template_converter.forms.sphinx.site import NavPage, Site, file_words
from agents.template_converter.forms.sphinx.sketch import count_myst, count_rst, sketch_myst, sketch_rst
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Form, FormCandidate, Loss

_READMES = ("index.rst", "README.rst", "Readme.rst", "readme.rst")
_MAX_JUDGED = 400


@dataclass(frozen=True)
class _Layout:
    """How pages lie: a `site` of toctrees, `numbered` files, or the sections of `one` page."""

    kind: str
    site: Site
    pages: list[NavPage]
    evidence: str


class RstImporter:
    """Recognises and reads Sphinx sites and pages of reStructuredText that instruct."""

    form = Form.RST

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each Sphinx site, and for each folder of numbered pages, or page with sections, outside of those."""
        found = []
        program = signals.code(tree)
        folders = sorted(
            {posixpath.dirname(path) for path in signals.visible(tree) if path.endswith("/conf.py") or path == "conf.py"}
            | {posixpath.dirname(path) for path in signals.visible(tree) if path.lower().endswith(".rst")},
            key=lambda path: (path.count("/"), natural(path)),
        )
        taken: list[str] = []
        for folder in folders[:3000]:
            if any(folder == above or folder.startswith(f"{above}/") or not above for above in taken):
                continue
            layout = _layout(tree, folder)
            if layout is None:
                continue
            candidate = self._judged(tree, folder, layout, program)
            if layout.kind == "site" or candidate.score >= 0.5:
                taken.append(folder)
            if folder and signals.is_showcase(folder):
                candidate = candidate.model_copy(update={"score": min(candidate.score, 0.45)})
            found.append(candidate)
        return found

    def _judged(self, tree: Tree, folder: str, layout: _Layout, program: signals.Code) -> FormCandidate:
        site = layout.site
        pages = [
            SitePage(
                page.path,
                tuple(posixpath.relpath(page.path, site.folder or ".").split("/")[:-1]),
                page.title or site.title_of(page.path),
                _sketched(site, page.path),
            )
            for page in layout.pages[:_MAX_JUDGED]
        ]
        if layout.kind != "one":
            if folder and all(path.startswith(f"{folder}/") for path in program.build_files if "/" in path):
                # What lies among the pages is material of theirs, and no program that they document.
                top = [path for path in program.build_files if "/" not in path and path != "requirements.txt"]
                program = replace(program, is_library=program.is_library and bool(top))
            # The theme of The Carpentries' and CodeRefinery's lessons is for nothing else.
            kind = "lesson" if "sphinx_lesson" in site.conf.extensions else ""
            said = f"{site.conf.project} {site.conf.title} {kind}"
            return judge(self.form, folder, layout.evidence, said, pages, program)
        text = pages[0].text
        words = signals.workshop_words(signals.opening(text)) + signals.workshop_words(folder.replace("-", " ").replace("/", " "))
        fact = signals.instructing(text)
        headings = len(re.findall(r"^#{1,3} \S", text, re.MULTILINE))
        counted = fact.step_headings >= 2 and fact.step_headings >= 0.3 * headings
        score = 0.2 + (0.3 if words else 0) + (0.3 if counted else 0) + (0.15 if fact.blocks >= 3 else 0)
        built = program.present if not folder else bool(program.build_files)
        if headings < 2 or not fact.instructs:
            score = 0.2
        if built and not (words and counted):
            score = min(score, 0.45 if words or counted else 0.25)
        if not (words or counted):
            score = min(score, 0.4)
        evidence = [
            layout.evidence,
            f"It has {headings} sections and {fact.blocks} code blocks, {fact.commands} of them shell commands.",
        ]
        return FormCandidate(form=self.form, score=round(score, 2), path=folder, evidence=evidence)

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The tutorial at `candidate.path`.

        Raises:
            UnreadableSourceError: There is no page of reStructuredText, or none that a toctree reaches.
        """
        path = candidate.path
        layout = _single(tree, path) if path in tree else _layout(tree, path)
        if layout is None:
            raise UnreadableSourceError(f"There is no page of reStructuredText in `{path or 'the source'}` that could be a step.")
        # docutils is heavy, and other forms do not need it.
        from agents.template_converter.forms.sphinx.pages import SitePages

        site = layout.site
        reader = SitePages(site)
        stands_for = _stand_ins([page.path for page in layout.pages], reader.wordless) if layout.kind == "site" else {}
        shown = [page for page in layout.pages if page.path not in stands_for]
        made = [(page, reader.page(page.path, stands_for)) for page in shown]
        if layout.kind == "one":
            steps, losses = section_steps(made[0][1])
            name_steps(steps, ["introduction"] * len(steps))
        else:
            steps = [
                StepPlan(
                    page, 0, len(page.lines), row.title or page.title or file_words(row.path), chapter=" / ".join(row.sections)
                )
                for row, page in made
            ]
            losses = [_wordless_loss(path) for path in stands_for]
            name_steps(steps, [file_words(step.page.path) for step in steps])
        workshop = assemble(tree, self._plan(site, [page for _, page in made], steps))
        if layout.kind == "site":
            site.note_unreached({page.path for page in layout.pages})
        workshop.losses += [*losses, *site.findings.losses, *site.findings.unknown_losses()]
        workshop.broken += site.findings.broken
        workshop.counted = {page.path for page in layout.pages}
        workshop.losses += _missing_code(site, workshop)
        return workshop

    @staticmethod
    def _plan(site: Site, pages: list[Page], steps: list[StepPlan]) -> Plan:
        title = site.conf.title or site.conf.project or (site.title_of(site.root) if site.root else pages[0].title)
        return Plan(
            title or steps[0].title,
            steps,
            roots=(site.folder,) if site.folder else (),
            summary=next(filter(None, map(first_paragraph, pages)), ""),
            authors=[site.conf.author] if site.conf.author else [],
        )


def _stand_ins(paths: list[str], wordless: Callable[[str], bool]) -> dict[str, str]:
    """Pages that hold nothing but headings and lists of pages, each with the next page that holds more."""
    found: dict[str, str] = {}
    following = ""
    for path in reversed(paths):
        if not wordless(path):
            following = path
        elif following:
            found[path] = following
    return found


def _wordless_loss(path: str) -> Loss:
    detail = "The page holds headings and a list of pages alone; it gives order and titles and is no step."
    return Loss(kind="page", source=path, line=0, detail=detail)


def _layout(tree: Tree, folder: str) -> _Layout | None:
    """How the pages in `folder` lie: a site with `conf.py` or toctrees first, then numbered pages, then one page."""
    conf_path = posixpath.join(folder, "conf.py")
    conf = read_conf(tree.read_text(conf_path)) if conf_path in tree else None
    site = Site(tree, folder, conf or SphinxConf())
    root = site.document(f"/{site.conf.root}", "") or site.document("/index", "") or site.document("/contents", "")
    if root is not None and (conf_path in tree or site.toctrees_of(root)):
        site.root = root
        pages = site.navigation()
        if conf_path in tree or len(pages) > 1:
            made = f"`{conf_path}` and `{root}` make a Sphinx site" if conf_path in tree else f"`{root}` lists pages"
            return _Layout("site", site, pages, f"{made} whose toctrees reach {len(pages)} pages.")
    numbered = _numbered(tree, folder)
    if len(numbered) >= 2:
        pages = [NavPage(path, "", ()) for path in numbered]
        said = f"{len(pages)} numbered pages of reStructuredText, from `{numbered[0]}` to `{numbered[-1]}`."
        return _Layout("numbered", site, pages, said)
    readme = next((path for name in _READMES if (path := posixpath.join(folder, name)) in tree), None)
    return _single(tree, readme) if readme else None


def _single(tree: Tree, path: str) -> _Layout:
    site = Site(tree, posixpath.dirname(path), SphinxConf())
    return _Layout("one", site, [NavPage(path, "", ())], f"`{path}` is a page of reStructuredText.")


def _numbered(tree: Tree, folder: str) -> list[str]:
    prefix = f"{folder}/" if folder else ""
    found = []
    for path in tree.under(folder):
        name = path[len(prefix) :]
        if "/" not in name and name.lower().endswith(".rst"):
            number = number_of(posixpath.splitext(name)[0])
            if number is not None:
                found.append((number, natural(name), path))
    return [path for _, _, path in sorted(found)]


def _sketched(site: Site, path: str) -> str:
    lines = site.lines(path)
    return sketch_myst(lines) if site.is_markdown(path) else sketch_rst(lines, site.conf.language)


def _missing_code(site: Site, workshop: ImportedWorkshop) -> list[Loss]:
    """A loss for each page with blocks of code that are neither in its steps nor reported, counted by their marks alone."""
    kept: Counter[str] = Counter()
    for step in workshop.steps:
        for text in (step.content, step.hints, step.solve):
            kept[step.source] += sum(token.type == "fence" for token in PARSER.parse(text or ""))
    said = Counter(loss.source for loss in workshop.losses if loss.kind in ("code", "page", "text", "include"))
    said += Counter(row.source for row in workshop.broken if row.kind == "include")
    rows = []
    for page, count in kept.items():
        wanted = (count_myst if site.is_markdown(page) else count_rst)(site.lines(page))
        missing = wanted - count - said[page]
        if missing > 0:
            detail = f"{missing} of {wanted} code blocks of this page are not in the result. Compare them."
            rows.append(Loss(kind="code", source=page, line=0, detail=detail))
    return rows
