"""Pages that lie among those of a workshop and are named by nothing: told, since they are no steps."""

import posixpath
import re

from agents.template_converter import signals
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.plain_pages import is_page
from agents.template_converter.forms.toc import is_of_the_project
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Loss

RECORDS = re.compile(
    r"(?:^|[-_/])(?:adrs?|decisions?|rfcs?|proposals?|changelogs?|releases?|release-notes|blog|posts?|_posts|news|migrations?|keps?|eips?)"
    r"(?:$|[-_/])",
    re.IGNORECASE,
)
"""Folders of what a project writes about itself."""
_LISTS = frozenset({"summary.md", "_sidebar.md", "langs.md", "nav.adoc", "summary.adoc", "summary.asciidoc"})
_SHOWN = 10


def may_be_step(path: str) -> bool:
    """Whether a file is a Markdown page that counts and no list of contents."""
    return path.lower().endswith(signals.MARKDOWN) and _counts(path)


def _counts(path: str) -> bool:
    return signals.counts(path) and posixpath.basename(path).lower() not in _LISTS


def unlisted_pages(tree: Tree, folder: str, workshop: ImportedWorkshop, drawn_in: frozenset[str] = frozenset()) -> list[Loss]:
    """One loss that names the pages of a workshop's folder that are neither in the workshop nor in its losses.

    `drawn_in` are files that its pages include.
    """
    known = {file for step in workshop.steps for _, file, _ in step.runs} | {step.source for step in workshop.steps}
    known |= drawn_in | {loss.source for loss in workshop.losses} | set(workshop.assets.values())
    found = [
        path
        for path in tree.under(folder)
        if path not in known and is_page(tree, path) and _counts(path) and not _of_the_project(path, folder)
    ]
    if not found:
        return []
    named = ", ".join(f"`{path}`" for path in sorted(found, key=natural)[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    said = (
        "page is named by no list, number or summary and is no step"
        if len(found) == 1
        else ("pages are named by no list, number or summary and are no steps")
    )
    return [Loss(kind="page", source=folder or ".", line=0, detail=f"{len(found)} {said}: {named}{more}.")]


def _of_the_project(path: str, folder: str) -> bool:
    """Whether a page is the project's own (changelog, licence, how to contribute, records) and none of its workshop."""
    inner = path[len(folder) :].strip("/")
    return is_of_the_project(posixpath.basename(inner)) or RECORDS.search(posixpath.dirname(inner)) is not None
