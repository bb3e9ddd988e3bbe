"""Where a sentence ends in CommonMark text. Pure; one rule for whole texts and for text that is still being written.

A full stop ends a sentence only where white space and then something other than a lower-case letter follow, so versions
(`1.2.3`), file names and most abbreviations need no list. Code spans, links and emphasis are never cut, and citation numbers
after the stop belong to the sentence before them.
"""

import re
from typing import Final

_STOPS: Final = ".!?…"
_WIDE_STOPS: Final = "。！？"
_CLOSERS: Final = "\"')]*_”’»）」"
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(\[\"'“])(?:e\.g|i\.e|z\.B|d\.h|u\.a|vs|cf|Dr|Mr|Mrs|Ms|Prof|approx|ca|bzw|resp|p\.ex|[A-Z])\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER: Final = re.compile(r"(?:^|[\s(\[])(?:No|Nr|Fig|Eq|Sec|Ch|Vol|p|pp)\.$", re.IGNORECASE)
_ONLY_NUMBER: Final = re.compile(r"^\s*\d{1,3}\.$")
_NUMBER: Final = re.compile(r"\d\.$")
CITATION: Final = re.compile(r"\[\^?\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*\](?![(\[:]?\()|【[^】\n]{1,20}】")
_CITATIONS: Final = re.compile(rf"(?:[ \t]*(?:{CITATION.pattern}))+")
_CITATION_BEGUN: Final = re.compile(r"[ \t]*(?:\[[\^\d ,;–-]{0,40}|【[^】\n]{0,20})$")
_EMPHASIS: Final = re.compile(r"\*\*|__|(?<![\w*_])[*_](?=[^\s*_])")
_LINK_LIMIT: Final = 2_000


def split_sentences(text: str) -> list[str]:
    """The sentences of one paragraph, stripped, in order; joined by white space they give the paragraph back."""
    found, rest = [], text.strip()
    while rest:
        end = sentence_end(rest, final=True) or len(rest)
        found.append(rest[:end].strip())
        rest = rest[end:].strip()
    return found


def sentence_end(text: str, *, final: bool) -> int | None:
    """Where the first sentence of a paragraph ends, citations after it included.

    Args:
        text: The paragraph, from the sentence's first character on.
        final: The paragraph ends where `text` ends; otherwise more may follow.

    Returns:
        An index with something behind it that is not white space. None when there is one sentence only, or when only more text
        can tell. What is returned for a text is returned for every longer text that begins with it.
    """
    at, uncut, size = 0, 0, len(text)
    while at < size:
        char = text[at]
        if char == "\\":
            at += 2
        elif char in "`[<":
            skipped = _skip_span(text, at, final)
            if skipped is None:
                return None
            at = skipped
        elif char in "*_" and (mark := _EMPHASIS.match(text, at)):
            if not final and mark.end() == size:
                return None
            close = _closing_mark(text, mark)
            if close is None and not final:
                return None
            uncut = max(uncut, close or 0)
            at = mark.end()
        elif char in _STOPS or char in _WIDE_STOPS:
            end, known = _after_stop(text, at, final)
            if not known:
                return None
            if end is not None and end >= uncut:
                return end
            at += 1
        else:
            at += 1
    return None


def _skip_span(text: str, at: int, final: bool) -> int | None:
    """The index after a code span, link or autolink that begins at `at`, or after its first character where none does."""
    if text[at] == "`":
        run = len(text) - at - len(text[at:].lstrip("`"))
        if at + run == len(text):
            return at + run if final else None
        close = re.compile(rf"(?<!`)`{{{run}}}(?!`)").search(text, at + run)
        if close is None or (close.end() == len(text) and not final):
            return at + run if final else None
        return close.end()
    if text[at] == "<":
        close = re.compile(r"<[^<>\s]*>").match(text, at)
        return close.end() if close else at + 1
    end = text.find("]", at + 1)
    if end < 0 or end - at > _LINK_LIMIT:
        return at + 1 if final or len(text) - at > _LINK_LIMIT else None
    if end + 1 == len(text):
        return end + 1 if final else None
    if text[end + 1] != "(":
        return end + 1
    close_at = text.find(")", end + 1)
    if close_at < 0 or close_at - end > _LINK_LIMIT:
        return end + 1 if final or len(text) - end > _LINK_LIMIT else None
    return close_at + 1


def _closing_mark(text: str, mark: re.Match[str]) -> int | None:
    """The index after the emphasis that `mark` opens; None where it is not closed (yet)."""
    sign = re.escape(mark.group())
    single = len(mark.group()) == 1
    pattern = rf"(?<=[^\s*_]){sign}(?![\w*_])" if single else sign
    close = re.compile(pattern).search(text, mark.end())
    return close.end() if close else None


def _after_stop(text: str, at: int, final: bool) -> tuple[int | None, bool]:
    """The sentence's end for a stop at `at` (None: it ends nothing), and whether that is known already."""
    end, size = at, len(text)
    while end < size and text[end] in _STOPS + _WIDE_STOPS:
        end += 1
    stop = end
    while end < size and text[end] in _CLOSERS:
        end += 1
    if end == size:
        return None, final
    if cited := _CITATIONS.match(text, end):
        end = cited.end()
    if not final and (end == size or _CITATION_BEGUN.match(text, end)):
        return None, False
    after = end
    while after < size and text[after].isspace():
        after += 1
    if after == size:
        return None, final
    wide = text[stop - 1] in _WIDE_STOPS
    if after == end and not (wide or cited):
        return None, True
    if text[after].islower() and not cited:
        return None, True
    return (None if _is_abbreviation(text[:stop], text[after]) and not cited else end), True


def _is_abbreviation(before: str, following: str) -> bool:
    """Whether the full stop that `before` ends in belongs to a word or number rather than to a sentence."""
    if _ONLY_NUMBER.match(before):
        return True
    if _NUMBER.search(before) or _BEFORE_NUMBER.search(before[-12:]):
        return following.isdigit()
    return bool(_ABBREVIATION.search(before[-12:]))
