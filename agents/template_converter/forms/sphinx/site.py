"""A site of pages that toctrees order: which pages there are, in which order, and what they are called."""

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property

from agents.template_converter import signals
from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.numbering import natural
from agents.template_converter.forms.sphinx.conf import SphinxConf
from agents.template_converter.forms.sphinx.findings import Findings
from agents.template_converter.forms.sphinx.labels import Place, myst_labels, myst_title, normalized, rst_labels, rst_titles
from agents.template_converter.forms.sphinx.toctree import Entry, Toctree, toctrees
from agents.template_converter.model import Tree

MAX_PAGES = 2000
_MAX_NAMED = 100
_NO_PAGE = frozenset({"genindex", "modindex", "search", "py-modindex"})


@dataclass(frozen=True)
class NavPage:
    """A page of the navigation.

    Attributes:
        title: The title that the navigation gives; empty where it takes the page's own.
        sections: Captions and titles of the pages above it.
    """

    path: str
    title: str
    sections: tuple[str, ...]


@dataclass
class Site:
    """Pages below a folder.

    Attributes:
        folder: Where the pages are.
        root: The page that the navigation begins at; empty where there is none.
        findings: What the navigation names and is not there.
    """

    tree: Tree
    folder: str
    conf: SphinxConf
    root: str = ""
    findings: Findings = field(default_factory=Findings)
    _lines: dict[str, list[Line]] = field(default_factory=dict)
    _titles: dict[str, str] = field(default_factory=dict)
    _toctrees: dict[str, list[Toctree]] = field(default_factory=dict)

    def lines(self, path: str) -> list[Line]:
        """A page's lines, without front matter."""
        if path not in self._lines:
            lines = lines_of(self.tree.read_text(path), path)
            self._lines[path] = split_front_matter(lines)[1] if self.is_markdown(path) else lines
        return self._lines[path]

    def is_markdown(self, path: str) -> bool:
        """Whether a page is MyST rather than reStructuredText."""
        ending = posixpath.splitext(path)[1].lower()
        return self.conf.suffixes.get(ending, "markdown" if ending in signals.MARKDOWN else "") == "markdown"

    def title_of(self, path: str) -> str:
        """A page's own title, else its file's name in words."""
        if path not in self._titles:
            lines = self.lines(path)
            own = myst_title(lines) if self.is_markdown(path) else next((title for _, title in rst_titles(lines)), "")
            self._titles[path] = own or file_words(path)
        return self._titles[path]

    def toctrees_of(self, path: str) -> list[Toctree]:
        """The toctrees of a page."""
        if path not in self._toctrees:
            self._toctrees[path] = toctrees(self.lines(path), markdown=self.is_markdown(path))
        return self._toctrees[path]

    @cached_property
    def documents(self) -> list[str]:
        """Every page below the folder that is not excluded."""
        excluded = [_pattern(glob) for glob in self.conf.excludes]
        found = []
        for path in self.tree.under(self.folder):
            inner = path[len(self.folder) + 1 :] if self.folder else path
            if posixpath.splitext(path)[1] in self.conf.suffixes and not any(regex.match(inner) for regex in excluded):
                found.append(path)
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.documents)

    @cached_property
    def labels(self) -> dict[str, Place]:
        """Labels of all pages, and of what they include."""
        found: dict[str, Place] = {}
        for path in self.documents[:MAX_PAGES]:
            read = myst_labels if self.is_markdown(path) else rst_labels
            for name, place in read(self.lines(path), path).items():
                found.setdefault(name, place)
        return found

    def label(self, name: str) -> Place | None:
        """Where a label is."""
        return self.labels.get(normalized(name))

    def document(self, name: str, page: str) -> str | None:
        """The page that `name` on `page` means: from the site's folder where it begins with `/`."""
        base = self.folder if name.startswith("/") else posixpath.dirname(page)
        path = posixpath.normpath(posixpath.join(base, name.lstrip("/")))
        for candidate in (*(path + ending for ending in self.conf.suffixes), path):
            if candidate in self.tree and (candidate != path or posixpath.splitext(path)[1] in self.conf.suffixes):
                return candidate
        return None

    def file(self, target: str, page: str) -> str:
        """The path that a file's address on `page` means, whether it is there or not."""
        base = self.folder if target.startswith("/") else posixpath.dirname(page)
        return posixpath.normpath(posixpath.join(base, target.lstrip("/")))

    def entries(self, toctree: Toctree, page: str, *, note: bool = False) -> list[tuple[str, str]]:
        """`(page, title)` of what a toctree lists; with `note`, what it names and is no page goes to the findings."""
        found: list[tuple[str, str]] = []
        listed = {path for entry in toctree.entries if (path := self.document(entry.target, page))}
        for entry in toctree.entries:
            if "glob" in toctree.options and re.search(r"[*?\[]", entry.target):
                below = self._matching(entry.target, page)
                found += [(path, "") for path in below if path not in listed and path != page]
                if not below and note:
                    self._missing(entry, page)
                continue
            path = self.document(entry.target, page)
            if path is not None and path in self._known and path != page:
                found.append((path, entry.title))
            elif note and path != page:
                self._not_a_page(entry, page, path)
        return found[::-1] if "reversed" in toctree.options else found

    def _matching(self, glob: str, page: str) -> list[str]:
        base = self.folder if glob.startswith("/") else posixpath.dirname(page)
        regex = _pattern(posixpath.normpath(posixpath.join(base, glob.lstrip("/"))))
        return sorted((path for path in self.documents if regex.fullmatch(posixpath.splitext(path)[0])), key=natural)

    def _not_a_page(self, entry: Entry, page: str, path: str | None) -> None:
        line = entry.line
        if entry.target in ("self", *_NO_PAGE):
            return
        if re.match(r"^(?:[A-Za-z][\w+.-]*:|//)", entry.target):
            name = entry.title or entry.target
            said = f"The navigation's entry “{name}” leads to {entry.target}, which is no page of the workshop."
            self.findings.lose("page", line.file, line.number, said)
        elif (notebook := self._notebook(entry, page)) is not None:
            said = f"`{notebook}` is a notebook, which is not read among pages; it can be read by itself as jupyter."
            self.findings.lose("page", line.file, line.number, said)
        elif path is not None:
            self.findings.lose("page", line.file, line.number, f"`{path}` is excluded by `conf.py`; it is no step.")
        else:
            self._missing(entry, page)

    def _notebook(self, entry: Entry, page: str) -> str | None:
        path = re.sub(r"\.ipynb$", "", self.file(entry.target, page)) + ".ipynb"
        return path if path in self.tree else None

    def _missing(self, entry: Entry, page: str) -> None:
        path = self.file(entry.target, page)
        absent = next((why for name, why in self.tree.absent.items() if name.startswith(path)), "")
        detail = f"The navigation names `{path}`, which is not there{': ' + absent if absent else ''}."
        self.findings.miss("page", entry.line.file, entry.line.number, entry.target, detail)

    def navigation(self) -> list[NavPage]:
        """The root and every page that toctrees reach from it, in their order, each once."""
        return _Walk(self).run() if self.root else []

    def note_unreached(self, reached: set[str]) -> None:
        """A loss for each page of the site that neither the navigation nor an include reaches."""
        rest = [path for path in self.documents if path not in reached and path not in self.findings.included]
        for path in rest[:_MAX_NAMED]:
            self.findings.lose("page", path, 0, "No toctree reaches this page; it is no step.")
        if len(rest) > _MAX_NAMED:
            more = f"No toctree reaches this page and {len(rest) - _MAX_NAMED - 1} more; they are no steps."
            self.findings.lose("page", rest[_MAX_NAMED], 0, more)


@dataclass
class _Walk:
    site: Site
    pages: list[NavPage] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def run(self) -> list[NavPage]:
        root = self.site.root
        self.seen.add(root)
        self.pages.append(NavPage(root, "", ()))
        # A stack of pages still to be walked would do, but depth is bounded by the pages, and those by MAX_PAGES.
        self._below(root, (), 0)
        return self.pages

    def _below(self, page: str, sections: tuple[str, ...], depth: int) -> None:
        for toctree in self.site.toctrees_of(page):
            inner = (*sections, toctree.caption) if toctree.caption else sections
            for path, title in self.site.entries(toctree, page, note=True):
                if path in self.seen or len(self.pages) >= MAX_PAGES or depth > 30:
                    continue
                self.seen.add(path)
                name = title or self.site.title_of(path)
                holds = bool(self.site.toctrees_of(path))
                own = (*inner, name) if holds else inner
                self.pages.append(NavPage(path, title, own))
                self._below(path, own, depth + 1)


def file_words(path: str) -> str:
    """A title from a file's name."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    if stem.lower() in ("index", "readme"):
        stem = posixpath.basename(posixpath.dirname(path)) or stem
    words = " ".join(re.split(r"[-_\s]+", re.sub(r"^\d+[-_.\s]+", "", stem))).strip()
    return words[:1].upper() + words[1:] or "Page"


def _pattern(glob: str) -> re.Pattern[str]:
    """Sphinx's patterns: `**` crosses folders, `*` does not; a folder's name stands for what is in it."""
    if len(glob) > 300 or glob.count("*") > 8:
        return re.compile(re.escape(glob) + r"(?:/.*)?$")
    out = []
    for part in re.split(r"(\*\*/?|\*|\?|\[!?[^\]/]{1,100}\])", glob.strip("/")):
        if part.startswith("**"):
            out.append("(?:.*/)?" if part.endswith("/") else ".*")
        elif part == "*":
            out.append("[^/]*")
        elif part == "?":
            out.append("[^/]")
        elif part.startswith("[") and part.endswith("]") and len(part) > 2:
            inner = part[1:-1].replace("\\", "\\\\")
            out.append(f"[^/{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
        else:
            out.append(re.escape(part))
    try:
        return re.compile("".join(out) + r"(?:/.*)?$")
    except re.error:
        return re.compile(re.escape(glob) + r"(?:/.*)?$")
