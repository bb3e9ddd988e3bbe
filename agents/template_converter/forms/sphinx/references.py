"""References across pages: from Sphinx's names to addresses from the top of the source, which become links between steps."""

import re
from urllib.parse import quote, unquote

from docutils import nodes

from agents.template_converter.forms.sphinx.elements import Reading
from agents.template_converter.forms.sphinx.labels import Place

_KNOWN_LABELS = frozenset({"genindex", "modindex", "search"})


def address(path: str, fragment: str = "") -> str:
    """A path of the tree as a link's target."""
    return "/" + quote(path, safe="/~@!$&'*+,;=:") + (f"#{quote(fragment)}" if fragment else "")


def fragment_of(label: str) -> str:
    """The fragment that a label's place is marked with."""
    return nodes.make_id(label) or quote(label)


def split_target(text: str) -> tuple[str, str]:
    """`(title, target)` of a role's text; the title is empty where it gives none."""
    match = re.match(r"^(?P<title>(?:.*?\S)??)\s*+(?<!\\)<(?P<target>[^<>]*)>\s*+$", text, re.DOTALL)
    if match and match["target"].strip():
        return " ".join(match["title"].split()), match["target"].strip()
    return "", text.strip().lstrip("!")


def to_page(reading: Reading, target: str, words: list[nodes.Node], file: str, line: int) -> nodes.Node:
    """A link to a page by its name."""
    name, _, fragment = target.partition("#")
    path = reading.site.document(name, reading.page)
    notebook = f"{reading.site.file(name, reading.page).removesuffix('.ipynb')}.ipynb"
    if path is None and notebook in reading.site.tree:
        return nodes.reference("", "", *(words or [nodes.Text(target)]), refuri=address(notebook))
    if path is None and ":" in name and reading.site.conf.other_projects is not None:
        detail = f"`{target}` is a page of another project, whose list of pages is never fetched; its words stay."
        reading.findings.lose("link", file, line, detail)
        return nodes.inline("", "", *(words or [nodes.Text(target)]))
    if path is None:
        reading.findings.miss("link", file, line, target, f"There is no page `{reading.site.file(name, reading.page)}`.")
        return nodes.inline("", "", *(words or [nodes.Text(target)]))
    return nodes.reference("", "", *(words or [nodes.Text(reading.site.title_of(path))]), refuri=address(path, fragment))


def to_label(reading: Reading, target: str, words: list[nodes.Node], file: str, line: int) -> nodes.Node:
    """A link to a label of any page."""
    place = reading.site.label(target) or _by_title(reading, target)
    if place is None:
        if reading.site.conf.other_projects is not None and target not in _KNOWN_LABELS:
            detail = f"`{target}` is a label of another project, whose list of labels is never fetched; its words stay."
            reading.findings.lose("link", file, line, detail)
        elif target not in _KNOWN_LABELS:
            reading.findings.miss("link", file, line, target, f"No page has the label `{target}`.")
        return nodes.inline("", "", *(words or [nodes.Text(target)]))
    shown = words or [nodes.Text(place.title or target)]
    return nodes.reference("", "", *shown, refuri=address(place.page, fragment_of(" ".join(target.lower().split()))))


def from_html(reading: Reading, target: str) -> str:
    """The address of the page that a relative address of the built site means; the target itself where it means none."""
    path, _, fragment = target.partition("#")
    if re.match(r"^(?:[A-Za-z][\w+.-]*:|//|/|#)", target) or not path.endswith((".html", "/")):
        return target
    page = reading.site.document(
        re.sub(r"\.html$|/$", "", unquote(path)) + ("/index" if path.endswith("/") else ""), reading.page
    )
    return address(page, fragment) if page else target


def _by_title(reading: Reading, target: str) -> Place | None:
    """A label that `autosectionlabel` makes of a title: `Title` or `page:Title`."""
    if "sphinx.ext.autosectionlabel" not in reading.site.conf.extensions:
        return None
    page, colon, title = target.partition(":")
    path = reading.site.document(f"/{page}", reading.page) if colon else None
    if path is not None:
        return Place(path, title)
    found = next((path for path in reading.site.documents if reading.site.title_of(path) == target), None)
    return Place(found, target) if found else None
