"""Jupyter notebooks into Markdown: texts and code cell by cell as they stand, and of the outputs what is text.

Read here and not by pandoc, which writes a text cell anew; a person who looks a passage up finds the cell as its author wrote it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from agents.rag.documents.errors import UnreadableError

MAX_OUTPUT = 10_000

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9+#-]{0,30}")


def to_markdown(text: str) -> str:
    """The notebook's cells.

    Raises:
        UnreadableError: It is no notebook.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("It is no notebook: it does not hold JSON.") from error
    cells = _cells(notebook)
    if cells is None:
        raise UnreadableError("It is no notebook: it names no cells.")
    language = _language(notebook)
    return "".join(f"{part}\n\n" for cell in cells if isinstance(cell, dict) for part in _parts(cell, language))


def _cells(notebook: Any) -> list[Any] | None:
    if not isinstance(notebook, dict):
        return None
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or []]


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    for name, field in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(name) if isinstance(metadata, dict) else None
        said = about.get(field) if isinstance(about, dict) else None
        if isinstance(said, str) and _LANGUAGE.fullmatch(said):
            return said.lower()
    return "python"


def _parts(cell: dict[str, Any], language: str) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input", "")))
    kind = cell.get("cell_type")
    if kind == "heading":
        level = cell.get("level")
        marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
        yield f"{marks} {' '.join(source.split())}"
    elif kind == "markdown" and source.strip():
        yield source.strip("\n")
    elif kind == "code":
        if source.strip():
            yield _fenced(source, "bash" if source.startswith(("%%bash", "%%sh")) else language)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            shown = _CONTROL.sub("", _output(output)).strip("\n")
            if shown.strip():
                yield _fenced(shown[:MAX_OUTPUT], "text output")


def _output(output: Any) -> str:
    if not isinstance(output, dict):
        return ""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    data = output.get("data")
    return _joined(data.get("text/plain", "") if isinstance(data, dict) else output.get("text", ""))


def _joined(text: Any) -> str:
    joined = "".join(line for line in text if isinstance(line, str)) if isinstance(text, list) else text
    return joined if isinstance(joined, str) else ""


def _fenced(text: str, info: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text.strip('\n')}\n{fence}"
