"""The checks of data that need no model. Each finds what it is named for, and says what it found, never the thing itself.

They are the public formats of numbers, with their check digits where they have them, and the words that stand before a person's
data in English, German, French and Spanish. What somebody means is in `intent`.
"""

import re
from collections.abc import Callable, Iterable

from workshop_chat.masking import MASK, mask_secrets

Rule = Callable[[str], str | None]
"""What was found, in a few words for the participant; None where nothing was."""

_EMAIL = re.compile(r"\b[\w.+-]{1,64}@(?!(?:example|test|invalid|localhost)\b)[\w-]{1,63}(?:\.(?!example\b)[\w-]{2,63})+\b")
_EXAMPLE_HOST = re.compile(r"@(?:[\w-]+\.)*(?:example\.(?:com|org|net|edu)|test|invalid|local|localhost)$", re.IGNORECASE)
_IN_URL = re.compile(r"://[^\s/@]{0,256}\Z")
_SSN = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b")
_CARD = re.compile(r"(?<![\w.-])(?:(?:\d{4}[ -]){3}\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})(?![\w-]|\.\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,4}\d{2,4}(?![\w.])|\(\d{3}\) ?\d{3}-\d{4}\b")
_NHS = re.compile(r"\b\d{3}[ -]\d{3}[ -]\d{4}\b")
_RECORD = re.compile(
    r"\b(?:mrn|medical record(?: (?:number|no\.?))?|patient (?:id|number|no\.?)|insurance (?:id|number)|nhs (?:number|no\.?)"
    r"|svnr|sv-nummer|sozialversicherungsnummer|ssn|social security (?:number|no\.?)|versicherten(?:nummer"
    r"|-?nr\.?)|krankenversicherungsnummer|patienten(?:nummer|-?nr\.?|-?id)"
    r"|numéro (?:de sécurité sociale|de dossier|de patient)|número (?:de historia clínica|de paciente|de la seguridad social))"
    r"\s*(?:is|ist|est|es|:|#|=)?\s*(?=[\w-]*\d)[\w-]{4,20}\b",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"\b(?:dob|date of birth|born(?: on)?|geboren(?: am)?|geburtsdatum|née?(?: le)?|date de naissance|nacid[oa](?: el)?"
    r"|fecha de nacimiento)\s*(?:is|ist|est|es|:)?\s*(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d\d-\d\d|\w+ \d{1,2},? \d{4}"
    r"|\d{1,2}\.? \w+ \d{4})",
    re.IGNORECASE,
)
_NO_NAME = (
    r"(?!(?:Data|Records?|Tables?|Names?|Ids?|ID|Portal|Platform|Services?|History|Monitoring|Systems?|Safety"
    r"|Care|Models?|Management"
    r"|Registry|Schema|API|Apps?|Views?|Outcomes?|Features?|Dataset|Files?|Forms?|Database|Journey|Flow|Risk|Notes?)\b)"
)
_NAME = _NO_NAME + r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿß'-]{1,24}"
_PATIENT = re.compile(
    r"\b(?:[Pp]atient(?:in|e)?|[Pp]aciente|[Mm]y (?:mother|father|wife|husband|son|daughter|sister|brother|colleague|patient)"
    r"|[Mm]eine? (?:Mutter|Vater|Frau|Mann|Sohn|Tochter|Schwester|Bruder|Kolleg(?:e|in)|Patient(?:in)?))"
    r" (?:is )?(?:called |named |namens )?" + _NAME + r" " + _NAME + r"\b"
    r"|\b(?:Mrs?|Ms|Herr|Frau|Mme|Sra?)\.? " + _NAME + r"\b"
)
_RELATIVE = (
    r"\bmy (?:\w+ )?(?:mother|father|mum|mom|dad|parents?|wife|husband|partner|son|daughter|child|kid|sister|brother|aunt|uncle"
    r"|grand(?:mother|father|ma|pa)|colleague|neighbou?r|boss|friend)\b"
    r"|\bmeine? (?:\w+ )?(?:mutter|vater|frau|mann|sohn|tochter|kind|schwester|bruder|oma|opa|kolleg(?:e|in)|nachbar(?:in)?)\b"
    r"|\b(?:mon|ma) (?:mère|père|femme|mari|fils|fille|s(?:œ|oe)ur|frère|voisine?|collègue)\b"
    r"|\bmi (?:madre|padre|mujer|esposa|marido|hij[oa]|herman[oa]|vecin[oa]|coleg[oa])\b"
)
# Having something may be said of a table; what a doctor found is said of oneself.
_ONESELF = re.compile(
    r"\bi (?:suffer from|(?:was|am|have been|got) (?:\w+ )?(?:diagnosed|hiv|diabetic|pregnant|depressed|schizophrenic))\b"
    r"|\bich (?:leide an|bin (?:\w+ )?(?:schwanger|an \w+ erkrankt))\b|\bje (?:souffre d|suis (?:enceinte|diabétique))"
    r"|\b(?:padezco|me diagnosticaron|estoy embarazada)\b",
    re.IGNORECASE,
)
_NAME_COLUMN = re.compile(
    r"(?:first|last|full|sur|fore|family|vor|nach|pr[ée])?[ _-]?(?:name|nom|nombre|apellidos?)|patient(?:in)?", re.I
)
_TOLD_COLUMN = re.compile(
    r"dob|birth\w*|date.of.birth|geb\w*|naissance|nacimiento|diagnos\w*|condition|illness|disease|icd.?\d*|medications?|mrn|ssn",
    re.I,
)
_COLUMNS = re.compile(r"[,;\t|]")
_CONDITION = re.compile(
    r"\b(?:diagnos(?:ed|is)|suffer(?:s|ing)? from|hiv|cancer|diabet(?:es|ic)|depress(?:ion|ed)|schizophreni\w*|hepatitis"
    r"|prescribed|takes? medication|pregnan(?:t|cy)|blood pressure|treated for"
    r"|leidet an|krebs|schwanger|diagnostiziert|depression|blutdruck|erkrankt"
    r"|souffre d|enceinte|diabète|diagnostiquée?|dépression|padece|embarazada|cáncer|diagnosticad[oa]|depresión)\b",
    re.IGNORECASE,
)
# "My colleague says that the column diabetes ..." speaks of a table.
_SOMEBODYS = re.compile(
    rf"(?:{_RELATIVE})(?:(?!\b(?:says?|said|asks?|wants?|thinks?|told|columns?|tables?|features?|data)\b)[^.?!\n]){{0,60}}?"
    rf"(?:{_CONDITION.pattern})(?! (?:columns?|tables?|features?|flags?|codes?)\b)",
    re.IGNORECASE,
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


def mask_personal_data(text: str) -> str:
    """The text with each thing that `personal_data` finds replaced by a mark that names its kind."""

    def mark(kind: str, real: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
        return lambda match: MASK.format(kind=kind) if real(match) else match[0]

    text = _EMAIL.sub(mark("e-mail address", _is_mail), text)
    text = _IBAN.sub(mark("account number", lambda match: _iban(match[0])), text)
    text = _CARD.sub(mark("card number", lambda match: _luhn(match[0])), text)
    text = _SSN.sub(MASK.format(kind="social security number"), text)
    return _PHONE.sub(MASK.format(kind="telephone number"), text)


def health_data(text: str) -> str | None:
    """Identifiers of patients, and a named person together with a state of health."""
    found = []
    if _RECORD.search(text) or any(_nhs(match[0]) for match in _NHS.finditer(text)):
        found.append("a patient's identifier")
    if _BORN.search(text):
        found.append("a date of birth")
    if (_PATIENT.search(text) and _CONDITION.search(text)) or _lists_people(text):
        found.append("a named person's state of health")
    elif _ONESELF.search(text) or _SOMEBODYS.search(text):
        found.append("somebody's state of health")
    return listed(found) or None


def _lists_people(text: str) -> bool:
    """Whether a table's head names people and what is wrong with them, and a row below it has a name."""
    head: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip(" \"'*") for cell in _COLUMNS.split(line)]
        if any(map(_NAME_COLUMN.fullmatch, cells)) and any(map(_TOLD_COLUMN.fullmatch, cells)):
            head = cells
        elif head and len(cells) == len(head):
            named = [cell for name, cell in zip(head, cells, strict=True) if _NAME_COLUMN.fullmatch(name)]
            if any(re.fullmatch(_NAME + r"(?:[ -]" + _NAME + r")*", cell) for cell in named):
                return True
    return False


def secrets(text: str) -> str | None:
    """Keys, tokens and passwords; a mark that stands for one is none."""
    return listed([f"a {kind}" if kind[0] not in "AEIOU" else f"an {kind}" for kind in mask_secrets(text).found]) or None


def _is_mail(match: re.Match[str]) -> bool:
    """Whether it is a person's address, and no example, repository's (`git@host:path`), shell's prompt, or login in a URL."""
    before, after = match.string[: match.start()][-300:], match.string[match.end() : match.end() + 2]
    return not (
        _EXAMPLE_HOST.search(match[0])
        or match[0].startswith("git@")
        or after.startswith((":", " ~", " /"))
        or _IN_URL.search(before)
    )


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
