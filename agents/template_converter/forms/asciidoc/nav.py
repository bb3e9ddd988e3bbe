"""Navigation files: which pages, in which order, under which titles and chapters."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared_services.asciidoc.inline import Inline
from shared_services.asciidoc.lines import Line, expand
from shared_services.asciidoc.nodes import Item, Listing, Node
from shared_services.asciidoc.surroundings import Surroundings

_XREF = re.compile(
    r"(?:xref:([^\[\]]{1,1000}?)\[((?:\\\]|[^\]]){0,1000})\]|<<([^<>,]{1,1000}+)(?:,([^<>]{0,1000}+))?>>)", re.DOTALL
)
_ELSEWHERE = re.compile(
    r"(?<![\w./-])(?:link:)?((?:https?|ftp)://[^\s\[]{1,2000}+|(?=[^\s\[]{1,500}\.html?)[^\s\[]{1,2000}+|\{[\w-]+\}[^\s\[]{0,2000}+)\[([^\]]{0,1000})\]"
)


@dataclass(frozen=True)
class Entry:
    """One entry of a navigation file.

    Attributes:
        title: Its text, empty where the page's own title is meant.
        target: The resource id of a page; None for a label.
        fragment: An anchor of that page; empty for the page itself.
        elsewhere: The address of a link that is no page.
        chapter: The group that the entry stands in; empty for none.
    """

    title: str
    target: str | None
    fragment: str
    elsewhere: str
    chapter: str
    line: Line


def read_entries(blocks: list[Node], around: Surroundings) -> list[Entry]:
    """The entries of one navigation file in order."""

    def plain(text: str, line: Line) -> str:
        return " ".join(Inline(around, line, plain=True).render(text).split())

    found: list[Entry] = []
    for block in blocks:
        if isinstance(block, Listing):
            title = plain(block.meta.title.text, block.meta.title) if block.meta.title else ""
            for item in block.items:
                found.extend(_entries(item, title, "", plain))
    return found


def _entries(item: Item, group: str, above: str, plain: Callable[[str, Line], str]) -> Iterator[Entry]:
    entry = _entry(item, plain)
    children = [child for block in item.blocks if isinstance(block, Listing) for child in block.items]
    own = (entry.target or "") if entry else ""
    parent = bool(children) and any(target != own for target in _targets(children))
    label = (entry.title or f"\0{own}") if entry else ""
    chapter = above
    if not above and parent:
        chapter = f"{group}: {label}" if group and not own and label else group or label
    elif not above:
        chapter = group
    if entry is not None:
        yield Entry(entry.title, entry.target, entry.fragment, entry.elsewhere, chapter, entry.line)
    for child in children:
        yield from _entries(child, group, chapter, plain)


def _targets(items: list[Item]) -> Iterator[str]:
    for item in items:
        text = " ".join(line.text for line in item.text)
        match = _XREF.search(text)
        if match:
            yield (match[1] or match[3]).split("#")[0]
        for block in item.blocks:
            if isinstance(block, Listing):
                yield from _targets(block.items)


def _entry(item: Item, plain: Callable[[str, Line], str]) -> Entry | None:
    lines = [*item.terms, *item.text]
    if not lines:
        return None
    line = lines[0]
    text = "\n".join(row.text for row in lines)
    match = _XREF.search(text)
    if match:
        target = expand((match[1] or match[3]).strip(), line.attributes)
        page, _, fragment = target.partition("#")
        title = plain((match[2] if match[1] else match[4]) or "", line)
        return Entry(title, page, fragment, "", "", line)
    elsewhere = _ELSEWHERE.search(text)
    if elsewhere:
        return Entry(plain(elsewhere[2], line), None, "", elsewhere[1], "", line)
    return Entry(plain(text, line), None, "", "", "", line)
