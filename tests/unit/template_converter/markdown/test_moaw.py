"""MOAW workshops: outlines and their parts, sections at `---` lines, boxes, variables, and which of several outlines is read."""

import pytest

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.recognise import classify, every
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = MarkdownImporter()
FRONT = (
    "---\ntype: workshop\ntitle: Sail a boat\ndescription: About boats.\nlevel: Intermediate\nauthors:\n  - Ann\n"
    "duration_minutes: 90\ntags: sea, wind\nsections_title:\n  - Welcome aboard\n---\n\n"
)
PARTS = {
    "docs/_lab.md": "include::parts/00.md[]\n\n---\n\ninclude::parts/01.md[]\n\n---\n\ninclude::parts/02.md[]",
    "docs/parts/00.md": FRONT + "# Sail\n\nHello.",
    "docs/parts/01.md": "## Hoist\n\n![Mast](./assets/mast.png)\n\n```yaml\na: 1\n\n---\n\nb: 2\n```\n",
    "docs/parts/02.md": "## Land\n\nBack to [the mast](#hoist).\n",
    "docs/assets/mast.png": b"png",
    "src/app.py": "print()\n",
    "pyproject.toml": "[project]\n",
}


def one(tmp_path, text, path=""):
    return read(IMPORTER, make_tree(tmp_path, {"workshop.md": FRONT + text}), path)


def test_parts_stand_in_their_place_and_targets_are_relative_to_the_outline(tmp_path):
    workshop = read(IMPORTER, make_tree(tmp_path, PARTS), "docs")
    assert [(step.title, step.source) for step in workshop.steps] == [
        ("Welcome aboard", "docs/parts/00.md"),
        ("Hoist", "docs/parts/01.md"),
        ("Land", "docs/parts/02.md"),
    ]
    assert workshop.assets == {"docs/assets/mast.png": "docs/assets/mast.png"}
    assert "```yaml\na: 1\n\n---\n\nb: 2\n```" in workshop.steps[1].content
    assert workshop.steps[2].content == "## Land\n\nBack to [the mast](../hoist/content.md#hoist).\n"
    assert workshop.broken == []
    assert places(workshop.steps[1])[0] == ("## Hoist", "docs/parts/01.md", 1)


def test_what_the_front_matter_says(tmp_path):
    workshop = read(IMPORTER, make_tree(tmp_path, PARTS), "docs")
    assert (workshop.title, workshop.summary, workshop.authors, workshop.tags) == (
        "Sail a boat",
        "About boats.",
        ["Ann"],
        ["sea", "wind"],
    )
    assert (workshop.duration, workshop.difficulty) == (90, "intermediate")
    assert [step.duration for step in workshop.steps] == [None, None, None]


def test_it_is_recognised_beside_an_application(tmp_path):
    best = classify(make_tree(tmp_path, PARTS))[0]
    assert (best.form, best.path) == (Form.MARKDOWN, "docs")
    assert best.evidence == ["`docs/_lab.md` is a MOAW workshop of 3 sections, drawing in 3 files."]


def test_boxes_become_labelled_quotes(tmp_path):
    text = (
        '# A\n\n<div class="tip" data-title="Mind this">\n\n> Some *text*.\n>\n> ```bash\n> ls\n> ```\n\n</div>\n\nAfter.\n\n'
        '1. Item\n\n    <div class="task">\n\n    Do it.\n\n    </div>\n\n```html\n<div class="tip">\n\n</div>\n```\n'
    )
    content = one(tmp_path, text).steps[0].content
    assert "> **Mind this**\n>\n> Some *text*.\n>\n> ```bash exec\n> ls\n> ```\n" in content
    assert "    > **Task**\n    >\n    > Do it.\n" in content
    assert '```html\n<div class="tip">\n\n</div>\n```' in content


def test_variables_are_named_and_conditions_are_said(tmp_path):
    text = (
        "# A\n\nHello $$who:world$$, \\$$kept$$.\n\n```bash\ncurl $$url$$\n```\n\n"
        '<div data-visible="$$url$$">\n\nShown.\n\n</div>\n\n<div class="info" data-title="note" data-hidden="$$url$$">\n\n> Hidden.\n\n</div>\n'
    )
    workshop = one(tmp_path, text)
    content = workshop.steps[0].content
    assert "Hello {{who}}, $$kept$$." in content
    assert "```bash exec\ncurl {{url}}\n```" in content
    assert "*Only where `url` is given:*\n\nShown.\n" in content
    assert "*Only where `url` is not given:*\n\n> **Note**\n>\n> Hidden.\n" in content
    assert [(row.name, row.default) for row in workshop.variables] == [("url", None), ("who", "world")]
    assert [(row.kind, row.detail[:33]) for row in workshop.losses] == [("condition", "The variable `url` shows or hides")]


def test_solutions_end_where_their_section_ends(tmp_path):
    text = "# A\n\n## Do\n\nText.\n\n### Solution\n\nThis way.\n\n---\n\n### B\n\nMore.\n"
    workshop = one(tmp_path, text)
    assert [step.title for step in workshop.steps] == ["Welcome aboard", "B"]
    assert workshop.steps[0].solve == "This way.\n"


@pytest.mark.parametrize("label", ["📚 Toggle solution", "Click to see the answer", "Expand the full solution", "Answer 2"])
def test_folded_solutions_find_their_place(tmp_path, label):
    text = f"# A\n\nText.\n\n<details>\n<summary>{label}</summary>\n\n```bash\nls\n```\n\n</details>\n\n---\n\n# B\n\nMore.\n"
    first, _ = one(tmp_path, text).steps
    assert first.solve == "```bash exec\nls\n```\n"
    assert "ls" not in first.content


def test_missing_and_circular_parts_are_told(tmp_path):
    files = {
        "workshop.md": FRONT + "# A\n\ninclude::gone.md[]\n\ninclude::loop.md[]\n",
        "loop.md": "Around.\n\ninclude::loop.md[]\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [(row.kind, row.source, row.line, row.target) for row in workshop.broken] == [
        ("include", "workshop.md", 16, "gone.md"),
        ("include", "loop.md", 3, "loop.md"),
    ]
    assert "Around." in workshop.steps[0].content


def test_an_outline_that_is_not_cut_goes_by_its_headings(tmp_path):
    assert [step.title for step in one(tmp_path, "# A\n\n## One\n\na\n\n## Two\n\nb\n").steps] == ["One", "Two"]


def test_the_whole_workshop_goes_before_its_variants_and_translations(tmp_path):
    files = {
        "docs/workshop.md": FRONT + "# A\n\na\n\n---\n\n# B\n\nb\n",
        "docs/_workshop-b.md": "include::p/1.md[]\n\n---\n\ninclude::p/2.md[]\n",
        "docs/p/1.md": FRONT + "# P\n",
        "docs/p/2.md": "# Q\n",
        "docs/translations/workshop.fr.md": FRONT + "# A\n",
    }
    tree = make_tree(tmp_path, files)
    assert [row.path for row in IMPORTER.recognise(tree)] == ["docs"]
    workshop = read(IMPORTER, tree, "docs")
    assert [step.title for step in workshop.steps] == ["Welcome aboard", "B"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "docs/_workshop-b.md")]
    assert [step.title for step in read(IMPORTER, tree, "docs/_workshop-b.md").steps] == ["Welcome aboard", "Q"]


def test_several_workshops_are_offered_each(tmp_path):
    tree = make_tree(tmp_path, {f"workshops/{name}/workshop.md": FRONT + "# A\n\na\n" for name in ("one", "two")})
    assert [row.path for row in every(tree, classify(tree), None)] == ["workshops/one", "workshops/two"]


def test_other_pages_with_a_type_are_none(tmp_path):
    tree = make_tree(tmp_path, {"index.md": "---\ntype: workshop\ntitle: An event\n---\n\nSee you there.\n"})
    assert all("MOAW" not in " ".join(row.evidence) for row in IMPORTER.recognise(tree))
