"""`workshop export`: what is written, what is said, and that nothing is overwritten."""

import json

import pytest

from shared_services.kit.errors import BadInputError, ConflictError
from tests.unit.template_converter.exports.made import FILES
from workshop_cli.commands import export
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings


@pytest.fixture
def workshop(tmp_path):
    for path, text in FILES.items():
        (tmp_path / "made" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / path).write_text(text)
    return tmp_path / "made"


def run(*arguments):
    return export.run(parser().parse_args(["export", *map(str, arguments)]), CliSettings())


def test_files_are_written_and_losses_told(workshop, tmp_path, capsys):
    assert run(workshop, "--as", "mkdocs", "--out", tmp_path / "site", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["form"] == "mkdocs"
    assert (
        sorted(path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*") if path.is_file())
        == report["files"]
    )
    assert {
        "kind": "help",
        "source": "steps/one/explain.md",
        "line": 0,
        "detail": "The explanation is a folded box of the page there.",
    } in report["losses"]
    assert run(workshop, "--as", "educates", "--out", tmp_path / "lab") == 0
    assert "Lost on the way" in capsys.readouterr().out


def test_nothing_is_overwritten_and_mistakes_are_named(workshop, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="is not empty"):
        run(workshop, "--as", "mkdocs", "--out", tmp_path / "full")
    with pytest.raises(BadInputError, match="is a file"):
        run(workshop, "--as", "mkdocs", "--out", tmp_path / "full/mine.txt")
    with pytest.raises(BadInputError, match=r"no export to 'word'\. Known ones: showroom, educates, mkdocs"):
        run(workshop, "--as", "word", "--out", tmp_path / "x")
    with pytest.raises(BadInputError, match="not a workshop"):
        run(tmp_path / "full", "--as", "mkdocs", "--out", tmp_path / "x")
    assert (tmp_path / "full/mine.txt").read_text() == "mine"
    assert not (tmp_path / "x").exists()
