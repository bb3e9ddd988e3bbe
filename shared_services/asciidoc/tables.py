"""Tables: cells with their spans and styles, in rows; `|===`, `!===`, CSV and DSV."""

import csv
import re
from typing import Final

from shared_services.asciidoc.attrlist import Meta
from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.nodes import Cell, Table

MAX_COLUMNS: Final = 200
MAX_CELLS: Final = 20_000

_SPEC = re.compile(r"(?:^|(?<=[ \t]))(?:(\d{1,4})?(?:\.(\d{1,4}))?([*+]))?[<^>]?(?:\.[<^>])?([a-z])?$")
_COLUMN = re.compile(r"^(?:(\d{1,3})\*)?.*?([a-z])?$")


def parse_table(lines: list[Line], mark: str, meta: Meta, opening: Line) -> Table:
    """The table between two delimiters; `mark` is the first character of the delimiter."""
    styles = _columns(meta)
    form = meta.named.get("format", {",": "csv", ":": "dsv"}.get(mark, "psv"))
    separator = meta.named.get("separator") or {"csv": ",", "dsv": ":", "tsv": "\t"}.get(form, "!" if mark == "!" else "|")
    if separator == "\\t":
        separator = "\t"
    cells, first_row = _read_psv(lines, separator) if form == "psv" else _read_delimited(lines, separator)
    width = min(len(styles) or first_row or 1, MAX_COLUMNS)
    rows = _rows(cells, width, styles)
    return Table(rows, _has_header(lines, meta, cells, width), meta, opening)


def _columns(meta: Meta) -> list[str]:
    """A style letter (or "") for each column that `cols` names."""
    text = meta.named.get("cols", "").strip()
    if not text:
        return []
    if text.isdigit():
        return [""] * min(int(text), MAX_COLUMNS)
    styles: list[str] = []
    for part in re.split(r"[,;]", text):
        match = _COLUMN.match(part.strip())
        if match:
            styles.extend([match[2] or ""] * min(int(match[1] or 1), MAX_COLUMNS))
    return styles[:MAX_COLUMNS]


def _read_psv(lines: list[Line], separator: str) -> tuple[list[Cell], int]:
    """Cells in order, and how many the first line with cells holds."""
    cells: list[Cell] = []
    first_row = 0
    pattern = re.compile(rf"(?<!\\){re.escape(separator)}")
    for line in lines:
        pieces = pattern.split(line.text)
        pieces[1:] = [piece.replace(f"\\{separator}", separator) for piece in pieces[1:]]
        spec = ""
        for index, piece in enumerate(pieces):
            body = piece
            match = _SPEC.search(body) if index < len(pieces) - 1 else None
            after = ""
            if match:
                after = match.group()
                body = body[: match.start()]
            if index == 0:
                if cells and (body.strip() or not piece):
                    cells[-1].lines.append(line.with_text(body.rstrip()))
            else:
                cells.extend(_cell(spec, line.with_text(body.strip()), room=MAX_CELLS - len(cells)))
            spec = after
        if first_row == 0 and cells:
            first_row = sum(cell.columns for cell in cells)
    return cells, first_row


def _cell(spec: str, text: Line, room: int) -> list[Cell]:
    match = _SPEC.search(spec)
    columns, rows, operator, style = match.groups() if match else (None, None, None, None)
    across = min(int(columns or 1), MAX_COLUMNS) or 1
    down = min(int(rows or 1), MAX_CELLS) or 1
    if operator == "*":
        return [Cell(style or "", 1, 1, [text], text) for _ in range(min(across, room))]
    return [Cell(style or "", across, down, [text], text)][:room]


def _read_delimited(lines: list[Line], separator: str) -> tuple[list[Cell], int]:
    cells: list[Cell] = []
    first_row = 0
    for line in lines:
        if not line.text:
            continue
        try:
            values = next(csv.reader([line.text], delimiter=separator[0], skipinitialspace=True), [])
        except csv.Error:
            values = line.text.split(separator)
        cells.extend(Cell("", 1, 1, [line.with_text(value.strip())], line) for value in values)
        first_row = first_row or len(values)
    return cells[:MAX_CELLS], first_row


def _rows(cells: list[Cell], width: int, styles: list[str]) -> list[list[Cell | None]]:
    rows: list[list[Cell | None]] = []
    row: list[Cell | None] = []
    hanging = [0] * width

    def fill() -> None:
        while len(row) < width and hanging[len(row)]:
            hanging[len(row)] -= 1
            row.append(None)

    for cell in cells:
        fill()
        if len(row) >= width:
            rows.append(row.copy())
            row.clear()
            fill()
        column = len(row)
        if not cell.style and column < len(styles):
            cell.style = styles[column]
        for index in range(column, min(column + cell.columns, width)):
            hanging[index] = max(hanging[index], cell.rows - 1)
        row.append(cell)
        row.extend([None] * min(cell.columns - 1, width - len(row)))
        if len(row) >= width:
            rows.append(row.copy())
            row.clear()
    if row:
        rows.append([*row, *[None] * (width - len(row))])
    return rows


def _has_header(lines: list[Line], meta: Meta, cells: list[Cell], width: int) -> bool:
    if "header" in meta.options:
        return True
    if "noheader" in meta.options or not lines or not lines[0].text or len(lines) < 3 or lines[1].text:
        return False
    first = lines[0]
    on_first = sum(cell.columns for cell in cells if (cell.marker.file, cell.marker.number) == (first.file, first.number))
    return on_first == width
