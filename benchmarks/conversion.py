"""How long a conversion takes, and in how much memory.

    python -m benchmarks.conversion [--only pages|many] [--source ADDRESS ...] [--json]

Each row is one run of `workshop convert`, a process of its own, from its making to its end: seconds on the clock, seconds of
processor time (its children's too, git among them), and the most memory that it and its children held at once. Nobody tells
it the form: recognising is part of it.

`pages`: a repository of 20 pages in each form (`benchmarks/made_repositories.py`), as a folder. `many`: 20 pages of plain
Markdown among 60,000 files (sources, class files, bundles, 6,000 pages that instruct nobody), as a folder that is checked out
already, and as a git repository, where `checkout` is what laying out the commit takes by itself; the goal counts what comes
after. `--source` adds a repository of your own. Times hold on a machine with nothing else to do; processor time holds a little
better on others.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.made_repositories import MADE_FORMS, commit, filling, made_repository, write
from shared_services.contracts.conversion import Form

GOALS = {"pages_seconds": 3.0, "many_seconds": 15.0, "memory_mb": 400}
PAGES = 20
FILES = 60_000
_SAMPLE = 0.02
_CHECKOUT = """
import sys
from agents.template_converter.checkout import checkout
from agents.template_converter.settings import ConverterSettings
with checkout(sys.argv[1], None, ConverterSettings(), lambda *_: None) as found:
    print(len(found.tree.files))
"""


@dataclass(frozen=True)
class Spent:
    """What one process and its children took."""

    status: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    said: str


@dataclass(frozen=True)
class Row:
    """One conversion."""

    name: str
    form: str
    steps: int
    code_blocks: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    checkout_seconds: float = 0.0
    checkout_cpu_seconds: float = 0.0
    goal_seconds: float | None = None

    @property
    def after_checkout(self) -> float:
        """Seconds on the clock without laying out the commit."""
        return self.seconds - self.checkout_seconds

    @property
    def misses(self) -> bool:
        """Whether it takes more time or memory than its goal."""
        goal = self.goal_seconds
        return goal is not None and (self.after_checkout > goal or self.memory_mb > GOALS["memory_mb"])


def spend(command: list[str]) -> Spent:
    """Run a command to its end and weigh it."""
    with tempfile.TemporaryFile("w+") as said:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        most, over = [0], threading.Event()

        def watch() -> None:
            while not over.wait(_SAMPLE):
                most[0] = max(most[0], _resident(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watcher.join()
        said.seek(0)
        largest = max(most[0], used.ru_maxrss * 1024)
        return Spent(process.returncode, seconds, used.ru_utime + used.ru_stime, largest / (1 << 20), said.read())


def _resident(pid: int) -> int:
    """Bytes that a process and its children hold now; 0 once it has gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [word for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()]
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize() + sum(_resident(int(child)) for child in children)


def convert(name: str, source: str, out: Path, *, goal: float | None, checkout: bool = False, more: tuple[str, ...] = ()) -> Row:
    """Convert a source once; `checkout` weighs the checkout by itself too.

    Raises:
        RuntimeError: It was not converted; with what the command said.
    """
    alone = spend([sys.executable, "-c", _CHECKOUT, source]) if checkout else None
    spent = spend([sys.executable, "-m", "workshop_cli.main", "convert", source, "--out", str(out), "--json", *more])
    if spent.status:
        raise RuntimeError(f"{name} was not converted: {spent.said[-2000:]}")
    report = json.loads(spent.said[spent.said.index("{") :])
    return Row(
        name, report["form"], report["counts"]["steps"], report["counts"]["code_blocks"], round(spent.seconds, 2),
        round(spent.cpu_seconds, 2), round(spent.memory_mb, 1), round(alone.seconds, 2) if alone else 0.0,
        round(alone.cpu_seconds, 2) if alone else 0.0, goal,
    )  # fmt: skip


def pages_rows(folder: Path) -> list[Row]:
    """A repository of 20 pages in each form."""
    rows = []
    for form in MADE_FORMS:
        source = folder / form.value
        write(made_repository(form, PAGES), source)
        row = convert(f"{PAGES} pages", str(source), folder / f"{form.value}-out", goal=GOALS["pages_seconds"])
        if row.form != form.value or row.steps < PAGES:
            raise RuntimeError(f"{PAGES} pages of {form.value} were read as {row.steps} of {row.form}.")
        rows.append(row)
    return rows


def many_rows(folder: Path) -> list[Row]:
    """20 pages among 60,000 files: as a folder, and as a git repository."""
    source = folder / "many"
    workshop = {f"workshop/{path}": data for path, data in made_repository(Form.MARKDOWN, PAGES).items()}
    write({**workshop, **filling(FILES - len(workshop))}, source)
    goal = GOALS["many_seconds"]
    given = ("--as", "markdown", "--path", "workshop")
    rows = [
        convert(f"{FILES} files, folder", str(source), folder / "many-a", goal=goal),
        convert(f"{FILES} files, told where", str(source), folder / "many-b", goal=goal, more=given),
    ]
    commit(source)
    return [*rows, convert(f"{FILES} files, git", source.as_uri(), folder / "many-c", goal=goal, checkout=True)]


def main() -> int:
    """Print the table; 1 where a goal of time or memory is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("pages", "many"))
    parser.add_argument("--source", action="append", default=[], metavar="ADDRESS", help="a repository that is converted too")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="conversion-") as temporary:
        folder = Path(temporary)
        rows = pages_rows(folder) if args.only != "many" else []
        rows += many_rows(folder) if args.only != "pages" else []
        for number, source in enumerate(args.source):
            rows.append(convert(source, source, folder / f"own-{number}", goal=None, checkout=True))
    load = os.getloadavg()[0]
    missed = [
        row for row in rows if row.goal_seconds and (row.after_checkout > row.goal_seconds or row.memory_mb > GOALS["memory_mb"])
    ]
    if args.json:
        print(
            json.dumps({"rows": [asdict(row) for row in rows], "goals": GOALS, "cores": os.cpu_count(), "load": load}, indent=2)
        )
        return 1 if missed else 0
    names = f"{'what':<24} {'form':<17} {'steps':>5} {'blocks':>6} {'seconds':>8} {'cpu s':>7} {'MB':>6}"
    print(f"{names} {'checkout s':>11} {'cpu s':>6}")
    for row in rows:
        mark = "  missed" if row in missed else ""
        print(
            f"{row.name[:24]:<24} {row.form:<17} {row.steps:>5} {row.code_blocks:>6} {row.seconds:>8.2f} {row.cpu_seconds:>7.2f} "
            f"{row.memory_mb:>6.0f} {row.checkout_seconds:>11.2f} {row.checkout_cpu_seconds:>6.2f}{mark}"
        )
    print(f"goals: {GOALS}; {os.cpu_count()} cores, load {load:.1f} at the end")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
