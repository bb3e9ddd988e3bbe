"""What importers read from and what they return; the protocol of an importer.

An importer is one module in `forms/` and one line in its table. It reads a `Tree`, never the file system, and it
returns everything it could not carry over: nothing is dropped in silence.
"""

from bisect import bisect_left
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from shared_services.contracts.conversion import Broken, Form, FormCandidate, Loss
from shared_services.contracts.workshop import Chapter, Variable


@dataclass(frozen=True)
class Tree:
    """A checkout, listed once; links that leave their commit, and special files, are not in it.

    Attributes:
        root: Folder on disk, resolved.
        files: POSIX paths relative to `root`, sorted, with their sizes in bytes.
        commit: Commit of the checkout, where it is one.
        absent: Files that the repository names but the checkout lacks (missing objects, LFS pointers), with the reason.
        tick: Called before each text is read; raises where the time for the source is over.
    """

    root: Path
    files: dict[str, int]
    commit: str | None = None
    absent: dict[str, str] = field(default_factory=dict)
    tick: Callable[[], object] = field(default=lambda: None, compare=False)

    def __contains__(self, path: object) -> bool:
        return path in self.files

    def under(self, folder: str) -> Iterator[str]:
        """Paths inside `folder` ("" is the whole tree), in order."""
        prefix = f"{folder.rstrip('/')}/" if folder else ""
        first = bisect_left(self._sorted, prefix)
        return takewhile(lambda path: path.startswith(prefix), islice(self._sorted, first, None))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.files)

    def read_bytes(self, path: str) -> bytes:
        """Bytes of a listed file.

        Raises:
            KeyError: The tree does not list `path`.
        """
        if path not in self.files:
            raise KeyError(path)
        return (self.root / PurePosixPath(path)).read_bytes()

    def read_text(self, path: str) -> str:
        """Text of a listed file: UTF-8 with or without BOM, UTF-16 with one, else Latin-1; every line end becomes a line feed."""
        self.tick()
        raw = self.read_bytes(path)
        try:
            text = raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass
class ImportedStep:
    """A step as an importer read it.

    Attributes:
        source: The page in the source.
        content: CommonMark with the neutral form's fence info strings.
        runs: The source map, as `SourceMap.runs`.
        files: Further files of the step by path inside its folder (`files/...`).
    """

    id: str
    title: str
    source: str
    content: str
    runs: list[tuple[int, str, int]]
    duration: int | None = None
    hints: str | None = None
    explain: str | None = None
    solve: str | None = None
    check: str | None = None
    setup: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class ImportedWorkshop:
    """A workshop as an importer read it.

    Attributes:
        assets: What is copied to `assets/`: path inside it -> path in the tree. Steps refer to them as `../../assets/PATH`.
        counted: Pages whose code blocks the importer has held against the source itself.
    """

    title: str
    steps: list[ImportedStep]
    summary: str = ""
    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    duration: int | None = None
    difficulty: Literal["beginner", "intermediate", "advanced"] | None = None
    chapters: list[Chapter] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    assets: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    counted: set[str] = field(default_factory=set)


class Importer(Protocol):
    """One form: how it is recognised and how it is read."""

    form: Form

    def recognise(self, tree: Tree) -> list[FormCandidate]:
        """Readings of `tree` as this form, each with its evidence; empty when nothing speaks for it."""
        ...

    def read(self, tree: Tree, candidate: FormCandidate) -> ImportedWorkshop:
        """The workshop at `candidate.path`.

        Raises:
            UnreadableSourceError: The form is there but cannot be read; says which file and line.
        """
        ...
