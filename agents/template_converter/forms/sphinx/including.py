"""`include`: another file's text in a page's place, never from outside of the tree and never without end."""

import posixpath
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList

from agents.template_converter.forms.lines import lines_of
from agents.template_converter.forms.sphinx.code import code_of
from agents.template_converter.forms.sphinx.directives import Call
from agents.template_converter.forms.sphinx.elements import Raw, Reading
from agents.template_converter.forms.sphinx.selecting import SelectionError, select

_MAX_DEPTH = 20
_MAX_LINES = 20_000


def find_file(reading: Reading, target: str, beside: str) -> str | None:
    """The file that `target` names: from the site's folder, the page or the file it stands in; None where it is not there."""
    places = [reading.site.file(target, reading.page), reading.site.file(target, beside)]
    return next((path for path in places if path in reading.site.tree), None)


def include(call: Call) -> list[nodes.Node]:
    """The lines of the file, put where the directive stands."""
    reading, target = call.reading, call.argument.strip().strip("<>").strip()
    path = find_file(reading, target, call.file)
    if path is None:
        wanted = reading.site.file(target, reading.page)
        why = reading.site.tree.absent.get(
            wanted, "There is no such file to draw in." if not wanted.startswith("..") else "It points outside of the source."
        )
        reading.findings.miss("include", call.file, call.line, target, why if why.endswith(".") else f"{why}.")
        return []
    document: Any = call.directive.state.document
    above = [name for name, _ in document.include_log]
    if path in above or path == reading.page or len(above) >= _MAX_DEPTH:
        said = "The files draw each other in without end; this one is left out."
        reading.findings.miss("include", call.file, call.line, target, said)
        return []
    try:
        lines = select(lines_of(reading.site.tree.read_text(path), path), call.options)
    except SelectionError as error:
        reading.findings.miss("include", call.file, call.line, target, f"`{path}` cannot be drawn in: {error}")
        return []
    reading.findings.included.add(path)
    reading.drawn += len(lines)
    if reading.drawn > _MAX_LINES:
        reading.findings.miss(
            "include", call.file, call.line, target, f"More than {_MAX_LINES} lines are drawn in; this file is left out."
        )
        return []
    if "literal" in call.options or "code" in call.options:
        return [call.placed(code_of(lines, call.options.get("code", ""), ""))]
    parser = call.options.get("parser", "")
    if "myst" in parser or (posixpath.splitext(path)[1].lower() == ".md" and parser != "rst"):
        return [call.placed(Raw(lines=lines, markdown=True))]
    rows = [line.text.expandtabs(8).rstrip() for line in lines]
    items = [(line.file, line.number - 1) for line in lines]
    tail = ["", f'.. end of inclusion from "{path}"', ""]
    document.include_log.append((path, None))
    inserted = StringList(["", *rows, *tail], items=[(path, 0), *items, *[(path, 0)] * len(tail)])
    machine: Any = call.directive.state_machine
    machine.insert_input(inserted, path)
    return []
