"""The form that an Educates examiner's test asks its values by: what it asks for, and what its fields begin with.

The test's script reads the values as one JSON object on its standard input.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | int | float | bool

_TRUTHS = {"true": True, "false": False}
_READ: Mapping[str, Callable[[str], Value]] = {"integer": int, "number": float, "boolean": lambda word: _TRUTHS[word.lower()]}


@dataclass(frozen=True)
class Field:
    """One value that is asked for.

    Attributes:
        title: For people.
        choices: The values that may be chosen; none where anything may be said.
        begins: What the field holds before anybody changes it; None where that is nothing.
        required: Whether it must be answered.
    """

    name: str
    title: str
    choices: tuple[str, ...]
    begins: Value | None
    required: bool

    def said(self) -> str:
        """The question as text, with what may be chosen and what the step's check takes."""
        chosen = f" ({', '.join(f'`{each}`' for each in self.choices)})" if self.choices else ""
        taken = f" (the check takes `{_word(self.begins)}`)" if self.begins is not None else ""
        return f"{self.title}{chosen}{taken}"


def input_fields(inputs: object) -> list[Field]:
    """What a test asks its reader for; nothing where that cannot be read."""
    schema = inputs.get("schema") if isinstance(inputs, dict) else None
    found = []
    for name, about in schema.items() if isinstance(schema, dict) else ():
        row = about if isinstance(about, dict) else {}
        choices = row.get("enum")
        found.append(
            Field(
                name=str(name),
                title=str(row.get("title") or name),
                choices=tuple(str(each) for each in choices) if isinstance(choices, list) else (),
                begins=_begins(row),
                required=row.get("required") is True,
            )
        )
    return found


def answers_of(fields: Sequence[Field]) -> str:
    """The values that the form begins with as JSON; empty where one that must be answered begins with nothing."""
    if not fields or any(field.begins is None and (field.required or field.choices) for field in fields):
        return ""
    known = {field.name: field.begins for field in fields if field.begins is not None}
    return json.dumps(known, ensure_ascii=False) if known else ""


def _begins(row: Mapping[str, Any]) -> Value | None:
    """A field's default, in the type that the form sends."""
    begins = row.get("default")
    if not isinstance(begins, str | int | float) or begins == "":
        return None
    read = _READ.get(str(row.get("type")))
    if read is None:
        return _word(begins)
    try:
        return read(str(begins))
    except (ValueError, KeyError):
        return None


def _word(value: Value | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
