"""What a message asks for: small talk is told from questions, and the earlier turns that a follow-up leans on are gathered."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared_services.contracts.chat import StoredTurn
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
    r"(?:hi+|hello|hey+|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|servus|guten (?:morgen|tag|abend)"
    r"|bonjour|salut|hola|buenos d[ií]as|ciao|ol[aá])"
)
_WHOM = r"(?: (?:there|again|all|everyone|everybody|team|assistant|folks|zusammen))?"
_THANKS = (
    r"(?:(?:ok(?:ay)?|great|perfect|cool|nice|super|awesome) )?"
    r"(?:thanks|thank you|thx|ty|cheers|many thanks|danke(?: sch[oö]n)?|vielen dank|merci|gracias|grazie|obrigad[oa])"
    r"(?: (?:a lot|so much|very much|again|a bunch|sehr|beaucoup|mille|for (?:the|your) help"
    r"|that helped|that helps|that worked|it works(?: now)?))*"
)
_BYE = r"(?:bye+|good ?bye|bye bye|see you(?: later| soon)?|tsch[uü]ss|auf wiedersehen|au revoir|adios)"
_ABILITIES = (
    r"(?:(?:who|what) are you|what (?:can|do) you do(?: for me)?|what can i ask(?: you)?"
    r"|how can you help(?: me)?|are you (?:a|an) (?:bot|ai|human))"
)
_KINDS = (
    (SmallTalk.GREETING, re.compile(_HELLO + _WHOM + r"(?: how are you(?: doing)?(?: today)?)?")),
    (SmallTalk.THANKS, re.compile(_THANKS)),
    (SmallTalk.FAREWELL, re.compile(f"(?:{_THANKS} )?{_BYE}")),
    (SmallTalk.ABILITIES, re.compile(f"(?:{_HELLO}{_WHOM} )?{_ABILITIES}")),
)
_SALUTATION = re.compile(rf"^\s*{_HELLO}{_WHOM}\s*[,.!:;]+\s*(?=\S)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s,.!?;:'’()~*_-]+")


def small_talk(text: str) -> SmallTalk | None:
    """The kind of small talk that the whole of `text` is; None when it may ask something."""
    words = _PUNCTUATION.sub(" ", text.lower()).strip()
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(words)), None)


def _as_it_is(text: str) -> str:
    return text


def earlier_turns(turns: Sequence[StoredTurn], told: Callable[[str], str] = _as_it_is) -> list[Turn]:
    """Stored turns as retrieval and prompts read them: each text shortened, small talk and abstentions without their answer.

    Args:
        turns: Oldest first.
        told: What of an earlier text may be repeated.
    """
    history: list[Turn] = []
    for turn in turns:
        if small_talk(turn.question):
            continue
        history.append(Turn(speaker="user", text=told(turn.question)[:MAX_HISTORY_CHARACTERS]))
        if turn.answer is not None and not turn.answer.abstained and (said := told(turn.answer.answer)):
            history.append(Turn(speaker="assistant", text=said[:MAX_HISTORY_CHARACTERS]))
    return [turn for turn in history if turn.text]


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
