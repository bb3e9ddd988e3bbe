"""Killercoda's and Katacoda's marks behind code, `{{exec}}`, `{{copy}}`, `{{execute T1}}`, as the neutral form says them."""

import re
from collections import Counter
from dataclasses import dataclass, field

from agents.template_converter.forms.click_lines import commands_as_blocks, files_as_blocks
from agents.template_converter.forms.fences import read_info
from agents.template_converter.forms.lines import Line, outside_fences
from shared_services.contracts.conversion import Loss
from shared_services.contracts.workshop import FenceInfo

_OPENING = re.compile(r"^(?P<before>(?P<indent>[ \t>]*)(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_MARK = re.compile(r"\{\{(?P<words>\s*+(?:exec(?:ute)?|copy|open)(?:\s[^{}\n]*+)?|\s[^{}\n]*+|)\s*+\}\}")
_CARELESS = re.compile(
    r"^(?P<text>.*?)(?<![`~])(?P<ticks>`{3,}+|~{3,}+)[ \t]*"
    r"(?P<marks>\{\{\s*(?:exec(?:ute)?|copy)\b[^{}\n]*\}\}(?:[ \t]*+\{\{[^{}\n]*\}\})*+)(?P<rest>[^`\n]*+)$"
)
_BEHIND_CODE_ALONE = re.compile(r"^(?P<text>[^`\n]*[^`\s>][^`\n]*?)[ \t]*(?P<ticks>`{3,})[ \t]*(?P<marks>)(?P<rest>)$")
_BEHIND_CODE = re.compile(r"(?<=`)[ \t]?\{\{\s*(?P<word>exec(?:ute)?|copy|open)\b[^{}\n]*\}\}")
_INLINE = re.compile(r"(?P<code>(?<!`)(?P<tick>`+)(?!`).{1,1000}?(?<!`)(?P=tick)(?!`))" + _MARK.pattern)
_TRAFFIC = re.compile(r"\{\{\s*(TRAFFIC_[A-Z0-9_]+)\s*\}\}")
_KATACODA = re.compile(
    r"https?://\[\[HOST(?P<host>\d*)_SUBDOMAIN\]\]-(?P<port>\d+)-\[\[KATACODA_HOST\]\]\.environments\.katacoda\.com"
)
_PLACE = re.compile(
    r"\[\[(?P<name>(?:(?:HOST|CLIENT|NODE|MASTER)\d*_(?:SUBDOMAIN|IP)|KATACODA_(?:HOST|DOMAIN)))\]\]", re.IGNORECASE
)
_TERMINAL = re.compile(r"^(?:T|HOST)\d+$", re.IGNORECASE)


@dataclass
class Clicks:
    """What was met on the way.

    Attributes:
        variables: Names that are filled in at run time.
        inline: Marks behind code inside a sentence, with how often.
        interrupts: Blocks that end what runs before them.
        files: Blocks that go to a file of the editor.
    """

    variables: set[str] = field(default_factory=set)
    inline: Counter[str] = field(default_factory=Counter)
    interrupts: int = 0
    files: int = 0
    places: dict[str, Line] = field(default_factory=dict)

    def losses(self) -> list[Loss]:
        """A row for each kind of mark that the neutral form has no word for."""
        rows = []
        for mark, count in sorted(self.inline.items()):
            line = self.places[mark]
            what = (
                "a link that opens the file in the editor"
                if "open" in mark
                else "a button, which a step has behind code blocks alone"
            )
            detail = f"`{mark}` behind code in a sentence makes {what} ({count} times)."
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        if self.interrupts:
            line = self.places["interrupt"]
            detail = f"`interrupt` sends Ctrl-C before the command; here its reader does ({self.interrupts} times)."
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        if self.files:
            line = self.places["file"]
            detail = f'`<pre class="file">` puts its text into a file of the editor; here it is for copying ({self.files} times).'
            rows.append(Loss(kind="attribute", source=line.file, line=line.number, detail=detail))
        return rows

    def met_file(self, line: Line) -> None:
        """Count a block that goes to a file of the editor."""
        self.files += 1
        self.places.setdefault("file", line)


def code_that_runs_at_a_click(lines: list[Line], clicks: Clicks) -> list[Line]:
    """A page with its marks in the neutral form: those behind a closing fence go to its info string."""
    lines = files_as_blocks(_fences([_placed(line, clicks) for line in lines], clicks), clicks.met_file)
    lines = commands_as_blocks(lines, lambda marks, line: str(_info(marks, "", line, clicks)))
    return [line if inside else line.with_text(_without_marks(line, clicks)) for _, line, inside in outside_fences(lines)]


def _placed(line: Line, clicks: Clicks) -> Line:
    """A line whose addresses of the environment are variables."""
    found = _KATACODA.sub(lambda match: f"{{{{TRAFFIC_HOST{match['host'] or 1}_{match['port']}}}}}", line.text)
    clicks.variables.update(_TRAFFIC.findall(found))

    def variable(match: re.Match[str]) -> str:
        clicks.variables.add(match["name"].upper())
        return f"{{{{{match['name'].upper()}}}}}"

    found = _PLACE.sub(variable, found)
    return line if found == line.text else line.with_text(found)


def _fences(lines: list[Line], clicks: Clicks) -> list[Line]:
    """The page with the marks behind closing fences in the info strings of the opening ones."""
    out: list[Line] = []
    opening: tuple[int, re.Match[str]] | None = None
    last: dict[str, int] = {}
    odd = _odd_fences_below(lines)
    for row, line in enumerate(lines):
        start = _OPENING.match(line.text)
        if opening is None:
            if start:
                opening = (len(out), start)
            out.append(line)
            continue
        mark = opening[1]["mark"]
        if mark not in last:
            last[mark] = max((at for at, each in enumerate(lines) if _closing(each.text, mark)), default=-1)
        end = _closing(line.text, mark) or _careless(line.text, mark, properly_closed=last[mark] > row)
        if end is None and not odd[row]:
            end = _unmarked(line.text, mark)
        if end is None:
            out.append(line)
            continue
        if end["text"].strip(" \t>"):
            out += [line.with_text(end["text"]), line.made(f"{opening[1]['indent']}{mark}")]
        else:
            out.append(line.with_text(f"{end['text']}{mark}"))
        _close(out, opening, end["marks"], line, clicks)
        if end["rest"].strip(" \t.,;:"):
            out.append(line.with_text(f"{opening[1]['indent']}{end['rest'].strip()}"))
        opening = None
    if opening is not None:
        _close(out, opening, "", lines[-1], clicks)
    return out


def _closing(text: str, mark: str) -> re.Match[str] | None:
    """A closing fence with the marks behind it; None where the line closes nothing."""
    return re.match(
        rf"^(?P<text>[ \t>]*){re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?P<marks>(?:\{{\{{[^{{}}\n]*\}}\}}[ \t]*)*)(?P<rest>)$",
        text,
    )


def _careless(text: str, mark: str, *, properly_closed: bool) -> re.Match[str] | None:
    """A fence that a mark behind it says to be the closing one, though it stands behind code, before words, or is too short."""
    found = _CARELESS.match(text) if "}}" in text else None
    if found is None or found["ticks"][0] != mark[0] or mark in found["text"]:
        return None
    return found if found["ticks"] == mark or (len(found["ticks"]) < len(mark) and not properly_closed) else None


def _unmarked(text: str, mark: str) -> re.Match[str] | None:
    """A fence behind the last line of its code, `]` and three ticks, which these sites take for the closing one."""
    found = _BEHIND_CODE_ALONE.match(text) if "```" in text else None
    return found if found and found["ticks"] == mark and not _OPENING.match(text) else None


def _odd_fences_below(lines: list[Line]) -> list[bool]:
    """For each row whether an odd number of fences stands below it: then one that is open there is closed further down."""
    odd, found = False, [False] * len(lines)
    for row in range(len(lines) - 1, -1, -1):
        found[row] = odd
        text = lines[row].text
        if "```" in text and (_OPENING.match(text) or _closing(text, "```") or _BEHIND_CODE_ALONE.match(text)):
            odd = not odd
    return found


def _close(out: list[Line], opening: tuple[int, re.Match[str]], marks: str, line: Line, clicks: Clicks) -> None:
    row, start = opening
    body = "\n".join(each.text for each in out[row + 1 :])
    info = _info(marks, read_info(start["info"], body)[0].language, line, clicks)
    out[row] = out[row].with_text(f"{start['before']}{start['mark']}{info}")


def _info(marks: str, language: str, line: Line, clicks: Clicks) -> FenceInfo:
    """What the marks behind a block say of it."""
    words = " ".join(match["words"] for match in _MARK.finditer(marks)).split()
    runs = any(word.startswith("exec") for word in words)
    target = next((word.lower() for word in words if _TERMINAL.match(word)), None)
    if "interrupt" in words:
        clicks.interrupts += 1
        clicks.places.setdefault("interrupt", line)
    return FenceInfo(
        language=language or ("bash" if runs else ""), executable=runs, target=target if runs else None, copyable="copy" in words
    )


def _without_marks(line: Line, clicks: Clicks) -> str:
    """A line without the marks behind its code spans, which are counted."""

    def bare(match: re.Match[str]) -> str:
        word = next(iter(match["words"].split()), "")
        if word:
            mark = f"{{{{{word}}}}}"
            clicks.inline[mark] += 1
            clicks.places.setdefault(mark, line)
        return match["code"]

    def counted(match: re.Match[str]) -> str:
        mark = f"{{{{{match['word']}}}}}"
        clicks.inline[mark] += 1
        clicks.places.setdefault(mark, line)
        return ""

    return _BEHIND_CODE.sub(counted, _INLINE.sub(bare, line.text)) if "}}" in line.text else line.text
