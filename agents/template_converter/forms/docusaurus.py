"""Docusaurus workshops: the sidebar is the order, its categories are the chapters; MDX becomes CommonMark."""

import posixpath
import re

from agents.template_converter import signals
from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.assemble import Plan, StepPlan, assemble, name_steps
from agents.template_converter.forms.commonmark import counted_losses
from agents.template_converter.forms.docusaurus_site import DocPage, DocusaurusSite, configurations, parts, read_site
from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.judging import SitePage, judge
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.mdx import Parts, convert_mdx
from agents.template_converter.forms.mdx_left import left_expressions
from agents.template_converter.forms.pages import Page, first_paragraph, make_page
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss

_PLAIN = "siteConfig.js"
"""The configuration of version 1, whose pages are no MDX."""
_MAX_SHOWN = 200_000
"""A longer file is not shown in a step."""


class DocusaurusImporter:
    """Recognises and reads Docusaurus sites whose pages instruct."""

    form = Form.DOCUSAURUS

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """One reading for each configuration, or for each of its parts; documentation of a program scores low."""
        program = signals.code(tree)
        found = []
        readings = [(config, part) for config in configurations(tree) for part in parts(tree, config) or [""]]
        for config, part in readings:
            site = read_site(tree, config, part)
            pages = [
                SitePage(
                    entry.page.path,
                    tuple(posixpath.relpath(entry.page.path, site.docs).split("/")[:-1]),
                    entry.label or entry.page.front.title,
                    "\n".join(line.text for line in entry.page.lines),
                )
                for entry in site.entries
            ]
            about = f"`{config}` configures a Docusaurus site whose sidebar lists {len(pages)} pages of `{site.docs}`."
            candidate = judge(self.form, part or site.folder, about, f"{site.title} {site.tagline}", pages, program)
            if site.folder and signals.is_showcase(site.folder):
                candidate = candidate.model_copy(update={"score": min(candidate.score, 0.45)})
            found.append(candidate)
        return found

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The site at `candidate.path`.

        Raises:
            UnreadableSourceError: There is no configuration, or no page that its sidebars list.
        """
        config, part = _named(tree, candidate.path)
        site = read_site(tree, config, part)
        if not site.entries:
            raise UnreadableSourceError(f"`{site.docs}` holds no page that the sidebars of `{config}` list.")
        broken: list[Broken] = []
        losses: list[Loss] = []
        expressions: list[tuple[Line, str]] = []
        steps: list[StepPlan] = []
        for entry in site.entries:
            parts = _parts(tree, site, entry.page)
            lines = convert_mdx(entry.page.lines, parts)
            expressions += left_expressions(lines) if posixpath.basename(config) != _PLAIN else []
            page = make_page(entry.page.path, entry.page.front, lines, mkdocs=False)
            broken += parts.broken
            losses += parts.losses
            steps.append(
                StepPlan(page, 0, len(page.lines), _title(entry.page, page, entry.label), chapter=" / ".join(entry.categories))
            )
        name_steps(steps, [_words(step.page.path) for step in steps])
        plan = Plan(
            _site_title(site, part) or steps[0].title,
            steps,
            root=posixpath.join(site.folder, "static"),
            roots=(site.docs,),
            addresses=dict(_addresses(site)),
            summary=site.tagline or first_paragraph(steps[0].page),
        )
        workshop = assemble(tree, plan)
        workshop.broken += [*site.broken, *broken]
        workshop.losses += [*site.losses, *losses, *counted_losses(expressions)]
        return workshop


def _named(tree: Tree, path: str) -> tuple[str, str]:
    """The configuration in the folder `path`, or the one that shows that folder as a part.

    Raises:
        UnreadableSourceError: There is none.
    """
    known = list(configurations(tree))
    config = next((config for config in known if posixpath.dirname(config) == path), None)
    if config is not None:
        return config, ""
    config = next((config for config in known if path in parts(tree, config)), None)
    if config is None:
        raise UnreadableSourceError(f"There is no docusaurus.config.js in `{path or 'the source'}`.")
    return config, path


def _site_title(site: DocusaurusSite, part: str) -> str:
    return f"{site.title}: {_words(f'{posixpath.basename(part)}.md')}".removeprefix(": ") if part else site.title


def _parts(tree: Tree, site: DocusaurusSite, page: DocPage) -> Parts:
    def find(target: str) -> list[Line] | None:
        base = site.folder if target.startswith("@site/") else posixpath.dirname(page.path)
        path = posixpath.normpath(posixpath.join(base, target.removeprefix("@site/")))
        return split_front_matter(lines_of(tree.read_text(path), path))[1] if path in tree else None

    def read(target: str) -> list[Line] | None:
        paths = (posixpath.normpath(posixpath.join(base, target.lstrip("/"))) for base in dict.fromkeys((site.folder, "")))
        path = next((path for path in paths if path in tree and tree.files[path] <= _MAX_SHOWN), None) if target else None
        return lines_of(tree.read_text(path), path) if path else None

    return Parts(find, read)


def _addresses(site: DocusaurusSite) -> list[tuple[str, str]]:
    """Each page under the addresses that links use: its route with and without the site's base, and its file without ending."""
    found = []
    for page in site.pages.values():
        slug = page.front.values.get("slug")
        inner = re.sub(r"(?:^|/)(?:index|readme)$", "", page.id, flags=re.IGNORECASE)
        last, above = posixpath.basename(inner), posixpath.basename(posixpath.dirname(inner))
        routes = [posixpath.dirname(inner) if last == above and last else inner, inner]
        if isinstance(slug, str):
            routes.append(slug.strip("/") if slug.startswith("/") else posixpath.join(posixpath.dirname(inner), slug))
        for route in dict.fromkeys(routes):
            full = "/".join(part for part in (site.route, route) if part)
            found += [(address.casefold(), page.path) for address in (full, f"{site.base_url}/{full}".strip("/")) if address]
            found.append((posixpath.normpath(posixpath.join(site.docs, route)).casefold(), page.path))
        found.append((page.path.rpartition(".")[0].casefold(), page.path))
    return found


def _title(row: DocPage, page: Page, label: str) -> str:
    return row.front.title or page.title or label or _words(row.path)


def _words(path: str) -> str:
    stem = posixpath.basename(path).rpartition(".")[0]
    if stem.lower() in ("index", "readme"):
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    return " ".join(re.split(r"[-_\s]+", re.sub(r"^\d+[-_.\s]+", "", stem))).strip().capitalize() or "Page"
