"""AsciiDoc pages of Educates workshops, as CommonMark whose lines know their place and whose blocks name their action."""

import posixpath
import re
from dataclasses import dataclass, field

from agents.template_converter.forms.asciidoc.antora import normal
from agents.template_converter.forms.lines import Line
from agents.template_converter.model import Tree
from shared_services.asciidoc.lines import Line as Written
from shared_services.asciidoc.nodes import Code
from shared_services.asciidoc.pages import Page, read_page, walk
from shared_services.asciidoc.preprocess import Findings, Preprocessor
from shared_services.asciidoc.writer import Writer

_ACTION = re.compile(r"^(?:(?:execute|copy|copy-and-edit)(?:-\w+)?|[a-z]+:[\w-]+)$")


@dataclass
class _Files:
    """What pages include, from their own folder or the workshop's."""

    tree: Tree

    def text(self, path: str) -> str:
        return self.tree.read_text(path)

    def resolve(self, target: str, page: str, from_file: str) -> str | None:
        for folder in (posixpath.dirname(from_file), posixpath.dirname(page)):
            path = normal(f"{folder}/{target}")
            if path is not None and path in self.tree:
                return path
        return None


@dataclass
class _AsWritten:
    """Targets as the author wrote them, which are followed when the page is read as CommonMark; anchors as they are there."""

    findings: Findings = field(default_factory=Findings)
    page: Page | None = None

    def link(self, target: str, _line: Written) -> str | None:
        return target

    def xref(self, target: str, _line: Written) -> tuple[str | None, str]:
        page, hash_, anchor = target.partition("#")
        if page.endswith((".adoc", ".asciidoc", ".md", ".html")):
            return target, page
        name = anchor if hash_ else page
        if self.page is None:
            return f"#{name}", name
        return f"#{self.page.slugs.get(name, name)}", self.page.titles.get(name, name)

    def image(self, target: str, _line: Written) -> str | None:
        return target

    def variable(self, name: str, _line: Written) -> str:
        return f"{{{name}}}"

    def lose(self, kind: str, line: Written, detail: str) -> None:
        self.findings.lose(kind, line, detail)


def asciidoc_lines(tree: Tree, path: str) -> tuple[list[Line], Findings]:
    """The page's lines as CommonMark, and what was lost and broken on the way.

    A code block whose role is one of Educates' actions has it as its info string, with its language behind it.
    """
    around = _AsWritten()
    lines = Preprocessor(_Files(tree), around.findings, {}, frozenset(), path).read()
    page = around.page = read_page(path, lines, around)
    actions: dict[int, str] = {}
    for block in walk(page.blocks):
        role = next((role for role in block.meta.roles if _ACTION.match(role)), "") if isinstance(block, Code) else ""
        if role and isinstance(block, Code):
            actions[id(block.opening)] = f"{role} {block.meta.positional[1] if len(block.meta.positional) > 1 else ''}".strip()
    out: list[Line] = []
    for text, place in Writer(around).page(page.blocks):
        action = actions.pop(id(place), "") if "```" in text else ""
        written = re.sub(r"(`{3,}).*$", lambda match, action=action: f"{match[1]}{action}", text) if action else text  # type: ignore[misc]
        out.append(Line(written, place.file if place else path, place.number if place else 0))
    return out, around.findings
