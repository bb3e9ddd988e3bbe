"""What kind of thing a source string names. Nothing is opened here but the local path itself, to see what it is.

An address that git could take as an option (`-…`) or as a command (`ext::…`) is refused before git sees it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from agents.template_converter.errors import BadAddressError, HostileSourceError

_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*)://")
_SCP_LIKE = re.compile(r"^(?:(?P<user>[\w.+-]+)@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<path>[^:].*)$")
_REMOTE_SCHEMES = {"https", "http", "ssh", "git+ssh", "git"}
ARCHIVE_ENDINGS = (".zip", ".tar.gz", ".tgz")
NOT_LOCAL = "Folders and files of the service's own machine are not taken here. Give an https or ssh address."


class SourceKind(StrEnum):
    """How a source is fetched."""

    REMOTE = "remote"
    GIT_DIRECTORY = "git directory"
    FOLDER = "folder"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class Source:
    """A source, judged.

    Attributes:
        address: What is handed to git for a remote one; else the text as given.
        path: The local folder, git directory or archive.
        name: A last part of the address to call the workshop by when nothing better is known.
    """

    kind: SourceKind
    address: str
    path: Path | None
    name: str

    @property
    def repository(self) -> str | None:
        """The address to record as the workshop's origin, without credentials; None for what only this machine knows."""
        return redact(self.address) if self.kind is SourceKind.REMOTE else None


def redact(address: str) -> str:
    """`address` without a user name or password."""
    parts = urlsplit(address) if _SCHEME.match(address) else None
    if parts is None or "@" not in parts.netloc or parts.scheme in ("ssh", "git+ssh"):
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def parse_source(text: str, *, allow_local: bool = True) -> Source:
    """Judge a source string.

    Args:
        text: As a person gave it.
        allow_local: Whether this machine's own folders and files are taken. Where they are not, the machine is not even
            looked at, so that the answer tells nobody which of its files exist.

    Raises:
        BadAddressError: No kind of source that is taken, or no such file or folder.
        HostileSourceError: Made to be taken for an option or a command.
    """
    text = text.strip()
    if text.startswith("-"):
        raise HostileSourceError(
            "The address begins with `-`, which git would take for an option. For a folder of that name write `./-name`."
        )
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise HostileSourceError("The address holds control characters.")
    if re.match(r"^[a-zA-Z0-9+.-]+::", text):
        raise HostileSourceError(
            f"`{text.split('::')[0]}::` addresses run helper programs and are not taken. Give an https, ssh or file address."
        )
    scheme = _SCHEME.match(text)
    if scheme:
        return _with_scheme(text, scheme.group(1).lower(), allow_local)
    here = _expanded(text) if allow_local else None
    if here is not None and _is_there(here):
        return _local(here, text)
    scp = _SCP_LIKE.match(text)
    if scp and "/" not in text.split(":", 1)[0]:
        if scp["host"].startswith("-") or scp["path"].startswith("-"):
            raise HostileSourceError("A host or path that begins with `-` could be taken for an option.")
        return Source(SourceKind.REMOTE, text, None, _name(scp["path"]))
    if not allow_local:
        raise BadAddressError(NOT_LOCAL)
    raise BadAddressError(
        f"`{text}` is neither a file or folder here nor a git address. "
        "Give an https://, ssh:// or file:// address, user@host:path, a folder, a .zip or a .tar.gz."
    )


def _with_scheme(text: str, scheme: str, allow_local: bool) -> Source:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError as error:
        raise BadAddressError(f"`{text}` is not a valid address: {error}.") from error
    if scheme == "file":
        if not allow_local:
            raise BadAddressError(NOT_LOCAL)
        path = Path(unquote(parts.path))
        if host not in ("", "localhost"):
            raise BadAddressError(f"`{text}` names the host {host}; a file address looks like file:///folder/repository.")
        if not _is_there(path):
            raise BadAddressError(f"`{text}`: there is no {path} on this machine.")
        return _local(path, text, as_git=True)
    if scheme not in _REMOTE_SCHEMES:
        raise BadAddressError(f"Addresses that begin with {scheme}:// are not taken. Give https://, ssh:// or file://.")
    if not host or host.startswith("-") or parts.path.strip("/") == "":
        raise BadAddressError(f"`{redact(text)}` names no host and repository.")
    return Source(SourceKind.REMOTE, text, None, _name(parts.path))


def _expanded(text: str) -> Path | None:
    """The path with `~` filled in; None where it names a person that this machine does not know."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return None


def _is_there(path: Path) -> bool:
    """Whether a path exists and may be looked at; a name that is too long does not."""
    try:
        return path.exists()
    except OSError:
        return False


def _local(path: Path, text: str, *, as_git: bool = False) -> Source:
    path = path.resolve()
    if path.is_file():
        if not path.name.lower().endswith(ARCHIVE_ENDINGS):
            raise BadAddressError(
                f"{path.name} is not an archive that is taken; give a .zip, a .tar.gz, a folder or a git address."
            )
        return Source(SourceKind.ARCHIVE, text, path, _name(path.name))
    git_directory = path if _is_git_directory(path) else path / ".git" if as_git and _is_git_directory(path / ".git") else None
    if git_directory:
        return Source(SourceKind.GIT_DIRECTORY, text, git_directory, _name(_named(path)))
    return Source(SourceKind.FOLDER, text, path, _name(path.name))


def _is_git_directory(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _named(path: Path) -> str:
    return path.parent.name if path.name in (".git", "repo", "repo.git") else path.name


def _name(path: str) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    for ending in (*ARCHIVE_ENDINGS, ".git"):
        last = last[: -len(ending)] if last.lower().endswith(ending) else last
    return last.rpartition("+")[2] or "workshop"
