"""Finding the commit that a ref names, here or on a server; a name that is not there is answered with similar ones."""

import difflib
import re
from pathlib import Path

from agents.template_converter import git
from agents.template_converter.errors import HostileSourceError, UnknownRefError, UnreachableSourceError
from agents.template_converter.sources import redact

_COMMIT = re.compile(r"^[0-9a-f]{7,64}$")
_FULL_COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_REF = re.compile(r"^(?!-)(?!.*(?:\.\.|@\{|//))[^\s\x00-\x1f\x7f~^:?*\[\\]+$")


def checked_ref(ref: str) -> str:
    """`ref` when it can be the name of a branch, tag or commit.

    Raises:
        HostileSourceError: It could be taken for an option or an expression.
    """
    if not _REF.match(ref):
        raise HostileSourceError(f"`{ref}` cannot be the name of a branch, a tag or a commit.")
    return ref


def local_commit(git_dir: Path, ref: str | None, deadline: git.Deadline) -> str:
    """The commit of `ref` (HEAD when None) in a git directory.

    Raises:
        UnknownRefError: No such ref, or nothing committed yet.
    """
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/remotes/origin/{ref}", checked_ref(ref)] if ref else ["HEAD"]
    for name in names:
        done = git.run(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"], git_dir=git_dir, deadline=deadline
        )
        if done.returncode == 0:
            return done.stdout.decode("ascii").strip()
    refs = _names(git.run(["for-each-ref", "--format=x %(refname)"], git_dir=git_dir, deadline=deadline).stdout)
    if ref is None and not refs:
        raise UnknownRefError("The repository has no commits yet.")
    raise _unknown(ref or "HEAD", refs)


def clone(address: str, ref: str | None, git_dir: Path, *, deadline: git.Deadline, max_bytes: int, progress: git.Progress) -> str:
    """Fetch one commit of a remote repository into a new bare `git_dir`, as shallow as the server allows; returns the commit.

    Raises:
        UnreachableSourceError: The server does not answer, or not to us.
        UnknownRefError: The repository has no such ref.
    """
    waiting = f"Asking {redact(address)}"

    def wait() -> None:
        progress("checkout", 0, None, waiting)

    wait()
    asked = git.run(["ls-remote", "--", address], git_dir=None, deadline=deadline, protocols=git.REMOTE_PROTOCOLS, meanwhile=wait)
    if asked.returncode:
        raise _unreachable(address, asked.stderr.decode("utf-8", "replace"))
    wanted, by_id = _wanted(ref, asked.stdout)
    git.run(["init", "--quiet", "--bare", "--template=", "--", str(git_dir)], git_dir=None, deadline=deadline)

    def fetch(*arguments: str) -> tuple[int, str]:
        return git.fetch(
            ["fetch", "--progress", "--no-tags", "--no-recurse-submodules", *arguments],
            git_dir=git_dir, deadline=deadline, max_bytes=max_bytes, progress=progress, waiting=waiting,
        )  # fmt: skip

    shallow = not by_id or bool(_FULL_COMMIT.match(wanted))
    status, said = fetch("--depth=1", "--", address, wanted) if shallow else (1, "")
    if status and by_id:
        status, said = fetch("--", address, "+refs/*:refs/remotes/origin/*")
        if not status:
            return local_commit(git_dir, wanted, deadline)
    elif status:
        status, said = fetch("--", address, wanted)
    if status:
        raise _unreachable(address, said)
    return _fetched(git_dir, deadline)


def _wanted(ref: str | None, listing: bytes) -> tuple[str, bool]:
    """What to fetch, and whether it is a commit's id that the server does not list as a name."""
    remote = {line.partition("\t")[2] for line in listing.decode("utf-8", "replace").splitlines()}
    if ref is None:
        if "HEAD" not in remote:
            raise UnknownRefError("The repository has no default branch or no commits; name one with --ref.")
        return "HEAD", False
    for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref):
        if name in remote:
            return name, False
    if _COMMIT.match(checked_ref(ref)):
        return ref, True
    raise _unknown(ref, _names(listing))


def _names(listing: bytes) -> list[str]:
    rows = (line.split(None, 1)[1] for line in listing.decode("utf-8", "replace").splitlines() if len(line.split(None, 1)) == 2)
    kept = (re.sub(r"^refs/(heads|tags|remotes/origin)/", "", row) for row in rows if not row.endswith("^{}"))
    return sorted({name for name in kept if not name.startswith("refs/") and name != "HEAD"})


def _unknown(ref: str, names: list[str]) -> UnknownRefError:
    near = difflib.get_close_matches(ref, names, n=5, cutoff=0.4) or names[:5]
    listed = ", ".join(f"`{name}`" for name in near)
    return UnknownRefError(
        f"There is no `{ref}` in this repository. " + (f"It has {listed}." if near else "It has no branches."), near=near
    )


def _unreachable(address: str, said: str) -> UnreachableSourceError:
    lines = [
        line for line in said.replace(address, redact(address)).splitlines() if line.startswith(("fatal:", "error:", "ssh:"))
    ]
    reason = (
        (lines[-1] if lines else said.strip().splitlines()[-1] if said.strip() else "git gave no reason")
        .removeprefix("fatal: ")
        .rstrip(".")
    )
    return UnreachableSourceError(
        f"`{redact(address)}` cannot be fetched: {reason}. "
        "Check the address, the network, and whether this machine may read it without a password."
    )


def _fetched(git_dir: Path, deadline: git.Deadline) -> str:
    done = git.run(["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"], git_dir=git_dir, deadline=deadline)
    if done.returncode:
        raise UnknownRefError("The name given does not point to a commit.")
    return done.stdout.decode("ascii").strip()
