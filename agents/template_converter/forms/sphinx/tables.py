"""Tables as GFM where every cell is a line of text, as a list of rows where cells hold more than that."""

from typing import TYPE_CHECKING, Any

from docutils import nodes

from agents.template_converter.forms.lines import Line

if TYPE_CHECKING:
    from agents.template_converter.forms.sphinx.writer import Writer

_SIMPLE = (nodes.paragraph, nodes.comment, nodes.target, nodes.image, nodes.reference, nodes.substitution_definition)
_MAX_CELLS = 40_000


def write_table(writer: "Writer", table: Any) -> list[Line]:
    """The table's lines, under its title where it has one."""
    out: list[Line] = []
    title = next((child for child in table.children if isinstance(child, nodes.title)), None)
    if title is not None:
        head = Line(f"**{' '.join(writer.inline.write(title.children).split()).replace('**', '')}**", *writer.place)
        out = [head, head.made("")]
    group = next((child for child in table.children if isinstance(child, nodes.tgroup)), None)
    if group is None:
        return out
    heads = [row for part in group.children if isinstance(part, nodes.thead) for row in part.children]
    body = [row for part in group.children if isinstance(part, nodes.tbody) for row in part.children]
    rows = [*heads, *body]
    if all(_simple(cell) for row in rows for cell in row.children) and len(heads) <= 1:
        return out + _grid(writer, rows, headed=bool(heads))
    file, line = writer.place
    detail = "Cells of this table hold blocks, which Markdown's tables cannot; its rows are a list."
    writer.reading.findings.lose("table", file, line, detail)
    return out + _list(writer, heads[0] if heads else None, heads[1:] + body)


def _simple(cell: Any) -> bool:
    return (
        all(isinstance(child, _SIMPLE) for child in cell.children)
        and sum(isinstance(child, nodes.paragraph | nodes.image | nodes.reference) for child in cell.children) <= 2
    )


def _words(writer: "Writer", cell: Any) -> str:
    parts = [
        " ".join(writer.inline.write(child.children if isinstance(child, nodes.paragraph) else [child]).split())
        for child in cell.children
        if isinstance(child, nodes.paragraph | nodes.image | nodes.reference)
    ]
    return " ".join(filter(None, parts))


def _cell_text(writer: "Writer", cell: Any) -> str:
    return _words(writer, cell).replace("\\|", "|").replace("|", "\\|")


def _spread(row: Any) -> list[Any]:
    """The cells of a row by column; a cell over several columns leaves the others empty."""
    out: list[Any] = []
    for cell in row.children:
        out += [cell, *[None] * min(int(cell.get("morecols", 0)), 60)]
    return out


def _grid(writer: "Writer", rows: list[Any], *, headed: bool) -> list[Line]:
    spread = _over_rows(rows)
    width = max(map(len, spread), default=1)
    out: list[Line] = []
    if not headed:
        first = Line("|" + "  |" * width, writer.place[0], 0)
        out = [first, first.made("|" + " --- |" * width)]
    for number, row in enumerate(spread):
        _place(writer, row)
        cells = [_cell_text(writer, cell) if cell is not None else "" for cell in row] + [""] * (width - len(row))
        line = Line("| " + " | ".join(cells) + " |", *writer.place)
        out.append(line)
        if headed and number == 0:
            out.append(line.made("|" + " --- |" * width))
    return out


def _over_rows(rows: list[Any]) -> list[list[Any]]:
    """Rows by column, with room for cells that reach down from above."""
    waiting: dict[int, int] = {}
    out: list[list[Any]] = []
    count = 0
    for row in rows:
        made: list[Any] = []
        cells, column = _spread(row), 0
        for cell in cells:
            while waiting.get(column, 0) > 0:
                waiting[column] -= 1
                made.append(None)
                column += 1
            made.append(cell)
            if cell is not None and cell.get("morerows"):
                waiting[column] = int(cell["morerows"])
            column += 1
        while waiting.get(column, 0) > 0:
            waiting[column] -= 1
            made.append(None)
            column += 1
        count += len(made)
        out.append(made)
        if count > _MAX_CELLS:
            break
    return out


def _place(writer: "Writer", row: list[Any]) -> None:
    for cell in row:
        for child in cell.children if cell is not None else []:
            line, source = getattr(child, "line", None), getattr(child, "source", None)
            if line:
                writer.place = (str(source) if source in writer.reading.site.tree else writer.place[0], int(line))
                return


def _list(writer: "Writer", head: Any, rows: list[Any]) -> list[Line]:
    labels = [_words(writer, cell) if cell is not None else "" for cell in _spread(head)] if head is not None else []
    out: list[Line] = []
    for row in rows:
        first = True
        for column, cell in enumerate(_spread(row)):
            body = writer.blocks(cell.children) if cell is not None else []
            if not body:
                continue
            label = labels[column] if column < len(labels) else ""
            lines = [body[0].made(f"**{label.replace('**', '')}:**"), body[0].made(""), *body] if label else body
            indent = "- " if first else "  "
            if not first:
                out.append(body[0].made(""))
            out += [
                line.with_text((indent if at == 0 else "  ") + line.text if line.text or at == 0 else "")
                for at, line in enumerate(lines)
            ]
            first = False
        if not first:
            out.append(out[-1].made(""))
    return out[:-1] if out else out
