"""Which lines of an included file are meant: `tag=`, `tags=`, `lines=`, `indent=`."""

import re
from collections.abc import Iterable, Mapping

_TAG = re.compile(r"\b(tag|end)::([^\s\[]{1,500}+)\[\](?=$|[\s\-*/>)}%])")
Rows = list[tuple[int, str]]


def select(text: str, options: Mapping[str, str]) -> tuple[Rows, list[str]]:
    """The rows `(line number, text)` that the options of an include choose, and tags that the file does not have."""
    rows = [(number, line.rstrip()) for number, line in enumerate(text.split("\n"), 1)]
    if rows and not rows[-1][1]:
        rows.pop()
    missing: list[str] = []
    wanted = options.get("tags") or options.get("tag")
    if options.get("lines"):
        rows = _by_number(rows, options["lines"])
    elif wanted:
        rows, missing = _by_tag(rows, [name.strip() for name in re.split(r"[;,]", wanted) if name.strip()])
    if options.get("indent", "").isdigit():
        rows = _indent(rows, int(options["indent"]))
    return rows, missing


def _by_number(rows: Rows, wanted: str) -> Rows:
    chosen: set[int] = set()
    for part in re.split(r"[;,]", wanted):
        first, dots, last = part.strip().partition("..")
        if not first.strip().isdigit():
            continue
        start = int(first)
        end = len(rows)
        if not dots:
            end = start
        elif last.strip().isdigit():
            end = min(int(last), len(rows))
        chosen.update(range(start, min(end, len(rows)) + 1))
    return [row for row in rows if row[0] in chosen]


def _by_tag(rows: Rows, wanted: list[str]) -> tuple[Rows, list[str]]:
    yes = [name for name in wanted if not name.startswith("!")]
    no = {name[1:] for name in wanted if name.startswith("!")}
    everything = "**" in yes
    any_tag = "*" in yes
    # Only exclusions means: everything else.
    default = everything or not yes
    stack: list[tuple[str, bool]] = []
    kept: Rows = []
    seen: set[str] = set()
    for number, line in rows:
        match = _TAG.search(line)
        if match:
            seen.add(match[2])
            _move(stack, match[1], match[2], yes, no, any_tag)
            continue
        if stack[-1][1] if stack else default:
            kept.append((number, line))
    named = [name for name in yes if name not in ("*", "**")]
    return kept, [name for name in named if name not in seen]


def _move(stack: list[tuple[str, bool]], word: str, name: str, yes: Iterable[str], no: set[str], any_tag: bool) -> None:
    if word == "tag":
        if name in yes:
            stack.append((name, True))
        elif name in no or "*" in no:
            stack.append((name, False))
        elif any_tag:
            stack.append((name, True))
        elif stack:
            stack.append((name, stack[-1][1]))
        return
    for index in range(len(stack) - 1, -1, -1):
        if stack[index][0] == name:
            del stack[index]
            break


def _indent(rows: Rows, width: int) -> Rows:
    texts = indent_lines([line for _, line in rows], width)
    return [(number, text) for (number, _), text in zip(rows, texts, strict=True)]


def indent_lines(lines: list[str], width: int) -> list[str]:
    """`lines` with their common indentation replaced by `width` spaces."""
    common = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    return [" " * width + line[common:] if line.strip() else "" for line in lines]
