"""Killercoda's and Katacoda's marks behind code, `{{exec}}`, `{{copy}}`, `{{execute T1}}`, as the neutral form says them."""

import re
from collections import Counter
from dataclasses import dataclass, field

from agents.template_converter.forms.fences import read_info
from agents.template_converter.forms.lines import Line
from shared_services.contracts.conversion import Loss
from shared_services.contracts.workshop import FenceInfo

_OPENING = re.compile(r"^(?P<before>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_MARK = re.compile(r"\{\{\s*(?P<words>(?:exec(?:ute)?|copy)?(?:\s[^{}\n]*)?)\s*\}\}")
_INLINE = re.compile(r"(?P<code>(?<!`)(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`))" + _MARK.pattern)
_TRAFFIC = re.compile(r"\{\{\s*(TRAFFIC_[A-Z0-9_]+)\s*\}\}")
_KATACODA = re.compile(
    r"https?://\[\[HOST(?P<host>\d*)_SUBDOMAIN\]\]-(?P<port>\d+)-\[\[KATACODA_HOST\]\]\.environments\.katacoda\.com"
)
_TERMINAL = re.compile(r"^(?:T|HOST)\d+$", re.IGNORECASE)


@dataclass
class Clicks:
    """What was met on the way.

    Attributes:
        variables: Names that are filled in at run time.
        inline: Marks behind code inside a sentence, with how often.
        interrupts: Blocks that end what runs before them.
    """

    variables: set[str] = field(default_factory=set)
    inline: Counter[str] = field(default_factory=Counter)
    interrupts: int = 0
    places: dict[str, Line] = field(default_factory=dict)

    def losses(self) -> list[Loss]:
        """A row for each kind of mark that the neutral form has no word for."""
        rows = []
        for mark, count in sorted(self.inline.items()):
            line = self.places[mark]
            detail = (
                f"`{mark}` behind code in a sentence makes a button, which a step has behind code blocks alone ({count} times)."
            )
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        if self.interrupts:
            line = self.places["interrupt"]
            detail = f"`interrupt` sends Ctrl-C before the command; here its reader does ({self.interrupts} times)."
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        return rows


def code_that_runs_at_a_click(lines: list[Line], clicks: Clicks) -> list[Line]:
    """A page with its marks in the neutral form: those behind a closing fence go to its info string."""
    out: list[Line] = []
    opening: tuple[int, re.Match[str]] | None = None
    for line in lines:
        found = _KATACODA.sub(lambda match: f"{{{{TRAFFIC_HOST{match['host'] or 1}_{match['port']}}}}}", line.text)
        clicks.variables.update(_TRAFFIC.findall(found))
        line = line if found == line.text else line.with_text(found)
        start = _OPENING.match(line.text)
        if opening is None:
            if start:
                opening = (len(out), start)
                out.append(line)
            else:
                out.append(line.with_text(_without_marks(line, clicks)))
            continue
        marks = _closing(line.text, opening[1]["mark"])
        out.append(line if marks is None else line.with_text(line.text[: line.text.rindex(opening[1]["mark"][0]) + 1]))
        if marks is not None:
            _close(out, opening, marks, line, clicks)
            opening = None
    if opening is not None:
        _close(out, opening, "", lines[-1], clicks)
    return out


def _closing(text: str, mark: str) -> str | None:
    """What stands behind a closing fence; None where the line closes nothing."""
    match = re.match(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?P<marks>(?:\{{\{{[^{{}}\n]*\}}\}}[ \t]*)*)$", text)
    return match["marks"] if match else None


def _close(out: list[Line], opening: tuple[int, re.Match[str]], marks: str, line: Line, clicks: Clicks) -> None:
    row, start = opening
    body = "\n".join(each.text for each in out[row + 1 :])
    language = read_info(start["info"], body)[0].language
    words = " ".join(match["words"] for match in _MARK.finditer(marks)).split()
    runs = any(word.startswith("exec") for word in words)
    target = next((word.lower() for word in words if _TERMINAL.match(word)), None)
    if "interrupt" in words:
        clicks.interrupts += 1
        clicks.places.setdefault("interrupt", line)
    info = FenceInfo(
        language=language or ("bash" if runs else ""), executable=runs, target=target if runs else None, copyable="copy" in words
    )
    out[row] = out[row].with_text(f"{start['before']}{start['mark']}{info}")


def _without_marks(line: Line, clicks: Clicks) -> str:
    """A line without the marks behind its code spans, which are counted."""

    def bare(match: re.Match[str]) -> str:
        word = next(iter(match["words"].split()), "")
        if word:
            mark = f"{{{{{word}}}}}"
            clicks.inline[mark] += 1
            clicks.places.setdefault(mark, line)
        return match["code"]

    return _INLINE.sub(bare, line.text)
