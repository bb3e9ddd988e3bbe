"""Books whose order is a `SUMMARY.md`: mdBook's and GitBook's configuration, parts, chapters and drafts."""

import json
import posixpath
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from markdown_it.token import Token

from agents.template_converter import signals
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.asciidoc.plain import read_document
from agents.template_converter.forms.lines import Line, lines_of
from agents.template_converter.forms.pages import plain_text
from agents.template_converter.forms.parsing import parse
from agents.template_converter.forms.plain_pages import ENDINGS, README
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

_SUMMARIES = ("SUMMARY.md", "summary.md", "Summary.md")
_OF_GITBOOK = (*_SUMMARIES, "SUMMARY.adoc", "summary.adoc", "SUMMARY.asciidoc")
"""GitBook writes summaries and pages in Markdown or AsciiDoc, one as well as the other in the same book."""
_PARTS_OF_PAGES = re.compile(r"^[A-Za-z][\w+.-]*:|^//")


@dataclass(frozen=True)
class BookPage:
    """A page that the summary names: where it is, what it is called there, and the parts and chapters above it."""

    path: str
    title: str
    chapter: str


@dataclass
class Book:
    """A book and its pages.

    Attributes:
        kind: `mdbook` or `gitbook`.
        config: The file that configures it; empty where there is none.
        summary: The file that lists its pages.
        source: The folder of its pages.
        readme: Its first page, where it is not in the list.
        hidden: For languages of code, the mark of lines that a page hides.
        variables: What templates of an older GitBook fill in; None where its pages are no templates.
    """

    kind: str
    config: str
    summary: str
    source: str
    title: str = ""
    description: str = ""
    authors: list[str] = field(default_factory=list)
    readme: str | None = None
    hidden: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] | None = None
    pages: list[BookPage] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def find_book(tree: Tree, folder: str) -> Book | None:
    """The book in `folder`, or the one whose pages are in it; None where there is none, or none with two pages that are there."""
    for found in (_mdbook(tree, folder), _mdbook_above(tree, folder), _gitbook(tree, folder), _in_one_language(tree, folder)):
        if found is not None:
            _read_summary(tree, found)
            if len(found.pages) >= 2:
                return found
    return None


def _mdbook(tree: Tree, folder: str) -> Book | None:
    config = posixpath.join(folder, "book.toml")
    if config not in tree:
        return None
    try:
        values = tomllib.loads(tree.read_text(config))
    except (tomllib.TOMLDecodeError, RecursionError):
        values = {}
    told = _table(values, "book")
    source = _below(folder, _text(told.get("src")) or "src")
    summary = next((path for name in _SUMMARIES if (path := posixpath.join(source, name)) in tree), None)
    if summary is None:
        return None
    hidden = _table(_table(_table(_table(values, "output"), "html"), "code"), "hidelines")
    return Book(
        "mdbook", config, summary, source,
        title=_text(told.get("title")), description=_text(told.get("description")),
        authors=[_text(name) for name in told.get("authors", []) if _text(name)] if isinstance(told.get("authors"), list) else [],
        hidden={"rust": "#", **{str(name): str(mark) for name, mark in hidden.items() if isinstance(mark, str) and mark}},
    )  # fmt: skip


def _mdbook_above(tree: Tree, folder: str) -> Book | None:
    above = _mdbook(tree, posixpath.dirname(folder)) if folder else None
    return above if above is not None and above.source == folder else None


def _gitbook(tree: Tree, folder: str) -> Book | None:
    """A book of GitBook: configured in one of its two ways, or by its summary alone."""
    config, values = _gitbook_values(tree, folder)
    structure = _table(values, "structure")
    root = _below(folder, _text(values.get("root")))
    named = _text(structure.get("summary"))
    places = [_below(root, named)] if named else []
    places += [posixpath.join(home, name) for home in dict.fromkeys((root, posixpath.join(root, "docs"))) for name in _OF_GITBOOK]
    summary = next((path for path in places if path in tree), None)
    if summary is None:
        return None
    source = root if named else posixpath.dirname(summary)
    readme = _text(structure.get("readme"))
    firsts = [_below(source, readme)] if readme else []
    firsts += [posixpath.join(posixpath.dirname(summary), name) for name in README]
    return Book(
        "gitbook", config, summary, posixpath.dirname(summary),
        title=_text(values.get("title")), description=_text(values.get("description")),
        authors=[author] if (author := _text(values.get("author"))) else [],
        readme=next((path for path in firsts if path in tree and path != summary), None),
        variables=_variables(config, values),
    )  # fmt: skip


def _variables(config: str, values: dict[str, Any]) -> dict[str, str] | None:
    if not config.endswith(".json"):
        return None
    told = _table(values, "variables")
    return {f"book.{name}": str(value) for name, value in told.items() if isinstance(value, str | int | float)}


def _in_one_language(tree: Tree, folder: str) -> Book | None:
    """A GitBook with a book for each language, named in `LANGS.md`: the English one, else the first."""
    path = posixpath.join(folder, "LANGS.md")
    if path not in tree:
        return None
    links = re.findall(r"\]\(([\w./-]+)\)", tree.read_text(path)[:20_000])
    homes = [home for home in dict.fromkeys(_below(folder, link) for link in links) if home != folder and _gitbook(tree, home)]
    chosen = next((home for home in homes if posixpath.basename(home).lower() in ("en", "en-us", "en-gb", "english")), "")
    chosen = chosen or next(iter(homes), "")
    book = _gitbook(tree, chosen) if chosen else None
    if book is not None and book.variables is None:
        config, values = _gitbook_values(tree, folder)
        told = _variables(config, values)
        book.config = book.config or config
        book.variables = None if told is None else {**told, "book.language": posixpath.basename(chosen)}
    if book is not None and len(homes) > 1:
        others = ", ".join(f"`{home}`" for home in homes if home != chosen)
        said = f"The book is there in {len(homes)} languages; `{chosen}` is read."
        detail = f"{said} The others are {others}: name one with --path."
        book.losses.append(Loss(kind="page", source=path, line=0, detail=detail))
    return book


def _gitbook_values(tree: Tree, folder: str) -> tuple[str, dict[str, Any]]:
    for name in (".gitbook.yaml", ".gitbook.yml", "book.json"):
        path = posixpath.join(folder, name)
        if path not in tree:
            continue
        try:
            values = json.loads(tree.read_text(path)) if name == "book.json" else load_plain(tree.read_text(path))
        except (UnsafeYamlError, ValueError, RecursionError):
            values = None
        return path, values if isinstance(values, dict) else {}
    return "", {}


def _read_summary(tree: Tree, book: Book) -> None:
    _Summary(tree, book).read()
    if book.readme and all(page.path != book.readme for page in book.pages):
        book.pages.insert(0, BookPage(book.readme, "", ""))


@dataclass
class _Summary:
    tree: Tree
    book: Book
    part: str = ""
    labels: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def read(self) -> None:
        tokens = parse(_lines(self.tree, self.book.summary)).tokens
        begun = False
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                # The first heading is the summary's own title; later ones name parts.
                title = plain_text(tokens[index + 1])
                self.part = title if begun or token.tag != "h1" else ""
                begun = True
            elif token.type == "hr":
                self.part = ""
            elif token.type == "list_item_open":
                self.labels.append("")
            elif token.type == "list_item_close":
                self.labels.pop()
            elif token.type == "inline" and not (index and tokens[index - 1].type == "heading_open"):
                begun = True
                self._entries(tokens, index)

    def _entries(self, tokens: list[Token], index: int) -> None:
        token = tokens[index]
        if self.labels and not self.labels[-1]:
            self.labels[-1] = " ".join(plain_text(token).split())
        after = tokens[index + 2] if index + 2 < len(tokens) else None
        holds = after is not None and after.type in ("bullet_list_open", "ordered_list_open")
        above = self.labels if holds else self.labels[:-1]
        chapter = " / ".join(part for part in (self.part, *above) if part)
        line = token.map[0] + 1 if token.map else 0
        children = token.children or []
        for at, child in enumerate(children):
            if child.type == "softbreak":
                line += 1
            elif child.type == "link_open":
                words = "".join(inner.content for inner in children[at + 1 : _link_end(children, at)])
                self._entry(" ".join(words.split()), str(child.attrGet("href") or ""), chapter, line)

    def _entry(self, title: str, target: str, chapter: str, line: int) -> None:
        bare = unquote(target).partition("#")[0].partition("?")[0]
        if not target:
            self._lose(line, f"“{title}” is a chapter that is not written yet; it is no step.")
        elif _PARTS_OF_PAGES.match(target):
            self._lose(line, f"The summary's entry “{title}” leads to {target}, which is no page of the workshop.")
        elif bare or target == "/":
            path = self._find(bare)
            if path is None and self._wanted(bare) == self.book.summary:
                self._lose(line, "The summary names itself; it gives the order and is no step.")
            elif path is None:
                wanted = self._wanted(bare)
                absent = self.tree.absent.get(wanted)
                said = f"The summary names `{wanted}`, which is not there{': ' + absent if absent else ''}."
                self.book.broken.append(Broken(kind="page", source=self.book.summary, line=line, target=target, detail=said))
            elif path not in self.seen:
                self.seen.add(path)
                self.book.pages.append(BookPage(path, title, chapter))
            elif "#" not in target:
                self._lose(line, f"The summary names `{path}` again; it is one step, at its first place.")

    def _wanted(self, target: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.book.summary), target.lstrip("/")))

    def _find(self, target: str) -> str | None:
        home = posixpath.dirname(self.book.summary)
        path = posixpath.normpath(posixpath.join(home, target.lstrip("/"))) if target.strip("/") else home
        kinds = signals.MARKDOWN if self.book.kind == "mdbook" else ENDINGS
        made = [path.removesuffix(".html") + ending for ending in kinds] if path.endswith(".html") else []
        spellings = (path, f"{path}.md", *made, *(posixpath.join(path, name) for name in README))
        found = (name for name in spellings if name in self.tree and name.lower().endswith(kinds))
        return next((name for name in found if name != self.book.summary), None)

    def _lose(self, line: int, detail: str) -> None:
        self.book.losses.append(Loss(kind="page", source=self.book.summary, line=line, detail=detail))


def _lines(tree: Tree, summary: str) -> list[Line]:
    if summary.lower().endswith(ASCIIDOC):
        return read_document(tree, summary, alone=True).lines
    return lines_of(tree.read_text(summary), summary)


def _link_end(children: list[Token], at: int) -> int:
    depth = 0
    for index in range(at, len(children)):
        depth += (children[index].type == "link_open") - (children[index].type == "link_close")
        if depth == 0:
            return index
    return len(children)


def _table(values: Any, name: str) -> dict[str, Any]:
    found = values.get(name) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return " ".join(value.split())[:500] if isinstance(value, str) else ""


def _below(folder: str, path: str) -> str:
    """A path that a configuration names; where it leads out of the source, the folder itself."""
    joined = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
    return folder if joined.startswith("..") else "" if joined == "." else joined
