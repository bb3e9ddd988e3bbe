"""Which code blocks are commands: the languages of shells, and the prompts that show a session rather than a command."""

import re

SHELLS = frozenset(
    {
        "bash", "sh", "shell", "zsh", "ksh", "fish", "console", "terminal", "shellsession", "shell-session",
        "powershell", "pwsh", "ps1", "posh", "bat", "batch", "cmd", "dos",
    }
)  # fmt: skip
_PROMPT = re.compile(
    r"^(?:\$|%|❯|➜|PS [^>\n]*>|[A-Z]:\\[^>\n]*>|>>>|(?:\([\w.-]+\) ?)?\[?[\w.-]+@[\w.-]+[^$#%\n]{0,60}[$#%])(?:[ \t]|$)"
)


def shows_prompt(body: str) -> bool:
    """Whether a block shows a terminal's prompt (and so cannot be run as it stands)."""
    rows = [row for row in body.split("\n") if row.strip()]
    return any(_PROMPT.match(row.strip()) for row in rows[:40] if not row.lstrip().startswith("#"))
