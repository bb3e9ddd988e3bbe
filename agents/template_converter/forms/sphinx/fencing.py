"""Where a fence ends."""

import re

from agents.template_converter.forms.lines import Line, indentation


def fence_end(lines: list[Line], row: int, mark: str) -> int:
    """The row that closes the fence of `mark` at `row`; the number of lines where none does.

    A mark that is indented by four or more, and more than the opening one, is text of the block.
    """
    most = max(3, indentation(lines[row].text))
    pattern = re.compile(rf"^[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
    found = (at for at in range(row + 1, len(lines)) if pattern.match(lines[at].text) and indentation(lines[at].text) <= most)
    return next(found, len(lines))
