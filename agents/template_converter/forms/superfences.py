"""Fences that MkDocs takes at any indentation, where CommonMark would see indented code with backticks in it."""

from agents.template_converter.forms.lines import Line, dedented, indentation, outside_fences
from agents.template_converter.forms.parsing import parse


def outdent_fences(lines: list[Line]) -> list[Line]:
    """Fenced blocks that stand in indented code, moved to the indentation of what they stand in; row for row."""
    blocks = [token for token in parse(lines).tokens if token.type == "code_block" and token.map]
    inside = [flag for _, _, flag in outside_fences(lines)]
    out = list(lines)
    for token in blocks:
        assert token.map is not None
        first = token.map[0]
        extra, cut = 0, 0
        for row, text in enumerate(token.content.split("\n")[: token.map[1] - first], first):
            raw = lines[row].text
            opens = inside[row] and not (row > 0 and inside[row - 1]) and text.lstrip().startswith(("```", "~~~"))
            if opens:
                cut = len(raw) - len(text) if raw.endswith("    " + text) else 0
                extra = indentation(text)
            if cut and inside[row] and raw.strip() and raw.endswith(text):
                out[row] = lines[row].with_text(raw[: cut - 4] + dedented(text, extra))
    return out
