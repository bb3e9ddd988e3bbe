"""Text made safe for CommonMark: just the characters that would otherwise become markup are escaped."""

import re
from typing import Final

_SPECIAL = re.compile(r"[\\`*_<~\[\]!|]")
_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_LINE_START = re.compile(r"^(?:([-+*])(?=\s|$)|(\d{1,9})([.)])(?=\s|$)|(#{1,6}(?=\s|$)|>|=+\s*$|~{3}|\||:(?=\s|$)))")
_RULER = re.compile(r"^(?:(?=[|:\s]*-)[-|:\s]++|\*[\s*]*|_[\s_]*)$")
_BLOCK_CODE = re.compile(r"^`{3,}[^`]*$")


def text(value: str, before: str = "", after: str = "") -> str:
    """`value` as literal text; `before` and `after` are the characters around it."""
    if not _SPECIAL.search(value):
        return value

    last = max(value.rfind("]("), value.rfind("]:"))

    def replace(match: re.Match[str]) -> str:
        char = match.group()
        at = match.start()
        left = value[at - 1] if at else before
        right = value[at + 1] if at + 1 < len(value) else after
        return f"\\{char}" if _needs_escape(char, left, right, opens=at < last) else char

    return _SPECIAL.sub(replace, value)


def _needs_escape(char: str, left: str, right: str, *, opens: bool) -> bool:
    if char == "\\":
        return not right or right in _PUNCTUATION or right == "\n"
    if char in "`":
        return True
    if char == "*":
        return not ((not left or left.isspace()) and right.isspace() and bool(left))
    if char == "_":
        return not (left.isalnum() and right.isalnum())
    if char == "<":
        return right.isalpha() or right in ("/", "!", "?", "")
    if char == "~":
        return right == "~" or left == "~"
    if char == "[":
        return opens or left == "!"
    if char == "]":
        return right in ("(", ":")
    if char == "!":
        return right == "["
    return False


def line(value: str) -> str:
    """A line of a paragraph that cannot be read as the beginning of another block."""
    value = value.strip(" \t")
    if _RULER.match(value) or _BLOCK_CODE.match(value):
        return f"\\{value}"
    match = _LINE_START.match(value)
    if match is None:
        return value
    if match[2]:
        return f"{match[2]}\\{value[len(match[2]) :]}"
    return f"\\{value}"


def code_span(value: str) -> str:
    """`value` between as many backticks as it needs, on one line."""
    value = value.replace("\n", " ")
    if not value.strip():
        return text(value)
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", value)), default=0) + 1)
    padded = f" {value} " if value[0] in "` " or value[-1] in "` " else value
    return f"{ticks}{padded}{ticks}"


def destination(target: str) -> str:
    """A link's destination; in angle brackets where it would end early."""
    target = target.replace("\n", "")
    if not target or re.search(r"[\s<>()]", target):
        cleaned = target.replace("<", "%3C").replace(">", "%3E")
        return f"<{cleaned}>"
    return target.replace("\\", "%5C")


def link(label: str, target: str) -> str:
    """A link whose label is already Markdown."""
    if not label.startswith(("!", "[!")) and (label.count("[") != label.count("]") or "](" in label):
        label = re.sub(r"(?<!\\)([\[\]])", r"\\\1", re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", label))
    return f"[{label}]({destination(target)})"


def autolink(target: str) -> str:
    """A bare address."""
    if re.search(r"[\s<>]", target):
        return link(text(target), target)
    return f"<{target}>"


def fence(lines: list[str]) -> str:
    """A fence that no line of `lines` closes."""
    longest = max((len(match[1]) for line_ in lines if (match := re.match(r"\s*(`{3,})", line_))), default=2)
    return "`" * (longest + 1)
