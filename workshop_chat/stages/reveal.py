"""What an answer must not give away: the commands of a step and of its solution, however a model dresses them up.

Texts are compared as bare words, without markup, signs, invisible characters and the marks of lists. A spelling that no eye
reads as the command (base64, a riddle) is not found; whoever can read those needs no solution.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Self

from markdown_it import MarkdownIt

from shared_services.contracts.workshop import parse_fence_info
from shared_services.llm.citations import looks_like_command
from shared_services.llm.folding import without_citations

SHORT: Final = 8
"""Commands with fewer letters occur inside ordinary words; they are looked for as whole words only."""
LONG: Final = 12
"""Lines of a file, parts of a line, and commands without their numbers tell something from this many letters on."""
MOST_WORDS: Final = 60
"""A command has no more words than these."""
LOOKED_BACK: Final = 2_000
"""Characters of the text before a block that are read together with it."""

_PROMPT = re.compile(r"^\s*(?:[$#>%]|PS [^>]*>|>>>|\.\.\.)\s+")
_COMMENT = re.compile(r"^\s*(?:#|//|--|<!--|REM\b)")
_REMARK = re.compile(r"\s+#\s.*$")
_GOES_ON = re.compile(r"\\\n\s*")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_JOINED = re.compile(r"\s*(?:&&|\|\||[;|])\s*")
_LIST_MARK = re.compile(r"^[ \t]*(?:(?:>|[-*+]|\(?\d{1,3}[.):])[ \t]+)+", re.MULTILINE)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>|<!--.*?-->", re.DOTALL)
_TARGET = re.compile(r"\]\([^()\s]*\)")
_GLUE = re.compile(r"[*_`~\\'\"]+")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = frozenset({"and", "then", "next", "followed", "by", "plus", "space", "first", "finally", "lastly"})
_SHELLS = frozenset({"", "bash", "sh", "shell", "console", "zsh", "terminal", "powershell", "ps1", "bat", "cmd", "fish"})
_MAY_BE_CODE = re.compile(r"`|~~~|^[ >]*(?: {4}|\t)", re.MULTILINE)
# Cyrillic and Greek letters that an eye takes for Latin ones.
_LOOKS_LIKE: Final = str.maketrans("авекмнорстухіјѕԁԛԝαειοκνρτυχ", "abekmhopctyxijsdqwaeiokvptux")
_READER = MarkdownIt("commonmark")


@dataclass(frozen=True)
class Commands:
    """Commands as bare words.

    Attributes:
        strings: Words without anything between them, `SHORT` letters or more; found anywhere.
        phrases: Two or more short words; found as words.
        alone: Single words, that are commands only where they stand alone as code.
    """

    strings: frozenset[str] = frozenset()
    phrases: frozenset[tuple[str, ...]] = frozenset()
    alone: frozenset[str] = frozenset()

    def __or__(self, other: "Commands") -> "Commands":
        both = Commands(self.strings | other.strings, self.phrases | other.phrases, self.alone | other.alone)
        # Known already of either, and made anew for every question otherwise.
        vars(both).update(exact=self.exact | other.exact, numberless=self.numberless | other.numberless)
        return both

    def __sub__(self, other: "Commands") -> "Commands":
        return Commands(self.strings - other.strings, self.phrases - other.phrases, self.alone - other.alone)

    @cached_property
    def numberless(self) -> frozenset[str]:
        """The longer strings without their digits."""
        bare = (_DIGITS.sub("", string) for string in self.strings)
        return frozenset(string for string in bare if len(string) >= LONG)

    @cached_property
    def exact(self) -> frozenset[str]:
        """The strings of which too little is left without their digits."""
        return frozenset(string for string in self.strings if len(_DIGITS.sub("", string)) < LONG)

    def __bool__(self) -> bool:
        return bool(self.strings or self.phrases or self.alone)

    @classmethod
    def of(cls, lines: Iterable[Sequence[str]]) -> Self:
        """From commands as words."""
        strings, phrases, alone = set(), set(), set()
        for words in lines:
            if len(words) == 1:
                alone.add(words[0])
            elif sum(map(len, words)) >= SHORT:
                strings.add("".join(words))
            elif words:
                phrases.add(tuple(words))
        return cls(frozenset(strings), frozenset(phrases), frozenset(alone))


NO_COMMANDS: Final = Commands()


def bare_words(text: str) -> list[str]:
    """The text's words in lower case, without markup, invisible characters, accents, citations and what only joins."""
    plain = _TAG.sub("", html.unescape(_LIST_MARK.sub("", without_citations(text))))
    plain = _GLUE.sub("", _TARGET.sub("]", plain))
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf"))
    plain = plain.casefold()
    if not plain.isascii():
        plain = plain.translate(_LOOKS_LIKE)
    return [word for word in _WORD.findall(plain) if word not in _BETWEEN]


@lru_cache(maxsize=256)
def code_of(markdown: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The contents of fences that are no output, and of inline code spans."""
    fences: list[str] = []
    spans: list[str] = []
    if not _MAY_BE_CODE.search(markdown):
        return (), ()
    for token in _READER.parse(markdown):
        if token.type in ("fence", "code_block") and not parse_fence_info(token.info).output:
            fences.append(token.content)
        spans += [child.content for child in token.children or () if child.type == "code_inline"]
    return tuple(fences), tuple(spans)


def commands_of(*texts: str) -> Commands:
    """The commands in Markdown texts: lines of fences that are no output, and inline code that is something to run.

    Of files (YAML, a program, what a shell writes into one) only lines that tell something count: `metadata:` is nobody's secret.
    """
    found: list[list[str]] = []
    for text in texts:
        for token in _READER.parse(text):
            if token.type in ("fence", "code_block"):
                info = parse_fence_info(token.info)
                if not info.output:
                    found += _lines(token.content, is_shell=info.executable or info.language in _SHELLS)
            found += [
                bare_words(child.content)
                for child in token.children or ()
                if child.type == "code_inline" and looks_like_command(child.content)
            ]
    return Commands.of(found)


def _lines(code: str, *, is_shell: bool) -> list[list[str]]:
    found: list[list[str]] = []
    until = None
    for line in _GOES_ON.sub(" ", code).splitlines():
        if until is not None or not is_shell:
            until = None if line.strip() == until else until
            words = bare_words(line)
            # `namespace: shop` is a name that any sentence may say.
            if len(words) > 2 and sum(map(len, words)) >= LONG:
                found.append(words)
        elif not _COMMENT.match(line):
            command = _bare(line)
            found.append(bare_words(command))
            parts = [bare_words(part) for part in _JOINED.split(command)]
            found += [part for part in parts if len(part) > 1 and sum(map(len, part)) >= LONG] if len(parts) > 1 else []
            opened = _HEREDOC.search(line)
            until = opened[2] if opened else None
    return found


def _bare(line: str) -> str:
    return _PROMPT.sub("", _REMARK.sub("", line))


def reveals(commands: Commands, block: str, before: str = "") -> bool:
    """Whether a block gives one of the commands away, alone or together with the text `before` it."""
    if not commands:
        return False
    before = before[-LOOKED_BACK:]
    said, words = bare_words(before), bare_words(block)
    if _goes_through(commands.exact, said, words) or _goes_through(commands.numberless, _no_numbers(said), _no_numbers(words)):
        return True
    if _says(commands.phrases, said, words):
        return True
    fences, spans = code_of(block)
    code = [*spans, *fences]
    if not code:
        return False
    lines = [line for fence in fences for line in fence.splitlines()]
    in_code = [word for piece in code for word in bare_words(piece)]
    return _goes_through(commands.strings, _code_words(before), in_code) or any(
        _is_part(commands, each) for each in [*code, *lines]
    )


def begins(commands: Commands, said: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a text may have begun a command that the next words complete: it ends in the command's first words, or is them."""
    alone, text = "".join(words), "".join([*said[-MOST_WORDS:], *words])
    last = text[-SHORT:]
    for string in commands.strings:
        if string.startswith(alone):
            return True
        at = string.find(last) if len(last) == SHORT else -1
        while 0 <= at < len(string) - SHORT:
            if text.endswith(string[: at + SHORT]):
                return True
            at = string.find(last, at + 1)
    return False


def _goes_through(strings: Iterable[str], said: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a string is complete with `words`, and was not with what was `said` before."""
    old = "".join(said)
    text = old + "".join(words)
    return any(string in text and text.find(string, max(0, len(old) - len(string) + 1)) >= 0 for string in strings)


def _no_numbers(words: Sequence[str]) -> list[str]:
    return [_DIGITS.sub("", word) for word in words]


def _code_words(text: str) -> list[str]:
    fences, spans = code_of(text)
    return [word for code in [*fences, *spans] for word in bare_words(code)]


def _says(phrases: Iterable[tuple[str, ...]], said: Sequence[str], words: Sequence[str]) -> bool:
    for phrase in phrases:
        text = [*said[len(said) - len(phrase) + 1 :], *words] if len(said) >= len(phrase) else [*said, *words]
        if any(tuple(text[at : at + len(phrase)]) == phrase for at in range(len(text) - len(phrase) + 1)):
            return True
    return False


def _is_part(commands: Commands, code: str) -> bool:
    """Whether a piece of code is a command of one word, or most of a longer one."""
    words = bare_words(_bare(code))
    whole = "".join(words)
    if len(words) < 2:
        return whole in commands.alone
    # A name alone, such as that of a file, is no part of a command that gives it away.
    most = len(code.split()) > 1 and len(whole) >= SHORT
    return most and any(5 * len(whole) >= 3 * len(string) and whole in string for string in commands.strings)
