"""Where plain pages keep their order apart from their README: a book's summary, a navigation, the steps of a GitHub exercise."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from markdown_it.token import Token

from agents.template_converter import signals
from agents.template_converter.forms.asciidoc.antora import normal
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.plain import read_document, title_of
from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.numbering import natural, number_of
from agents.template_converter.forms.pages import plain_text
from agents.template_converter.forms.parsing import parse
from agents.template_converter.forms.plain_pages import is_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree

_NAMES = ("SUMMARY.md", "summary.md", "_sidebar.md", "_Sidebar.md")
_ASCIIDOC_NAMES = (
    *("nav.adoc", "SUMMARY.adoc", "summary.adoc"),
    *(f"{folder}modules/ROOT/nav.adoc" for folder in ("", "documentation/", "content/")),
)
"""Antora's navigation is one also where no `antora.yml` makes a site of it; GitBook's summary was AsciiDoc once."""
_INDEXES = ("README.md", "readme.md", "Readme.md", "index.md")
STEPS = ".github/steps"
_TITLE = re.compile(r"\*\*(.+)\*\*")
_OF_MODULE = re.compile(r"(?P<module>[\w-]+):(?P<page>[^:/][^:]*)")


def contents(tree: Tree, folder: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The list of contents that a folder (or its book) keeps in a file of its own, and `(path, chapter)` of each page it names.

    None where there is no such file, or where it names fewer than two pages that are there.
    """
    for home in dict.fromkeys([folder, _book(tree, folder), posixpath.join(folder, "docs")]):
        for name in (*_NAMES, *_ASCIIDOC_NAMES):
            path = posixpath.join(home, name)
            if path in tree and is_page(tree, path) and len(pages := _listed(tree, path)) >= 2:
                return path, pages
    return None


def exercise_steps(tree: Tree) -> list[str]:
    """The steps of a GitHub exercise, kept in `.github/steps`: by number, then what follows; empty where it is none."""
    paths = [path for path in tree.under(STEPS) if path.lower().endswith(signals.MARKDOWN) and posixpath.dirname(path) == STEPS]
    counted = [path for path in paths if number_of(posixpath.basename(path)) is not None]
    if not counted:
        return []
    last = [path for path in paths if path not in counted and posixpath.basename(path).lower().startswith(("x-", "finish"))]
    return [*sorted(counted, key=lambda path: (number_of(posixpath.basename(path)), natural(path))), *sorted(last, key=natural)]


def _book(tree: Tree, folder: str) -> str:
    """The folder that `.gitbook.yaml` calls the book's root."""
    path = posixpath.join(folder, ".gitbook.yaml")
    try:
        values = load_plain(tree.read_text(path)) if path in tree else None
    except UnsafeYamlError:
        values = None
    root = values.get("root") if isinstance(values, dict) else None
    return posixpath.normpath(posixpath.join(folder, root)).lstrip("./") if isinstance(root, str) else folder


def _listed(tree: Tree, contents_page: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    heading = ""
    labels: list[str] = []
    asciidoc = contents_page.lower().endswith(ASCIIDOC)
    target = _page_of if asciidoc else _target
    lines = read_document(tree, contents_page).lines if asciidoc else lines_of(tree.read_text(contents_page), contents_page)
    tokens = parse(lines).tokens
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = "" if token.tag == "h1" else plain_text(tokens[index + 1])
        elif asciidoc and token.type == "inline" and not labels and (title := _TITLE.fullmatch(token.content)):
            heading = title[1]
        elif token.type == "list_item_open":
            labels.append("")
        elif token.type == "list_item_close":
            labels.pop()
        elif token.type == "inline" and labels and not labels[-1]:
            labels[-1] = " ".join(plain_text(token).split())
            path = target(tree, contents_page, token)
            if asciidoc and path and labels[-1] == _address(_link(token)):
                labels[-1] = title_of(tree.read_text(path)) or labels[-1]
            leads_on = _has_list(tokens, index)
            if asciidoc and path:  # Anchors of a page stand below its entry, and make no chapter of it.
                leads_on = any(target(tree, contents_page, each) not in (path, None) for each in _below(tokens, index))
            above = labels if leads_on else labels[:-1]
            if path:
                found.setdefault(path, " / ".join(part for part in (heading, *above) if part))
    return list(found.items())


def _has_list(tokens: list[Token], index: int) -> bool:
    """Whether further items stand below the item that an inline token is the text of."""
    after = tokens[index + 2] if index + 2 < len(tokens) else None
    return after is not None and after.type in ("bullet_list_open", "ordered_list_open")


def _below(tokens: list[Token], index: int) -> Iterator[Token]:
    """The texts of the items that stand below an item, of which an inline token is the text."""
    level = tokens[index].level
    for token in tokens[index + 2 :]:
        if token.level < level - 1:
            return
        if token.type == "inline":
            yield token


def _target(tree: Tree, contents_page: str, token: Token) -> str | None:
    link = _link(token)
    target = _address(link)
    if link is None or re.match(r"^[A-Za-z][\w+.-]*:|^//", target) or not (target or str(link.attrGet("href") or "") == "/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(contents_page), target.lstrip("/"))).removeprefix("./")
    path = "" if path == "." else path
    for spelling in (path, f"{path}.md", *(posixpath.join(path, name) for name in _INDEXES)):
        if spelling in tree and spelling.lower().endswith(signals.MARKDOWN) and spelling != contents_page:
            return spelling
    return None


def _link(token: Token) -> Token | None:
    return next((child for child in token.children or [] if child.type == "link_open"), None)


def _address(link: Token | None) -> str:
    return unquote(str(link.attrGet("href") or "") if link else "").partition("#")[0].partition("?")[0]


def _page_of(tree: Tree, contents_page: str, token: Token) -> str | None:
    """The page of an entry in AsciiDoc: beside the navigation, or among a module's pages."""
    target = _address(_link(token))
    match = _OF_MODULE.fullmatch(target)
    if not target or target.startswith("/") or (":" in target and match is None):
        return None
    here = posixpath.dirname(contents_page)
    if match:
        folders = [posixpath.join(posixpath.dirname(here), match["module"], "pages")]
        target = match["page"]
    else:
        folders = [here, posixpath.join(here, "pages")]
    stem, ending = posixpath.splitext(target)
    for folder in folders:
        for spelling in (target, *(f"{stem}{each}" for each in ASCIIDOC if ending == ".html")):
            path = normal(f"{folder}/{spelling}")
            if path is not None and path in tree and path != contents_page and is_page(tree, path):
                return path
    return None
