"""Attribute lists: `[source,bash,role=execute]`, `[#id.role%option]`, and the brackets of macros."""

import re
from dataclasses import dataclass, field

from shared_services.asciidoc.lines import Line

_NAMED = re.compile(r"^\s*([\w][\w.-]*)\s*=\s*(.*)$", re.DOTALL)
_SHORTHAND = re.compile(r"([#.%])")


@dataclass
class Meta:
    """What stands above a block.

    Attributes:
        style: First word of the list (`source`, `NOTE`, `quote`).
        positional: Every positional value, the first with its shorthand still in it.
        title: The `.Title` line without its dot.
        line: Where the metadata begins; None when there is none.
    """

    style: str = ""
    positional: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    options: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    title: Line | None = None
    line: Line | None = None

    def get(self, name: str, position: int | None = None) -> str | None:
        """A named value, else the positional one at `position` (from 0)."""
        if name in self.named:
            return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position] or None
        return None


def split_values(text: str) -> list[str]:
    """Split at commas that stand outside quotes."""
    parts: list[str] = []
    current: list[str] = []
    quote = ""
    for index, char in enumerate(text):
        if quote:
            if char == quote and text[index - 1] != "\\":
                quote = ""
            current.append(char)
        elif char in "\"'" and not "".join(current[-1:]).strip(" \t="):
            quote = char
            current.append(char)
        elif char == ",":
            parts.append("".join(current))
            current = []
        else:
            current.append(char)
    parts.append("".join(current))
    return parts


def unquote(value: str) -> str:
    """`value` without the quotes around it."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].replace(f"\\{value[0]}", value[0])
    return value


def parse_values(text: str) -> tuple[list[str], dict[str, str]]:
    """Positional and named values of an attribute list; positional ones keep their place, also when empty."""
    positional: list[str] = []
    named: dict[str, str] = {}
    if not text.strip():
        return positional, named
    for part in split_values(text):
        match = _NAMED.match(part)
        if match and not part.strip().startswith(('"', "'")):
            named[match[1].lower()] = unquote(match[2])
        else:
            positional.append(unquote(part))
    return positional, named


def add_list(meta: Meta, text: str) -> None:
    """Read one block attribute line into `meta`; later lines add to earlier ones."""
    positional, named = parse_values(text)
    if positional:
        first = positional[0]
        short = not re.search(r"\s", first.strip()) or first.startswith((".", "#", "%"))
        style = _shorthand(meta, first) if short else first
        if style:
            meta.style = style
        meta.positional = positional
    meta.named.update(named)
    if "id" in named:
        meta.ids.append(named["id"])
    for name in ("role", "roles"):
        meta.roles.extend(named.get(name, "").split())
    for name in ("options", "opts"):
        meta.options.update(word.strip() for word in named.get(name, "").split(",") if word.strip())


def _shorthand(meta: Meta, text: str) -> str:
    parts = _SHORTHAND.split(text)
    for mark, value in zip(parts[1::2], parts[2::2], strict=False):
        value = value.strip()
        if not value:
            continue
        if mark == "#":
            meta.ids.append(value)
        elif mark == ".":
            meta.roles.append(value)
        else:
            meta.options.add(value)
    return parts[0].strip()
