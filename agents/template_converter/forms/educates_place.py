"""Where an Educates workshop keeps its configuration and pages, and where its definition stands.

Usually in `workshop/` and `resources/workshop.yaml`. An image may be built of folders that have other names, so a
configuration is known by what it holds as well, and a definition by its kind.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.template_converter import signals
from agents.template_converter.model import Tree

_USUAL = "workshop"
_CONFIG = re.compile(r"(?:^|/)workshop/(?:config|modules|workshop)\.ya?ml$")
_MODULES = re.compile(r"(?:^|/)modules\.ya?ml$")
_ACTIVATES = re.compile(r"^modules:\s*\n(?:[ \t]+.*\n)*?[ \t]+activate:", re.MULTILINE)
_RESOURCE = re.compile(r"(?:^|/)resources/workshop\.ya?ml$")
_API = re.compile(r"^apiVersion:[ \t]*[\"']?training\.(?:educates\.dev|eduk8s\.io)/", re.MULTILINE)
_KIND = re.compile(r"^kind:[ \t]*[\"']?Workshop\b", re.MULTILINE)
_NAMED = re.compile(r"training\.(?:educates\.dev|eduk8s\.io)")
_HEAD = 20_000


@dataclass(frozen=True)
class Place:
    """Where one workshop is.

    Attributes:
        folder: What its parts lie in.
        home: The folder of its configuration and its pages.
        definition: The file of its definition, which need not be there.
    """

    folder: str
    home: str
    definition: str

    @property
    def content(self) -> str:
        """The folder of its pages."""
        return posixpath.join(self.home, "content")

    @property
    def static(self) -> str:
        """The folder of files that pages show."""
        return posixpath.join(self.home, "static")

    @property
    def tests(self) -> str:
        """The folder of its tests."""
        return posixpath.join(self.home, "examiner/tests")


def find_workshops(tree: Tree) -> dict[str, str]:
    """The folder of every workshop, with what speaks for it."""
    found: dict[str, str] = {}
    for path in signals.visible(tree):
        folder = posixpath.dirname(posixpath.dirname(path))
        if _RESOURCE.search(path) and _NAMED.search(tree.read_text(path)[:_HEAD]):
            found[folder] = f"`{path}` is a Workshop of Educates"
        elif (_CONFIG.search(path) or _stands_elsewhere(tree, path)) and _has_pages(tree, posixpath.dirname(path)):
            found.setdefault(folder, f"`{path}` configures an Educates workshop")
    return found


def place_of(tree: Tree, folder: str) -> Place:
    """Where the workshop of a folder keeps its parts."""
    home = posixpath.join(folder, _USUAL)
    if not _has_pages(tree, home):
        paths = (path for path in _beside(tree, folder) if _stands_elsewhere(tree, path))
        home = next((posixpath.dirname(path) for path in paths if _has_pages(tree, posixpath.dirname(path))), home)
    return Place(folder, home, _definition(tree, folder))


def named(tree: Tree, stem: str) -> str:
    """A YAML file by either of its endings; the usual one where it is not there."""
    usual, other = f"{stem}.yaml", f"{stem}.yml"
    return other if other in tree and usual not in tree else usual


def _stands_elsewhere(tree: Tree, path: str) -> bool:
    """Whether a list of modules stands beside the order of a workshop, in a folder of any name."""
    if not _MODULES.search(path):
        return False
    order = named(tree, posixpath.join(posixpath.dirname(path), "workshop"))
    return order in tree and bool(_ACTIVATES.search(tree.read_text(order)[:_HEAD]))


def _has_pages(tree: Tree, home: str) -> bool:
    return next(tree.under(posixpath.join(home, "content")), None) is not None


def _beside(tree: Tree, folder: str) -> Iterator[str]:
    """YAML files in the folders of a folder."""
    depth = folder.count("/") + 1 if folder else 0
    for path in tree.under(folder) if folder else iter(tree.files):
        if path.endswith((".yaml", ".yml")) and path.count("/") == depth + 1:
            yield path


def _definition(tree: Tree, folder: str) -> str:
    usual = named(tree, posixpath.join(folder, "resources/workshop"))
    if usual in tree:
        return usual
    return next((path for path in _beside(tree, folder) if _is_definition(tree, path)), usual)


def _is_definition(tree: Tree, path: str) -> bool:
    text = tree.read_text(path)[:_HEAD] if tree.files[path] <= 10 * _HEAD else ""
    return bool(_API.search(text) and _KIND.search(text))
