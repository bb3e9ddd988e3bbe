"""Inline markup to CommonMark, in one pass from left to right.

Asciidoctor replaces by a sequence of regular expressions over text that is already partly HTML; a single scan gives the
same result for what authors write, never leaves a marker behind, and can escape each piece for Markdown as it goes.
"""

import html
import re
from collections.abc import Callable
from typing import Final

from shared_services.asciidoc import escape
from shared_services.asciidoc.attrlist import parse_values
from shared_services.asciidoc.lines import CHARACTERS, Line, in_other_syntax, runtime_name
from shared_services.asciidoc.surroundings import Surroundings, image

MAX_DEPTH: Final = 12
_MAX_BRACKETS: Final = 40
MAX_CHARACTERS: Final = 20_000
"""Of one paragraph: in a longer one, each mark may open what only its end would close, and it is written as it stands."""

_B = r"\[((?:\\\]|[^\]]){0,4000})\]"
_TEXTISH = r"[^\s\[\]<>]"
_START = re.compile(
    r"[\\+`*_#^~\[<{(&]|\"`|'`|--|\.\.\.|->|=>|(?<![\w/:.])(?:https?|ftps?|irc)://|"
    r"(?<![\w:])(?:link|mailto|xref:?|image|icon|kbd|btn|menu|pass|stem|latexmath|asciimath|anchor|indexterm2?):(?!:)|"
    r"footnote(?:ref)?:(?=[\w-]*\[)"
)
_ATTRIBUTE = re.compile(r"(\\)?(\$)?\{([A-Za-z0-9_][\w-]*)\}")
_KEPT_FROM_ATTRIBUTES = re.compile(
    r"\+\+\+.{0,4000}?\+\+\+|\+\+.{0,4000}?\+\+|(?<![\w+])\+(?=\S)[^\n]{0,1000}?(?<=\S)\+(?![\w+])"
    r"|(?<!\w)pass:[a-z,]{0,40}\[(?:\\\]|[^\]]){0,4000}\]|\\?\$?\{[A-Za-z0-9_][\w-]*\}",
    re.DOTALL,
)
_LINKISH = re.compile(r"url|uri|link|console|route|dashboard|host|endpoint|address|repo|http", re.IGNORECASE)
_URL = re.compile(rf"(?:https?|ftps?|irc)://{_TEXTISH}+")
_MACRO = re.compile(rf"([a-z0-9]+):{{1,2}}((?:[^\s\[\]](?:[^\n\[\]]{{0,500}}[^\s\[\]])?)?){_B}", re.DOTALL)
_SPACED: Final = frozenset({"link", "xref", "image", "icon", "menu"})
_LINK_IN_CODE = re.compile(
    rf"(?<![\w:])(?:link:[^\s\[\]]{{1,2000}}|xref:[^\s\[\]]{{1,2000}}|https?://{_TEXTISH}{{1,2000}})\[[^\]]{{1,1000}}\]"
)
_QUOTES: Final[dict[str, tuple[re.Pattern[str], re.Pattern[str]]]] = {
    mark: (
        re.compile(rf"{re.escape(mark * 2)}(.+?){re.escape(mark * 2)}", re.DOTALL),
        re.compile(rf"{re.escape(mark)}(\S|\S.*?\S){re.escape(mark)}(?![\w{extra}])", re.DOTALL),
    )
    for mark, extra in (("*", ""), ("_", ""), ("#", ""), ("`", "`\"'"))
}


class Inline:
    """Writes the inline markup of one place.

    Attributes:
        plain: Write text without markup and without escapes (titles, alternative texts).
    """

    def __init__(self, around: Surroundings, line: Line, *, plain: bool = False) -> None:
        self.around = around
        self.line = line
        self.plain = plain
        self.depth = 0

    def render(self, text: str) -> str:
        """`text`, lines joined by line feeds, as CommonMark."""
        expanded = text if len(text) > MAX_CHARACTERS else self._expand(text)
        if len(expanded) > MAX_CHARACTERS:
            self.around.lose(
                "text",
                self.line,
                f"A paragraph has more than {MAX_CHARACTERS} characters; its words were kept, marks in it stand as text.",
            )
            return self._literal(expanded)
        return self._scan(expanded)

    # Attributes come first, but not inside passthroughs.
    def _expand(self, text: str) -> str:
        if "{" not in text:
            return text

        def replace(match: re.Match[str]) -> str:
            whole = match.group()
            reference = _ATTRIBUTE.fullmatch(whole)
            if not reference or reference[1]:
                return whole
            value = self.line.attributes.get(reference[3].lower())
            return whole if value is None else f"{reference[2] or ''}{value}"

        return _KEPT_FROM_ATTRIBUTES.sub(replace, text)

    def _scan(self, text: str) -> str:
        if self.depth >= MAX_DEPTH:
            return self._literal(text)
        self.depth += 1
        out: list[str] = []
        literal = 0
        position = 0
        dead: set[str] = set()
        while True:
            start = _START.search(text, position)
            if start is None:
                break
            at = start.start()
            found = self._construct(text, at, dead)
            if found is None:
                position = at + max(1, len(start.group()) if start.group()[:1].isalpha() else 1)
                continue
            written, end = found
            before = self._literal(text[literal:at], before=text[literal - 1 : literal], after=text[at : at + 1])
            if before.endswith("!") and written.startswith("["):
                before = f"{before[:-1]}\\!"
            out.extend((before, written))
            position = literal = end
        out.append(self._literal(text[literal:], before=text[literal - 1 : literal] if literal else ""))
        self.depth -= 1
        return "".join(out)

    def _literal(self, text: str, before: str = "", after: str = "") -> str:
        return text if self.plain else escape.text(text, before, after)

    def _construct(self, text: str, at: int, dead: set[str]) -> tuple[str, int] | None:
        char = text[at]
        if char == "\\":
            return self._escaped(text, at, dead)
        previous = text[at - 1] if at else ""
        if char in "*_#`":
            return self._quoted(text, at, previous, dead)
        handler = _HANDLERS.get(char)
        if handler:
            return handler(self, text, at, previous, dead)
        if char in "\"'":
            return self._curved(text, at, dead)
        if char in "-.=":
            return self._replacement(text, at, previous)
        if _URL.match(text, at):
            return self._url(text, at)
        return self._macro(text, at)

    def _escaped(self, text: str, at: int, dead: set[str]) -> tuple[str, int] | None:
        reference = _ATTRIBUTE.match(text, at)
        if reference:
            return self._literal(reference.group()[1:]), reference.end()
        if text.startswith("--", at + 1):
            before, after = text[at - 1] if at else " ", text[at + 3 : at + 4] or " "
            if (before.isspace() and after.isspace()) or (before.isalnum() and after.isalnum()):
                return self._literal("--", before="x", after="x"), at + 3
        if at + 1 >= len(text) or not _START.match(text, at + 1):
            return None
        double = text[at + 1 : at + 3] in ("**", "__", "##", "``", "\\\\")
        skip = 2 if text[at + 1] == "\\" else 1
        found = self._construct(text, at + skip, set(dead)) if at + skip < len(text) else None
        if found is None:
            return None
        if text[at + skip].isalpha() or text[at + skip] in "{<([":
            return self._literal(text[at + skip : found[1]]), found[1]
        width = 2 if double else 1
        return self._literal(text[at + skip : at + skip + width], before="x", after="x"), at + skip + width

    def _quoted(self, text: str, at: int, previous: str, dead: set[str]) -> tuple[str, int] | None:
        mark = text[at]
        loose, tight = _QUOTES[mark]
        match = None
        if text.startswith(mark * 2, at) and mark * 2 not in dead:
            match = loose.match(text, at)
            if match is None:
                dead.add(mark * 2)
        barred = ";:}\"'" if mark == "`" else ";:}"
        if match is None and mark not in dead and not (previous and (previous.isalnum() or previous in "_" + barred)):
            match = tight.match(text, at)
            if match is None and at + 1 < len(text) and not text[at + 1].isspace():
                dead.add(mark)
        if match is None:
            return None
        following = text[match.end() : match.end() + 1]
        return self._styled(mark, match[1], previous, following), match.end()

    def _styled(self, mark: str, inner: str, previous: str, following: str, role: str = "") -> str:
        if mark == "`":
            return self._code(inner)
        written = self._scan(inner)
        if self.plain or not written.strip() or (mark == "#" and role):
            return written
        sign = "**" if mark == "*" else "*"
        awkward = (previous.isalnum() and not written[0].isalnum()) or (following.isalnum() and not written[-1].isalnum())
        if awkward or written != written.strip() or (mark == "#" and written.startswith("*")):
            return written
        return f"{sign}{written}{sign}"

    def _code(self, inner: str) -> str:
        linked = re.fullmatch(rf"(?:link:[^\[\n]*|xref:[^\[\n]*|(?:https?)://{_TEXTISH}+){_B}|<<[^<>]+>>", inner, re.DOTALL)
        if linked:
            found = self._construct(inner, 0, set())
            if found and found[1] == len(inner):
                return found[0]
        within = None if self.plain or inner.startswith("+") else _LINK_IN_CODE.search(inner)
        if within:
            middle = self._construct(inner, within.start(), set())
            if middle:
                before, after = inner[: within.start()], inner[middle[1] :]
                return "".join(
                    self._spaced_code(part) if index != 1 else part for index, part in enumerate((before, middle[0], after))
                )
        passed = re.fullmatch(r"\+(.+)\+", inner, re.DOTALL)
        text = passed[1] if passed else self._code_text(inner)
        return text if self.plain else escape.code_span(text)

    def _spaced_code(self, text: str) -> str:
        """Code that keeps the spaces around it outside its span."""
        if not text.strip():
            return text
        head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{head}{self._code(text.strip())}{tail}"

    def _code_text(self, inner: str, *, in_code: bool = True) -> str:
        def replace(match: re.Match[str]) -> str:
            whole = match.group()
            reference = _ATTRIBUTE.match(match.string, match.start()) if whole.endswith("}") else None
            if reference:
                return whole[1:] if reference[1] else self._reference_text(reference, inner, in_code=in_code)
            passed = re.fullmatch(r"pass:[a-z,]*\[(.*)\]", whole, re.DOTALL)
            if passed:
                return passed[1].replace("\\]", "]")
            if whole.startswith("\\"):
                return whole[1:]
            return whole.strip("+")

        inner = re.sub(
            r"\\?\$?\{[A-Za-z0-9_][\w-]*\}|\bpass:[a-z,]{0,40}\[(?:\\\]|[^\]]){0,4000}\]|\+\+\+?(?=\S).{1,1000}?\+\+\+?|\\(?=[*_`#<])",
            replace,
            inner,
            flags=re.DOTALL,
        )
        return html.unescape(inner) if "&" in inner and ";" in inner else inner

    def _reference_text(self, reference: re.Match[str], text: str, *, in_code: bool) -> str:
        dollar, name = reference[2] or "", reference[3]
        known = CHARACTERS.get(name.lower())
        if known is not None:
            return dollar + known
        foreign = dollar or in_other_syntax(text, reference.start())
        variable = None if foreign else runtime_name(name, in_code=in_code)
        return self.around.variable(variable, self.line) if variable else reference.group()

    def _attribute(self, text: str, at: int, previous: str, _dead: set[str]) -> tuple[str, int] | None:
        counter = re.compile(r"\{(?:counter2?|set):[^{}]*\}").match(text, at)
        if counter:
            self.around.lose(
                "attribute", self.line, f"`{counter.group()}` counts or sets while the page is built; it was left out."
            )
            return "", counter.end()
        if text[at - 1 : at] == "{" and at:
            return None
        reference = _ATTRIBUTE.match(text, at)
        if reference is None:
            return None
        known = CHARACTERS.get(reference[3].lower())
        if (previous in ("$", "%") and known is None) or text[reference.end() : reference.end() + 1] == "}":
            return None
        if known is not None:
            return self._literal(known, before="x", after="x"), reference.end()
        variable = runtime_name(reference[3])
        if variable is None:
            return None
        link = re.compile(rf"({_TEXTISH}{{0,2000}}+){_B}").match(text, reference.end())
        written = self.around.variable(variable, self.line)
        if link and _LINKISH.search(variable):
            return self._linked(written + self._target(link[1]), link[2] or written, written), link.end()
        return written, reference.end()

    def _angle(self, text: str, at: int, _previous: str, _dead: set[str]) -> tuple[str, int] | None:
        match = re.compile(r"<<([^<>\n,]{1,1000}+)(?:,\s*+([^<>]{0,1000}+))?>>", re.DOTALL).match(text, at)
        if match:
            return self._xref(match[1].strip(), match[2] or ""), match.end()
        match = re.compile(r"<((?:https?|ftps?|mailto)://?[^\s<>]{1,2000}+)>").match(text, at)
        if match:
            return self._bare(match[1]), match.end()
        if text.startswith(("<-", "<="), at) and text[at + 2 : at + 3] not in ("", "-", "=", ">"):
            return "←" if text[at + 1] == "-" else "⇐", at + 2
        return None

    def _bracket(self, text: str, at: int, previous: str, dead: set[str]) -> tuple[str, int] | None:
        anchor = re.compile(r"\[\[\[?([A-Za-z_:][\w:.-]{0,500}+)(?:,[^\]]{0,1000}+)?\]?\]\]").match(text, at)
        if anchor:
            return (f"[{anchor[1]}]" if anchor.group().startswith("[[[") else ""), anchor.end()
        role = re.compile(r"\[([.#%\w][\w.#% ,=\"-]{0,500}+)\](?=([*_#`^~])\S)").match(text, at)
        if role is None or (previous.isalnum() and role[2] not in "^~"):
            return None
        if role[2] in "^~":
            return self._script(text, role.end(), "", dead)
        found = self._quoted(text, role.end(), "", dead)
        if found is None:
            return None
        if role[2] == "#":
            loose, tight = _QUOTES["#"]
            match = (loose.match(text, role.end()) if text.startswith("##", role.end()) else None) or tight.match(
                text, role.end()
            )
            if match:
                return self._styled("#", match[1], previous, "", role[1]), match.end()
        return found

    def _plus(self, text: str, at: int, previous: str, _dead: set[str]) -> tuple[str, int] | None:
        if previous == " " and re.compile(r"\+(?=\n|$)").match(text, at):
            return ("\\" if at + 1 < len(text) and not self.plain else ""), at + 1
        raw = re.compile(r"\+\+\+(.{0,4000}?)\+\+\+", re.DOTALL).match(text, at)
        if raw:
            return self._raw(raw[1]), raw.end()
        match = re.compile(r"\+\+(.{1,4000}?)\+\+", re.DOTALL).match(text, at)
        if match is None and not previous.isalnum():
            match = re.compile(r"\+(\S|\S[^\n]{0,1000}?\S)\+(?!\w)").match(text, at)
        return (self._literal(match[1]), match.end()) if match else None

    def _raw(self, markup: str) -> str:
        text = html.unescape(re.sub(r"<!--.*?(?:-->|\Z)|<[A-Za-z/!][^<>]*>", "", markup, flags=re.DOTALL))
        if text != html.unescape(markup):
            self.around.lose("html", self.line, "Raw HTML in the text; its words were kept, its tags were not.")
        return self._literal(text)

    def _script(self, text: str, at: int, _previous: str, _dead: set[str]) -> tuple[str, int] | None:
        mark = text[at]
        match = re.compile(rf"{re.escape(mark)}([^\s{re.escape(mark)}]{{1,80}}){re.escape(mark)}").match(text, at)
        if match is None:
            return None
        digits = str.maketrans("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾" if mark == "^" else "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
        inner = match[1]
        written = inner.translate(digits) if re.fullmatch(r"[0-9+=()-]+", inner) else self._scan(inner)
        return written, match.end()

    def _round(self, text: str, at: int, _previous: str, _dead: set[str]) -> tuple[str, int] | None:
        match = re.compile(r"\(\(\(([^()]{0,1000}+)\)\)\)|\(\(([^()]{1,1000}+)\)\)").match(text, at)
        if match:
            return (self._scan(match[2]) if match[2] else ""), match.end()
        for written, sign in (("(C)", "©"), ("(R)", "®"), ("(TM)", "™")):
            if text.startswith(written, at):
                return sign, at + len(written)
        return None

    def _entity(self, text: str, at: int, _previous: str, _dead: set[str]) -> tuple[str, int] | None:
        match = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#x[0-9A-Fa-f]{1,6});").match(text, at)
        if match is None:
            return None
        character = html.unescape(match.group())
        return self._literal(character, before="x", after="x") if character.isprintable() else "", match.end()

    def _curved(self, text: str, at: int, _dead: set[str]) -> tuple[str, int] | None:
        mark = text[at]
        match = re.compile(rf"{mark}`(\S|\S.{{0,4000}}?\S)`{mark}(?!\w)", re.DOTALL).match(text, at)
        if match is None:
            return None
        left, right = ("“", "”") if mark == '"' else ("‘", "’")
        return f"{left}{self._scan(match[1])}{right}", match.end()

    def _replacement(self, text: str, at: int, previous: str) -> tuple[str, int] | None:
        if text.startswith("...", at):
            return "…", at + 3
        if text.startswith("->", at) and previous != "-":
            return "→", at + 2
        if text.startswith("=>", at) and previous != "=":
            return "⇒", at + 2
        if text.startswith("--", at):
            after = text[at + 2 : at + 3]
            if (previous.isspace() and after.isspace()) or (previous.isalnum() and after.isalnum()):
                return "—", at + 2
        return None

    def _url(self, text: str, at: int) -> tuple[str, int] | None:
        match = _URL.match(text, at)
        if match is None:
            return None
        end = match.end()
        bracket = re.compile(_B, re.DOTALL).match(text, end)
        if bracket:
            return self._linked(self._target(match.group()), bracket[1], match.group()), bracket.end()
        address = match.group().rstrip(".,;:!?'\"*_`")
        while address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1].rstrip(".,;:!?'\"")
        if address.endswith("://"):
            return None
        return self._bare(address), at + len(address)

    def _bare(self, address: str) -> str:
        target = self._target(address)
        if self.plain:
            return target
        return escape.autolink(target)

    def _target(self, target: str) -> str:
        """A target with its references to run-time attributes and its passthroughs resolved."""
        return self._code_text(target, in_code=False)

    def _linked(self, target: str, brackets: str, fallback: str) -> str:
        label = self._label(brackets)
        destination = self.around.link(target, self.line)
        if not label:
            label = self._literal(self._code_text(fallback))
            if not self.plain and destination == target and re.match(r"https?://", target):
                return escape.autolink(target)
        return label if self.plain or destination is None else escape.link(label, destination)

    def _label(self, brackets: str) -> str:
        text = brackets.replace("\\]", "]")
        button = re.match(r"button\s+label=\"`?([^\"`]+)`?\"", text)
        if button:
            return self._literal(button[1])
        if re.search(r"(?:^|,)\s*\w+\s*=", text) or text.startswith('"'):
            positional, _ = parse_values(text)
            text = positional[0] if positional else ""
        text = text.strip().removesuffix("^").strip()
        return self._scan(text) if text else ""

    def _xref(self, target: str, brackets: str) -> str:
        label = self._label(brackets)
        destination, default = self.around.xref(self._target(target), self.line)
        label = label or self._literal(default)
        if self.plain or destination is None:
            return label
        return escape.link(label, destination)

    def _macro(self, text: str, at: int) -> tuple[str, int] | None:
        match = _MACRO.match(text, at) if text.find("]", at) > 0 else None
        if match is None:
            return None
        name, target, brackets = match.groups()
        if name.startswith("footnote"):
            return self._footnote(text, at, match)
        if name == "link":
            return self._linked(self._target(target), brackets, target), match.end()
        if name not in _SPACED and re.search(r"\s", target):
            return None
        written = self._named_macro(name, target, brackets.replace("\\]", "]"))
        return None if written is None else (written, match.end())

    def _footnote(self, text: str, at: int, match: re.Match[str]) -> tuple[str, int]:
        """A footnote in brackets of its own; links in it have brackets too."""
        start, end = match.start(3), match.end(3)
        for _ in range(_MAX_BRACKETS):
            inner = text[start:end].replace("\\[", "").replace("\\]", "")
            following = text.find("]", end + 1) if inner.count("[") > inner.count("]") else -1
            if following < 0:
                break
            end = following
        words = self._scan(text[start:end].replace("\\]", "]").strip())
        gap = "" if text[:at].endswith((" ", "\n")) else " "
        return (f"{gap}({words})" if words else ""), end + 1

    def _named_macro(self, name: str, target: str, brackets: str) -> str | None:
        if name == "pass":
            return self._scan(brackets) if re.search(r"[qamn]", target) else self._raw(brackets)
        if name == "xref":
            return self._xref(target, brackets)
        if name == "mailto":
            label = self._label(brackets) or self._literal(target)
            return label if self.plain else escape.link(label, f"mailto:{self._target(target)}")
        if name == "image":
            return self._image(target, brackets)
        if name == "kbd":
            return brackets if self.plain else escape.code_span(brackets.strip())
        if name in ("btn", "menu"):
            return self._strong(" › ".join(part.strip() for part in [target, *brackets.split(">")] if part.strip()))
        if name in ("stem", "latexmath", "asciimath"):
            return brackets if self.plain else escape.code_span(brackets)
        if name == "icon":
            self.around.lose("macro", self.line, "An icon was left out.")
            return ""
        if name == "indexterm2":
            return self._scan(brackets)
        return "" if name in ("anchor", "indexterm") else None

    def _strong(self, text: str) -> str:
        written = self._literal(text)
        return written if self.plain or not written.strip() else f"**{written}**"

    def _image(self, target: str, brackets: str) -> str:
        positional, named = parse_values(brackets)
        return image(self.around, self.line, self._target(target), positional, named, plain=self.plain)


_Handler = Callable[[Inline, str, int, str, set[str]], tuple[str, int] | None]
_HANDLERS: Final[dict[str, _Handler]] = {
    "{": Inline._attribute,  # noqa: SLF001
    "<": Inline._angle,  # noqa: SLF001
    "[": Inline._bracket,  # noqa: SLF001
    "+": Inline._plus,  # noqa: SLF001
    "^": Inline._script,  # noqa: SLF001
    "~": Inline._script,  # noqa: SLF001
    "(": Inline._round,  # noqa: SLF001
    "&": Inline._entity,  # noqa: SLF001
}
