"""What plain tutorials are written in, Markdown or AsciiDoc: which files are pages, and what they say at first sight."""

import posixpath
from typing import Final

from agents.template_converter import signals
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.sketch import sketch
from agents.template_converter.model import Tree

ENDINGS: Final = (*signals.MARKDOWN, *ASCIIDOC)
README: Final = (
    "README.md", "readme.md", "Readme.md", "index.md", "INDEX.md", "_index.md", "README.markdown",
    "README.adoc", "readme.adoc", "Readme.adoc", "index.adoc", "README.asciidoc", "readme.asciidoc", "index.asciidoc",
)  # fmt: skip


def is_page(tree: Tree, path: str) -> bool:
    """Whether a file may be a page of a plain tutorial: no part of a page, and none of an Antora site."""
    name = path.lower()
    if name.endswith(signals.MARKDOWN):
        return True
    return name.endswith(ASCIIDOC) and not posixpath.basename(name).startswith("_") and not _of_antora(tree, path)


def _of_antora(tree: Tree, path: str) -> bool:
    root, found, _ = f"/{path}".rpartition("/modules/")
    return bool(found) and any(f"{root}/{name}".lstrip("/") in tree for name in ("antora.yml", "antora.yaml"))


def readme_of(tree: Tree, folder: str) -> str | None:
    """The page that stands for a folder."""
    paths = (posixpath.join(folder, name) for name in README)
    return next((path for path in paths if path in tree and is_page(tree, path)), None)


def pages(tree: Tree) -> list[str]:
    """The pages that count."""
    return [path for path in signals.visible(tree) if is_page(tree, path)]


def at_first_sight(tree: Tree, path: str) -> str:
    """A page as Markdown, exact enough to judge it."""
    return sketch(tree, path) if path.lower().endswith(ASCIIDOC) else tree.read_text(path)


def stem_of(name: str) -> str:
    """A page's name without its ending; other names as they are."""
    return name.rpartition(".")[0] if name.lower().endswith(ENDINGS) else name
