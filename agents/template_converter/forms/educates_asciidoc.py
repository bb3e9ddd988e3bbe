"""AsciiDoc pages of Educates workshops, as CommonMark whose lines know their place and whose blocks name their action."""

import re

from agents.template_converter.forms.asciidoc.plain import AsWritten, document_lines
from agents.template_converter.forms.lines import Line
from agents.template_converter.model import Tree
from shared_services.asciidoc.nodes import Code
from shared_services.asciidoc.preprocess import Findings

_ACTION = re.compile(r"^(?:(?:execute|copy|copy-and-edit)(?:-\w+)?|[a-z]+:[\w-]+)$")


def asciidoc_lines(tree: Tree, path: str) -> tuple[list[Line], Findings]:
    """The page's lines as CommonMark, and what was lost and broken on the way.

    A code block whose role is one of Educates' actions has it as its info string, with its language behind it.
    """
    document = document_lines(tree, path, AsWritten(), attributes={}, info=_action)
    return document.lines, document.findings


def _action(block: Code) -> str:
    role = next((role for role in block.meta.roles if _ACTION.match(role)), "")
    language = block.meta.positional[1] if len(block.meta.positional) > 1 else ""
    return f"{role} {language}".strip() if role else ""
