"""Jupyter Books: the pages that `_toc.yml` lists, notebooks and MyST text alike, and the title in `_config.yml`.

The books of today say both in `myst.yml`, which sites of documentation have as well.
"""

import posixpath
from collections.abc import Iterator

from agents.template_converter import signals
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

TOC = "_toc.yml"
MYST = ("myst.yml", "myst.yaml")
_CONFIG = "_config.yml"
_ENDINGS = ("", ".ipynb", ".md", ".markdown")
_PAGES = (".ipynb", ".md", ".markdown")
_ELSEWHERE = ("url", "glob", "pattern")
_MAX_DEPTH = 50


def books(tree: Tree) -> list[tuple[str, str, list[str]]]:
    """`(folder, the file that lists them, listed pages that are there)` of every book."""
    found: dict[str, tuple[str, list[str]]] = {}
    for path in signals.visible(tree):
        if posixpath.basename(path) in (TOC, *MYST):
            folder = posixpath.dirname(path)
            pages = [page for page, _ in book_pages(tree, folder)]
            if pages:
                found[folder] = (_contents_of(tree, folder)[0], pages)
    return [(folder, by, pages) for folder, (by, pages) in found.items()]


def book_pages(tree: Tree, folder: str) -> list[tuple[str, str]]:
    """`(page, chapter's title)` in the order of the book at `folder`; empty where there is none."""
    found: dict[str, str] = {}
    for key, name, chapter in _listed(_contents_of(tree, folder)[1], "", 0):
        page = _found(tree, folder, name) if key not in _ELSEWHERE else ""
        if page.lower().endswith(_PAGES):
            found.setdefault(page, chapter)
    return list(found.items())


def book_gaps(tree: Tree, folder: str) -> tuple[list[Loss], list[Broken]]:
    """What the table of contents lists that is no step: addresses, patterns and pages of another kind; and what is not there."""
    toc, listed = _contents_of(tree, folder)
    losses: list[Loss] = []
    broken: list[Broken] = []
    for key, name in dict.fromkeys((key, name) for key, name, _ in _listed(listed, "", 0)):
        page = _found(tree, folder, name)
        if key == "url":
            losses.append(Loss(kind="link", source=toc, line=0, detail=f"It lists the address `{name}`, which is no step."))
        elif key in ("glob", "pattern"):
            detail = f"It lists pages by the pattern `{name}`, which is not followed; they are no steps."
            losses.append(Loss(kind="page", source=toc, line=0, detail=detail))
        elif not page:
            detail = f"`{toc}` lists it, and it is not there."
            broken.append(Broken(kind="page", source=toc, line=0, target=name, detail=detail))
        elif not page.lower().endswith(_PAGES):
            detail = "The table of contents lists it; it is neither a notebook nor Markdown, so it is no step."
            losses.append(Loss(kind="page", source=page, line=0, detail=detail))
    return losses, broken


def _contents_of(tree: Tree, folder: str) -> tuple[str, object]:
    """The file that lists a book's pages, and what it lists."""
    toc = posixpath.join(folder, TOC)
    if toc in tree:
        return toc, _load(tree, toc)
    path, project = _project(tree, folder)
    return path, project.get("toc")


def _project(tree: Tree, folder: str) -> tuple[str, dict[str, object]]:
    """What `myst.yml` says of the book."""
    path = next((path for name in MYST if (path := posixpath.join(folder, name)) in tree), "")
    value = _load(tree, path)
    project = value.get("project") if isinstance(value, dict) else None
    return path, project if isinstance(project, dict) else {}


def _found(tree: Tree, folder: str, name: str) -> str:
    """The file that an entry means; empty where there is none."""
    path = posixpath.normpath(posixpath.join(folder, name))
    return next((path + ending for ending in (*_ENDINGS, ".rst") if (path + ending) in tree), "")


def book_title(tree: Tree, folder: str) -> str:
    """What the book calls itself; empty where it does not."""
    value = _load(tree, posixpath.join(folder, _CONFIG))
    title = value.get("title") if isinstance(value, dict) else _project(tree, folder)[1].get("title")
    return " ".join(title.split()) if isinstance(title, str) else ""


def _load(tree: Tree, path: str) -> object:
    try:
        return load_plain(tree.read_text(path)) if path in tree else None
    except UnsafeYamlError:
        return None


def _listed(value: object, chapter: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """`(key, value, caption of its part)` of every `file`, `root`, `url` and `glob` of a table of contents."""
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
            if key in ("root", "file", *_ELSEWHERE) and isinstance(inner, str):
                yield key, inner, inside
            else:
                yield from _listed(inner, inside, depth + 1)


def _caption(value: dict[str, object]) -> str:
    keys = ("caption", "part", "header", *(("title",) if "children" in value else ()))
    text = next((value[key] for key in keys if isinstance(value.get(key), str)), "")
    return " ".join(str(text).split())
