"""Lists: the part of AsciiDoc where a blank line, a `+` and a marker decide what belongs to what."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared_services.asciidoc.attrlist import Meta
from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.nodes import Item, Listing

if TYPE_CHECKING:
    from shared_services.asciidoc.parser import Parser

MAX_LEVELS: Final = 12

_BULLET = re.compile(r"^[ \t]*(-|\*{1,12}|•)[ \t]+(\S.*)$")
_NUMBER = re.compile(r"^[ \t]*(\.{1,12}|(\d{1,9})\.|[a-zA-Z]\.|[IVXivx]{1,8}\))[ \t]+(\S.*)$")
_TERM = re.compile(r"^(?!//)[ \t]*(\S|\S.*?\S|\S.*?)(:{2,4}|;;)(?:[ \t]+(\S.*))?$")
_CALLOUT = re.compile(r"^<(\d{1,4}|\.)>[ \t]+(\S.*)$")
_CHECK = re.compile(r"^\[([ xX*])\][ \t]+(.*)$")


@dataclass(frozen=True)
class Marker:
    """A list marker: the kind of its list, a key that is equal for items of one list, and the text after it."""

    kind: str
    key: str
    text: str
    term: str = ""
    number: int | None = None


def marker_of(text: str) -> Marker | None:
    """The marker that `text` begins with, if any."""
    head = text.lstrip(" \t")[:1]
    if not head:
        return None
    if head in "-*•":
        bullet = _BULLET.match(text)
        if bullet and not re.fullmatch(r"[ \t]*([-*])(?: \1){2,}", text):
            return Marker("ul", f"ul{bullet[1]}", bullet[2])
    if head == "<":
        callout = _CALLOUT.match(text)
        if callout:
            return Marker("co", "co", callout[2], number=int(callout[1]) if callout[1] != "." else None)
    number = _NUMBER.match(text) if head == "." or head.isalnum() else None
    if number:
        mark = number[1]
        style = (
            mark
            if mark[0] == "."
            else "1."
            if number[2]
            else "a."
            if mark[0].islower() and mark[-1] == "."
            else "A."
            if mark[-1] == "."
            else "i)"
        )
        return Marker("ol", f"ol{style}", number[3], number=int(number[2]) if number[2] else None)
    if "::" in text or ";;" in text:
        term = _TERM.match(text)
        if term and not re.match(r"[ \t]*+[\w-]++::[^\s\[]*+\[.*\]$", text):
            return Marker("dl", f"dl{term[2]}", term[3] or "", term[1])
    return None


def parse_list(parser: "Parser", meta: Meta) -> Listing:
    """The list that begins at the parser's line, with everything attached to its items."""
    first = parser.line
    marker = marker_of(first.text) if first else None
    if first is None or marker is None:
        raise ValueError("the parser does not stand at a list")
    found = Listing(marker.kind, [], meta)
    parser.markers.append(marker.key)
    while True:
        line = parser.line
        here = marker_of(line.text) if line else None
        if line is None or here is None or here.key != marker.key:
            break
        found.items.append(_item(parser, line, here))
        back = parser.position
        parser.skip_blank()
        following = parser.line
        after = marker_of(following.text) if following else None
        if after is None or after.key != marker.key:
            parser.position = back
            break
    parser.markers.pop()
    return found


def _item(parser: "Parser", line: Line, marker: Marker) -> Item:
    parser.position += 1
    text = marker.text
    item = Item(line, [], number=marker.number)
    if marker.kind == "dl":
        item.terms.append(line.with_text(marker.term))
    check = _CHECK.match(text) if marker.kind == "ul" else None
    if check:
        item.checked = check[1] != " "
        text = check[2]
    if text:
        item.text.append(line.with_text(text))
    if marker.kind == "dl" and not text:
        _late_description(parser, item)
    else:
        _more_text(parser, item)
    _attachments(parser, item)
    return item


def _late_description(parser: "Parser", item: Item) -> None:
    """A description may begin on a later line, after blank ones; further terms may share it."""
    back = parser.position
    parser.skip_blank()
    line = parser.line
    if line is None or line.text == "+" or marker_of(line.text) or parser.ends_text(line.text) or _is_block(line.text):
        parser.position = back
        return
    item.text.append(line.with_text(line.text.strip()))
    parser.position += 1
    _more_text(parser, item)


def _is_block(text: str) -> bool:
    return bool(re.match(r"(={1,6}|#{1,6})[ \t]+\S|\.[^\s.]|//|[A-Za-z][\w-]*::\S*\[|'''", text))


def _more_text(parser: "Parser", item: Item) -> None:
    while (line := parser.line) is not None and line.text:
        if parser.ends_text(line.text) or _TITLE_LINE.match(line.text):
            return
        parser.position += 1
        if not line.text.startswith("//"):
            item.text.append(line.with_text(line.text.strip()))


_TITLE_LINE = re.compile(r"^\.[^\s.]")


def _attachments(parser: "Parser", item: Item) -> None:
    continued = False
    while True:
        back = parser.position
        blanks = parser.skip_blank()
        line = parser.line
        if line is None:
            break
        if line.text == "+":
            if not _continues_here(parser, blanks):
                break
            parser.position += 1
            parser.skip_blank()
            following = parser.line
            marker = marker_of(following.text) if following else None
            if following is not None and following.text != "+" and (marker is None or marker.key not in parser.markers):
                block = parser.block()
                if block is not None:
                    item.blocks.append(block)
                    continued = True
            continue
        if continued and not blanks and not marker_of(line.text) and not parser.opens_block(line.text):
            # Text right below an attached block belongs to the item too, although no `+` says so.
            block = parser.block()
            if block is not None:
                item.blocks.append(block)
            continue
        if not blanks and _attach_from_below(parser, item, line):
            continued = True
            continue
        if not _attach_list_or_literal(parser, item, line, blanks):
            break
    else:
        return
    parser.position = back


def _continues_here(parser: "Parser", blanks: int) -> bool:
    """Whether a `+` is for this item: each blank line before it moves it one level up."""
    if parser.detached:
        parser.detached -= 1
        return parser.detached == 0 or len(parser.markers) == 1
    if blanks and len(parser.markers) > 1:
        parser.detached = blanks
        return False
    return True


def _attach_list_or_literal(parser: "Parser", item: Item, line: Line, blanks: int) -> bool:
    marker = marker_of(line.text)
    if marker:
        if marker.key in parser.markers or len(parser.markers) >= MAX_LEVELS or marker.kind == "co":
            return False
        item.blocks.append(parse_list(parser, Meta()))
        return True
    if blanks and line.text[0] in " \t":
        block = parser.block()
        if block is None:
            return False
        item.blocks.append(block)
        return True
    return False


def _attach_from_below(parser: "Parser", item: Item, line: Line) -> bool:
    """What stands right under an item's text is the item's: an image, and what has metadata above it.

    A delimited block is not: it ends the list, unless a `+` attaches it. Metadata ends a list of descriptions.
    """
    ahead = parser.position
    while ahead < len(parser.lines) and (parser.lines[ahead].text.startswith("[") or _TITLE_LINE.match(parser.lines[ahead].text)):
        ahead += 1
    text = parser.lines[ahead].text if ahead < len(parser.lines) else ""
    if ahead == parser.position and not line.text.startswith(("image::", "video::")):
        return False
    marker = marker_of(text)
    if marker is not None:
        if marker.key in parser.markers:
            return False
    elif not text or text == "+" or parser.opens_block(text) or (ahead > parser.position and parser.markers[-1].startswith("dl")):
        return False
    block = parser.block()
    if block is None:
        return False
    item.blocks.append(block)
    return True
