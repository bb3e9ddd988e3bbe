"""The checks that need no model. Each finds what it is named for in a text, and says what it found, never the thing itself.

They are lists of forms, so they know what they were told and no more: English wording for intent, and the public formats of
numbers with check digits. What a list cannot see is a moderation model's work, where one is named.
"""

import re
from collections.abc import Callable, Iterable

from workshop_chat.masking import mask_secrets

Rule = Callable[[str], str | None]
"""What was found, in a few words for the participant; None where nothing was."""

_EMAIL = re.compile(r"\b[\w.+-]{1,64}@(?!(?:example|test|invalid|localhost)\b)[\w-]{1,63}(?:\.(?!example\b)[\w-]{2,63})+\b")
_EXAMPLE_HOST = re.compile(r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net|edu)|test|invalid|local|localhost)$", re.IGNORECASE)
_SSN = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b")
_CARD = re.compile(r"(?<![\w.-])(?:(?:\d{4}[ -]){3}\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})(?![\w-]|\.\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,4}\d{2,4}(?![\w.])|\(\d{3}\) ?\d{3}-\d{4}\b")
_NHS = re.compile(r"\b\d{3}[ -]\d{3}[ -]\d{4}\b")
_RECORD = re.compile(
    r"\b(?:mrn|medical record(?: (?:number|no\.?))?|patient (?:id|number|no\.?)|insurance (?:id|number)|nhs (?:number|no\.?))"
    r"\s*(?:is|:|#|=)?\s*(?=[\w-]*\d)[\w-]{4,20}\b",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"\b(?:dob|date of birth|born(?: on)?)\s*(?:is|:)?\s*(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d\d-\d\d|\w+ \d{1,2},? \d{4})",
    re.IGNORECASE,
)
_PATIENT = re.compile(
    r"\b(?:[Pp]atient|[Mm]y (?:mother|father|wife|husband|son|daughter|sister|brother|colleague|patient)) (?:is )?"
    r"(?:called |named )?[A-Z][a-z]{1,20} [A-Z][a-z]{1,25}\b"
)
_CONDITION = re.compile(
    r"\b(?:diagnos(?:ed|is)|suffer(?:s|ing)? from|hiv|cancer|diabet(?:es|ic)|depress(?:ion|ed)|schizophreni\w*|hepatitis"
    r"|prescribed|takes? medication|pregnan(?:t|cy)|blood pressure|treated for)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[/?INST\]|<</?SYS>>")
_OVERRIDE = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b(?: \w+){0,3}? (?:(?:previous|prior|above|earlier|preceding|original)"
    r"(?: \w+){0,2} (?:instructions?|prompts?|system messages?)|your (?:\w+ )?(?:instructions?|prompts?|rules|guidelines"
    r"|restrictions|programming))\b",
    re.IGNORECASE,
)
_INJECTION = re.compile(
    r"\b(?:reveal|show|print|repeat|output|tell me|give me|what (?:is|are))\b[^.\n]{0,30}\byour (?:system|hidden|initial"
    r"|secret|original) (?:prompts?|instructions?|messages?)\b"
    r"|\byou are (?:now|no longer) (?:an? )?(?:dan\b|unrestricted|jailbroken|free of|bound by)"
    r"|\b(?:enable|enter|activate|switch to) (?:god|dan|jailbreak|unrestricted) mode\b"
    r"|\bpretend (?:that )?(?:you (?:have no|are not bound by)) (?:rules|restrictions|limits|guidelines|instructions)",
    re.IGNORECASE,
)
_TO_AN_ASSISTANT = re.compile(
    r"\b(?:tell|inform|assure|convince) (?:the )?(?:users?|participants?|readers?|students?)\b"
    r"|\b(?:respond|reply|answer|say) (?:only )?with\b|\b(?:do not|don't|never) (?:tell|mention|reveal)\b"
    r"|\bas an (?:ai|assistant)\b|\byou are (?:now|an?) (?:ai|assistant|chatbot|bot)\b",
    re.IGNORECASE,
)
_ATTACK = re.compile(
    r"\b(?:how (?:do|can|would|could|to)|help me|teach me|show me|write|create|make|build|give me|generate)\b[^.?\n]{0,80}"
    r"\b(?:ransomware|keyloggers?|botnets?|phishing (?:pages?|mails?|emails?|sites?|kits?)|spyware|malware|computer virus"
    r"|ddos(?: attack)?|rootkits?|credential stuffing|stalkerware)\b"
    r"|\b(?:hack|break|get|log) into\b[^.?\n]{0,40}\b(?:someone|somebody|my (?:neighbou?r|boss|ex|school|colleague|teacher)"
    r"|another (?:person|participant|student|company)|other people|(?:his|her|their) (?:account|phone|mail|email|wifi))\b"
    r"|\b(?:steal|exfiltrate)\b[^.?\n]{0,30}\b(?:passwords?|credit cards?|credentials|identit(?:y|ies)|data)\b[^.?\n]{0,30}"
    r"\b(?:from (?:someone|a company|another|other|my|users|people)|of (?:other|another|my))\b"
    r"|\b(?:attack|take down|ddos|exploit)\b[^.?\n]{0,30}\b(?:a real|someone(?:'s| else's)|another (?:company|team|participant)"
    r"|the (?:other|real) \w+ (?:server|site|cluster|network)|my (?:school|employer|bank|neighbou?r))\b",
    re.IGNORECASE,
)
_SELF_HARM = re.compile(
    r"\b(?:kill(?:ing)? myself|end(?:ing)? my (?:own )?life|take my own life|commit suicide|suicidal|hurt(?:ing)? myself"
    r"|harm(?:ing)? myself|cut(?:ting)? myself(?: on purpose)?|don'?t want to (?:live|be alive)|want to die|better off dead"
    r"|no reason to live)\b",
    re.IGNORECASE,
)
_NOT_ABOUT_ONESELF = re.compile(
    r"\b(?:process|pod|container|job|thread|server|daemon|service|node|command|script)\b", re.IGNORECASE
)


def personal_data(text: str) -> str | None:
    """Addresses, numbers of identity and of payment; those with check digits count only when these are right."""
    found = []
    if any(_is_mail(match) for match in _EMAIL.finditer(text)):
        found.append("an e-mail address")
    if _PHONE.search(text):
        found.append("a telephone number")
    if _SSN.search(text):
        found.append("a social security number")
    if any(_luhn(match[0]) for match in _CARD.finditer(text)):
        found.append("a payment card's number")
    if any(_iban(match[0]) for match in _IBAN.finditer(text)):
        found.append("an account's number")
    return listed(found) or None


def health_data(text: str) -> str | None:
    """Identifiers of patients, and a named person together with a state of health."""
    found = []
    if _RECORD.search(text) or any(_nhs(match[0]) for match in _NHS.finditer(text)):
        found.append("a patient's identifier")
    if _BORN.search(text):
        found.append("a date of birth")
    if _PATIENT.search(text) and _CONDITION.search(text):
        found.append("a named person's state of health")
    return listed(found) or None


def secrets(text: str) -> str | None:
    """Keys, tokens and passwords; a mark that stands for one is none."""
    return listed([f"a {kind}" if kind[0] not in "AEIOU" else f"an {kind}" for kind in mask_secrets(text).found]) or None


def injection(text: str) -> str | None:
    """Words that would talk an assistant out of its instructions."""
    found = _MARKUP.search(text) or _OVERRIDE.search(text) or _INJECTION.search(text)
    return "instructions to the assistant" if found else None


def injected_text(text: str) -> str | None:
    """The same in a workshop's or document's text, where people are told to ignore things as well.

    It must carry a model's own markup, or both take instructions back and speak to an assistant.
    """
    found = _MARKUP.search(text) or (_OVERRIDE.search(text) and _TO_AN_ASSISTANT.search(text))
    return "instructions to the assistant" if found else None


def attack(text: str) -> str | None:
    """A wish for help against somebody; whether the workshop teaches it is for others to say."""
    return "help to attack others" if _ATTACK.search(text) else None


def self_harm(text: str) -> str | None:
    """Words of someone who may be about to harm themselves."""
    return "words of despair" if _SELF_HARM.search(text) and not _NOT_ABOUT_ONESELF.search(text) else None


def _is_mail(match: re.Match[str]) -> bool:
    """Whether it is a person's address, and no example, no repository's (`git@host:path`) and no shell's prompt."""
    after = match.string[match.end() : match.end() + 2]
    return not (_EXAMPLE_HOST.search(match[0]) or match[0].startswith("git@") or after.startswith((":", " ~", " /")))


def listed(found: list[str]) -> str:
    """Findings as one phrase; empty where there are none."""
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))


def _digits(text: Iterable[str]) -> list[int]:
    return [int(character) for character in text if character.isascii() and character.isdigit()]


def _luhn(number: str) -> bool:
    digits = _digits(number)
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(text: str) -> bool:
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _nhs(text: str) -> bool:
    digits = _digits(text)
    check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return digits[9] == (0 if check == 11 else check)
