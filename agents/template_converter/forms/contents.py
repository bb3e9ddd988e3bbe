"""Where plain pages keep their order apart from their README, where that is no book's summary.

That is docsify's `_sidebar.md`, a navigation in AsciiDoc, the sidebar in the configuration of a VuePress or VitePress site, the
episodes of a lesson of The Carpentries, and the steps of a GitHub exercise.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from markdown_it.token import Token

from agents.template_converter import signals
from agents.template_converter.forms.asciidoc.antora import normal
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.plain import read_document, title_of
from agents.template_converter.forms.js_values import exported_value
from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.numbering import natural, number_of
from agents.template_converter.forms.pages import plain_text
from agents.template_converter.forms.parsing import parse
from agents.template_converter.forms.plain_pages import is_page
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

_FEWEST: Final = 2
_NAVIGATIONS: Final = ("nav.adoc", *(f"{folder}modules/ROOT/nav.adoc" for folder in ("", "documentation/", "content/")))
"""Antora's navigation is one also where no `antora.yml` makes a site of it."""
_TITLE: Final = re.compile(r"\*\*(.+)\*\*")
_OF_MODULE: Final = re.compile(r"(?P<module>[\w-]+):(?P<page>[^:/][^:]*)")
_INDEXES: Final = ("README.md", "readme.md", "Readme.md", "index.md")
_SIDEBARS: Final = ("_sidebar.md", "_Sidebar.md")
_GENERATORS: Final = ((".vitepress", "a VitePress site"), (".vuepress", "a VuePress site"))
_CONFIGS: Final = ("config.ts", "config.mts", "config.js", "config.mjs", "config.cjs", "config.cts")
_MAX_DEPTH: Final = 20
STEPS = ".github/steps"


@dataclass
class Contents:
    """A list of contents, and `(path, chapter)` of each page that it names and that is there.

    Attributes:
        file: What lists them.
        root: The folder that the site's addresses begin at.
        addressed: Whether pages are linked to by addresses of a site, without their endings.
        title: What the workshop is called there; empty where it is not said.
    """

    file: str
    root: str
    pages: list[tuple[str, str]] = field(default_factory=list)
    addressed: bool = False
    title: str = ""
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def add(self, tree: Tree, path: str | None, wanted: str, chapter: str) -> None:
        """Take a page in once; what is not there, or is no Markdown, is told."""
        if path is not None:
            if all(path != page for page, _ in self.pages):
                self.pages.append((path, chapter))
        elif wanted in tree:
            said = f"`{self.file}` lists it; it is no Markdown page, so it is no step."
            self.losses.append(Loss(kind="page", source=wanted, line=0, detail=said))
        else:
            said = f"`{self.file}` lists `{wanted}`, which is not there."
            self.broken.append(Broken(kind="page", source=self.file, line=0, target=wanted, detail=said))


def contents(tree: Tree, folder: str) -> Contents | None:
    """The list of contents that a folder keeps in a file of its own.

    None where there is no such file, or where it names fewer than two pages that are there.
    """
    readers: tuple[Callable[[Tree, str], Contents | None], ...] = (_sidebar, _configured, _lesson)
    for home in (folder, posixpath.join(folder, "docs")):
        for read in readers:
            found = read(tree, home)
            if found is not None and len(found.pages) >= _FEWEST:
                return found
    return None


def exercise_steps(tree: Tree) -> list[str]:
    """The steps of a GitHub exercise, kept in `.github/steps`: by number, then what follows; empty where it is none."""
    paths = [path for path in tree.under(STEPS) if path.lower().endswith(signals.MARKDOWN) and posixpath.dirname(path) == STEPS]
    counted = [path for path in paths if number_of(posixpath.basename(path)) is not None]
    if not counted:
        return []
    last = [path for path in paths if path not in counted and posixpath.basename(path).lower().startswith(("x-", "finish"))]
    return [*sorted(counted, key=lambda path: (number_of(posixpath.basename(path)), natural(path))), *sorted(last, key=natural)]


def _lesson(tree: Tree, home: str) -> Contents | None:
    """The episodes of a lesson, which its configuration lists below the name of the lessons' programme."""
    path = posixpath.join(home, "config.yaml")
    if path not in tree or next(tree.under(posixpath.join(home, "episodes")), None) is None:
        return None
    try:
        values = load_plain(tree.read_text(path))
    except UnsafeYamlError:
        return None
    episodes = values.get("episodes") if isinstance(values, dict) else None
    if not isinstance(episodes, list):
        return None
    title = values.get("title") if isinstance(values, dict) else None
    found = Contents(path, home, title=" ".join(title.split()) if isinstance(title, str) else "")
    for name in episodes:
        if isinstance(name, str) and name.strip():
            wanted = posixpath.normpath(posixpath.join(home, "episodes", name.strip()))
            known = wanted in tree and wanted.lower().endswith(signals.MARKDOWN)
            found.add(tree, wanted if known else None, wanted, "")
    return found


def _configured(tree: Tree, home: str) -> Contents | None:
    """The sidebar that a VuePress or VitePress site's configuration writes down; it is read and never run."""
    for generator, _ in _GENERATORS:
        for name in _CONFIGS:
            path = posixpath.join(home, generator, name)
            if path in tree:
                value = exported_value(tree.read_text(path), typescript=name.endswith("ts"))
                values = _own(value)
                found = Contents(path, home, addressed=True, title=_text(values.get("title")))
                theme = values.get("themeConfig", values.get("theme"))
                for link, label, base in _entries(_own(theme).get("sidebar"), "", "", 0):
                    if not re.match(r"^[A-Za-z][\w+.-]*:|^//", link):
                        target = unquote(link.partition("#")[0])
                        inner = target.lstrip("/") if target.startswith("/") else posixpath.join(base.strip("/"), target)
                        wanted = posixpath.normpath(posixpath.join(home, inner)).removeprefix("./")
                        found.add(tree, _page(tree, "" if wanted == "." else wanted), wanted, label)
                return found
    return None


def site_of(file: str) -> str:
    """What kind of site a list of contents belongs to, in words; empty where it is none."""
    return next((said for name, said in _GENERATORS if f"{name}/" in file), "")


def _own(value: Any) -> dict[str, Any]:
    """A value's pairs; of a call such as `defineConfig({…})`, those of its argument."""
    given = getattr(value, "arguments", ())
    value = next((row for row in given if isinstance(row, dict)), value)
    return value if isinstance(value, dict) else {}


def _entries(value: Any, chapter: str, base: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """`(link, chapter, address that it is relative to)` of each page of a sidebar, in order."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value, chapter, base
    elif isinstance(value, list):
        for row in value:
            pair = isinstance(row, list) and len(row) == 2 and all(isinstance(part, str) for part in row)
            yield from _entries(row[0] if pair else row, chapter, base, depth + 1)
    elif isinstance(value, dict):
        items = value.get("children", value.get("items"))
        link = value.get("link", value.get("path"))
        if items is None and link is None:
            for key, inner in value.items():
                yield from _entries(inner, chapter, key if key.startswith("/") else base, depth + 1)
            return
        title = _text(value.get("title") or value.get("text"))
        below = " / ".join(part for part in (chapter, title) if part) if items else chapter
        start = value.get("base")
        base = start if isinstance(start, str) else base
        if isinstance(link, str):
            yield link, below, base
        yield from _entries(items, below, base, depth + 1)


def _text(value: Any) -> str:
    return " ".join(value.split())[:300] if isinstance(value, str) else ""


def _sidebar(tree: Tree, home: str) -> Contents | None:
    """Docsify's sidebar, or a navigation in AsciiDoc: a page whose list links to the others."""
    for name in (*_SIDEBARS, *_NAVIGATIONS):
        path = posixpath.join(home, name)
        if path in tree and is_page(tree, path) and len(pages := _listed(tree, path)) >= _FEWEST:
            beside = posixpath.dirname(path)
            return Contents(path, beside, pages, addressed=name in _SIDEBARS)
    return None


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
    page = _page(tree, "" if path == "." else path)
    return page if page != contents_page else None


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


def _page(tree: Tree, path: str) -> str | None:
    """The Markdown page that a site serves at a path."""
    bare = path.removesuffix(".html")
    spellings = (path, f"{bare}.md", *(posixpath.join(bare, name) for name in _INDEXES))
    return next((name for name in spellings if name in tree and name.lower().endswith(signals.MARKDOWN)), None)
