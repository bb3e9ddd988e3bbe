"""AsciiDoc pages outside of Antora, as CommonMark whose lines know their place and whose targets are relative to the page.

What a page draws in, its images and its links are sought where Asciidoctor has them (beside the page that is shown) and, since
authors also read their pages file by file, beside the file that they are written in. Nothing is decided here about what becomes
a step: targets are followed when the page is read as CommonMark.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.template_converter.forms.asciidoc.antora import FAMILIES, INTRINSIC, normal
from agents.template_converter.forms.frontmatter import FrontMatter, split_front_matter
from agents.template_converter.forms.html_blocks import HINT, SOLUTION
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.model import Tree
from shared_services.asciidoc.lines import Line as Written
from shared_services.asciidoc.nodes import Code, Container
from shared_services.asciidoc.pages import Page, read_page, walk
from shared_services.asciidoc.preprocess import Findings, Preprocessor
from shared_services.asciidoc.writer import Writer

ENDINGS: Final = (".adoc", ".asciidoc")
_SITE = re.compile(r"^(?:env|env-site|site-gen.*|page-.*|imagesdir|attachmentsdir|partialsdir|examplesdir)$")
ATTRIBUTES: Final = {name: value for name, value in INTRINSIC.items() if not _SITE.match(name)}
"""What Asciidoctor sets by itself."""
_OTHER_OUTPUT = re.compile(r"env-|backend|basebackend|imagesdir|site-gen|doctype|icons")
_SHOWN: Final = 6
_FOLDERS: Final = ("images", "img", "assets/images", "assets", "_images", "media", "../images", "../assets/images")
"""Where images are that a page names without a folder, because whoever makes the site sets `imagesdir`."""
_RESOURCE = re.compile(r"^(?:(?P<module>[\w-]+):)?(?:(?P<family>[a-z]+)\$)?(?P<path>[^:$]+)$")
_SCHEME = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//|\{\{)")


@dataclass
class Files:
    """What a page includes, from the including file's folder or the page's own.

    Attributes:
        alone: Nothing is included.
        drawn_in: Every file that was found, also one that has nothing to show.
    """

    tree: Tree
    alone: bool = False
    drawn_in: set[str] = field(default_factory=set)

    def text(self, path: str) -> str:
        """The file's text; rows of front matter are blank, so that lines keep their numbers."""
        text = self.tree.read_text(path)
        if not text.startswith(("---\n", "+++\n")):
            return text
        rows = lines_of(text, path)
        taken = len(rows) - len(split_front_matter(rows)[1])
        return "\n" * taken + "\n".join(row.text for row in rows[taken:])

    def resolve(self, target: str, page: str, from_file: str) -> str | None:
        """The file that an include means."""
        folders = ("",) if target.startswith("/") else (posixpath.dirname(from_file), posixpath.dirname(page))
        paths = [normal(f"{folder}/{target}") for folder in folders]
        for path in () if self.alone else (*paths, *of_module(page, target)):
            if path is not None and path in self.tree:
                self.drawn_in.add(path)
                return path
        return None


@dataclass
class AsWritten:
    """Targets as the author wrote them, which are followed when the page is read as CommonMark; anchors as they are there."""

    findings: Findings = field(default_factory=Findings)
    page: Page | None = None

    def link(self, target: str, _line: Written) -> str | None:
        """The target itself."""
        return target

    def xref(self, target: str, line: Written) -> tuple[str | None, str]:
        """A place of this page by its name in the result, another page by its path."""
        page, hash_, anchor = target.partition("#")
        if page.endswith((*ENDINGS, ".md", ".html")):
            return self.other_page(page, hash_ + anchor, line)
        name = anchor if hash_ else page
        if self.page is None:
            return f"#{name}", name
        return f"#{self.page.slugs.get(name, name)}", self.page.titles.get(name, name)

    def other_page(self, page: str, fragment: str, _line: Written) -> tuple[str | None, str]:
        """Where a reference to another page leads, and its text by default."""
        return page + fragment, page

    def image(self, target: str, _line: Written) -> str | None:
        """The target itself."""
        return target

    def variable(self, name: str, _line: Written) -> str:
        """The name as it was written."""
        return f"{{{name}}}"

    def lose(self, kind: str, line: Written, detail: str) -> None:
        """Take note of a loss."""
        self.findings.lose(kind, line, detail)


@dataclass
class Beside(AsWritten):
    """Targets relative to the page that is shown, wherever the line that holds them was drawn in from.

    Attributes:
        variables: Attributes that nobody sets, so that they are filled in at run time.
    """

    tree: Tree = field(kw_only=True)
    path: str = field(kw_only=True)
    variables: dict[str, Written] = field(default_factory=dict)

    def link(self, target: str, line: Written) -> str | None:
        """A file of the repository relative to the page; others as they are."""
        bare, hash_, fragment = target.partition("#")
        if not bare or bare.startswith("/") or _SCHEME.match(target):
            return target
        return (self._near(bare, line, _page_spellings) or bare) + hash_ + fragment

    def other_page(self, page: str, fragment: str, line: Written) -> tuple[str | None, str]:
        """The page relative to this one, and its title."""
        near = self._near(page, line, _page_spellings)
        path = normal(f"{posixpath.dirname(self.path)}/{near}") if near else None
        return (near or page) + fragment, (title_of(self.tree.read_text(path)) if path else "") or page

    def image(self, target: str, line: Written) -> str | None:
        """The image below `imagesdir`, else where it stands without that."""
        named = next((path for path in of_module(self.path, target, "image") if path in self.tree), None)
        if named is not None:
            return posixpath.relpath(named, posixpath.dirname(self.path) or ".")
        if target.startswith("/") or _SCHEME.match(target):
            return target
        folder = line.attributes.get("imagesdir", "").rstrip("/")
        below = f"{folder}/{target}" if folder else target
        if _SCHEME.match(below):
            return below
        found = (self._near(path, line) for path in (below, target, *(f"{name}/{target}" for name in _FOLDERS)))
        return next((path for path in found if path), below)

    def variable(self, name: str, line: Written) -> str:
        """The variable in the neutral form's way."""
        self.variables.setdefault(name, line)
        return f"{{{{{name}}}}}"

    def _near(self, target: str, line: Written, spellings: Callable[[str], tuple[str, ...]] = lambda path: (path,)) -> str | None:
        """The target relative to the page, from its own folder or from that of the file that holds the line."""
        here = posixpath.dirname(self.path)
        for spelling in spellings(target):
            paths = (normal(f"{folder}/{spelling}") for folder in (here, posixpath.dirname(line.file)))
            for path in (*paths, *of_module(self.path, spelling)):
                if path is not None and path in self.tree:
                    return posixpath.relpath(path, here or ".")
        return None


def of_module(page: str, target: str, family: str = "page") -> list[str]:
    """Where Antora has what a page of a module names, also where no `antora.yml` makes a component of it."""
    root, inside, _ = page.rpartition("/pages/")
    match = _RESOURCE.match(target)
    if not inside or match is None:
        return []
    home = f"{posixpath.dirname(root)}/{match['module']}" if match["module"] else root
    folders = FAMILIES.get(match["family"] or family, ())
    found = (normal(f"{home}/{folder}/{match['path']}") for folder in folders)
    return [path for path in found if path is not None]


def _page_spellings(path: str) -> tuple[str, ...]:
    """A page may be linked to as what is made of it."""
    stem = path.removesuffix(".html")
    return (path, *(f"{stem}{ending}" for ending in ENDINGS)) if stem != path else (path,)


def title_of(text: str) -> str:
    """A page's first heading; empty where it has none."""
    found = re.search(r"^(?:=|#)[ \t]+(\S.*)$", text[:20_000], re.MULTILINE)
    return found[1].strip() if found else ""


@dataclass
class Document:
    """A page read.

    Attributes:
        lines: It as CommonMark.
        page: Its blocks and anchors.
        drawn_in: Files that it includes.
        variables: Names that are filled in at run time.
        hidden: Conditions that do not hold, and how many lines of text each hides.
    """

    lines: list[Line]
    page: Page
    findings: Findings
    front: FrontMatter = field(default_factory=FrontMatter)
    drawn_in: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    hidden: Counter[str] = field(default_factory=Counter)


def document_lines(
    tree: Tree,
    path: str,
    around: AsWritten,
    *,
    attributes: Mapping[str, str] = ATTRIBUTES,
    info: Callable[[Code], str] = lambda _: "",
    alone: bool = False,
) -> Document:
    """A page as CommonMark; `info` gives a block of code another info string than its own.

    What folds away under the name of a hint or solution becomes a quote of that name, which is where those are looked for.
    """
    files = Files(tree, alone)
    reader = Preprocessor(files, around.findings, attributes, frozenset(), path)
    written = reader.read()
    page = around.page = read_page(path, written, around)
    for block in walk(page.blocks):
        if isinstance(block, Container) and _is_aside(block):
            block.kind = "sidebar"
    named = {id(block.opening): info(block) for block in walk(page.blocks) if isinstance(block, Code)}
    out: list[Line] = []
    for text, place in Writer(around).page(page.blocks):
        other = named.pop(id(place), "") if "```" in text else ""
        row = re.sub(r"(`{3,}).*$", lambda match, other=other: f"{match[1]}{other}", text) if other else text  # type: ignore[misc]
        out.append(Line(row, place.file if place else path, place.number if place else 0))
    return Document(out, page, around.findings, drawn_in=frozenset(files.drawn_in), hidden=reader.hidden)


def _is_aside(block: Container) -> bool:
    title = block.meta.title.text if block.meta.title else ""
    return "collapsible" in block.meta.options and bool(HINT.match(title) or SOLUTION.match(title))


def read_document(tree: Tree, path: str, *, alone: bool = False) -> Document:
    """A page as CommonMark, with what it says of itself; `alone` leaves out what it includes."""
    around = Beside(tree=tree, path=path)
    here = posixpath.dirname(path)
    own = {"docdir": f"/{here}", "docname": posixpath.basename(path).rpartition(".")[0], "docfile": f"/{path}"}
    document = document_lines(tree, path, around, attributes=ATTRIBUTES | own, alone=alone)
    _tell_hidden(document, path)
    front = split_front_matter(lines_of(tree.read_text(path), path))[0]
    last = document.page.lines[-1].attributes if document.page.lines else {}
    document.front = FrontMatter(
        title=front.title,
        description=front.description or last.get("description", ""),
        minutes=front.minutes,
        tags=front.tags or _words(last.get("keywords", "")),
        authors=front.authors or document.page.authors or _words(last.get("author", "")),
        hidden=front.hidden,
        values=front.values,
    )
    document.variables = frozenset(around.variables)
    return document


def _tell_hidden(document: Document, path: str) -> None:
    """What stands for another kind of output than a page (for GitHub's view, for print) is nobody's loss; the rest is one."""
    parts = {condition: count for condition, count in document.hidden.items() if count and not _OTHER_OUTPUT.search(condition)}
    if parts:
        named = ", ".join(f"`{condition}`" for condition in list(parts)[:_SHOWN])
        more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
        document.findings.lose_at(
            "page",
            path,
            0,
            f"{sum(parts.values())} lines stand behind conditions that do not hold and are left out: {named}{more}.",
        )


def _words(text: str) -> list[str]:
    return [word for part in re.split(r"[,;]", text) if (word := " ".join(part.split()))]
