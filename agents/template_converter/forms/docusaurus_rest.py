"""What a Docusaurus site shows beside the documents that are read: told by group, with how many pages each has."""

import posixpath
from collections.abc import Iterator
from typing import Any

from agents.template_converter import signals
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Loss

PAGES = (".md", ".mdx", ".markdown")
_PROGRAMS = (".js", ".jsx", ".ts", ".tsx")
_SITE = "pages of the site's own"
_FURTHER = "further documents"
_KINDS = {"content-docs": "docs", "content-blog": "blog", "content-pages": "pages"}


def plugin_options(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What presets and plugins are told of `docs`, `blog` and `pages`, in the order of the configuration."""
    for row in (row for key in ("presets", "plugins") if isinstance(values.get(key), list) for row in values[key]):
        name, options = (row[0], row[1]) if isinstance(row, list) and len(row) > 1 else (row, None)
        if not isinstance(name, str) or not isinstance(options, dict):
            continue
        own = next((kind for plugin, kind in _KINDS.items() if plugin in name), "")
        if own and not isinstance(options.get(own), dict):
            yield own, options
        else:
            yield from ((kind, options[kind]) for kind in _KINDS.values() if isinstance(options.get(kind), dict))


def unread_pages(tree: Tree, folder: str, values: dict[str, Any], docs: str, *, apart: bool = False) -> list[Loss]:
    """One loss for each group of pages that is no part of the documents in `docs`; posts of a blog are told once as well.

    `apart` leaves out the further documents, where each of them is a workshop of its own.
    """
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for place, what in _groups(tree, folder, values, docs):
        if apart and what == _FURTHER:
            continue
        endings = (*PAGES, *_PROGRAMS) if what == _SITE else PAGES
        paths = [
            path for path in tree.under(place) if path not in taken and _is_page(path, place, endings) and not _in(path, docs)
        ]
        taken.update(paths)
        if paths:
            found[f"{signals.amount(len(paths), 'page')} of `{place}` ({what})"] = paths
    said = "left out: only the documents that the sidebars list are read."
    return [
        Loss(kind="page", source=_shared(paths), line=0, detail=f"{group} {_are(paths)} {said}") for group, paths in found.items()
    ]


def _groups(tree: Tree, folder: str, values: dict[str, Any], docs: str) -> Iterator[tuple[str, str]]:
    """Folders and what they hold."""
    told = list(plugin_options(values))
    for kind, what, usual in (("docs", _FURTHER, "docs"), ("blog", "blog", "blog"), ("pages", _SITE, "src/pages")):
        named = [options.get("path") for own, options in told if own == kind]
        places = [path if isinstance(path, str) and path else usual for path in named] or [usual]
        yield from ((place, what) for path in dict.fromkeys(places) if (place := _below(folder, path)) not in ("", ".", docs))
    names = {path[len(folder) :].strip("/").split("/")[0] for path in tree.under(folder)}
    for name in sorted(names):
        if name == "versioned_docs" or name.endswith("_versioned_docs"):
            yield _below(folder, name), "earlier versions"
    yield _below(folder, "i18n"), "translations"


def _shared(paths: list[str]) -> str:
    return posixpath.commonpath(paths) or "."


def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _in(path: str, folder: str) -> bool:
    return folder in ("", ".") or path.startswith(f"{folder}/")


def _is_page(path: str, place: str, endings: tuple[str, ...]) -> bool:
    inner = path[len(place) :].strip("/")
    name = posixpath.basename(path).lower()
    shown = not any(part.startswith(("_", ".")) for part in inner.split("/"))
    return shown and name.endswith(endings) and not name.endswith(".d.ts") and ".test." not in name


def _are(paths: list[str]) -> str:
    return "is" if len(paths) == 1 else "are"
