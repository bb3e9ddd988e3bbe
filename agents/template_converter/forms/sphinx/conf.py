"""What a site's `conf.py` says: read as Python's syntax tree and never executed.

Only what is written there as a value counts: literals, names bound to them, their sums, formats and joins. What is computed
in any other way is unknown, and its setting keeps Sphinx's default.
"""

import ast
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_MAX_TEXT = 200_000
_MAX_DEPTH = 60
_MAX_ITEMS = 10_000
_MAX_GROWTH = 20_000_000
_DEFAULT_EXCLUDES = ("_build", "Thumbs.db", ".DS_Store")


class _UnknownError(Exception):
    """A value that only running the file would give."""


@dataclass(frozen=True)
class SphinxConf:
    """Settings of a site.

    Attributes:
        suffixes: Endings of pages with what reads them: `restructuredtext` or `markdown`.
        extlinks: Roles that stand for addresses: `(pattern, caption)`.
        substitutions: MyST's own substitutions.
        myst: MyST's syntax extensions that are switched on.
        other_projects: Names of the projects whose labels references may mean; None where there are none.
    """

    project: str = ""
    title: str = ""
    author: str = ""
    root: str = "index"
    suffixes: dict[str, str] = field(default_factory=lambda: {".rst": "restructuredtext"})
    excludes: tuple[str, ...] = _DEFAULT_EXCLUDES
    prolog: str = ""
    epilog: str = ""
    language: str = ""
    extlinks: dict[str, tuple[str, str]] = field(default_factory=dict)
    substitutions: dict[str, str] = field(default_factory=dict)
    myst: frozenset[str] = frozenset()
    extensions: tuple[str, ...] = ()
    release: str = ""
    version: str = ""
    default_role: str = ""
    other_projects: tuple[str, ...] | None = None


def read_conf(text: str) -> SphinxConf | None:
    """The settings of a `conf.py`; None where it is no Python that can be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text[:_MAX_TEXT])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    values: dict[str, Any] = {}
    _read_body(tree.body, values)
    suffixes = _suffixes(values)
    return SphinxConf(
        project=_text(values.get("project")),
        title=_text(values.get("html_title")) or _text(values.get("html_short_title")),
        author=_text(values.get("author")),
        root=_text(values.get("root_doc")) or _text(values.get("master_doc")) or "index",
        suffixes=suffixes,
        excludes=(*_texts(values.get("exclude_patterns")), *_DEFAULT_EXCLUDES),
        prolog=_raw(values.get("rst_prolog")),
        epilog=_raw(values.get("rst_epilog")),
        language=_text(values.get("highlight_language")),
        extlinks=_extlinks(values.get("extlinks")),
        substitutions=_text_values(values.get("myst_substitutions")),
        myst=frozenset(_texts(values.get("myst_enable_extensions"))),
        extensions=tuple(_texts(values.get("extensions"))),
        release=_text(values.get("release")),
        version=_text(values.get("version")),
        default_role=_text(values.get("default_role")),
        other_projects=_projects(values),
    )


def _read_body(body: list[ast.stmt], values: dict[str, Any]) -> None:
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    _bind(target.id, statement.value, values)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            _bind(statement.target.id, statement.value, values)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            _add(statement.target.id, statement.value, values)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            _grow(statement.value, values)


def _bind(name: str, value: ast.expr, values: dict[str, Any]) -> None:
    try:
        values[name] = _value(value, values, 0)
    except _UnknownError:
        values.pop(name, None)


def _add(name: str, value: ast.expr, values: dict[str, Any]) -> None:
    try:
        values[name] = _sum(values.get(name), _value(value, values, 0))
    except _UnknownError:
        return


def _grow(call: ast.Call, values: dict[str, Any]) -> None:
    """`extensions.append('x')` and `extend`."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and len(call.args) == 1):
        return
    known = values.get(function.value.id)
    if not isinstance(known, list) or function.attr not in ("append", "extend"):
        return
    try:
        new = _value(call.args[0], values, 0)
    except _UnknownError:
        return
    known.extend(new if function.attr == "extend" and isinstance(new, list | tuple) else [new])


def _value(node: ast.expr, names: dict[str, Any], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _UnknownError
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise _UnknownError
        return names[node.id]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return _items(node.elts, names, depth)
    if isinstance(node, ast.Dict):
        return _pairs(node, names, depth)
    if isinstance(node, ast.JoinedStr):
        return _joined([_part(part, names, depth) for part in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _sum(_value(node.left, names, depth + 1), _value(node.right, names, depth + 1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _filled(_value(node.left, names, depth + 1), _value(node.right, names, depth + 1))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _method(node, node.func, names, depth)
    raise _UnknownError


def _items(elements: list[ast.expr], names: dict[str, Any], depth: int) -> list[Any]:
    """What is known of a list; what is not is left out."""
    out = []
    for element in elements:
        try:
            out.append(_value(element, names, depth + 1))
        except _UnknownError:
            continue
    return out


def _pairs(node: ast.Dict, names: dict[str, Any], depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        try:
            if key is not None:
                out[str(_value(key, names, depth + 1))] = _value(value, names, depth + 1)
        except _UnknownError:
            continue
    return out


def _part(node: ast.expr, names: dict[str, Any], depth: int) -> str:
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    value = _value(inner, names, depth + 1)
    if not isinstance(value, str | int | float):
        raise _UnknownError
    return str(value)


def _sum(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return _bounded(left + right)
    if isinstance(left, list) and isinstance(right, list) and len(left) + len(right) <= _MAX_ITEMS:
        return left + right
    raise _UnknownError


def _joined(parts: list[str]) -> str:
    if sum(map(len, parts)) > _MAX_TEXT:
        raise _UnknownError
    return "".join(parts)


def _plain(owner: str, values: list[Any]) -> list[str]:
    """`values` as text, where what they are put into cannot grow without bound."""
    if not all(isinstance(value, str | int | float) for value in values):
        raise _UnknownError
    texts = [str(value) for value in values]
    if (len(owner) + 1) * (sum(map(len, texts)) + 1) > _MAX_GROWTH:
        raise _UnknownError
    return texts


def _filled(text: Any, values: Any) -> str:
    """`text % values` where every value is text."""
    if not isinstance(text, str) or not isinstance(values, str | list | dict) or len(text) > _MAX_TEXT:
        raise _UnknownError
    rows = values if isinstance(values, list) else list(values.values()) if isinstance(values, dict) else [values]
    texts = _plain(text, rows)
    given = dict(zip(values, texts, strict=True)) if isinstance(values, dict) else tuple(texts)
    if "*" in text or any(char.isdigit() for part in text.split("%")[1:] for char in part[:3]):
        raise _UnknownError
    try:
        return _bounded(operator.mod(text, given))
    except (TypeError, ValueError, KeyError) as error:
        raise _UnknownError from error


_TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "strip": str.strip, "lower": str.lower, "upper": str.upper, "title": str.title, "rstrip": str.rstrip, "lstrip": str.lstrip,
    "split": str.split, "replace": str.replace,
}  # fmt: skip


def _method(node: ast.Call, function: ast.Attribute, names: dict[str, Any], depth: int) -> Any:
    owner = _value(function.value, names, depth + 1)
    given = [_value(argument, names, depth + 1) for argument in node.args]
    named = {keyword.arg: _value(keyword.value, names, depth + 1) for keyword in node.keywords if keyword.arg}
    if not isinstance(owner, str):
        raise _UnknownError
    if function.attr == "join" and len(given) == 1 and isinstance(given[0], list):
        return _bounded(owner.join(_plain(owner, given[0])[:_MAX_ITEMS]))
    texts, named_texts = _plain(owner, given), dict(zip(named, _plain(owner, list(named.values())), strict=True))
    if function.attr == "format" and not any(mark in owner for mark in ("!", ":", ".", "[")):
        method: Callable[..., Any] = str.format
    elif function.attr in _TEXT_METHODS and not named:
        method = _TEXT_METHODS[function.attr]
    else:
        raise _UnknownError
    try:
        made = method(owner, *texts, **named_texts)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise _UnknownError from error
    return _bounded(made) if isinstance(made, str) else made


def _bounded(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise _UnknownError
    return text


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return " ".join(str(value).split())[:300] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _text_values(value: Any) -> dict[str, str]:
    return (
        {key: str(item) for key, item in value.items() if isinstance(item, str | int | float)} if isinstance(value, dict) else {}
    )


def _extlinks(value: Any) -> dict[str, tuple[str, str]]:
    found = {}
    for name, row in (value if isinstance(value, dict) else {}).items():
        if isinstance(row, list) and row and isinstance(row[0], str):
            found[name] = (row[0], row[1] if len(row) > 1 and isinstance(row[1], str) else "")
    return found


def _projects(values: dict[str, Any]) -> tuple[str, ...] | None:
    mapping = values.get("intersphinx_mapping")
    return tuple(mapping) if isinstance(mapping, dict) else None


def _suffixes(values: dict[str, Any]) -> dict[str, str]:
    given = values.get("source_suffix")
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list):
        given = {item: "" for item in given if isinstance(item, str)}
    found = {}
    for ending, parser in (given if isinstance(given, dict) else {".rst": ""}).items():
        if ending.startswith("."):
            told = parser if isinstance(parser, str) else ""
            found[ending] = (
                "markdown" if ending[1:2] == "m" or "markdown" in told.lower() or "myst" in told else "restructuredtext"
            )
    found.setdefault(".md", "markdown")
    return found
