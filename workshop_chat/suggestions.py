"""Questions that a participant is offered at a step's sections, and which section such a question means. Pure."""

import re
from collections.abc import Iterable

_NUMBERING = re.compile(r"^(?:(?:step|part|task|exercise|lab|module)\s+)?\d+(?:\.\d+)*\s*[.:)–-]?\s+", re.IGNORECASE)
# English has no form that tells an imperative ("Deploy the app") from a noun ("Requirements"), and a tagger would be megabytes in
# every chat agent; so these are verbs that headings of workshops begin with. One that is missing costs a plainer question only
# ("What is “Defragment the disk” about?").
_VERBS = """
choose deny draw enforce exec export forward harden keep label migrate monitor pick pull record register render review scaffold
search serve sign simulate tag trace water wire
add allow apply ask attach block build call change check clean clone compare compile configure connect copy count
create define delete deploy describe download drain edit enable expose fetch find fix generate get give grant
import inspect install launch limit list load log look make measure mount move open package plot prepare print
protect prove provision publish push query read remove replace reproduce restart restrict return roll rotate
run save scale scan see send set show split start stop store test train try turn update upgrade upload use
validate verify view watch work write
"""
_ASKING = frozenset({"how", "what", "when", "where", "which", "who", "why"})
_IMPERATIVES = frozenset(_VERBS.split())
_MARKS = re.compile(r"[`*_]")

WHAT_TO_DO = "What do I do in “{}”?"
WHAT_GOES_WRONG = "What can go wrong in “{}”?"
WHAT_FOR = "What is “{}” for?"


def question_for(heading: str) -> str:
    """A question that a participant may have at a heading."""
    words = _NUMBERING.sub("", heading).strip().rstrip(".:!")
    if words.endswith("?"):
        return words
    first, _, rest = words.partition(" ")
    if first.lower() in _IMPERATIVES and rest:
        return f"How do I {first.lower()} {rest}?"
    if first.lower() in _ASKING and rest:
        own = {"you": "I", "your": "my", "yours": "mine"}
        return f"Explain {' '.join(own.get(word, word) for word in [first.lower(), *rest.split()])}."
    return f"What is “{words}” about?"


def section_meant(message: str, headings: Iterable[str]) -> str | None:
    """The heading that a message asks about, where it is a question that was offered for one of them.

    Whoever clicks a question that was made of a heading means what stands below it, also where its few words find nothing.

    Args:
        message: As it was sent.
        headings: Of the step, as CommonMark.
    """
    said = _bare(message)
    for heading in headings:
        offered = [question_for(heading), *(words.format(heading) for words in (WHAT_TO_DO, WHAT_GOES_WRONG, WHAT_FOR))]
        if said in map(_bare, offered):
            return heading
    return None


def _bare(text: str) -> str:
    return " ".join(_MARKS.sub("", text).split()).casefold()
