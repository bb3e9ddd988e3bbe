"""A Docusaurus site as its files say it: configuration, sidebars, and the pages in the order of the sidebar."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter import signals
from agents.template_converter.forms.docusaurus_rest import PAGES, plugin_options, unread_pages
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.js_values import Called, exported_value
from agents.template_converter.forms.json_safely import UnsafeJsonError, load_json
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

CONFIG = re.compile(r"^(?:docusaurus\.config\.(?:js|ts|mjs|cjs|mts|cts)|siteConfig\.js)$")
_NUMBER = re.compile(r"^(?P<number>\d+)\s*[-_.]+\s*(?P<rest>[^-_.\s].*)$")
_NO_NUMBER = re.compile(r"^\d+[-_.]\d+")
"""Dates and versions, which Docusaurus leaves in a page's id."""
_LAST = float("inf")
_MAX_DEPTH = 30
_MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class DocPage:
    """A page of the documents' folder; `id` is what sidebars call it."""

    path: str
    id: str
    front: FrontMatter
    lines: list[Line]

    @property
    def left_out(self) -> str:
        """Why the site does not show it; empty where it does."""
        return next((f"The page is {name}" for name in ("draft", "unlisted") if self.front.values.get(name) is True), "")


@dataclass(frozen=True)
class Entry:
    """A page of the sidebar, with the label that it has there and the categories around it."""

    page: DocPage
    label: str
    categories: tuple[str, ...]


@dataclass
class DocusaurusSite:
    """What a folder with a Docusaurus configuration holds.

    Attributes:
        route: Address that the documents stand under, without slashes at its ends.
        entries: Pages in the order of the sidebars.
    """

    folder: str
    config: str
    title: str
    tagline: str
    docs: str
    route: str
    base_url: str
    pages: dict[str, DocPage] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def configurations(tree: Tree) -> Iterator[str]:
    """Configurations of Docusaurus sites that count."""
    return (path for path in signals.visible(tree) if CONFIG.match(posixpath.basename(path)))


def parts(tree: Tree, config: str) -> list[str]:
    """Folders of documents that plugins show side by side, each with a sidebar of its own; empty where the preset shows some."""
    values = _values(tree, config)
    if any(kind == "docs" for kind, _ in plugin_options({**values, "plugins": None})):
        return []
    folders = [_docs_folder(config, options) for kind, options in plugin_options(values) if kind == "docs"]
    return folders if len(set(folders)) > 1 else []


def read_site(tree: Tree, config: str, part: str = "") -> DocusaurusSite:
    """The site of a configuration; what only running it could tell has its default.

    Args:
        tree: The checkout.
        config: Its path.
        part: One of `parts`, to be read by itself.
    """
    folder = posixpath.dirname(config)
    values = _values(tree, config)
    options = _docs_options(values, config, part)
    old = posixpath.basename(config) == "siteConfig.js"
    docs = _text(options.get("path")) or (_text(values.get("customDocsPath")) or "../docs" if old else "docs")
    route = options.get("routeBasePath")
    site = DocusaurusSite(
        folder,
        config,
        _text(values.get("title")),
        _text(values.get("tagline")),
        posixpath.normpath(posixpath.join(folder, docs)),
        _text(route).strip("/") if isinstance(route, str) else "docs",
        (_text(values.get("baseUrl")) or "/").strip("/"),
    )
    site.pages = {page.path: page for page in _pages(tree, site.docs)}
    sidebars = _sidebars(tree, folder, options)
    _Sidebar(tree, site).walk(sidebars)
    site.losses += unread_pages(tree, folder, values, site.docs, apart=bool(part))
    return site


def _module(tree: Tree, path: str) -> Any:
    text = tree.read_text(path)[:_MAX_CHARACTERS]
    if path.endswith(".json"):
        try:
            return load_json(text)
        except UnsafeJsonError:
            return None
    return exported_value(text, typescript=path.endswith("ts"))


def _values(tree: Tree, config: str) -> dict[str, Any]:
    values = _module(tree, config)
    return values if isinstance(values, dict) else {}


def _docs_folder(config: str, options: dict[str, Any]) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(config), _text(options.get("path")) or "docs"))


def _docs_options(values: dict[str, Any], config: str, part: str) -> dict[str, Any]:
    """The options of `part`; without one, of the classic preset's documents, or of the first plugin for documents."""
    told = [options for kind, options in plugin_options(values) if kind == "docs"]
    return next((options for options in told if not part or _docs_folder(config, options) == part), {})


def _sidebars(tree: Tree, folder: str, options: dict[str, Any]) -> tuple[str, Any]:
    """The sidebars' file and what it says; nothing where pages are in the order of their files."""
    named = options.get("sidebarPath")
    if isinstance(named, Called):
        named = next((given for given in reversed(named.arguments) if isinstance(given, str)), "")
    names = [str(named)] if isinstance(named, str) and named else []
    for name in [*names, "sidebars.js", "sidebars.ts", "sidebars.json", "sidebars.cjs", "sidebars.mjs"]:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in tree:
            return path, _module(tree, path)
    return "", None


def _pages(tree: Tree, docs: str) -> Iterator[DocPage]:
    for path in tree.under(docs):
        inner = path[len(docs) :].strip("/")
        if not path.lower().endswith(PAGES) or any(part.startswith(("_", ".")) for part in inner.split("/")):
            continue
        front, lines = split_front_matter(lines_of(tree.read_text(path), path))
        *folders, name = inner.split("/")
        stem = name.rpartition(".")[0]
        own = front.values.get("id")
        last = str(own) if isinstance(own, str | int) else _without_number(stem)
        yield DocPage(path, "/".join([*map(_without_number, folders), last]), front, lines)


def _without_number(name: str) -> str:
    match = None if _NO_NUMBER.match(name) else _NUMBER.match(name)
    return match["rest"] if match else name


def _number(name: str) -> float:
    match = None if _NO_NUMBER.match(name) else _NUMBER.match(name)
    return int(match["number"]) if match else _LAST


class _Sidebar:
    """Follows sidebars: ids, categories, links, and folders that are listed by themselves."""

    def __init__(self, tree: Tree, site: DocusaurusSite) -> None:
        self._tree = tree
        self._site = site
        self._file = site.config
        self._by_id = {page.id: page for page in site.pages.values()}
        # Sidebars of older sites name pages with the numbers of their files.
        for page in site.pages.values():
            self._by_id.setdefault(page.path[len(site.docs) :].strip("/").rpartition(".")[0], page)
        self._seen: set[str] = set()

    def walk(self, sidebars: tuple[str, Any]) -> None:
        self._file, value = sidebars[0] or self._site.config, sidebars[1]
        if isinstance(value, dict) and value:
            for items in value.values():
                self._items(items, (), 0)
        elif isinstance(value, list):
            self._items(value, (), 0)
        if not self._site.entries:
            self._folder(self._site.docs, (), 0)
        for page in self._site.pages.values():
            if page.path not in self._seen:
                self._lose(page.path, f"{page.left_out or 'The sidebar does not list the page'}, so it is no step.")

    def _items(self, items: Any, categories: tuple[str, ...], depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        if isinstance(items, dict):
            # The short form: label to items.
            for label, inner in items.items():
                self._items(inner, (*categories, str(label)), depth + 1)
            return
        for item in items if isinstance(items, list) else []:
            if isinstance(item, str):
                self._doc(item, "", categories)
            elif isinstance(item, dict):
                self._item(item, categories, depth)

    def _item(self, item: dict[str, Any], categories: tuple[str, ...], depth: int) -> None:
        kind, label = item.get("type"), _text(item.get("label"))
        if kind in ("doc", "ref"):
            self._doc(_text(item.get("id")), label, categories)
        elif kind == "autogenerated":
            name = _text(item.get("dirName"))
            self._folder(posixpath.normpath(posixpath.join(self._site.docs, name)), categories, depth + 1)
        elif kind in ("category", "subcategory"):
            inner = (*categories, label) if label else categories
            link = item.get("link")
            if isinstance(link, dict) and link.get("type") == "doc":
                self._doc(_text(link.get("id")), "", inner)
            self._items(item.get("items", item.get("ids")), inner, depth + 1)
        elif kind == "link":
            self._lose(self._file, f"The sidebar's entry “{label}” leads to {_text(item.get('href'))}, which is no page.")
        elif kind == "html":
            words = " ".join(re.sub(r"<[^<>]*>", " ", _text(item.get("value"))).split())
            self._lose(self._file, f"The sidebar's entry “{words}” is HTML and no page; it is left out.")
        elif kind is None:
            self._items(item, categories, depth + 1)

    def _doc(self, name: str, label: str, categories: tuple[str, ...]) -> None:
        page = self._by_id.get(name)
        if page is None:
            detail = f"The sidebar names `{name}`, and there is no such page in `{self._site.docs}`."
            self._site.broken.append(Broken(kind="page", source=self._file, line=0, target=name, detail=detail))
        else:
            self._add(page, label, categories)

    def _add(self, page: DocPage, label: str, categories: tuple[str, ...]) -> None:
        if page.path in self._seen or page.left_out:
            return
        self._seen.add(page.path)
        self._site.entries.append(Entry(page, label, categories))

    def _folder(self, folder: str, categories: tuple[str, ...], depth: int) -> None:
        """A folder that is listed by itself: its own page, then pages and folders by position, number and name."""
        if depth > _MAX_DEPTH:
            return
        prefix = f"{folder}/" if folder not in ("", ".") else ""
        rows: list[tuple[float, Any, DocPage | str]] = []
        own: DocPage | None = None
        below: set[str] = set()
        for page in self._site.pages.values():
            if not page.path.startswith(prefix):
                continue
            first, slash, _ = page.path[len(prefix) :].partition("/")
            if slash:
                below.add(first)
            elif depth > 0 and _is_index(first, posixpath.basename(folder)):
                own = page
            else:
                position = page.front.values.get("sidebar_position")
                given = position if isinstance(position, int | float) and not isinstance(position, bool) else _number(first)
                rows.append((given, natural(first), page))
        for name in below:
            position, _ = self._category(f"{prefix}{name}")
            rows.append((position, natural(name), f"{prefix}{name}"))
        if own is not None:
            self._add(own, "", categories)
        for _, _, row in sorted(rows, key=lambda each: each[:2]):
            if isinstance(row, str):
                self._folder(row, (*categories, self._category(row)[1]), depth + 1)
            else:
                self._add(row, "", categories)

    def _category(self, folder: str) -> tuple[float, str]:
        """Position and label of a folder, from its `_category_` file, its own page or its name."""
        name = posixpath.basename(folder)
        values: Any = {}
        for ending in ("json", "yml", "yaml"):
            path = f"{folder}/_category_.{ending}"
            if path in self._tree:
                try:
                    values = load_plain(self._tree.read_text(path))
                except UnsafeYamlError:
                    values = {}
        values = values if isinstance(values, dict) else {}
        own = next(
            (
                page
                for page in self._site.pages.values()
                if posixpath.dirname(page.path) == folder and _is_index(posixpath.basename(page.path), name)
            ),
            None,
        )
        position = values.get("position", own.front.values.get("sidebar_position") if own else None)
        label = _text(values.get("label")) or (_text(own.front.values.get("sidebar_label")) or own.front.title if own else "")
        number = position if isinstance(position, int | float) and not isinstance(position, bool) else _number(name)
        return number, label or " ".join(re.split(r"[-_\s]+", _without_number(name))).strip().capitalize()

    def _lose(self, source: str, detail: str) -> None:
        self._site.losses.append(Loss(kind="page", source=source, line=0, detail=detail))


def _is_index(name: str, folder: str) -> bool:
    stem = _without_number(name.rpartition(".")[0]).lower()
    return stem in ("index", "readme") or stem == _without_number(folder).lower()


def _text(value: object) -> str:
    return " ".join(str(value).split())[:300] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
