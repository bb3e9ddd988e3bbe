"""What GitBook, docsify and Jekyll write that CommonMark does not know: `{% hint %}` and its like, `!>` and `?>` lines."""

import re

from agents.template_converter.forms.lines import Line, outside_fences, trimmed

_TAG = re.compile(r"^(?P<indent>[ \t]*)\{%-?[ \t]*(?P<name>[a-z-]++)(?P<arguments>[^{}%]*+)%\}[ \t]*$")
_ARGUMENT = re.compile(r"(?<![\w-])([\w-]++)[ \t]*+=[ \t]*+\"([^\"]*)\"")
_PAIRED = {
    "hint": "endhint", "tabs": "endtabs", "tab": "endtab", "code": "endcode", "content-ref": "endcontent-ref",
    "stepper": "endstepper", "step": "endstep", "highlight": "endhighlight", "raw": "endraw",
}  # fmt: skip
_RAW = re.compile(r"\{%-?[ \t]*(?:end)?raw[ \t]*-?%\}")
_TITLES = {"info": "Info", "success": "Success", "warning": "Warning", "danger": "Danger", "tip": "Tip", "working": "Note"}
_CALLOUT = re.compile(r"^(?P<indent> {0,3})(?P<mark>[!?])>[ \t]+(?P<text>\S.*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_MAX_DEPTH = 12


def convert_gitbook(lines: list[Line], depth: int = 0, level: int = 1) -> list[Line]:
    """Hints as quotes with a bold label, tabs as sections headed one below `level`; tags that stay open stay as they are."""
    if depth > _MAX_DEPTH or not any("{%" in line.text or _CALLOUT.match(line.text) for line in lines):
        return lines
    inside = [flag for _, _, flag in outside_fences(lines)]
    out: list[Line] = []
    row = 0
    while row < len(lines):
        line = lines[row]
        heading = None if inside[row] else _HEADING.match(line.text)
        level = len(heading[1]) if heading else level
        tag = None if inside[row] else _TAG.match(line.text)
        end = _end(lines, inside, row, tag["name"]) if tag and tag["name"] in _PAIRED else None
        if tag and end is not None:
            out += _block(line, tag, lines[row + 1 : end], depth, level)
            row = end
            if row + 1 < len(lines) and not lines[row + 1].blank:
                out.append(line.made(""))
        elif (
            tag
            and tag["name"] in ("embed", "page-ref", "file")
            and (target := next((_arguments(tag)[name] for name in ("url", "page", "src") if _arguments(tag).get(name)), ""))
        ):
            out.append(line.with_text(f"{tag['indent']}[{target}](<{target}>)"))
        elif tag and tag["name"] in ("endembed", "endfile", "endpage-ref"):
            out.append(line.with_text(""))
        elif not inside[row] and (callout := _CALLOUT.match(line.text)):
            title = "Important" if callout["mark"] == "!" else "Tip"
            out += [
                line.made(f"{callout['indent']}> **{title}**"),
                line.made(f"{callout['indent']}>"),
                line.with_text(f"{callout['indent']}> {callout['text']}"),
            ]
        else:
            out.append(line)
        row += 1
    return out


def _arguments(tag: re.Match[str]) -> dict[str, str]:
    return {match[1]: match[2] for match in _ARGUMENT.finditer(tag["arguments"])}


def _end(lines: list[Line], inside: list[bool], first: int, name: str) -> int | None:
    depth = 0
    for row in range(first, len(lines)):
        match = None if inside[row] else _TAG.match(lines[row].text)
        if match and match["name"] in (name, _PAIRED[name]):
            depth += 1 if match["name"] == name else -1
            if depth == 0:
                return row
    return None


def _block(line: Line, tag: re.Match[str], body: list[Line], depth: int, level: int) -> list[Line]:
    given, indent = _arguments(tag), tag["indent"]
    if tag["name"] == "raw":
        return body
    if tag["name"] == "highlight":
        return _highlighted(line, tag, body)
    if tag["name"] == "hint":
        title = _TITLES.get(given.get("style", "info"), "Note")
        rows = convert_gitbook(trimmed([row.with_text(row.text.removeprefix(indent)) for row in body]), depth + 1, level)
        quoted = [row.with_text(f"{indent}> {row.text}".rstrip()) for row in rows]
        return [line.with_text(f"{indent}> **{title}**"), line.made(f"{indent}>"), *quoted]
    if tag["name"] == "tab":
        below = min(level + 1, 6)
        head = line.with_text(f"{indent}{'#' * below} {given.get('title') or 'Tab'}")
        return [line.made(""), head, line.made(""), *convert_gitbook(trimmed(body), depth + 1, below), line.made("")]
    label = [line.with_text(f"{indent}**{given['title']}**"), line.made("")] if given.get("title") else []
    return [line.made(""), *label, *convert_gitbook(trimmed(body), depth + 1, level), line.made("")]


def _highlighted(line: Line, tag: re.Match[str], body: list[Line]) -> list[Line]:
    """Jekyll's code; what `raw` keeps its templates from filling in is shown without that mark."""
    rows = [row.with_text(_RAW.sub("", row.text)) for row in body if not _RAW.fullmatch(row.text.strip())]
    mark = "`" * (max((len(run) for row in rows for run in re.findall(r"`{3,}", row.text)), default=2) + 1)
    language = next(iter(tag["arguments"].split()), "")
    return [line.with_text(f"{tag['indent']}{mark}{language}"), *rows, line.made(f"{tag['indent']}{mark}")]
