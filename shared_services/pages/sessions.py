"""Terminal sessions: blocks that show a prompt before each command and what it prints; which of their lines are the commands.

A session is kept as its author wrote it and cannot be run as it stands; what a participant copies from it is what can be typed.
"""

import re

PROMPT = re.compile(
    r"^(?:\$|%|❯|➜|PS [^>\n]*>|[A-Z]:\\[^>\n]*>|>>>|(?:\([\w.-]+\) ?)?\[?[\w.-]+@[\w.-]+[^$#%\n]{0,60}[$#%])(?:[ \t]|$)"
)
"""What terminals show before a command."""
_TYPED = re.compile(r"^(?:\$|❯|➜|PS [^>\n]*>|(?:\([\w.-]+\) ?)?\[?[\w.-]+@[\w.-]+[^$#%\n]{0,60}[$#%])[ \t]+(?P<command>\S.*)$")
_LANGUAGES = frozenset(
    {
        "", "bash", "cmd", "console", "ksh", "output", "powershell", "ps1", "pwsh", "sh", "shell", "shell-session",
        "shellsession", "terminal", "text", "txt", "zsh",
    }
)  # fmt: skip
_GOES_ON = re.compile(r"^>[ \t]?(?P<rest>.*)$")
_HERE = re.compile(r"<<-?[ \t]*(?P<quote>[\"']?)(?P<word>\w+)(?P=quote)")


def session_commands(code: str, language: str) -> str | None:
    """The commands of a session, line by line and without prompts; None where the block's first line is none.

    A line that ends in a backslash goes on, a here-document goes to its end, and everything else is what a command prints.
    """
    rows = code.rstrip("\n").split("\n")
    if language not in _LANGUAGES or not _TYPED.match(rows[0].strip()):
        return None
    out: list[str] = []
    goes_on, here = False, ""
    for row in rows:
        if here:
            out.append(row)
            here = "" if row.strip() == here else here
            continue
        typed = None if goes_on else _TYPED.match(row.strip())
        if typed is None and not goes_on:
            continue
        more = _GOES_ON.match(row.strip()) if goes_on else None
        command = typed["command"] if typed else more["rest"] if more else row
        out.append(command.rstrip())
        found = _HERE.search(command)
        goes_on, here = command.rstrip().endswith("\\"), found["word"] if found else ""
    return "\n".join(out)
