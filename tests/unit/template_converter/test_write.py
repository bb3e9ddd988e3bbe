"""The neutral form on disk: valid, the same bytes each time, whole or not at all."""

import os

import pytest

from agents.template_converter.errors import OutputRefusedError
from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.model import ImportedStep, ImportedWorkshop
from agents.template_converter.report import make_report, unaccounted
from agents.template_converter.write import workshop_files, write_folder
from shared_services.contracts.conversion import Form, FormCandidate
from shared_services.contracts.workshop import WorkshopSource
from shared_services.library.form import read_folder, validate_files
from tests.unit.template_converter.trees import make_tree, read

PAGES = {
    "README.md": "# The Lab: über 'all'\n",
    "01-a.md": "# A\n\n![i](i.png) [b](02-b.md)\n\n```bash\nls\n```\n\n    indented\n\n<details><summary>Hint</summary>\n\n```sh\nls\n```\n</details>\n",
    "02-b.md": "# B\n\n<table><tr><td><img src='i.png'></td></tr></table>\n",
    "i.png": b"\x89PNG",
}


def files_of(tmp_path):
    tree = make_tree(tmp_path, PAGES)
    workshop = read(MarkdownImporter(), tree)
    return tree, workshop, workshop_files(workshop, tree, WorkshopSource(commit="a" * 40), "name")


def test_the_result_is_valid_and_deterministic(tmp_path):
    _, _, files = files_of(tmp_path / "one")
    _, _, again = files_of(tmp_path / "two")
    assert files == again
    valid = validate_files(files)
    assert valid.manifest.slug == "the-lab-uber-all"
    assert valid.manifest.steps == ["a", "b"]
    assert files["assets/i.png"] == b"\x89PNG"
    assert files["steps/a/hints.md"] == b"```sh exec\nls\n```\n"


def test_the_report_counts_the_result(tmp_path):
    tree, workshop, files = files_of(tmp_path)
    report = make_report(FormCandidate(form=Form.MARKDOWN, score=1, evidence=["x"]), tree, workshop, validate_files(files))
    counts = report.counts
    assert (counts.steps, counts.code_blocks, counts.executable_blocks) == (2, 3, 2)
    assert (counts.images, counts.links, counts.hints, counts.checks) == (2, 1, 1, 0)
    assert [(step.id, step.title, step.source) for step in report.workshop.steps] == [
        ("a", "A", "01-a.md"),
        ("b", "B", "02-b.md"),
    ]


def test_a_block_that_an_importer_dropped_in_silence_is_reported(tmp_path):
    tree, workshop, _ = files_of(tmp_path)
    assert unaccounted(tree, workshop) == []
    workshop.steps[0].content = workshop.steps[0].content.replace("```bash exec\nls\n```\n", "")
    assert [(row.kind, row.source) for row in unaccounted(tree, workshop)] == [("code", "01-a.md")]


def test_a_folder_is_replaced_whole(tmp_path):
    _, _, files = files_of(tmp_path / "source")
    out = tmp_path / "out" / "workshop"
    write_folder(files, out)
    write_folder({path: data for path, data in files.items() if path != "assets/i.png"}, out)
    assert not (out / "assets").exists()
    assert read_folder(out).files["steps/a/content.md"] == files["steps/a/content.md"]
    assert [path.name for path in out.parent.iterdir()] == ["workshop"]


@pytest.mark.parametrize("name", ["steps/a/content.md", "steps/a/more.md", "workshop.yaml", "assets/own.png"])
def test_what_somebody_changed_in_a_folder_is_written_over_only_where_they_say_so(tmp_path, name: str):
    _, _, files = files_of(tmp_path / "source")
    out = tmp_path / "workshop"
    write_folder(files, out)
    (out / name).write_text("changed")
    with pytest.raises(OutputRefusedError, match=f"{name}.*--replace"):
        write_folder(files, out)
    assert (out / name).read_text() == "changed"
    write_folder(files, out, replace=True)
    assert read_folder(out).files == files


def test_a_folder_that_was_copied_with_other_times_may_be_written_again(tmp_path):
    _, _, files = files_of(tmp_path / "source")
    out = tmp_path / "workshop"
    write_folder(files, out)
    for moment, path in enumerate(path for path in out.rglob("*") if path.is_file()):
        os.utime(path, (moment, moment))
    write_folder(files, out)
    assert read_folder(out).files == files


def test_what_is_there_and_not_ours_is_not_overwritten(tmp_path):
    _, _, files = files_of(tmp_path / "source")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    write_folder(files, tmp_path / "ours")
    (tmp_path / "ours" / ".git").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "source")
    for name in ("full", "file", "ours", "link"):
        with pytest.raises(OutputRefusedError):
            write_folder(files, tmp_path / name)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "x"
    (tmp_path / "empty").mkdir()
    write_folder(files, tmp_path / "empty")
    assert (tmp_path / "empty" / "workshop.yaml").exists()


def test_a_failure_leaves_the_previous_conversion(tmp_path):
    _, _, files = files_of(tmp_path / "source")
    out = tmp_path / "out"
    write_folder(files, out)
    with pytest.raises(OutputRefusedError):
        write_folder({**files, "steps/" + "x" * 300: b""}, out)
    assert read_folder(out).manifest.steps == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_asciidoc_blocks_that_are_nowhere_are_reported(tmp_path):
    page = (
        "= A\n\nTitle\n-----\n\n----\none\n....\nno\n....\n----\n\n....\ntwo\n....\n\n```bash\nthree\n```\n\n////\n----\nnot shown\n----\n////\n\n"
        "ifdef::more[]\n----\nperhaps\n----\nendif::[]\n\nifdef::x[one line]\n\n[source,bash]\n----\nfour\n----\n\n----\nnever closed\n"
    )
    tree = make_tree(tmp_path, {"a.adoc": page})
    content = "# A\n\n" + "".join(f"```\n{word}\n```\n\n" for word in ("one", "two", "three", "four"))
    step = ImportedStep(id="a", title="A", source="a.adoc", content=content, runs=[])
    assert unaccounted(tree, ImportedWorkshop(title="A", steps=[step])) == []
    step.content = content.replace("```\ntwo\n```\n", "")
    assert [(row.kind, row.source, row.detail[:6]) for row in unaccounted(tree, ImportedWorkshop(title="A", steps=[step]))] == [
        ("code", "a.adoc", "1 of 4")
    ]


def test_scripts_are_executable(tmp_path):
    write_folder({"workshop.yaml": b"", "steps/a/check.sh": b"#!/bin/bash\n", "steps/a/content.md": b"# A\n"}, tmp_path / "w")
    assert (tmp_path / "w/steps/a/check.sh").stat().st_mode & 0o100
    assert not (tmp_path / "w/steps/a/content.md").stat().st_mode & 0o111
