"""Goes through a workshop as a participant does: every executable block in order, then the solution, then the check.

It exists so that the output an example shows is the output its commands really give. The test beside it walks the example
that needs Python alone; the others need Maven or a cluster and are walked by hand:

    python -m tests.integration.examples.walkthrough examples/k8s-security

It runs what the workshop says, without a sandbox: only for workshops of our own.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from shared_services.contracts.workshop import FenceInfo, parse_fence_info
from shared_services.library.form import read_folder

_MARK = "@@walkthrough"
_VARIABLE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b[0-9a-f]{8,10}-[a-z0-9]{5}\b"), "POD"),
    (re.compile(r"\b(?:\d+[smh]){1,2}\b"), "AGE"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| \+0000 UTC)?"), "TIME"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Fence:
    """A fenced code block: the file it stands in, its first line (from 1), its info and its text."""

    file: str
    line: int
    info: FenceInfo
    text: str


@dataclass(frozen=True)
class Command:
    """One thing the walk does. `expected` is the output shown for it; `check` says whether it is a check, before or after."""

    place: str
    script: str
    expected: str | None = None
    check: str | None = None


@dataclass(frozen=True)
class Result:
    """What a command printed (both streams) and its exit status."""

    command: Command
    output: str
    status: int

    def finding(self) -> str | None:
        """What is wrong with it, or None."""
        if self.command.check == "before" and self.status != 1:
            return f"{self.command.place}: the check ends with {self.status} before anything was done\n{self.output}"
        if self.command.check == "after" and self.status != 0:
            return f"{self.command.place}: the check fails after the solution\n{self.output}"
        if self.command.expected is not None and not matches(self.command.expected, self.output):
            return f"{self.command.place}: shown\n{self.command.expected}\n--- really printed\n{self.output}"
        return None


def fences(text: str, file: str) -> list[Fence]:
    """Every fenced block of a Markdown text."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        Fence(file, (token.map or [0])[0] + 1, parse_fence_info(token.info), token.content)
        for token in tokens
        if token.type == "fence"
    ]


def matches(expected: str, actual: str) -> bool:
    """Whether both say the same; ages, times and pod names may differ, and a line `...` stands for any lines."""
    parts = [re.escape(_normal(part)) for part in re.split(r"(?m)^\.\.\.$", expected)]
    return re.fullmatch(r"(?s)\s*" + r"\s*(?:.*\n)?\s*".join(parts) + r"\s*", _normal(actual)) is not None


def _normal(text: str) -> str:
    for pattern, replacement in _VARIABLE:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def commands(folder: Path) -> list[Command]:
    """The whole walk: each step's check (which must fail), content, solution, check (which must pass)."""
    workshop = read_folder(folder)
    result: list[Command] = []
    for step in workshop.manifest.steps:
        check = f"bash '{folder.resolve()}/steps/{step}/check.sh'"
        result.append(Command(f"{step}/check.sh", check, check="before"))
        for name in ("content.md", "solve.md"):
            blocks = fences(workshop.text(f"steps/{step}/{name}") or "", f"{step}/{name}")
            for block, following in zip(blocks, [*blocks[1:], None], strict=True):
                if block.info.executable:
                    shown = following.text if following and following.info.output else None
                    result.append(Command(f"{block.file}:{block.line}", block.text, shown))
        result.append(Command(f"{step}/check.sh", check, check="after"))
    return result


def walk(folder: Path, home: Path, environment: dict[str, str]) -> list[Result]:
    """Do it all in one shell, as in one terminal.

    Raises:
        RuntimeError: The shell ended before the last command.
    """
    todo = commands(folder)
    script = "".join(f"{command.script}\nprintf '\\n{_MARK} %s\\n' $?\n" for command in todo)
    # In a terminal Python prints line by line, so that errors come after what was printed before them.
    variables = {**environment, "PYTHONUNBUFFERED": "1", "HOME": str(home), "WORKSHOP_DIR": str(folder.resolve())}
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            ["bash", file.name],
            cwd=home,
            env=variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=1800,
        )
    pieces = re.split(rf"\n{_MARK} (\d+)\n", done.stdout)
    if len(pieces) != 2 * len(todo) + 1:
        raise RuntimeError(f"the shell ended after {len(pieces) // 2} of {len(todo)} commands:\n{pieces[-1]}")
    return [Result(command, pieces[2 * at], int(pieces[2 * at + 1])) for at, command in enumerate(todo)]


def main() -> int:
    """Walk the workshop that the first argument names, and print everything."""
    with tempfile.TemporaryDirectory() as home:
        results = walk(Path(sys.argv[1]), Path(home), dict(os.environ))
    for result in results:
        print(f"=== {result.command.place} ({result.status})\n{result.output}")
    findings = [finding for result in results if (finding := result.finding())]
    print("\n".join(f"FINDING {finding}" for finding in findings))
    print(f"{len(results)} commands, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
