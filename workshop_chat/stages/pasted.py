"""A terminal's output in a message: told from the participant's own words, and reduced to the lines that identify the error."""

import re
from dataclasses import dataclass

MOST_LINES = 4
MOST_LINE_CHARACTERS = 240

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]"
)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
LONGEST_LINE = 1_000
_PROMPT = re.compile(r"^\s*(?:\[?[\w.-]+@[\w.-]+[^$#\n]{0,60}\]?[$#]|[$#>]|PS [A-Z]:\\[^>\n]{0,80}>)\s+\S")
_FAILS = re.compile(
    r"(?:\b(?:error|exception|fatal|panic|failed|failure|denied|refused|unable to|cannot|can't|could not|not found|no such"
    r"|undefined|unknown|invalid|unauthorized|forbidden|timed? ?out|timeout|unreachable|traceback|segmentation fault|abort(?:ed)?"
    r"|conflict|already exists|unexpected|unsupported|out of memory|killed)\b|[A-Z][A-Za-z]+(?:Error|Exception|BackOff)\b|ERR!"
    r"|\b[A-Z]{2,}-\d{3,}\b|\bexit(?:ed)?(?: with)? (?:code|status)\b)",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r'^\s*(?:at \S+\(.*\)|at .+:\d+:\d+\)?|File "[^"]+", line \d+|\.{3} \d+ more|goroutine \d+|#\d+\s+0x|\S+\.go:\d+)'
)
_CAUSE = re.compile(
    r"^\s*(?:caused by:|e\s{3,}|root cause|fatal:|error:|error\b|panic:|[\w.]*(?:Error|Exception)\b)", re.IGNORECASE
)
_STAMP = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?\]?|\d\d:\d\d:\d\d[.,\d]*)\s*"
    r"(?:\[?(?:INFO|WARN(?:ING)?|ERROR|DEBUG|TRACE|FATAL)\]?\s*)?(?:\d+\s+---\s+\[[^\]]*\]\s*)?",
    re.IGNORECASE,
)
_LOGGED = re.compile(r"^\s*\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d\b")
_PASSING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), " "),
    (re.compile(r"\b0x[0-9a-f]{9,16}\b", re.IGNORECASE), " "),
    (re.compile(r"\b[0-9a-f]{20,64}\b", re.IGNORECASE), " "),
    (re.compile(r"(?<=-)[0-9a-f]{8,10}-[a-z0-9]{5}\b"), " "),
)


@dataclass(frozen=True)
class PastedError:
    """What a message holds of a terminal's output.

    Attributes:
        words: The participant's own words; empty where there is output alone.
        output: The output, without control sequences.
        lines: What identifies the error, the likeliest cause first; empty where nothing in the output says that it failed.
    """

    words: str
    output: str
    lines: tuple[str, ...]


def without_control(text: str) -> str:
    """The text without ANSI sequences and other control characters; line ends and tabs stay."""
    return _ANSI.sub("", text.replace("\r\n", "\n"))


def pasted_error(text: str) -> PastedError | None:
    """A terminal's output in a message; None where there is none.

    Output is what stands in a fence, or lines of a message of several that look like a prompt, a stack frame or a failure.
    One sentence that names an error is the participant's own.
    """
    clean = without_control(text)
    fenced = [match[2] for match in _FENCE.finditer(clean)]
    if fenced:
        words, output = _FENCE.sub("\n", clean), "\n".join(fenced)
        if not any(_looks_pasted(line) for line in output.splitlines()):
            return None
    else:
        words, output = _divided(clean)
        if not output:
            return None
    return PastedError(" ".join(words.split()), output.strip("\n"), identifying_lines(output))


def _divided(text: str) -> tuple[str, str]:
    """Own words and output of a message without fences; the output reaches from its first line to its last."""
    lines = text.splitlines()
    telling = [number for number, line in enumerate(lines) if _looks_pasted(line)]
    if not telling or len([line for line in lines if line.strip()]) < 2:
        return text, ""
    first = telling[0]
    # Words come before the output or, after an empty line, behind it.
    last = next((number for number in range(telling[-1] + 1, len(lines)) if not lines[number].strip()), len(lines))
    if all(_is_sentence(line) for line in lines[first:last] if line.strip()):
        return text, ""
    return "\n".join(lines[:first] + lines[last:]), "\n".join(lines[first:last])


def _looks_pasted(line: str) -> bool:
    # Its beginning tells; over a line of a hundred thousand characters the patterns would take minutes.
    start = line[:LONGEST_LINE]
    return bool(_LOGGED.match(start) or _PROMPT.match(start) or _FRAME.match(start) or _FAILS.search(start))


def _is_sentence(line: str) -> bool:
    """Whether a line reads like something that a person wrote: it asks, or speaks of oneself."""
    return bool(re.search(r"\?\s*$|\b(?:I|my|me|we|please|how do|why)\b", line)) and not _FRAME.match(line)


def identifying_lines(output: str) -> tuple[str, ...]:
    """The lines of an output that name its error, without time stamps and ids that differ from run to run; at most four.

    A line that names a cause comes before one that merely speaks of failure, and the last cause before earlier ones: tools
    print the outermost wrapper first.
    """
    causes: list[str] = []
    others: list[str] = []
    for line in (each[:LONGEST_LINE] for each in without_control(output).splitlines()):
        if _FRAME.match(line) or _PROMPT.match(line) or not _FAILS.search(line):
            continue
        shown = _essence(line)
        if shown and shown not in causes and shown not in others:
            (causes if _CAUSE.match(_STAMP.sub("", line)) else others).append(shown)
    return tuple([*reversed(causes), *others][:MOST_LINES])


def _essence(line: str) -> str:
    line = _STAMP.sub("", line)
    for form, instead in _PASSING:
        line = form.sub(instead, line)
    return " ".join(line.split())[:MOST_LINE_CHARACTERS].strip()
