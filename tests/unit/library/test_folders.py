"""A folder is changed file by file: nothing else in it is touched, and it is valid at every moment."""

from pathlib import Path

import pytest

from shared_services.library import folders
from shared_services.library.folders import FolderRefusedError, change_folder
from shared_services.library.form import read_folder
from tests.unit.library.test_merging import BASE, added, edited, without


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, data in BASE.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "NOTES.txt").write_text("mine\n")
    return tmp_path


NEW = added(without(edited(BASE, "build", "run build", "run build -v"), "tidy"), "check", "get")


def test_what_differs_is_written_and_everything_else_stays(folder: Path):
    (folder / "steps/build/content.md").chmod(0o640)
    untouched = (folder / "steps/get/content.md").stat()
    before = read_folder(folder).files
    changed = change_folder(folder, before, NEW.files | {"NOTES.txt": b"mine\n"})
    assert "steps/check/content.md" in changed
    assert "steps/get/content.md" not in changed
    assert {path: data for path, data in read_folder(folder).files.items() if path != "NOTES.txt"} == NEW.files
    assert (folder / "steps/get/content.md").stat().st_mtime_ns == untouched.st_mtime_ns
    assert (folder / "steps/build/content.md").stat().st_mode & 0o777 == 0o640
    assert (folder / ".git/HEAD").exists()
    assert not (folder / "steps/tidy").exists()
    assert not [path for path in folder.rglob(".*") if path.name not in (".git",)]


def test_stopped_anywhere_the_folder_is_valid_and_the_rest_can_be_done(folder: Path, monkeypatch: pytest.MonkeyPatch):
    real = folders._write
    for _ in range(3):
        left = 1

        def counting(target: Path, data: bytes) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            real(target, data)

        before = read_folder(folder).files
        monkeypatch.setattr(folders, "_write", counting)
        with pytest.raises(KeyboardInterrupt):
            change_folder(folder, before, NEW.files)
        assert read_folder(folder).manifest.steps in (BASE.manifest.steps, NEW.manifest.steps)
    monkeypatch.setattr(folders, "_write", real)
    change_folder(folder, read_folder(folder).files, NEW.files)
    assert {path: data for path, data in read_folder(folder).files.items() if path != "NOTES.txt"} == NEW.files


def test_a_link_is_never_written_through(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    away = tmp_path_factory.mktemp("away")
    before = read_folder(folder).files
    (folder / "steps/build").rename(away / "build")
    (folder / "steps/build").symlink_to(away / "build")
    with pytest.raises(FolderRefusedError, match="symbolic link"):
        change_folder(folder, before, NEW.files)
    assert (away / "build/content.md").read_bytes() == BASE.files["steps/build/content.md"]
    assert (folder / "steps/tidy").exists()


def test_a_file_that_is_none_of_the_workshops_is_not_overwritten(folder: Path):
    before = {path: data for path, data in read_folder(folder).files.items() if path != "NOTES.txt"}
    with pytest.raises(FolderRefusedError, match=r"NOTES\.txt is in the way"):
        change_folder(folder, before, NEW.files | {"NOTES.txt": b"theirs\n"})
    assert (folder / "NOTES.txt").read_text() == "mine\n"
