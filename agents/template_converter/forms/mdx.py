"""What MDX and Docusaurus write that CommonMark does not know: imports, comments, admonitions, tabs, and components of pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.template_converter.forms.jsx_indent import without_habit
from agents.template_converter.forms.lines import Line, outside_fences, trimmed, without_enclosed
from shared_services.contracts.conversion import Broken, Loss

_IMPORT = re.compile(r"""^import\s++(?:(?P<name>\w+)|[\w{},*\s]+?)(?<!\s)\s++from\s++["'](?P<target>[^"']+)["'];?\s*$""")
_SIDE_EFFECT = re.compile(r"""^import\s+["'][^"']+["'];?\s*$""")
_EXPORT = re.compile(r"^export\s+(?:const|let|var|function|default|async)\b")
_COMPONENT = re.compile(r"^(?P<indent>[ \t]*)<(?P<name>[A-Z]\w*+)(?P<attributes>[^<>]*?)(?:/>|></(?P=name)>)[ \t]*$")
_ADMONITION = re.compile(
    r"^(?P<indent>[ \t]*+)(?P<mark>:{3,}+)[ \t]*+(?P<kind>[A-Za-z][\w-]*)[ \t]*+"
    r"(?:\[(?P<bracket>[^\]]*)\]|(?P<title>[^{\[](?:[^{]*[^{ \t])?)?)[ \t]*+(?:\{[^}]*\})?[ \t]*+$"
)
_TABS = re.compile(r"^(?P<indent>[ \t]*)</?Tabs\b[^>]*>[ \t]*$")
_TAB = re.compile(r"^(?P<indent>[ \t]*)<TabItem\b(?P<attributes>[^>]*)>(?P<rest>.*)$")
_TAB_END = re.compile(r"(?<![ \t])[ \t]*+</TabItem>[ \t]*+$")
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(?P<name>[\w-]++)\s*+=\s*+(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|\{\s*+["'`](?P<braced>[^"'`]*)["'`]\s*+\})"""
)
_SOURCE = re.compile(
    r"""\bsrc\s*=\s*\{\s*(?:useBaseUrl\(\s*["'`](?P<base>[^"'`]+)["'`]\s*\)|require\(\s*["'`](?P<required>[^"'`]+)["'`]\s*\)(?:\.default)?"""
    r"""|["'`](?P<plain>[^"'`]+)["'`]|(?P<name>\w+))\s*\}"""
)
_OPEN = re.compile(r"^[ \t]*<[A-Z]\w*(?:[ \t]|$)")
_CHOICE = re.compile(
    r"^(?P<indent>[ \t]*)\{[ \t]*(?P<condition>props\.[\w\s.&=!\"']{1,500}?)(?<![ \t])[ \t]*+(?:\?|&&)"
    r"[ \t]*+(?P<then><[A-Z][^{}]{0,500}/>)[ \t]*+"
    r"(?::[ \t]*(?P<other>\"\"|''|null|<[A-Z][^{}]{0,500}/>)[ \t]*+)?\}[ \t]*+$"
)
_TERM = re.compile(r"props\.(?P<name>\w+)[ \t]*(?:(?P<operator>[!=]==?)[ \t]*(?P<quote>[\"'])(?P<value>[^\"']*)(?P=quote))?")
_PROPERTY = re.compile(r"\{[ \t]*props\.(\w+)[ \t]*\}")
_LINK = re.compile(r"<Link\b(?P<attributes>[^<>]*[^<>/])>(?P<words>[^<>]*)</Link>")
_FILE = re.compile(r"^(?P<indent>[ \t]*)::(?P<language>[a-z]+)\{(?P<attributes>[^{}]*\bfile=[^{}]*)\}[ \t]*$")
_EXPRESSION = re.compile(r"^[ \t]*\{[ \t]*[A-Za-z_$][\w$.]*(?:[ \t]*(?:&&|\|\||\?)|\.map\()")
_MAX_TAG_LINES = 60
_IMAGE_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|avif)$", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_MAX_DEPTH = 12


@dataclass
class Parts:
    """Where a page's imports lead.

    Attributes:
        find: The lines of a Markdown file that a page imports; None where there is none.
        read: The lines of a file that a page shows by its path; None where there is none.
        broken: Imports of pages that are not there.
        losses: What only running a page's JavaScript could tell.
    """

    find: Callable[[str], list[Line] | None] = field(default=lambda target: None)
    read: Callable[[str], list[Line] | None] = field(default=lambda target: None)
    broken: list[Broken] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def convert_mdx(lines: list[Line], parts: Parts, depth: int = 0, properties: dict[str, str] | None = None) -> list[Line]:
    """`lines` without JavaScript, with imported pages in place and Docusaurus' blocks in CommonMark.

    Args:
        lines: A page, or one that is drawn in.
        parts: Where its imports lead.
        depth: How deep it is drawn in.
        properties: What the page that draws it in gives it.
    """
    lines, imported = _without_script(_given(lines, properties) if properties is not None else lines)
    lines = without_habit(_joined(_without_expressions(lines, parts)))
    return _blocks(_drawn(_sources(lines, imported), imported, parts, depth), 0, 1)


def _without_expressions(lines: list[Line], parts: Parts) -> list[Line]:
    """The lines without JavaScript that makes content while the site is built (rows stay); each piece is told."""
    inside = [flag for _, _, flag in outside_fences(lines)]
    out = list(lines)
    row = 0
    while row < len(lines):
        line = lines[row]
        if inside[row] or not _EXPRESSION.match(line.text) or (end := _balanced(lines, row)) is None:
            row += 1
            continue
        detail = "JavaScript makes this part of the page while the site is built; it is left out."
        parts.losses.append(Loss(kind="macro", source=line.file, line=line.number, detail=detail))
        out[row : end + 1] = [each.with_text("") for each in lines[row : end + 1]]
        row = end + 1
    return out


def _balanced(lines: list[Line], first: int) -> int | None:
    """The row on which the braces that open on `first` are closed, where nothing follows them."""
    depth = 0
    for row in range(first, min(len(lines), first + _MAX_TAG_LINES)):
        depth += lines[row].text.count("{") - lines[row].text.count("}")
        if depth <= 0:
            return row if lines[row].text.rstrip().endswith("}") else None
    return None


def _joined(lines: list[Line]) -> list[Line]:
    """Components whose tag goes over several lines, on one."""
    inside = [flag for _, _, flag in outside_fences(lines)]
    out: list[Line] = []
    row = 0
    while row < len(lines):
        line = lines[row]
        end = None
        if not inside[row] and _OPEN.match(line.text) and ">" not in line.text:
            ends = (
                later
                for later in range(row + 1, min(len(lines), row + _MAX_TAG_LINES))
                if lines[later].text.rstrip().endswith(">")
            )
            end = next(ends, None)
        if end is not None and lines[end].text.rstrip().endswith("/>"):
            rest = " ".join(each.text.strip() for each in lines[row + 1 : end + 1])
            out.append(line.with_text(f"{line.text.rstrip()} {rest}"))
            row = end
        else:
            out.append(line)
        row += 1
    return out


def _given(lines: list[Line], properties: dict[str, str]) -> list[Line]:
    """What a page that is drawn in makes of the properties that it is given: values, and parts that they choose."""
    out: list[Line] = []
    for _, line, inside in outside_fences(lines):
        text = line.text
        if not inside and "props." in text:
            choice = _CHOICE.match(text)
            if choice:
                taken = choice["then"] if _holds(choice["condition"], properties) else choice["other"] or ""
                text = choice["indent"] + (taken if taken.startswith("<") else "")
            text = _PROPERTY.sub(lambda match: properties.get(match[1], ""), text)
        out.append(line if text == line.text else line.with_text(text))
    return out


def _holds(condition: str, properties: dict[str, str]) -> bool:
    terms = [_TERM.fullmatch(part.strip()) for part in condition.split("&&")]
    return all(
        term is not None
        and (
            bool(properties.get(term["name"]))
            if not term["operator"]
            else (properties.get(term["name"]) == term["value"]) == term["operator"].startswith("=")
        )
        for term in terms
    )


def _attributes(text: str) -> dict[str, str]:
    return {
        found["name"]: next((found[key] for key in ("double", "single", "braced") if found[key] is not None), "")
        for found in _ATTRIBUTE.finditer(text)
    }


def _without_script(lines: list[Line]) -> tuple[list[Line], dict[str, str]]:
    """The lines without imports, exports and comments (rows stay), and what names are imported from where."""
    imported: dict[str, str] = {}
    out: list[Line] = []
    exporting = commented = False
    for _, line, inside in outside_fences(lines):
        text = line.text
        if inside:
            out.append(line)
            continue
        if exporting:
            exporting = bool(text.strip())
            out.append(line.with_text(""))
            continue
        if commented:
            commented = "*/}" not in text
            out.append(line.with_text("" if commented else text.partition("*/}")[2]))
            continue
        match = _IMPORT.match(text)
        if match or _SIDE_EFFECT.match(text):
            if match and match["name"]:
                imported[match["name"]] = match["target"]
            text = ""
        elif _EXPORT.match(text):
            exporting = not text.rstrip().endswith(";")
            text = ""
        elif "{/*" in text:
            text = without_enclosed(text, "{/*", "*/}")
            if "{/*" in text:
                commented = True
                text = text.partition("{/*")[0]
        out.append(line if text == line.text else line.with_text(text))
    return out, imported


def _sources(lines: list[Line], imported: dict[str, str]) -> list[Line]:
    """Images' JavaScript sources as plain ones."""

    def made(match: re.Match[str]) -> str:
        base = match["base"]
        target = f"/{base.lstrip('/')}" if base else match["required"] or match["plain"] or imported.get(match["name"] or "", "")
        return f'src="{_plain(target)}"' if target else match[0]

    return [
        line if inside or "src" not in line.text else line.with_text(_SOURCE.sub(made, line.text))
        for _, line, inside in outside_fences(lines)
    ]


def _plain(target: str) -> str:
    return re.sub(r"^(?:@site/static/|@site/)", "/", target)


def _drawn(lines: list[Line], imported: dict[str, str], parts: Parts, depth: int) -> list[Line]:
    out: list[Line] = []
    for _, line, inside in outside_fences(lines):
        if not inside and (shown := _shown_file(line, parts)):
            out += shown
            continue
        match = None if inside or "<" not in line.text else _COMPONENT.match(line.text)
        target = imported.get(match["name"], "") if match else ""
        if match is None or not re.search(r"\.mdx?$", target):
            if match is not None and _IMAGE_FILE.search(target):
                line = line.with_text(f"{match['indent']}![{match['name']}]({_plain(target)})")
            elif match is not None:
                line = _component(line, match)
            elif not inside and "<Link" in line.text:
                line = line.with_text(_LINK.sub(_linked, line.text))
            out.append(line)
            continue
        found = parts.find(target) if depth < _MAX_DEPTH else None
        if found is None:
            detail = f"There is no page `{target}` to draw in."
            parts.broken.append(Broken(kind="include", source=line.file, line=line.number, target=target, detail=detail))
            continue
        drawn = convert_mdx(found, parts, depth + 1, _attributes(match["attributes"]))
        out += [
            line.made(""),
            *(row.with_text(match["indent"] + row.text if row.text else "") for row in trimmed(drawn)),
            line.made(""),
        ]
    return out


def _component(line: Line, match: re.Match[str]) -> Line:
    """A component of the site's own that shows an image or leads somewhere, as that; others stay as they are."""
    given = _attributes(match["attributes"])
    source, words = (
        given.get("src", ""),
        given.get("alt") or given.get("label") or given.get("title") or given.get("caption") or "",
    )
    target = given.get("to") or given.get("href") or given.get("url") or ""
    if _IMAGE_FILE.search(source):
        # Without a dot before it, a component takes an image from the site's own files.
        address = source if re.match(r"^(?:\.|/|[a-z]+:)", source) else f"/{source}"
        return line.with_text(f"{match['indent']}![{words}](<{_plain(address)}>)")
    return line.with_text(f"{match['indent']}[{words}](<{target}>)") if target and words else line


def _linked(match: re.Match[str]) -> str:
    given = _attributes(match["attributes"])
    target = given.get("to") or given.get("href") or ""
    return f"[{match['words']}](<{target}>)" if target else match[0]


def _shown_file(line: Line, parts: Parts) -> list[Line]:
    """`::yaml{file="..."}`, by which a page shows a file of the repository, as a fence; empty where it is none."""
    match = _FILE.match(line.text) if "::" in line.text else None
    found = parts.read(_attributes(match["attributes"]).get("file", "")) if match else None
    if match is None or not found:
        return []
    indent = match["indent"]
    mark = "`" * (max((len(run) for row in found for run in re.findall(r"`{3,}", row.text)), default=2) + 1)
    body = [row if row.blank else row.with_text(indent + row.text) for row in found]
    return [
        line.made(""),
        line.with_text(f"{indent}{mark}{match['language']}"),
        *body,
        line.made(f"{indent}{mark}"),
        line.made(""),
    ]


def _blocks(lines: list[Line], depth: int, level: int) -> list[Line]:
    """Admonitions as quotes with a bold label, tabs as sections headed one below `level`."""
    if depth > _MAX_DEPTH:
        return lines
    inside = [flag for _, _, flag in outside_fences(lines)]
    out: list[Line] = []
    row = 0
    while row < len(lines):
        line = lines[row]
        heading = None if inside[row] else _HEADING.match(line.text)
        level = len(heading[1]) if heading else level
        admonition = None if inside[row] else _ADMONITION.match(line.text)
        tab = None if inside[row] or admonition else _TAB.match(line.text)
        end = _admonition_end(lines, inside, row, admonition) if admonition else _tab_end(lines, inside, row) if tab else None
        if end is None:
            bare = not inside[row] and (_TABS.match(line.text) is not None)
            out.append(line.with_text("") if bare else line)
            row += 1
            continue
        body = lines[row + 1 : end]
        if admonition:
            out += _quoted(line, admonition, _blocks(body, depth + 1, level))
        elif tab:
            rest = _TAB_END.sub("", tab["rest"])
            body = [*([line.with_text(tab["indent"] + rest)] if rest.strip() else []), *body]
            out += _headed(line, tab, level, _blocks(body, depth + 1, min(level + 1, 6)))
        row = end + 1 if not (tab and end == row) else row + 1
        if row < len(lines) and not lines[row].blank and out and not out[-1].blank:
            out.append(line.made(""))
    return out


def _admonition_end(lines: list[Line], inside: list[bool], first: int, match: re.Match[str]) -> int | None:
    """The row of the mark that closes an admonition; nested ones have longer or shorter marks, or are counted."""
    depth = 0
    for row in range(first + 1, len(lines)):
        text = lines[row].text.strip()
        if inside[row] or not text.startswith(":::"):
            continue
        if text.strip(":") == "":
            if depth == 0 and len(text) >= len(match["mark"]):
                return row
            depth = max(0, depth - 1)
        elif _ADMONITION.match(lines[row].text):
            depth += 1
    return None


def _tab_end(lines: list[Line], inside: list[bool], first: int) -> int | None:
    if _TAB_END.search(lines[first].text):
        return first
    depth = 0
    for row in range(first + 1, len(lines)):
        if inside[row]:
            continue
        if _TAB_END.fullmatch(lines[row].text):
            if depth == 0:
                return row
            depth -= 1
        elif _TAB.match(lines[row].text) and not _TAB_END.search(lines[row].text):
            depth += 1
    return None


def _quoted(line: Line, match: re.Match[str], body: list[Line]) -> list[Line]:
    indent = match["indent"]
    title = (match["bracket"] or match["title"] or "").strip() or match["kind"].replace("-", " ").capitalize()
    body = trimmed([row.with_text(row.text.removeprefix(indent)) for row in body])
    out = [line.with_text(f"{indent}> **{title.replace('**', '')}**")]
    if body:
        out.append(line.made(f"{indent}>"))
    return out + [row.with_text(f"{indent}> {row.text}" if not row.blank else f"{indent}>") for row in body]


def _headed(line: Line, match: re.Match[str], level: int, body: list[Line]) -> list[Line]:
    given = _attributes(match["attributes"])
    title = given.get("label") or given.get("value") or "Tab"
    # JSX is indented by habit; a list's item indents what it holds as well.
    indent = match["indent"] if all(row.blank or row.text.startswith(match["indent"]) for row in body) else ""
    head = [line.made(""), line.with_text(f"{indent}{'#' * min(level + 1, 6)} {title}"), line.made("")]
    return [*head, *trimmed(body), line.made("")]
