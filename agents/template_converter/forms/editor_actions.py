"""What Educates' editor does at a click, in words for somebody who does it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_LANGUAGES: Mapping[str, str] = {
    "py": "python", "js": "javascript", "ts": "typescript", "yml": "yaml", "yaml": "yaml", "json": "json", "java": "java",
    "go": "go", "sh": "bash", "html": "html", "xml": "xml", "css": "css", "md": "markdown", "toml": "toml", "sql": "sql",
}  # fmt: skip


@dataclass(frozen=True)
class Deed:
    """What to do by hand: words, and the text that they speak of (empty where there is none) with its language.

    Attributes:
        sought: Text of several lines that is to be found first; the words speak of it, and then of the other as "this".
    """

    words: str
    text: str = ""
    language: str = "text"
    sought: str = ""


def by_hand(verb: str, values: Mapping[str, Any]) -> Deed:
    """An editor's action as a person does it."""
    file = _word(values, "file", "path") if verb not in _YAML else _word(values, "file")
    language = _LANGUAGES.get(file.rpartition(".")[2].lower(), "text")
    text = _word(values, "text")
    if verb in _YAML:
        value = values.get("value")
        shown = "" if value is None else value if isinstance(value, str) else _dumped(value)
        place = f" at `{_word(values, 'path')}`" if _word(values, "path") else ""
        return Deed(f"{_YAML[verb]} `{file}`{place}" + (":" if shown else "."), shown, "yaml")
    if verb in _FILES:
        return Deed(_FILES[verb].format(file=file, src=_word(values, "src"), dest=_word(values, "dest")))
    if verb == "execute-command":
        arguments = values.get("args")
        shown = _dumped(arguments) if arguments else ""
        return Deed(f"Run the editor's command `{_word(values, 'command')}`" + (" with:" if shown else "."), shown, "yaml")
    if verb == "replace-matching-text":
        new, sought = _word(values, "replacement") or text, _word(values, "match")
        if "\n" in sought.strip("\n"):
            return Deed(f"In `{file}`, replace the first of these by the second:", new, language, sought)
        return Deed(f"In `{file}`, replace `{sought.strip()}` with:", new, language)
    lines = _range(values)
    match = " ".join(_word(values, "match").split())
    said = {
        "append-lines-to-file": f"Add to the end of `{file}`:",
        "create-file": f"Write this to `{file}`:",
        "insert-lines-before-line": f"Insert into `{file}` before line {_word(values, 'line')}:",
        "insert-lines-after-line": f"Insert into `{file}` behind line {_word(values, 'line')}:",
        "append-lines-after-match": f"Insert into `{file}` behind the line with `{match}`:",
        "select-matching-text": f"Find in `{file}`:",
        "select-lines-in-range": f"Look at {lines} of `{file}`.",
        "replace-text-selection": f"Replace what is selected in `{file}` with:",
        "replace-lines-in-range": f"Replace {lines} of `{file}` with:",
        "delete-lines-in-range": f"Delete {lines} of `{file}`.",
        "delete-matching-lines": f"Delete the line with `{match}` from `{file}`.",
    }.get(verb, f"In `{file}`:" if text else f"Open `{file}` in the editor{_at(values)}.")
    return Deed(said, text, language)


def _at(values: Mapping[str, Any]) -> str:
    line = _word(values, "line")
    return f", at line {line}" if line and line != "1" else ""


def _range(values: Mapping[str, Any]) -> str:
    start, stop = _word(values, "start"), _word(values, "stop")
    return f"lines {start} to {stop}" if stop and stop != start else f"line {start}"


def _word(values: Mapping[str, Any], *keys: str) -> str:
    return next((str(values[key]) for key in keys if isinstance(values.get(key), str | int | float)), "")


def _dumped(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000).removesuffix("...\n")


_YAML: Mapping[str, str] = {
    "insert-value-into-yaml": "Add this to",
    "yaml-set-value": "Set this in",
    "yaml-add-item": "Add this item to",
    "yaml-insert-item": "Insert this item into",
    "yaml-replace-item": "Replace with this in",
    "yaml-delete-value": "Delete from",
    "yaml-merge-values": "Merge this into",
    "yaml-select-path": "Look into",
}
_FILES: Mapping[str, str] = {
    "copy-file": "Copy `{src}` to `{dest}`.",
    "rename-file": "Rename `{src}` to `{dest}`.",
    "close-file": "Close `{file}` in the editor.",
    "delete-file": "Delete `{file}`.",
}
