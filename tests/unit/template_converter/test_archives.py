"""Archives that nobody vouches for."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from agents.template_converter.checkout import checkout
from agents.template_converter.errors import BadAddressError, HostileSourceError, SourceTooLargeError
from agents.template_converter.service import silent
from agents.template_converter.settings import ConverterSettings

SMALL = ConverterSettings(max_file_bytes=10_000, max_source_bytes=50_000, max_files=20)


def laid_out(path: Path, settings=SMALL) -> dict[str, bytes]:
    with checkout(str(path), None, settings, silent) as out:
        return {name: out.tree.read_bytes(name) for name in out.tree.files}


def absent(path: Path) -> dict[str, str]:
    with checkout(str(path), None, SMALL, silent) as out:
        return out.tree.absent


def make_zip(path: Path, members: dict[str, bytes], **links: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return path


def make_tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_the_single_top_folder_is_taken_off(tmp_path):
    assert laid_out(make_zip(tmp_path / "a.zip", {"repo-main/README.md": b"x", "repo-main/docs/a.md": b"y"})) == {
        "README.md": b"x",
        "docs/a.md": b"y",
    }
    assert laid_out(make_zip(tmp_path / "b.zip", {"README.md": b"x", "docs/a.md": b"y"})) == {
        "README.md": b"x",
        "docs/a.md": b"y",
    }
    assert laid_out(make_tar(tmp_path / "c.tgz", [(member("t/a.md"), b"x")])) == {"a.md": b"x"}


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil"])
def test_members_that_leave_are_refused(tmp_path, name):
    with pytest.raises(HostileSourceError):
        laid_out(make_tar(tmp_path / "a.tar.gz", [(member("ok.md"), b"x"), (member(name), b"evil")]))
    with pytest.raises(HostileSourceError):
        laid_out(make_zip(tmp_path / "a.zip", {"ok.md": b"x", name: b"evil"}))
    assert not (tmp_path.parent / "evil").exists()


def test_links_and_devices_are_left_out_and_named(tmp_path):
    members = [
        (member("t/ok.md"), b"x"), (member("t/link", tarfile.SYMTYPE, "/etc/passwd"), b""), (member("t/hard", tarfile.LNKTYPE, "/etc/passwd"), b""),
        (member("t/link/inside", ), b"y"), (member("t/pipe", tarfile.FIFOTYPE), b""),
    ]  # fmt: skip
    path = make_tar(tmp_path / "a.tar.gz", members)
    assert laid_out(path) == {"ok.md": b"x", "link/inside": b"y"}
    assert set(absent(path)) == {"link", "hard", "pipe"}
    linked = make_zip(tmp_path / "a.zip", {"ok.md": b"x"}, link="/etc/passwd")
    assert laid_out(linked) == {"ok.md": b"x"}
    assert "link" in absent(linked)["link"]


def test_bombs_stop_while_they_unpack(tmp_path):
    with pytest.raises(SourceTooLargeError, match="MAX_SOURCE_BYTES"):
        laid_out(make_zip(tmp_path / "a.zip", {f"{n}.txt": b"0" * 9_999 for n in range(8)}))
    with pytest.raises(SourceTooLargeError, match="MAX_FILES"):
        laid_out(make_zip(tmp_path / "b.zip", {f"{n}.md": b"x" for n in range(30)}))
    huge = make_zip(tmp_path / "c.zip", {"a.md": b"x", "huge.bin": b"0" * 5_000_000})
    assert laid_out(huge) == {"a.md": b"x"}
    assert "larger" in absent(huge)["huge.bin"]


def test_what_is_no_archive(tmp_path):
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_bytes(b"not an archive")
        with pytest.raises(BadAddressError):
            laid_out(tmp_path / name)
    whole = make_tar(tmp_path / "b.tar.gz", [(member("a.md"), b"x" * 9000)]).read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAddressError):
        laid_out(tmp_path / "c.tar.gz")


def test_vendored_folders_and_odd_names_are_passed_over(tmp_path):
    path = make_tar(
        tmp_path / "a.tar.gz",
        [
            (member("a.md"), b"x"),
            (member("node_modules/x/y.md"), b"x"),
            (member(".git/hooks/pre"), b"x"),
            (member("a\nb.md"), b"x"),
        ],
    )
    assert laid_out(path) == {"a.md": b"x"}
    assert absent(path) == {"a?b.md": "its name holds control characters or a backslash"}
