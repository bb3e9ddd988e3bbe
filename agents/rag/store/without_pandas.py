"""Imports pymilvus and milvus_lite without pandas, which they know for callers that hand them data frames.

This agent hands them none, and pandas is half of what importing pymilvus takes: a second of processor time and 35 MB. While
pymilvus is imported, what it takes of pandas are empty types and functions that refuse to be called; if a pymilvus wants more
than that, it is imported again with the real one. pyarrow, under milvus_lite, looks for pandas at its first use and goes
without where there is none, so it is made to look here. Afterwards whoever imports pandas gets the real one.
"""

import importlib
import sys
import types
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from typing import Any, NoReturn

_TYPES = ("DataFrame", "Series")
_FUNCTIONS = ("infer_dtype", "is_array_like", "is_bool", "is_float", "is_integer", "is_list_like", "is_scalar")


def without_pandas[T](load: Callable[[], T]) -> T:
    """What `load` gives, which imports pymilvus and milvus_lite. Nobody else may import pandas meanwhile."""
    if "pandas" in sys.modules or "pymilvus" in sys.modules:
        return load()
    try:
        return _load(load)
    finally:
        _hide_from_pyarrow()


def _load[T](load: Callable[[], T]) -> T:
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


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not wanted here", name=name)


def _hide_from_pyarrow() -> None:
    pyarrow = sys.modules.get("pyarrow.lib")
    if pyarrow is None or "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        # Both look once, and remember. The second is what milvus_lite reads its files with.
        getattr(getattr(pyarrow, "_pandas_api", None), "have_pandas", None)
        importlib.import_module("pyarrow.dataset")
    finally:
        sys.meta_path.remove(finder)


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
