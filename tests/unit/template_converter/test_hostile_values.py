"""Manifests made to exhaust or to crash their reader, in each syntax that importers read: an answer, never a crash or a long wait."""

import json
from pathlib import Path

import pytest

from agents.template_converter.errors import SourceError, UnreadableSourceError
from agents.template_converter.forms.js_values import exported_value
from agents.template_converter.forms.json_safely import UnsafeJsonError, load_json
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form, SourceRequest

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP = "[" * 5_000
STEP = "# One\n\nDo it.\n\n```bash\nls\n```\n"


def convert(folder: Path, files: dict[str, str], form: Form | None = None) -> ConversionReport:
    for path, text in files.items():
        (folder / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / path).write_text(text)
    request = ConvertRequest(source=str(folder / "source"), as_form=form)
    return ConverterService(ConverterSettings()).convert(request, folder / "out")


def test_half_characters_are_replaced_wherever_they_are_written(tmp_path):
    assert load_json('{"a": ["\\ud800", "\\ud83d\\ude00"], "\\udfff": 1}') == {"a": ["\ufffd", "😀"], "\ufffd": 1}
    assert load_plain('a: ["\\ud800"]') == {"a": ["\ufffd"]}
    assert load_plain('a: "\\U0000dc00"') == {"a": "\ufffd"}
    index = json.dumps({"title": "T\ud800", "details": {"steps": [{"title": "\udc00 one", "text": "a.md"}]}})
    report = convert(tmp_path, {"index.json": index, "a.md": STEP})
    assert report.workshop.title == "T\ufffd"
    assert ConversionReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize("text", [DEEP, "{" * 100_000, '{"a":' * 50_000, "9" * 5000, '{"a": ' + "1" * 5000 + "}", "", "\x00"])
def test_json_that_cannot_be_read_is_said_to_be_so(text):
    with pytest.raises(UnsafeJsonError):
        load_json(text)


def test_keys_that_stand_twice_are_told_once_each():
    twice: list[str] = []
    assert load_json('{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "a": 2}', twice) == {"b": {"c": 3}, "a": 2}
    assert twice == ["c", "a"]


def test_long_texts_count_where_they_are_repeated():
    assert len(load_plain("a: " + "x" * 900_000)["a"]) == 900_000
    with pytest.raises(UnsafeYamlError, match="unfold"):
        load_plain("a: &a " + "x" * 900_000 + "\nb: [" + ", ".join(["*a"] * 1000) + "]")


def test_constants_that_stand_for_each_other_do_not_grow_without_end():
    doubled = "const a0 = 'xxxxxxxxxxxxxxxx';\n" + "".join(f"const a{n} = a{n - 1} + a{n - 1};\n" for n in range(1, 50))
    assert exported_value(f"{doubled}module.exports = {{title: a49, other: 'x'}};") == {"title": None, "other": None}
    long = f"const a = '{'x' * 100_000}';\nmodule.exports = [{', '.join(['a'] * 10_000)}];"
    assert sum(len(row or "") for row in exported_value(long)) <= 5_000_000


MANIFESTS = [
    (Form.SHOWROOM, "content/antora.yml", {"content/modules/ROOT/nav.adoc": "* xref:a.adoc[]\n", "content/modules/ROOT/pages/a.adoc": "= A\n"}),
    (Form.SHOWROOM, "site.yml", {"content/antora.yml": "name: a\ntitle: A\nversion: ~\nnav: [modules/ROOT/nav.adoc]\n", "content/modules/ROOT/nav.adoc": "* xref:a.adoc[]\n", "content/modules/ROOT/pages/a.adoc": "= A\n"}),
    (Form.EDUCATES, "resources/workshop.yaml", {"workshop/content/a.md": STEP}),
    (Form.EDUCATES, "workshop/config.yaml", {"resources/workshop.yaml": "kind: Workshop\n", "workshop/content/a.md": STEP}),
    (Form.INSTRUQT, "track.yml", {"01-a/assignment.md": STEP}),
    (Form.MKDOCS, "mkdocs.yml", {"docs/index.md": STEP}),
    (Form.WORKSHOP_BUILDER, "workshop.yaml", {"steps/a/content.md": STEP, "steps/a/step.yaml": "title: A\n"}),
    (Form.WORKSHOP, "workshop.yaml", {"steps/a/content.md": STEP, "steps/a/step.yaml": "title: A\n"}),
    (Form.HUGO, "config.yaml", {"content/_index.md": STEP}),
    (Form.KILLERCODA, "index.json", {"a.md": STEP}),
    (Form.JUPYTER, "a.ipynb", {}),
]  # fmt: skip


@pytest.mark.parametrize(("form", "path", "others"), MANIFESTS, ids=[f"{form}-{path}" for form, path, _ in MANIFESTS])
@pytest.mark.parametrize(
    "text", [BOMB, DEEP, "{" * 50_000, "a: &a [*a]\n", "\x00" * 1000], ids=["bomb", "list", "map", "self", "null"]
)
def test_bombs_in_manifests_are_refused_or_passed_over(tmp_path, form, path, others, text):
    refusal, report = "", None
    try:
        report = convert(tmp_path, {**others, path: text}, form)
    except SourceError as error:
        refusal = error.detail
    assert len(refusal) < 1000
    assert (report is None) == bool(refusal)
    assert (report is None) == (not (tmp_path / "out").exists())


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("README.md", {}),
        ("docs/01-a.md", {"docs/02-b.md": STEP}),
        ("01-x/assignment.md", {"track.yml": "slug: t\ntitle: T\n"}),
        ("content/_index.md", {"hugo.toml": "title = 'W'\n", "content/a.md": STEP}),
        ("docs/a.md", {"docusaurus.config.js": "module.exports = {title: 'A workshop'};", "docs/b.md": STEP}),
        ("docs/index.md", {"mkdocs.yml": "site_name: W\n"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [BOMB, DEEP, "a: &a [*a]\n"], ids=["bomb", "list", "self"])
def test_bombs_in_front_matter_leave_the_page_readable(tmp_path, path, others, text):
    forms = {
        "track.yml": Form.INSTRUQT,
        "hugo.toml": Form.HUGO,
        "docusaurus.config.js": Form.DOCUSAURUS,
        "mkdocs.yml": Form.MKDOCS,
    }
    form = next((forms[name] for name in others if name in forms), Form.MARKDOWN)
    report = convert(tmp_path, {**others, path: f"---\n{text}\n---\n{STEP}"}, form)
    assert report.counts.code_blocks >= 1


def test_a_workshop_of_too_many_steps_says_so(tmp_path):
    with pytest.raises(UnreadableSourceError, match=r"1001 steps.*1000.*--path"):
        convert(tmp_path, {f"{number:04}-x.md": f"# {number}\n\n```bash\nls\n```\n" for number in range(1001)}, Form.MARKDOWN)


def test_durations_without_sense_are_none(tmp_path):
    track = "slug: t\ntitle: T\nchallenges:\n- {slug: a, title: A, timelimit: 1" + "0" * 40 + ", assignment: Go.}\n"
    assert convert(tmp_path, {"track.yml": track}).counts.steps == 1


@pytest.mark.parametrize(
    ("form", "files"),
    [
        (Form.WORKSHOP_BUILDER, {"workshop.yaml": "steps: [a]\n", "steps/a/content.md": STEP, "steps/a/step.yaml": "title: A\n1: x\nb: y\n"}),
        (Form.JUPYTER, {"a.ipynb": '{"worksheets": [{"cells": 1}, {"cells": [{"cell_type": "markdown", "source": "# A"}]}]}'}),
    ],
)  # fmt: skip
def test_values_of_another_kind_than_expected_are_passed_over(tmp_path, form, files):
    assert convert(tmp_path, files, form).counts.steps == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "# " + " " * 200_000 + "\n"),
        ("README.md", "# " + "\n" * 200_000),
        ("README.md", ("# " + "-" * 300 + "\n") * 500),
        ("main.hcl", "\n" * 90_000 + "x"),
        ("build.gradle", "\n" * 90_000 + "x"),
        ("go.mod", "\n" * 90_000 + "x"),
        ("Gemfile", "\n" * 90_000 + "x"),
        ("Dockerfile", "\n" * 90_000 + "x"),
        ("Dockerfile", "FROM" + "\n" * 90_000),
    ],
    ids=range(9),
)
def test_long_white_space_keeps_neither_the_recogniser_nor_the_inventory(tmp_path, path, text):
    (tmp_path / path).write_text(text)
    (tmp_path / "other.md").write_text(STEP)
    service = ConverterService(ConverterSettings())
    assert service.classify(ConvertRequest(source=str(tmp_path)))
    assert service.inspect(SourceRequest(source=str(tmp_path))).languages is not None


def test_conditions_of_long_white_space_end(tmp_path):
    source = {
        "content/antora.yml": "name: a\ntitle: A\nversion: ~\nnav: [modules/ROOT/nav.adoc]\n",
        "content/modules/ROOT/nav.adoc": "* xref:a.adoc[]\n* a" + ".html" * 5_000 + "\n",
        "content/modules/ROOT/pages/a.adoc": f"= A\n\nifeval::[{' ' * 10_000}x]\nx\nendif::[]\n\nText.\n",
    }
    assert convert(tmp_path, source, Form.SHOWROOM).counts.steps == 1
