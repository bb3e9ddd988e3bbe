"""Solved copies: a file in `solved/` or `solutions/` that is called as one outside of it is, is that one's solution."""

import posixpath
import re

_SOLVED = re.compile(r"[_.-]?(?:solved|solutions?|answers?|completed|finished)", re.IGNORECASE)


def solved_copies(paths: list[str]) -> dict[str, str]:
    """For each solved copy among `paths` the file that it solves; none where it is not clear which."""
    plain = [path for path in paths if _without(path) == path]
    return {path: found for path in paths if path not in plain and (found := _original(path, plain))}


def _without(path: str) -> str:
    """A path without its folders of solutions."""
    folder, name = posixpath.split(path)
    return posixpath.join(*(part for part in folder.split("/") if not _SOLVED.fullmatch(part)), name)


def _original(path: str, plain: list[str]) -> str:
    if (same := _without(path)) in plain:
        return same
    called = [each for each in plain if posixpath.basename(each) == posixpath.basename(path)]
    return called[0] if len(called) == 1 else ""
