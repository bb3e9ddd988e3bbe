"""Small git repositories with several commits, branches and tags, made for tests."""

import subprocess
from pathlib import Path

LAB = {
    "README.md": "# Sail a boat\n\nA lab.\n",
    **{
        f"{number:02d}-{name}.md": f"# {name.title()} the boat\n\nHow to {name} it.\n\n```bash\nboat {name} --now\n```\n\n"
        f"Look at it.\n\nThe end of {name}.\n"
        for number, name in enumerate(("rig", "sail", "moor"), 1)
    },
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a repository; gives what it said."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str | None], message: str = "Change") -> str:
    """Write (or with None remove) files and commit them; gives the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")
