"""The classification benchmark: its manifests, its verdicts and its table."""

import pytest

from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from benchmarks.classification import CHOICE, Case, Outcome, classify, confusion, read_manifest


@pytest.mark.parametrize(
    "text",
    [
        '[{"path": "a", "form": "mkdocs"}, {"path": "b", "form": "library", "subfolder": "x"}]',
        "- {path: a, form: mkdocs}\n- {path: b, form: library, subfolder: x}\n",
        "# a comment\na mkdocs\n\nb library x\n",
    ],
)
def test_manifests_of_three_kinds(tmp_path, text):
    (tmp_path / "m").write_text(text)
    assert read_manifest(tmp_path / "m") == [Case(str(tmp_path / "a"), "mkdocs"), Case(str(tmp_path / "b"), "library", "x")]


@pytest.mark.parametrize("text", ["", "[]", "[{}]", "alone\n", "[[1, 2]]"])
def test_manifests_that_say_nothing(tmp_path, text):
    (tmp_path / "m").write_text(text)
    with pytest.raises(ValueError, match="m"):
        read_manifest(tmp_path / "m")


def test_verdicts(tmp_path):
    lab = {f"{number:02d}-step.md": f"# Step {number}\n\n```bash\nls\n```\n" for number in range(1, 5)}
    for folder in ("one", "two/java", "two/go"):
        (tmp_path / folder).mkdir(parents=True)
        for name, body in lab.items():
            (tmp_path / folder / name).write_text(body)
    (tmp_path / "none").mkdir()
    service = ConverterService(ConverterSettings())
    said = {name: classify(service, Case(str(tmp_path / name), "markdown")).said for name in ("one", "two", "none", "gone")}
    assert said == {"one": "markdown", "two": CHOICE, "none": "empty", "gone": "refused"}
    assert classify(service, Case(str(tmp_path / "two"), "markdown", "go")).right


@pytest.mark.parametrize(
    ("form", "said", "right"),
    [
        ("rst|markdown", "markdown", True),
        ("rst|markdown", "mkdocs", False),
        ("none", "library", True),
        ("none", "empty", True),
        ("none", "mkdocs", False),
        ("none", CHOICE, False),
        ("library", "application", False),
    ],
)
def test_forms_that_are_right(form, said, right):
    assert Outcome(Case("x", form), said, 0.1).right is right


def test_the_table_has_what_is_wrong_first():
    rows = [Outcome(Case("x", form), said, 0.1) for form, said in (("a", "a"), ("a", "a"), ("b", "a"), ("b", CHOICE), ("b", "a"))]
    assert confusion(rows) == [("b", "a", 2), ("b", CHOICE, 1), ("a", "a", 2)]
