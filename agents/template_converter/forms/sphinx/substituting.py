"""Substitutions of a page put in their places, within bounds: definitions may name each other, and grow without end."""

from typing import Any

from docutils import nodes

from agents.template_converter.forms.sphinx.elements import Reading

_MAX_REPLACED = 20_000
_MAX_DEPTH = 20


def substitute(document: Any, reading: Reading) -> None:
    """Replace every reference to a substitution; what nothing defines, or what has no end, stays as it is written."""
    conf = reading.site.conf
    given = {"release": conf.release or conf.version, "version": conf.version or conf.release}
    waiting: list[tuple[Any, tuple[str, ...]]] = [
        (node, ()) for node in document.findall(nodes.substitution_reference) if not _in_definition(node)
    ]
    waiting.reverse()
    replaced = 0
    while waiting:
        node, above = waiting.pop()
        key = _key(document, node)
        replaced += 1
        if key is None or key in above or len(above) > _MAX_DEPTH or replaced > _MAX_REPLACED:
            _leave(node, given.get(node.astext().lower(), "") if key is None else "", reading)
            continue
        copy = document.substitution_defs[key].deepcopy()
        inner = list(copy.findall(nodes.substitution_reference))
        for reference in copy.findall(nodes.reference):
            if reference.hasattr("refname"):
                document.note_refname(reference)
        _trim(node, document.substitution_defs[key])
        node.parent.replace(node, copy.children)
        waiting += [(child, (*above, key)) for child in reversed(inner)]


def _in_definition(node: Any) -> bool:
    while node is not None:
        if isinstance(node, nodes.substitution_definition):
            return True
        node = node.parent
    return False


def _key(document: Any, node: Any) -> str | None:
    name = str(node.get("refname", node.astext()))
    if name in document.substitution_defs:
        return name
    found = document.substitution_names.get(nodes.fully_normalize_name(name))
    return str(found) if found is not None else None


def _leave(node: Any, text: str, reading: Reading) -> None:
    if not text:
        reading.findings.note_unknown(f"The substitution `|{node.astext()[:60]}|`", reading.page, line_of(node))
        text = f"|{node.astext()}|"
    node.parent.replace(node, nodes.Text(text))


def _trim(node: Any, definition: Any) -> None:
    """White space around a substitution that `:trim:` takes away."""
    siblings = node.parent.children
    at = siblings.index(node)
    if definition.get("ltrim") and at and isinstance(siblings[at - 1], nodes.Text):
        node.parent.replace(siblings[at - 1], nodes.Text(siblings[at - 1].rstrip()))
    if definition.get("rtrim") and at + 1 < len(siblings) and isinstance(siblings[at + 1], nodes.Text):
        node.parent.replace(siblings[at + 1], nodes.Text(siblings[at + 1].lstrip()))


def line_of(node: Any) -> int:
    """The line of the block that a node stands in; 0 where it is not known."""
    while node is not None:
        if getattr(node, "line", None):
            return int(node.line)
        node = node.parent
    return 0
