"""What a page is told by the place it stands in: where links, references and images lead, and who takes losses."""

import re
from typing import Protocol

from shared_services.asciidoc import escape
from shared_services.asciidoc.lines import Line


class Surroundings(Protocol):
    """What inline markup cannot know by itself."""

    def link(self, target: str, line: Line) -> str | None:
        """The destination of a link as the author wrote it; None where it leads nowhere."""
        ...

    def xref(self, target: str, line: Line) -> tuple[str | None, str]:
        """The destination of a cross reference (None where it is broken) and the text it has by default."""
        ...

    def image(self, target: str, line: Line) -> str | None:
        """The destination of an image; None where it is missing."""
        ...

    def variable(self, name: str, line: Line) -> str:
        """Take note of a `{{name}}` that is filled in at run time; the text that stands for it."""
        ...

    def lose(self, kind: str, line: Line, detail: str) -> None:
        """Report something that does not come through."""
        ...


def image(
    around: Surroundings, line: Line, target: str, positional: list[str], named: dict[str, str], *, plain: bool = False
) -> str:
    """An image in Markdown, linked where the author linked it; its description where it is missing."""
    stem = re.sub(r"\.[A-Za-z0-9]+$", "", target.rpartition("/")[2]).replace("-", " ").replace("_", " ")
    alt = " ".join((named.get("alt") or (positional[0] if positional else "") or stem).split())
    if plain:
        return alt
    destination = around.image(target, line)
    if destination is None:
        return f"*{escape.text(f'{alt} (missing image {target})')}*"
    written = f"!{escape.link(escape.text(alt), destination)}"
    link = named.get("link", "")
    away = around.link(link, line) if link not in ("", "self", "none") else None
    return escape.link(written, away) if away else written
