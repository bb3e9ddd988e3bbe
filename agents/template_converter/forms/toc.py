"""The table of contents that a README is: links to pages in list items (or table rows), in their order."""

import posixpath
from urllib.parse import unquote

from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.parsing import parse
from agents.template_converter.model import Tree

OTHER_PAGES = frozenset(
    {
        "readme.md", "contributing.md", "code_of_conduct.md", "license.md", "changelog.md", "security.md",
        "support.md", "governance.md", "maintainers.md",
    }
)  # fmt: skip


def listed_pages(tree: Tree, readme: str) -> list[str]:
    """Markdown pages that lists and tables of `readme` link to, each once, in order."""
    found: dict[str, None] = {}
    inside = 0
    for token in parse(lines_of(tree.read_text(readme), readme)).tokens:
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
        plain = path.lower().endswith((".md", ".markdown"))
        root_page = posixpath.basename(path).lower() in OTHER_PAGES and posixpath.dirname(path) == posixpath.dirname(readme)
        return (
            path
            if plain and not root_page and path != readme and posixpath.basename(path).lower() not in OTHER_PAGES - {"readme.md"}
            else None
        )
    return next(
        (page for name in ("README.md", "readme.md", "index.md") if (page := f"{path}/{name}") in tree and page != readme), None
    )
