"""Lines that know where they came from, and attributes as they stood at each of them.

An AsciiDoc page is stitched together from several files, and an attribute may change half way down. So every line
carries its file, its number and the attributes in force; nothing later has to ask "where was this?".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

MAX_VALUE: Final = 20_000
_REFERENCE = re.compile(r"(\\)?(\$)?\{([A-Za-z0-9_][A-Za-z0-9_-]*)\}")
_RUNTIME_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_PARTICIPANTS = re.compile(
    r"(?:user|student|attendee|participant|lab|team|pass|guid|uuid|name|project|cluster|sub|domain|host|bastion|console|route|url|token|"
    r"region|zone|email|registry|ip|api|app|base|key|port|num|version|id)",
    re.IGNORECASE,
)

CHARACTERS: Final[Mapping[str, str]] = {
    "empty": "",
    "blank": "",
    "sp": " ",
    "space": " ",
    "nbsp": "\u00a0",
    "zwsp": "\u200b",
    "wj": "\u2060",
    "apos": "'",
    "quot": '"',
    "lsquo": "‘",
    "rsquo": "’",
    "ldquo": "“",
    "rdquo": "”",
    "deg": "°",
    "plus": "+",
    "brvbar": "¦",
    "vbar": "|",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "startsb": "[",
    "endsb": "]",
    "caret": "^",
    "asterisk": "*",
    "tilde": "~",
    "backslash": "\\",
    "backtick": "`",
    "two-colons": "::",
    "two-semicolons": ";;",
    "cpp": "C++",
    "pp": "++",
    "cxx": "C++",
}
"""Attributes that stand for characters which would otherwise be markup; their text is never read as markup."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the stitched page.

    Attributes:
        text: Without its line end.
        file: Path in the tree.
        number: From 1.
        attributes: What every attribute stands for at this line; shared between lines, never changed in place.
    """

    text: str
    file: str
    number: int
    attributes: Mapping[str, str]

    def with_text(self, text: str) -> "Line":
        """The same place with another text."""
        return Line(text, self.file, self.number, self.attributes)


def expand(
    text: str, attributes: Mapping[str, str], unknown: Callable[[str, int], str] | None = None, *, within: bool = False
) -> str:
    r"""`text` with `{name}` replaced by its value.

    `\{name}` loses its backslash. Attributes that stand for a character are filled in too. `${NAME}` is the shell's
    unless the attribute is defined.

    Args:
        text: Any number of lines.
        attributes: Name (lower case) -> value.
        unknown: Asked, with the name and where its brace stands, for the replacement of a name that nobody defines; it stays
            as it is when this is None.
        within: Whether `unknown` is asked too of names that the value of an attribute refers to (`:api: {cluster_api}`).
    """

    def replace(match: re.Match[str]) -> str:
        escaped, dollar, name = match.groups()
        if escaped:
            return match.group()[1:]
        value = attributes.get(name.lower(), CHARACTERS.get(name.lower()))
        if value is not None:
            return f"{dollar or ''}{_REFERENCE.sub(partial(inner, match.start()), value) if within else value}"
        if dollar or unknown is None:
            return match.group()
        return unknown(name, match.start())

    def inner(at: int, match: re.Match[str]) -> str:
        """A reference in an attribute's own value: what was not defined there and is not defined here either."""
        escaped, dollar, name = match.groups()
        known = name.lower() in attributes or name.lower() in CHARACTERS
        return match.group() if escaped or dollar or known or unknown is None else unknown(name, at)

    if "{" not in text:
        return text
    return _REFERENCE.sub(replace, text)


def undefined_names(text: str, attributes: Mapping[str, str]) -> list[str]:
    """Names that `text` refers to and nobody defines."""
    return [
        name
        for escaped, _, name in _REFERENCE.findall(text)
        if not escaped and name.lower() not in attributes and name.lower() not in CHARACTERS
    ]


def runtime_name(name: str, *, in_code: bool = False) -> str | None:
    """The variable that an undefined `{name}` becomes; None where it cannot be one.

    Attribute names are case-blind and written in one case by convention, so `{userId}` is somebody's path template.
    Code is full of braces that mean something else, so there the name must look like a participant's value.
    """
    if len(name) < 2 or not _RUNTIME_NAME.fullmatch(name) or not (name.islower() or name.isupper()):
        return None
    if in_code and not re.search(r"[_-]", name) and not _PARTICIPANTS.match(name):
        return None
    return name.lower()


def in_other_syntax(text: str, at: int) -> bool:
    """Whether the `{` at `at` belongs to another language: `${x}`, `%{x}`, `@{x}`, or a Python f-string."""
    return text[at - 1 : at] in ("$", "%", "@", "{", "#") or bool(re.search(r"\b[fF][rR]?[\"']", text[:at]))
