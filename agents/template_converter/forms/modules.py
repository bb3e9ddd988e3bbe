"""Parts of a Hugo page that a training shows to one audience: `onlyWhen` and `onlyWhenNot`, decided by the site's parameters."""

import re
from collections import Counter
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import Line

_TAG = re.compile(r"\{\{[<%][ \t]*+(?P<close>/?)[ \t]*+(?P<name>onlyWhen(?:Not)?)(?P<words>(?:[ \t]++[\w.-]++)*+)[ \t]*+[>%]\}\}")


@dataclass
class Modules:
    """What a site has switched on.

    Attributes:
        enabled: Names of the modules that the site shows; None where its configuration names none.
        left_out: How many parts of each page are for others, by page.
    """

    enabled: frozenset[str] | None
    left_out: Counter[str] = field(default_factory=Counter)

    def shown(self, lines: list[Line]) -> list[Line]:
        """The lines that the site shows, also inside of code; all of them where it is not known what is switched on."""
        if self.enabled is None or not any("onlyWhen" in line.text for line in lines):
            return lines
        out: list[Line] = []
        open_parts: list[bool] = []
        for line in lines:
            kept, at = "", 0
            for match in _TAG.finditer(line.text):
                kept += line.text[at : match.start()] if all(open_parts) else ""
                at = match.end()
                self._turn(match, open_parts, line.file)
            kept += line.text[at:] if all(open_parts) else ""
            if kept == line.text:
                out.append(line)
            elif kept.strip():
                out.append(line.with_text(kept))
        return out

    def _turn(self, match: re.Match[str], open_parts: list[bool], page: str) -> None:
        assert self.enabled is not None
        if match["close"]:
            # Authors mistake the two for each other; held against them, the rest of the page would be for nobody.
            if open_parts:
                open_parts.pop()
            return
        holds = bool(self.enabled & set(match["words"].split())) == (match["name"] == "onlyWhen")
        open_parts.append(holds)
        self.left_out[page] += not holds
