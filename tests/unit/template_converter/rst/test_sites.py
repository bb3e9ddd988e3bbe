"""Sphinx sites: what `conf.py` says without being run, toctrees as navigation, links between pages; and which are workshops."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.sphinx.conf import read_conf
from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.rst.made import CONF, IMPORTER, convert, site
from tests.unit.template_converter.trees import make_tree, read

INDEX = """
Start
=====

Welcome to all of this, which is a workshop that goes on for a while.

.. toctree::
   :maxdepth: 2
   :caption: Labs

   one
   Second <sub/two>
   gone
   https://example.org
   self
   genindex

.. toctree::
   :glob:
   :hidden:

   more/*
"""


def test_toctrees_give_order_titles_and_chapters(tmp_path):
    files = {
        "index.rst": INDEX,
        "one.rst": "One\n===\n\nText of one.\n\n.. toctree::\n\n   deep\n",
        "deep.rst": "Deep\n====\n\nText.\n",
        "sub/two.rst": "Two\n===\n\nText.\n",
        "more/step10.rst": "Ten\n===\n\nText.\n",
        "more/step2.rst": "Two\n===\n\nText.\n",
        "lost.rst": "Lost\n====\n\nText.\n",
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["Start", "One", "Deep", "Second", "Two", "Ten"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [("Labs / One", ["one", "deep"]), ("Labs", ["second"])]
    assert [row.target for row in workshop.broken] == ["gone"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "docs/index.rst"), ("page", "docs/lost.rst")]
    assert "- [One](../one/content.md)\n- [Second](../second/content.md)" in workshop.steps[0].content
    assert "step10" not in workshop.steps[0].content


def test_toctrees_name_pages_by_ending_from_the_top_and_from_folders(tmp_path):
    files = {
        "index.rst": "A\n=\n\nWords.\n\n.. toctree::\n   :reversed:\n   :numbered:\n\n   b.rst\n   /c/index\n",
        "b.rst": "B\n=\n\nWords.\n",
        "c/index.md": "# C\n\nWords.\n\n```{toctree}\n:caption: In C\n\nd\n../b\n```\n",
        "c/d.rst": "D\n=\n\nWords.\n",
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["A", "C", "D", "B"]
    assert [row.title for row in workshop.chapters] == ["C", "C / In C"]


def test_toctrees_that_are_examples_are_none(tmp_path):
    index = "# A\n\nWords.\n\n````md\n```{toctree}\n\nx\n```\n````\n\n```{toctree}\n\nb\n```\n"
    files = {"index.md": index, "b.rst": "B\n=\n\nWords::\n\n   .. toctree::\n\n      y\n"}
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["A", "B"]
    assert workshop.broken == []


def test_a_page_of_headings_and_lists_alone_is_no_step_and_links_to_it_lead_on(tmp_path):
    files = {
        "index.rst": "A\n=\n\n.. toctree::\n\n   b/index\n",
        "b/index.rst": "B\n=\n\n.. toctree::\n\n   c\n",
        "b/c.rst": "C\n=\n\nBack to :doc:`index` and to :doc:`/index`.\n",
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["C"]
    assert "Back to [B](../c/content.md) and to [A](../c/content.md)." in workshop.steps[0].content
    assert sorted(row.source for row in workshop.losses) == ["docs/b/index.rst", "docs/index.rst"]


def test_references_between_pages_become_links_between_steps(tmp_path):
    files = {
        "index.rst": "A\n=\n\n:ref:`the-place`, :ref:`there <the-place>`, :doc:`b`, :doc:`B! <b>`, :numref:`the-place`, :ref:`My Part`,"
        " `page <b.html#x>`_, :ref:`no-such`, :doc:`nowhere`, :any:`b`.\n\n.. toctree::\n   :hidden:\n\n   b\n",
        "b.rst": "Bee\n===\n\nText.\n\n.. _the-place:\n.. _My Part:\n\nThe place\n---------\n\nMore, see `Bee`_ and below_.\n\n.. _below:\n\nEnd of it.\n",
    }
    workshop = convert(tmp_path, files)
    text = workshop.steps[0].content
    for expected in (
        "[The place](../bee/content.md#the-place), [there](../bee/content.md#the-place)",
        "[Bee](../bee/content.md)",
        "[B!](../bee/content.md)",
        "no-such, nowhere",
    ):
        assert expected in text
    assert "[Bee](../bee/content.md#bee) and [below](../bee/content.md#the-place)" in workshop.steps[1].content
    assert sorted((row.kind, row.target) for row in workshop.broken) == [
        ("link", "/docs/b.rst#x"),
        ("link", "no-such"),
        ("link", "nowhere"),
    ]


def test_labels_of_other_projects_are_lost_and_not_broken(tmp_path):
    conf = CONF + 'intersphinx_mapping = {"python": ("https://docs.python.org/3", None)}\n'
    workshop = convert(tmp_path, {"index.rst": "A\n=\n\n:ref:`for` and :py:func:`len` and :python:ref:`x <y>`.\n"}, conf)
    assert workshop.steps[0].content.endswith("for and `len` and x.\n")
    assert [(row.kind, row.line) for row in workshop.losses] == [("link", 4), ("link", 4)]
    assert workshop.broken == []


def test_conf_is_read_and_never_run():
    conf = read_conf(
        """
import os, sys
sys.exit(os.system("touch /tmp/never"))
name = "Lab"
year = compute()
project: str = f"{name} of " + "%s" % "all" + " {}".format("things").upper()
extensions = ["a", os.getcwd()]
extensions += ["b"]
extensions.append("c")
extensions.extend(("d", "e"))
source_suffix = {".rst": "restructuredtext", ".txt": "restructuredtext", ".md": "markdown"}
master_doc = "contents"
exclude_patterns = ["_build", "x/**"]
rst_epilog = \"\"\"
.. |a| replace:: %s
\"\"\" % name
extlinks = {"bug": ("https://bugs.example/%s", "bug %s"), "wrong": 1}
copyright = f"{year}"
html_title = unknown
"""
    )
    assert conf is not None
    assert conf.project == "Lab of all THINGS"
    assert conf.extensions == ("a", "b", "c", "d", "e")
    assert conf.root == "contents"
    assert conf.suffixes[".txt"] == "restructuredtext"
    assert conf.excludes[:2] == ("_build", "x/**")
    assert conf.epilog.strip() == ".. |a| replace:: Lab"
    assert conf.extlinks == {"bug": ("https://bugs.example/%s", "bug %s")}
    assert conf.title == ""


@pytest.mark.parametrize(
    "text",
    [
        "a = 'x' * 10**10\nproject = a",
        "a = 'x' * 9\n" + "a = a + a\n" * 200 + "project = a",
        "a = []\n" + "a = a + a\n" * 200,
        "a = ['x']\n" + "a = [a, a]\n" * 60 + "project = '%s' % (a,)\n",
        "project = '%1000000000d' % 1",
        "project = '{:>1000000000}'.format('x')",
        "project = '" + "{0}" * 20000 + "'.format('" + "x" * 20000 + "')",
        "project = 'a' * 'b'",
        "project = " + "(" * 5000 + ")" * 5000,
        "project = " + "-" * 50000 + "1",
        "def project(:",
        "project = 'a'.replace('', 'b' * 3)",
        "project = '\\N{no such}'",
    ],
)
def test_a_conf_that_would_grow_or_is_no_python_gives_nothing(text):
    conf = read_conf(text)
    assert conf is None or len(conf.project) <= 300


def test_excluded_pages_and_other_endings(tmp_path):
    conf = 'project = "P"\nsource_suffix = [".txt", ".rst"]\nroot_doc = "start"\nexclude_patterns = ["old/*", "**/draft.rst"]\n'
    files = {
        "start.txt": "S\n=\n\nWords.\n\n.. toctree::\n\n   a\n   old/b\n",
        "a.rst": "A\n=\n\nWords.\n",
        "old/b.rst": "B\n=\n",
        "x/y/draft.rst": "Draft\n=====\n",
    }
    workshop = convert(tmp_path, files, conf)
    assert [step.title for step in workshop.steps] == ["S", "A"]
    assert [row.detail for row in workshop.losses] == ["`docs/old/b.rst` is excluded by `conf.py`; it is no step."]


def test_prolog_epilog_release_and_links_by_role(tmp_path):
    conf = (
        CONF
        + 'release = "1.2"\nrst_prolog = """\n.. |app| replace:: **App**\n.. role:: cmd(code)\n   :language: bash\n"""\n'
        + 'rst_epilog = ".. _home: https://home.example\\n"\nextlinks = {"bug": ("https://b.example/%s", "bug %s")}\n'
    )
    text = "A\n=\n\n|app| |release| |nope|, :cmd:`ls`, home_, :bug:`7` and :bug:`that <8>`.\n"
    workshop = convert(tmp_path, {"index.rst": text}, conf)
    assert workshop.steps[0].content.endswith(
        "**App** 1.2 \\|nope\\|, `ls`, [home](https://home.example), [bug 7](https://b.example/7) and [that](https://b.example/8).\n"
    ) or workshop.steps[0].content.endswith(
        "**App** 1.2 |nope|, `ls`, [home](https://home.example), [bug 7](https://b.example/7) and [that](https://b.example/8).\n"
    )
    assert [(row.kind, row.line) for row in workshop.losses] == [("macro", 4)]


def test_numbered_pages_and_a_single_page_without_conf(tmp_path):
    files = {
        "lab/10-last.rst": "Last\n====\n\nText.\n",
        "lab/2-next.rst": "Next\n====\n\nText.\n",
        "lab/01-first.rst": "First\n=====\n\nText.\n",
        "one/README.rst": "Tutorial\n========\n\nWords before.\n\nStep 1\n------\n\nDo.\n\nStep 2\n------\n\nDo more.\n",
    }
    tree = make_tree(tmp_path, files)
    assert [step.title for step in read(IMPORTER, tree, "lab").steps] == ["First", "Next", "Last"]
    assert [step.title for step in read(IMPORTER, tree, "one").steps] == ["Introduction", "Step 1", "Step 2"]
    assert [step.title for step in read(IMPORTER, tree, "one/README.rst").steps] == ["Introduction", "Step 1", "Step 2"]
    with pytest.raises(UnreadableSourceError, match="no page of reStructuredText"):
        read(IMPORTER, tree, "none")


def test_a_site_that_instructs_is_a_workshop_and_a_library_with_docs_is_none(tmp_path):
    lab = "Lab {0}\n=====\n\n.. code-block:: bash\n\n   ls\n\n.. code-block:: bash\n\n   pwd\n"
    pages = {f"lab{number}.rst": lab.format(number) for number in range(1, 4)}
    index = "Workshop\n========\n\nA hands-on workshop.\n\n.. toctree::\n\n   lab1\n   lab2\n   lab3\n"
    best = classify(site(tmp_path / "a", {"index.rst": index, **pages}))[0]
    assert (best.form, best.path) == (Form.RST, "docs")
    assert best.score > 0.9
    assert "toctrees reach 4 pages" in best.evidence[0]
    api = {f"api{number}.rst": f"Api {number}\n=====\n\n>>> f({number})\n\nIt works.\n" for number in range(1, 4)}
    index = "Thing\n=====\n\nA library. See the tutorial.\n\n.. toctree::\n\n   api1\n   api2\n   api3\n"
    extra = {"setup.py": "from setuptools import setup\nsetup()\n", "thing/__init__.py": "", "thing/a.py": "", "thing/b.py": ""}
    rows = classify(site(tmp_path / "b", {"index.rst": index, **api}, **extra))
    assert rows[0].form is Form.LIBRARY
    assert next(row.score for row in rows if row.form is Form.RST) < 0.5


def test_other_programs_with_a_conf_are_no_site(tmp_path):
    tree = make_tree(tmp_path, {"app/conf.py": "DEBUG = True\n", "app/main.py": "print()\n"})
    assert IMPORTER.recognise(tree) == []


def test_notebooks_among_the_pages_are_named(tmp_path):
    files = {"index.rst": "A\n=\n\nSee :doc:`book`.\n\n.. toctree::\n\n   book\n", "book.ipynb": "{}"}
    workshop = convert(tmp_path, files)
    assert [row.kind for row in workshop.losses] == ["page"]
    assert workshop.broken == []
    assert workshop.assets == {"docs/book.ipynb": "docs/book.ipynb"}


def test_evidence_counts_code_and_not_what_underlines_titles(tmp_path):
    lab = "Lab {0}\n~~~~~\n\nPart\n^^^^\n\nDo::\n\n   ls\n\n.. highlight:: bash\n\nAnd this::\n\n   pwd\n\n.. code-block:: yaml\n\n   a: 1\n"
    pages = {f"lab{number}.rst": lab.format(number) for number in (1, 2)}
    index = "Workshop\n~~~~~~~~\n\nHello.\n\n.. toctree::\n\n   lab1\n   lab2\n"
    best = classify(site(tmp_path, {"index.rst": index, **pages}))[0]
    assert "2 of 3 pages instruct, with 6 code blocks, 2 of them shell commands." in best.evidence


def test_pages_of_another_project_are_lost_and_not_broken(tmp_path):
    conf = CONF + 'intersphinx_mapping = {"other": ("https://o.example", None)}\n'
    workshop = convert(tmp_path, {"index.rst": "A\n=\n\n:doc:`other:usage/it` and :doc:`that <other:x>`.\n"}, conf)
    assert workshop.steps[0].content.endswith("other:usage/it and that.\n")
    assert [row.kind for row in workshop.losses] == ["link", "link"]
    assert workshop.broken == []
