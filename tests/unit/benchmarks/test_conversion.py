"""The repositories that conversions are timed on are what they say they are, and a process is weighed with its children."""

import sys

import pytest

from agents.template_converter.recognise import choose, classify
from agents.template_converter.recognise import importer_of as importer
from benchmarks.conversion import Row, spend
from benchmarks.made_repositories import MADE_FORMS, filling, made_repository
from tests.unit.template_converter.trees import make_tree


@pytest.mark.parametrize("form", MADE_FORMS)
def test_made_repositories_are_of_their_form_and_whole(form, tmp_path):
    tree = make_tree(tmp_path, dict(made_repository(form, 4)))
    candidate = choose(classify(tree), None)
    assert candidate.form is form
    found = importer(form).read(tree, candidate)
    assert len(found.steps) >= 4
    assert not found.broken
    assert sum(step.content.count("```") for step in found.steps) >= 2 * 4 * 6


def test_the_filling_has_as_many_files_as_asked_for_and_is_no_workshop(tmp_path):
    files = filling(1000)
    assert len(files) == 1000
    found = classify(make_tree(tmp_path, dict(files)))
    assert found[0].form.value == "application"


def test_a_process_is_weighed_with_its_children():
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(60_000_000); print(sum(range(100000)))'])"
    )
    spent = spend([sys.executable, "-c", child])
    assert (spent.status, spent.said.strip()) == (0, "4999950000")
    assert spent.memory_mb > 60
    assert spent.cpu_seconds > 0
    assert spend([sys.executable, "-c", "raise SystemExit(3)"]).status == 3


def test_a_goal_counts_what_comes_after_the_checkout():
    row = Row("x", "markdown", 1, 1, 20.0, 1.0, 100.0, 6.0, 1.0, 15.0)
    assert (row.after_checkout, row.misses) == (14.0, False)
    assert Row("x", "markdown", 1, 1, 20.0, 1.0, 401.0, 6.0, 1.0, 15.0).misses
    assert Row("x", "markdown", 1, 1, 20.0, 1.0, 100.0, 4.0, 1.0, 15.0).misses
