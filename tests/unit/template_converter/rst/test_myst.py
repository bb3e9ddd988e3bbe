"""MyST Markdown among a site's pages: directives, roles, labels, tables and what is drawn in; the rest is Markdown as it is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.template_converter.rst.made import CONF, convert, myst
from tests.unit.template_converter.trees import places


def fence(text, info=""):
    return f"```{info}\n{text}\n```"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("```{code-block} bash\n---\nlinenos: true\n---\nls\n```\n", fence("ls", "bash exec")),
        ("```{code-block} yaml\n:caption: a.yml\n\na: 1\n```\n", "**a.yml**\n\n" + fence("a: 1", "yaml")),
        ("```bash\n$ ls\n```\n", fence("$ ls", "bash")),
        ("```{note}\nWords.\n```\n", "> **Note**\n>\n> Words."),
        ("```{note} Words\nthat go on.\n```\n", "> **Note**\n>\n> Words\n> that go on."),
        (":::{admonition} My title\n:class: tip\nWords.\n:::\n", "> **My title**\n>\n> Words."),
        ("::::{tabs}\n:::{group-tab} A\nText.\n:::\n::::\n", "## A\n\nText."),
        ("````{exercise} Try\n```{code-block} bash\nls\n```\n````\n", "> **Exercise: Try**\n>\n> ```bash exec\n> ls\n> ```"),
        ("{kbd}`Ctrl` `{kbd}` {nope}`x`\n", "`Ctrl` `{kbd}` x"),
        ("% comment\n\nText. {{ app }}\n", "Text. The app"),
        ("```{list-table}\n:header-rows: 1\n\n* - A\n  - B\n* - {kbd}`x`\n  - 2\n```\n", "| A | B |\n| --- | --- |\n| `x` | 2 |"),
        ("```{csv-table}\n:delim: ;\na ; b\n```\n", "|  |  |\n| --- | --- |\n| a | b |"),
        ("```{eval-rst}\n.. note:: Words.\n```\n", "> **Note**\n>\n> Words."),
        ("- item\n\n  ```{code-block} bash\n  ls\n  ```\n", "- item\n\n  " + fence("ls", "bash exec").replace("\n", "\n  ")),
        ("```{literalinclude} p.py\n:lines: 2\n```\n", fence("b = 2", "python")),
        ("```{image} pic.png\n:alt: A picture\n```\n", "![A picture](../../assets/docs/pic.png)"),
        ("```{figure} pic.png\n   :alt: X\n\n   Caption.\n```\n", "![X](../../assets/docs/pic.png)\n\nCaption."),
        ("```{include} part.md\n```\n", "Drawn `in`."),
        ("~~~{tip}\nUse it.\n~~~\n", "> **Tip**\n>\n> Use it."),
    ],
)
def test_blocks_and_roles(tmp_path, body, expected):
    conf = CONF + 'myst_substitutions = {"app": "The app"}\n'
    files = {"p.py": "a = 1\nb = 2\n", "pic.png": "x", "part.md": "Drawn {file}`in`.\n"}
    _, got = myst(tmp_path, body, conf, files)
    assert got == expected


def test_links_and_labels_cross_pages_of_both_kinds(tmp_path):
    files = {
        "b.rst": "Bee\n===\n\nWords.\n\n.. _spot:\n\nSpot\n----\n\nSee :ref:`here` and :doc:`index`.\n",
        "sub/c.md": "# Cee\n\nWords.\n\n(here)=\n## Here it is\n\n[](../b.rst), [up](/b), [](spot), <project:#spot>, {ref}`that <spot>`.\n",
    }
    body = "{doc}`b`, {ref}`here`, {doc}`the c <sub/c>`.\n\n```{toctree}\nb\nsub/c\n```\n"
    made, got = myst(tmp_path, body, files=files)
    assert "[Bee](../bee/content.md), [Here it is](../cee/content.md#here-it-is), [the c](../cee/content.md)." in got
    assert "[Here it is](../cee/content.md#here-it-is) and [T](../t/content.md)" in made.steps[1].content
    spot = "../bee/content.md#spot"
    assert (
        f"[Bee](../bee/content.md), [up](../bee/content.md), [Spot]({spot}), [Spot]({spot}), [that]({spot})."
        in made.steps[2].content
    )
    assert made.broken == []


def test_solutions_find_their_place_and_code_its_lines(tmp_path):
    body = "## Part\n\n````{exercise} Try\n\n  Do it.\n\n  ```{solution}\n\n  ~~~bash\n  ls\n  ~~~\n  ```\n````\n\nOn.\n"
    made, got = myst(tmp_path, body)
    assert made.steps[0].solve == "~~~bash exec\nls\n~~~\n"
    assert got.split() == ["##", "Part", "**Exercise:", "Try**", "Do", "it.", "On."]
    made, _ = myst(tmp_path / "b", "```{note}\nWords.\n\n~~~bash\nls\n~~~\n```\n")
    assert ("> ls", "docs/index.md", 7) in places(made.steps[0])


def test_front_matter_and_what_is_unknown_or_missing(tmp_path):
    files = {
        "index.md": "---\ntitle: Front\nsubstitutions:\n  x: y\n---\n# T\n\n{{ x }} {{ z }}\n\n```{odd} A\nb\n```\n\n```{include} no.md\n```\n"
    }
    made = convert(tmp_path, files)
    assert made.steps[0].title == "Front"
    assert "y {{ z }}\n\n> **odd: A**\n>\n> b" in made.steps[0].content
    assert [row.kind for row in made.losses] == ["macro", "macro"]
    assert [row.target for row in made.broken] == ["no.md"]


def test_includes_without_end_are_cut(tmp_path):
    files = {"a.md": "A\n\n```{include} b.md\n```\n", "b.md": "B\n\n```{include} a.md\n```\n"}
    made, got = myst(tmp_path, "```{include} a.md\n```\n", files=files)
    assert "A" in got
    assert [row.source for row in made.broken] == ["docs/b.md"]


def test_an_indented_mark_does_not_close_what_it_stands_in(tmp_path):
    body = "````{tabs}\n  ```{group-tab} One\n    ```{code-block} bash\n    ls\n    ```\n  ```\n````\n"
    _, got = myst(tmp_path, body)
    assert got.startswith("## One\n\n```bash exec\nls\n```")


PIECES = [
    "# T", "## S", "", "text", "```", "```bash", "```{note}", "````{tabs}", "````", ":::", ":::{tip}", "::::{tab-set}", "::::", "```{code-block} sh",
    ":alt: x", "---", "a: b", "```{include} index.md", "```{literalinclude} index.md", "```{eval-rst}", ".. note:: x", "```{list-table}", "* - a",
    "{doc}`x`", "{ref}`l`", "(l)=", "[](x)", "[a](b.md)", "{{ s }}", "% c", "  - item", "    ```", "```{toctree}", "index", "```{figure} a.png",
    "~~~", "~~~{warning}", "$$", "+++", "<b>", "```{odd} y", "\t", "`", "{role}`", "```{csv-table} t", "é\x00",
]  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=15).filter(lambda text: "\n" not in text), max_size=40))
def test_any_page_is_read(tmp_path_factory, pieces):
    made = convert(tmp_path_factory.mktemp("fuzz"), {"index.md": "\n".join(pieces) + "\n\n# Last\n\nWords that stay.\n"})
    for step in made.steps:
        assert all(0 <= number <= len(pieces) + 5 for _, _, number in step.runs)
