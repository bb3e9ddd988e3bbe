"""Notebooks: cells as CommonMark, one notebook by sections and several as steps, order, pictures, and what is left out."""

import base64
import json
import re

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.jupyter import JupyterImporter
from agents.template_converter.forms.solved_copies import solved_copies
from agents.template_converter.recognise import choose, classify
from agents.template_converter.report import unaccounted
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.jupyter.notebooks import IMPORTER, book, cell, code, convert, text
from tests.unit.template_converter.trees import make_tree, places, read


def content(tmp_path, *cells, **metadata):
    return convert(tmp_path, {"lab.ipynb": book(*cells, **metadata)}).steps[0].content


def test_cells_in_order_and_the_language_of_the_notebook(tmp_path):
    made = content(tmp_path, text("# T\n\nHello."), code("a = 1\nb = 2"), language_info={"name": "julia"})
    assert made == "# T\n\nHello.\n\n```julia\na = 1\nb = 2\n```\n"


@pytest.mark.parametrize(
    ("source", "fence"),
    [("%%bash\nls", "bash"), ("%%html\n<b>", "html"), ("%%time\nx()", "python"), ("print('```')", "`python")],
)
def test_magics_name_a_language_and_fences_are_long_enough(tmp_path, source, fence):
    assert f"```{fence}\n{source}\n```" in content(tmp_path, text("# T"), code(source))


def test_empty_cells_are_passed_over_and_raw_ones_and_outputs_are_told(tmp_path):
    cells = [text("# T"), code("", 0), cell("raw", "raw"), code("1", 2), code("2", 1)]
    workshop = convert(tmp_path, {"lab.ipynb": book(*cells)})
    assert workshop.steps[0].content == "# T\n\n```python\n1\n```\n\n```python\n2\n```\n"
    assert [(row.kind, row.detail.split(" ")[0]) for row in workshop.losses] == [("output", "3"), ("cell", "1")]


def test_the_older_form_with_worksheets_and_heading_cells(tmp_path):
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Title"]},
        {"cell_type": "heading", "level": "x", "source": "Second"},
        {"cell_type": "code", "input": ["a = 1"], "outputs": []},
    ]
    value = json.dumps({"worksheets": [{"cells": cells}], "metadata": {}, "nbformat": 3})
    assert convert(tmp_path, {"lab.ipynb": value}).steps[0].content == "# Title\n\n## Second\n\n```python\na = 1\n```\n"


def test_the_sections_of_one_notebook_are_its_steps(tmp_path):
    cells = [text("# Lab"), text("## One\n\nx"), code("1"), text("## Two\n\ny")]
    workshop = convert(tmp_path, {"lab.ipynb": book(*cells)})
    assert (workshop.title, [step.title for step in workshop.steps]) == ("Lab", ["One", "Two"])
    assert workshop.steps[0].content == "## One\n\nx\n\n```python\n1\n```\n"


def test_many_headings_of_the_first_level_and_none_of_the_second(tmp_path):
    cells = [text(f"# Part {number}\n\nText.") for number in (1, 2, 3)]
    assert [step.title for step in convert(tmp_path, {"lab.ipynb": book(*cells)}).steps] == ["Part 1", "Part 2", "Part 3"]


def test_several_notebooks_are_a_step_each_in_natural_order(tmp_path):
    files = {
        "nb/Chapter 10.ipynb": book(text("# Ten")),
        "nb/Chapter 2.ipynb": book(text("Words."), text("# A"), text("# B")),
        "nb/.ipynb_checkpoints/Chapter 2.ipynb": book(text("# No")),
        "README.md": "# Cookbook\n",
    }
    workshop = convert(tmp_path, files)
    assert (workshop.title, [step.title for step in workshop.steps]) == ("Cookbook", ["Chapter 2", "Ten"])


def test_a_book_gives_the_order(tmp_path):
    toc = "root: start\nparts:\n- chapters:\n  - file: b\n  - file: sub/a.ipynb\n"
    files = {name: book(text(f"# {name}")) for name in ("start.ipynb", "b.ipynb", "sub/a.ipynb", "extra.ipynb")}
    workshop = convert(tmp_path, {"_toc.yml": toc, **files})
    assert [step.source for step in workshop.steps] == ["start.ipynb", "b.ipynb", "sub/a.ipynb"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "extra.ipynb")]


def test_a_notebook_that_lists_the_others_gives_the_order(tmp_path):
    index = book(text("# All\n\n- [Two](b%20b.ipynb)\n- [One](a.ipynb#x)\n"))
    workshop = convert(tmp_path, {"00-index.ipynb": index, "a.ipynb": book(text("# A")), "b b.ipynb": book(text("# B"))})
    assert [step.title for step in workshop.steps] == ["B", "A"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "00-index.ipynb")]


def test_a_notebook_that_lists_the_others_and_is_counted_with_them_is_the_first_step(tmp_path):
    index = book(text("# Start here\n\n- [One](01-one.ipynb)\n- [Two](02-two.ipynb)\n"), code("import one"))
    files = {"00-overview.ipynb": index, "01-one.ipynb": book(text("# One")), "02-two.ipynb": book(text("# Two"))}
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["Start here", "One", "Two"]
    assert not workshop.losses


def test_a_solved_copy_is_the_solution_of_its_notebook(tmp_path):
    files = {
        "a.ipynb": book(text("# A"), code("# your turn")),
        "b.ipynb": book(text("# B")),
        "_solved/a.ipynb": book(text("# A\n\nSee [B](b.ipynb)."), code("answer = 42")),
        "_solved/alone.ipynb": book(text("# Alone")),
    }
    workshop = convert(tmp_path, files)
    assert [(step.title, step.source) for step in workshop.steps] == [
        ("Alone", "_solved/alone.ipynb"), ("A", "a.ipynb"), ("B", "b.ipynb"),
    ]  # fmt: skip
    assert [step.solve for step in workshop.steps] == [
        None, "# A\n\nSee [B](../b/content.md).\n\n```python\nanswer = 42\n```\n", None,
    ]  # fmt: skip
    assert "answer" not in workshop.steps[1].content
    assert not workshop.broken


@pytest.mark.parametrize(
    ("path", "solves"),
    [
        ("part/solutions/x.ipynb", "part/x.ipynb"),
        ("solutions/part/x.ipynb", "part/x.ipynb"),
        ("answers/y.ipynb", "other/y.ipynb"),
        ("solutions/x.ipynb", None),
        ("solutions/z.ipynb", None),
        ("part/x.ipynb", None),
        ("resolved/y.ipynb", None),
    ],
    ids=["beside", "above", "elsewhere", "two are called so", "nothing is called so", "a notebook", "a word within"],
)
def test_what_a_solved_copy_solves(path, solves):
    paths = ["part/x.ipynb", "more/x.ipynb", "other/y.ipynb", path]
    assert solved_copies(list(dict.fromkeys(paths))).get(path) == solves


MYST_BOOK = """version: 1
project:
  title: A book of today
  toc:
    - file: start.md
    - title: First part
      children:
        - file: one.md
        - file: gone.md
    - title: Second part
      file: two.ipynb
      children:
        - pattern: "more*.md"
"""


def test_a_book_of_today_says_its_order_in_myst_yml(tmp_path):
    cell = "```{code-cell} python\nx = 1\n```\n"
    files = {
        "myst.yml": MYST_BOOK,
        "start.md": "# Start\n",
        "one.md": f"# One\n\n{cell}",
        "two.ipynb": book(text("# Two")),
        "README.md": "# A tutorial\n\n- [One](one.md)\n- [Start](start.md)\n",
    }
    tree = make_tree(tmp_path, files)
    first = classify(tree)[0]
    assert (first.form, first.score, first.evidence) == (Form.JUPYTER, 0.9, ["`myst.yml` lists 3 pages of a Jupyter Book."])
    workshop = read(JupyterImporter(), tree)
    assert workshop.title == "A book of today"
    assert [step.source for step in workshop.steps] == ["start.md", "one.md", "two.ipynb"]
    assert [(chapter.title, chapter.steps) for chapter in workshop.chapters] == [
        ("First part", ["one"]),
        ("Second part", ["two"]),
    ]
    assert [(row.source, row.target) for row in workshop.broken] == [("myst.yml", "gone.md")]
    assert [row.detail for row in workshop.losses] == [
        "It lists pages by the pattern `more*.md`, which is not followed; they are no steps."
    ]


def test_notebooks_of_a_blog_are_no_workshop(tmp_path):
    posts = {f"posts/2020-0{month}-01-words.md": "# Words\n\nOf that day.\n" for month in range(1, 7)}
    files = {f"downloads/{name}.ipynb": book(text("# A")) for name in "abc"}
    found = next(row for row in classify(make_tree(tmp_path / "blog", {**posts, **files})) if row.form is Form.JUPYTER)
    assert (found.score, found.evidence[-1]) == (0.45, "They lie in a blog of 6 dated posts.")
    pages = {f"pages/{name}.md": "# Words\n" for name in "abcdefg"}
    found = next(row for row in classify(make_tree(tmp_path / "site", {**posts, **files, **pages})) if row.form is Form.JUPYTER)
    assert found.score == 0.85


def test_documentation_in_the_form_of_todays_books_is_no_workshop(tmp_path):
    page = "# Options\n\n```yaml\na: 1\n```\n\n```yaml\nb: 1\n```\n\n```yaml\nc: 1\n```\n"
    files = {"docs/myst.yml": "project:\n  toc:\n    - file: a.md\n    - file: b.md\n", "docs/a.md": page, "docs/b.md": page}
    found = next(row for row in classify(make_tree(tmp_path, files)) if row.form is Form.JUPYTER)
    assert (found.path, found.score) == ("docs", 0.4)
    assert found.evidence[-1] == "Nothing says that it is a workshop or tutorial."


def test_attached_pictures_are_files_of_the_step(tmp_path):
    picture = base64.b64encode(b"png bytes").decode()
    shown = text("# T\n\n![a](attachment:my%20pic.png) ![b](attachment:bad.png)")
    shown["attachments"] = {"my pic.png": {"image/png": picture}, "bad.png": {"image/png": "%%%"}}
    step_and = convert(tmp_path, {"lab.ipynb": book(shown)})
    assert step_and.steps[0].files == {"files/my-pic.png": b"png bytes"}
    assert "![a](files/my-pic.png)" in step_and.steps[0].content
    assert [row.kind for row in step_and.losses] == ["image"]


def test_lines_are_those_of_the_json(tmp_path):
    source = book(text('# T\n\nHello "you" ä.'), code("a = 1"))
    rows = source.split("\n")
    step = convert(tmp_path, {"lab.ipynb": source}).steps[0]
    for line, file, number in places(step):
        assert file == "lab.ipynb"
        if line and not line.startswith("```"):
            assert json.dumps(line)[1:-1] in rows[number - 1]


@pytest.mark.parametrize("junk", ["", "no", "[]", '{"cells": 3}', '{"cells": [1, null]}', '{"a":' * 50_000])
def test_what_is_no_notebook_is_told_and_the_rest_is_kept(tmp_path, junk):
    workshop = convert(tmp_path, {"a.ipynb": junk, "b.ipynb": book(text("# B"))})
    assert [step.title for step in workshop.steps] == ["B"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "a.ipynb")]
    with pytest.raises(UnreadableSourceError, match="no notebook"):
        convert(tmp_path / "alone", {"a.ipynb": junk})


def test_notebooks_beside_much_source_code_speak_less_for_it(tmp_path):
    few = make_tree(tmp_path / "a", {"a.ipynb": book(text("# A")), **{f"src/{n}.py": "x = 1\n" for n in range(9)}})
    many = make_tree(tmp_path / "b", {f"{n}.ipynb": book(text("# A")) for n in range(9)})
    scores = [next(row.score for row in classify(tree) if row.form is Form.JUPYTER) for tree in (few, many)]
    assert scores[0] < 0.5 < 0.8 < scores[1]


BOOK = """format: jb-book
root: intro
parts:
- caption: First part
  chapters:
  - file: one.md
    sections:
    - file: two
- caption: Second part
  chapters:
  - file: gone
  - file: ../outside
  - file: three
"""
TEXT_PAGE = """---
kernelspec:
  language: R
---
(a-label)=
# One

+++

See {ref}`the other <two>`, {numref}`fig`.

```{code-cell}
:tags: [remove-cell]

x <- 1
```

```{code-cell} ipython3
---
tags: [a]
---
print("a")
```

```{figure} img/a.png
:name: fig

A `caption`.
```

````{note}
Mind:

```{code-block} bash
ls
```
````

```{admonition} Do it
Now.
```

```{index} x
```

:::{tip}
Short.
:::

```{math}
x = 1
```
"""


def test_a_book_of_notebooks_and_text(tmp_path):
    files = {
        "book/_toc.yml": BOOK,
        "book/_config.yml": "title: The book\n",
        "book/intro.md": "# Hello\n",
        "book/one.md": TEXT_PAGE,
        "book/two.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": "# Two"}]}),
        "book/three.md": "# Three\n",
        "book/img/a.png": b"x",
        "book/notes.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": "# Notes"}]}),
        "main.py": "",
    }
    tree = make_tree(tmp_path, files)
    best = max(IMPORTER.recognise(tree), key=lambda row: row.score)
    assert (best.path, best.evidence) == ("book", ["`book/_toc.yml` lists 4 pages of a Jupyter Book."])
    workshop = IMPORTER.read(tree, best)
    assert workshop.title == "The book"
    assert [step.title for step in workshop.steps] == ["Hello", "One", "Two", "Three"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [("First part", ["one", "two"]), ("Second part", ["three"])]
    assert ("page", "book/notes.ipynb") in [(row.kind, row.source) for row in workshop.losses]
    assert unaccounted(tree, workshop) == []


def test_a_books_solutions_are_the_steps(tmp_path):
    page = (
        "# One\n\n```{exercise-start}\n:label: e1\n```\n\nDo it.\n\n```{code-cell}\n1\n```\n\n```{exercise-end}\n```\n\n"
        "```{solution-start} e1\n:class: dropdown\n```\n\nSo:\n\n```{code-cell}\n2\n```\n\n```{solution-end}\n```\n\nAfter.\n\n"
        "```{solution-start} e1\n```\nNever ended.\n"
    )
    tree = make_tree(tmp_path, {"_toc.yml": "format: jb-book\nroot: one\n", "one.md": page})
    step = IMPORTER.read(tree, IMPORTER.recognise(tree)[0]).steps[0]
    assert re.sub(r"\n{2,}", "\n\n", step.content) == (
        "# One\n\n> **Exercise**\n>\n> Do it.\n>\n> ```python\n> 1\n> ```\n\nAfter.\n"
    )
    assert "So:\n\n```python\n2\n```" in (step.solve or "")
    assert "Never ended." in (step.solve or "")


def test_a_books_text_is_commonmark(tmp_path):
    tree = make_tree(tmp_path, {"_toc.yml": "format: jb-book\nroot: one\n", "one.md": TEXT_PAGE, "img/a.png": b"x"})
    workshop = IMPORTER.read(tree, IMPORTER.recognise(tree)[0])
    text = re.sub(r"\n{2,}", "\n\n", workshop.steps[0].content)
    assert text == (
        '# One\n\nSee the other, `fig`.\n\n```r\nx <- 1\n```\n\n```python\nprint("a")\n```\n\n'
        "![A caption.](../../assets/img/a.png)\n\nA `caption`.\n\n> **Note**\n>\n> Mind:\n>\n> ```bash\n> ls\n> ```\n\n"
        "> **Do it**\n>\n> Now.\n\n> **Tip**\n>\n> Short.\n\n```{math}\nx = 1\n```\n"
    )
    assert sorted(row.detail.partition(" has no place")[0] for row in workshop.losses) == [
        "`{index}`", "`{math}`", "role `{numref}`",
    ]  # fmt: skip


def test_a_heading_of_a_part_is_no_notebooks_title(tmp_path):
    book = json.dumps({"cells": [{"cell_type": "markdown", "source": "# 8.1 A part"}]})
    tree = make_tree(tmp_path, {"Chapter 8 - How to.ipynb": book, "chapter-9_x.ipynb": book})
    assert [step.title for step in read(IMPORTER, tree).steps] == ["Chapter 8 - How to", "chapter 9 x"]


def text_book(source):
    return json.dumps({"cells": [{"cell_type": "markdown", "source": source}]})


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        ("lists", "Lists & more\n===\n\n# A part\n\n# Another\n", "Lists & more"),
        ("lists", "Words.\n\n# A part\n\n# Another\n", "lists"),
        ("01", "## Only this\n\nWords.\n", "Only this"),
        ("01", "Words.\n", "01"),
    ],
)
def test_titles_of_notebooks(tmp_path, name, source, title):
    tree = make_tree(tmp_path, {f"{name}.ipynb": text_book(source), "z.ipynb": text_book("# Z")})
    assert read(IMPORTER, tree).steps[0].title == title


def test_headings_without_a_space_as_older_notebooks_have_them(tmp_path):
    tree = make_tree(
        tmp_path, {"a.ipynb": text_book("#Lists\n\n##more of them\n#not\n\n#no\n\n#1\n"), "z.ipynb": text_book("# Z")}
    )
    step = read(IMPORTER, tree).steps[0]
    assert (step.title, step.content) == ("Lists", "# Lists\n\n## more of them\n#not\n\n#no\n\n#1\n")


def test_links_to_notebooks_as_sites_show_them(tmp_path):
    site = "http://nbviewer.org/urls/raw.github.com/someone/repo/master/nb"
    files = {
        "nb/index.ipynb": text_book(f"[b]({site}/b.ipynb) [a]({site}/a.ipynb#x) [c](c.html) [d](gone.html)"),
        "nb/a.ipynb": text_book("# What are a's?\n\n[B](b.html#Of-b) [here](#What-are-a's?) [no](gone.html)"),
        "nb/b.ipynb": text_book("# B\n\n## Of b\n"),
        "nb/c.ipynb": text_book("# C"),
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [step.title for step in workshop.steps] == ["B", "What are a's?", "C"]
    assert "[B](../b/content.md#of-b) [here](../what-are-a-s/content.md#what-are-as) no" in workshop.steps[1].content
    assert [row.target for row in workshop.broken] == ["gone.html"]


@pytest.mark.parametrize(
    "page", ["```{exercise-start}\n```\n" * 2000, "````{note}\n" * 2000, "".join(f"{'`' * n}{{tip}}\n" for n in range(60, 3, -1))]
)
def test_what_a_book_begins_and_never_ends(tmp_path, page):
    tree = make_tree(tmp_path, {"_toc.yml": "format: jb-book\nroot: one\n", "one.md": f"# One\n\n{page}\nThe end.\n"})
    step = IMPORTER.read(tree, IMPORTER.recognise(tree)[0]).steps[0]
    assert "The end." in "".join(filter(None, (step.content, step.solve, step.hints)))


def test_what_a_book_lists_and_what_is_no_step_is_told(tmp_path):
    toc = "root: one\nchapters:\n- file: gone\n- file: old\n- url: https://x.example\n- glob: more/*\n"
    workshop = convert(tmp_path, {"_toc.yml": toc, "one.md": "# One\n", "old.rst": "Old\n===\n"})
    assert [(row.kind, row.source, row.target) for row in workshop.broken] == [("page", "_toc.yml", "gone")]
    assert [(row.kind, row.source) for row in workshop.losses] == [
        ("page", "old.rst"),
        ("link", "_toc.yml"),
        ("page", "_toc.yml"),
    ]
    assert "https://x.example" in workshop.losses[1].detail
    assert "`more/*`" in workshop.losses[2].detail


@pytest.mark.parametrize(
    ("written", "shown", "told"),
    [
        ("```{note} Words\nthat go on.\n```", "> **Note**\n>\n> Words\n> that go on.", []),
        ("```{tip} Words {ref}`of it <x>`.\n:class: a\n\nMore.\n```", "> **Tip**\n>\n> Words of it.\n>\n> More.", []),
        ("```{seealso} [T](#t)\n```", "> **See also**\n>\n> [T](../t/content.md#t)", []),
        ("```{exercise} Try\n:label: e\n\nDo it.\n```", "> **Exercise: Try**\n>\n> Do it.", []),
        ("```{dropdown} More\nIt.\n```", "> **More**\n>\n> It.", []),
        ("```{prf:theorem} Euclid\nIt.\n```", "> **Theorem: Euclid**\n>\n> It.", []),
        ("```{odd} A\nb\n```", "> **Odd: A**\n>\n> b", ["`{odd}`"]),
        ("```{literalinclude} x.py\n:lines: 1\n```", "```{literalinclude}\nx.py\n:lines: 1\n```", ["`{literalinclude}`"]),
        (":::{literalinclude} x.py\n:lines: 1\n:::", "```text\nx.py\n:lines: 1\n```", ["`{literalinclude}`"]),
        ("```{math} x=1\n```", "```{math}\nx=1\n```", ["`{math}`"]),
        (":::{table} T\n```\n:::", "````text\nT\n```\n````", ["`{table}`"]),
    ],
)
def test_words_behind_a_directives_name_stay(tmp_path, written, shown, told):
    workshop = convert(tmp_path, {"_toc.yml": "root: one\n", "one.md": f"# T\n\n{written}\n\nEnd.\n"})
    assert re.sub(r"\n{2,}", "\n\n", workshop.steps[0].content) == f"# T\n\n{shown}\n\nEnd.\n"
    assert [row.detail.partition(" has no place")[0] for row in workshop.losses] == told


def test_notebooks_outweigh_the_page_above_them_where_a_build_file_builds_no_program(tmp_path):
    readme = "# Data workshop\n\n## Set up\n\n```bash\nuv sync\n```\n\n## Start\n\n```bash\njupyter lab\n```\n\n## Ask\n\n```bash\nls\n```\n"
    files = {
        "README.md": readme,
        "pyproject.toml": '[project]\nname = "x"\n',
        "a.ipynb": book(text("# A"), code("1")),
        "b.ipynb": book(text("# B"), code("2")),
    }
    assert choose(classify(make_tree(tmp_path, files)), None).form is Form.JUPYTER
    files["src/x/core.py"] = files["src/x/more.py"] = "x = 1\n"
    rows = classify(make_tree(tmp_path / "library", files))
    assert {row.form: row.score >= 0.5 for row in rows} == {Form.LIBRARY: True, Form.JUPYTER: False, Form.MARKDOWN: False}


def test_notebooks_that_share_one_heading_are_called_as_their_files(tmp_path):
    files = {f"0{number}_part.ipynb": book(text("Words."), text("# Next section"), code("1")) for number in (1, 2, 3)}
    files["04_end.ipynb"] = book(text("# The end"), code("1"))
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["01 part", "02 part", "03 part", "The end"]
