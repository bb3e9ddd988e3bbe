"""The table of contents that a README is: links to pages in list items (or table rows), in their order."""

import posixpath
from urllib.parse import unquote

from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.plain import read_document
from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.parsing import parse
from agents.template_converter.forms.plain_pages import is_page, readme_of, stem_of
from agents.template_converter.model import Tree

_OTHER_PAGES = frozenset(
    {"contributing", "code_of_conduct", "license", "changelog", "security", "support", "governance", "maintainers"}
)


def is_of_the_project(name: str) -> bool:
    """Whether a page by its name is about the project (its licence, how to contribute) and no tutorial."""
    return stem_of(name.lower()) in _OTHER_PAGES


def listed_pages(tree: Tree, readme: str) -> list[str]:
    """Pages that lists and tables of `readme` link to, each once, in order."""
    found: dict[str, None] = {}
    inside = 0
    asciidoc = readme.lower().endswith(ASCIIDOC)
    lines = read_document(tree, readme, alone=True).lines if asciidoc else lines_of(tree.read_text(readme), readme)
    for token in parse(lines).tokens:
        if token.type in ("list_item_open", "table_open"):
            inside += 1
        elif token.type in ("list_item_close", "table_close"):
            inside -= 1
        elif token.type == "inline" and inside:
            for child in token.children or []:
                if child.type == "link_open":
                    path = _page(tree, readme, str(child.attrGet("href") or ""))
                    if path:
                        found.setdefault(path)
    return list(found)


def _page(tree: Tree, readme: str, target: str) -> str | None:
    if ":" in target.partition("/")[0] or target.startswith(("#", "//")):
        return None
    bare = unquote(target.partition("#")[0].partition("?")[0])
    base = "" if bare.startswith("/") else posixpath.dirname(readme)
    path = posixpath.normpath(posixpath.join(base, bare.lstrip("/")))
    if path in tree:
        name = posixpath.basename(path).lower()
        beside = stem_of(name) == "readme" and posixpath.dirname(path) == posixpath.dirname(readme)
        return path if is_page(tree, path) and path != readme and not beside and not is_of_the_project(name) else None
    page = readme_of(tree, path)
    return page if page != readme else None
