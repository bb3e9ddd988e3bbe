"""Plain tutorials whose pages are AsciiDoc: the layouts they come in, and what of a page must arrive."""

import pytest

from agents.template_converter.forms.markdown import MarkdownImporter, find_layout
from agents.template_converter.recognise import choose, classify
from agents.template_converter.report import count_text, unaccounted
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

LAB = "= {title}\n\nDo this.\n\n. Log in\n. Run it\n\n[source,bash]\n----\nmake lab\n----\n"


def lab(title):
    return LAB.format(title=title)


def convert(tmp_path, files, path=""):
    return read(MarkdownImporter(), make_tree(tmp_path, files), path)


def chosen(tmp_path, files):
    return choose(classify(make_tree(tmp_path, files)), None)


NUMBERED = {
    "README.adoc": "= Bread workshop\n\nFive hands-on labs about bread, each with its own oven.\n",
    "01-flour.adoc": lab("Flour"),
    "02-yeast.adoc": lab("Yeast"),
    "10-oven.adoc": lab("Oven"),
}


def test_numbered_pages_are_steps_in_the_order_of_their_numbers(tmp_path):
    found = chosen(tmp_path, NUMBERED)
    assert (found.form, found.path) == (Form.MARKDOWN, "")
    assert found.evidence[0] == "3 numbered pages, from `01-flour.adoc` to `10-oven.adoc`."
    assert found.evidence[1] == "They hold 3 code blocks, 3 of them shell commands; 3 of 3 pages instruct."
    workshop = convert(tmp_path, NUMBERED)
    assert workshop.title == "Bread workshop"
    assert workshop.summary == "Five hands-on labs about bread, each with its own oven."
    assert [step.title for step in workshop.steps] == ["Flour", "Yeast", "Oven"]
    assert "```bash exec\nmake lab\n```" in workshop.steps[0].content


def test_readmes_of_numbered_folders_also_below_numbered_folders(tmp_path):
    files = {
        "readme.adoc": "= A workshop\n",
        "01-basics/101-start/readme.adoc": lab("Start"),
        "01-basics/102-next/readme.adoc": lab("Next"),
        "02-more/201-end/readme.adoc": lab("End"),
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["Start", "Next", "End"]
    assert [(chapter.title, len(chapter.steps)) for chapter in workshop.chapters] == [("01 basics", 2), ("02 more", 1)]


def test_a_readme_that_lists_its_pages_gives_their_order(tmp_path):
    files = {
        "README.adoc": "= Tutorial\n\n* link:setup.adoc[Set up]\n* xref:run.adoc[Run]\n* <<clean.adoc#,Clean>>\n* link:LICENSE.adoc[]\n",
        "run.adoc": lab("Run"),
        "setup.adoc": lab("Set up"),
        "clean.adoc": lab("Clean"),
        "LICENSE.adoc": "= License\n",
    }
    assert [step.title for step in convert(tmp_path, files).steps] == ["Set up", "Run", "Clean"]


NAVIGATION = ".First part\n* xref:setup.adoc[]\n** xref:setup.adoc#tools[Tools]\n* Later\n** xref:more:run.adoc[Run]\n\n.Second part\n* xref:end/clean.adoc[]\n"
MODULES = {
    "README.adoc": "= Bread tutorial\n\nA hands-on tutorial.\n",
    "docs/modules/ROOT/nav.adoc": NAVIGATION,
    "docs/modules/ROOT/pages/end/clean.adoc": lab("Clean")
    + "\nSee xref:setup.adoc[] and xref:more:run.adoc[].\n\ninclude::partial$p.adoc[]\n",
    "docs/modules/ROOT/pages/setup.adoc": lab("Set up") + "\nimage::more:oven.png[]\n",
    "docs/modules/ROOT/pages/draft.adoc": lab("Draft"),
    "docs/modules/ROOT/partials/p.adoc": "Drawn in.\n",
    "docs/modules/more/pages/run.adoc": lab("Run"),
    "docs/modules/more/images/oven.png": b"png",
}


def test_a_navigation_without_the_descriptor_of_its_site_gives_the_order(tmp_path):
    found = chosen(tmp_path, MODULES)
    assert (found.form, found.path) == (Form.MARKDOWN, "")
    assert found.evidence[0] == "`docs/modules/ROOT/nav.adoc` lists 3 pages in order."
    workshop = convert(tmp_path, MODULES)
    assert workshop.title == "Bread tutorial"
    assert [step.title for step in workshop.steps] == ["Set up", "Run", "Clean"]
    assert [(chapter.title, chapter.steps) for chapter in workshop.chapters] == [
        ("First part", ["set-up"]), ("First part / Later", ["run"]), ("Second part", ["clean"]),
    ]  # fmt: skip


def test_what_pages_of_a_module_name_is_found_where_antora_has_it(tmp_path):
    workshop = convert(tmp_path, MODULES)
    last = workshop.steps[2].content
    assert "[Set up](../set-up/content.md)" in last
    assert "[Run](../run/content.md)" in last
    assert "Drawn in." in last
    assert list(workshop.assets.values()) == ["docs/modules/more/images/oven.png"]
    assert workshop.broken == []
    assert ["draft.adoc" in loss.detail and "nav.adoc" not in loss.detail for loss in workshop.losses if loss.source == "."] == [
        True
    ]


def test_a_summary_in_asciidoc_gives_the_order(tmp_path):
    files = {
        "README.adoc": "= Course\n",
        "SUMMARY.adoc": "= Summary\n\n. link:b/first.adoc[First]\n. link:a.html[Second]\n. https://example.org/c.adoc[Elsewhere]\n",
        "a.adoc": lab("Second"),
        "b/first.adoc": lab("First"),
    }
    assert [step.source for step in convert(tmp_path, files).steps] == ["README.adoc", "b/first.adoc", "a.adoc"]


def test_a_page_that_includes_its_chapters_is_cut_into_them(tmp_path):
    files = {
        "docs/index.adoc": (
            "= Kite lab\n:tool: scissors\n\nWelcome.\n\ninclude::parts/paper.adoc[leveloffset=+1]\n\ninclude::parts/string.adoc[leveloffset=+1]\n"
        ),
        "docs/parts/paper.adoc": "= Paper\n\n[source,sh]\n----\ncut\n----\n\nimage::cut.png[Cut]\n\nTake {tool}, then see <<knots>>.\n",
        "docs/parts/string.adoc": "[[knots]]\n= String\n\n. One\n. Two\n. Three\n",
        "docs/parts/cut.png": b"1",
    }
    layout = find_layout(make_tree(tmp_path, files), "docs")
    assert layout.kind == "chapters"
    workshop = convert(tmp_path, files, "docs")
    assert [step.title for step in workshop.steps] == ["Introduction", "Paper", "String"]
    paper = workshop.steps[1]
    assert "Take scissors, then see [String](../string/content.md#string)." in paper.content
    assert "![Cut](../../assets/docs/parts/cut.png)" in paper.content
    assert ("Take scissors, then see [String](../string/content.md#string).", "docs/parts/paper.adoc", 10) in places(paper)
    assert not workshop.losses
    assert not workshop.broken


def test_sections_of_one_page_are_its_steps(tmp_path):
    files = {"README.adoc": "= Soap tutorial\n\n== Step 1: Fat\n\n----\nmelt\n----\n\n== Step 2: Lye\n\n. Stir\n. Wait\n. Pour\n"}
    found = chosen(tmp_path, files)
    assert (found.form, found.score) == (Form.MARKDOWN, 0.8)
    assert [step.title for step in convert(tmp_path, files).steps] == ["Step 1: Fat", "Step 2: Lye"]


def test_a_program_before_and_after_makes_its_readme_a_tutorial(tmp_path):
    program = {
        f"{stage}/{name}": "x\n" for stage in ("initial", "complete") for name in ("pom.xml", "A.java", "B.java", "C.java")
    }
    readme = "= Serving tea\n\n== Start\n\n[source,java]\n----\nA\n----\n\n== Boil\n\n----\nB\n----\n\n== Pour\n\n----\nC\n----\n"
    found = chosen(tmp_path / "a", {"README.adoc": readme, **program})
    assert found.form is Form.MARKDOWN
    assert "`initial` and `complete` beside it hold what it builds, before and after." in found.evidence
    one = {path: text for path, text in program.items() if path.startswith("complete/")}
    assert (
        max(row.score for row in classify(make_tree(tmp_path / "b", {"README.adoc": readme, **one})) if row.form is Form.MARKDOWN)
        < 0.5
    )


def test_a_page_that_is_called_workshop_is_one_also_beside_a_program(tmp_path):
    page = "= Kite workshop\n\n== Paper\n\n----\ncut\n----\n\n== String\n\n----\ntie\n----\n\n== Wind\n\n----\nrun\n----\n"
    program = {"pom.xml": "<project/>", **{f"src/A{number}.java": "class A {}" for number in range(9)}}
    found = chosen(tmp_path, {"README.adoc": "= Kites\n\nSee the workshop.\n", "workshop.adoc": page, **program})
    assert found.evidence[0] == "`workshop.adoc` has 4 sections with 3 code blocks, 0 of them shell commands."


@pytest.mark.parametrize(
    "files",
    [
        {"README.adoc": "= Fastjson\n\nA library.\n\n== Install\n\n[source,bash]\n----\nmvn install\n----\n\n== Use\n\n----\nuse\n----\n\n== License\n"}
        | {"pom.xml": "<project/>"}
        | {f"src/main/java/A{number}.java": "class A {}" for number in range(9)},
        {f"docs/0{n}_{name}.adoc": f"= {name}\n\n[plantuml]\n----\nA -> B\n----\n" for n, name in enumerate(("goals", "limits", "view"), 1)},
        {
            "docs/index.adoc": "= Reference\n\ninclude::a.adoc[]\n\ninclude::b.adoc[]\n\ninclude::c.adoc[]\n",
            **{f"docs/{name}.adoc": f"== {name}\n\n[source,java]\n----\n{name}\n----\n" for name in "abc"},
        },
        {
            "docs/antora.yml": "name: docs\nversion: ~\n",
            **{f"docs/modules/ROOT/pages/0{n}-p.adoc": lab("Reference") for n in range(4)},
        },
    ],
    ids=["a library's README", "an architecture in diagrams", "a reference in chapters", "pages of an Antora site"],
)  # fmt: skip
def test_what_only_documents_is_no_plain_tutorial(tmp_path, files):
    rows = [row for row in classify(make_tree(tmp_path, files)) if row.form is Form.MARKDOWN]
    assert all(row.score < 0.5 for row in rows)


PAGE = """= Cheese
:imagesdir: pictures
:milk: goat
ifdef::env-github[]
:tip-caption: TIP
endif::[]

Warm the {milk} milk of {student_name}, see <<02-salt.adoc#_how_much>> or xref:02-salt.adoc#sea[the sea],
link:02-salt.html[salt] and https://example.org[elsewhere].

[source,bash,role=execute]
----
stir --slow # <1>
----
<1> For an hour.

[source,yaml]
----
include::files/curd.yaml[tag=curd]
----

.Show the solution
[%collapsible]
====
[source,bash]
----
press curd
----
====

|===
|Kind |Days

|Soft |3
|===

image::wheel.png[A wheel]

image::gone.png[]
"""
CHEESE = {
    "01-cheese.adoc": PAGE,
    "02-salt.adoc": "= Salt\n\nHow.\n\n== How much\n\n[[sea]]A spoon.\n\n----\nweigh\n----\n",
    "files/curd.yaml": "a: 1\n# tag::curd[]\ncurd: yes\n# end::curd[]\n",
    "pictures/wheel.png": b"1",
}


def test_a_page_arrives_whole(tmp_path):
    workshop = convert(tmp_path, CHEESE)
    cheese = workshop.steps[0]
    assert (
        "Warm the goat milk of {{student\\_name}}" in cheese.content or "Warm the goat milk of {{student_name}}" in cheese.content
    )
    assert [variable.name for variable in workshop.variables] == ["student_name"]
    assert "[Salt](../salt/content.md#how-much) or [the sea](../salt/content.md#how-much)" in cheese.content
    assert "[salt](../salt/content.md)" in cheese.content
    assert "[elsewhere](https://example.org)" in cheese.content
    assert "```bash exec\nstir --slow\n```\n\n1. (line 1) For an hour." in cheese.content
    assert "```yaml\ncurd: yes\n```" in cheese.content
    assert "| Soft" in cheese.content
    assert "![A wheel](../../assets/pictures/wheel.png)" in cheese.content
    assert cheese.solve == "```bash exec\npress curd\n```\n"
    assert "press curd" not in cheese.content
    assert [(row.kind, row.source, row.target) for row in workshop.broken] == [("image", "01-cheese.adoc", "pictures/gone.png")]
    assert not workshop.losses
    assert ("curd: yes", "files/curd.yaml", 3) in places(cheese)


def test_every_block_of_a_page_is_accounted_for(tmp_path):
    tree = make_tree(tmp_path, CHEESE)
    workshop = read(MarkdownImporter(), tree)
    assert unaccounted(tree, workshop) == []
    texts = [text for step in workshop.steps for text in (step.content, step.solve) if text]
    assert sum(count_text(text)["code_blocks"] for text in texts) == 4
    workshop.steps[0].content = "# Cheese\n"
    assert [row.source for row in unaccounted(tree, workshop)] == ["01-cheese.adoc"]


def test_what_a_condition_hides_is_told_unless_it_is_for_another_output(tmp_path):
    page = "= A\n\nifdef::with-wine[]\n----\npour\n----\nendif::[]\nifdef::env-github[]\nSee the site.\nendif::[]\n"
    workshop = convert(tmp_path, {"01-a.adoc": page, "02-b.adoc": lab("B")})
    assert [row.detail for row in workshop.losses] == [
        "3 lines stand behind conditions that do not hold and are left out: `ifdef::with-wine[]`."
    ]


@pytest.mark.parametrize("folder", ["modules/ROOT/pages/images", "modules/ROOT/assets/images", "modules/ROOT/images"])
def test_images_are_found_where_sites_keep_them_when_nothing_says_where(tmp_path, folder):
    home = "modules/ROOT/pages"
    files = {f"{home}/01-a.adoc": "= A\n\nimage::x.png[X]\n", f"{home}/02-b.adoc": lab("B"), f"{folder}/x.png": b"1"}
    workshop = convert(tmp_path, files, home)
    assert f"![X](../../assets/{folder}/x.png)" in workshop.steps[0].content
    assert not workshop.broken


def test_includes_may_begin_with_the_folder_of_the_document(tmp_path):
    files = {
        "d/01-a.adoc": "= A\n\n----\ninclude::{docdir}/../src/a.txt[]\n----\n",
        "d/02-b.adoc": lab("B"),
        "src/a.txt": "inside\n",
    }
    workshop = convert(tmp_path, files, "d")
    assert "```\ninside\n```" in workshop.steps[0].content
    assert not workshop.broken


def test_pages_that_nothing_names_are_told_and_drawn_in_ones_are_not(tmp_path):
    files = NUMBERED | {
        "01-flour.adoc": "include::settings.adoc[]\n" + lab("Flour"),
        "settings.adoc": ":oven: hot\n",
        "_partial.adoc": "x\n",
        "extra.adoc": lab("Extra"),
    }
    details = [row.detail for row in convert(tmp_path, files).losses if row.source == "."]
    assert details == ["1 page is named by no list, number or summary and is no step: `extra.adoc`."]


def test_front_matter_of_a_page_is_read_and_not_shown(tmp_path):
    page = "---\ntitle: Named\nduration: 10\n---\n= Shown\n\nText.\n"
    step = convert(tmp_path, {"01-a.adoc": page, "02-b.adoc": lab("B")}).steps[0]
    assert (step.title, step.duration) == ("Named", 10)
    assert step.content == "# Shown\n\nText.\n"
    assert places(step)[0] == ("# Shown", "01-a.adoc", 5)


def test_markdown_pages_beside_keep_their_own_info_strings(tmp_path):
    files = {"01-a.adoc": lab("A"), "02-b.md": "# B\n\n```bash nocopy\nls\n```\n\n```sh\nls\n```\n"}
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["A", "B"]
    assert "```sh exec\nls\n```" in workshop.steps[1].content


def test_a_page_that_begins_with_a_section_is_not_called_as_that_section(tmp_path):
    page = "This guide shows how to bake, step by step, in this tutorial.\n\n== What you need\n\nFlour.\n\n== Bake\n\n----\nbake\n----\n"
    workshop = convert(tmp_path, {"README.adoc": page})
    assert workshop.title == ""
    assert [step.title for step in workshop.steps] == ["Introduction", "What you need", "Bake"]
