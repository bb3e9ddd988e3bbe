"""Roles of docutils, Sphinx and its known extensions; what none of them knows is shown as its words and listed."""

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from docutils.utils import unescape

from agents.template_converter.forms.sphinx import references
from agents.template_converter.forms.sphinx.elements import Reading

_CODE = frozenset(
    {
        "code", "literal", "command", "program", "file", "samp", "envvar", "option", "makevar", "mimetype", "newsgroup", "regexp",
        "token", "func", "class", "meth", "mod", "attr", "data", "const", "exc", "obj", "type", "macro", "var", "member", "bash",
        "sh", "shell", "python", "py:func", "py:class", "py:meth", "py:mod", "py:attr", "py:data", "py:const", "py:exc",
        "py:obj", "c:func", "c:type", "cpp:func", "cpp:class", "js:func", "math", "keyword", "confval",
    }
)  # fmt: skip
MAX_INLINE = 8_000
"""Longer paragraphs are not searched for marks: docutils takes time that grows with the square of their length."""
_STRONG = frozenset({"strong", "guilabel", "menuselection"})
_EMPHASIS = frozenset({"emphasis", "dfn", "title", "title-reference", "t", "cite", "manpage"})
_PLAIN = frozenset({"index", "abbr", "abbreviation", "inline", "term", "eq"})
_ICONS = frozenset({"fa", "fas", "far", "fab", "octicon", "material-regular", "material-outlined", "material-round", "fa-solid"})


def role_inliner() -> Inliner:
    """A reader of inline markup whose roles become what is decided here.

    A subclass would not do: docutils takes the patterns from the class itself and not from those above it.
    """
    inliner: Any = Inliner()

    def interpreted(rawsource: str, text: str, role: str, lineno: int) -> tuple[list[nodes.Node], list[nodes.Node]]:
        reading: Reading = inliner.document.settings.reading
        find = getattr(inliner.reporter, "get_source_and_line", None)
        file, line = find(lineno) if find else (None, None)
        return [role_node(reading, role.lower(), unescape(text), file or reading.page, line or lineno)], []

    parse = inliner.parse

    def bounded(text: str, lineno: int, memo: Any, parent: Any) -> Any:
        if len(text) <= MAX_INLINE:
            return parse(text, lineno, memo, parent)
        reading: Reading = memo.document.settings.reading
        said = f"A paragraph of more than {MAX_INLINE} characters is shown without its marks."
        reading.findings.lose("text", reading.page, lineno, said)
        return [nodes.Text(text)], []

    inliner.interpreted = interpreted
    inliner.parse = bounded
    return inliner  # type: ignore[no-any-return]


def role_node(reading: Reading, name: str, text: str, file: str, line: int) -> nodes.Node:  # noqa: C901 - one branch for each role
    """What one role stands for."""
    name = name or reading.default_role or "title"
    name = re.sub(r"^(?:std|rst):", "", name)
    if name in reading.roles:
        base, language = reading.roles[name]
        name = base or ("code" if language else "inline")
    title, target = references.split_target(text)
    words: list[nodes.Node] = [nodes.Text(title)] if title else []
    if name == "doc":
        return references.to_page(reading, target, words, file, line)
    if name in ("ref", "numref", "keyword-ref"):
        return references.to_label(reading, target, words, file, line)
    if name == "download":
        return _download(reading, title, target)
    if name in ("any", "xref"):
        return _any(reading, target, words, text)
    if name in ("sub", "subscript", "sup", "superscript"):
        return nodes.subscript("", text) if name.startswith("sub") else nodes.superscript("", text)
    if name == "kbd":
        return nodes.literal("", text, classes=["kbd"])
    if name in ("pep", "rfc", "pep-reference", "rfc-reference"):
        return _standard(name[:3], title, target)
    if name in _ICONS:
        return nodes.Text("")
    if name in _CODE:
        shown = title or (text.rpartition(".")[2] if text.startswith("~") else text)
        return nodes.literal("", shown)
    if name in _STRONG:
        return nodes.strong("", _without_keys(text.replace("-->", "→")))
    if name in _EMPHASIS:
        return nodes.emphasis("", text)
    if name in _PLAIN:
        return nodes.Text(re.sub(r"^([\w ]*\w)\s*+\((.*)\)$", r"\1 (\2)", title or text))
    if name in reading.site.conf.extlinks:
        return _extlink(reading.site.conf.extlinks[name], title, target)
    if name == "raw-html":
        return nodes.raw("", text, format="html")
    if ":" in name and (name.startswith("external") or name.partition(":")[0] in (reading.site.conf.other_projects or ())):
        detail = f"`{target}` belongs to another project, whose list of labels is never fetched; its words stay."
        reading.findings.lose("link", file, line, detail)
        return nodes.Text(title or text)
    reading.findings.note_unknown(f"The role `{name}`", file, line)
    return nodes.Text(title or text)


def _without_keys(text: str) -> str:
    """A button's or menu's words without the mark of the key that stands for it."""
    return re.sub(r"&(.)", r"\1", text)


def _download(reading: Reading, title: str, target: str) -> nodes.Node:
    remote = re.match(r"^[A-Za-z][\w+.-]*://", target)
    uri = target if remote else references.address(reading.site.file(target, reading.page))
    return nodes.reference("", "", nodes.Text(title or target.rpartition("/")[2]), refuri=uri)


def _any(reading: Reading, target: str, words: list[nodes.Node], text: str) -> nodes.Node:
    if reading.site.label(target):
        return references.to_label(reading, target, words, "", 0)
    if reading.site.document(target, reading.page):
        return references.to_page(reading, target, words, "", 0)
    return nodes.literal("", "", *(words or [nodes.Text(text)]))


def _standard(kind: str, title: str, target: str) -> nodes.Node:
    number, _, fragment = target.partition("#")
    digits = number.strip()
    base = (
        f"https://peps.python.org/pep-{digits.zfill(4)}/"
        if kind == "pep"
        else f"https://datatracker.ietf.org/doc/html/rfc{digits}"
    )
    uri = base + (f"#{fragment}" if fragment else "")
    return nodes.reference("", "", nodes.Text(title or f"{kind.upper()} {digits}"), refuri=uri)


def _extlink(link: tuple[str, str], title: str, target: str) -> nodes.Node:
    pattern, caption = link
    shown = title or (caption.replace("%s", target) if "%s" in caption else caption + target)
    return nodes.reference("", "", nodes.Text(shown), refuri=pattern.replace("%s", target))
