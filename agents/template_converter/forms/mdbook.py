"""What mdBook writes that CommonMark does not know: files that are drawn in, hidden lines of code, boxes and listings."""

import posixpath
import re
from dataclasses import dataclass, field

from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.forms.book import Book
from agents.template_converter.forms.book_templates import Templates
from agents.template_converter.forms.frontmatter import split_front_matter
from agents.template_converter.forms.gitbook import convert_gitbook
from agents.template_converter.forms.lines import Line, lines_of, outside_fences
from agents.template_converter.forms.pages import Page, load_page, make_page
from agents.template_converter.forms.tags import attributes_of
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Broken, Loss

_LINK = re.compile(
    r"(?P<escape>\\?)\{\{[ \t]*+#(?P<kind>include|rustdoc_include|playground|playpen|title)[ \t]++"
    r"(?P<rest>(?:[^{}\n]*[^{} \t\n])?)[ \t]*+\}\}"
)
_SPEC = re.compile(r"^(?P<path>.*?)(?::(?P<first>\d*)(?P<range>:(?P<last>\d*))?|:(?P<anchor>[\w-]+))?$")
_ANCHOR = re.compile(r"ANCHOR(?P<end>_END)?:[ \t]*(?P<name>[\w-]+)")
_OPEN = re.compile(r"^(?P<indent>[ \t>]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_OWN_MARK = re.compile(r",?hidelines=[^\s,]+")
_HIDELINES = re.compile(r"hidelines=([^\s,]+)")
_ADMONISH = re.compile(r"^admonish(?:[ \t]+(?P<kind>[a-z-]+))?(?P<rest>.*)$")
_LISTING = re.compile(r"^(?P<indent>[ \t]*)<Listing\b(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>[ \t]*$")
_LISTING_END = re.compile(r"^[ \t]*</Listing>[ \t]*$")
_MAX_DEPTH = 10
_MAX_LINES = 200_000


@dataclass
class BookReader:
    """Reads the pages of a book; what cannot be drawn in, and what is hidden, stands in `losses` and `broken`."""

    tree: Tree
    book: Book
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    drawn: int = 0
    hidden: dict[str, int] = field(default_factory=dict)

    def page(self, path: str) -> Page:
        """A page of the book."""
        if path.lower().endswith(ASCIIDOC):
            return load_page(self.tree, path)
        if self.book.variables is not None:
            templates = Templates(self.tree, self.book.source, self.book.variables, self.broken)
            lines = templates.fill(path)
        else:
            lines = lines_of(self.tree.read_text(path), path)
        if self.book.kind == "mdbook":
            lines = self._expand(lines, (path,))
        front, lines = split_front_matter(lines)
        if self.book.kind == "mdbook":
            lines = self._shown(_boxed(_listings(lines)), path)
        return make_page(path, front, convert_gitbook(lines), mkdocs=False)

    def _expand(self, lines: list[Line], above: tuple[str, ...]) -> list[Line]:
        out: list[Line] = []
        for line in lines:
            match = _LINK.search(line.text) if "{{" in line.text else None
            if match is None:
                out.append(line)
            elif match["escape"]:
                out.append(line.with_text(line.text.replace("\\{{#", "{{#")))
            elif match["kind"] == "title":
                out.append(line.with_text(line.text[: match.start()] + line.text[match.end() :]))
            else:
                out += self._drawn(line, match, above)
        return out

    def _drawn(self, line: Line, match: re.Match[str], above: tuple[str, ...]) -> list[Line]:
        playground = match["kind"] in ("playground", "playpen")
        target, _, attributes = match["rest"].partition(" ")
        part = self._part(line, target, above)
        if part is None:
            return [line.with_text(line.text[: match.start()] + line.text[match.end() :])]
        indent = line.text[: match.start()] if not line.text[: match.start()].strip(" \t>") else ""
        before, after = line.text[: match.start()], line.text[match.end() :]
        rows = [row.with_text(indent + row.text if row.text else indent.rstrip()) for row in part]
        if playground:
            info = ",".join(["rust", *attributes.split()])
            return [line.made(f"{indent}```{info}"), *rows, line.made(f"{indent}```{after}")]
        if before.strip(" \t>") or after.strip():
            text = " ".join(row.text.strip() for row in part)
            return [line.with_text(before + text + after)]
        return rows

    def _part(self, line: Line, target: str, above: tuple[str, ...]) -> list[Line] | None:
        match = _SPEC.match(target)
        assert match is not None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(above[-1]), match["path"]))
        if path not in self.tree:
            outside = "It points outside of the source." if path.startswith("..") else "There is no such file to draw in."
            self._missing(line, target, self.tree.absent.get(path, outside))
            return None
        if path in above or len(above) >= _MAX_DEPTH:
            self._missing(line, target, "The files draw each other in without end; this one is left out.")
            return None
        part = _selected(lines_of(self.tree.read_text(path), path), match)
        if not part and match["anchor"]:
            self._missing(line, target, f"{path} has no part named `{match['anchor']}`.")
            return None
        self.drawn += len(part)
        if self.drawn > _MAX_LINES:
            self._missing(line, target, f"More than {_MAX_LINES} lines are drawn in; this file is left out.")
            return None
        return self._expand(part, (*above, path))

    def _missing(self, line: Line, target: str, why: str) -> None:
        self.broken.append(Broken(kind="include", source=line.file, line=line.number, target=target, detail=why))

    def _shown(self, lines: list[Line], path: str) -> list[Line]:
        """The lines without those that blocks of code hide until somebody asks for them."""
        out: list[Line] = []
        mark = ""
        hidden = 0
        before = False
        for _, line, inside in outside_fences(lines):
            opening = _OPEN.match(line.text) if inside and not before else None
            if opening:
                mark = self._mark(opening["info"])
            shown = line if not inside or opening or not mark else _without_mark(line, mark)
            hidden += shown is None
            if shown is not None:
                out.append(shown.with_text(_OWN_MARK.sub("", shown.text)) if opening else shown)
            before = inside and not (before and not opening and bool(re.fullmatch(r"[\s>]*(?:`{3,}|~{3,})\s*", line.text)))
        if hidden:
            self.hidden[path] = self.hidden.get(path, 0) + hidden
        return out

    def hidden_loss(self) -> list[Loss]:
        """One row for the lines of code that the book's pages hide."""
        if not self.hidden:
            return []
        count, most = sum(self.hidden.values()), max(self.hidden, key=lambda path: self.hidden[path])
        many = f"{count} lines of code in {len(self.hidden)} pages" if len(self.hidden) > 1 else f"{count} lines of code"
        detail = f"{many} that the book hides until they are asked for are left out; this page has most of them."
        return [Loss(kind="hidden", source=most, line=0, detail=detail)]

    def _mark(self, info: str) -> str:
        own = _HIDELINES.search(info)
        language = re.split(r"[,\s{]", info.strip())[0].lower()
        return own[1] if own else self.book.hidden.get(language, "")


def _without_mark(line: Line, mark: str) -> Line | None:
    """The line as a page shows it; None where it is hidden."""
    text = line.text.lstrip(" \t>")
    if not text.startswith(mark):
        return line
    lead, rest = line.text[: len(line.text) - len(text)], text[len(mark) :]
    if mark != "#":
        return None
    if rest.startswith("#"):
        return line.with_text(lead + rest)
    return None if not rest or rest.startswith(" ") else line


def _selected(lines: list[Line], match: re.Match[str]) -> list[Line]:
    if match["anchor"]:
        out: list[Line] = []
        taking = False
        for line in lines:
            anchor = _ANCHOR.search(line.text)
            if anchor and anchor["name"] == match["anchor"]:
                taking = not anchor["end"]
            elif taking and not anchor:
                out.append(line)
        return out
    if match["first"] is None:
        return lines
    first = int(match["first"][:9] or 1)
    if match["range"] is None:
        return lines[max(first - 1, 0) : first]
    last = int(match["last"][:9]) if match["last"] else len(lines)
    return lines[max(first - 1, 0) : last]


def _boxed(lines: list[Line]) -> list[Line]:
    """Blocks of mdbook-admonish as quotes with a bold label."""
    out: list[Line] = []
    row = 0
    while row < len(lines):
        match = _OPEN.match(lines[row].text)
        box = _ADMONISH.match(match["info"].strip()) if match else None
        closing = re.compile(rf"^[ \t>]*{re.escape(match['mark'][0])}{{{len(match['mark'])},}}[ \t]*$") if match else None
        if match and closing:
            end = next((at for at in range(row + 1, len(lines)) if closing.match(lines[at].text)), len(lines) - 1)
            if box is None:
                out += lines[row : end + 1]
            else:
                indent = match["indent"]
                title = re.search(r"\"([^\"]*)\"", box["rest"])
                label = title[1] if title else (box["kind"] or "note").replace("-", " ").capitalize()
                body = _boxed([line.with_text(line.text.removeprefix(indent)) for line in lines[row + 1 : end]])
                out += [lines[row].with_text(f"{indent}> **{label}**"), lines[row].made(f"{indent}>")] if label else []
                out += [line.with_text(f"{indent}> {line.text}".rstrip()) for line in body] + [lines[end].made("")]
            row = end + 1
            continue
        out.append(lines[row])
        row += 1
    return out


def _listings(lines: list[Line]) -> list[Line]:
    """Numbered listings: their file's name above the code, their number and caption below it."""
    out: list[Line] = []
    caption = ""
    for _, line, inside in outside_fences(lines):
        match = None if inside else _LISTING.match(line.text)
        if match:
            given = attributes_of(match["attributes"])
            number, words = given.get("number", ""), given.get("caption", "")
            caption = f"*Listing {number}*: {words}".rstrip(": ") if number else words
            out.append(line.with_text(f"{match['indent']}**{given['file-name']}**" if given.get("file-name") else ""))
        elif not inside and _LISTING_END.match(line.text):
            out.append(line.with_text(caption))
            caption = ""
        else:
            out.append(line)
    return out
