"""Every workshop of a repository at once: each to a folder of its own, and one that cannot be read keeps none of the others."""

import json

import pytest

from agents.template_converter.errors import NotAWorkshopError
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form
from tests.unit.template_converter.trees import make_tree
from workshop_cli.commands import convert
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings

STEP = "# Step {}\n\n```bash\nls\n```\n"
LAB = {f"{number:02d}-step.md": STEP.format(number) for number in (1, 2, 3)}
TRACK = "title: Same\nslug: same\nchallenges:\n- slug: one\n  title: One\n  assignment: Do it.\n"
FILES = {
    "site/mkdocs.yml": "site_name: A workshop\n",
    **{f"site/docs/{path}": text for path, text in LAB.items()},
    "one/track.yml": TRACK,
    "two/track.yml": TRACK,
    "broken/track.yml": "title: [\nchallenges:\n",
}


def run(tmp_path, *arguments):
    return convert.run(parser().parse_args(["convert", str(tmp_path / "source"), "--all", *map(str, arguments)]), CliSettings())


def test_each_is_written_under_a_name_of_its_own(tmp_path):
    make_tree(tmp_path / "source", FILES)
    found = ConverterService(ConverterSettings()).convert_all(ConvertRequest(source=str(tmp_path / "source")), tmp_path / "out")
    told = {row.path: each.workshop.slug if isinstance(each, ConversionReport) else "error" for row, each in found}
    assert told == {"broken": "error", "one": "same", "site": "a-workshop", "two": "same-2"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-workshop", "same", "same-2"]
    assert "slug: same-2\n" in (tmp_path / "out/same-2/workshop.yaml").read_text()


def test_the_command_tells_what_failed(tmp_path, capsys):
    make_tree(tmp_path / "source", FILES)
    assert run(tmp_path, "--out", tmp_path / "out", "--json") == 1
    said = capsys.readouterr().out
    rows = json.loads(said[said.index("[\n") :])  # lines of the log, which go elsewhere when the command is a process
    assert [(row["path"], "report" in row, "problem" in row) for row in rows] == [
        ("broken", False, True), ("one", True, False), ("site", True, False), ("two", True, False),
    ]  # fmt: skip
    assert run(tmp_path, "--out", tmp_path / "some", "--as", "instruqt") == 1
    said = capsys.readouterr()
    assert "2 of 3 workshops were written" in said.out
    assert "broken" in said.err


def test_a_workshop_with_a_manifest_of_its_own_is_not_lost_behind_the_pages_around_it(tmp_path):
    lab = "id: a-lab\nsummary: S\nfeedback link: x\n\n# A lab\n\n## One\n\nDo.\n"
    tutorial = {
        "README.md": "# Exercises of the workshop\n",
        **{f"{number}-app/README.md": STEP.format(number) for number in "123"},
    }
    inside = TRACK.replace("Same", "Inside")
    make_tree(tmp_path / "source", {**tutorial, "lab/index.md": lab, "1-app/track.yml": inside})
    found = ConverterService(ConverterSettings()).convert_all(ConvertRequest(source=str(tmp_path / "source")), tmp_path / "out")
    assert [(row.form, row.path) for row, _ in found] == [(Form.MARKDOWN, ""), (Form.CODELAB, "lab")]


def test_one_workshop_alone_and_none(tmp_path):
    make_tree(tmp_path / "source", LAB)
    assert run(tmp_path, "--out", tmp_path / "out") == 0
    assert len(list((tmp_path / "out").iterdir())) == 1
    service = ConverterService(ConverterSettings())
    make_tree(tmp_path / "app", {"go.mod": "module x\n", "main.go": "package main\n"})
    with pytest.raises(NotAWorkshopError):
        service.convert_all(ConvertRequest(source=str(tmp_path / "app")), tmp_path / "none")
    with pytest.raises(NotAWorkshopError):
        service.convert_all(ConvertRequest(source=str(tmp_path / "source"), as_form=Form.LIBRARY), tmp_path / "none")
