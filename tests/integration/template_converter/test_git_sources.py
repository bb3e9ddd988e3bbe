"""Git sources with real git: what is read, what is left out, and that nothing of a repository runs."""

import os
import subprocess
from pathlib import Path

import pytest

from agents.template_converter import objects
from agents.template_converter.checkout import checkout
from agents.template_converter.errors import HostileSourceError, SourceTooLargeError, UnknownRefError, UnreachableSourceError
from agents.template_converter.git import Deadline
from agents.template_converter.refs import clone
from agents.template_converter.service import silent
from agents.template_converter.settings import ConverterSettings

SETTINGS = ConverterSettings()
WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@a", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@a"}


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **WHO}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "README.md").write_bytes(b"# One\r\n")
    commit(folder, "one")
    return folder


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def read(source: str, ref: str | None = None, settings: ConverterSettings = SETTINGS):
    with checkout(source, ref, settings, silent) as out:
        return out.tree.commit, {path: out.tree.read_bytes(path) for path in out.tree.files}, out.tree.absent


def test_branches_tags_and_commits(repository):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "-a", "v1", "-m", "x")
    git(repository, "checkout", "-q", "-b", "next/lab")
    (repository / "README.md").write_text("# Two\n")
    second = commit(repository, "two")
    address = repository.as_uri()
    assert read(address)[0] == second
    for ref in ("main", "v1", first, first[:10]):
        assert read(address, ref)[:2] == (first, {"README.md": b"# One\r\n"})
    assert read(address, "next/lab")[0] == second
    with pytest.raises(UnknownRefError, match="`next/lab`"):
        read(address, "next/lap")
    with pytest.raises(HostileSourceError):
        read(address, "--exec=touch x")


def test_a_work_tree_is_read_from_disk_with_its_commit(repository):
    head = git(repository, "rev-parse", "HEAD")
    (repository / "new.md").write_text("not committed")
    (repository / "out").symlink_to("/etc")
    (repository / "docs").mkdir()
    (repository / "docs" / "a.md").write_text("a")
    found, files, absent = read(str(repository))
    assert found == head
    assert set(files) == {"README.md", "new.md", "docs/a.md"}
    assert "symbolic link" in absent["out"]
    assert read(str(repository / "docs"))[:2] == (head, {"a.md": b"a"})
    assert set(read(str(repository), "main")[1]) == {"README.md"}


def test_a_plain_folder_and_an_empty_repository(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.md").write_text("a")
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    assert read(str(tmp_path / "empty"))[:2] == (None, {})
    with pytest.raises(UnknownRefError, match="no commits"):
        read((tmp_path / "empty").as_uri())


def test_nothing_of_a_repository_runs(repository, tmp_path):
    marker = tmp_path / "marker"
    (repository / ".gitattributes").write_text("* filter=evil diff=evil eol=crlf ident\n*.md filter=lfs\n")
    (repository / "README.md").write_text("# One $Id$\n")
    commit(repository, "attributes")
    for name in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "pre-receive", "update"):
        hook = repository / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    for key in (
        "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "core.fsmonitor", "core.sshCommand", "core.pager", "diff.evil.textconv",
        "core.gitProxy", "uploadpack.packObjectsHook", "credential.helper", "core.alternateRefsCommand", "filter.lfs.smudge",
    ):  # fmt: skip
        git(repository, "config", key, f"touch {marker}; cat")
    git(repository, "config", "extensions.partialClone", "origin")
    git(repository, "config", "remote.origin.url", f"ext::touch {marker}")
    git(repository, "config", "remote.origin.promisor", "true")
    (repository / ".git" / "objects" / "info").mkdir(exist_ok=True)
    for source, ref in (
        (repository.as_uri(), None),
        (str(repository), None),
        (str(repository), "main"),
        (str(repository / ".git"), None),
    ):
        _, files, _ = read(source, ref)
        assert files["README.md"] == b"# One $Id$\n"
    assert not marker.exists()


def test_symlinks_submodules_pointers_and_odd_names_are_named_and_the_rest_is_kept(repository):
    (repository / "link.md").symlink_to("../../etc/passwd")
    (repository / "big.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    (repository / "node_modules").mkdir()
    (repository / "node_modules" / "a.md").write_text("x")
    (repository / "a\nb'\".md").write_text("x")
    (repository / 'quote"d.md').write_text("x")
    Path(os.fsdecode(os.fsencode(repository) + b"/lat\xefn.md")).write_text("x")
    git(repository, "add", "-A")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(repository, "commit", "-q", "-m", "x")
    _, files, absent = read(repository.as_uri())
    assert set(files) == {"README.md", 'quote"d.md', "latïn.md"}
    assert {path: why.split(",")[0] for path, why in absent.items()} == {
        "link.md": "it is a symbolic link",
        "big.bin": "it is a Git LFS pointer; the file itself is not in the repository",
        "a?b'\".md": "its name holds control characters or a backslash",
        "sub": "it is a submodule",
    }


def test_a_link_to_a_file_of_the_commit_is_a_copy_of_it(repository):
    (repository / "commons").mkdir()
    (repository / "commons" / "setup.sh").write_text("true\n")
    (repository / "lab").mkdir()
    for name, target in (
        ("setup.sh", "../commons/setup.sh"), ("again.sh", "setup.sh"), ("folder", "../commons"), ("out", "../../README.md"),
        ("absolute", str(repository / "README.md")), ("itself", "itself"),
    ):  # fmt: skip
        (repository / "lab" / name).symlink_to(target)
    commit(repository, "links")
    _, files, absent = read(repository.as_uri())
    assert {path: data for path, data in files.items() if path.startswith("lab/")} == {"lab/setup.sh": b"true\n"}
    assert set(absent) == {"lab/again.sh", "lab/folder", "lab/out", "lab/absolute", "lab/itself"}


def test_paths_that_leave_the_tree(repository):
    blob = git(repository, "hash-object", "-w", "--stdin", data=b"evil")
    inner = git(repository, "mktree", data=f"100644 blob {blob}\tevil.md\n".encode())
    listing = f"100644 blob {blob}\tok.md\n040000 tree {inner}\t..\n040000 tree {inner}\t.GIT\n"
    tree = git(repository, "mktree", data=listing.encode())
    head = git(repository, "commit-tree", tree, "-m", "x")
    git(repository, "update-ref", "refs/heads/evil", head)
    _, files, absent = read(repository.as_uri(), "evil")
    assert set(files) == {"ok.md"}
    assert set(absent) == {"../evil.md", ".GIT/evil.md"}


def test_a_repository_that_lacks_an_object_is_read_without_it(repository):
    (repository / "gone.png").write_bytes(b"gone")
    commit(repository, "x")
    oid = git(repository, "rev-parse", "HEAD:gone.png")
    (repository / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    _, files, absent = read(repository.as_uri())
    assert set(files) == {"README.md"}
    assert absent == {"gone.png": "the repository lacks the object"}


def test_a_tree_that_unfolds_without_end_is_refused_while_it_is_listed(repository, monkeypatch):
    blob = git(repository, "hash-object", "-w", "--stdin", data=b"x")
    tree = git(repository, "mktree", data="".join(f"100644 blob {blob}\tf{n}\n" for n in range(10)).encode())
    for _ in range(9):
        tree = git(repository, "mktree", data="".join(f"040000 tree {tree}\td{n}\n" for n in range(10)).encode())
    git(repository, "update-ref", "refs/heads/bomb", git(repository, "commit-tree", tree, "-m", "x"))
    with pytest.raises(SourceTooLargeError, match="MAX_FILES"):
        read(repository.as_uri(), "bomb", ConverterSettings(max_files=5000))
    vendored = git(repository, "mktree", data=f"040000 tree {tree}\tnode_modules\n".encode())
    git(repository, "update-ref", "refs/heads/hidden", git(repository, "commit-tree", vendored, "-m", "x"))
    monkeypatch.setattr(objects, "MOST_ENTRIES", 20_000)
    with pytest.raises(HostileSourceError, match="20000 paths"):
        read(repository.as_uri(), "hidden", ConverterSettings(max_files=5000))


def test_a_file_and_a_folder_of_one_name(repository):
    blob = git(repository, "hash-object", "-w", "--stdin", data=b"x")
    inner = git(repository, "mktree", data=f"100644 blob {blob}\tb.md\n".encode())
    raw = b"".join(
        mode + b" " + name + b"\0" + bytes.fromhex(oid)
        for mode, name, oid in ((b"100644", b"a", blob), (b"40000", b"a", inner), (b"100644", b"ok.md", blob))
    )
    made = git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)
    git(repository, "update-ref", "refs/heads/twice", git(repository, "commit-tree", made, "-m", "x"))
    _, files, absent = read(repository.as_uri(), "twice")
    assert set(files) == {"a", "ok.md"}
    assert "same name" in absent["a/b.md"]


def test_names_that_differ_in_case_only_and_the_longest_names(repository):
    for name in ("A.md", "a.md", "x" * 250 + ".md"):
        (repository / name).write_text(name)
    commit(repository, "x")
    _, files, absent = read(repository.as_uri())
    assert {"A.md", "a.md", "x" * 250 + ".md", "README.md"} == set(files)
    assert files["A.md"] != files["a.md"]
    assert not absent


def test_many_files_of_a_commit_keep_their_order_and_bytes(repository):
    for number in range(2500):
        (repository / f"{number}.txt").write_text(f"{number % 7}\n" * (number % 50))
    commit(repository, "x")
    _, files, _ = read(repository.as_uri())
    assert all(files[f"{number}.txt"] == f"{number % 7}\n".encode() * (number % 50) for number in range(2500))


def test_limits(repository):
    for number in range(30):
        (repository / f"{number}.md").write_text("x" * 2000)
    commit(repository, "x")
    for settings, word in (
        (ConverterSettings(max_files=10), "MAX_FILES"),
        (ConverterSettings(max_source_bytes=20_000), "MAX_SOURCE_BYTES"),
    ):
        for source in (repository.as_uri(), str(repository)):
            with pytest.raises(SourceTooLargeError, match=word):
                read(source, settings=settings)
    _, files, absent = read(repository.as_uri(), settings=ConverterSettings(max_file_bytes=1000))
    assert set(files) == {"README.md"}
    assert len(absent) == 30


def test_a_server_is_asked_shallowly_and_answers_for_refs(repository, git_server, tmp_path):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1")
    (repository / "README.md").write_text("# Two\n")
    second = commit(repository, "two")
    seen: list[tuple[int, int | None]] = []
    address = git_server(repository)
    with checkout(address, None, SETTINGS, lambda _stage, done, total, _message: seen.append((done, total))) as out:
        assert out.tree.commit == second
        assert out.source.repository == address
        assert out.tree.read_bytes("README.md") == b"# Two\n"
    assert seen
    assert read(address, "v1")[0] == first
    assert read(address, "main")[0] == second
    assert read(address, first)[0] == first
    assert read(address, first[:8])[0] == first
    with pytest.raises(UnknownRefError, match="`main`"):
        read(address, "mian")
    with pytest.raises(UnknownRefError):
        read(address, "f" * 40)
    shallow = tmp_path / "shallow.git"
    clone(address, None, shallow, deadline=Deadline.after(60), max_bytes=10**8, progress=silent)
    assert git(shallow, "rev-list", "--count", second) == "1"


def test_addresses_that_nobody_answers(git_server, repository, unused_port):
    with pytest.raises(UnreachableSourceError, match="cannot be fetched"):
        read(f"http://127.0.0.1:{unused_port}/a/b.git")
    with pytest.raises(UnreachableSourceError, match="Check the address"):
        read(git_server(repository).replace("repository", "other"))
    with pytest.raises(SourceTooLargeError):
        read(git_server(repository), settings=ConverterSettings(max_seconds=0.001))
