"""Hugo's shortcodes in CommonMark: notices as quotes, tabs as headed sections, code and diagrams as fences.

Shortcodes are expanded before Markdown is read, as Hugo does it. What is not known here stays as text, and is listed where
macros are.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import Line, outside_fences, trimmed
from shared_services.contracts.conversion import Broken, Loss

TAG = re.compile(
    r"\{\{(?P<mark>[<%])[ \t]*+(?P<close>/?)[ \t]*+(?P<name>[A-Za-z][\w./-]*)(?P<arguments>(?:[ \t]++|(?=\"))"
    r"(?:\"[^\"\n]*\"|`[^`\n]*`|[^{}\"`\n])*?(?<![ \t]))??[ \t]*+(?P<empty>/?)[ \t]*+[>%]\}\}"
)
_ESCAPED = re.compile(r"\{\{([<%])/\*(.{0,2000}?)\*/([>%])\}\}")
_ARGUMENT = re.compile(
    r"(?:(?P<key>[\w-]+)[ \t]*=[ \t]*)?(?:\"(?P<quoted>[^\"]*)\"|`(?P<raw>[^`]*)`|'(?P<single>[^']*)'|(?P<bare>[^\s\"`]+))"
)
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_MAX_DEPTH = 12

OUTPUT = "text output"
"""Info string of a block that shows what a command prints."""

NOTICES = frozenset(
    {
        "notice", "alert", "callout", "hint", "admonition", "note", "tip", "info", "warning", "important", "caution", "danger",
        "pageinfo", "success", "error", "attention", "box", "panel", "blockquote", "aside", "message", "exercise", "task", "todo",
    }
)  # fmt: skip
_FOLDS = frozenset(
    {
        "expand",
        "details",
        "collapse",
        "collapsible",
        "accordion",
        "spoiler",
        "solution",
        "answer",
        "hidden-solution",
        "detail-tag",
    }
)
_TABS = frozenset({"tabs", "tabpane", "tabgroup", "codetabs", "code-tabs", "tabset"})
_TAB = frozenset({"tab", "tabitem", "codetab", "code-tab", "tabbed"})
_CODE = frozenset({"highlight", "code", "codeblock", "output", "command", "terminal", "console", "prompt", "cmd", "shell"})
_DIAGRAMS = frozenset({"mermaid", "plantuml", "graphviz"})
_WRAPPERS = frozenset(
    {
        "columns",
        "column",
        "steps",
        "step",
        "div",
        "section",
        "center",
        "centered",
        "cards",
        "row",
        "col",
        "card",
        "blocks/section",
        "blocks/cover",
        "blocks/lead",
        "blocks/feature",
        "rawhtml",
        "raw",
        "markdown",
        "accordions",
    }
)
_PAIRED = NOTICES | _FOLDS | _TABS | _TAB | _CODE | _DIAGRAMS | _WRAPPERS | {"button", "link", "attachments"}
_STAND_ALONE = _TAB | {"button", "link", "attachments"}
"""Paired ones that are whole without their partner too."""
_SILENT = frozenset({"nextprevlinks", "nextprev", "prevnext", "pagenav"})
"""Shortcodes that only lead to other pages, as steps do by themselves."""
_KINDS = frozenset(
    {"note", "info", "tip", "warning", "important", "caution", "danger", "success", "error", "primary", "secondary"}
)


@dataclass
class Surroundings:
    """What shortcodes of a page ask their site for.

    Attributes:
        include: The lines of a file that the page draws in by a name; None where there is none.
        address: The target that a page of the site is linked by, for a name as `ref` takes it; None where there is none.
        children: Title and target of each page below this one.
        attachments: Names and targets of the files that lie beside the page for it.
        parameter: A value of the site's or the page's parameters.
    """

    include: Callable[[str], list[Line] | None] = field(default=lambda name: None)
    address: Callable[[str], str | None] = field(default=lambda name: None)
    children: Callable[[], list[tuple[str, str]]] = field(default=list)
    attachments: Callable[[], list[tuple[str, str]]] = field(default=list)
    parameter: Callable[[str], str | None] = field(default=lambda name: None)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


@dataclass(frozen=True)
class Tag:
    """A shortcode's tag: its name, and its arguments by key or place (`"0"`, `"1"`, ...)."""

    name: str
    arguments: dict[str, str]
    closes: bool
    empty: bool
    text: str

    def get(self, *keys: str) -> str:
        """The first of these arguments that is given; empty where none is."""
        return next((self.arguments[key] for key in keys if self.arguments.get(key)), "")


def read_tag(match: re.Match[str]) -> Tag:
    """A tag that `TAG` has matched."""
    arguments: dict[str, str] = {}
    place = 0
    for found in _ARGUMENT.finditer(match["arguments"] or ""):
        value = next((found[name] for name in ("quoted", "raw", "single", "bare") if found[name] is not None), "")
        if found["key"]:
            arguments[found["key"].lower()] = value
        else:
            arguments[str(place)] = value
            place += 1
    return Tag(match["name"].lower(), arguments, bool(match["close"]), bool(match["empty"]), match[0])


def convert_shortcodes(lines: list[Line], around: Surroundings, *, depth: int = 0, level: int = 1) -> list[Line]:
    """`lines` with every known shortcode in CommonMark; tabs get headings one below `level`."""
    if depth > _MAX_DEPTH:
        return lines
    rows = list(_apart(lines))
    inside = [flag for _, _, flag in outside_fences([line for line, _ in rows])]
    out: list[Line] = []
    row = 0
    while row < len(rows):
        line, tag = rows[row]
        if inside[row] or tag is None:
            heading = None if inside[row] else _HEADING.match(line.text)
            level = len(heading[1]) if heading else level
            out += (
                [_unescaped(_filled(line, around))]
                if inside[row]
                else _listed(line, around) or [_unescaped(_single(line, around))]
            )
            row += 1
            continue
        end = None if tag.closes or tag.empty else _end(rows, inside, row, tag.name)
        if end is None:
            # A tag that is never closed, or closes nothing: a tab that draws a file in, or the page's own mistake.
            out += _alone(line, tag, around, depth, level)
            row += 1
            continue
        body = [each for each, _ in rows[row + 1 : end]]
        out += _block(line, tag, body, around, depth, level)
        row = end + 1
        if row < len(rows) and not rows[row][0].blank and out and not out[-1].blank:
            out.append(line.made(""))
    return out


def _apart(lines: list[Line]) -> Iterator[tuple[Line, Tag | None]]:
    """The lines with each tag of a paired shortcode on a line of its own, as far as it stands outside of fences and comments.

    A shortcode that the page never closes is no pair here: it may stand in the midst of a heading.
    """
    commented = False
    closed = {match["name"].lower() for line in lines for match in TAG.finditer(line.text) if match["close"]}
    for _, line, inside in outside_fences(lines):
        opens = not inside and "<!--" in line.text
        commented = commented or opens
        if inside or commented or "{{" not in line.text:
            commented = commented and "-->" not in line.text.rpartition("<!--")[2]
            yield line, None
            continue
        at = 0
        indent = re.match(r"[ \t]*", line.text)[0]  # type: ignore[index]
        for match in TAG.finditer(line.text):
            tag = read_tag(match)
            if tag.name not in _PAIRED & (closed | _STAND_ALONE) or _in_code(line.text, match.start()):
                continue
            before = line.text[at : match.start()]
            if before.strip():
                yield line.with_text(before if at == 0 else indent + before.strip()), None
            yield line.with_text(indent + tag.text), tag
            at = match.end()
        rest = line.text[at:]
        if at == 0 or rest.strip():
            yield line.with_text(rest if at == 0 else indent + rest.strip()), None


def _in_code(text: str, place: int) -> bool:
    return text[:place].count("`") % 2 == 1 and "`" in text[place:]


def _end(rows: list[tuple[Line, Tag | None]], inside: list[bool], first: int, name: str) -> int | None:
    depth = 0
    for row in range(first, len(rows)):
        tag = rows[row][1]
        # A fence that is opened in a shortcode and never closed must not swallow the page: tags count wherever they stand.
        if tag is None or tag.name != name or tag.empty or inside[row]:
            continue
        depth += -1 if tag.closes else 1
        if depth == 0:
            return row
    return None


def _block(line: Line, tag: Tag, body: list[Line], around: Surroundings, depth: int, level: int) -> list[Line]:
    indent = line.text[: len(line.text) - len(line.text.lstrip())]

    def below(rows: list[Line]) -> list[Line]:
        return convert_shortcodes(rows, around, depth=depth + 1, level=level)

    if tag.name in NOTICES:
        return _quoted(line, indent, _notice_title(tag), _stripped(below(body), indent))
    if tag.name in _FOLDS:
        title = tag.get("title", "summary", "label", "0") or tag.name.replace("-", " ").capitalize()
        return [
            line.with_text(f"{indent}<details>"),
            line.made(f"{indent}<summary>{title}</summary>"),
            line.made(""),
            *below(trimmed(body)),
            line.made(""),
            line.made(f"{indent}</details>"),
        ]
    if tag.name in _TAB:
        return _tab(line, tag, body, around, depth, level)
    if tag.name in _CODE or tag.name in _DIAGRAMS:
        return _fenced(line, indent, tag, body)
    if tag.name in ("button", "link"):
        words = " ".join(" ".join(each.text.split()) for each in body).strip()
        return [_linked(line, indent, words, tag.get("href", "url", "link", "0"), around)]
    if tag.name == "attachments":
        return [*_attached(line, tag, around), *below(body)]
    return [line.made(""), *below(body), line.made("")]


def _stripped(rows: list[Line], indent: str) -> list[Line]:
    return trimmed([row.with_text(row.text.removeprefix(indent)) for row in rows])


def _notice_title(tag: Tag) -> str:
    title = tag.get("title", "header", "1")
    kind = tag.get("type", "style", "kind", "color", "0").lower()
    named = kind if kind in _KINDS else kind if tag.name == "notice" and kind else tag.name
    return title or {"pageinfo": "", "box": "", "panel": "", "blockquote": "", "aside": ""}.get(named, named.capitalize())


def _quoted(line: Line, indent: str, title: str, body: list[Line]) -> list[Line]:
    out = [line.with_text(f"{indent}> **{title.replace('**', '').strip()}**")] if title else []
    if out and body:
        out.append(line.made(f"{indent}>"))
    return out + [row.with_text(f"{indent}> {row.text}" if not row.blank else f"{indent}>") for row in body]


def _tab(line: Line, tag: Tag, body: list[Line], around: Surroundings, depth: int, level: int) -> list[Line]:
    indent = line.text[: len(line.text) - len(line.text.lstrip())]
    title = tag.get("name", "header", "title", "text", "0") or "Tab"
    language = tag.get("codelang", "lang", "language")
    below = min(level + 1, 6)
    head = [line.made(""), line.with_text(f"{indent}{'#' * below} {title}"), line.made("")]
    drawn = tag.get("include")
    if drawn:
        included = around.include(drawn)
        if included is None:
            _missing(line, drawn, around)
        body = included or body
    if language and not any(row.text.lstrip().startswith(("```", "~~~")) for row in body):
        return [*head, *_fence(line, indent, language, body), line.made("")]
    return [*head, *convert_shortcodes(trimmed(body), around, depth=depth + 1, level=below), line.made("")]


def _fenced(line: Line, indent: str, tag: Tag, body: list[Line]) -> list[Line]:
    if any(row.text.lstrip().startswith(("```", "~~~")) for row in body):
        return [line.made(""), *body, line.made("")]
    shell = tag.name in ("command", "terminal", "console", "prompt", "cmd", "shell")
    language = tag.name if tag.name in _DIAGRAMS else tag.get("lang", "language", "0") or ("bash" if shell else "text")
    if tag.name == "output":
        language = OUTPUT
    return _fence(line, indent, language, body)


def _fence(line: Line, indent: str, language: str, body: list[Line]) -> list[Line]:
    body = trimmed(body)
    longest = max((len(run) for row in body for run in re.findall(r"`{3,}", row.text)), default=2)
    mark = "`" * (longest + 1)
    rows = [row if row.text.startswith(indent) or row.blank else row.with_text(indent + row.text) for row in body]
    return [line.with_text(f"{indent}{mark}{language}"), *rows, line.made(f"{indent}{mark}")]


def _linked(line: Line, indent: str, words: str, target: str, around: Surroundings) -> Line:
    text = re.sub(r"\{\{.{0,500}?\}\}", "", words) or target
    return line.with_text(f"{indent}[{text}]({_target(around.address(target) or target)})" if target else f"{indent}**{text}**")


def _target(address: str) -> str:
    return f"<{address}>" if re.search(r"[\s()]", address) else address


def _alone(line: Line, tag: Tag, around: Surroundings, depth: int, level: int) -> list[Line]:
    """A tag without its partner."""
    if tag.name in _TAB and tag.get("include"):
        return _tab(line, tag, [], around, depth, level)
    if tag.name in ("button", "link") and not tag.closes:
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        return [_linked(line, indent, tag.get("text", "label", "title", "1"), tag.get("href", "url", "link", "0"), around)]
    if tag.name == "attachments" and not tag.closes:
        return _attached(line, tag, around)
    return [line]


def _single(line: Line, around: Surroundings) -> Line:
    """A line's shortcodes that stand alone."""
    if "{{" not in line.text:
        return line
    rows = line.text

    def made(match: re.Match[str]) -> str:
        tag = read_tag(match)
        # Hugo fills parameters in wherever they stand; the other shortcodes a page may show in code.
        if tag.closes or (_in_code(rows, match.start()) and tag.name not in _PARAMETERS):
            return match[0]
        if tag.name in _SILENT:
            return ""
        make = _INLINE.get(tag.name)
        text = make(tag, line, around) if make else None
        return match[0] if text is None else text

    return line.with_text(TAG.sub(made, rows))


def _filled(line: Line, around: Surroundings) -> Line:
    """A line of code with the site's parameters filled in."""

    def made(match: re.Match[str]) -> str:
        tag = read_tag(match)
        value = _parameter(tag, line, around) if tag.name in _PARAMETERS and not tag.closes else None
        return match[0] if value is None else value

    return line.with_text(TAG.sub(made, line.text)) if "{{" in line.text else line


def _ref(tag: Tag, line: Line, around: Surroundings) -> str | None:
    name = tag.get("path", "0")
    address = around.address(name)
    if address is None:
        _missing(line, name, around, "page")
        return name
    return address


def _figure(tag: Tag, _line: Line, _around: Surroundings) -> str | None:
    source = tag.get("src", "source", "image", "url", "0")
    if not source:
        return None
    words = tag.get("alt", "title", "caption") or source.rpartition("/")[2].rpartition(".")[0]
    caption = tag.get("caption", "title")
    return f"![{words}]({_target(source)})" + (f" *{caption.replace('*', '')}*" if caption else "")


def _video(place: str) -> Callable[[Tag, Line, Surroundings], str | None]:
    def made(tag: Tag, _line: Line, _around: Surroundings) -> str | None:
        name = tag.get("id", "0")
        return f"[Video: {place}{name}]({place}{name})" if re.fullmatch(r"[\w-]+", name) else None

    return made


def _gist(tag: Tag, _line: Line, _around: Surroundings) -> str | None:
    address = f"https://gist.github.com/{tag.get('0')}/{tag.get('1')}"
    return f"[{address}]({address})" if tag.get("1") else None


def _listed(line: Line, around: Surroundings) -> list[Line]:
    """The pages below this one, where the line is the shortcode that lists them; empty where it is not."""
    match = TAG.fullmatch(line.text.strip()) if "children" in line.text else None
    if match is None or read_tag(match).name != "children":
        return []
    rows = list(map(_item, around.children()))
    return [line.with_text(row) if number == 0 else line.made(row) for number, row in enumerate(rows)] or [line.with_text("")]


def _attached(line: Line, tag: Tag, around: Surroundings) -> list[Line]:
    """The files of a page as a list of links; the theme shows the same with their icons."""
    rows = list(map(_item, around.attachments()))
    if not rows:
        detail = "Nothing lies beside the page for its list of attachments."
        around.losses.append(Loss(kind="macro", source=line.file, line=line.number, detail=detail))
        return [line.with_text("")]
    indent = line.text[: len(line.text) - len(line.text.lstrip())]
    title = tag.get("title") or "Attachments"
    return [line.with_text(f"{indent}**{title}**"), line.made(""), *(line.made(indent + row) for row in rows), line.made("")]


def _item(row: tuple[str, str]) -> str:
    return f"- [{row[0].replace('[', '(').replace(']', ')')}]({_target(row[1])})"


def _parameter(tag: Tag, _line: Line, around: Surroundings) -> str | None:
    return around.parameter(tag.get("name", "0"))


def _missing(line: Line, target: str, around: Surroundings, kind: str = "include") -> None:
    detail = f"There is no {'page' if kind == 'page' else 'file'} `{target}` in the site's content."
    around.broken.append(Broken(kind=kind, source=line.file, line=line.number, target=target, detail=detail))


_PARAMETERS = frozenset({"siteparam", "param"})
_INLINE: dict[str, Callable[[Tag, Line, Surroundings], str | None]] = {
    "ref": _ref,
    "relref": _ref,
    "figure": _figure,
    "img": _figure,
    "image": _figure,
    "imgproc": _figure,
    "youtube": _video("https://www.youtube.com/watch?v="),
    "vimeo": _video("https://vimeo.com/"),
    "gist": _gist,
    "siteparam": _parameter,
    "param": _parameter,
    "task": lambda _tag, _line, _around: "Task:",
}
INCLUDES = frozenset({"include", "readfile", "includefile", "insert-md-from-file", "snippet", "embed", "import"})


def expand_includes(lines: list[Line], around: Surroundings, above: tuple[str, ...] = ()) -> list[Line]:
    """`lines` with the files that `include` and its like name in place, each line with the file it comes from."""
    out: list[Line] = []
    for _, line, _inside in outside_fences(lines):
        match = TAG.search(line.text) if "{{" in line.text else None
        tag = read_tag(match) if match and match[0].strip() == line.text.strip() else None
        name = tag.get("file", "path", "src", "0") if tag and tag.name in INCLUDES and not tag.closes else ""
        if tag is None or not name:
            out.append(line)
            continue
        found = None if name in above or len(above) >= _MAX_DEPTH else around.include(name)
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        if found is None:
            _missing(line, name, around)
        elif tag.get("code") == "true" or tag.get("lang", "language"):
            out += _fence(line, indent, tag.get("lang", "language") or "text", found)
        else:
            drawn = expand_includes(found, around, (*above, name))
            out += [row.with_text(indent + row.text if row.text else "") for row in drawn]
    return out


def _unescaped(line: Line) -> Line:
    """`{{</* x */>}}`, by which a page shows a shortcode, as the shortcode."""
    return line.with_text(_ESCAPED.sub(r"{{\1\2\3}}", line.text)) if "{{" in line.text else line
