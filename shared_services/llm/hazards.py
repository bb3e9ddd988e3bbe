"""What safety models find, in plain words, whatever each calls it. Pure.

Three vocabularies are known: the hazard codes of Llama Guard (`S1` ... `S14`), the names that Llama Stack gives them, and the
categories of OpenAI's moderation. What is in none of them is `OTHER`: a word from a server is not shown to people.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Hazard(StrEnum):
    """A kind of unsafe text; its value is for people."""

    VIOLENCE = "violence"
    CRIME = "help with a crime"
    CODE_ABUSE = "misuse of a computer"
    WEAPONS = "weapons of mass destruction"
    CHILDREN = "harm to children"
    SEXUAL = "sexual content"
    HATE = "hate"
    HARASSMENT = "harassment"
    DEFAMATION = "defamation"
    SELF_HARM = "self-harm"
    PRIVACY = "somebody's private data"
    ADVICE = "advice that takes a professional"
    PROPERTY = "somebody else's intellectual property"
    ELECTIONS = "false statements about elections"
    INJECTION = "instructions to the assistant"
    OTHER = "something that it holds for unsafe"


_CODES: Final = {
    "s1": Hazard.VIOLENCE,
    "s2": Hazard.CRIME,
    "s3": Hazard.SEXUAL,
    "s4": Hazard.CHILDREN,
    "s5": Hazard.DEFAMATION,
    "s6": Hazard.ADVICE,
    "s7": Hazard.PRIVACY,
    "s8": Hazard.PROPERTY,
    "s9": Hazard.WEAPONS,
    "s10": Hazard.HATE,
    "s11": Hazard.SELF_HARM,
    "s12": Hazard.SEXUAL,
    "s13": Hazard.ELECTIONS,
    "s14": Hazard.CODE_ABUSE,
}
_NAMES: Final = {
    "violent crimes": Hazard.VIOLENCE,
    "non violent crimes": Hazard.CRIME,
    "sex crimes": Hazard.SEXUAL,
    "sex related crimes": Hazard.SEXUAL,
    "child exploitation": Hazard.CHILDREN,
    "child sexual exploitation": Hazard.CHILDREN,
    "defamation": Hazard.DEFAMATION,
    "specialized advice": Hazard.ADVICE,
    "privacy": Hazard.PRIVACY,
    "intellectual property": Hazard.PROPERTY,
    "indiscriminate weapons": Hazard.WEAPONS,
    "hate": Hazard.HATE,
    "suicide self harm": Hazard.SELF_HARM,
    "sexual content": Hazard.SEXUAL,
    "elections": Hazard.ELECTIONS,
    "code interpreter abuse": Hazard.CODE_ABUSE,
    "harassment": Hazard.HARASSMENT,
    "harassment threatening": Hazard.HARASSMENT,
    "hate threatening": Hazard.HATE,
    "illicit": Hazard.CRIME,
    "illicit violent": Hazard.VIOLENCE,
    "self harm": Hazard.SELF_HARM,
    "self harm intent": Hazard.SELF_HARM,
    "self harm instructions": Hazard.SELF_HARM,
    "sexual": Hazard.SEXUAL,
    "sexual minors": Hazard.CHILDREN,
    "violence": Hazard.VIOLENCE,
    "violence graphic": Hazard.VIOLENCE,
    "jailbreak": Hazard.INJECTION,
    "prompt injection": Hazard.INJECTION,
}
_APART = re.compile(r"[^a-z0-9]+")


def hazards_of(names: Iterable[str]) -> tuple[Hazard, ...]:
    """What a server's categories mean, each once, in their order; `OTHER` for what is not known, and where there are none."""
    known = [_hazard(_APART.sub(" ", name.lower()).strip()) for name in names]
    return tuple(dict.fromkeys(known)) or (Hazard.OTHER,)


def _hazard(name: str) -> Hazard:
    return _CODES.get(name) or _NAMES.get(name) or Hazard.OTHER
