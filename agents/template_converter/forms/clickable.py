"""Educates' clickable actions, fenced blocks whose info string is an action and whose body is YAML, in the neutral form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.template_converter.forms.fences import read_info
from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from shared_services.contracts.conversion import Loss
from shared_services.contracts.workshop import FenceInfo

_OPENING = re.compile(r"^(?P<before>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")
_CLASSIC = re.compile(r"^(?P<action>execute|copy|copy-and-edit)(?:-(?P<session>\w+))?$")
_NAMED = re.compile(r"^(?P<kind>terminal|workshop|editor|dashboard|examiner|files|section):(?P<verb>[\w-]+)$")
_PARAM = re.compile(r"\{\{[<%]\s*param\s+\"?(?P<name>[A-Za-z_][\w.-]*)\"?\s*[%>]\}\}")
_DATA = re.compile(r"\{\{\s*(?P<name>[a-z_][a-z0-9_]*)\s*\}\}")
_HELD = re.compile("\ue000(?P<name>[a-z_][a-z0-9_]*)\ue001")
_NOT_DATA = frozenset({"end", "else", "nil", "content", "block"})
_LANGUAGES: Mapping[str, str] = {
    "py": "python", "js": "javascript", "ts": "typescript", "yml": "yaml", "yaml": "yaml", "json": "json", "java": "java",
    "go": "go", "sh": "bash", "html": "html", "xml": "xml", "css": "css", "md": "markdown", "toml": "toml", "sql": "sql",
}  # fmt: skip


@dataclass
class Actions:
    """What was met on the way.

    Attributes:
        variables: Names that are filled in at run time.
        tests: Names of examiner tests, in order.
        losses: Actions that have become words or plain blocks.
    """

    variables: set[str] = field(default_factory=set)
    tests: list[str] = field(default_factory=list)
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
    lines = [_with_variables(line, actions) for line in lines]
    while row < len(lines):
        match = _OPENING.match(lines[row].text)
        if match is None or (match["mark"][0] == "`" and "`" in match["info"]):
            out.append(lines[row])
            row += 1
            continue
        end = _end(lines, row, match["mark"])
        block = _Block(lines[row : end + 1], match["before"], match["mark"], match["info"].strip())
        out += _block(block, actions)
        row = end + 1
    return out


def _end(lines: list[Line], first: int, mark: str) -> int:
    closing = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
    return next((row for row in range(first + 1, len(lines)) if closing.match(lines[row].text)), len(lines) - 1)


def _with_variables(line: Line, actions: Actions) -> Line:
    """Hugo's `param` as the neutral form writes it; names in lower case are data, `{{.metadata.name}}` and `{{end}}` are not."""
    text = _PARAM.sub(lambda match: f"{{{{{match['name']}}}}}", line.text)
    actions.variables.update(match["name"] for match in _DATA.finditer(text) if match["name"] not in _NOT_DATA)
    return line if text == line.text else line.with_text(text)


def _block(block: _Block, actions: Actions) -> list[Line]:
    word = block.info.split()[0] if block.info else ""
    classic, named = _CLASSIC.match(word), _NAMED.match(word)
    if classic:
        runs = classic["action"] == "execute"
        info = FenceInfo(
            language="bash" if runs else "text", executable=runs, target=classic["session"] if runs else None, copyable=not runs
        )
        return [_opened(block, info), *block.lines[1:]]
    if named is None:
        body = "\n".join(line.text for line in block.body)
        return [_opened(block, FenceInfo(language=read_info(block.info, body)[0].language)), *block.lines[1:]]
    values = _values(block)
    make = _MADE.get(word) or _MADE.get(named["kind"])
    made = make(block, values, actions) if values is not None and make is not None else None
    if made is not None:
        return made
    _lose(block, actions, f"The action `{word}` is shown as it is written.")
    return [_opened(block, FenceInfo(language="yaml")), *block.lines[1:]]


def _opened(block: _Block, info: FenceInfo) -> Line:
    return block.lines[0].with_text(f"{block.before}{block.mark}{info}")


def _values(block: _Block) -> dict[str, Any] | None:
    """An action's YAML; `{{name}}` would be a mapping there, so names are held in marks that YAML reads as text."""
    width = len(block.before)
    text = "\n".join(line.text[width:] if not line.text[:width].strip(" \t>") else line.text for line in block.body)
    try:
        value = load_plain(_DATA.sub(lambda match: f"\ue000{match['name']}\ue001", text)) if text.strip() else {}
    except UnsafeYamlError:
        return None
    if not isinstance(value, dict):
        return None
    return {str(key): _named(each) for key, each in value.items()}


def _named(value: Any) -> Any:
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
        made = f"{pad}{row}".rstrip() if row else ""
        rows.append(place.with_text(made) if found is not None else place.made(made))
    return [first.with_text(f"{block.before}{mark}{info}"), *rows, block.lines[-1].with_text(f"{pad}{mark}")]


def _said(block: _Block, words: str) -> list[Line]:
    return [block.lines[0].with_text(f"{block.before}{words}")]


def _lose(block: _Block, actions: Actions, detail: str, kind: str = "action") -> None:
    actions.losses.append(Loss(kind=kind, source=block.lines[0].file, line=block.lines[0].number, detail=detail))


def _execute(block: _Block, values: dict[str, Any], _actions: Actions) -> list[Line] | None:
    command = _text(values, "command")
    session = _text(values, "session")
    return _fenced(block, FenceInfo(language="bash", executable=True, target=session or None), command) if command else None


def _execute_all(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    _lose(block, actions, "The command runs in every terminal there; here it runs in one.")
    return _execute(block, {"command": _text(values, "command")}, actions)


def _copied(block: _Block, values: dict[str, Any], _actions: Actions) -> list[Line] | None:
    text = _text(values, "text")
    return _fenced(block, FenceInfo(language="text", copyable=True), text) if text else None


def _interrupt(block: _Block, _values: dict[str, Any], actions: Actions) -> list[Line]:
    _lose(block, actions, "The action that sends Ctrl-C has become words.", "code")
    return _said(block, "Press Ctrl-C in the terminal.")


def _clear(block: _Block, _values: dict[str, Any], actions: Actions) -> list[Line]:
    _lose(block, actions, "The action that clears the terminal has become words.", "code")
    return _said(block, "Clear the terminal.")


def _open_url(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line] | None:
    url = _text(values, "url")
    if not url:
        return None
    _lose(block, actions, f"The action that opens {url} has become a link.", "code")
    return _said(block, f"[{url}]({url})" if re.match(r"https?://\S+$", url) and "{{" not in url else f"Open `{url}`.")


def _dashboard(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    name = _text(values, "name", "title") or "the dashboard"
    _lose(block, actions, f"The action on the tab “{name}” has become words.", "code")
    return _said(block, f"Open the tab **{name}**.")


def _editor(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    file, text = _text(values, "file", "path"), _text(values, "text", "value")
    _lose(block, actions, f"The editor's action on `{file}` is done by hand here.", "action" if text else "code")
    if not text:
        return _said(block, f"Open `{file}` in the editor.")
    language = _LANGUAGES.get(file.rpartition(".")[2].lower(), "text")
    words = block.lines[0].made(f"{block.before}In `{file}`:") if block.before.strip() == "" else None
    made = _fenced(block, FenceInfo(language=language, copyable=True), text)
    return [*([words, block.lines[0].made("")] if words and file else []), *made]


def _test(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    name, title = _text(values, "name"), _text(values, "title")
    if name:
        actions.tests.append(name)
    _lose(block, actions, f"The test `{name}` is run by the step's check.", "code")
    return _said(block, f"Check: {title or name}")


def _download(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    path = _text(values, "path", "url", "download")
    _lose(block, actions, f"The action that hands out `{path}` has become words.", "code")
    return _said(block, f"Take the file `{path}`.")


def _section(block: _Block, values: dict[str, Any], actions: Actions) -> list[Line]:
    """A section that folds; what is called a hint or a solution finds its place as any other folded text does."""
    first = block.lines[0]
    if block.info.split()[0] == "section:end":
        return [first.with_text(f"{block.before}</details>")]
    title = _text(values, "title") or "More"
    _lose(block, actions, f"The section “{title}” that folds is a quote here, or the step's hint or solution.", "code")
    return [first.with_text(f"{block.before}<details>"), first.made(f"{block.before}<summary>{title}</summary>"), first.made("")]


_MADE: Mapping[str, Callable[[_Block, dict[str, Any], Actions], list[Line] | None]] = {
    "terminal:execute": _execute,
    "terminal:execute-all": _execute_all,
    "terminal:input": _copied,
    "terminal:interrupt": _interrupt,
    "terminal:interrupt-all": _interrupt,
    "terminal:clear": _clear,
    "terminal:clear-all": _clear,
    "workshop:copy": _copied,
    "workshop:copy-and-edit": _copied,
    "dashboard:open-url": _open_url,
    "dashboard": _dashboard,
    "editor": _editor,
    "examiner:execute-test": _test,
    "files": _download,
    "section:begin": _section,
    "section:end": _section,
}
