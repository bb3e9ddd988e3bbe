"""Info strings of code blocks: the language is kept, everything else is read for what the neutral form can say."""

import re
from collections.abc import Callable

from agents.template_converter.shells import SHELLS, draws_a_tree, names_addresses, shows_prompt
from shared_services.contracts.workshop import FenceInfo, parse_fence_info

FenceReader = Callable[[str, str], tuple[FenceInfo, str]]
"""From a block's info string and its text: the neutral info string, and its title where one is given."""

_TITLE = re.compile(r"""\b(?:title|filename)=(?:"([^"]*)"|'([^']*)'|(\S+))""")
_BRACED = re.compile(r"^\{(?P<inner>[^}]*)\}?")
_TARGET = re.compile(r"""\bdata-target=["']?([\w.-]+)""")
_TRACK_FLAGS = frozenset({"run", "copy", "nocopy", "wrap", "nowrap", "line-numbers", "noline-numbers"})
_LANGUAGE = re.compile(r"^[.#]?([A-Za-z0-9_+#.*/-]+)")


def without_title(info: str) -> tuple[str, str]:
    """An info string without its title, and the title."""
    return _TITLE.sub("", info, count=1), _first(_TITLE.search(info))


def read_info(info: str, body: str) -> tuple[FenceInfo, str]:
    """The neutral info string of a block, and its title (a file's name) where one is given.

    Classes after the language, as `{ .bash .no-run }` has them, say `run`, `no-run`, `to-copy` and `output`; `copy` is a
    button of a theme and says nothing.
    """
    info = info.strip()
    title = _TITLE.search(info)
    words = info
    marks: list[str] = []
    braced = _BRACED.match(info)
    if braced:
        classes = re.findall(r"\.([\w+#-]+)", braced["inner"])
        words, marks = (classes[0], classes[1:]) if classes else ("", [])
    first = words.split()[0] if words.split() else ""
    if "=" in first:
        first = ""
    language, _, flags = first.partition(",")
    match = _LANGUAGE.match(language.partition("{")[0].partition(":")[0])
    name = match[1].lower() if match else ""
    known = parse_fence_info(name)
    if name and not known.language:
        return known.model_copy(update={"executable": False, "target": None}), _first(title)
    shown = shows_prompt(body) or draws_a_tree(body) or names_addresses(body)
    runs = name in SHELLS and not shown and not {"norun", "nocopy"} & set(flags.split(","))
    marked = ("run" in marks or runs) and not {"no-run", "to-copy", "output"} & set(marks)
    target = _TARGET.search(info) if marked else None
    return FenceInfo(
        language=name,
        executable=marked and bool(body.strip()),
        target=target[1] if target else None,
        copyable="to-copy" in marks,
        output="output" in marks,
    ), _first(title)


def marked_or_read(info: str, body: str) -> tuple[FenceInfo, str]:
    """Info strings that are in the neutral form by now: what their author marked stands, others are read as in Markdown."""
    said = parse_fence_info(info)
    return (said, "") if said.executable or said.copyable or said.output else read_info(said.language, body)


def track_info(info: str, body: str) -> tuple[FenceInfo, str]:
    """Instruqt's info strings, `bash,run` or `nocopy`, flags and language in any order: what does not run is for copying."""
    words = [word.strip() for word in info.partition(" ")[0].split(",")]
    flags = {word.lower() for word in words} & _TRACK_FLAGS
    named = next((word for word in words if word and word.lower() not in _TRACK_FLAGS), "")
    named = named or ("bash" if "run" in flags else "")
    read, title = read_info(named + info[len(info.partition(" ")[0]) :], body)
    return FenceInfo(language=read.language, executable="run" in flags, output="nocopy" in flags), title


def _first(match: re.Match[str] | None) -> str:
    return next((group for group in match.groups() if group), "") if match else ""
