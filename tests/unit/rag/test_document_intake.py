"""What comes out of posted files: archives unpacked within limits, nothing outside them, ids that stay."""

import io
import re
import stat
import tarfile
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.rag.documents.intake import Limits, Posted, ids_of, unpacked
from shared_services.contracts.base import SLUG_PATTERN
from shared_services.kit.errors import BadInputError, TooLargeError


def make_zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, raw in files.items():
            archive.writestr(path, raw)
    return out.getvalue()


def make_tar(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, raw in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(raw)
            archive.addfile(entry, io.BytesIO(raw))
        for entry in more:
            archive.addfile(entry)
    return out.getvalue()


def names(*files: Posted, limits: Limits | None = None) -> tuple[list[str], list[str]]:
    taken, refused = unpacked(files, limits or Limits())
    return [file.path for file in taken], [row.file for row in refused]


@pytest.mark.parametrize(("name", "make"), [("a.zip", make_zip), ("a.tar.gz", make_tar), ("A.TGZ", make_tar)])
def test_archives(name: str, make) -> None:
    files = {"b/two.md": b"two", "./one.md": b"one", ".git/config": b"x", "b/.hidden.md": b"x", "__MACOSX/one.md": b"x"}
    taken, refused = unpacked([Posted(name, make(files)), Posted("three.md", b"three")])
    assert [(file.path, file.raw) for file in taken] == [("b/two.md", b"two"), ("one.md", b"one"), ("three.md", b"three")]
    assert refused == []


@pytest.mark.parametrize(("name", "make"), [("a.zip", make_zip), ("a.tar.gz", make_tar)])
def test_nothing_leads_out_of_an_archive(name: str, make) -> None:
    hostile = ["../up.md", "a/../../up.md", "/etc/abs.md", "a//b.md", "a/./b.md", "x\\..\\y.md"]
    taken, refused = names(Posted(name, make({**dict.fromkeys(hostile, b"x"), "fine.md": b"x"})))
    assert taken == ["fine.md"]
    assert len(refused) == len(hostile)


def test_a_posted_name_is_a_path_too() -> None:
    assert names(Posted("../up.md", b"x"), Posted("", b"x"), Posted("/abs.md", b"x"), Posted("d/ok.md", b"x")) == (
        ["d/ok.md"],
        ["../up.md", "", "/abs.md"],
    )


def test_links_and_special_files_are_refused() -> None:
    entries = []
    for path, kind, target in (
        ("soft.md", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard.md", tarfile.LNKTYPE, "fine.md"),
        ("pipe.md", tarfile.FIFOTYPE, ""),
        ("device.md", tarfile.CHRTYPE, ""),
    ):
        entry = tarfile.TarInfo(path)
        entry.type, entry.linkname = kind, target
        entries.append(entry)
    taken, refused = names(Posted("a.tgz", make_tar({"fine.md": b"x"}, *entries)))
    assert (taken, refused) == (["fine.md"], ["soft.md", "hard.md", "pipe.md", "device.md"])

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("soft.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("fine.md", "x")
    assert names(Posted("a.zip", out.getvalue())) == (["fine.md"], ["soft.md"])


@pytest.mark.parametrize(("name", "make"), [("a.zip", make_zip), ("a.tar.gz", make_tar)])
def test_bombs_are_refused_before_they_are_unpacked(name: str, make) -> None:
    small = Limits(files=5, unpacked=1_000_000)
    bomb = make({f"{number}.md": bytes(400_000) for number in range(4)})
    assert len(bomb) < 50_000
    with pytest.raises(TooLargeError, match="Post it in parts"):
        unpacked([Posted(name, bomb)], small)
    with pytest.raises(TooLargeError):
        unpacked([Posted(name, make({"hidden/.x": b"", **{f"{n}.md": b"x" for n in range(6)}}))], small)
    with pytest.raises(TooLargeError):
        unpacked([Posted(name, make({f".{n}": b"" for n in range(20)}))], small)


def test_one_large_member_is_refused_alone() -> None:
    large = bytes(21 * 1024 * 1024)
    for name, make in (("a.zip", make_zip), ("a.tgz", make_tar)):
        assert names(Posted(name, make({"large.md": large, "fine.md": b"x"}))) == (["fine.md"], ["large.md"])


def test_a_bomb_in_a_header_is_refused() -> None:
    raw = io.BytesIO()
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 50_000_000
    raw.write(entry.tobuf(tarfile.GNU_FORMAT))
    raw.write(bytes(50_000_000))
    import gzip

    with pytest.raises(TooLargeError):
        unpacked([Posted("a.tgz", gzip.compress(raw.getvalue()))], Limits(unpacked=1_000_000))


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_damaged_archives(name: str) -> None:
    whole = (make_zip if name == "a.zip" else make_tar)({f"{n}.md": bytes(range(256)) * 40 for n in range(20)})
    for raw in (b"", b"junk" * 100, whole[: len(whole) // 2], whole[:-30], b"\x1f\x8b" + bytes(100), whole[:100] + b"x" * 500):
        with pytest.raises(BadInputError, match="damaged"):
            unpacked([Posted(name, raw)])


def test_an_encrypted_member_is_refused() -> None:
    raw = bytearray(make_zip({"a.md": b"text"}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + at] |= 1
    assert names(Posted("a.zip", bytes(raw))) == ([], ["a.md"])


def test_a_path_comes_once() -> None:
    with pytest.raises(BadInputError, match="comes twice"):
        unpacked([Posted("a.md", b"x"), Posted("./a.md", b"y")])


def test_ids() -> None:
    assert ids_of(["docs/Getting Started.md", "a.md", "b/a.rst"], {}) == {
        "docs/Getting Started.md": "docs-getting-started",
        "a.md": "a",
        "b/a.rst": "b-a",
    }
    clash = ids_of(["a b.md", "a-b.md", "a.b.rst"], {})
    assert len(set(clash.values())) == 3
    assert all(value.startswith("a-b-") for value in clash.values())
    assert ids_of(["a.b.rst", "a b.md", "a-b.md"], {}) == clash
    kept = ids_of(["a b.md", "a-b.md"], {"a b.md": "a-b"})
    assert kept["a b.md"] == "a-b"
    assert kept["a-b.md"] == clash["a-b.md"]
    assert ids_of(["a-b.md"], clash)["a-b.md"] == clash["a-b.md"]


@example(["."])
@example(["a/.", "/", "..", ".md", "a.md/b"])
@given(st.lists(st.text(min_size=1, max_size=100), max_size=20))
def test_ids_are_ids_and_differ(paths: list[str]) -> None:
    ids = ids_of(paths, {})
    assert len(set(ids.values())) == len(set(paths))
    assert all(re.fullmatch(SLUG_PATTERN, value) for value in ids.values())
    assert ids_of(reversed(paths), {}) == ids
