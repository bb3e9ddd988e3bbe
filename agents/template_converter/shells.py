"""Which code blocks are commands: the languages of shells, and the prompts and drawings that no command has."""

import re

from shared_services.pages.sessions import PROMPT

SHELLS = frozenset(
    {
        "bash", "sh", "shell", "zsh", "ksh", "fish", "console", "terminal", "shellsession", "shell-session",
        "powershell", "pwsh", "ps1", "posh", "bat", "batch", "cmd", "dos",
    }
)  # fmt: skip

_ADDRESS = re.compile(r"https?://\S+")
_BRANCH = re.compile(r"^[ \t]*[│├└]", re.MULTILINE)


def draws_a_tree(body: str) -> bool:
    """Whether a block draws the folders that a command prints, outside of a here-document."""
    return "<<" not in body and _BRANCH.search(body) is not None


def shows_prompt(body: str) -> bool:
    """Whether a block shows a terminal's prompt (and so cannot be run as it stands)."""
    rows = [row for row in body.split("\n") if row.strip()]
    return any(PROMPT.match(row.strip()) for row in rows[:40] if not row.lstrip().startswith("#"))


def names_addresses(body: str) -> bool:
    """Whether a block holds addresses alone, which authors mark as a shell's and nobody can run."""
    rows = body.split()
    return bool(rows) and all(_ADDRESS.fullmatch(row) for row in rows)
