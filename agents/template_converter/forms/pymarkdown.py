"""What MkDocs writes that CommonMark does not know: admonitions and content tabs, whose bodies are indented by four.

An admonition becomes a quote with a bold label, a tab a headed section; bodies are converted in turn, and lines keep their place.
"""

import re

from agents.template_converter.forms.lines import Line, dedented, indentation, outside_fences, trimmed

_ADMONITION = re.compile(
    r"^(?P<indent>[ \t]*)(?:!!!|\?\?\?\+?)[ \t]*+"
    r'(?P<kind>[A-Za-z][\w-]*(?:[ \t]+[A-Za-z][\w-]*)*)?[ \t]*+(?:"(?P<title>.*)")?[ \t]*+$'
)
_TAB = re.compile(r'^(?P<indent>[ \t]*)===[!+]*[ \t]+(?:"(?P<title>.*)"|\'(?P<other>.*)\')[ \t]*$')
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_ALERT = re.compile(r"^(?P<prefix>[ \t]*(?:>[ \t]?)+)\[!(?P<kind>[A-Za-z]+)\][-+]?[ \t]*(?P<title>[^\n]*)$")
_SPACED_TARGET = re.compile(
    r"(?P<code>`+)[^`\n]{0,500}(?P=code)|(?P<label>!?\[[^\]\n]{0,300}\]\()"
    r"""(?P<target>[^()<>\n"'`\s][^()<>\n"'`]{0,300}\.\w{2,5})\)"""
)
_KEYS = re.compile(r"(?P<code>`+)[^`\n]{0,500}(?P=code)|(?<![+\w])\+\+(?P<keys>[a-z0-9-]+(?:\+[a-z0-9-]+){0,5})\+\+(?![+\w])")
_MARKED = re.compile(
    r"(?P<code>`+)[^`\n]{0,500}(?P=code)|(?<![=\w])==(?=[^\s=])(?P<words>(?:`[^`\n]{1,200}`|[^`=\n]|=(?!=)){1,500})(?<=\S)==(?![=\w])"
)
_PLACEMENTS = frozenset({"inline", "end", "annotate"})
_MAX_DEPTH = 12


def convert_blocks(lines: list[Line], depth: int = 0, level: int = 1) -> list[Line]:
    """Admonitions, collapsible blocks and content tabs of `lines` in CommonMark; tabs get headings one below `level`."""
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
        match = admonition or tab
        if match is None:
            out.append(line)
            row += 1
            continue
        columns = indentation(line.text)
        body, row = _body(lines, row + 1, columns)
        if admonition:
            out += _quoted(line, admonition, convert_blocks(body, depth + 1, level))
        else:
            out += _headed(line, match, level, convert_blocks(body, depth + 1, min(level + 1, 6)))
        if row < len(lines) and not lines[row].blank:
            out.append(line.made(""))
    return out


def _body(lines: list[Line], row: int, columns: int) -> tuple[list[Line], int]:
    """Lines indented by four more than `columns`, dedented, and the row after them; blank ones at the end stay outside."""
    first = row
    while row < len(lines) and (lines[row].blank or indentation(lines[row].text) >= columns + 4):
        row += 1
    while row > first and lines[row - 1].blank:
        row -= 1
    return [line.with_text(dedented(line.text, columns + 4)) for line in lines[first:row]], row


def _quoted(line: Line, match: re.Match[str], body: list[Line]) -> list[Line]:
    indent = match["indent"]
    kind, *words = (match["kind"] or "note").split()
    words = [word for word in words if word not in _PLACEMENTS]
    title = (
        match["title"]
        if match["title"] is not None
        else ": ".join(filter(None, [kind.replace("-", " ").capitalize(), " ".join(words)]))
    )
    out = [line.with_text(f"{indent}> **{_bold(title)}**")] if title else []
    body = trimmed(body)
    if out and body:
        out.append(line.made(f"{indent}>"))
    return out + [row.with_text(f"{indent}> {row.text}" if not row.blank else f"{indent}>") for row in body]


def _headed(line: Line, match: re.Match[str], level: int, body: list[Line]) -> list[Line]:
    indent = match["indent"]
    title = match["title"] if match["title"] is not None else match["other"]
    out = [line.made(""), line.with_text(f"{indent}{'#' * min(level + 1, 6)} {title}"), line.made("")]
    return out + [row.with_text(indent + row.text if not row.blank else "") for row in trimmed(body)]


def _bold(title: str) -> str:
    """A title that can stand between `**`: its own emphasis marks would end them."""
    return title.replace("**", "").strip()


def convert_alerts(lines: list[Line]) -> list[Line]:
    """GitHub's `> [!NOTE]` as a bold label in the quote."""
    out: list[Line] = []
    for _, line, inside in outside_fences(lines):
        match = None if inside else _ALERT.match(line.text)
        if match is None:
            out.append(line)
            continue
        label = match["title"].strip() or match["kind"].capitalize()
        out += [line.with_text(f"{match['prefix']}**{_bold(label)}**"), line.made(match["prefix"].rstrip())]
    return out


def bracket_spaced_targets(lines: list[Line]) -> list[Line]:
    """Targets with spaces, which Python-Markdown takes as they are, in the angle brackets that CommonMark wants."""
    return [
        line if inside or "](" not in line.text else line.with_text(_SPACED_TARGET.sub(_bracketed, line.text))
        for _, line, inside in outside_fences(lines)
    ]


def convert_keys(lines: list[Line]) -> list[Line]:
    """`++ctrl+c++` as keys, `==words==` as marked ones."""
    return [
        line
        if inside or ("++" not in line.text and "==" not in line.text)
        else line.with_text(_MARKED.sub(_marked, _KEYS.sub(_pressed, line.text)))
        for _, line, inside in outside_fences(lines)
    ]


def _marked(match: re.Match[str]) -> str:
    return f"<mark>{match['words']}</mark>" if match["words"] else match[0]


def _pressed(match: re.Match[str]) -> str:
    if match["keys"] is None:
        return match[0]
    return "+".join(f"<kbd>{key.replace('-', ' ').capitalize()}</kbd>" for key in match["keys"].split("+"))


def _bracketed(match: re.Match[str]) -> str:
    return f"{match['label']}<{match['target']}>)" if " " in (match["target"] or "") else match[0]
