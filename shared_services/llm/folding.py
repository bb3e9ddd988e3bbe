"""When two texts say the same: white space folded, markup of links and citations set aside. Pure."""

import re
from typing import Final

from shared_services.llm.sentences import CITATION

_PROMPT: Final = re.compile(r"^\s*(?:\$|#|>|%)\s+(?=\S)")
_FENCED: Final = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)\n(?P<body>.*?)(?:^[ \t]*(?P=mark)[`~]*[ \t]*$|\Z)", re.S | re.M
)


def folded(text: str) -> str:
    """The text with every run of white space made one space."""
    return " ".join(text.split())


def without_citations(text: str) -> str:
    """The text less its citation numbers."""
    return CITATION.sub("", text)


def without_prompt(line: str) -> str:
    """A command line less the shell's `$ ` in front of it."""
    return _PROMPT.sub("", line) if line.lstrip().startswith(("$", ">", "%")) else line


def code_blocks(markdown: str) -> list[re.Match[str]]:
    """The fenced code blocks of a piece of Markdown, with the groups `indent`, `mark`, `info`, `body`."""
    return list(_FENCED.finditer(markdown))
