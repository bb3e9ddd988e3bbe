"""Code blocks: their language, their executable mark, and the substitutions that the author asked for.

A listing's text is the author's to the byte, but for what its own `subs` say: attributes filled in, callout marks
taken out (they stand in the list below the block), quotes and macros resolved where they are switched on.
"""

import re
from typing import Final, Protocol

from shared_services.asciidoc.attrlist import Meta, parse_values
from shared_services.asciidoc.lines import Line, expand, in_other_syntax, runtime_name
from shared_services.asciidoc.nodes import Code
from shared_services.asciidoc.regions import indent_lines
from shared_services.contracts.workshop import FenceInfo

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "none": (),
    "normal": ("specialchars", "quotes", "attributes", "replacements", "macros", "post_replacements"),
    "n": ("specialchars", "quotes", "attributes", "replacements", "macros", "post_replacements"),
    "verbatim": ("specialchars", "callouts"),
    "v": ("specialchars", "callouts"),
}
_SHORT: Final = {
    "a": "attributes",
    "q": "quotes",
    "m": "macros",
    "r": "replacements",
    "c": "specialchars",
    "p": "post_replacements",
}
_MARK = re.compile(r"<!--(\d{1,4}|\.)-->|<(\d{1,4}|\.)>")
_CALLOUTS = re.compile(r"(?:(?:[ \t]*(?://|#|--|;;))?[ \t]*(?:<!--(?:\d{1,4}|\.)-->|<(?:\d{1,4}|\.)>))+[ \t]*$")
_CALLOUT_REACH: Final = 200
_PASSED = re.compile(
    r"\+\+\+(?P<triple>.{1,2000}?)\+\+\+|\+\+(?P<double>.{1,2000}?)\+\+"
    r"|(?<![\w;:\\+])\+(?P<single>[^\s+]|[^\s+].{0,1000}?[^\s])\+(?![\w+])"
    r"|\bpass:(?P<subs>[a-z,]{0,40})\[(?P<macro>(?:\\\]|[^\]]){0,1000})\]",
    re.DOTALL,
)
_ASIDE = re.compile("\ue010([0-9]{1,6})\ue011")
_LOOSE: Final = {
    mark: re.compile(rf"\\?(?:\[[^\[\]\n]+\])?{re.escape(mark * 2)}(?P<inner>.{{1,1000}}?){re.escape(mark * 2)}", re.DOTALL)
    for mark in "*`_#"
}


def _tight(mark: str, barred: str) -> re.Pattern[str]:
    ends = r"\w\"'`" if mark == "`" else r"\w"
    sign = re.escape(mark)
    return re.compile(
        rf"(?<![\w;:}}{barred}])\\?(?:\[[^\[\]\n]+\])?{sign}(?P<inner>[^\s{sign}]|[^\s{sign}].{{0,1000}}?\S){sign}(?![{ends}])",
        re.DOTALL,
    )


_TIGHT: Final = {mark: _tight(mark, "\"'`" if mark == "`" else "") for mark in "*`_#"}
_TIGHT_ESCAPED: Final = {mark: _tight(mark, "\"'`<>&" if mark == "`" else "<>&") for mark in "*`_#"}
_LINKED = re.compile(
    r"\b(?:link|xref):[^\s\[\]]{1,2000}+\[((?:\\\]|[^\]]){0,1000})\]|\bhttps?://[^\s\[\]<>]{1,2000}+\[((?:\\\]|[^\]]){1,1000})\]"
)
_EXECUTE = re.compile(r"^(?:execute|exec|run)(?:-(.+))?$|^send-to-?(.*)$")
_OUTPUT_TITLE = re.compile(r"\b(?:output|result|response)s?\b", re.IGNORECASE)
_LANGUAGE = re.compile(r"^[A-Za-z0-9][\w+#./-]*$")
_COPY: Final = frozenset({"copypaste", "copy", "copyable", "console-input"})
_OUTPUT: Final = frozenset({"output", "console-output"})


class Variables(Protocol):
    """Who takes note of run-time variables."""

    def variable(self, name: str, line: Line) -> str:
        """The text that stands for a `{name}` that is filled in at run time."""
        ...

    def lose(self, kind: str, line: Line, detail: str) -> None:
        """Report something that does not come through."""
        ...


def substitutions(text: str | None) -> set[str]:
    """The substitutions that a listing's `subs` asks for; specialchars and callouts when it says nothing."""
    chosen = set(_GROUPS["verbatim"])
    if text is None:
        return chosen
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not any(word.startswith(("+", "-")) or word.endswith("+") for word in words):
        chosen = set()
    for word in words:
        name = word.strip("+-")
        names = _GROUPS.get(name, (_SHORT.get(name, name),))
        if word.startswith("-"):
            chosen.difference_update(names)
        else:
            chosen.update(names)
    return chosen


def body(code: Code, variables: Variables) -> tuple[list[tuple[str, Line]], dict[int, list[int]]]:
    """The block's lines after its substitutions, each with its place, and callout number -> lines (from 1) it marks."""
    rows = list(code.lines)
    while rows and not rows[0].text.strip():
        rows.pop(0)
    while rows and not rows[-1].text.strip():
        rows.pop()
    chosen = substitutions(code.meta.named.get("subs"))
    texts = [row.text for row in rows]
    if code.kind == "literal" and rows and code.opening is rows[0]:
        texts = indent_lines(texts, 0)
    indent = code.meta.named.get("indent", "")
    if indent.isdigit():
        texts = indent_lines(texts, int(indent))
    callouts: dict[int, list[int]] = {}
    if "callouts" in chosen:
        texts = _without_callouts(texts, callouts)
    texts = _substituted(texts, rows, chosen, variables)
    # A value of several lines makes more lines than the author wrote; these stand at the last of the block.
    places = [*rows, *rows[-1:] * (len(texts) - len(rows))]
    return list(zip(texts, places, strict=False)), callouts


def _without_callouts(texts: list[str], callouts: dict[int, list[int]]) -> list[str]:
    kept: list[str] = []
    automatic = 0
    for number, text in enumerate(texts, 1):
        tail = _CALLOUTS.search(text, max(0, len(text) - _CALLOUT_REACH)) if text.endswith(">") else None
        if tail is None:
            kept.append(text)
            continue
        for match in _MARK.finditer(tail.group()):
            mark = match[1] or match[2]
            automatic += mark == "."
            callouts.setdefault(automatic if mark == "." else int(mark), []).append(number)
        kept.append(text[: tail.start()].rstrip())
    return kept


def _substituted(texts: list[str], rows: list[Line], chosen: set[str], variables: Variables) -> list[str]:
    """The lines after their substitutions; what a passthrough holds stays as it is, also over several lines."""
    if not texts or not chosen & {"quotes", "attributes", "macros"}:
        return texts
    whole = "\n".join(texts)
    kept: list[tuple[str, bool]] = []
    if "macros" in chosen and "\ue010" not in whole:
        whole = _PASSED.sub(lambda match: _put_aside(match, kept), whole)
    if "quotes" in chosen:
        whole = _unquoted(whole, escaped="specialchars" in chosen)
    done: list[str] = []
    at = 0
    for text in whole.split("\n"):
        row = rows[min(at, len(rows) - 1)]
        text = _attributes(text, row, variables) if "attributes" in chosen and "{" in text else text
        text = _LINKED.sub(lambda match, row=row: _unlinked(match, row, variables), text) if "macros" in chosen else text  # type: ignore[misc]
        numbers = [number for number in map(int, _ASIDE.findall(text)) if number < len(kept)]
        at += 1 + sum(kept[number][0].count("\n") for number in numbers)
        done.append(_restored(text, kept, row, variables))
    return "\n".join(done).split("\n")


def _restored(text: str, kept: list[tuple[str, bool]], row: Line, variables: Variables) -> str:
    def back(match: re.Match[str]) -> str:
        number = int(match[1])
        return _taken_back(kept[number], row, variables) if number < len(kept) else match[0]

    return _ASIDE.sub(back, text) if kept else text


def _put_aside(match: re.Match[str], kept: list[tuple[str, bool]]) -> str:
    macro = match["macro"]
    text = macro.replace("\\]", "]") if macro is not None else match["triple"] or match["double"] or match["single"]
    kept.append((text, macro is not None and bool(re.search(r"a|n", match["subs"]))))
    return f"\ue010{len(kept) - 1}\ue011"


def _taken_back(held: tuple[str, bool], row: Line, variables: Variables) -> str:
    text, filled = held
    return _attributes(text, row, variables) if filled else text


def _unquoted(text: str, *, escaped: bool) -> str:
    """`text` without the marks of bold, emphasis, code and highlighting, which a listing has no place for.

    Args:
        text: The whole block.
        escaped: `<`, `>` and `&` are entities by then, whose semicolon keeps a mark behind it from opening anything.
    """
    for mark in "*`_#":
        text = _LOOSE[mark].sub(_bare, text) if mark * 2 in text else text
        tight = _TIGHT_ESCAPED[mark] if escaped else _TIGHT[mark]
        text = tight.sub(_bare, text) if text.count(mark) > 1 else text
    return text


def _bare(match: re.Match[str]) -> str:
    return match.group()[1:] if match.group().startswith("\\") else match["inner"]


def _attributes(text: str, row: Line, variables: Variables) -> str:
    def unknown(name: str, at: int) -> str:
        variable = None if in_other_syntax(text, at) else runtime_name(name, in_code=True)
        return variables.variable(variable, row) if variable else f"{{{name}}}"

    return expand(text, row.attributes, unknown, within=True)


def _unlinked(match: re.Match[str], row: Line, variables: Variables) -> str:
    """A link's text, as a participant would copy it from the page; where it led is reported."""
    target = match.group().partition("[")[0].removeprefix("link:")
    brackets = match[1] or match[2]
    if not brackets:
        return target
    variables.lose("link", row, f"Code holds no links; the text of the link to `{target}` was kept.")
    return _label(brackets)


def _label(brackets: str) -> str:
    positional, _ = parse_values(brackets.replace("\\]", "]"))
    return (positional[0] if positional else brackets).removesuffix("^")


def info(code: Code, language_default: str = "") -> FenceInfo:
    """The block's info string."""
    meta = code.meta
    roles = [role.lower() for role in meta.roles]
    runs = [match for role in roles if (match := _EXECUTE.match(role))]
    executable = bool(runs) or any("execute" in role for role in roles)
    target = next((match[1] or match[2] for match in runs if match[1] or match[2]), None)
    language = code.language or _language(meta) or (language_default if meta.style == "source" else "")
    if not _LANGUAGE.match(language):
        language = ""
    said = meta.title.text if meta.title else ""
    output = bool(_OUTPUT & set(roles)) or language == "output" or bool(_OUTPUT_TITLE.search(said) and len(said) < 60)
    return FenceInfo(
        language=(language or ("bash" if executable else "")).lower(),
        executable=executable,
        target=re.sub(r"[^\w.-]", "", target) or None if target else None,
        copyable=not executable and bool(_COPY & set(roles)),
        output=output and not executable,
    )


def _language(meta: Meta) -> str:
    if meta.style not in ("source", "", "listing", "literal"):
        return ""
    named = meta.named.get("language") or meta.named.get("lang")
    if named:
        return named.strip()
    if meta.style in ("source", "") and len(meta.positional) > 1:
        return meta.positional[1].strip()
    return ""
