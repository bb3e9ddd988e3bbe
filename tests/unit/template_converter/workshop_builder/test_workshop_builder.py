"""workshop-builder's form: order, help texts, recipes as the next step's setup, goss specs as checks."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.workshop_builder import WorkshopBuilderImporter
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConvertRequest, Form
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = WorkshopBuilderImporter()
MANIFEST = "version: v1\nworkshop: {name: my-lab, image: x}\nbase: {image: b}\nsteps: [one, two, one, gone]\n"
FILES = {
    "workshop.yaml": MANIFEST,
    "steps/one/content.md": "# One\n\nSee [two](../two/content.md).\n\n```bash\nls\n```\n",
    "steps/one/step.yaml": (
        "title: The first\ngroup: Basics\nfiles:\n- {source: a b.sh, target: /work/a.sh, mode: '0755'}\n- {source: ../../../x, target: /x}\n"
        "commands: ['touch /work/done']\nenv: {A: b}\n"
    ),
    "steps/one/files/a b.sh": "#!/bin/sh\n",
    "steps/one/hints.md": "Try `ls`.\n",
    "steps/one/explain.md": "Because.\n",
    "steps/two/content.md": "# Two\n",
    "steps/two/step.yaml": "title: The second\n",
    "steps/two/solve.md": "```bash\nls -l\n```\n",
    "steps/two/goss.yaml": "file: {}\n",
    "steps/draft/content.md": "# Draft\n",
}


def test_steps_keep_order_help_and_checks(tmp_path):
    workshop = read(IMPORTER, make_tree(tmp_path, FILES))
    one, two = workshop.steps
    assert [(step.id, step.title) for step in workshop.steps] == [("one", "The first"), ("two", "The second")]
    assert one.content == "# One\n\nSee [two](../two/content.md).\n\n```bash exec\nls\n```\n"
    assert (one.hints, one.explain, two.solve) == ("Try `ls`.\n", "Because.\n", "```bash exec\nls -l\n```\n")
    assert (one.check, two.check) == (None, "#!/bin/bash\nexec goss --gossfile files/goss.yaml validate\n")
    assert two.files["files/goss.yaml"] == b"file: {}\n"
    assert [(row.title, row.steps) for row in workshop.chapters] == [("Basics", ["one"])]
    assert workshop.title == "my-lab"


def test_what_a_step_leaves_behind_sets_the_next_one_up(tmp_path):
    workshop = read(IMPORTER, make_tree(tmp_path, FILES))
    one, two = workshop.steps
    assert one.setup is None
    assert two.setup == "#!/bin/bash\nset -e\ninstall -D -m 0755 'files/before/a b.sh' /work/a.sh\ntouch /work/done\n"
    assert two.files["files/before/a b.sh"] == b"#!/bin/sh\n"


def test_everything_else_is_told(tmp_path):
    workshop = read(IMPORTER, make_tree(tmp_path, FILES))
    assert [(row.kind, row.target) for row in workshop.broken] == [("page", "gone"), ("file", "../../../x")]
    assert sorted((row.kind, row.source) for row in workshop.losses) == [
        ("check", "steps/two/goss.yaml"),
        ("page", "steps/draft/content.md"),
        ("page", "workshop.yaml"),
        ("setting", "steps/one/step.yaml"),
        ("setting", "workshop.yaml"),
        ("setting", "workshop.yaml"),
    ]


def test_recognition_and_errors(tmp_path):
    tree = make_tree(tmp_path, FILES)
    assert [(row.score, row.path) for row in IMPORTER.recognise(tree)] == [(0.9, "")]
    shown = make_tree(tmp_path / "b", {f"examples/x/{path}": text for path, text in FILES.items()})
    assert [(row.score, row.path) for row in IMPORTER.recognise(shown)] == [(0.75, "examples/x")]
    neutral = {**FILES, "workshop.yaml": "apiVersion: workshop-assistant/v1\nsteps: [one]\n"}
    assert IMPORTER.recognise(make_tree(tmp_path / "c", neutral)) == []
    bare = {**FILES, "workshop.yaml": "slug: x\ntitle: X\nsteps: [one]\n"}
    assert IMPORTER.recognise(make_tree(tmp_path / "f", bare)) == []
    with pytest.raises(UnreadableSourceError, match="names no step"):
        read(IMPORTER, make_tree(tmp_path / "d", {"workshop.yaml": "steps: [x]\n"}))
    with pytest.raises(UnreadableSourceError, match=r"workshop\.yaml"):
        read(IMPORTER, make_tree(tmp_path / "e", {"workshop.yaml": "a: [\n"}))


def test_an_example_counts_where_there_is_nothing_else(tmp_path):
    example = {f"examples/hello/{path}": text for path, text in FILES.items()}
    alone = IMPORTER.recognise(make_tree(tmp_path / "alone", example))
    beside = IMPORTER.recognise(
        make_tree(tmp_path / "beside", {**example, **{f"lab/{path}": text for path, text in FILES.items()}})
    )
    assert [(row.path, row.score) for row in alone] == [("examples/hello", 0.75)]
    assert [(row.path, row.score) for row in beside] == [("examples/hello", 0.45), ("lab", 0.9)]


def test_folders_that_are_no_slugs_become_unique_ids(tmp_path):
    files = {
        "workshop.yaml": "workshop: {name: w}\nsteps: [01_Intro, 01-intro, ÄÖ]\n",
        "steps/01_Intro/content.md": "# One\n\nOn to [two](../01-intro/content.md).\n",
        "steps/01_Intro/step.yaml": "commands: [ls]\n",
        "steps/01-intro/content.md": "# Two\n",
        "steps/ÄÖ/content.md": "# Three\n",
    }
    make_tree(tmp_path, files)
    read_again = ConverterService(ConverterSettings()).read(ConvertRequest(source=str(tmp_path), as_form=Form.WORKSHOP_BUILDER))
    assert read_again.workshop.manifest.steps == ["01-intro", "01-intro-2", "ao"]
    assert "(../01-intro-2/content.md)" in (read_again.workshop.text("steps/01-intro/content.md") or "")
    assert read_again.workshop.text("steps/01-intro-2/setup.sh") == "#!/bin/bash\nset -e\nls\n"


def test_an_explanation_is_rewritten_like_content(tmp_path):
    explain = "# Why\n\n[Two](../two/content.md), ![p](p.png), [no](gone.md).\n\n```bash\nls\n```\n"
    workshop = read(IMPORTER, make_tree(tmp_path, {**FILES, "steps/one/explain.md": explain, "steps/one/p.png": b"p"}))
    made = workshop.steps[0].explain
    assert made == (
        "# Why\n\n[Two](../two/content.md), ![p](../../assets/steps/one/p.png), no (`gone.md`).\n\n```bash exec\nls\n```\n"
    )
    assert "gone.md" in [row.target for row in workshop.broken]
    assert "files/p.png" not in workshop.steps[0].files


def test_other_files_are_kept_and_what_is_not_known_is_told(tmp_path):
    more = {
        "workshop.yaml": "workshop: {name: w, image: i, description: About it.}\nextra: 1\nsteps: [{id: one, when: x}, two]\n",
        "steps/one/step.yaml": "commands: [ls, [a], 3]\n",
        "steps/two/notes.txt": "n",
        "steps/two/files/data/a.csv": "a",
        "steps/two/data": "d",
        "steps/two/.hidden": "h",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, {**FILES, **more}))
    assert workshop.summary == "About it."
    assert {name: data for name, data in workshop.steps[1].files.items() if "goss" not in name} == {
        "files/notes.txt": b"n",
        "files/data": b"d",
    }
    told = [(row.kind, row.source, row.detail.split(" ")[0]) for row in workshop.losses]
    for name in ("`extra`", "`image`", "`when`"):
        assert ("setting", "workshop.yaml", name) in told
    assert ("setup", "steps/one/step.yaml", "`commands`") in told
    assert {row.source for row in workshop.losses if row.kind == "file"} == {"steps/two/.hidden", "steps/two/files/data/a.csv"}
