"""What a participant can read in a block of raw HTML; the rest is named as lost."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MARKS: Final = ("\ue012", "\ue013")

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[A-Za-z/!?][^<>]*>", re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_HOLDING = re.compile(
    r"<(?P<single>img|iframe|video|audio|embed|source)\b[^<>]*>|<a\b[^<>]*>(?P<words>[^<]{0,500})</a\s*>", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')")
_PLACEHOLDER = re.compile(
    r"class=[\"'][^\"']{0,500}?\b(solve|validate|send-to|next|prev)[\w-]*(?:placeholder|button)", re.IGNORECASE
)


def placeholder_module(lines: Sequence[str]) -> str | None:
    """The module that a placeholder `<div>` of a check or solve button names; "" when it names none."""
    text = "\n".join(lines)
    if not _PLACEHOLDER.search(text):
        return None
    match = re.search(r"data-(?:module|stage|step)=[\"']([\w./-]+)[\"']", text)
    return match[1] if match else ""


@dataclass(frozen=True)
class Held:
    """Something that HTML shows and Markdown can: an `image`, a `link`, or an `embed` from elsewhere, with its words."""

    kind: str
    target: str
    words: str


def readable(lines: Sequence[str]) -> tuple[list[tuple[int, str]], list[Held], str]:
    """The words between the tags as `(index of the line, text)`, what the tags hold, and what was left out ("" for nothing).

    In the text the number of something that is held stands between two marks of `MARKS`.
    """
    text = re.sub(f"[{''.join(MARKS)}]", "", "\n".join(lines))
    held: list[Held] = []
    bare = _UNSEEN.sub(lambda match: "\n" * match.group().count("\n"), text)
    bare = _HOLDING.sub(lambda match: _put_aside(match, held), bare)
    bare = _TAG.sub(lambda match: "\n" * match.group().count("\n"), bare)
    rows = [(index, " ".join(html.unescape(row).split())) for index, row in enumerate(bare.split("\n"))]
    rows = [(index, row) for index, row in rows if row]
    placeholder = _PLACEHOLDER.search(text)
    if placeholder:
        return rows, held, f"A placeholder for a {placeholder[1].lower()} button was left out; the platform has its own."
    if bare != text:
        tags = sorted({name.lower() for name in re.findall(r"<([A-Za-z][\w-]*)", text)})
        named = ", ".join(f"<{tag}>" for tag in tags[:8]) or "comments"
        kept = "words, images and addresses were kept" if held else "the words between the tags were kept"
        return rows, held, f"Raw HTML ({named}) was left out; {kept}."
    return rows, held, ""


def _put_aside(match: re.Match[str], held: list[Held]) -> str:
    tag = (match["single"] or "a").lower()
    attributes = {name.lower(): html.unescape(a or b or "") for name, a, b in _ATTRIBUTE.findall(match.group().partition(">")[0])}
    target = attributes.get("href" if tag == "a" else "src", "").strip()
    inner = match["words"] or ""
    breaks = "\n" * match.group().count("\n")
    if not target or (tag == "a" and ("<" in inner or not inner.strip() or target.startswith(("#", "javascript:")))):
        return match.group()
    words = " ".join(html.unescape(inner).split()) if tag == "a" else attributes.get("alt") or attributes.get("title") or ""
    held.append(Held({"a": "link", "img": "image"}.get(tag, "embed"), target, words))
    return f"{MARKS[0]}{len(held) - 1}{MARKS[1]}{breaks}"
