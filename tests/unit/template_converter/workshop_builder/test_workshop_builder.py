"""workshop-builder's form: order, help texts, recipes as the next step's setup, goss specs as checks."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.workshop_builder import WorkshopBuilderImporter
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
