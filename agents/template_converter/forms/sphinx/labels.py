"""Titles and labels of a site's pages, found by their marks alone: what references across pages need before any page is read."""

import re
from dataclasses import dataclass

from agents.template_converter.forms.lines import Line, outside_fences

_ADORNMENT = re.compile(r"^([!-/:-@\[-`{-~])\1*[ \t]*$")
_LABEL = re.compile(r"^[ \t]*\.\. _(?P<name>`[^`]+`|(?![ _`])(?:[^:\\]|\\.|:(?!\s|$))+):[ \t]*$")
_MYST_LABEL = re.compile(r"^\((?P<name>[^()\s][^()]*)\)=[ \t]*$")
_MYST_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]++(?P<title>(?:.*[^ \t#])?)[ \t#]*+$")
_NAME_OPTION = re.compile(r"^[ \t]*:name:[ \t]*(?P<name>\S(?:.*[^ \t])?)[ \t]*+$")
_ROLE = re.compile(
    r":[\w:.+-]{1,60}:`([^`<]{0,300}?)(?:[ \t]{0,20}<[^`>]{0,500}>)?`"
    r"|\{[\w:.+-]+\}`([^`<]{0,300}?)(?:[ \t]{0,20}<[^`>]{0,500}>)?`"
)
_MARKS = re.compile(r"``|(?<![\w\\])[*`]{1,2}(?=\S)|(?<=\S)[*`]{1,2}_{0,2}(?!\w)")


@dataclass(frozen=True)
class Place:
    """A label: the page and the title that follows it, if one does."""

    page: str
    title: str


def normalized(name: str) -> str:
    """A label as references compare it."""
    return " ".join(name.replace("\\", "").strip("`").lower().split())


def plain_title(text: str) -> str:
    """A title's words without marks."""
    text = _ROLE.sub(lambda match: match[1] if match[1] is not None else match[2], text)
    return " ".join(_MARKS.sub("", text).replace("\\", "").split())


def rst_titles(lines: list[Line]) -> list[tuple[int, str]]:
    """`(row, title)` of every heading of a page of reStructuredText."""
    found = []
    for row in range(len(lines) - 1):
        text, under = lines[row].text, lines[row + 1].text
        match = _ADORNMENT.match(under)
        if not match or not text.strip() or _ADORNMENT.match(text) or len(under.rstrip()) < min(len(text.strip()), 4):
            continue
        over = row > 0 and _ADORNMENT.match(lines[row - 1].text) and lines[row - 1].text[0] == match[1]
        alone = row == 0 or lines[row - 1].blank or over or lines[row - 1].text.startswith("..")
        if alone and (over or not text[0].isspace()):
            found.append((row, plain_title(text)))
    return found


def rst_labels(lines: list[Line], path: str) -> dict[str, Place]:
    """Labels of a page of reStructuredText by their compared names."""
    titles = dict(rst_titles(lines))
    found: dict[str, Place] = {}
    waiting: list[str] = []
    for row, line in enumerate(lines):
        label = _LABEL.match(line.text) or _NAME_OPTION.match(line.text)
        if label:
            waiting.append(normalized(label["name"]))
            if label.re is _NAME_OPTION:
                found |= {name: found.get(name, Place(path, "")) for name in waiting}
                waiting = []
        elif waiting and not line.blank and not _ADORNMENT.match(line.text):
            found |= {name: found.get(name, Place(path, titles.get(row, ""))) for name in waiting}
            waiting = []
    return found | {name: Place(path, "") for name in waiting}


def myst_labels(lines: list[Line], path: str) -> dict[str, Place]:
    """Labels of a MyST page by their compared names."""
    found: dict[str, Place] = {}
    waiting: list[str] = []
    for _, line, inside in outside_fences(lines):
        label = _NAME_OPTION.match(line.text) if inside else _MYST_LABEL.match(line.text)
        if label and inside:
            found.setdefault(normalized(label["name"]), Place(path, ""))
        elif label:
            waiting.append(normalized(label["name"]))
        elif waiting and not inside and not line.blank:
            heading = _MYST_HEADING.match(line.text)
            found |= {name: Place(path, plain_title(heading["title"]) if heading else "") for name in waiting}
            waiting = []
    return found | {name: Place(path, "") for name in waiting}


def myst_title(lines: list[Line]) -> str:
    """A MyST page's first heading."""
    for _, line, inside in outside_fences(lines):
        heading = None if inside else _MYST_HEADING.match(line.text)
        if heading:
            return plain_title(heading["title"])
    return ""
