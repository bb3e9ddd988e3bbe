"""A folder is a valid workshop or every reason against it is named, with its file."""

import io
import tarfile
from pathlib import Path

import pytest

from shared_services.contracts.workshop import SourceMap, WorkshopManifest
from shared_services.kit.errors import TooLargeError
from shared_services.library import archive
from shared_services.library.form import (
    InvalidWorkshopError,
    manifest_yaml,
    parse_yaml,
    read_folder,
    source_place,
    validate_files,
)
from tests.workshops import make_files


def findings(files: dict[str, bytes]) -> str:
    with pytest.raises(InvalidWorkshopError) as caught:
        validate_files(files)
    return caught.value.detail


def test_every_reason_is_named_at_once():
    files = make_files()
    del files["steps/first/content.md"]
    files["steps/second/step.yaml"] = b"titel: typo\n"
    said = findings(files)
    assert "steps/first/content.md is missing" in said
    assert "steps/second/step.yaml: titel" in said


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("workshop.yaml", b"- a list", "must hold a mapping"),
        ("workshop.yaml", b"a: [1", "is not YAML"),
        ("workshop.yaml", b"\xff\xff", "is not YAML"),
        ("workshop.yaml", b"a: &a [1]\nb: [*a, *a]\n", "aliases"),
        ("workshop.yaml", b"!!python/object/apply:os.system ['true']", "is not YAML"),
        ("steps/first/content.md", b"\xff", "is not UTF-8"),
        ("steps/first/source-map.json", b"{}", "is not a source map"),
        ("steps/first/step.yaml", b"title: x\ncheck: {script: check.sh}\n", "names the check check.sh"),
        ("steps/first/step.yaml", b"title: x\ncheck: {script: ../../../etc/passwd}\n", "stays inside"),
    ],
)
def test_each_kind_of_damage_has_its_sentence(path: str, content: bytes, expected: str):
    assert expected in findings(make_files() | {path: content})


def test_a_billion_laughs_is_refused_without_being_read_out():
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(9)
    )
    with pytest.raises(InvalidWorkshopError, match="aliases"):
        parse_yaml(bomb, "workshop.yaml")


def test_a_path_that_leaves_the_workshop_is_refused():
    assert "not a path inside" in findings(make_files() | {"../outside": b""})


def test_links_and_hidden_files_are_left_out(tmp_path: Path):
    for path, content in make_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    assert read_folder(tmp_path).files == make_files()


def test_an_archive_gives_the_files_back():
    files = make_files() | {"assets/x.bin": bytes(range(256))}
    assert archive.unpack(archive.pack(files)).files == files
    assert archive.pack(files) == archive.pack(dict(reversed(files.items())))


@pytest.mark.parametrize("junk", [b"", b"not an archive", b"\x1f\x8b" + bytes(20)])
def test_junk_is_not_an_archive(junk: bytes):
    with pytest.raises(InvalidWorkshopError):
        archive.unpack(junk)


def test_links_in_an_archive_are_refused():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        link = tarfile.TarInfo("workshop.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(InvalidWorkshopError, match="link"):
        archive.unpack(buffer.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("zeros")
        entry.size = 60 * 1024 * 1024
        tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    with pytest.raises(TooLargeError, match="zeros"):
        archive.unpack(buffer.getvalue())


def test_a_manifest_survives_its_yaml():
    manifest = WorkshopManifest(slug="a", title="Ä: title", steps=["one"], duration="1h 30m", tags=["java"])
    assert manifest.duration == 90
    assert WorkshopManifest.model_validate(parse_yaml(manifest_yaml(manifest), "workshop.yaml")) == manifest


def test_a_line_is_found_in_the_authors_file():
    source = SourceMap(file="docs/a.adoc", runs=[(1, "docs/a.adoc", 0), (3, "docs/a.adoc", 10), (6, "docs/part.adoc", 2)])
    files = {"steps/a/source-map.json": source.model_dump_json().encode()}
    places = {line: source_place(files, "steps/a/content.md", line) for line in (1, 3, 5, 6, 8)}
    assert {line: (place.file, place.line) for line, place in places.items()} == {
        1: ("docs/a.adoc", 1),
        3: ("docs/a.adoc", 10),
        5: ("docs/a.adoc", 12),
        6: ("docs/part.adoc", 2),
        8: ("docs/part.adoc", 4),
    }
    assert source_place({}, "steps/b/content.md", 7).line == 7
