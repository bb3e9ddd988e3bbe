"""Tables to GFM where every cell is a line of text, to a list of rows where cells hold more than that."""

import re
from typing import TYPE_CHECKING

from shared_services.asciidoc.lines import Line
from shared_services.asciidoc.nodes import Cell, Macro, Node, Paragraph, Table

if TYPE_CHECKING:
    from shared_services.asciidoc.writer import Out, Writer

Filled = tuple[Cell | None, list[Node]]


def write_table(writer: "Writer", table: Table) -> "list[Out]":
    """The table's lines."""
    rows = [[(cell, writer.cell(cell.lines, cell.style) if cell else []) for cell in row] for row in table.rows]
    rows = [row for row in rows if any(cell for cell, _ in row)]
    if not rows:
        return []
    if all(_is_simple(blocks) for row in rows for _, blocks in row):
        return _grid(writer, table, rows)
    writer.around.lose(
        "table", table.opening, "Cells of this table hold blocks, which Markdown's tables cannot; its rows are a list."
    )
    return _list(writer, table, rows)


def _is_simple(blocks: list[Node]) -> bool:
    if len(blocks) > 1:
        return False
    return all(
        (isinstance(block, Paragraph) or (isinstance(block, Macro) and block.name == "image")) and block.meta.title is None
        for block in blocks
    )


def _text(writer: "Writer", filled: Filled) -> str:
    cell, blocks = filled
    if cell is None or not blocks:
        return ""
    written = " ".join(text.removesuffix("\\").rstrip() for text, _ in writer.rows_of(blocks) if text)
    if cell.style in ("s", "h") and written and "**" not in written:
        written = f"**{written}**"
    elif cell.style == "m" and written and "`" not in written:
        written = f"`{written}`"
    return re.sub(r"(?<!\\)((?:\\\\)*)\|", r"\1\\|", written)


def _place(row: list[Filled], otherwise: Line) -> Line:
    return next((cell.marker for cell, _ in row if cell), otherwise)


def _grid(writer: "Writer", table: Table, rows: list[list[Filled]]) -> "list[Out]":
    width = len(rows[0])
    out: list[Out] = []
    body = rows
    if table.header:
        head, body = rows[0], rows[1:]
        place = _place(head, table.opening)
        out.append((_row([_text(writer, cell) for cell in head]), place))
        out.append((_row(["---"] * width), place))
    else:
        out.append((_row([""] * width), table.opening))
        out.append((_row(["---"] * width), table.opening))
    out.extend((_row([_text(writer, cell) for cell in row]), _place(row, table.opening)) for row in body)
    return out


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(writer: "Writer", table: Table, rows: list[list[Filled]]) -> "list[Out]":
    heads: list[str] = []
    body = rows
    if table.header:
        heads = [_text(writer, cell).replace("\\|", "|") for cell in rows[0]]
        if all(_is_simple(blocks) for _, blocks in rows[0]):
            body = rows[1:]
        else:
            heads = []
    out: list[Out] = []
    for row in body:
        filled = [(index, cell, blocks) for index, (cell, blocks) in enumerate(row) if cell and blocks]
        for order, (index, cell, blocks) in enumerate(filled):
            written = writer.rows_of(blocks)
            if not written:
                continue
            label = heads[index] if index < len(heads) else ""
            named = f"**{label}:** " if label and "**" not in label else f"{label}: " if label else ""
            out.extend(_entry(named, written, isinstance(blocks[0], Paragraph), cell.marker, nested=order > 0))
    return out


def _entry(named: str, written: "list[Out]", starts_with_text: bool, marker: Line, *, nested: bool) -> "list[Out]":
    indent = "  " if nested else ""
    if starts_with_text:
        head, rest = f"{named}{written[0][0]}", written[1:]
    else:
        head, rest = named.strip(), [("", None), *written] if named else written
        if not named:
            head, rest = written[0][0], written[1:]
    return [(f"{indent}- {head}".rstrip(), marker), *((f"{indent}  {text}" if text else "", line) for text, line in rest)]
