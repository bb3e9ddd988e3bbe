"""Scripts that an export has sent to the files of their step: as they were before, with those files."""

import posixpath
import re

from agents.template_converter.model import Tree

_GO = re.compile(r'^cd "\$\(dirname "\$0"\)/(?P<place>[\w./-]+)" \|\| exit 1  # to the files of the step\n', re.MULTILINE)


def go_to(place: str) -> str:
    """The line that takes a script to a folder, told from its own."""
    return f'cd "$(dirname "$0")/{place}" || exit 1  # to the files of the step\n'


def home_of(tree: Tree, script: str) -> str | None:
    """The folder that a script of an export goes to."""
    match = _GO.search(tree.read_text(script))
    return posixpath.normpath(posixpath.join(posixpath.dirname(script), match["place"])) if match else None


def with_files(tree: Tree, script: str) -> tuple[str, dict[str, bytes]]:
    """A script's text without the line, and its step's files by their path in the step; other scripts as they are."""
    text, home = tree.read_text(script), home_of(tree, script)
    if home is None:
        return text, {}
    files = {path.removeprefix(f"{home}/"): tree.read_bytes(path) for path in tree.under(f"{home}/files")}
    return _GO.sub("", text, count=1), files
