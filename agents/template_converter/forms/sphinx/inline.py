"""Inline markup as CommonMark."""

import re
from typing import Any

from docutils import nodes

from shared_services.asciidoc import escape

_ENTITY = re.compile(r"&(?=#?\w+;)")
_MARKS = ((nodes.strong, "**"), (nodes.emphasis, "*"), (nodes.title_reference, "*"))


class InlineWriter:
    """Writes inline nodes; line ends stay where they are."""

    def write(self, children: Any) -> str:
        """The nodes as CommonMark."""
        out = ""
        rows = list(children)
        for number, node in enumerate(rows):
            after = rows[number + 1].astext()[:1] if number + 1 < len(rows) else ""
            out += self._node(node, out[-1:], after)
        return out

    def _node(self, node: Any, before: str, after: str) -> str:  # noqa: C901 - one branch for each kind of node
        if isinstance(node, nodes.Text):
            return _ENTITY.sub(r"\\&", escape.text(node.astext().replace("\x00", ""), before, after))
        if isinstance(node, nodes.literal | nodes.math):
            return escape.code_span(node.astext()) if node.astext().strip() else ""
        for kind, mark in _MARKS:
            if isinstance(node, kind):
                return self._marked(node, mark, before, after)
        if isinstance(node, nodes.reference):
            return self._reference(node)
        if isinstance(node, nodes.image):
            return f"![{_label(str(node.get('alt', '')))}]({escape.destination(str(node.get('uri', '')))})"
        if isinstance(node, nodes.footnote_reference | nodes.citation_reference):
            target = f"#{node['refid']}" if node.get("refid") else ""
            label = f"\\[{escape.text(node.astext())}\\]"
            return f"[{label}]({target})" if target else label
        if isinstance(node, nodes.subscript | nodes.superscript):
            tag = "sub" if isinstance(node, nodes.subscript) else "sup"
            return f"<{tag}>{self.write(node.children)}</{tag}>"
        if isinstance(node, nodes.raw):
            return node.astext() if str(node.get("format", "")) in ("html", "markdown") else ""
        if isinstance(node, nodes.target) and not node.children:
            return _marks(node)
        if isinstance(node, nodes.target):
            return _marks(node) + self.write(node.children)
        if isinstance(node, nodes.system_message | nodes.comment | nodes.pending):
            return ""
        if isinstance(node, nodes.problematic | nodes.substitution_reference):
            return _ENTITY.sub(r"\\&", escape.text(node.astext(), before, after))
        return self.write(node.children)

    def _marked(self, node: Any, mark: str, before: str, after: str) -> str:
        inner = self.write(node.children)
        bare = inner.strip()
        if not bare:
            return inner
        if (before.isalnum() or after.isalnum()) and not (bare[0].isalnum() and bare[-1].isalnum()):
            # Marks that touch letters on both sides would not be taken for marks.
            tag = "strong" if mark == "**" else "em"
            return f"<{tag}>{bare}</{tag}>"
        lead, tail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
        return f"{lead}{mark}{bare}{mark}{tail}"

    def _reference(self, node: Any) -> str:
        words = self.write(node.children)
        target = str(node.get("refuri", "")) or (f"#{node['refid']}" if node.get("refid") else "")
        if not target or not words.strip():
            return words
        if target in (node.astext(), f"mailto:{node.astext()}") and not re.search(r"[\s<>]", node.astext()):
            return f"<{node.astext()}>"
        if "![" in words:
            return f"[{words}]({escape.destination(target)})"
        return escape.link(words, target)


def _marks(node: Any) -> str:
    names: list[str] = [str(name) for name in node.get("ids", [])]
    return "".join(f'<a id="{name}"></a>' for name in names if re.fullmatch(r"[\w-]+", name))


def _label(text: str) -> str:
    return re.sub(r"[\[\]|\\\n`*]+", " ", text).strip()
