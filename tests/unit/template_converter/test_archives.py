"""Archives that nobody vouches for."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from agents.template_converter.checkout import checkout
from agents.template_converter.errors import BadAddressError, HostileSourceError, SourceError, SourceTooLargeError
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


def test_a_file_and_a_folder_of_one_name_do_not_stop_the_rest(tmp_path):
    path = make_tar(tmp_path / "a.tar.gz", [(member("ok.md"), b"x"), (member("a"), b"x"), (member("a/b.md"), b"y")])
    assert laid_out(path) == {"ok.md": b"x", "a": b"x"}
    assert "same name" in absent(path)["a/b.md"]
    other = make_zip(tmp_path / "b.zip", {"ok.md": b"x", "a/b.md": b"y", "a": b"x"})
    assert laid_out(other) == {"ok.md": b"x", "a/b.md": b"y"}


def test_names_that_differ_in_case_only_are_two_files_and_the_last_of_the_same_name_counts(tmp_path):
    path = make_tar(tmp_path / "a.tar.gz", [(member("A.md"), b"1"), (member("a.md"), b"2"), (member("a.md"), b"3")])
    assert laid_out(path) == {"A.md": b"1", "a.md": b"3"}


def test_a_file_that_came_before_its_larger_namesake_is_gone(tmp_path):
    path = make_tar(tmp_path / "a.tar.gz", [(member("ok.md"), b"x"), (member("a.bin"), b"1"), (member("a.bin"), b"0" * 20_000)])
    assert laid_out(path) == {"ok.md": b"x"}
    assert "larger" in absent(path)["a.bin"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_that_would_be_read_whole_are_refused(tmp_path, kind):
    path = make_tar(tmp_path / "a.tar.gz", [(member("a.md"), b"x"), (member("long", kind), b"0" * 3_000_000)])
    with pytest.raises(HostileSourceError, match="header of 2 MiB"):
        laid_out(path)


def test_what_is_passed_over_in_a_compressed_stream_counts_too(tmp_path):
    path = make_tar(tmp_path / "a.tar.gz", [(member("a.md"), b"x")] + [(member("big.bin"), b"0" * 6_000_000)] * 4)
    with pytest.raises(SourceTooLargeError, match="left out"):
        laid_out(path)


def test_a_bomb_inside_a_bomb_is_a_file(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", {"huge.txt": b"0" * 5_000_000}).read_bytes()
    assert laid_out(make_zip(tmp_path / "a.zip", {"ok.md": b"x", "inner.zip": inner}))["inner.zip"] == inner


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_anywhere_is_answered(tmp_path, method):
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", method) as archive:
        archive.writestr("a.md", bytes(range(256)) * 30)
        archive.writestr("b/c.md", b"x" * 5000)
    raw = whole.read_bytes()
    for at in range(0, len(raw), max(1, len(raw) // 150)):
        (tmp_path / "a.zip").write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :])
        try:
            found = laid_out(tmp_path / "a.zip")
        except SourceError:
            continue
        assert all(not name.startswith(("/", "..")) for name in found)


def test_pages_of_a_size_that_no_page_has_are_left_out(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.md": b"x", "huge.md": b"[" * 3000, "data.txt": b"[" * 3000})
    settings = ConverterSettings(max_page_bytes=2048)
    assert set(laid_out(path, settings)) == {"a.md", "data.txt"}
    with checkout(str(path), None, settings, silent) as out:
        assert out.tree.absent == {"huge.md": "it is a page of more than 2 KiB (CONVERTER_MAX_PAGE_BYTES)"}


def test_pointers_to_large_files_are_told(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    path = make_zip(tmp_path / "a.zip", {"a.md": b"x", "p.png": pointer})
    assert laid_out(path) == {"a.md": b"x"}
    assert "pointer" in absent(path)["p.png"]
