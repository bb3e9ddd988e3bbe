"""What a participant can read in a block of raw HTML; the rest is named as lost."""

import html
import re
from collections.abc import Sequence

_TAG = re.compile(r"<!--.*?-->|<[A-Za-z/!?][^<>]*>", re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_PLACEHOLDER = re.compile(r"class=[\"'][^\"']*\b(solve|validate|send-to|next|prev)[\w-]*(?:placeholder|button)", re.IGNORECASE)


def placeholder_module(lines: Sequence[str]) -> str | None:
    """The module that a placeholder `<div>` of a check or solve button names; "" when it names none."""
    text = "\n".join(lines)
    if not _PLACEHOLDER.search(text):
        return None
    match = re.search(r"data-(?:module|stage|step)=[\"']([\w./-]+)[\"']", text)
    return match[1] if match else ""


def readable(lines: Sequence[str]) -> tuple[list[tuple[int, str]], str]:
    """The words between the tags as `(index of the line, text)`, and a sentence on what was left out ("" for nothing)."""
    text = "\n".join(lines)
    bare = _UNSEEN.sub(lambda match: "\n" * match.group().count("\n"), text)
    bare = _TAG.sub(lambda match: "\n" * match.group().count("\n"), bare)
    rows = [(index, " ".join(html.unescape(row).split())) for index, row in enumerate(bare.split("\n"))]
    rows = [(index, row) for index, row in rows if row]
    placeholder = _PLACEHOLDER.search(text)
    if placeholder:
        return rows, f"A placeholder for a {placeholder[1].lower()} button was left out; the platform has its own."
    if bare != text:
        tags = sorted({name.lower() for name in re.findall(r"<([A-Za-z][\w-]*)", text)})
        named = ", ".join(f"<{tag}>" for tag in tags[:8]) or "comments"
        return rows, f"Raw HTML ({named}) was left out; the words between the tags were kept."
    return rows, ""
