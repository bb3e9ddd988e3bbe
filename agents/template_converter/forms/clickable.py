"""Educates' clickable actions, fenced blocks whose info string is an action and whose body is YAML, in the neutral form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.forms.editor_actions import by_hand
from agents.template_converter.forms.examiner_inputs import answers_of, input_fields
from agents.template_converter.forms.fences import read_info
from agents.template_converter.forms.lines import Line, indentation
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from shared_services.contracts.conversion import Loss
from shared_services.contracts.workshop import FenceInfo, parse_fence_info

_OPENING = re.compile(r"^(?P<before>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_CLASSIC = re.compile(r"^(?P<action>execute|copy|copy-and-edit)(?:-(?P<session>\w+))?$")
_NAMED = re.compile(r"^(?P<kind>terminal|workshop|editor|dashboard|examiner|files|section):(?P<verb>[\w-]+)$")
_DATA = re.compile(r"\{\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_HELD = re.compile("\ue000(?P<name>[A-Za-z_][A-Za-z0-9_]*)\ue001")
_INTERRUPT = re.compile(r"^<\s*ctrl[-+]c\s*>$", re.IGNORECASE)
_IN_LIST = 2
"""Columns before a block that stands in a list's item."""
_TITLED = frozenset({"terminal", "workshop", "editor", "dashboard", "files"})
_KEY = re.compile(r"^(?P<key>[A-Za-z]+):(?:[ \t]+(?P<value>.*))?$")
_KEYS = frozenset(
    {
        "command", "text", "session", "file", "path", "url", "name", "title", "clear", "description", "prefix", "line", "match",
        "replacement", "before", "after", "start", "stop", "isRegex", "group", "count", "autostart", "cascade", "hidden",
        "background", "endl", "src", "dest", "focus", "cooldown", "event",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Test:
    """An examiner's test that a page runs: its file's name, what it is given, and the line that names it.

    Attributes:
        asks: Whether a form asks the participant for values before it is run; the script reads them as JSON.
        answers: These values where the form has one for each, as JSON.
    """

    name: str
    arguments: tuple[str, ...]
    line: Line
    asks: bool = False
    answers: str = ""


@dataclass
class Actions:
    """What was met on the way.

    Attributes:
        tests: Examiner tests, in order.
        losses: Actions that have become words or plain blocks.
    """

    tests: list[Test] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


@dataclass(frozen=True)
class _Block:
    """A fenced block: its first and last line, what stands before its marks, its info string and its body."""

    lines: list[Line]
    before: str
    mark: str
    info: str

    @property
    def body(self) -> list[Line]:
        return self.lines[1:-1] if len(self.lines) > 1 else []


def clickable_actions(lines: list[Line], actions: Actions) -> list[Line]:
    """A page whose actions are the neutral form's code blocks, or words where it has no block for them."""
    out: list[Line] = []
    row = 0
    while row < len(lines):
        match = _OPENING.match(lines[row].text)
        if match is None or (match["mark"][0] == "`" and "`" in match["info"]):
            out.append(lines[row])
            row += 1
            continue
        end, closed = _end(lines, row, match["mark"])
        closing = [] if closed else [lines[row].made(f"{match['before']}{match['mark']}")]
        block = _Block([*lines[row : end + 1], *closing], match["before"], match["mark"], match["info"].strip())
        out += _block(block, actions)
        row = end + 1
    return out


def _end(lines: list[Line], first: int, mark: str) -> tuple[int, bool]:
    """The last row of a block, and whether it closes it.

    A block of a list's item that nothing closes before another one opens ends with the item, as it does on the page.
    """
    closing = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
    left = 0
    for row in range(first + 1, len(lines)):
        text = lines[row].text
        if closing.match(text):
            return row, True
        if left and (opening := _OPENING.match(text)) and opening["mark"] == mark and opening["info"].strip():
            return left, False
        if not left and indentation(lines[first].text) >= _IN_LIST and text.strip() and not indentation(text):
            left = next(last for last in range(row - 1, first - 1, -1) if not lines[last].blank)
    return len(lines) - 1, False


def _block(block: _Block, actions: Actions) -> list[Line]:
    word = block.info.split()[0] if block.info else ""
    classic, named = _CLASSIC.match(word), _NAMED.match(word)
    if classic:
        runs = classic["action"] == "execute"
        if runs and _INTERRUPT.match("\n".join(line.text for line in block.body).lstrip(" \t>\n").rstrip()):
            return _interrupt(block, {"session": classic["session"]}, actions)
        named_language = parse_fence_info(" ".join(block.info.split()[1:2])).language
        info = FenceInfo(
            language=named_language or ("bash" if runs else "text"),
            executable=runs, target=classic["session"] if runs else None, copyable=not runs,
        )  # fmt: skip
        return [_opened(block, info), *block.lines[1:]]
    if named is None:
        body = "\n".join(line.text for line in block.body)
        return [_opened(block, FenceInfo(language=read_info(block.info, body)[0].language)), *block.lines[1:]]
    values = _values(block, actions)
    make = _MADE.get(word) or _MADE.get(named["kind"])
    title = _text(values or {}, "title").replace("*", "") if named["kind"] in _TITLED else ""
    said = _text(values or {}, "description") if named["kind"] in _TITLED else ""
    words = [f"**{title}**"] if title.strip() else []
    words += [said] if said.strip() else []
    head, inner = _under(block, ": ".join(words)) if words else ([], block)
    made = make(inner, values, actions) if values is not None and make is not None else None
    if made is not None:
        return [*head, *made]
    _lose(block, actions, f"The action `{word}` is shown as it is written.")
    return [_opened(block, FenceInfo(language="yaml")), *block.lines[1:]]


def _opened(block: _Block, info: FenceInfo) -> Line:
    return block.lines[0].with_text(f"{block.before}{block.mark}{info}")


def _values(block: _Block, actions: Actions) -> dict[str, Any] | None:
    """An action's YAML; `{{name}}` would be a mapping there, so names are held in marks that YAML reads as text."""
    width = len(block.before)
    text = "\n".join(line.text[width:] if not line.text[:width].strip(" \t>") else line.text for line in block.body)
    held = _DATA.sub(lambda match: f"\ue000{match['name']}\ue001", text)
    try:
        value = load_plain(held) if text.strip() else {}
    except UnsafeYamlError:
        value = _line_by_line(held)
        if value:
            _lose(block, actions, "The action is not YAML, so each of its lines was read by itself.", "action")
    if not isinstance(value, dict):
        return None
    return {str(key): _named(each) for key, each in value.items()}


def _line_by_line(text: str) -> dict[str, Any] | None:
    """`key: text` lines that are no YAML, for example because the text holds a colon; None where it is something else."""
    values: dict[str, Any] = {}
    last = ""
    for line in text.strip("\n").split("\n"):
        match = _KEY.match(line)
        if match and match["key"] in _KEYS and match["key"] not in values:
            last = match["key"]
            values[last] = (match["value"] or "").strip()
            if values[last] in ("|", "|-", ">", ">-") or values[last].startswith(("[", "{ ", "&", "*")):
                return None
        elif last in ("command", "text"):
            values[last] += f"\n{line}"
        else:
            return None
    return values if any(values.get(key) for key in ("command", "text")) else None


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {_named(key): _named(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_named(each) for each in value]
    return _HELD.sub(lambda match: f"{{{{{match['name']}}}}}", value) if isinstance(value, str) else value


def _text(values: Mapping[str, Any], *keys: str) -> str:
    return next((str(values[key]) for key in keys if isinstance(values.get(key), str | int | float)), "")


def _fenced(block: _Block, info: FenceInfo, text: str) -> list[Line]:
    """A block of `text`, each line with the place that it has in the action's body where it is found there."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    mark = "`" * max(3, longest + 1)
    first, pad = block.lines[0], " " * len(block.before) if block.before.strip() else block.before
    rows = []
    at = 0
    for row in text.rstrip("\n").split("\n"):
        found = next(
            (index for index in range(at, len(block.body)) if row.strip() and row.strip() in block.body[index].text), None
        )
        place = block.body[found] if found is not None else first
        at = found + 1 if found is not None else at
        made = f"{pad}{row}" if row else ""
        rows.append(place.with_text(made) if found is not None else place.made(made))
    return [first.with_text(f"{block.before}{mark}{info}"), *rows, block.lines[-1].with_text(f"{pad}{mark}")]


def _under(block: _Block, words: str) -> tuple[list[Line], _Block]:
    """Words in the block's place, and the block below them, in the same item of a list."""
    pad = " " * len(block.before) if block.before.strip() else block.before
    first = block.lines[0]
    below = _Block([first.with_text(f"{pad}{first.text[len(block.before) :]}"), *block.lines[1:]], pad, block.mark, block.info)
    return [first.made(f"{block.before}{_on_one_line(words)}"), first.made("")], below


def _on_one_line(words: str) -> str:
    """Words from YAML may hold line ends, and a line of a page none."""
    return " ".join(words.split())


def _said(block: _Block, words: str) -> list[Line]:
    return [block.lines[0].with_text(f"{block.before}{_on_one_line(words)}")]


def _lose(block: _Block, actions: Actions, detail: str, kind: str = "action") -> None:
    actions.losses.append(Loss(kind=kind, source=block.lines[0].file, line=block.lines[0].number, detail=detail))


def _execute(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    command = _text(values, "command")
    session = _text(values, "session")
    if values.get("command") == "":
        _lose(block, actions, "The action that sends an empty line has become words.", "code")
        return _said(block, f"Press Enter in {_terminal(values)}.")
    return _fenced(block, FenceInfo(language="bash", executable=True, target=session or None), command) if command else None


def _execute_all(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    _lose(block, actions, "The command runs in every terminal there; here it runs in one.")
    return _execute(block, {"command": _text(values, "command")}, actions)


def _copied(block: _Block, values: dict[str, Any], _actions: Actions) -> list[Line] | None:
    text = _text(values, "text")
    return _fenced(block, FenceInfo(language="text", copyable=True), text) if text else None


def _terminal(values: Mapping[str, Any]) -> str:
    session = _text(values, "session")
    return f"terminal {session}" if session and session not in ("1", "all") else "the terminal"


def _interrupt(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    _lose(block, actions, "The action that sends Ctrl-C has become words.", "code")
    return _said(block, f"Press Ctrl-C in {_terminal(values)}.")


def _clear(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    _lose(block, actions, "The action that clears the terminal has become words.", "code")
    return _said(block, f"Clear {_terminal(values)}.")


def _select(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    _lose(block, actions, "The action that goes to a terminal has become words.", "code")
    return _said(block, f"Go to {_terminal(values)}.")


def _address(url: str) -> str:
    return f"[{url}]({url})" if re.match(r"https?://\S+$", url) and "{{" not in url else f"`{url}`"


def _open_url(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    url = _text(values, "url")
    if not url:
        return None
    _lose(block, actions, f"The action that opens {url} has become a link.", "code")
    return _said(block, _address(url) if _address(url).startswith("[") else f"Open `{url}`.")


def _dashboard(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    name = _text(values, "name") or "the dashboard"
    url = _text(values, "url")
    _lose(block, actions, f"The action on the tab “{name}” has become words.", "code")
    if block.info.split()[0] == "dashboard:delete-dashboard":
        return _said(block, f"Close the tab **{name}**.")
    if url.startswith("terminal:"):
        return _said(block, f"Open the tab **{name}** with a terminal (`{url.partition(':')[2]}`).")
    return _said(block, f"Open the tab **{name}**: {_address(url)}" if url else f"Open the tab **{name}**.")


def _editor(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    verb = block.info.split()[0].partition(":")[2]
    deed = by_hand(verb, values)
    file = _text(values, "file", "path", "dest", "command")
    _lose(block, actions, f"The editor's action `{verb}` on `{file}` is done by hand here.", "action" if deed.text else "code")
    if not deed.text:
        return _said(block, deed.words)
    head, inner = _under(block, deed.words)
    if deed.sought:
        pad = block.lines[0].made(inner.before.rstrip())
        head += [*_fenced(inner, FenceInfo(language=deed.language), deed.sought), pad]
    return [*head, *_fenced(inner, FenceInfo(language=deed.language, copyable=not verb.startswith("select")), deed.text)]


def _test(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    name, title = _text(values, "name"), _text(values, "title")
    arguments = values.get("args")
    given = tuple(str(each) for each in arguments) if isinstance(arguments, list) else ()
    fields = input_fields(values.get("inputs"))
    answers = answers_of(fields)
    if name and not values.get("url"):
        actions.tests.append(Test(name, given, block.lines[0], asks=bool(values.get("inputs")), answers=answers))
    detail = f"The test `{name}` is run by the step's check."
    if values.get("url"):
        detail = (
            f"The test `{name}` is made by a service of the session ({_text(values, 'url')}), which the step's check cannot ask."
        )
    elif values.get("inputs") and answers:
        detail = (
            f"The test `{name}` asks for values in a form. The step's check gives it those that the form begins with, {answers}, "
            "and asks nobody; the text says so."
        )
    elif values.get("inputs"):
        detail = (
            f"The test `{name}` asks for values in a form that only a participant can give, so it is not in the step's check; "
            f"its script is kept as `files/tests/{name}`. Write a quiz, or a check that finds the values by itself."
        )
    _lose(block, actions, detail, "code")
    rows = _said(block, f"Check: {title or name}")
    for each in fields:
        rows += [block.lines[0].made(""), block.lines[0].made(f"{' ' * len(block.before)}- {_on_one_line(each.said())}")]
    return rows


def _download(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    path = _text(values, "path", "url", "download")
    _lose(block, actions, f"The action that hands out `{path}` has become words.", "code")
    return _said(block, f"Take the file `{path}`.")


def _section(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    """A section that folds; what is called a hint or a solution finds its place as any other folded text does."""
    first = block.lines[0]
    if block.info.split()[0] == "section:heading":
        _lose(block, actions, "The heading that is clicked to be done has become bold text.", "code")
        return _said(block, f"**{_text(values, 'title') or 'Section'}**")
    if block.info.split()[0] == "section:end":
        return [first.with_text(f"{block.before}</details>")]
    title = _on_one_line(_text(values, "title")) or "More"
    _lose(block, actions, f"The section “{title}” that folds is a quote here, or the step's hint or solution.", "code")
    return [first.with_text(f"{block.before}<details>"), first.made(f"{block.before}<summary>{title}</summary>"), first.made("")]


_MADE: Mapping[str, Callable[[_Block, dict[str, Any], Actions], list[Line] | None]] = {
    "terminal:execute": _execute,
    "terminal:execute-all": _execute_all,
    "terminal:input": _copied,
    "terminal:interrupt": _interrupt,
    "terminal:interrupt-all": _interrupt,
    "terminal:select": _select,
    "terminal:clear": _clear,
    "terminal:clear-all": _clear,
    "workshop:copy": _copied,
    "workshop:copy-and-edit": _copied,
    "dashboard:open-url": _open_url,
    "dashboard": _dashboard,
    "editor": _editor,
    "examiner:execute-test": _test,
    "files": _download,
    "section:heading": _section,
    "section:begin": _section,
    "section:end": _section,
}
