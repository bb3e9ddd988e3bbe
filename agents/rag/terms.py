"""What the keyword index sees of a text: stems of its words, and each identifier once more as one term.

Both sides of a search, chunks and questions, go through `terms`. An identifier (a flag, an error code, a file name, a
version number) becomes a term of letters and digits alone, which every engine's standard tokenizer leaves in one piece;
so `--replicas=3` meets `--replicas=3` exactly, and its parts meet by their words.
"""

import math
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2s

from agents.rag.stemming import stem

TERMS_VERSION = 2
"""Part of an index's form: raised when the same text would give other terms."""

_FUNCTION_WORDS = """
a about after all also am an and any are as at be been being but by can could did do does doing for from had has have
having he her here his how i if in into is it its just like may me might more most my no nor not of on or our out she
should so some such tell than that the their them then there these they this those to too us very was we were what
when where which while who whom whose why will with would you your
"""

STOP_WORDS = frozenset(_FUNCTION_WORDS.split())

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TOKEN = re.compile(r"[^\s`'\"()\[\]{}<>,;|]+")
_IDENTIFIER = re.compile(
    r"""
    -{1,2}[A-Za-z][\w-]*(?:=\S+)?             # a flag, with its value
    | v?\d+(?:\.\d+)+[\w.-]*                  # a version number or an address
    | [A-Za-z]+[-_]?\d[\w-]*                  # an error code: E1001, ORA-00942, HTTP404
    | 0[xX][0-9A-Fa-f]+                       # a hexadecimal code
    | \d{3,}                                  # a status or a port
    | [~.]?/?\w[\w.-]*(?:/[\w.@:-]+)+         # a path or an image name
    | \.?\w[\w-]*(?:\.[A-Za-z]\w*)+           # a file name or a dotted name
    | \w+(?:_\w+)+                            # snake_case
    | @?[A-Za-z]+[a-z][A-Z]\w*                # CamelCase, an annotation
    | @[A-Za-z]\w*(?:\.\w+)*                  # @Test, @app.get
    | %\w+%|\$(?:\w+:)?\w*[A-Za-z]\w*        # a variable: %PATH%, $HOME, $env:HOME
    | [A-Za-z](?:\+\+|\#)                     # C++, C#
    | [A-Za-z]\w*(?:=\S+)                     # key=value
    """,
    re.VERBOSE,
)

_SIGNS = ".,:;!?\"'`()[]{}<>|*"

_NAME = re.compile(r"(?=\w*[A-Z])[A-Za-z][A-Za-z0-9]+")


def identifiers(text: str) -> list[str]:
    """Identifiers of a text in lower case, each once, in order.

    A flag with a value counts with and without it, a path also by its last part, an annotation also by its bare name.
    """
    found: dict[str, None] = {}
    for token in _TOKEN.findall(text):
        bare = token.strip(".:!?*").rstrip("/\\")
        if not _IDENTIFIER.fullmatch(bare):
            continue
        whole = bare.lower()
        found[whole] = None
        if whole.startswith("@") and _IDENTIFIER.fullmatch(bare[1:]):
            found[whole[1:]] = None
        name, value_given, _ = whole.partition("=")
        if value_given and len(name) > 1:
            found[name] = None
        last = name.rpartition("/")[2]
        if last != name and len(last) > 2:
            found[last] = None
    return list(found)


def holds(text: str, identifier: str) -> bool:
    """Whether a text in lower case holds an identifier whole: `values.yaml` is not held by `values.yaml.gz`."""
    if identifier not in text:
        return False
    return re.search(rf"(?<![\w-]){re.escape(identifier)}(?![\w-]|\.\w)", text) is not None


def phrases(text: str) -> list[str]:
    """Pairs of words that stand side by side with no stop word, sign or line end between them, in lower case, each once."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        before = ""
        for token in line.split():
            word = token.strip(_SIGNS).lower()
            opens = token[:1] in _SIGNS
            if before and not opens and word and word not in STOP_WORDS:
                found[f"{before} {word}"] = None
            before = "" if not word or word in STOP_WORDS or token[-1:] in _SIGNS else word
    return list(found)


def identifier_term(identifier: str) -> str:
    """The term that stands for an identifier: letters and digits alone."""
    return "x" + blake2s(identifier.encode(), digest_size=6).hexdigest()


def words(text: str) -> list[str]:
    """Words in lower case, in order, stop words included; the parts of a CamelCase word follow it."""
    found: list[str] = []
    for word in _WORD.findall(text):
        if word.isascii() and word.islower():
            found.append(word)
            continue
        found.append(word.lower())
        parts = _CAMEL.findall(word) if not (word.islower() or word.isdigit()) and word.isascii() else []
        if len(parts) > 1:
            found.extend(part.lower() for part in parts if len(part) > 1)
    return found


def names(text: str) -> list[str]:
    """Stems of the words that look like names (an upper-case letter, not at a sentence's beginning), each once, in order."""
    found: dict[str, None] = {}
    begins = True
    for token in _TOKEN.findall(text):
        word = token.strip(".:!?*-_/")
        if not begins and _NAME.fullmatch(word) and word.lower() not in STOP_WORDS:
            found[stem(word.lower())] = None
        begins = token.endswith((".", ":", "!", "?"))
    return list(found)


def terms(text: str) -> list[str]:
    """The terms of a text, in order, with repetitions; stop words are left out."""
    plain = [stem(word) for word in words(text) if word not in STOP_WORDS]
    return plain + [identifier_term(identifier) for identifier in identifiers(text)]


def inverse_frequency(chunks: int, holding: int) -> float:
    """BM25's weight of a term that `holding` of `chunks` chunks hold."""
    return math.log((chunks - holding + 0.5) / (holding + 0.5) + 1.0)


def weight(query: Iterable[str], holding: Mapping[str, int], chunks: int) -> float:
    """The sum of the weights of a query's terms, each once; 0 for a query without terms."""
    return sum(inverse_frequency(chunks, holding.get(term, 0)) for term in set(query))


def heaviest(query: Iterable[str], holding: Mapping[str, int], chunks: int, limit: int) -> list[str]:
    """The query's terms that some chunk holds, each once, rarest first, at most `limit`."""
    known = [term for term in dict.fromkeys(query) if holding.get(term)]
    return sorted(known, key=lambda term: -inverse_frequency(chunks, holding[term]))[:limit]
