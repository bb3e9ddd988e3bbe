"""What a message asks for: small talk is told from questions, and the earlier turns that a follow-up leans on are gathered."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared_services.contracts.chat import Answer, StoredTurn
from shared_services.contracts.rag import Turn
from workshop_chat.stages.pasted import PastedError, pasted_error

MAX_HISTORY_CHARACTERS = 600
MAX_ABOUT_CHARACTERS = 600


class SmallTalk(StrEnum):
    """A message that asks nothing of the workshop's content."""

    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    ABILITIES = "abilities"
    NOTED = "noted"


@dataclass(frozen=True)
class Understood:
    """A message, understood.

    Attributes:
        query: What to look for: the message without a salutation; with it the code that it points at.
        history: Earlier turns, oldest first, shortened.
        small_talk: Set when there is nothing to look for.
        pasted: The terminal's output that the message holds.
        question: What to answer.
    """

    query: str
    history: list[Turn]
    small_talk: SmallTalk | None = None
    pasted: PastedError | None = None
    question: str = ""


_HELLO = (
    r"(?:hi+|hello|hey+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|servus|grüß (?:gott|dich)"
    r"|guten (?:morgen|tag|abend)|bonjour|bonsoir|salut|hola|buenos d[ií]as|buenas (?:tardes|noches)|ciao|ol[aá])"
)
_WHOM = (
    r"(?: (?:there|again|all|everyone|everybody|team|assistant|folks|mate|guys|bot|zusammen|alle|à tous|a todos))?"
    r"(?: how are you(?: doing)?(?: today)?)?"
)
_NOTED = (
    r"(?:ok(?:ay)?|great|perfect|cool|nice|super|awesome|wonderful|excellent|amazing|brilliant|good|alright"
    r"|got it|i see|understood"
    r"|makes sense|sounds good|well done|(?:it|that|this) (?:works|worked|helps|helped)|alles klar|verstanden"
    r"|d'?accord|vale|prima)"
    r"(?: (?:now|job|a lot|finally|answer))?"
)
_THANKS = (
    r"(?:thanks|thank (?:you|u)|thx|tysm|ty|cheers|many thanks|(?:vielen |herzlichen "
    r"|tausend )?(?:lieben )?dank(?:e(?: sch[oö]n)?)?"
    r"|(?:grand )?merci|(?:muchas |mil )?gracias|grazie(?: mille)?|obrigad[oa])"
    r"(?: (?:a lot|a million|a bunch|so much|very much|again|mate|everyone|all|sehr|dir|ihnen|beaucoup|mille"
    r"|for (?:the|your) help"
    r"|that helped|that helps|that worked|it works(?: now)?))*"
)
_BYE = (
    r"(?:(?:bye+|good ?(?:bye|night)|bye bye|see (?:you|ya)|take care)(?: (?:for now|later|soon|tomorrow|next time|then))?"
    r"|tsch[uü]ss|auf wiedersehen|bis (?:bald|morgen|später|dann)|au revoir|à (?:bientôt|demain)|adi[oó]s|hasta (?:luego|mañana))"
)
_ABILITIES = (
    r"(?:(?:who|what) are you|what (?:can|do) you do(?: for me)?|what can i ask(?: you)?"
    r"|how can you help(?: me)?|are you (?:a|an) (?:bot|ai|human))"
)
_KINDS = (
    (SmallTalk.GREETING, re.compile(_HELLO + _WHOM)),
    (SmallTalk.THANKS, re.compile(_THANKS)),
    (SmallTalk.FAREWELL, re.compile(_BYE)),
    (SmallTalk.ABILITIES, re.compile(_ABILITIES)),
    (SmallTalk.NOTED, re.compile(_NOTED)),
)
_TELLING = (SmallTalk.ABILITIES, SmallTalk.FAREWELL, SmallTalk.THANKS, SmallTalk.GREETING, SmallTalk.NOTED)
"""Of a message that is several of them, which one is answered."""
_ONE = "|".join(f"(?P<{kind}>{form.pattern})" for kind, form in _KINDS)
_NEXT = re.compile(rf"(?:(?:so|and|und|et|y) )?(?:{_ONE})(?= |$)")
_SALUTATION = re.compile(rf"^\s*(?:(?:{_HELLO}{_WHOM}|{_THANKS}|{_NOTED})\s*(?:[,.!:;)]+|\n)\s*)+(?=\S)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s,.!?;:'’¡¿()~*_-]+|[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+")


def small_talk(text: str) -> SmallTalk | None:
    """The kind of small talk that the whole of `text` is; None when it may ask something."""
    words = " ".join(_PUNCTUATION.sub(" ", text.lower()).split())
    if not words:
        # A hand that waves; mere question marks may be a question.
        return SmallTalk.GREETING if any(sign > "\u2600" for sign in text) else None
    said: set[str] = set()
    at = 0
    while at < len(words):
        found = _NEXT.match(words, at)
        if found is None:
            return None
        said.add(str(found.lastgroup))
        at = found.end() + 1
    kind = next(kind for kind in _TELLING if kind in said)
    # "It works?" is asked, "it works!" is told.
    return None if kind is SmallTalk.NOTED and "?" in text else kind


def _as_it_is(text: str) -> str:
    return text


def earlier_turns(turns: Sequence[StoredTurn], told: Callable[[str], str] = _as_it_is) -> list[Turn]:
    """Stored turns as retrieval and prompts read them: each text shortened, abstentions without their answer.

    Small talk and refused messages are left out: what was not fit to be answered is not asked by the next question either.

    Args:
        turns: Oldest first.
        told: What of an earlier text may be repeated.
    """
    history: list[Turn] = []
    for turn in turns:
        if small_talk(turn.question) or (turn.answer is not None and _refused(turn.answer)):
            continue
        history.append(Turn(speaker="user", text=told(turn.question)[:MAX_HISTORY_CHARACTERS]))
        answered = turn.answer is not None and not (turn.answer.abstained or turn.answer.refused)
        if turn.answer is not None and answered and (said := told(turn.answer.answer)):
            history.append(Turn(speaker="assistant", text=said[:MAX_HISTORY_CHARACTERS]))
    return [turn for turn in history if turn.text]


def _refused(answer: Answer) -> bool:
    ending = ("blocked", "care", "unavailable")
    return answer.refused and any(check.place == "message" and check.outcome in ending for check in answer.checks)


def understand(text: str, turns: Sequence[StoredTurn], *, about: str = "", told: Callable[[str], str] = _as_it_is) -> Understood:
    """Understand a message in the light of the conversation's last turns (oldest first).

    Of a terminal's output, what identifies the error is looked for, with the participant's own words before it.

    Args:
        text: The message.
        turns: Oldest first.
        about: The code of the step that it points at.
        told: What of an earlier text may be repeated.
    """
    kind = small_talk(text)
    plain = _SALUTATION.sub("", text).strip()
    if kind is not None:
        return Understood(plain, [], kind, question=plain)
    pasted = pasted_error(text)
    asked = plain
    if pasted is not None and pasted.lines:
        asked = "\n".join([pasted.words, *pasted.lines]).strip()
    else:
        pasted = None
    query = f"{asked}\n{about[:MAX_ABOUT_CHARACTERS]}".strip()
    return Understood(query, earlier_turns(turns, told), pasted=pasted, question=asked)
