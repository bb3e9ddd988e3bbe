"""What a question is about, in words: terms, their weight, and the kind of answer it asks for. Pure."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

Asked = Literal["command", "reason", "place", "output", "any"]

_WORD: Final = re.compile(r"[^\W_]+(?:[-_./:][^\W_]+)*", re.UNICODE)
_PARTS: Final = re.compile(r"[-_./:]")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOP_WORDS: Final = """
a about after all also am an and any are as at be been before being but by can could did do does doing done for from get
gets give had has have having he her here him his how i if in into is it its just let like may me mean means might more
most must my need needs no not of off on one or our out over please say shall she should show so some such tell than
that the their them then there these they thing this those to too up us use used using want was way we were what when
where which while who whom whose why will with would you your yours exactly step workshop command commands der die das
den dem des ein eine einen einem einer und oder ist sind war wird werden wie was wo warum welche welcher welches ich du
er sie es wir ihr mit von zu zum zur im am auf für nicht kann muss man bei aus nach
"""
_STOP: Final = frozenset(_STOP_WORDS.split())
_SUFFIXES: Final = tuple(
    "izations ization isations isation ations ation ments ment ings ing ions ion ers er ies ied ed es s e y".split()  # noqa: SIM905
)
_SAME: Final = {
    "remov": ["delete", "deletes", "deleted", "deleting", "remove", "erase"],
    "director": ["folder", "folders", "directory"],
    "kubernet": ["k8s"],
    "namespac": ["ns"],
    "start": ["launch", "begin"],
    "check": ["verify", "verifies", "verified", "verifying"],
    "setup": ["setup"],
}
_SYNONYMS: Final = {word: stem for stem, words in _SAME.items() for word in words}

_PLACE: Final = re.compile(
    r"^\W*(?:and |so )?(?:where\b|in (?:which|what) (?:file|folder|directory|place)|"
    r"(?:which|what) (?:file|folder|directory|path|url|port)\b|wo\b)",
    re.IGNORECASE,
)
_OUTPUT: Final = re.compile(
    r"\b(?:output|expected? (?:to )?(?:see|result)|(?:should|will|do) i see|look like|prints?|printed|response)\b",
    re.IGNORECASE,
)
_REASON: Final = re.compile(
    r"^\W*(?:and |so )?(?:why\b|what(?:'s| is| are| does| do| was)\b(?! the command)|explain\b|describe\b|how come\b|"
    r"warum\b|was (?:ist|sind)\b)|\b(?:difference between|purpose of|meaning of|the point of)\b",
    re.IGNORECASE,
)
_COMMAND: Final = re.compile(
    r"\bhow (?:do|can|to|should|would|does|did)\b|\b(?:which|what) (?:\w+ )?commands?\b|"
    r"\bwhat(?:'s| is) the (?:\w+ )?command\b|\bcommands? (?:to|for|that)\b|"
    r"\bwhat (?:do|should|must) i (?:run|type|enter)\b|\bshow me\b|\bwie\b|"
    r"^\W*(?:run|install|create|deploy|build|start|stop|delete|scale|apply|configure|set up|list|check|verify|add|enable)\b",
    re.IGNORECASE,
)


def asked_for(question: str) -> Asked:
    """What kind of answer a question asks for."""
    text = question.strip()
    if re.search(r"\bcommands?\b", text, re.I) and _COMMAND.search(text):
        return "command"
    for kind, pattern in (("place", _PLACE), ("output", _OUTPUT), ("reason", _REASON), ("command", _COMMAND)):
        if pattern.search(text):
            return kind  # type: ignore[return-value]
    return "any"


def stem(word: str) -> str:
    """A word less its ending, so that `deploying` meets `deployment`."""
    low = word.lower()
    if low in _SYNONYMS:
        return _SYNONYMS[low]
    if not low.isascii() or not low.isalpha():
        return low
    for suffix in _SUFFIXES:
        if low.endswith(suffix) and len(low) - len(suffix) >= 3:
            cut = low[: -len(suffix)]
            return cut[:-1] if len(cut) > 4 and cut[-1] == cut[-2] and cut[-1] not in "aeiouls" else cut
    return low


def terms(text: str, *, keep_stops: bool = False) -> list[str]:
    """The stems of a text's words, parts of compound names included (`team-a`, `app.yaml`, `ConfigMap`)."""
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        parts = [part for piece in _PARTS.split(word) for part in _CAMEL.split(piece)]
        names = [word, *parts] if len(parts) > 1 else [word]
        found += [stem(name) for name in names if name and (keep_stops or name.lower() not in _STOP)]
    return found


def inverse_frequencies(documents: Sequence[Iterable[str]]) -> dict[str, float]:
    """Term -> weight, the higher the fewer documents hold it; always above zero."""
    frequency: dict[str, int] = {}
    for document in documents:
        for term in set(document):
            frequency[term] = frequency.get(term, 0) + 1
    return {term: math.log(1 + len(documents) / seen) for term, seen in frequency.items()}
