"""`workshop classify`: what a folder can be read as, said and as JSON; nothing is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workshops import make_files
from workshop_cli.commands import classify
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings


def run(*arguments: object) -> int:
    return classify.run(parser().parse_args(["classify", *map(str, arguments)]), CliSettings())


def lay(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def workshop(below: str = "") -> dict[str, str]:
    return {f"{below}{path}": data.decode() for path, data in make_files("tiny").items()}


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_clear_reading_is_named_with_its_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = lay(tmp_path / "lab", workshop())
    before = sorted(tmp_path.rglob("*"))
    assert run(folder) == 0
    said = capsys.readouterr().out
    assert "workshop, which `workshop convert` takes." in said
    assert "`workshop.yaml` is a manifest of workshop-assistant/v1" in said
    assert run(folder, "--json") == 0
    found = told(capsys)
    assert (found["taken"]["form"], found["problem"]) == ("workshop", None)
    assert found["candidates"][0] == found["taken"]
    assert sorted(tmp_path.rglob("*")) == before


def test_several_workshops_are_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = lay(tmp_path, workshop("labs/one/") | workshop("labs/two/"))
    assert run(folder, "--json") == 3
    found = told(capsys)
    assert found["taken"] is None
    assert found["problem"]["type"].endswith("choice-required")
    assert {"labs/one", "labs/two"} <= {row["path"] for row in found["candidates"]}
    assert run(folder, "--path", "labs/two", "--json") == 0
    assert told(capsys)["taken"]["path"] == "labs/two"


def test_what_is_no_workshop_is_said_to_be_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = lay(tmp_path, {"pyproject.toml": "[project]\nname = 'x'\n", "app/main.py": "print('x')\n", "README.md": "# X\n"})
    assert run(folder) == 0
    assert "no workshop in it to import" in " ".join(capsys.readouterr().out.split())
    assert run(folder, "--json") == 0
    found = told(capsys)
    assert found["taken"] is None
    assert found["problem"]["type"].endswith("not-a-workshop")
