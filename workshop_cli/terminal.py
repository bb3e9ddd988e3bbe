"""What the terminal shows: results on stdout, progress and errors on stderr.

Text from workshops and servers goes through `plain` or `printable`: it may hold what a terminal would obey.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared_services.kit.errors import PlatformError

WIDTH_WITHOUT_TERMINAL = 400
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _console(*, stderr: bool) -> Console:
    made = Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)
    if not made.is_terminal:
        made.width = WIDTH_WITHOUT_TERMINAL  # a file or pipe has no width: a row of a table stays a line
    return made


out = _console(stderr=False)
err = _console(stderr=True)


def printable(text: str) -> str:
    """`text` without control characters, but for tabs and line ends; each is replaced by U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


def plain(text: str) -> str:
    """`text` as it is to be read: neither a terminal's control sequences nor this module's markup in it."""
    return escape(printable(text))


def table(*columns: str) -> Table:
    """A table of plain columns."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


class Bar:
    """A progress bar of several stages; a plain line a stage where stderr is no terminal."""

    def __init__(self, progress: Progress | None, task: TaskID | None) -> None:
        self._progress = progress
        self._task = task
        self._last = ""

    def update(self, message: str, done: int = 0, total: int | None = None) -> None:
        """Show where the work is."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=plain(message), completed=done, total=total)
        elif message.partition(":")[0] != self._last:
            self._last = message.partition(":")[0]
            print(printable(message), file=sys.stderr, flush=True)


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Bar]:
    """A bar on stderr for the length of the block."""
    if quiet or not err.is_terminal:
        yield Bar(None, None) if not quiet else _Silent()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield Bar(progress, progress.add_task("Starting", total=None))


class _Silent(Bar):
    def __init__(self) -> None:
        super().__init__(None, None)

    def update(self, message: str, done: int = 0, total: int | None = None) -> None:
        """Show nothing."""


def show_error(error: PlatformError) -> None:
    """One sentence on stderr: what happened, why, what to do."""
    err.print(f"[bold red]workshop:[/] {plain(error.detail or error.title)}")
