"""What a person chose for a repository is taken the next time, said, overruled and forgotten, through the command."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.template_converter.repositories import LAB, commit, git
from workshop_cli.commands import convert, diff
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A repository that can be read in two ways."""
    pages = {name: text for name, text in LAB.items() if name != "README.md"}
    commit(
        tmp_path / "two",
        {f"{part}/{name}": text.replace("boat", part) for part in ("alpha", "beta") for name, text in pages.items()},
    )
    return tmp_path / "two"


def run(tmp_path: Path, *arguments: object) -> int:
    words = [str(word) for word in arguments]
    command = {"convert": convert, "diff": diff}[words[0]]
    return command.run(parser().parse_args(words), CliSettings(choices=tmp_path / "choices.json"))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    text = capsys.readouterr().out
    found: dict[str, Any] = json.loads(text[text.index("{\n") :])
    return found


def test_a_choice_is_taken_overruled_and_forgotten(two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    asked = ("convert", two.as_uri(), "--out", tmp_path / "out", "--json")
    assert run(tmp_path, *asked) == convert.MUST_CHOOSE
    capsys.readouterr()
    assert run(tmp_path, *asked, "--path", "beta") == 0
    assert not told(capsys)["remembered"]
    # The same repository by another address.
    assert run(tmp_path, "convert", two, "--out", tmp_path / "out", "--json") == 0
    report = told(capsys)
    assert report["remembered"]
    assert report["evidence"][0].startswith("Remembered: to be read in `beta`, chosen on ")
    assert report["workshop"]["steps"][0]["source"] == "beta/01-rig.md"

    assert run(tmp_path, *asked, "--path", "alpha", "--as", "markdown") == 0
    capsys.readouterr()
    assert run(tmp_path, *asked) == 0
    report = told(capsys)
    assert report["evidence"][0].startswith("Remembered: to be read as markdown in `alpha`, chosen on ")
    assert report["workshop"]["steps"][0]["source"] == "alpha/01-rig.md"
    assert run(tmp_path, "diff", two.as_uri(), "--to", "main") == 0  # reads both the same way

    assert run(tmp_path, *asked, "--forget") == convert.MUST_CHOOSE
    assert run(tmp_path, *asked) == convert.MUST_CHOOSE
    assert run(tmp_path, *asked, "--forget", "--path", "beta") == 0
    assert "Nothing was remembered" in capsys.readouterr().err


def test_a_choice_that_failed_is_not_remembered(two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from agents.template_converter.errors import MissingPathError

    with pytest.raises(MissingPathError):
        run(tmp_path, "convert", two, "--out", tmp_path / "out", "--path", "gamma")
    assert run(tmp_path, "convert", two, "--out", tmp_path / "out") == convert.MUST_CHOOSE


def test_a_choice_that_no_longer_fits_is_passed_over_and_said(two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    asked = ("convert", two, "--out", tmp_path / "out", "--json")
    assert run(tmp_path, *asked, "--path", "beta") == 0
    git(two, "rm", "-rq", "beta")
    git(two, "commit", "-qm", "One way only")
    capsys.readouterr()
    assert run(tmp_path, *asked) == 0
    report = told(capsys)
    assert not report["remembered"]
    assert "can no longer be read like that" in report["evidence"][0]
    assert report["workshop"]["steps"][0]["source"] == "alpha/01-rig.md"
