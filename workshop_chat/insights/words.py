"""Questions as bags of words: what is left when a question is folded, and whether it says what it is about at all."""

import re
import unicodedata

_STOP_TEXT = """
a about after again all also am an and any are as at be because been before being but by can could did do does doing don
down for from get got had has have having he hello help her here hers hey hi him his how i if in into is isn it its just let
like make may me more most my need no nor not now of off ok on once one only or other our out over own please really s same
she should so some still such t than thank thanks that the their them then there these they this those through to too under
until up us use using very was we were what when where whether which while who why will with would yet you your
"""
_VAGUE_TEXT = """
anything broken button code command commands correct do doing done error errors exactly example exercise explain
explanation fail failed failing fails first go goes happen happened happens hint idea issue issues know last line lost mean
meaning means
message missing next output page part problem problems question right run running runs say says see show solution solve
something start step steps stop stops stuck task tell thing things understand work worked working works wrong
"""
_STOP = frozenset(_STOP_TEXT.split())
_VAGUE = frozenset(_VAGUE_TEXT.split())
_WORD = re.compile(r"\w+")


def folded(text: str) -> str:
    """A question without what two people who ask the same may write differently: case, accents, punctuation and spaces.

    One that has nothing else stays as it is.
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return " ".join(_WORD.findall(plain)) or text.strip()


def content_words(text: str) -> frozenset[str]:
    """The words of a folded question that carry meaning, their commonest English endings cut; all of them where none does."""
    words = text.split()
    kept = [word for word in words if word not in _STOP]
    return frozenset(_stem(word) for word in kept or words)


def vague(text: str) -> bool:
    """Whether a folded question says nothing of what it is about ("it does not work"): only its place in the workshop does."""
    return not [word for word in text.split() if word not in _STOP and word not in _VAGUE]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
