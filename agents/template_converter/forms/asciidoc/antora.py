"""An Antora site on disk: playbooks, components, modules, and what a resource id means in them."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree

MAX_YAML_BYTES: Final = 500_000
DECOYS: Final = frozenset(
    {
        "node_modules",
        "examples",
        "example",
        "templates",
        "template",
        "ui-bundle",
        "build",
        "public",
        "www",
        "vendor",
        "fixtures",
        "test",
        "tests",
    }
)
CONTENT_FOLDERS: Final = ("content", "docs", "documentation")
PLAYBOOK_ORDER: Final = (
    "site.yml",
    "site.yaml",
    "antora-playbook.yml",
    "antora-playbook.yaml",
    "default-site.yml",
    "default-site.yaml",
)
INTRINSIC: Final[Mapping[str, str]] = {
    "env": "site",
    "env-site": "",
    "site-gen": "antora",
    "site-gen-antora": "",
    "backend": "html5",
    "backend-html5": "",
    "basebackend": "html",
    "basebackend-html": "",
    "doctype": "article",
    "outfilesuffix": ".html",
    "filetype": "html",
    "asciidoctor": "",
    "asciidoctor-version": "2.0.23",
    "safe-mode-secure": "",
    "icons": "font",
    "sectanchors": "",
    "source-highlighter": "highlight.js",
    "imagesdir": "_images",
    "attachmentsdir": "_attachments",
    "partialsdir": "partial$",
    "examplesdir": "example$",
    "experimental": "",
}
FAMILIES: Final = {
    "page": ("pages",),
    "partial": ("partials", "pages/_partials"),
    "example": ("examples",),
    "image": ("images", "assets/images"),
    "attachment": ("attachments", "assets/attachments"),
}
_RESOURCE = re.compile(r"^(?:([^@/:$]+)@)?(?:(?:([^:/$@]*):)?([^:/$@]*):)?(?:(\w+)\$)?(.+)$")


class BadYamlError(Exception):
    """A playbook or descriptor that is not YAML; the sentence names the file and, where it is known, the line."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"`{path}` cannot be read: {problem}")


@dataclass(frozen=True)
class Component:
    """One `antora.yml` and the modules beside it.

    Attributes:
        root: Folder of the descriptor ("" is the tree's root).
        nav: Navigation files as the descriptor lists them, relative to `root`.
    """

    root: str
    descriptor: str
    name: str
    title: str
    version: str
    start_page: str | None
    nav: tuple[str, ...]
    attributes: Mapping[str, Any]

    def path(self, *parts: str) -> str:
        """A path inside the component, from the tree's root."""
        return "/".join(part for part in (self.root, *parts) if part)


@dataclass(frozen=True)
class Playbook:
    """A site's playbook: which components it takes and what it sets."""

    path: str
    title: str
    start_page: str | None
    start_paths: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass
class Site:
    """Everything that one reading of the repository holds.

    Attributes:
        root: The folder of the playbook, or what stands for it.
        others: Further playbooks beside the one taken.
    """

    root: str
    components: list[Component]
    playbook: Playbook | None = None
    others: list[Playbook] = field(default_factory=list)

    def homes(self) -> list[str]:
        """The folders that what belongs to the whole lab may stand in, the nearest to the playbook first."""
        roots = [component.root for component in self.components]
        books = [self.playbook.path.rpartition("/")[0]] if self.playbook else []
        above = [root.rpartition("/")[0] for root in roots if root.rpartition("/")[2] in CONTENT_FOLDERS]
        return list(dict.fromkeys([*books, self.root, *above, *roots]))

    def places(self) -> list[str]:
        """The folders that the site is made of: its root, its playbook's, its components'."""
        books = [self.playbook.path.rpartition("/")[0]] if self.playbook else []
        return [self.root, *books, *(component.root for component in self.components)]


@dataclass(frozen=True)
class Place:
    """Where a reference is made from."""

    component: Component
    module: str
    folder: str


def load_yaml(tree: Tree, path: str) -> dict[str, Any]:
    """A mapping from a YAML file; empty where the file holds something else.

    Raises:
        BadYamlError: Not YAML, or larger than a descriptor ever is.
    """
    if tree.files[path] > MAX_YAML_BYTES:
        raise BadYamlError(path, f"it is larger than {MAX_YAML_BYTES} bytes")
    try:
        value = load_plain(tree.read_text(path))
    except UnsafeYamlError as error:
        raise BadYamlError(path, str(error)) from error
    return value if isinstance(value, dict) else {}


def is_decoy(path: str, root: str = "") -> bool:
    """Whether a file lies in a folder that is no part of the site (examples, templates, tools' own folders)."""
    inside = path.removeprefix(f"{root}/") if root else path
    return any(part.startswith(".") or part in DECOYS for part in inside.split("/")[:-1])


def read_component(tree: Tree, descriptor: str) -> Component:
    """The component that a descriptor describes."""
    data = load_yaml(tree, descriptor)
    root = descriptor.rpartition("/")[0]
    listed = data.get("nav")
    nav = tuple(str(entry) for entry in listed if isinstance(entry, str)) if isinstance(listed, list) else ()
    name = _text(data.get("name")) or root.rpartition("/")[2] or "docs"
    start = data.get("start_page")
    return Component(
        root=root,
        descriptor=descriptor,
        name=name,
        title=_text(data.get("title")),
        version=_text(data.get("version")),
        start_page=start if isinstance(start, str) else None,
        nav=nav,
        attributes=_attributes(data),
    )


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list | bool) else str(value)


def _attributes(data: Mapping[str, Any]) -> Mapping[str, Any]:
    section = data.get("asciidoc")
    found = section.get("attributes") if isinstance(section, dict) else None
    return found if isinstance(found, dict) else {}


def read_playbook(tree: Tree, path: str) -> Playbook | None:
    """The playbook at `path`; None where the file is something else."""
    data = load_yaml(tree, path)
    content = data.get("content")
    sources = content.get("sources") if isinstance(content, dict) else None
    if not isinstance(sources, list):
        return None
    folder = path.rpartition("/")[0]
    starts: list[str] = []
    for source in sources:
        if isinstance(source, dict) and _is_local(str(source.get("url", "."))):
            listed = source.get("start_paths", source.get("start_path", ""))
            values = listed if isinstance(listed, list) else re.split(r",\s*", str(listed or ""))
            starts.extend(_join(folder, str(source.get("url", ".")), str(value)) for value in values)
    raw = data.get("site")
    site: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    start = site.get("start_page")
    return Playbook(path, _text(site.get("title")), start if isinstance(start, str) else None, tuple(starts), _attributes(data))


def _is_local(url: str) -> bool:
    return not re.match(r"[a-z+]+://|git@", url)


def _join(*parts: str) -> str:
    return normal("/".join(part for part in parts if part)) or ""


def normal(path: str) -> str | None:
    """`path` without `.` and `..`; None where it leaves the tree."""
    kept: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not kept:
                return None
            kept.pop()
        else:
            kept.append(part)
    return "/".join(kept)


def find_sites(tree: Tree, asked: str = "") -> list[Site]:
    """Every site of the tree: components that one playbook takes together, and components that stand alone.

    Args:
        tree: The checkout.
        asked: A folder that a person named: what lies in it counts, whatever the folder itself is called.

    Raises:
        BadYamlError: A descriptor or playbook cannot be read.
    """
    named = [path for path in tree.files if path.rpartition("/")[2] in ("antora.yml", "antora.yaml")]
    descriptors = [path for path in named if not is_decoy(path, asked if path.startswith(f"{asked}/") else "")]
    components = [read_component(tree, path) for path in descriptors]
    components = [component for component in components if _has_pages(tree, component)]
    if not components:
        return []
    playbooks = _playbooks(tree, components)
    sites: dict[str, Site] = {}
    alone: list[Component] = []
    for component in components:
        taking = [book for book in playbooks if any(_matches(component.root, start) for start in book.start_paths)]
        if not taking:
            alone.append(component)
            continue
        nearest = max(taking, key=lambda book: (len(book.path.rpartition("/")[0]), -_rank(book.path)))
        folder = nearest.path.rpartition("/")[0]
        site = sites.setdefault(folder, Site(folder, []))
        site.components.append(component)
    for folder, site in sites.items():
        books = sorted((book for book in playbooks if book.path.rpartition("/")[0] == folder), key=lambda book: _rank(book.path))
        site.playbook, site.others = books[0], books[1:]
    for component in alone:
        parent, _, last = component.root.rpartition("/")
        folder = parent if last in CONTENT_FOLDERS else component.root
        sites.setdefault(component.root + "\0", Site(folder, [component]))
    found = list(sites.values())
    if len(found) == 1:
        found[0].root = ""
    return sorted(found, key=lambda site: site.root)


def sites_at(tree: Tree, asked: str) -> list[Site]:
    """The site that a folder is the root of, else those that it is the content of or that lie below it.

    Raises:
        BadYamlError: A descriptor or playbook cannot be read.
    """
    sites = find_sites(tree, asked)
    if not asked:
        return sites if len(sites) == 1 else [site for site in sites if not site.root][:1]
    exact = [site for site in sites if site.root == asked]
    return exact[:1] or [site for site in sites if any(f"{place}/".startswith(f"{asked}/") for place in site.places())]


def _has_pages(tree: Tree, component: Component) -> bool:
    prefix = component.path("modules") + "/"
    return any(path.startswith(prefix) and "/pages/" in path and path.endswith(".adoc") for path in tree.files)


def _rank(path: str) -> int:
    """How likely a playbook is the site's own: well-known names, then others, then those for authors and previews."""
    name = path.rpartition("/")[2]
    if name in PLAYBOOK_ORDER:
        return PLAYBOOK_ORDER.index(name)
    return len(PLAYBOOK_ORDER) + bool(re.search(r"\b(?:dev|local|author|stage|staging|preview|test|draft)\b", name))


def _playbooks(tree: Tree, components: list[Component]) -> list[Playbook]:
    folders = {""}
    for component in components:
        parts = component.root.split("/") if component.root else []
        folders.update("/".join(parts[:count]) for count in range(len(parts) + 1))
    books: list[Playbook] = []
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        if folder not in folders or not name.endswith((".yml", ".yaml")) or name.startswith("antora.y"):
            continue
        if _rank(path) < len(PLAYBOOK_ORDER) or (tree.files[path] < MAX_YAML_BYTES and b"sources" in tree.read_bytes(path)):
            try:
                book = read_playbook(tree, path)
            except BadYamlError:
                if _rank(path) < len(PLAYBOOK_ORDER):
                    raise
                continue
            if book is not None:
                books.append(book)
    return books


def _matches(root: str, pattern: str) -> bool:
    return root == pattern or ("*" in pattern and fnmatch.fnmatch(root, pattern))


def effective_attributes(playbook: Playbook | None, component: Component) -> tuple[dict[str, str], frozenset[str]]:
    """What a page of the component starts with, and the names that it may not set itself.

    The playbook has the last word but where it sets softly (`value@`); so has the descriptor over the page.
    """
    values = dict(INTRINSIC)
    values.update(
        {
            "page-component-name": component.name,
            "page-component-title": component.title or component.name,
            "page-component-version": component.version,
            "page-component-display-version": component.version,
            "page-version": component.version,
        }
    )
    if playbook and playbook.title:
        values["site-title"] = playbook.title
    locked: set[str] = set()
    for source in (playbook.attributes if playbook else {}, component.attributes):
        for raw, value in source.items():
            name = str(raw).lower()
            unset = name.startswith("!") or name.endswith("!")
            name = name.strip("!")
            if name in locked:
                continue
            text = _attribute_text(value)
            soft = value is False or (isinstance(value, str) and value.endswith("@"))
            if unset or text is None:
                values.pop(name, None)
            else:
                values[name] = text.removesuffix("@")
            if not soft:
                locked.add(name)
    return values, frozenset(locked)


def _attribute_text(value: object) -> str | None:
    if value is None or value is False or isinstance(value, dict | list):
        return None
    return "" if value is True else str(value)


def module_of(component: Component, path: str) -> str:
    """The module that a file of the component belongs to."""
    prefix = component.path("modules") + "/"
    return path[len(prefix) :].split("/")[0] if path.startswith(prefix) else "ROOT"


def resolve(tree: Tree, site: Site, place: Place, target: str, family: str) -> str | None:
    """The file that a resource id means.

    Args:
        tree: The checkout.
        site: Its components may be named by the id.
        place: Where the id stands; fills in what it leaves out.
        target: `[version@][[component:]module:][family$]path`.
        family: Taken where the id names none.
    """
    match = _RESOURCE.match(target)
    if not match:
        return None
    _, component_name, module, named_family, relative = match.groups()
    component = place.component
    if component_name:
        found = next((entry for entry in site.components if entry.name == component_name), None)
        if found is None:
            return None
        component = found
    module = module or ("ROOT" if component_name else place.module)
    family = named_family or family
    if relative.startswith(("./", "../")) and place.folder and not named_family:
        path = normal(f"{place.folder}/{relative}")
        if path is not None and path in tree:
            return path
    for folder in FAMILIES.get(family, ()):
        path = normal(component.path("modules", module, folder, relative))
        if path is not None and path in tree:
            return path
    return None
