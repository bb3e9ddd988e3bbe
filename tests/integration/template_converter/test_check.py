"""`workshop check` on folders and on real repositories, at branches, tags and commits."""

import json
from pathlib import Path

import pytest

from agents.template_converter.errors import UnreadableSourceError
from tests.integration.template_converter.repositories import commit, git
from tests.workshops import make_files
from workshop_cli.commands import check
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings


def run(*arguments: object) -> int:
    return check.run(parser().parse_args(["check", *map(str, arguments)]), CliSettings())


def texts(slug: str = "tiny", folder: str = "") -> dict[str, str | None]:
    return {f"{folder}{path}": data.decode() for path, data in make_files(slug).items()}


def test_a_folder_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for path, text in texts().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text or "")
    assert run(tmp_path) == 0
    assert "A tiny workshop: 2 steps, 0 errors, 0 warnings." in capsys.readouterr().out
    (tmp_path / "steps/first/content.md").write_text("# First\n\n[x](gone.md)\n")
    assert run(tmp_path) == 0
    assert "steps/first/content.md:3: warning broken-link" in capsys.readouterr().out
    assert run(tmp_path, "--strict") == check.NOT_RIGHT
    (tmp_path / "steps/first/step.yaml").write_text("titel: x\n")
    capsys.readouterr()
    assert run(tmp_path, "--json") == check.NOT_RIGHT
    found = json.loads((text := capsys.readouterr().out)[text.index("{\n") :])["findings"]
    assert {(row["severity"], row["file"], row["line"]) for row in found} >= {("error", "steps/first/step.yaml", 1)}


def test_a_repository_is_checked_at_a_ref_whatever_its_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    lab = tmp_path / "lab"
    first = commit(lab, texts())
    git(lab, "tag", "v1")
    git(lab, "checkout", "-q", "-b", "nested")
    moved: dict[str, str | None] = dict.fromkeys(texts(), None)
    nested = commit(
        lab,
        moved | texts(folder="labs/one/") | {"labs/one/steps/first/content.md": "# F\n\n[x](gone.md)\n", "README.md": "Hello\n"},
    )
    git(lab, "checkout", "-q", "main")
    for ref in ("v1", "main", first, first[:9]):
        assert run(lab.as_uri(), "--ref", ref, "--strict") == 0
    for ref in ("nested", nested):
        assert run(lab.as_uri(), "--ref", ref, "--strict") == check.NOT_RIGHT
        assert run(lab.as_uri(), "--ref", ref, "--path", "labs/one", "--strict") == check.NOT_RIGHT
    git(lab, "checkout", "-q", "nested")
    commit(lab, texts("other", "labs/two/"))
    capsys.readouterr()
    assert run(lab.as_uri()) == check.MUST_CHOOSE
    assert "labs/two" in capsys.readouterr().err
    assert run(lab.as_uri(), "--path", "labs/two") == 0


def test_what_is_no_workshop_is_refused(tmp_path: Path):
    commit(tmp_path / "lab", {"README.md": "# A lab\n"})
    with pytest.raises(UnreadableSourceError, match="no workshop in the neutral form"):
        run((tmp_path / "lab").as_uri())
