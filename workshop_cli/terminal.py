"""What the terminal shows: results on stdout, progress and errors on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from shared_services.kit.errors import PlatformError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Bar:
    """A progress bar of several stages; a plain line a stage where stderr is no terminal."""

    def __init__(self, progress: Progress | None, task: TaskID | None) -> None:
        self._progress = progress
        self._task = task
        self._last = ""

    def update(self, message: str, done: int = 0, total: int | None = None) -> None:
        """Show where the work is."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=escape(message), completed=done, total=total)
        elif message.partition(":")[0] != self._last:
            self._last = message.partition(":")[0]
            print(message, file=sys.stderr, flush=True)


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
    err.print(f"[bold red]workshop:[/] {escape(error.detail or error.title)}")
