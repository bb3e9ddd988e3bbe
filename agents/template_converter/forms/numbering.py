"""Order that names speak of: `01-…`, `module-2`, `lab10`, and natural order in which 2 comes before 10."""

import re

_NUMBERED = re.compile(
    r"^(?:(?:module|lab|step|part|chapter|exercise|lesson|day|week|workshop|task|challenge|section|unit|session|ex|ch|tutorial"
    r"|stage|level|assignment|kata|hol)"
    r"[-_. ]*)?(?P<number>\d{1,4})(?P<letter>[a-z])?(?:[-_. )]|$|(?=[A-Za-z]))",
    re.IGNORECASE,
)
_PAGES = (".md", ".markdown", ".adoc", ".asciidoc")
_YEAR = re.compile(r"^(?:19|20)\d{2}(?:[-_.]|$)")


def natural(path: str) -> list[tuple[int, int, str]]:
    """A sort key: numbers by value, words without case."""
    return [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.casefold())
        for part in re.split(r"(\d+)|/", path)
        if part
    ]


def number_of(name: str) -> int | None:
    """The number that a name begins with (after a word such as `module`); None where there is none, or where it is a year."""
    stem = name.rpartition(".")[0] if name.lower().endswith(_PAGES) else name
    match = _NUMBERED.match(stem)
    return int(match["number"]) if match and not _YEAR.match(stem) else None
