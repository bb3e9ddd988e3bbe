"""Showroom labs and other Antora sites, as workshops.

The navigation decides: its pages are the steps, in its order. A page that the navigation does not reach is no step, also
when a step links to it: authors keep drafts and retired modules beside the site, and a participant who follows the
navigation never meets them. A link to such a page becomes its text and a loss that names the page.
The site's start page is a step although the navigation may leave it out, because it is what a participant sees first.
"""

import re
from dataclasses import dataclass, replace

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.anchors import slug, unique_slug
from agents.template_converter.forms.asciidoc import automation
from agents.template_converter.forms.asciidoc.antora import (
    BadYamlError,
    Component,
    Place,
    Site,
    effective_attributes,
    find_sites,
    is_decoy,
    module_of,
    normal,
    resolve,
    sites_at,
)
from agents.template_converter.forms.asciidoc.judging import judge
from agents.template_converter.forms.asciidoc.lab_page import LabPage, find_lab_page
from agents.template_converter.forms.asciidoc.nav import Entry, read_entries
from agents.template_converter.forms.asciidoc.references import PageReferences, References
from agents.template_converter.forms.asciidoc.told import read_told
from agents.template_converter.forms.html_blocks import HINT, SOLUTION
from agents.template_converter.forms.links import AssetTable
from agents.template_converter.forms.numbering import natural
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.asciidoc.inline import Inline
from shared_services.asciidoc.lines import Line, expand
from shared_services.asciidoc.nodes import Container, Heading, Node, Passthrough
from shared_services.asciidoc.pages import Page, first_paragraph, read_page, walk
from shared_services.asciidoc.parser import Parser
from shared_services.asciidoc.passthrough import placeholder_module
from shared_services.asciidoc.preprocess import Findings, Preprocessor
from shared_services.asciidoc.writer import Out, Writer, content, runs
from shared_services.contracts.conversion import Form, FormCandidate
from shared_services.contracts.workshop import Chapter, Variable

_GENERIC_TITLES = frozenset({"", "default title", "modules", "docs", "lab", "course title", "title"})


@dataclass(frozen=True)
class PlannedStep:
    """A page that the navigation reaches, with the title and chapter that it gets there.

    Attributes:
        made: The title is the page's file name in words, which the page's own heading is better than.
    """

    page: str
    component: Component
    title: str
    chapter: str
    made: bool = False


@dataclass
class _Files:
    """Includes of one component's pages."""

    tree: Tree
    site: Site
    component: Component

    def text(self, path: str) -> str:
        return self.tree.read_text(path)

    def resolve(self, target: str, page: str, from_file: str) -> str | None:
        folder = from_file.rpartition("/")[0]
        place = Place(self.component, module_of(self.component, from_file), folder)
        if re.search(r"\$|^[\w.-]+:", target):
            return resolve(self.tree, self.site, place, target.replace("$/", "$"), "page")
        bases = (folder, page.rpartition("/")[0], self.component.path("modules", place.module, "pages"), self.component.root, "")
        for base in bases:
            path = normal(f"{base}/{target}")
            if path is not None and path in self.tree:
                return path
        return resolve(self.tree, self.site, place, target, "partial")


class ShowroomImporter:
    """Reads Antora sites, of which Showroom labs are one kind."""

    form = Form.SHOWROOM

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each site of the tree.

        A descriptor that cannot be parsed still speaks for the form; `read` says what is wrong with it.
        """
        try:
            sites = find_sites(tree)
        except BadYamlError as error:
            return [FormCandidate(form=self.form, score=0.6, path="", evidence=[f"{error}."])]
        return [self._candidate(tree, site) for site in sites]

    def _candidate(self, tree: Tree, site: Site) -> FormCandidate:
        evidence: list[str] = []
        pages: list[str] = []
        for component in site.components:
            reader = _Reader(tree, site, Findings())
            listed = [step.page for step in reader.plan(component)]
            pages.extend(listed)
            counted = f"{len(listed)} {'page' if len(listed) == 1 else 'pages'}"
            if component.nav:
                evidence.append(f"`{component.descriptor}` with a nav of {counted}")
            elif reader.lab_page and reader.lab_page.modules:
                evidence.append(f"`{component.descriptor}` without a nav, and `{reader.lab_page.path}` with {counted}")
            else:
                evidence.append(f"`{component.descriptor}` without a nav, and {counted}, in the order of their names")
        if site.playbook:
            evidence.append(f"playbook `{site.playbook.path}`")
        if site.others:
            names = ", ".join(f"`{book.path}`" for book in site.others)
            evidence.append(f"further playbooks ({names}) are passed over")
        judged = judge(tree, site, [tree.read_bytes(path) for path in pages if path in tree], len(pages))
        return FormCandidate(form=self.form, score=judged.score, path=site.root, evidence=[*evidence, *judged.evidence])

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The workshop of the site at `candidate.path`.

        Raises:
            UnreadableSourceError: There is no one site, a descriptor is not YAML, or no page of the site could be a step.
        """
        try:
            sites = sites_at(tree, candidate.path)
        except BadYamlError as error:
            raise UnreadableSourceError(f"{error}. Correct the file and convert again.") from error
        where = f"`{candidate.path}`" if candidate.path else "the source"
        if not sites:
            raise UnreadableSourceError(f"There is no Antora site in {where}.")
        if len(sites) > 1:
            roots = ", ".join(f"`{site.root}`" for site in sites[:8])
            raise UnreadableSourceError(f"There are {len(sites)} Antora sites in {where}: {roots}. Say which with --path.")
        return _Reader(tree, sites[0], Findings()).read()


class _Reader:
    """Reads one site."""

    def __init__(self, tree: Tree, site: Site, findings: Findings) -> None:
        self.tree = tree
        self.site = site
        self.findings = findings
        self.shared = References(tree, site, findings, AssetTable(), load=self._outside)
        self.loaded: dict[str, Page] = {}
        self.lab_page: LabPage | None = find_lab_page(tree, site.homes(), findings)

    def _around(self, path: str, component: Component, *, quiet: bool = False) -> PageReferences:
        place = Place(component, module_of(component, path), path.rpartition("/")[0])
        return PageReferences(self.shared, path, place, quiet)

    def _lines(self, path: str, component: Component, findings: Findings) -> list[Line]:
        values, locked = effective_attributes(self.site.playbook, component)
        values["page-module"] = module_of(component, path)
        values["page-relative"] = path.rpartition("/pages/")[2]
        values["docname"] = path.rpartition("/")[2].removesuffix(".adoc")
        return Preprocessor(_Files(self.tree, self.site, component), findings, values, locked, path).read()

    def _page(self, path: str, component: Component, findings: Findings) -> Page:
        if path not in self.loaded:
            self.loaded[path] = read_page(path, self._lines(path, component, findings), self._around(path, component, quiet=True))
        return self.loaded[path]

    def _outside(self, path: str) -> Page | None:
        owner = next((entry for entry in self.site.components if path.startswith(entry.path("modules") + "/")), None)
        return self._page(path, owner, Findings()) if owner else None

    def plan(self, component: Component) -> list[PlannedStep]:
        """The pages that the component's navigation reaches, in order, each once; a start page outside it comes first."""
        planned: list[PlannedStep] = []
        seen: dict[str, int] = {}
        for name in component.nav:
            path = normal(component.path(name))
            if path is None or path not in self.tree:
                self.findings.break_at(
                    "nav", component.descriptor, 0, name, "The descriptor lists a navigation file that is not there."
                )
                continue
            for entry in self._entries(path, component):
                self._plan_entry(entry, path, component, planned, seen)
        if not component.nav:
            planned = self._listed_modules(component) or self._by_name(component)
        start = self._start_page(component)
        if start is not None and start not in {step.page for step in planned}:
            planned.insert(0, PlannedStep(start, component, "", ""))
        return planned

    def _listed_modules(self, component: Component) -> list[PlannedStep]:
        """The pages that the lab's page lists: labs without a navigation keep order and titles there."""
        planned: list[PlannedStep] = []
        for module in self.lab_page.modules if self.lab_page else ():
            path = resolve(self.tree, self.site, Place(component, "ROOT", ""), f"{module.name}.adoc", "page")
            if path is None and self.lab_page and len(self.site.components) == 1:
                self.findings.break_at("nav", self.lab_page.path, 0, module.name, "It lists a module that has no page.")
            elif path is not None and path not in {step.page for step in planned}:
                planned.append(PlannedStep(path, component, module.label, "", made=module.is_named_by_file))
        return planned

    def _by_name(self, component: Component) -> list[PlannedStep]:
        pages = [path for path in self.tree.under(component.path("modules")) if "/pages/" in path and path.endswith(".adoc")]
        return [PlannedStep(path, component, "", "") for path in sorted(pages, key=natural) if not re.search(r"/_|/\.", path)]

    def _entries(self, path: str, component: Component) -> list[Entry]:
        lines = self._lines(path, component, self.findings)
        kept = {(line.file, line.number) for line in lines}
        self._report_left_out(path, kept)
        return read_entries(Parser(lines).blocks(), self._around(path, component))

    def _report_left_out(self, path: str, kept: set[tuple[str, int]]) -> None:
        """Navigation lines behind a condition that does not hold."""
        for number, text in enumerate(self.tree.read_text(path).split("\n"), 1):
            found = re.search(r"xref:([^\[]{1,1000}+)\[", text)
            if found and not text.lstrip().startswith("//") and (path, number) not in kept:
                book = f" as `{self.site.playbook.path}` sets it" if self.site.playbook else ""
                self.findings.lose_at(
                    "page", path, number, f"`{found[1]}` stands behind a condition that does not hold{book}; it is no step."
                )

    def _plan_entry(self, entry: Entry, nav: str, component: Component, planned: list[PlannedStep], seen: dict[str, int]) -> None:
        if entry.elsewhere:
            self.findings.lose("link", entry.line, f"The navigation links to `{entry.elsewhere}`, which is no page of the site.")
        if entry.target is None:
            return
        place = Place(component, module_of(component, nav), nav.rpartition("/")[0])
        path = resolve(self.tree, self.site, place, entry.target, "page") if entry.target else None
        if path is None and entry.target and not entry.target.endswith(".adoc"):
            path = resolve(self.tree, self.site, place, f"{entry.target}.adoc", "page")
        absent = next((name for name in self.tree.absent if name.endswith(f"/pages/{entry.target.rpartition(':')[2]}")), None)
        if path is None and absent:
            self.findings.lose("page", entry.line, f"`{absent}` is not in the checkout: {self.tree.absent[absent]}.")
            return
        if path is None:
            self.findings.break_("xref", entry.line, entry.target, "The navigation lists a page that is not there.")
            return
        if not path.endswith(".adoc"):
            self.findings.lose("page", entry.line, f"The navigation lists `{path}`, which is no AsciiDoc page.")
            return
        title = "" if entry.fragment else entry.title
        if path not in seen:
            seen[path] = len(planned)
            owner = next((part for part in self.site.components if path.startswith(part.path("modules") + "/")), component)
            planned.append(PlannedStep(path, owner, title, entry.chapter))
        elif title and not planned[seen[path]].title:
            planned[seen[path]] = replace(planned[seen[path]], title=title)

    def _start_page(self, component: Component) -> str | None:
        listed = component.start_page
        book = self.site.playbook
        if (
            book
            and book.start_page
            and (":" not in book.start_page or f"{component.name}:" in book.start_page.partition("@")[2] + book.start_page)
        ):
            listed = book.start_page
        place = Place(component, "ROOT", "")
        if listed:
            return resolve(self.tree, self.site, place, listed, "page")
        return resolve(self.tree, self.site, place, "index.adoc", "page")

    def read(self) -> ImportedWorkshop:
        """The workshop.

        Raises:
            UnreadableSourceError: No page could be a step.
        """
        planned: list[PlannedStep] = []
        for component in self._ordered():
            planned.extend(step for step in self.plan(component) if step.page not in {known.page for known in planned})
        if not planned:
            names = ", ".join(f"`{component.descriptor}`" for component in self.site.components)
            raise UnreadableSourceError(f"The navigation of {names} reaches no page. List its navigation files under `nav:`.")
        taken: set[str] = set()
        for step in planned:
            self.shared.steps[step.page] = unique_slug(self._step_id(step, len(taken) + 1), taken)
        for step in planned:
            self.shared.pages[step.page] = self._page(step.page, step.component, self.findings)
        steps = [self._step(step) for step in planned]
        self._automate(steps)
        self._report_playbooks()
        self._report_unlisted()
        self._report_tabs()
        told = read_told(self._ordered()[0].attributes)
        return ImportedWorkshop(
            title=self._title(steps),
            steps=steps,
            summary=self._summary(planned[0]),
            authors=list(
                dict.fromkeys([*told.authors, *(name for step in planned for name in self.shared.pages[step.page].authors)])
            ),
            tags=told.tags,
            duration=told.duration,
            difficulty=told.difficulty,
            chapters=self._chapters(planned),
            variables=[Variable(name=name, description="Filled in when the workshop runs.") for name in self.shared.variables],
            assets=self.shared.assets.taken,
            losses=self.findings.losses,
            broken=self.findings.broken,
        )

    def _ordered(self) -> list[Component]:
        """The component of the start page first."""
        start = self.site.playbook.start_page if self.site.playbook else None
        first = re.sub(r"^[^@]*@", "", start).split(":")[0] if start and ":" in start else ""
        return sorted(self.site.components, key=lambda component: component.name != first)

    def _step_id(self, step: PlannedStep, number: int) -> str:
        module = module_of(step.component, step.page)
        relative = step.page.rpartition("/pages/")[2].removesuffix(".adoc")
        parts = [step.component.name if len(self.site.components) > 1 else "", "" if module == "ROOT" else module, relative]
        return slug("-".join(part for part in parts if part), f"step-{number}")

    def _step_title(self, step: PlannedStep) -> str:
        page = self.shared.pages[step.page]
        begins = isinstance(next(iter(page.blocks), None), Heading)
        own = page.title or (page.heading if begins else "")
        given = "" if step.made and own else step.title
        stem = step.page.rpartition("/")[2].removesuffix(".adoc")
        name = " ".join(re.split(r"[-_\s]+", re.sub(r"^\d+[-_. ]+(?=\D)", "", stem))).strip()
        return (given or page.navtitle or page.called or name.capitalize() or "Step")[:300]

    def _step(self, planned: PlannedStep) -> ImportedStep:
        page = self.shared.pages[planned.page]
        writer = Writer(self._around(planned.page, planned.component))
        body, hints, solutions = _aside(page.blocks)
        rows = writer.page(body)
        if not page.title:
            rows = self._headed(rows, page, planned)
        return ImportedStep(
            id=self.shared.steps[planned.page],
            title=self._step_title(planned),
            source=planned.page,
            content=content(rows),
            runs=runs(rows),
            hints=_text(writer.page(hints)),
            solve=_text(writer.page(solutions)),
        )

    def _headed(self, rows: list[Out], page: Page, planned: PlannedStep) -> list[Out]:
        """A page without a title of its own gets one; a section on top that is called the same becomes it."""
        title = self._step_title(planned)
        first = next(iter(page.blocks), None)
        if isinstance(first, Heading) and page.called == title and rows:
            return [(re.sub(r"^#+", "#", rows[0][0]), rows[0][1]), *rows[1:]]
        made = Line("", planned.page, 0, {})
        return [(f"# {title}", made), ("", made), *rows]

    def _automate(self, steps: list[ImportedStep]) -> None:
        home = next((home for home in self.site.homes() if automation.stands_in(self.tree, home)), self.site.root)
        found, shared = automation.find(self.tree, home)
        automation.report_shared(shared, self.findings)
        named: dict[str, str] = {}
        for step in steps:
            for block in walk(self.shared.pages[step.source].blocks):
                module = placeholder_module([line.text for line in block.lines]) if isinstance(block, Passthrough) else None
                if module:
                    named.setdefault(module, step.id)
        stems = {step.source.rpartition("/")[2].removesuffix(".adoc"): step.id for step in steps}
        placed = automation.place(found, named, stems)
        by_id = {step.id: step for step in steps}
        for module, entry in found.items():
            automation.attach(self.tree, entry, [by_id[step] for step in placed.get(module, ())], self.findings)
        for home in self.site.homes():
            automation.attach_setup(self.tree, home, steps[0], self.findings)

    def _report_playbooks(self) -> None:
        book = self.site.playbook
        for other in self.site.others:
            differs = sorted(
                str(name)
                for name in {*other.attributes, *(book.attributes if book else {})}
                if other.attributes.get(name) != (book.attributes.get(name) if book else None)
            )
            if book and differs:
                names = ", ".join(f"`{name}`" for name in differs[:6]) + (" and more" if len(differs) > 6 else "")
                self.findings.lose_at(
                    "attribute", other.path, 0, f"`{book.path}` was taken as the site's playbook; this one differs in {names}."
                )

    def _report_unlisted(self) -> None:
        included = {line.file for page in self.loaded.values() for line in page.lines}
        for component in self.site.components:
            included |= {component.path(name) for name in component.nav}
            for path in self.tree.under(component.path("modules")):
                inside = path.partition("/pages/")[2]
                unlisted = inside.endswith(".adoc") and path not in self.shared.steps and path not in included
                if unlisted and not re.search(r"(?:^|/)_", inside) and not is_decoy(path, component.root):
                    self.findings.lose_at("page", path, 0, "The navigation does not list this page, so it is no step.")

    def _report_tabs(self) -> None:
        if self.lab_page and self.lab_page.tabs:
            names = ", ".join(f"“{tab}”" for tab in self.lab_page.tabs)
            self.findings.lose_at("tab", self.lab_page.path, 0, f"The tabs beside the lab's text ({names}) are not carried over.")

    def _title(self, steps: list[ImportedStep]) -> str:
        book = self.site.playbook
        single = self.site.components[0] if len(self.site.components) == 1 else None
        values, _ = effective_attributes(book, self._ordered()[0])
        for title in (single.title if single else "", book.title if book else "", values.get("lab_name", ""), steps[0].title):
            text = " ".join(expand(title, values).split())
            if text.lower() not in _GENERIC_TITLES:
                return text[:300]
        return steps[0].title

    def _summary(self, first: PlannedStep) -> str:
        page = self.shared.pages[first.page]
        described = page.lines[-1].attributes.get("description", "") if page.lines else ""
        paragraph = first_paragraph(page.blocks)
        if described or paragraph is None:
            return described
        around = self._around(first.page, first.component, quiet=True)
        text = "\n".join(line.text for line in paragraph.lines)
        return " ".join(Inline(around, paragraph.lines[0], plain=True).render(text).split())[:500]

    def _chapters(self, planned: list[PlannedStep]) -> list[Chapter]:
        found: list[tuple[str, list[str]]] = []
        previous = ""
        for step in planned:
            title = step.chapter
            if title.startswith("\0"):
                title = self._chapter_title(title, step)
            if title and title == previous:
                found[-1][1].append(self.shared.steps[step.page])
            elif title:
                found.append((title, [self.shared.steps[step.page]]))
            previous = title
        return [Chapter(title=title, steps=ids) for title, ids in found]

    def _chapter_title(self, marked: str, step: PlannedStep) -> str:
        """The title of a chapter whose own entry has none: that of its page."""
        place = Place(step.component, module_of(step.component, step.page), "")
        path = resolve(self.tree, self.site, place, marked[1:], "page")
        page = self.shared.pages.get(path) if path else None
        return (page.navtitle or page.called if page else "") or marked[1:]


def _aside(blocks: list[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """The page without its collapsible hints and solutions, and those."""
    body: list[Node] = []
    hints: list[Node] = []
    solutions: list[Node] = []
    for block in blocks:
        title = block.meta.title.text if isinstance(block, Container) and block.meta.title else ""
        folded = isinstance(block, Container) and "collapsible" in block.meta.options
        if isinstance(block, Container) and folded and HINT.match(title):
            hints.extend(block.blocks)
        elif isinstance(block, Container) and folded and SOLUTION.match(title):
            solutions.extend(block.blocks)
        else:
            body.append(block)
    return body, hints, solutions


def _text(rows: list[Out]) -> str | None:
    return content(rows) if rows else None
