"""HCL as plain values: blocks by type, labels and text without the marks that the parser leaves on them."""

from typing import Any

from agents.template_converter.errors import UnreadableSourceError

MAX_CHARACTERS = 300_000


def load_hcl(text: str, path: str) -> dict[str, Any]:
    """The blocks and attributes of a file; a reference is the text `${...}`.

    Raises:
        UnreadableSourceError: Not HCL, or too long.
    """
    import hcl2
    from lark.exceptions import LarkError

    if len(text) > MAX_CHARACTERS:
        raise UnreadableSourceError(f"`{path}` has {len(text)} characters, more than are read.")
    try:
        value = _plain(hcl2.loads(text if text.endswith("\n") else f"{text}\n"))
    except (LarkError, ValueError, RecursionError, KeyError, IndexError, TypeError) as error:
        line = getattr(error, "line", 0)
        where = f" in line {line}" if isinstance(line, int) and line > 0 else ""
        raise UnreadableSourceError(f"`{path}` cannot be read: it is not HCL{where}.") from error
    return value if isinstance(value, dict) else {}


def blocks(values: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The blocks of a kind, in their order; those with labels as `{LABEL: body}`."""
    found = values.get(kind)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def labelled(values: dict[str, Any], kind: str) -> list[tuple[str, dict[str, Any]]]:
    """`(label, body)` of each block of a kind that has one label."""
    return [(label, body) for row in blocks(values, kind) for label, body in row.items() if isinstance(body, dict)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_bare(str(key)): _plain(each) for key, each in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _heredoc(_bare(value)) if isinstance(value, str) else value


def _bare(text: str) -> str:
    quoted = len(text) > 1 and text.startswith('"') and text.endswith('"')
    return text[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\") if quoted else text


def _heredoc(text: str) -> str:
    """The lines between `<<MARK` and `MARK`, without the indentation that `<<-` takes away."""
    if not text.startswith("<<"):
        return text
    rows = text.split("\n")
    body = rows[1:-1] if len(rows) > 1 else []
    if rows[0].startswith("<<-"):
        width = min((len(row) - len(row.lstrip()) for row in body if row.strip()), default=0)
        body = [row[width:] for row in body]
    return "\n".join(body)
