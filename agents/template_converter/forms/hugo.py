"""Hugo workshops: sections and weights make the order, sections the chapters; shortcodes become CommonMark."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.commonmark import counted_losses
from agents.template_converter.forms.fences import read_info
from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.hugo_site import HugoPage, HugoSite, configurations, read_site
from agents.template_converter.forms.judging import SitePage, judge
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.links import hyphened
from agents.template_converter.forms.modules import Modules
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.forms.shortcodes import OUTPUT, Surroundings, convert_shortcodes, expand_includes
from agents.template_converter.forms.studio import convert_directives, left_directives
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Form, FormCandidate, Loss
from shared_services.contracts.workshop import FenceInfo

_NUMBER = re.compile(r"^[\d_.\-\s]+(?=\D)")


class HugoImporter:
    """Recognises and reads Hugo sites whose pages instruct."""

    form = Form.HUGO

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each configuration with content; documentation and blogs score low."""
        found = []
        for folder, config in configurations(tree):
            try:
                candidate = _judge(tree, read_site(tree, folder, config))
            except UnreadableSourceError as error:
                candidate = FormCandidate(form=Form.HUGO, score=0.3, path=folder, evidence=[error.detail])
            if folder and signals.is_showcase(folder):
                candidate = candidate.model_copy(update={"score": min(candidate.score, 0.45)})
            found.append(candidate)
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The site at `candidate.path`.

        Raises:
            UnreadableSourceError: There is no configuration that can be read, or no page that the menu shows.
        """
        config = next((config for folder, config in configurations(tree) if folder == candidate.path), None)
        if config is None:
            raise UnreadableSourceError(f"There is no Hugo configuration with content in `{candidate.path or 'the source'}`.")
        site = read_site(tree, candidate.path, config)
        reader = _Reader(tree, site)
        steps = [
            StepPlan(page, 0, len(page.lines), _title(row, page), chapter=_chapter(site, row))
            for row in site.pages
            for page in [reader.page(row)]
            if page is not None
        ]
        if not steps:
            raise UnreadableSourceError(f"No page of `{site.content}` has text that the site's menu shows.")
        name_steps(steps, [_words(step.page.path) for step in steps])
        static = [posixpath.join(site.folder, name) for name in ("static", "assets")]
        themes = sorted(
            {
                "/".join(path.split("/")[: site.folder.count("/") + bool(site.folder) + 2])
                for path in tree.under(posixpath.join(site.folder, "themes"))
            }
        )
        plan = Plan(
            site.title or steps[0].title,
            steps,
            root=site.content,
            fences=_fence,
            roots=(*static, *([site.folder] if site.studio else []), *(f"{theme}/static" for theme in themes)),
            addresses=reader.addresses,
            summary=str(site.params.get("description") or "") or first_paragraph(steps[0].page),
            authors=_authors(site),
        )
        workshop = assemble(tree, plan)
        for around in reader.surroundings:
            workshop.losses += around.losses
            workshop.broken += around.broken
        told = [loss for loss in site.losses if loss.source not in reader.drawn]
        workshop.losses += [*told, *reader.conditions(), *counted_losses(reader.directives)]
        return workshop


@dataclass
class _Reader:
    """Reads pages of a site with their shortcodes."""

    tree: Tree
    site: HugoSite

    def __post_init__(self) -> None:
        self.surroundings: list[Surroundings] = []
        self.addresses = dict(self._addresses())
        self.directives: list[tuple[Line, str]] = []
        self.drawn: set[str] = set()
        self.modules = Modules(self.site.modules)

    def page(self, row: HugoPage) -> Page | None:
        """A page made ready; None for a section's page that says nothing of its own, which is told."""
        around = Surroundings(
            include=lambda name: self._include(row, name),
            address=lambda name: self._address(row, name),
            children=lambda: self._children(row),
            attachments=lambda: self._attachments(row),
            parameter=lambda name: self._parameter(row, name),
        )
        lines = expand_includes(self.modules.shown(row.lines), around)
        lines = convert_shortcodes(lines, around)
        if self.site.studio or any("::" in line.text for line in lines):
            lines = convert_directives(lines, lambda: self._children(row))
            self.directives += left_directives(lines) if self.site.studio else []
        self.surroundings.append(around)
        if row.branch and not any(line.text.strip() for line in lines):
            self.site.losses.append(
                self.site_loss(row.path, "The section's page has no text of its own; its title is the chapter's.")
            )
            return None
        return make_page(row.path, row.front, lines, mkdocs=False)

    def conditions(self) -> list[Loss]:
        """What the site's own choice of modules leaves out."""
        detail = f"parts are for other modules than `{' '.join(sorted(self.modules.enabled or ()))}`, which the site shows."
        return [
            Loss(kind="condition", source=page, line=0, detail=f"{count} {detail}")
            for page, count in self.modules.left_out.items()
            if count
        ]

    @staticmethod
    def site_loss(source: str, detail: str) -> Loss:
        return Loss(kind="page", source=source, line=0, detail=detail)

    def _addresses(self) -> list[tuple[str, str]]:
        """Each page under the addresses that Hugo serves it at, as paths of the tree without ending, in lower case.

        First come those with hyphens for blanks and underscores, which give way to what is written so.
        """
        exact = self._exact_addresses()
        below = f"{self.site.content}/".casefold()
        inside = [(bare.removeprefix(below), path) for bare, path in exact if bare.startswith(below)]
        under_language = [(f"{below}{self.site.language}/{inner}", path) for inner, path in inside]
        return [*((hyphened(bare), path) for bare, path in [*under_language, *exact]), *exact]

    def _exact_addresses(self) -> list[tuple[str, str]]:
        found = []
        for path, page in self.site.all_pages.items():
            bare = re.sub(
                r"/?_?index$",
                "",
                re.sub(rf"(?:\.{re.escape(self.site.language)})?\.(?:md|markdown)$", "", path, flags=re.IGNORECASE),
            )
            found.append((bare.casefold(), path))
            inner = posixpath.relpath(bare, self.site.content or ".")
            found.append((posixpath.join(self.site.content, *map(_in_address, inner.split("/"))).casefold(), path))
            values = page.front.values
            folder = posixpath.dirname(bare)
            if isinstance(values.get("slug"), str):
                found.append((posixpath.join(folder, values["slug"]).casefold(), path))
            aliases = values.get("aliases")
            named = [values.get("url"), *(aliases if isinstance(aliases, list) else [aliases])]
            found += [
                (posixpath.normpath(posixpath.join(self.site.content, name.strip("/"))).casefold(), path)
                for name in named
                if isinstance(name, str) and name.strip("/")
            ]
        return found

    def _include(self, row: HugoPage, name: str) -> list[Line] | None:
        folder = posixpath.dirname(row.path)
        bases = [folder, self.site.content, self.site.folder, posixpath.join(self.site.folder, "static")]
        bare = name.lstrip("/")
        for base in bases if not name.startswith("/") else bases[1:]:
            named = posixpath.normpath(posixpath.join(base, bare))
            path = next((path for path in (named, f"{named}.md") if path in self.tree), None)
            if path:
                self.drawn.add(path)
                lines = lines_of(self.tree.read_text(path), path)
                return split_front_matter(lines)[1] if path.endswith(signals.MARKDOWN) else lines
        return None

    def _address(self, row: HugoPage, name: str) -> str | None:
        """What `ref` finds: a path from the content folder, from the page's own folder, or a page's name that only one has."""
        if not name or re.match(r"^[A-Za-z][\w+.-]*:|^//", name):
            return name or None
        bare, _, fragment = name.partition("#")
        tail = f"#{fragment}" if fragment else ""
        if not bare:
            return tail
        path = re.sub(r"(?:(?:^|/)_?index)?\.(?:md|markdown|html)$", "", bare.rstrip("/"), flags=re.IGNORECASE)
        folder = posixpath.dirname(row.path)
        bases = (
            [self.site.content] if path.startswith("/") else [folder, self.site.content, posixpath.join(folder, _stem(row.path))]
        )
        for base in bases:
            found = self.addresses.get(posixpath.normpath(posixpath.join(base, path.strip("/"))).casefold())
            if found:
                return self._from_root(found) + tail
        last = posixpath.basename(path).casefold()
        same = {target for bare_path, target in self.addresses.items() if posixpath.basename(bare_path) == last}
        return self._from_root(same.pop()) + tail if len(same) == 1 else None

    def _from_root(self, path: str) -> str:
        return "/" + quote(posixpath.relpath(path, self.site.content or "."))

    def _children(self, row: HugoPage) -> list[tuple[str, str]]:
        """The visible pages right below a section."""
        if not row.branch:
            return []
        below = [
            page
            for page in self.site.pages
            if page is not row
            and (page.section == row.section if not page.branch else page.section[:-1] == row.section and len(page.section) > 0)
        ]
        return [(page.title or _words(page.path), self._from_root(page.path)) for page in below]

    def _attachments(self, row: HugoPage) -> list[tuple[str, str]]:
        """Files in the folder that has the page's name and ends in `.files`."""
        folder = f"{posixpath.splitext(row.path)[0]}.files"
        inner = (path[len(folder) + 1 :] for path in self.tree.under(folder))
        return [(name, quote(f"{posixpath.basename(folder)}/{name}")) for name in inner if not name.startswith(".")]

    def _parameter(self, row: HugoPage, name: str) -> str | None:
        found = (_nested(values, name.lower()) for values in (row.front.values, self.site.params, self.site.values))
        value = next((each for each in found if each is not None), None)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _nested(values: object, name: str) -> object:
    """A parameter by its name, whose dots lead into tables; None where there is none."""
    for key in name.split("."):
        lower = {str(each).lower(): value for each, value in values.items()} if isinstance(values, dict) else {}
        values = lower.get(key)
    return values


def _in_address(name: str) -> str:
    """A file's or folder's name as Hugo writes it into an address: hyphens for blanks, other marks left out."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s.~#+@-]", "", name).strip())


def _fence(info: str, body: str) -> tuple[FenceInfo, str]:
    return (FenceInfo(language="text", output=True), "") if info.strip() == OUTPUT else read_info(info, body)


def _title(row: HugoPage, page: Page) -> str:
    return row.front.title or page.title or _words(row.path)


def _chapter(site: HugoSite, row: HugoPage) -> str:
    """The titles of the sections around a page, the outermost first."""
    titles = {page.section: page.front.title or page.title for page in site.all_pages.values() if page.branch}
    names = [titles.get(row.section[: depth + 1]) or _section_words(row.section[depth]) for depth in range(len(row.section))]
    return " / ".join(name.strip() for name in names)


def _section_words(name: str) -> str:
    return " ".join(re.split(r"[-_\s]+", _NUMBER.sub("", name) or name)).strip().capitalize()


def _stem(path: str) -> str:
    return posixpath.basename(path).partition(".")[0]


def _words(path: str) -> str:
    stem = _stem(path)
    if stem in ("_index", "index"):
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    return _section_words(stem) or "Page"


def _authors(site: HugoSite) -> list[str]:
    author = site.params.get("author", site.values.get("author"))
    name = author.get("name") if isinstance(author, dict) else author
    return [str(name)] if isinstance(name, str) and name.strip() else []


def _judge(tree: Tree, site: HugoSite) -> FormCandidate:
    pages = [
        SitePage(page.path, page.section, page.title, "\n".join(line.text for line in page.lines), "date" in page.front.values)
        for page in site.pages
    ]
    if site.studio and pages:
        about = f"`{site.config}` describes a workshop of AWS Workshop Studio with {len(pages)} pages in `{site.content}`."
        return FormCandidate(form=Form.HUGO, score=0.95, path=site.folder, evidence=[about])
    if site.config.lower().endswith(signals.MARKDOWN):
        about = f"`{site.config}` begins a Hugo site without its configuration, whose menu shows {len(pages)} pages."
        return judge(Form.HUGO, site.folder, about, site.title, pages, signals.code(tree))
    about = f"`{site.config}` configures a Hugo site whose menu shows {len(pages)} pages of `{site.content}`."
    return judge(Form.HUGO, site.folder, about, f"{site.title} {site.params.get('description', '')}", pages, signals.code(tree))
