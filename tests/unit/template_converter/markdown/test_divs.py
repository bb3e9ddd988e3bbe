"""Boxes between rows of colons: what of an exercise goes where, which divs are boxes, and what stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.template_converter.forms.divs import convert_divs
from agents.template_converter.forms.lines import lines_of, text_of
from agents.template_converter.forms.markdown import MarkdownImporter
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = MarkdownImporter()


def converted(text):
    return text_of(convert_divs(lines_of(text, "a.md")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::: tip\nDo.\n:::\n", "\n> **Tip**\n>\n> Do.\n\n"),
        ("::: warning Mind the gap\nDo.\n\n- it\n:::\n", "\n> **Mind the gap**\n>\n> Do.\n>\n> - it\n\n"),
        (":::::::: callout\n\n## Names\n\nThey matter.\n\n:::::::::::\n", "\n> **Names**\n>\n> They matter.\n\n"),
        (":::: keypoints ::::\n- One\n::::\n", "\n> **Key points**\n>\n> - One\n\n"),
        ('::: {.callout-note title="So"}\nX\n:::\n', "\n> **So**\n>\n> X\n\n"),
        ("::: {.center}\nX\n:::\n", "\nX\n\n"),
        ("::: code-group\n```js [a.js]\nx\n```\n:::\n", "\n```js [a.js]\nx\n```\n\n"),
        ("- item\n\n  ::: tip\n  ```sh\n  ls\n  ```\n  :::\n", "- item\n\n\n  > **Tip**\n  >\n  > ```sh\n  > ls\n  > ```\n\n"),
        ("::: details More\nX\n:::\n", "\n> **More**\n>\n> X\n\n"),
    ],
)
def test_boxes_become_quotes_and_layout_goes(text, expected):
    assert converted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "::: tip\nNever closed.\n",
        "```text\n::: tip\nx\n:::\n```\n",
        ":::{note}\nMyST's.\n:::\n",
        "::: gizmo\nNobody knows it.\n:::\n",
        ":::\nAlone.\n:::\n",
        "a ::: tip\n:::\n",
    ],
)
def test_what_is_no_box_stays(text):
    assert converted(text) == text


LESSON = """# Files

::: questions

- What is a file?

:::

::::::::: challenge

## Make two

Do it with one command.

::: hint
Names can be listed.
:::

::::: solution

## Solution

```bash
touch a b
```

:::::

::::::::::::

::: challenge

## Remove them

And look.

::: solution

## With a pattern

`rm ?`

:::

:::

The end.
"""


def test_hints_and_solutions_of_exercises_leave_the_page_and_say_what_they_belong_to(tmp_path):
    step = read(IMPORTER, make_tree(tmp_path, {"README.md": "# T\n", "01-a.md": LESSON, "02-b.md": "# B\n"})).steps[0]
    assert "> **Challenge: Make two**\n>\n> Do it with one command.\n" in step.content
    assert "> **Challenge: Remove them**\n>\n> And look.\n" in step.content
    assert step.content.endswith("The end.\n")
    assert "touch" not in step.content
    assert "Names can" not in step.content
    assert step.hints is not None
    assert "**Make two**\n\nNames can be listed." in step.hints
    assert step.solve is not None
    assert "**Make two**\n\n```bash exec\ntouch a b\n```" in step.solve
    assert "**Remove them**\n\n**With a pattern**\n\n`rm ?`" in step.solve
    assert ("> Do it with one command.", "01-a.md", 13) in places(step)


PIECES = [
    "::: tip",
    "::: challenge",
    "::: solution",
    ":::",
    "::::::",
    "```",
    "text",
    "",
    "## T",
    "> **Hint**",
    "::: {.x}",
    "  ::: hint",
    "- a",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_no_word_of_a_page_is_lost(pieces):
    rows = [f"w{number} {piece}" if piece == "text" else piece for number, piece in enumerate(pieces)]
    made = converted("".join(f"{row}\n" for row in rows))
    assert all(row in made for row in rows if row.startswith("w"))
