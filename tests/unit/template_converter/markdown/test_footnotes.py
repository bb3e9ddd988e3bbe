"""Footnotes: numbers where they are referred to and before their text; what lacks one of both stays."""

import pytest

from agents.template_converter.forms.footnotes import convert_footnotes
from agents.template_converter.forms.lines import lines_of, text_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A[^x] b[^y] c[^x].\n\n[^y]: Why\n[^x]: Ex [^y]\n", "A<sup>1</sup> b<sup>2</sup> c<sup>1</sup>.\n\n<sup>2</sup> Why\n\n<sup>1</sup> Ex <sup>2</sup>\n"),
        ("A[^1].\n\n[^1]:\n    First.\n\n    Second.\n\nAfter.\n", "A<sup>1</sup>.\n\n<sup>1</sup>\nFirst.\n\nSecond.\n\nAfter.\n"),
        ("- A[^1]\n\n  [^1]: note\n", "- A<sup>1</sup>\n\n  <sup>1</sup> note\n"),
        ("> A[^1]\n> [^1]: note\n", "> A<sup>1</sup>\n>\n> <sup>1</sup> note\n"),
        ("A[^1] and `b[^1]`.\n\n[^1]: n\n", "A<sup>1</sup> and `b[^1]`.\n\n<sup>1</sup> n\n"),
    ],
)  # fmt: skip
def test_footnotes_are_numbered(text, expected):
    assert text_of(convert_footnotes(lines_of(text, "a.md"))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A[^1].\n",
        "[^1]: Nobody asks.\n",
        "```\nA[^1]\n[^1]: n\n```\n",
        "A\n\n    [^1]: code\n",
        "A\n\n    x[^1]\n\n[^1]: n\n",
        "[^a-z]+ and [^]\n",
        "x[^ 1]: y\n",
    ],
)
def test_what_is_no_footnote_stays(text):
    assert text_of(convert_footnotes(lines_of(text, "a.md"))) == text


def test_a_line_of_nothing_but_marks_is_read_at_once():
    for row in ("[^" * 50_000, "`" * 100_000, "` " * 50_000, "[^a]" * 25_000):
        shown = text_of(convert_footnotes(lines_of(f"{row}\n\n[^a]: x\n", "a.md")))
        assert (shown.split("\n")[0] == row) is ("[^a]" not in row), shown[:100]
