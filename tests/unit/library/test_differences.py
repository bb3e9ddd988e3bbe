"""What differs between two workshops is found step by step, and the differences lead from one to the other."""

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.contracts.differences import Change
from shared_services.library.differences import diff_workshops, unified
from tests.unit.library.test_merging import BASE, added, changed, edited, manifest, renamed, without


def changes(old, new) -> dict[str, list[Change]]:
    return {step.id: step.changes for step in diff_workshops(old, new).steps if step.changes}


def test_the_same_workshop_does_not_differ():
    diff = diff_workshops(BASE, BASE)
    assert diff.is_empty()
    assert [(step.id, step.old_position, step.position) for step in diff.steps] == [
        ("get", 1, 1), ("build", 2, 2), ("deploy", 3, 3), ("tidy", 4, 4),
    ]  # fmt: skip


def test_each_step_says_what_happened_to_it():
    new = renamed(
        edited(added(without(BASE, "tidy"), "check", "get"), "deploy", "run deploy", "run deploy --all"), "build", "make"
    )
    new = manifest(new, steps=["make", "get", "check", "deploy"])
    assert changes(BASE, new) == {
        "make": [Change.RENAMED, Change.MOVED],
        "check": [Change.ADDED],
        "deploy": [Change.CHANGED],
        "tidy": [Change.REMOVED],
    }
    diff = diff_workshops(BASE, new)
    assert [step.id for step in diff.steps] == ["make", "get", "check", "deploy", "tidy"]
    assert [(step.old_id, step.position) for step in diff.steps if step.id in ("make", "tidy")] == [("build", 1), ("tidy", 0)]


def test_a_renumbering_moves_no_step():
    assert changes(BASE, added(BASE, "zero", "get")) == {"zero": [Change.ADDED]}


def test_code_blocks_are_told_with_their_lines():
    new = edited(BASE, "build", "```bash exec\nrun build\n```\n", "```yaml\nkind: Job\n```\n\n```bash exec\nrun build -v\n```\n")
    (step,) = [row for row in diff_workshops(BASE, new).steps if row.changes]
    assert [(row.change, row.language, row.old_line, row.line, row.old, row.new) for row in step.code] == [
        (Change.ADDED, "yaml", 0, 5, None, "kind: Job\n"),
        (Change.CHANGED, "bash", 5, 9, "run build\n", "run build -v\n"),
    ]
    gone = diff_workshops(new, BASE).steps[1].code
    assert {(row.change, row.old) for row in gone} >= {(Change.REMOVED, "kind: Job\n")}


def test_fields_and_files():
    new = changed(manifest(BASE, duration=40, tags=["a"]), **{"assets__p.png": b"\x00new", "steps__get__hints.md": "Look.\n"})
    diff = diff_workshops(changed(BASE, **{"assets__p.png": b"\x00old"}), new)
    assert [(row.field, row.old, row.new) for row in diff.fields] == [("duration", None, "40"), ("tags", None, "- a")]
    assert [(row.path, row.change, row.text) for row in diff.files] == [("assets/p.png", Change.CHANGED, "")]
    (file,) = diff.steps[0].files
    assert (file.path, file.change, file.text) == ("steps/get/hints.md", Change.ADDED, "@@ -0,0 +1 @@\n+Look.\n")


def test_a_renamed_step_is_compared_with_its_earlier_self():
    base = edited(BASE, "get", "Last get.", "Next: [build](../build/content.md).")
    diff = diff_workshops(base, renamed(base, "build", "make"))
    assert [(step.id, step.files, step.changes) for step in diff.steps if step.changes] == [("make", [], [Change.RENAMED])]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c\n", "long line\n"]), max_size=30).map("".join)


@settings(deadline=None, max_examples=40)
@given(LINES, LINES, st.booleans())
def test_patch_makes_the_new_text_of_the_old_one(tmp_path_factory, old: str, new: str, cut: bool):
    new = new.removesuffix("\n") if cut else new
    folder: Path = tmp_path_factory.mktemp("patch")
    (folder / "text").write_text(old)
    made = unified(old, new)
    if not made:
        assert old == new
        return
    (folder / "patch").write_text(f"--- a/text\n+++ b/text\n{made}")
    done = subprocess.run(["git", "apply", "--unidiff-zero", "patch"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stderr, made)
    text = folder / "text"
    assert (text.read_text() if text.exists() else "") == new
