"""Tutorials in git repositories, for tests of conversions."""

import subprocess
from pathlib import Path


def make_repository(folder: Path, files: dict[str, str]) -> str:
    """A git repository with one commit; gives its file:// address."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "All"]):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)
    return f"file://{folder}"


def pages(names: list[str], folder: str = "") -> dict[str, str]:
    """Numbered pages of a tutorial, each with a command, and a link that leads nowhere on line 9."""
    return {
        f"{folder}{number:02d}-{name}.md": f"# {name.title()} the boat\n\nHow to {name} it.\n\n```bash\nboat {name} --now\n```\n\n"
        f"Then read [more](lost-{name}.md).\n"
        for number, name in enumerate(names, 1)
    }
