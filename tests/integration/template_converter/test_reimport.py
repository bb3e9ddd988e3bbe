"""A newer commit of a real repository merged into a folder that was changed by hand, through the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.template_converter.errors import SourceError, UnknownRefError
from agents.template_converter.reimport import NoOriginError, following, read_newer
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import Form
from shared_services.contracts.workshop import WorkshopSource
from shared_services.kit.errors import BadInputError
from shared_services.library.form import read_folder
from shared_services.library.merging import with_origin
from tests.integration.template_converter.repositories import LAB, commit, git
from tests.workshops import make_workshop
from workshop_cli.commands import convert, diff, update
from workshop_cli.main import parser
from workshop_cli.settings import CliSettings

COMMANDS = {"convert": convert, "diff": diff, "update": update}


def run(*arguments: object) -> int:
    words = [str(word) for word in arguments]
    return COMMANDS[words[0]].run(parser().parse_args(words), CliSettings())


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    commit(tmp_path / "lab", LAB)
    return tmp_path / "lab"


@pytest.fixture
def mine(lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run("convert", lab.as_uri(), "--out", tmp_path / "mine") == 0
    capsys.readouterr()
    return tmp_path / "mine"


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one JSON object on stdout; what is logged before it is the log's of the process that runs the tests."""
    text = capsys.readouterr().out
    found: dict[str, Any] = json.loads(text[text.index("{\n") :])
    return found


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_both_sides_changes_come_together(lab: Path, mine: Path, capsys: pytest.CaptureFixture[str]):
    steps = {step.partition("-")[0]: step for step in read_folder(mine).manifest.steps}
    edit(mine / "steps" / steps["sail"] / "content.md", "The end of sail.", "The end, as I see it.")
    edit(mine / "workshop.yaml", "title: Sail a boat", "title: Sail our boat # ours")
    (mine / "steps" / steps["rig"] / "hints.md").write_text("Look up.\n")
    newer = commit(
        lab,
        {
            "02-sail.md": LAB["02-sail.md"].replace("boat sail --now", "boat sail --now --far"),
            "04-wash.md": "# Wash the boat\n\n```bash\nboat wash\n```\n",
            "03-moor.md": None,
            "03-anchor.md": LAB["03-moor.md"].replace("# Moor the boat", "# Anchor the boat"),
        },
    )
    assert run("update", mine, "--source", lab.as_uri(), "--dry-run", "--json") == 0
    report = told(capsys)
    assert (report["commit"], report["written"], report["conflicts"]) == (newer, [], [])
    assert {step["id"]: step["changes"] for step in report["diff"]["steps"] if step["changes"]} == {
        "sail-the-boat": ["changed"],
        "anchor-the-boat": ["renamed", "changed"],
        "wash-the-boat": ["added"],
    }
    assert "--far" not in (mine / "steps" / steps["sail"] / "content.md").read_text()

    assert run("update", mine, "--source", lab.as_uri()) == 0
    merged = read_folder(mine)
    assert merged.manifest.steps == ["rig-the-boat", "sail-the-boat", "anchor-the-boat", "wash-the-boat"]
    assert merged.manifest.title == "Sail our boat"
    assert "# ours" in (mine / "workshop.yaml").read_text()
    text = merged.text("steps/sail-the-boat/content.md") or ""
    assert "boat sail --now --far" in text
    assert "The end, as I see it." in text
    assert merged.text("steps/rig-the-boat/hints.md") == "Look up.\n"
    assert not (mine / "steps" / "moor-the-boat").exists()
    assert merged.manifest.source == WorkshopSource(commit=newer, form=Form.MARKDOWN)

    capsys.readouterr()
    assert run("update", mine, "--source", lab.as_uri()) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_conflict_writes_nothing_until_it_is_decided(lab: Path, mine: Path, capsys: pytest.CaptureFixture[str]):
    page = mine / "steps/sail-the-boat/content.md"
    edit(page, "boat sail --now", "boat sail --slow")
    commit(lab, {"02-sail.md": LAB["02-sail.md"].replace("boat sail --now", "boat sail --fast")})
    before = page.read_text()
    given = ("update", mine, "--source", lab.as_uri())
    assert run(*given, "--json") == update.MUST_CHOOSE
    (conflict,) = told(capsys)["conflicts"]
    assert (conflict["path"], conflict["mine"], conflict["theirs"]) == (
        "steps/sail-the-boat/content.md", "boat sail --slow\n", "boat sail --fast\n",
    )  # fmt: skip
    assert page.read_text() == before
    assert run(*given) == update.MUST_CHOOSE
    assert conflict["id"] in capsys.readouterr().err
    with pytest.raises(BadInputError, match="There is no conflict nosuch"):
        run(*given, "--take", "nosuch=mine")
    assert page.read_text() == before

    assert run(*given, "--markers") == 0
    marked = page.read_text()
    assert "<<<<<<< mine\nboat sail --slow\n=======\nboat sail --fast\n>>>>>>> " in marked
    page.write_text(before)
    git(mine.parent, "init", "-q")
    # The workshop is at the newer commit now; told that it was made from the first, it asks again.
    first = git(lab, "rev-parse", "HEAD~1")
    assert run(*given, "--base", first, "--take", f"{conflict['id']}=both") == 0
    assert "boat sail --slow\nboat sail --fast\n" in page.read_text()


@pytest.mark.parametrize(("side", "line"), [("mine", "--slow"), ("theirs", "--fast")])
def test_one_side_for_all(lab: Path, mine: Path, side: str, line: str):
    page = mine / "steps/sail-the-boat/content.md"
    edit(page, "boat sail --now", "boat sail --slow")
    edit(mine / "workshop.yaml", "title: Sail a boat", "title: Mine")
    files = {"02-sail.md": LAB["02-sail.md"].replace("boat sail --now", "boat sail --fast"), "README.md": "# Theirs\n\nA lab.\n"}
    commit(lab, files)
    assert run("update", mine, "--source", lab.as_uri(), "--take", side) == 0
    assert f"boat sail {line}\n" in page.read_text()
    assert read_folder(mine).manifest.title == side.title()


def test_a_newer_layout_on_a_branch_a_tag_or_a_commit(lab: Path, mine: Path, capsys: pytest.CaptureFixture[str]):
    first = git(lab, "rev-parse", "HEAD")
    git(lab, "tag", "v1")
    git(lab, "checkout", "-q", "-b", "nested")
    moved = {f"labs/{name}": text for name, text in LAB.items() if name != "README.md"}
    nested = commit(
        lab,
        {
            **moved,
            **dict.fromkeys((name for name in LAB if name != "README.md"), None),
            "labs/04-dry.md": "# Dry\n\n```bash\nboat dry\n```\n",
        },
    )
    git(lab, "checkout", "-q", "main")
    for old in ("v1", "main", first, first[:10]):
        for new in ("nested", nested):
            assert run("diff", lab.as_uri(), "--ref", old, "--to", new, "--json") == diff.DIFFERENT
            steps = told(capsys)["steps"]
            assert [(step["id"], step["changes"]) for step in steps] == [
                ("rig-the-boat", []), ("sail-the-boat", []), ("moor-the-boat", []), ("dry", ["added"]),
            ]  # fmt: skip
    assert run("diff", lab.as_uri(), "--ref", "v1", "--to", "main") == 0
    assert "No differences" in capsys.readouterr().out
    assert run("diff", mine, lab.as_uri(), "--to", "nested", "--brief") == diff.DIFFERENT
    assert "Steps: 1 added, 3 as before." in capsys.readouterr().out
    assert run("update", mine, "--source", lab.as_uri(), "--ref", "nested") == 0
    made = read_folder(mine).manifest
    assert made.source == WorkshopSource(ref="nested", commit=nested, path="", form=Form.MARKDOWN)
    assert made.steps[-1] == "dry"
    with pytest.raises(UnknownRefError, match="nested"):
        run("diff", lab.as_uri(), "--ref", "v1", "--to", "nestd")
    with pytest.raises(BadInputError, match="nothing to compare"):
        run("diff", lab.as_uri())


def test_an_origin_that_is_not_recorded_has_to_be_named(mine: Path, lab: Path):
    service = ConverterService(ConverterSettings())
    with pytest.raises(NoOriginError, match="--source"):
        read_newer(service, read_folder(mine).manifest)
    with pytest.raises(NoOriginError, match="--base"):
        read_newer(service, make_workshop().manifest, source=lab.as_uri())


@pytest.mark.parametrize("address", ["/etc", "file:///etc", "~", ".", "ext::sh -c id", "--upload-pack=id"])
def test_a_manifest_names_no_files_of_this_machine(address: str):
    recorded = WorkshopSource(repository=address, commit="1" * 40)
    with pytest.raises(SourceError):
        read_newer(ConverterService(ConverterSettings()), with_origin(make_workshop(), "tiny", recorded).manifest)


def test_a_commit_is_followed_by_the_default_branch():
    commit_id = "ab" * 20
    assert following(WorkshopSource(ref="main", commit=commit_id)) == "main"
    assert following(WorkshopSource(ref="v1", commit=commit_id)) == "v1"
    assert [following(WorkshopSource(ref=ref, commit=commit_id)) for ref in (None, commit_id, commit_id[:7])] == [None] * 3


def test_the_recorded_repository_is_asked_by_itself(lab: Path, tmp_path: Path, git_server: Callable[[Path], str]):
    address = git_server(lab)
    given = address.replace("http://", "http://ada:secret@")
    assert run("convert", given, "--ref", "main", "--out", tmp_path / "mine") == 0
    manifest = tmp_path / "mine" / "workshop.yaml"
    assert "secret" not in manifest.read_text()
    edit(manifest, "title: Sail a boat", "title: Mine")
    first = read_folder(tmp_path / "mine").manifest.source
    newer = commit(lab, {"04-dry.md": "# Dry\n\n```bash\nboat dry\n```\n"})
    assert run("update", tmp_path / "mine") == 0
    made = read_folder(tmp_path / "mine").manifest
    assert made.source == first.model_copy(update={"commit": newer})  # type: ignore[union-attr]
    assert made.source is not None
    assert (made.source.repository, made.source.ref) == (address, "main")
    assert (made.title, made.steps[-1]) == ("Mine", "dry")


def test_a_reading_that_is_not_recorded_is_asked_for(lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pages = {name: text for name, text in LAB.items() if name != "README.md"}
    two = tmp_path / "two"
    first = commit(two, {f"{part}/{name}": text for part in ("alpha", "beta") for name, text in pages.items()})
    assert run("convert", two.as_uri(), "--path", "beta", "--out", tmp_path / "mine") == 0
    manifest = tmp_path / "mine" / "workshop.yaml"
    before, _, after = manifest.read_text().partition("source:\n")
    manifest.write_text(before + after[after.index("steps:") :])
    commit(two, {"beta/04-dry.md": "# Dry\n\n```bash\nboat dry\n```\n"})
    given = ("update", tmp_path / "mine", "--source", two.as_uri(), "--base", first)
    assert run(*given) == update.MUST_CHOOSE
    assert "--path" in capsys.readouterr().err
    assert run(*given, "--path", "beta", "--as", "markdown") == 0
    made = read_folder(tmp_path / "mine").manifest
    assert made.steps[-1] == "dry"
    assert made.source is not None
    assert (made.source.form, made.source.path) == (Form.MARKDOWN, "beta")
