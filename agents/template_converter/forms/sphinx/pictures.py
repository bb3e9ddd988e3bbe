"""Images, figures and tables from files; and links that directives hold."""

import posixpath
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst.directives import tables

from agents.template_converter.forms.sphinx import references
from agents.template_converter.forms.sphinx.directives import Call, Handler
from agents.template_converter.forms.sphinx.elements import Reading

_KINDS = (".svg", ".png", ".gif", ".jpg", ".jpeg", ".webp")


def reference(call: Call, target: str, kind: str, words: list[nodes.Node]) -> nodes.Node:
    """A link to an address, a page, a label or a file; its words alone where it leads nowhere."""
    if kind == "ref":
        return references.to_label(call.reading, target, words, call.file, call.line)
    if kind == "doc":
        return references.to_page(call.reading, target, words, call.file, call.line)
    address = target if re.match(r"^(?:[A-Za-z][\w+.-]*:|//|#)", target) else references.address(_file(call.reading, target))
    return nodes.reference("", "", *words, refuri=address)


def _file(reading: Reading, target: str) -> str:
    path = reading.site.file(target, reading.page)
    if path not in reading.site.tree and path.endswith(".html"):
        page = reading.site.document(re.sub(r"\.html$", "", target), reading.page)
        return page or path
    return path


def _image(call: Call) -> Any:
    target = call.argument.replace(" ", "") if "://" in call.argument else call.argument
    if not re.match(r"^(?:[A-Za-z][\w+.-]*:|//)", target):
        path = call.reading.site.file(target, call.reading.page)
        if path.endswith(".*"):
            path = next((path[:-2] + kind for kind in _KINDS if path[:-2] + kind in call.reading.site.tree), path)
        if path not in call.reading.site.tree and target.startswith("/"):
            # A few sites mean the repository's own top.
            path = target.lstrip("/") if target.lstrip("/") in call.reading.site.tree else path
        target = references.address(path)
    image = call.placed(nodes.image(uri=target, alt=" ".join(call.options.get("alt", "").split())))
    leads = call.options.get("target", "").strip()
    if leads and not leads.endswith("_"):
        image = call.placed(reference(call, leads, "url", [image]))
    return image


def image(call: Call) -> list[nodes.Node]:
    """`image`, and what shows one in a larger or smaller form."""
    if not call.argument:
        call.reading.findings.miss("image", call.file, call.line, "", "The directive names no image.")
        return []
    return [*_anchor(call), _image(call)]


def figure(call: Call) -> list[nodes.Node]:
    """An image with its caption and legend."""
    out = image(call) if call.argument else []
    body = call.parse()
    if body and isinstance(body[0], nodes.paragraph):
        caption = body[0]
        words = list(caption.children)
        caption.clear()
        caption += nodes.emphasis("", "", *words)
    return [*out, *body]


def _anchor(call: Call) -> list[nodes.Node]:
    name = call.options.get("name", "")
    return [call.placed(nodes.target("", "", ids=[nodes.make_id(name)], names=[name.lower()]))] if name else []


class CsvTable(tables.CSVTable):
    """A table of comma separated values, also from a file of the tree; nothing is fetched."""

    def run(self) -> Any:
        """The table; docutils would refuse a file before asking for its rows."""
        self.named = str(self.options.pop("file", ""))
        self.address = str(self.options.pop("url", ""))
        return super().run()

    def get_csv_data(self) -> Any:
        """Rows and the name of what they are from."""
        settings: Any = self.state.document.settings
        reading: Reading = settings.reading
        if self.content:
            return list(self.content), reading.page
        named = self.named
        path = reading.site.file(named, reading.page)
        if not named or path not in reading.site.tree:
            where = named or self.address
            detail = "There is no such file." if named else "It lies elsewhere, and nothing is fetched."
            reading.findings.miss("include", reading.page, int(self.lineno), where, detail)
            return [""], reading.page
        reading.findings.included.add(path)
        return reading.site.tree.read_text(path).split("\n"), path


def _table(call: Call) -> list[nodes.Node]:
    title = [call.placed(nodes.paragraph("", "", nodes.strong("", "", *call.inline(call.argument))))] if call.argument else []
    return [*_anchor(call), *title, *call.parse()]


def download(call: Call) -> list[nodes.Node]:
    """A file that is offered."""
    words: list[nodes.Node] = [nodes.Text(posixpath.basename(call.argument))]
    return [call.placed(nodes.paragraph("", "", reference(call, call.argument, "url", words)))]


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(["image", "thumbnail", "image-sg"], image),
    **dict.fromkeys(["figure", "subfigure"], figure),
    "table": _table,
}
CLASSES = {"csv-table": CsvTable}
