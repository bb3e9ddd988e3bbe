"""Colours code on the server with Pygments, by CSS classes alone, and makes the stylesheet for light and dark.

Colours of Pygments' styles that are too faint on our backgrounds are moved until they reach a contrast of 4.5 to 1.
"""

import colorsys
import re
import time
from collections.abc import Collection
from functools import lru_cache
from html import escape
from io import StringIO

from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.style import StyleMeta
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Error, Token
from pygments.util import ClassNotFound
from structlog import get_logger

log = get_logger()

MAX_HIGHLIGHTED_CHARACTERS = 20_000
MAX_HIGHLIGHTED_LINE = 1_000
MAX_SECONDS = 0.25
"""Processor time for one block. Many lexers take quadratic time over text that is made for it; the block is then shown plain."""

LIGHT_BACKGROUND = "f5f6f8"
DARK_BACKGROUND = "161b22"
LIGHT_STYLE = "xcode"
DARK_STYLE = "github-dark"
CONTRAST = 4.6

CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)

VARIABLE = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_.-]{0,99})\}\}")
_FIRST_MARK = 0x100000
_MAX_MARKS = 500

_LABELS = {"sh": "Shell", "shell": "Shell", "console": "Console", "yml": "YAML", "text": "", "txt": "", "plaintext": ""}


def language_label(language: str) -> str:
    """What to call a language on the page; empty for plain text."""
    if language in _LABELS:
        return _LABELS[language]
    try:
        return str(get_lexer_by_name(language).name) if language else ""
    except ClassNotFound:
        return language[:30]


def variable_html(name: str) -> str:
    """The marked placeholder of `{{name}}`."""
    return f'<span class="variable" title="Filled in when the workshop runs">{{{{{escape(name)}}}}}</span>'


def highlight(code: str, language: str, variables: Collection[str] | None = None, seconds: float = MAX_SECONDS) -> str:
    """Code as HTML spans, everything escaped.

    Args:
        code: Any text.
        language: A Pygments alias; an unknown one is plain text.
        variables: Names that are marked where they stand as `{{name}}`; None for every name.
        seconds: Processor time after which the code is shown plain.
    """
    marked, names = _set_marks(code, variables)
    html = _coloured(marked, language, seconds)
    for number, name in enumerate(names):
        html = html.replace(chr(_FIRST_MARK + number), variable_html(name))
    return html


def _set_marks(code: str, variables: Collection[str] | None) -> tuple[str, list[str]]:
    """Put one private character in each variable's place, so that a lexer cannot cut it in two."""
    if any(ord(character) >= _FIRST_MARK for character in code):
        return code, []
    names: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if len(names) >= _MAX_MARKS or (variables is not None and match[1] not in variables):
            return match[0]
        names.append(match[1])
        return chr(_FIRST_MARK + len(names) - 1)

    return VARIABLE.sub(mark, code), names


def _coloured(code: str, language: str, seconds: float) -> str:
    longest = max(map(len, code.split("\n")))
    if not language or seconds <= 0 or len(code) > MAX_HIGHLIGHTED_CHARACTERS or longest > MAX_HIGHLIGHTED_LINE:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    deadline = time.thread_time() + seconds
    tokens = []
    for token in lexer.get_tokens(code):
        tokens.append(token)
        if time.thread_time() > deadline:
            log.warning("highlighting_given_up", language=language, characters=len(code))
            return escape(code)
    written = StringIO()
    HtmlFormatter(nowrap=True).format(tokens, written)
    return written.getvalue().rstrip("\n")


def _luminance(colour: str) -> float:
    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(colour[at : at + 2], 16)) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio, 1 to 21, of two colours given as six hexadecimal digits."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, background: str, ratio: float = CONTRAST) -> str:
    """`colour`, made darker or lighter in small steps until it stands out from `background` by `ratio`."""
    step = -0.02 if _luminance(background) > 0.2 else 0.02
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    while contrast(colour, background) < ratio and 0 <= lightness + step <= 1:
        lightness += step
        colour = "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return colour


def _rules(style: StyleMeta, background: str) -> str:
    lines: list[str] = []
    for token, look in style:
        name = STANDARD_TYPES.get(token)
        if not name or token in {Token, Error}:
            continue
        colour = look["color"]
        declarations = [f"color:#{readable(colour, background)}"] if colour else []
        declarations += ["font-weight:600"] if look["bold"] else []
        declarations += ["font-style:italic"] if look["italic"] else []
        if declarations:
            lines.append(f".code .{name}{{{';'.join(declarations)}}}")
    return "\n".join(lines)


@lru_cache(maxsize=1)
def stylesheet() -> str:
    """The stylesheet of highlighted code: light, and dark where the reader's system is dark."""
    light = _rules(get_style_by_name(LIGHT_STYLE), LIGHT_BACKGROUND)
    dark = _rules(get_style_by_name(DARK_STYLE), DARK_BACKGROUND)
    return f"{light}\n@media (prefers-color-scheme: dark){{\n{dark}\n}}\n"
