"""JSON from strangers: nested too deeply, numbers without end and half characters are answered, never a crash."""

import json
import re
from collections import Counter
from typing import Any

_HALF = re.compile(r"[\ud800-\udfff]")


class UnsafeJsonError(ValueError):
    """Not JSON that is read here; the sentence names the line where it is known."""


def load_json(text: str, twice: list[str] | None = None) -> Any:
    """The value of a JSON document.

    Args:
        text: The document.
        twice: Takes up the keys that stand more than once in one object, of which the last counts.

    Raises:
        UnsafeJsonError: Not JSON, or nested too deeply.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if twice is not None and len(dict(pairs)) < len(pairs):
            twice.extend(sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1))
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=once)
        return whole_characters(value) if "\\ud" in text.lower() else value
    except json.JSONDecodeError as error:
        raise UnsafeJsonError(f"is not JSON: {error.msg} in line {error.lineno}") from error
    except RecursionError as error:
        raise UnsafeJsonError("is nested too deeply to be read") from error
    except ValueError as error:
        raise UnsafeJsonError("holds a number that is too long to be read") from error


def whole_characters(value: Any) -> Any:
    """`value` with every half of a surrogate pair, which no file can hold, as a replacement character."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [whole_characters(row) for row in value]
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(row) for key, row in value.items()}
    return value
