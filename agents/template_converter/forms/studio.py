"""Directives of AWS Workshop Studio in CommonMark: code as fences, alerts as quotes, folds as details, tabs as headed sections.

Directives begin with colons: one stands in a line, two fill it, three and more open a block that as many close.
"""

import re
from collections.abc import Callable

from agents.template_converter.forms.lines import Line, outside_fences, trimmed
from agents.template_converter.forms.parsing import parse

_BLOCK = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>:{3,})(?P<name>[A-Za-z][\w-]*)(?:\[(?P<label>[^\]]*)\])?(?:\{(?P<attributes>[^{}]*)\})?[ \t]*$"
)
_LEAF = re.compile(r"^(?P<indent>[ \t]*)::(?P<name>[A-Za-z][\w-]*)(?P<rest>[\[{].*)?$")
_LEAF_END = re.compile(r"\]?(?:\{(?P<attributes>[^{}]*)\})?(?<![ \t])[ \t]*+$")
_INLINE = re.compile(r"(?<![:\w`]):(?P<name>button|link|image|code)\[(?P<label>[^\]]*)\]\{(?P<attributes>[^{}]*)\}")
_STANDING = re.compile(r"(?<![:\w\\])(?P<mark>::?)(?P<name>[A-Za-z][\w-]*)(?=[\[{])")
_CODE_SPAN = re.compile(r"(?<!`)(?P<mark>`++).+?(?<!`)(?P=mark)(?!`)")
_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)[ \t]*+=[ \t]*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'}]+))")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_WRAPPERS = frozenset({"tabs", "cards", "row", "column", "columns", "grid", "container", "section", "steps"})
_MAX_DEPTH = 12
_MAX_LEAF = 200

Children = Callable[[], list[tuple[str, str]]]


def convert_directives(lines: list[Line], children: Children, depth: int = 0, level: int = 1) -> list[Line]:
    """`lines` with every known directive in CommonMark; what is not known, or never closed, stays as it is.

    Args:
        lines: A page.
        children: Title and target of each page below it.
        depth: How deep the lines stand in other directives.
        level: Level of the heading above.
    """
    if depth > _MAX_DEPTH:
        return lines
    out: list[Line] = []
    row = 0
    fenced = [flag for _, _, flag in outside_fences(lines)]
    while row < len(lines):
        line = lines[row]
        heading = None if fenced[row] else _HEADING.match(line.text)
        level = len(heading[1]) if heading else level
        block = None if fenced[row] else _BLOCK.match(line.text)
        leaf = None if fenced[row] or block else _LEAF.match(line.text)
        end = _block_end(lines, row, block) if block else _leaf_end(lines, row) if leaf else None
        made = None
        if block and end is not None:
            made = _block(line, block, lines[row + 1 : end], children, depth, level)
        elif leaf and end is not None:
            made = _leaf(lines[row : end + 1], leaf, children)
        if made is None or end is None:
            out.append(line if fenced[row] else _inline(line))
            row += 1
            continue
        if out and not out[-1].blank and not made[0].blank:
            out.append(line.made(""))
        out += made
        row = end + 1
        if row < len(lines) and not lines[row].blank:
            out.append(line.made(""))
    return out


def left_directives(lines: list[Line]) -> list[tuple[Line, str]]:
    """Directives that fill a line or stand in one and are text after conversion: where, and what they are listed under.

    Those that open a block are found where pages are rewritten.
    """
    found = []
    code = parse(lines).code_rows()
    for row, line in enumerate(lines):
        if row in code or ":" not in line.text:
            continue
        text = _CODE_SPAN.sub("", line.text)
        bare = _LEAF.match(text)
        names = [f"::{bare['name']}"] if bare and not bare["rest"] else []
        names += [f"{match['mark']}{match['name']}" for match in _STANDING.finditer(text)]
        found += [(line, f"directive `{name}`") for name in names]
    return found


def attributes(text: str | None) -> dict[str, str]:
    """What stands between a directive's braces."""
    return {
        found[1]: next(value for value in (found[2], found[3], found[4]) if value is not None)
        for found in _ATTRIBUTE.finditer(text or "")
    }


def _block_end(lines: list[Line], first: int, block: re.Match[str]) -> int | None:
    """The row of the colons that close a block; a block of code holds no other one."""
    depth = 0
    code = block["name"] == "code"
    for row in range(first + 1, len(lines)):
        text = lines[row].text.strip()
        if not text.startswith(":::"):
            continue
        inner = None if code else _BLOCK.match(lines[row].text)
        if inner:
            depth += len(inner["mark"]) <= len(block["mark"])
        elif not text.strip(":"):
            if len(text) == len(block["mark"]) and depth == 0:
                return row
            if depth == 0 and code:
                return row
            depth = max(0, depth - (len(text) <= len(block["mark"])))
    return None


def _leaf_end(lines: list[Line], first: int) -> int | None:
    """The row on which a directive's brackets close."""
    depth = 0
    for row in range(first, min(len(lines), first + _MAX_LEAF)):
        depth += lines[row].text.count("[") - lines[row].text.count("]")
        if depth <= 0:
            return row
        if lines[row].text.rstrip().endswith("}") and re.search(r"\]\{[^{}]*\}[ \t]*$", lines[row].text):
            return row
    return None


def _block(line: Line, block: re.Match[str], body: list[Line], children: Children, depth: int, level: int) -> list[Line] | None:
    given, indent, name = attributes(block["attributes"]), block["indent"], block["name"]

    def below(rows: list[Line], deeper: int = level) -> list[Line]:
        return convert_directives(trimmed(rows), children, depth + 1, deeper)

    if name == "code":
        return _fence(line, indent, given, body)
    if name == "alert":
        return _quoted(line, indent, given, below([row.with_text(row.text.removeprefix(indent)) for row in body]))
    if name in ("expand", "details"):
        title = given.get("header") or block["label"] or "More"
        head = [line.with_text(f"{indent}<details>"), line.made(f"{indent}<summary>{title}</summary>"), line.made("")]
        return [*head, *below(body), line.made(""), line.made(f"{indent}</details>")]
    if name == "tab":
        deeper = min(level + 1, 6)
        title = given.get("label") or given.get("id") or block["label"] or "Tab"
        return [
            line.made(""),
            line.with_text(f"{indent}{'#' * deeper} {title}"),
            line.made(""),
            *below(body, deeper),
            line.made(""),
        ]
    if name in _WRAPPERS:
        return [line.made(""), *below(body), line.made("")]
    return None


def _leaf(rows: list[Line], leaf: re.Match[str], children: Children) -> list[Line] | None:
    line, indent, name = rows[0], leaf["indent"], leaf["name"]
    text = "\n".join([leaf["rest"] or "", *(row.text for row in rows[1:])])
    end = _LEAF_END.search(text)
    given = attributes(end["attributes"] if end else None)
    label = text[1 : end.start()] if end and text.startswith("[") else ""
    if name == "code":
        body = [row.with_text(part) for row, part in zip(rows, label.split("\n"), strict=False)]
        return _fence(line, indent, given, body)
    if name == "alert":
        parts = [row.with_text(part.removeprefix(indent)) for row, part in zip(rows, label.split("\n"), strict=False)]
        return _quoted(line, indent, given, [_inline(part) for part in trimmed(parts)])
    if name == "video" and re.fullmatch(r"[\w-]+", given.get("id", "")):
        address = f"https://www.youtube.com/watch?v={given['id']}"
        return [line.with_text(f"{indent}[{label or f'Video: {address}'}]({address})")]
    if name == "children":
        listed = [f"{indent}- [{title}]({target})" for title, target in children()]
        return [line.with_text(listed[0]), *(line.made(row) for row in listed[1:])] if listed else [line.with_text("")]
    if name in ("button", "link", "image") and "\n" not in label:
        made = _linked(name, label, given)
        return [line.with_text(indent + made)] if made else None
    return None


def _fence(line: Line, indent: str, given: dict[str, str], body: list[Line]) -> list[Line]:
    """A fence around lines that stay as they are; what is not to be copied is not to be run."""
    kept = given.get("showCopyAction", "").lower() == "false"
    language = given.get("language") or given.get("lang") or ""
    longest = max((len(run) for row in body for run in re.findall(r"`{3,}", row.text)), default=2)
    mark = "`" * (longest + 1)
    if not all(row.blank or row.text.startswith(indent) for row in body):
        body = [row if row.blank else row.with_text(indent + row.text) for row in body]
    info = language + (",nocopy" if kept and language else "")
    return [line.with_text(f"{indent}{mark}{info}"), *body, line.made(f"{indent}{mark}")]


def _quoted(line: Line, indent: str, given: dict[str, str], body: list[Line]) -> list[Line]:
    title = given.get("header") or given.get("type", "note").capitalize()
    head = [line.with_text(f"{indent}> **{title.replace('**', '').strip()}**"), line.made(f"{indent}>")]
    return head + [row.with_text(f"{indent}> {row.text}".rstrip()) for row in body]


def _inline(line: Line) -> Line:
    if ":" not in line.text or "{" not in line.text:
        return line

    def made(match: re.Match[str]) -> str:
        if line.text[: match.start()].count("`") % 2:
            return match[0]
        return _linked(match["name"], match["label"], attributes(match["attributes"])) or match[0]

    return line.with_text(_INLINE.sub(made, line.text))


def _linked(name: str, label: str, given: dict[str, str]) -> str:
    if name == "code":
        return f"`{label}`" if "`" not in label else ""
    target = given.get("src") if name == "image" else given.get("href")
    if not target:
        return ""
    address = f"<{target}>" if re.search(r"[\s()]", target) else target
    return f"{'!' if name == 'image' else ''}[{label or target}]({address})"
