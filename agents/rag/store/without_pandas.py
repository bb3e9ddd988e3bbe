"""Imports pymilvus without pandas, which it knows for callers that hand it data frames.

This agent hands it none, and pandas is half of what importing pymilvus takes: a second of processor time and 35 MB. While
the block runs, what pymilvus imports of pandas are empty types and functions that refuse to be called; afterwards whoever
imports pandas gets the real one. If a pymilvus wants more of pandas than that, the block ends as if nothing had been tried,
and the import is done again with the real one.
"""

import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn

_TYPES = ("DataFrame", "Series")
_FUNCTIONS = ("infer_dtype", "is_array_like", "is_bool", "is_float", "is_integer", "is_list_like", "is_scalar")


def without_pandas[T](load: Callable[[], T]) -> T:
    """What `load` gives, which imports pymilvus."""
    if "pandas" in sys.modules or "pymilvus" in sys.modules:
        return load()
    stand_ins = _stand_ins()
    sys.modules.update(stand_ins)
    try:
        return load()
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "pymilvus"]:
            del sys.modules[name]
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)
    return load()


def _stand_ins() -> dict[str, types.ModuleType]:
    pandas, api, checks = (types.ModuleType(name) for name in ("pandas", "pandas.api", "pandas.api.types"))
    for name in _TYPES:
        setattr(pandas, name, type(name, (), {}))
    for name in _FUNCTIONS:
        setattr(checks, name, _refuse)
    pandas.api, api.types = api, checks  # type: ignore[attr-defined]
    return {module.__name__: module for module in (pandas, api, checks)}


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("pymilvus was imported without pandas; see agents.rag.store.without_pandas")
