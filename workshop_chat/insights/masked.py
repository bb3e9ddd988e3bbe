"""A question as its author may read it: without secrets, personal data and the name of whoever asked."""

import re

from workshop_chat.masking import MASK, mask_secrets
from workshop_chat.safety.rules import health_data, mask_personal_data, personal_data

SHOWN_CHARACTERS = 1_000
HIDDEN = "[not shown: it holds {found}]"
_SHORTEST_NAME = 3


def masked(text: str, name: str = "") -> str:
    """A text without what would tell of a person; where that cannot be taken out, a sentence that says so in its place.

    Args:
        text: What a participant wrote.
        name: What they want to be called; only they are meant by it in their own text.
    """
    kept = mask_personal_data(mask_secrets(text).text)
    for part in sorted({name, *name.split()}, key=len, reverse=True):
        if len(part) >= _SHORTEST_NAME:
            # As it is written: who is called Will asks what will happen.
            kept = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", MASK.format(kind="name"), kept)
    found = personal_data(kept) or health_data(kept)
    return HIDDEN.format(found=found) if found else kept


def shown(text: str, name: str = "") -> str:
    """The same as it is shown: white space at its ends gone, and what is too long cut."""
    kept = masked(text, name).strip()
    return kept if len(kept) <= SHOWN_CHARACTERS else kept[: SHOWN_CHARACTERS - 1].rstrip() + "…"
