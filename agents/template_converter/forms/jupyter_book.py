"""Jupyter Books: the pages that `_toc.yml` lists, notebooks and MyST text alike, and the title in `_config.yml`."""

import posixpath
from collections.abc import Iterator

from agents.template_converter import signals
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree

TOC = "_toc.yml"
_CONFIG = "_config.yml"
_ENDINGS = ("", ".ipynb", ".md", ".markdown")
_PAGES = (".ipynb", ".md", ".markdown")
_MAX_DEPTH = 50


def books(tree: Tree) -> list[tuple[str, int]]:
    """`(folder, listed pages that are there)` of every book."""
    found = []
    for path in signals.visible(tree):
        if posixpath.basename(path) == TOC:
            folder = posixpath.dirname(path)
            pages = book_pages(tree, folder)
            if pages:
                found.append((folder, len(pages)))
    return found


def book_pages(tree: Tree, folder: str) -> list[tuple[str, str]]:
    """`(page, chapter's title)` in the order of the book at `folder`; empty where there is none."""
    found: dict[str, str] = {}
    for name, chapter in _listed(_load(tree, posixpath.join(folder, TOC)), "", 0):
        path = posixpath.normpath(posixpath.join(folder, name))
        page = next((path + ending for ending in _ENDINGS if (path + ending) in tree), "")
        if page.lower().endswith(_PAGES):
            found.setdefault(page, chapter)
    return list(found.items())


def book_title(tree: Tree, folder: str) -> str:
    """What the book calls itself; empty where it does not."""
    value = _load(tree, posixpath.join(folder, _CONFIG))
    title = value.get("title") if isinstance(value, dict) else None
    return " ".join(title.split()) if isinstance(title, str) else ""


def _load(tree: Tree, path: str) -> object:
    try:
        return load_plain(tree.read_text(path)) if path in tree else None
    except UnsafeYamlError:
        return None


def _listed(value: object, chapter: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every `file` and `root` of a table of contents with the caption of the part that it stands in."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        part = chapter
        for inner in value:
            # In a first form of these files a part's title stands among the pages that it heads.
            if isinstance(inner, dict) and set(inner) <= {"header", "part", "numbered"}:
                part = _caption(inner) or part
            else:
                yield from _listed(inner, part, depth + 1)
    elif isinstance(value, dict):
        inside = _caption(value) or chapter
        for key, inner in value.items():
            if key in ("root", "file") and isinstance(inner, str):
                yield inner, inside
            else:
                yield from _listed(inner, inside, depth + 1)


def _caption(value: dict[str, object]) -> str:
    text = next((value[key] for key in ("caption", "part", "header") if isinstance(value.get(key), str)), "")
    return " ".join(str(text).split())
