"""Where a link or image of a page leads: to a step, to a file that is carried along, away, or nowhere."""

import posixpath
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import quote, unquote

from agents.template_converter.model import Tree

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_VARIABLE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_NOT_CARRIED = re.compile(r"\.(?:exe|dll|so|dylib|jar|war|class|o|a|pyc|iso|img|vmdk|qcow2)$", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp)$", re.IGNORECASE)
PAGE_ENDINGS = (".md", ".markdown", ".mkd", ".mdown", ".adoc", ".asciidoc")


class Steps(Protocol):
    """Which step holds a place of a page."""

    def is_page(self, path: str) -> bool:
        """Whether `path` is a page of the workshop."""
        ...

    def place(self, path: str, fragment: str) -> tuple[str, str | None] | None:
        """`(step id, fragment in the step or None)`; None where the page has no such place."""
        ...


@dataclass(frozen=True)
class Target:
    """What a link becomes.

    Attributes:
        address: Where it leads in the result; None when it leads nowhere and only its words stay.
        lost: A sentence for `losses`.
        broken: A sentence for `broken`.
    """

    address: str | None
    lost: str = ""
    broken: str = ""
    remote: bool = False


def _plain_name(name: str) -> str:
    """A file's or folder's name in letters, digits, dots and hyphens, not hidden."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    stem, dot, ending = ascii_name.rpartition(".") if "." in ascii_name else (ascii_name, "", "")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")
    return (plain or "file") + dot + re.sub(r"[^A-Za-z0-9_-]+", "-", ending)


@dataclass
class AssetTable:
    """What is copied to `assets/`, each file once under a plain name."""

    taken: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def add(self, path: str) -> str:
        """Take a file of the tree along; returns the address that a step refers to it by."""
        if path not in self._names:
            plain = "/".join(map(_plain_name, path.split("/")))[-400:].lstrip("/")
            stem, dot, ending = plain.rpartition(".") if "." in plain.rpartition("/")[2] else (plain, "", "")
            count, name = 1, plain
            while name in self.taken:
                count += 1
                name = f"{stem}-{count}{dot}{ending}"
            self.taken[name] = path
            self._names[path] = name
        return f"../../assets/{self._names[path]}"


def hyphened(path: str) -> str:
    """A path as addresses have it whose site writes hyphens for blanks and underscores."""
    return path.replace(" ", "-").replace("_", "-")


@dataclass
class Resolver:
    """Resolves targets of the pages of one workshop.

    Attributes:
        root: Folder that targets beginning with `/` are relative to.
        directory_urls: Whether a page may be linked to as a folder (`../setup/`), as MkDocs serves them.
        variables: Names that are filled in at run time; a link that begins with one leads away.
        own_files: Addresses of files that a step brings along itself.
        roots: Further folders that targets beginning with `/` are relative to.
        addresses: Pages by the addresses that their site serves them under, without endings and in lower case.
        imports: Whether lines of other files have targets of their own.
    """

    tree: Tree
    steps: Steps
    assets: AssetTable
    root: str
    max_linked_bytes: int
    directory_urls: bool = False
    variables: frozenset[str] = frozenset()
    own_files: frozenset[str] = frozenset()
    roots: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    imports: bool = False

    def base(self, page: str, file: str, target: str) -> str:
        """What a target on `page`, on a line of `file`, is relative to: that file where it was drawn in and leads somewhere."""
        path = unquote(target.partition("#")[0].partition("?")[0])
        drawn_in = self.imports and file != page and path and not _SCHEME.match(target)
        return file if drawn_in and self.find(file, path) else page

    def link(self, page: str, target: str) -> Target:
        """Where a link on `page` leads."""
        if _SCHEME.match(target) or target.startswith("//"):
            return Target(target, remote=True)
        variable = _VARIABLE.match(unquote(target))
        after = unquote(target)[variable.end() :][:1] if variable else ""
        if variable and (variable[1] in self.variables or after in ("", "/", ":", "?", "#")):
            return Target(unquote(target), remote=True)
        path, _, fragment = target.partition("#")
        path = unquote(path.partition("?")[0])
        fragment = unquote(fragment)
        if not path:
            return self._place(page, fragment, target) if self.steps.is_page(page) else Target(target)
        found = self.find(page, path) or self.find(page, target.partition("#")[0].partition("?")[0])
        if found is None:
            return self._nowhere(page, path)
        if self.steps.is_page(found):
            return self._place(found, fragment, target)
        return self._file(found, fragment)

    def image(self, page: str, target: str) -> Target:
        """Where an image of `page` is."""
        if target.startswith("data:"):
            return Target(
                None,
                lost="The image is written into the page itself and is not carried over; its description stands in its place.",
            )
        if _SCHEME.match(target) or target.startswith("//"):
            return Target(target, remote=True)
        if target in self.own_files:
            return Target(target)
        written = target.partition("#")[0].partition("?")[0]
        path = unquote(written)
        found = self.find(page, path) or self.find(page, written) if path else None
        if found is not None and found in self.tree:
            return Target(self.assets.add(found))
        missing = self._nowhere(page, path)
        above = self._above(page, path) if missing.broken else None
        return Target(self.assets.add(above), broken=f"{missing.broken} `{above}` is shown in its place.") if above else missing

    def _above(self, page: str, path: str) -> str | None:
        """An image of that relative path from a folder above: pages that are shown as part of another one mean it so."""
        folder = posixpath.dirname(posixpath.dirname(page))
        while not path.startswith(("/", "../")):
            candidate = posixpath.normpath(posixpath.join(folder, path))
            if candidate in self.tree or not folder:
                return candidate if candidate in self.tree else None
            folder = posixpath.dirname(folder)
        return None

    def find(self, page: str, path: str) -> str | None:
        """The file or folder of the tree that `path` on `page` means."""
        folders: list[str] = []
        for base in self._bases(page, path):
            for candidate in self._spellings(base):
                if candidate in self.tree or self.steps.is_page(candidate):
                    return candidate
            if base not in ("", ".", "..") and not base.startswith("../") and next(self.tree.under(base), None) is not None:
                if shown := self._folder_page(base):
                    return shown
                folders.append(base)
        return self._by_address(page, path) or (folders[0] if folders else None)

    def _by_address(self, page: str, path: str) -> str | None:
        """The page that its site serves under this address; sites write addresses in lower case and without endings."""
        for base in self._bases(page, path) if self.addresses else []:
            bare = re.sub(r"(?:(?:^|/)_?index)?\.(?:html|mdx?)$", "", base.casefold())
            if shown := self.addresses.get(bare) or self.addresses.get(hyphened(bare)):
                return shown
            folder, name = posixpath.split(base)
            if file := self._files_served.get((hyphened(folder.casefold()), name)):
                return file
        return None

    @cached_property
    def _files_served(self) -> dict[tuple[str, str], str]:
        """Files below the root by folder, as sites write addresses of folders, and name."""
        files = ((path, *posixpath.split(path)) for path in self.tree.under(self.root))
        return {(hyphened(folder.casefold()), name): path for path, folder, name in files}

    def _bases(self, page: str, path: str) -> list[str]:
        folder = posixpath.dirname(page)
        if path.startswith("/"):
            rooted = path.lstrip("/")
            return [posixpath.normpath(posixpath.join(base, rooted)) for base in dict.fromkeys((self.root, *self.roots, ""))]
        bases = [posixpath.normpath(posixpath.join(folder, path))]
        if self.directory_urls and posixpath.splitext(posixpath.basename(page))[0].lower() not in ("index", "readme"):
            bases.append(posixpath.normpath(posixpath.join(posixpath.splitext(page)[0], path)))
        # What a site serves from a folder of its own is reached from its top page without a slash.
        bases += [posixpath.normpath(posixpath.join(root, path)) for root in self.roots if not path.startswith("..")]
        if self.addresses and posixpath.basename(page).startswith("_index."):
            # Where addresses end in `.html`, a section's page stands beside the section.
            bases.append(posixpath.normpath(posixpath.join(posixpath.dirname(folder), path)))
        return bases + self._served(page, path)

    def _served(self, page: str, path: str) -> list[str]:
        """A relative path among what the site serves: pages lie beside its own files there, and nothing lies above its root."""
        if not self.addresses or not path.startswith("..") or not page.startswith(f"{self.root}/"):
            return []
        folder = posixpath.dirname(page)[len(self.root) :]
        served = posixpath.normpath(posixpath.join("/", folder.lstrip("/"), path)).lstrip("/")
        return [posixpath.join(root, served) for root in self.roots if served]

    def _spellings(self, base: str) -> list[str]:
        bare = base.removesuffix(".html")
        return [base, *(bare + ending for ending in PAGE_ENDINGS if self.directory_urls or base.endswith(".html"))]

    def _folder_page(self, folder: str) -> str | None:
        names = ("index.md", "README.md", "readme.md", "Readme.md", "_index.md", "index.adoc", "README.adoc", "readme.adoc")
        pages = [f"{folder}/{name}" for name in names if f"{folder}/{name}" in self.tree]
        return next((page for page in pages if self.steps.is_page(page)), pages[0] if pages else None)

    def _place(self, page: str, fragment: str, target: str) -> Target:
        place = self.steps.place(page, fragment)
        if place is None:
            step = self.steps.place(page, "")
            address = f"../{step[0]}/content.md" if step else None
            return Target(address, broken=f"{page} has no heading or anchor `{fragment}`; the link leads to the step itself.")
        step_id, anchor = place
        if fragment and anchor is None:
            return Target(
                f"../{step_id}/content.md",
                lost=f"`{target}` stands in the step's hints or solution now; the link leads to the step.",
            )
        return Target(f"../{step_id}/content.md" + (f"#{quote(anchor)}" if anchor else ""))

    def _file(self, path: str, fragment: str) -> Target:
        if path not in self.tree:
            return Target(None, lost=f"`{path}` is a folder of the repository, which a step cannot show; its path is named.")
        size = self.tree.files[path]
        if _PICTURE.search(path):
            # A page links to the pictures that it shows; they are copied whatever their size.
            return Target(self.assets.add(path))
        if size > self.max_linked_bytes:
            return Target(None, lost=f"`{path}` has {size} bytes, more than is copied for a link; its path is named.")
        if _NOT_CARRIED.search(path):
            return Target(None, lost=f"`{path}` is a program file, which is not carried along; its path is named.")
        return Target(self.assets.add(path) + (f"#{quote(fragment)}" if fragment else ""))

    def _nowhere(self, page: str, path: str) -> Target:
        bases = self._bases(page, path)
        for base in bases:
            if base in self.tree.absent:
                return Target(None, lost=f"`{base}` is not in the checkout: {self.tree.absent[base]}.")
        if bases[0].startswith("..") or bases[0] == ".":
            return Target(None, broken="It points outside of the source.")
        folded = {base.casefold() for base in bases}
        near = next((known for known in self.tree.files if known.casefold() in folded), "")
        return Target(None, broken=f"There is no `{bases[0]}`." + (f" There is `{near}`, written differently." if near else ""))
