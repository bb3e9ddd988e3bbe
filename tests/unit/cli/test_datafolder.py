"""The data folder: one holder, a known format, and sentences for what goes wrong."""

import errno
import json
import os
from pathlib import Path

import pytest

from shared_services.kit.errors import NewerDataError, StorageFullError
from workshop_cli.datafolder import DataFolderError, DataHeldError, Holder, hold, holder_of, storage_error


def test_nobody_holds_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert holder_of(tmp_path / "data") is None


def test_a_holder_is_seen_with_its_address_and_gone_afterwards(tmp_path: Path) -> None:
    with hold(tmp_path / "deep" / "data", "up") as folder:
        assert holder_of(folder.root) == Holder(pid=os.getpid(), command="up")
        folder.announce(Holder(pid=os.getpid(), command="up", url="http://127.0.0.1:1"))
        found = holder_of(folder.root)
        assert found is not None
        assert found.url == "http://127.0.0.1:1"
    assert holder_of(folder.root) is None
    assert {path.name for path in folder.root.iterdir()} == {"lock", "format.json"}


def test_what_a_killed_holder_left_behind_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "holder.json").write_text(json.dumps({"pid": 1, "command": "up", "url": "http://127.0.0.1:1"}))
    assert holder_of(tmp_path) is None
    with hold(tmp_path, "list"):
        pass


def test_a_second_holder_is_refused_by_name(tmp_path: Path) -> None:
    with (
        hold(tmp_path, "publish"),
        pytest.raises(DataHeldError, match=rf"process {os.getpid()} \(workshop publish\)"),
        hold(tmp_path, "up"),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', "[]", "7"])
def test_an_unreadable_note_of_the_holder_is_no_error(tmp_path: Path, text: str) -> None:
    with hold(tmp_path, "up"):
        (tmp_path / "holder.json").write_text(text)
        found = holder_of(tmp_path)
        assert found is not None
        assert (found.who, found.url) == ("another process", None)


def test_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text('{"format": 2}')
    with pytest.raises(NewerDataError, match="format 2, this one knows 1"), hold(tmp_path, "up"):
        pass
    assert (tmp_path / "format.json").read_text() == '{"format": 2}'


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format": "new"}', b'{"format": null}', b"\xff\xfe"])
def test_a_damaged_format_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "format.json").write_bytes(data)
    with pytest.raises(DataFolderError, match="damaged"), hold(tmp_path, "up"):
        pass


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DataFolderError, match="--data"), hold(tmp_path / "data", "up"):
        pass


def test_a_path_that_would_cut_a_database_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="'\\?'"), hold(tmp_path / "is it?", "up"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_disk_become_sentences(tmp_path: Path) -> None:
    assert isinstance(storage_error(tmp_path, OSError(errno.ENOSPC, "No space left on device")), StorageFullError)
    assert isinstance(storage_error(tmp_path, OSError(errno.EDQUOT, "Disk quota exceeded")), StorageFullError)
    refused = storage_error(tmp_path, PermissionError(errno.EACCES, "Permission denied", "/x/lock"))
    assert isinstance(refused, DataFolderError)
    assert "Permission denied (/x/lock)" in refused.detail
