"""Pages that no person wrote by hand: one line of them is longer than readers of lines can take in their stride.

Readers of pages look at a line many times over, and what a line may mean is open until its end. Such a page is left out and
named, as one that is too large is; pictures that stand in the text as base64 do not count.
"""

import re
from dataclasses import replace

from agents.template_converter.listing import PAGES, printable
from agents.template_converter.model import Tree

_PICTURE = re.compile(rb";base64,[A-Za-z0-9+/=]*+")


def longest_line(data: bytes) -> int:
    """Bytes of the longest line, whatever ends lines, without the base64 of pictures in it."""
    return max(map(len, _PICTURE.sub(b"", data).replace(b"\r", b"\n").split(b"\n")))


def without_long_lines(tree: Tree, limit: int) -> Tree:
    """The tree without pages that have a line of more than `limit` bytes; they are named among what is absent."""
    suspects = [path for path, size in tree.files.items() if size > limit and path.lower().endswith(PAGES)]
    left_out = {path for path in suspects if longest_line(tree.read_bytes(path)) > limit}
    if not left_out:
        return tree
    why = f"a line of it has more than {limit} bytes (CONVERTER_MAX_LINE_BYTES)"
    return replace(
        tree,
        files={path: size for path, size in tree.files.items() if path not in left_out},
        absent=tree.absent | {printable(path): why for path in sorted(left_out)},
    )
