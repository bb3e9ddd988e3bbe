"""Pages of reStructuredText: code to the byte, files that are drawn in, boxes, tabs, pictures, tables, roles; and what nobody knows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.template_converter.forms.sphinx.directives import install
from tests.unit.template_converter.rst.made import CONF, content, convert, page, site
from tests.unit.template_converter.trees import places

PROGRAM = "import os\n\n\n# begin\n@made\ndef first(\n    a,\n):\n    return a\n\n\nclass Thing:\n    x = 1\n\n    def go(self):\n        pass\n# end\n"


def fence(text, info=""):
    return f"```{info}\n{text}\n```"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (".. code-block:: bash\n\n   ls -l\n", fence("ls -l", "bash exec")),
        (".. code-block:: bash\n   :linenos:\n   :emphasize-lines: 1\n\n   ls\n     two\n", fence("ls\n  two", "bash exec")),
        (".. code:: python\n\n   a = 1\n", fence("a = 1", "python")),
        (".. sourcecode:: console\n\n   $ ls\n   a\n", fence("$ ls\na", "console")),
        (".. code-block:: console\n\n   ls\n", fence("ls", "console exec")),
        (".. code-block:: none\n\n   ls\n", fence("ls")),
        (".. code-block::\n\n   ls\n", fence("ls")),
        (".. code-block:: bash\n   ls\n", fence("ls", "bash exec")),
        (".. code-block:: yaml\n   :caption: a.yml\n\n   a: 1\n", "**a.yml**\n\n" + fence("a: 1", "yaml")),
        (".. highlight:: bash\n\nDo::\n\n   ls\n", "Do:\n\n" + fence("ls", "bash exec")),
        ("::\n\n   plain *text*\n", fence("plain *text*")),
        ("Say ::\n\n> quoted\n> lines\n", "Say\n\n" + fence("> quoted\n> lines")),
        (">>> 1 + 1\n2\n", fence(">>> 1 + 1\n2", "pycon")),
        (".. prompt:: bash $\n\n   ls\n   cd\n", fence("ls\ncd", "bash exec")),
        (".. prompt:: bash $ auto\n\n   $ ls\n   out\n", fence("$ ls\nout", "console")),
        (".. parsed-literal::\n\n   get *this* |x|\n\n.. |x| replace:: now\n", fence("get this now")),
        (".. testoutput::\n\n   out\n", fence("out", "text output")),
        (".. math::\n\n   a + b\n", fence("a + b", "math")),
        (".. mermaid::\n\n   graph TD\n", fence("graph TD", "mermaid")),
        (".. code-block:: md\n\n   ```\n   x\n   ```\n", "````md\n```\nx\n```\n````"),
        (".. tab:: One\n\n   .. code-block:: bash\n\n      ls\n", "## One\n\n" + fence("ls", "bash exec")),
    ],
)
def test_code(tmp_path, body, expected):
    assert content(tmp_path, body) == expected


def test_code_keeps_tabs_and_what_ends_a_line_and_its_places(tmp_path):
    body = "Make::\n\n   all:\n   \tcc  \n\n   end\t\n\n.. code-block:: make\n\n\tx:\n\t\ty\n"
    step = page(tmp_path, body).steps[0]
    assert "```\nall:\n\tcc  \n\nend\t\n```" in step.content
    assert "```make\nx:\n\ty\n```" in step.content
    assert ("\tcc  ", "docs/index.rst", 7) in places(step)
    assert ("\ty", "docs/index.rst", 14) in places(step)


def test_lines_know_where_they_come_from_through_includes_and_lists(tmp_path):
    files = {"inc.txt": "Included\nlines.\n\n* item::\n\n     code\n"}
    step = page(tmp_path, "One\ntwo.\n\n.. include:: inc.txt\n\nAfter.\n", files=files).steps[0]
    rows = places(step)
    assert ("two.", "docs/index.rst", 5) in rows
    assert ("lines.", "docs/inc.txt", 2) in rows
    assert ("  code", "docs/inc.txt", 6) in rows
    assert ("After.", "docs/index.rst", 9) in rows


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", PROGRAM.rstrip("\n")),
        ("   :lines: 1,5-6\n", "import os\n@made\ndef first("),
        ("   :pyobject: first\n", "@made\ndef first(\n    a,\n):\n    return a"),
        ("   :pyobject: Thing.go\n   :dedent:\n", "def go(self):\n    pass"),
        ("   :pyobject: Thing.go\n   :dedent: 2\n", "  def go(self):\n      pass"),
        ("   :start-after: # begin\n   :end-before: class\n", "@made\ndef first(\n    a,\n):\n    return a"),
        ("   :start-at: class\n   :end-at: x =\n", "class Thing:\n    x = 1"),
        ("   :lines: 13\n   :prepend: class Y:\n", "class Y:\n    x = 1"),
    ],
)
def test_literalinclude(tmp_path, options, expected):
    got = content(tmp_path, f".. literalinclude:: /code/p.py\n   :language: python\n{options}", files={"code/p.py": PROGRAM})
    assert got == fence(expected, "python")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (".. literalinclude:: ../../../etc/passwd\n", "../../../etc/passwd"),
        (".. literalinclude:: gone.py\n", "gone.py"),
        (".. include:: ../../x.rst\n", "../../x.rst"),
        (".. include:: index.rst\n", "index.rst"),
        (".. include:: a.inc\n", "b.inc"),
        (".. literalinclude:: p.py\n   :pyobject: no\n", "p.py"),
        (".. include:: p.py\n   :start-after: never there\n", "p.py"),
        (".. csv-table::\n   :file: gone.csv\n", "gone.csv"),
        (".. image:: no.png\n", "/docs/no.png"),
    ],
)
def test_what_cannot_be_drawn_in_is_broken(tmp_path, body, target):
    files = {"a.inc": ".. include:: b.inc\n", "b.inc": "B\n\n.. include:: b.inc\n", "p.py": PROGRAM}
    assert [row.target for row in page(tmp_path, f"Words.\n\n{body}", files=files).broken] == [target]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (".. note:: Some\n   words.\n\n   More.\n", "> **Note**\n>\n> Some\n> words.\n>\n> More."),
        (".. seealso::\n   :class: x\n\n   Words.\n", "> **See also**\n>\n> Words."),
        (".. admonition:: My *own*\n\n   Words.\n", "> **My *own***\n>\n> Words."),
        (".. dropdown:: More\n   :open:\n\n   Words.\n", "> **More**\n>\n> Words."),
        (".. versionadded:: 1.2\n   It came.\n", "*New in version 1.2.*\n\nIt came."),
        (".. rubric:: Little\n\nText.\n", "**Little**\n\nText."),
        ("term\n   What it is.\n\nother : kind\n   That.\n", "- **term**\n\n  What it is.\n\n- **other** (*kind*)\n\n  That."),
        (":Author: me\n:Date: now\n", "- **Author:** me\n- **Date:** now"),
        ("| one\n| two\n", "one\\\ntwo"),
        ("3. c\n4. d\n", "3. c\n4. d"),
        ("#. a\n\n   more\n#. b\n", "1. a\n\n   more\n\n2. b"),
        ("* a\n\n  * b\n", "- a\n\n  - b"),
        ("1. a\n\n  .. code-block:: bash\n\n     ls\n\n2. b\n", "1. a\n\n```bash exec\nls\n```\n\n2. b"),
        ("Text.\n\n    quoted\n\n    -- me\n", "Text.\n\n> quoted\n>\n> — me"),
        ("a [1]_\n\n.. [1] The *note*.\n", "a [\\[1\\]](../t/content.md#t)\n\n\\[1\\] The *note*."),
        ("Before\n\n----\n\nAfter\n", "Before\n\n***\n\nAfter"),
        (".. only:: html\n\n   Yes.\n", "Yes."),
        (".. raw:: html\n\n   <b>bold</b>\n", "**bold**"),
        (".. youtube:: abc\n", "[Youtube](https://www.youtube.com/watch?v=abc)"),
        ("=== ===\na   b\n=== ===\n1   x|y\n=== ===\n", "| a | b |\n| --- | --- |\n| 1 | x\\|y |"),
        (".. list-table:: Title\n   :header-rows: 1\n\n   * - A\n     - B\n   * - 1\n     - 2\n", "**Title**\n\n| A | B |\n| --- | --- |\n| 1 | 2 |"),
        ('.. csv-table::\n   :header: A, B\n\n   1, "2, 3"\n', "| A | B |\n| --- | --- |\n| 1 | 2, 3 |"),
        ("+---+---+\n| a | b |\n+   +---+\n|   | c |\n+---+---+\n", "| | |\n| --- | --- |\n| a | b |\n| | c |"),
        ("Sub\n---\n\nT\n~\n\nx\n", "## Sub\n\n### T\n\nx"),
    ],
)  # fmt: skip
def test_blocks(tmp_path, body, expected):
    got = content(tmp_path, body)
    assert got.replace("|  |  |\n", "| | |\n").replace("|  | c", "| | c") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("``code`` **strong** *em* `title`", "`code` **strong** *em* *title*"),
        (":kbd:`Ctrl` :guilabel:`&OK` :menuselection:`A --> B` :file:`x`", "`Ctrl` **OK** **A → B** `x`"),
        ("H\\ :sub:`2`\\ O :sup:`3`", "H<sub>2</sub>O <sup>3</sup>"),
        (":command:`ls` :option:`-l` :envvar:`HOME` :py:func:`~os.path.join`", "`ls` `-l` `HOME` `join`"),
        (":pep:`8` :rfc:`2822`", "[PEP 8](https://peps.python.org/pep-0008/) [RFC 2822](https://datatracker.ietf.org/doc/html/rfc2822)"),
        ("https://a.example `b <https://b.example>`_ `c`__\n\n__ https://c.example", "<https://a.example> [b](https://b.example) [c](https://c.example)"),
        ("a*b a_b <tag> [x](y) 1 * 2 &amp; #no", "a\\*b a_b \\<tag> \\[x\\](y) 1 * 2 \\&amp; #no"),
        ("re\\ **bold**\\ ed", "re**bold**ed"),
        (".. default-role:: code\n\n`x`", "`x`"),
    ],
)  # fmt: skip
def test_inline(tmp_path, body, expected):
    assert content(tmp_path, f"{body}\n") == expected


def test_downloads_and_pictures_are_carried_along(tmp_path):
    body = (
        ":download:`the file <f/a.zip>`\n\n.. figure:: pic.*\n   :alt: A *picture*\n   :target: https://x.example\n   :name: fig\n\n   The caption.\n\n"
        "   Legend.\n\n.. |i| image:: /i.png\n\nSee |i| and :numref:`fig`.\n"
    )
    made = page(tmp_path, body, files={"f/a.zip": "PK", "pic.png": "x", "i.png": "y"})
    text = made.steps[0].content
    assert "[the file](../../assets/docs/f/a.zip)" in text
    assert "[![A picture](../../assets/docs/pic.png)](https://x.example)\n\n*The caption.*\n\nLegend." in text
    assert "See ![](../../assets/docs/i.png) and [fig](../t/content.md#t)." in text
    assert sorted(made.assets) == ["docs/f/a.zip", "docs/i.png", "docs/pic.png"]
    assert made.broken == []


def test_hints_and_solutions_find_their_place(tmp_path):
    body = "Part\n----\n\n.. exercise:: Try\n\n   Do it.\n\n   .. hint::\n\n      Look.\n\n   .. solution::\n\n      .. code-block:: bash\n\n         ls\n\nOn.\n"
    step = page(tmp_path, body).steps[0]
    assert "**Exercise: Try**\n\nDo it." in step.content
    assert "ls" not in step.content
    assert step.solve == "```bash exec\nls\n```\n"
    assert step.hints == "Look.\n"


def test_tabs_become_headed_parts(tmp_path):
    body = (
        "Part\n----\n\n.. tabs::\n\n   .. group-tab:: Linux\n\n      .. code-block:: bash\n\n         ls\n\n   .. code-tab:: py Python\n\n      a = 1\n\n"
        ".. tab-set::\n\n   .. tab-item:: Mac\n      :sync: m\n\n      Text.\n"
    )
    got = content(tmp_path, body)
    expected = "## Part\n\n### Linux\n\n```bash exec\nls\n```\n\n### Python\n\n```py\na = 1\n```\n\n### Mac\n\nText."
    assert got == expected


def test_what_nobody_knows_is_shown_as_text_and_listed_once(tmp_path):
    body = ".. fancy:: Box\n   :size: 3\n\n   Inner ``text``.\n\n   .. code-block:: bash\n\n      ls\n\n.. fancy::\n\n   x\n\n:odd:`words <t>` and :odd:`more`.\n"
    made = page(tmp_path, body)
    text = made.steps[0].content
    assert "> **fancy: Box**\n>\n> `size: 3`\n>\n> Inner `text`.\n>\n> ```bash exec\n> ls\n> ```" in text
    assert "words and more." in text
    assert sorted(row.detail for row in made.losses) == [
        "The directive `fancy` is not known and is shown as text (2 times).",
        "The role `odd` is not known and is shown as text (2 times).",
    ]


def test_what_is_left_out_is_said(tmp_path):
    body = (
        "Words.\n\n.. todo:: Later.\n\n.. only:: latex\n\n   Print.\n\n.. raw:: latex\n\n   \\x\n\n.. command-output:: ls -l\n\n"
        ".. literalinclude:: a.py\n   :diff: b.py\n\n.. testsetup::\n\n   x\n"
    )
    made = page(tmp_path, body, files={"a.py": "x\n"})
    assert [row.kind for row in sorted(made.losses, key=lambda row: row.line)] == ["text", "text", "html", "code", "code", "code"]
    assert "```\nls -l\n```" in made.steps[0].content


def test_a_page_that_cannot_be_read_is_shown_as_it_is(tmp_path, monkeypatch):
    install()

    def fail(*_):
        raise RecursionError

    monkeypatch.setattr("agents.template_converter.forms.sphinx.reader.Parser.parse", fail)
    made = page(tmp_path, "Words.\n")
    assert made.steps[0].content == "```rst\nT\n=\n\nWords.\n```\n"
    assert [row.kind for row in made.losses] == ["page"]


def test_code_that_got_lost_is_reported(tmp_path):
    made = page(tmp_path, "Words::\n\n   a\n\n.. |x| replace:: y\n\n.. fancy::\n\n   .. code-block:: bash\n\n      ls\n")
    assert [row.kind for row in made.losses] == ["macro"]
    nothing = page(tmp_path / "b", ".. index::\n\n   .. code-block:: bash\n\n      ls\n\nWords.\n")
    assert [row.detail[:26] for row in nothing.losses] == ["1 of 1 code blocks of this"]


@pytest.mark.parametrize(
    "body",
    [
        "".join(f".. |a{n}| replace:: |a{n + 1}| |a{n + 1}| |a{n + 1}|\n" for n in range(30))
        + "\n.. |a30| replace:: lol\n\n|a0|\n",
        ".. |a| replace:: |b|\n.. |b| replace:: |a|\n\n|a|\n",
        "".join("   " * n + ".. note::\n\n" for n in range(80)) + "   " * 80 + "x\n",
        "".join(" " * 2 * n + "* x\n\n" for n in range(200)),
        "`" * 5000 + "\n",
        "*" * 5000 + "a\n",
        '.. end of inclusion from "x"\n',
        "a_ " * 2000 + "\n",
        "[x]_ " * 500 + "\n",
        "+-" * 300 + "+\n" + "| " * 300 + "|\n",
    ],
)
def test_hostile_pages_end(tmp_path, body):
    made = page(tmp_path, body)
    assert len(made.steps[0].content) < 2_000_000


PIECES = [
    "Title", "=====", "-----", "", "", "text", "  more", "   code", "* item", "1. one", "#. auto", "::", "say::", ">>> x", "..", ".. comment",
    ".. note::", ".. note:: words", ".. code-block:: bash", ".. code-block::", ".. literalinclude:: index.rst", ".. include:: index.rst",
    ".. include:: inc.rst", ".. toctree::", "   index", ".. image:: a.png", ".. figure:: a.png", "   :alt: x", "   :name: y", ".. tabs::",
    "   .. tab:: A", ".. unknown:: z", ".. list-table::", "   * - a", "     - b", ".. csv-table:: t", ".. |s| replace:: |s|", "|s|", ".. _l:", "l_",
    "`x`_", ":ref:`l`", ":doc:`index`", ":role:`x`", ":a: b", "| line", "+---+", "| a |", "=== ===", "a   b", "[1]_", ".. [1] n", "__ https://x.y",
    "``lit", "**b", "\ttab", "\x0b\x1e\x85", ".. raw:: html", "   <b>", ".. role:: r(code)", ".. highlight:: sh", "----", ".. math:: a", "\\", "é",
    ".. prompt:: bash $", ".. parsed-literal::", ".. only:: html", ".. eval::", '.. end of inclusion from "x"', ".. default-role:: code",
]  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=20).filter(lambda text: not {"\n", "\r"} & set(text)), max_size=40))
def test_any_page_is_read(tmp_path_factory, pieces):
    folder = tmp_path_factory.mktemp("fuzz")
    made = convert(folder, {"index.rst": "\n".join(pieces) + "\nWords that stay.\n", "inc.rst": "Included *text*.\n"})
    assert made.steps
    assert not any("could not" in row.detail for row in made.losses)
    for step in made.steps:
        for _, file, number in step.runs:
            assert 0 <= number <= len(pieces) + 3
            assert file in ("docs/index.rst", "docs/inc.rst")


def test_docutils_is_left_as_it_was_for_others(tmp_path):
    from docutils import core

    site(tmp_path, {"index.rst": "A\n=\n"})
    convert(tmp_path, {"index.rst": "A\n=\n\nWords.\n"}, CONF)
    assert "<note>" in core.publish_string(".. note:: x", writer="pseudoxml").decode().replace("\n", "")


@pytest.mark.parametrize("mark", ["*a ", "``a ", "a_ ", "|a ", "`a "])
def test_paragraphs_that_would_take_too_long_are_shown_without_their_marks(tmp_path, mark):
    made = page(tmp_path, mark * 5000 + "\n\nThe *rest*.\n")
    assert made.steps[0].content.endswith("The *rest*.\n")
    assert len(made.steps[0].content) > 10_000
    assert [row.kind for row in made.losses] == ["text"]


def test_pages_that_are_too_long_are_shown_as_they_are(tmp_path):
    made = page(tmp_path, "* x\n" * 20_000)
    assert made.steps[0].content.startswith("```rst\nT\n")
    assert [row.kind for row in made.losses] == ["page"]
