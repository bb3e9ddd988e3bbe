"""What becomes of each directive."""

import re

from docutils import nodes

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.sphinx import code, pictures
from agents.template_converter.forms.sphinx.directives import Call, Handler
from agents.template_converter.forms.sphinx.elements import Headed, Labelled, Language, Listing, Raw
from agents.template_converter.forms.sphinx.including import include
from agents.template_converter.forms.sphinx.toctree import toctrees

_ADMONITIONS = {
    "note": "Note", "warning": "Warning", "tip": "Tip", "hint": "Hint", "important": "Important", "caution": "Caution",
    "danger": "Danger", "error": "Error", "attention": "Attention", "seealso": "See also", "prereq": "Prerequisites",
    "objectives": "Objectives", "questions": "Questions", "keypoints": "Key points", "instructor-note": "Instructor note",
    "callout": "Callout", "testimonial": "Testimonial", "highlights": "", "epigraph": "", "pull-quote": "", "aside": "",
    "margin": "", "discussion": "Discussion", "demo": "Demo", "type-along": "Type along", "homework": "Homework",
    "learning-objectives": "Learning objectives", "info": "Info", "see": "See", "checklist": "Checklist", "output": "Output",
}  # fmt: skip
_EXERCISES = {"exercise": "Exercise", "challenge": "Challenge", "activity": "Activity", "task": "Task", "question": "Question"}
_ASIDES = {"solution": "Solution", "answer": "Answer", "hidden-solution": "Solution"}
_FOLDED = {
    "dropdown": "Details",
    "toggle": "Details",
    "collapse": "Details",
    "details": "Details",
    "hidden-code-block": "Details",
}
_TABS = frozenset({"tab", "group-tab", "tab-item", "md-tab-item"})
_AROUND = frozenset(
    {
        "tabs", "tab-set", "tab-set-code", "md-tab-set", "container", "compound", "class", "rst-class", "cssclass", "grid",
        "grid-item", "panels", "card-carousel", "hlist", "centered",
    }
)  # fmt: skip
_SILENT = frozenset(
    {
        "contents", "sectnum", "section-numbering", "index", "tabularcolumns", "meta", "currentmodule", "module", "py:module",
        "py:currentmodule", "sectionauthor", "codeauthor", "moduleauthor", "default-domain", "title", "header", "footer",
        "target-notes", "tags", "exerciselist", "thebe-button", "todolist",
    }
)  # fmt: skip
_VERSIONS = {
    "versionadded": "New in version", "versionchanged": "Changed in version", "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version", "version-added": "New in version", "version-changed": "Changed in version",
}  # fmt: skip
_PLAYERS = {"youtube": "https://www.youtube.com/watch?v=", "vimeo": "https://vimeo.com/", "video": "", "audio": ""}


def _labelled(call: Call, title: str, kind: str) -> list[nodes.Node]:
    body, offset = (call.content, call.offset)
    made = call.placed(Labelled(kind=kind))
    made["words"] = title
    if title:
        made += nodes.inline("", "", *call.inline(title))
    made += call.parse(body, offset)
    return [*_anchor(call), made]


def _anchor(call: Call) -> list[nodes.Node]:
    name = call.options.get("name", "") or call.options.get("label", "")
    return [call.placed(nodes.target("", "", ids=[nodes.make_id(name)], names=[name.lower()]))] if name else []


def _admonition(call: Call) -> list[nodes.Node]:
    """Boxes whose first line is text already: `.. note:: text`."""
    body, offset = call.with_argument()
    made = call.placed(Labelled(kind="box"))
    title = _ADMONITIONS[call.name]
    made["words"] = title
    if title:
        made += nodes.inline("", title)
    made += call.parse(body, offset)
    return [*_anchor(call), made]


def _titled(call: Call) -> list[nodes.Node]:
    """Boxes whose first line is their title."""
    default = {**_ASIDES, **_FOLDED, **_EXERCISES, "admonition": "Note", "topic": "", "sidebar": ""}[call.name]
    title = call.argument or call.options.get("header", "") or call.options.get("title", "")
    if call.name in _EXERCISES and title and not title.lower().startswith(default.lower()):
        title = f"{default}: {title}"
    if call.name in _ASIDES and title and len(title) > 60:
        body, offset = call.with_argument()
        call.content, call.offset, title = body, offset, ""
    classes = call.options.get("class", "").split()
    if call.name == "admonition" and {"solution", "answer"} & set(classes) and not re.search("solution|answer", title.lower()):
        title = "Solution"
    return _labelled(call, title or default, "exercise" if call.name in _EXERCISES else "box")


def _tab(call: Call) -> list[nodes.Node]:
    made = call.placed(Headed())
    made += nodes.inline("", "", *call.inline(call.argument or "Tab"))
    made += call.parse()
    return [made]


def _code_tab(call: Call) -> list[nodes.Node]:
    language, _, title = call.argument.partition(" ")
    made = call.placed(Headed())
    made += nodes.inline("", title.strip() or language)
    call.argument = language
    made += code.code_block(call)
    return [made]


def _around(call: Call) -> list[nodes.Node]:
    """Blocks that only lay out what they hold."""
    if call.name == "centered":
        return [call.placed(nodes.paragraph("", "", nodes.strong("", "", *call.inline(call.argument))))]
    return call.parse()


def _card(call: Call) -> list[nodes.Node]:
    title, link = call.argument or call.options.get("title", ""), call.options.get("link", "")
    out: list[nodes.Node] = []
    named: list[nodes.Node] = [nodes.Text(link)] if link else []
    words = call.inline(title) if title else named
    if link:
        words = [pictures.reference(call, link, call.options.get("link-type", "url"), words)]
    if words:
        out.append(call.placed(nodes.paragraph("", "", nodes.strong("", "", *words))))
    return [*out, *call.parse()]


def _button(call: Call) -> list[nodes.Node]:
    words: list[nodes.Node] = [nodes.Text(" ".join(str(row) for row in call.content).strip() or call.argument)]
    kind = "ref" if call.name == "button-ref" else "url"
    return [call.placed(nodes.paragraph("", "", pictures.reference(call, call.argument, kind, words)))]


def _rubric(call: Call) -> list[nodes.Node]:
    return [
        *_anchor(call),
        call.placed(nodes.paragraph("", "", nodes.strong("", "", *call.inline(call.argument)))),
        *call.parse(),
    ]


def _version(call: Call) -> list[nodes.Node]:
    number, _, rest = call.argument.partition(" ")
    words = [nodes.emphasis("", f"{_VERSIONS[call.name]} {number}" + (": " if rest else ".")), *call.inline(rest)]
    return [call.placed(nodes.paragraph("", "", *words)), *call.parse()]


def _only(call: Call) -> list[nodes.Node]:
    """What is for one output alone: a page is read as HTML."""
    names = set(re.findall(r"[\w-]+", call.argument)) - {"not", "and", "or"}
    others = {"latex", "pdf", "text", "epub", "man", "texinfo", "latexpdf", "gettext"}
    if names and names <= others and "not" not in call.argument.split():
        detail = f"The part that `only:: {call.argument}` keeps out of web pages is left out."
        call.reading.findings.lose("text", call.file, call.line, detail)
        return []
    return call.parse()


def _condition(call: Call) -> list[nodes.Node]:
    detail = f"The condition `{call.argument}` of `ifconfig` cannot be told; what depends on it is shown."
    call.reading.findings.lose("attribute", call.file, call.line, detail)
    return call.parse()


def _todo(call: Call) -> list[nodes.Node]:
    call.reading.findings.lose("text", call.file, call.line, "A `todo` note, which the site does not show either, is left out.")
    return []


def _hidden_code(call: Call) -> list[nodes.Node]:
    detail = f"The code of `{call.name}`, which the site does not show, is left out."
    call.reading.findings.lose("code", call.file, call.line, detail)
    return []


def _bibliography(call: Call) -> list[nodes.Node]:
    detail = "The bibliography is made when the site is built and is left out; citations keep their keys."
    call.reading.findings.lose("text", call.file, call.line, detail)
    return []


def _raw(call: Call) -> list[nodes.Node]:
    if "html" not in call.argument.lower().split() or "file" in call.options or "url" in call.options:
        detail = f"`raw:: {call.argument}` is for another output or lies elsewhere, and is left out."
        call.reading.findings.lose("html", call.file, call.line, detail)
        return []
    lines = [Line(str(text), file, row + 1) for text, (file, row) in zip(call.content, call.places, strict=False)]
    return [call.placed(Raw(lines=lines))]


def _player(call: Call) -> list[nodes.Node]:
    address = call.argument if "://" in call.argument or not _PLAYERS[call.name] else _PLAYERS[call.name] + call.argument
    detail = f"A player for {address} cannot be shown in a step; a link stands in its place."
    call.reading.findings.lose("video", call.file, call.line, detail)
    words: list[nodes.Node] = [nodes.Text(call.options.get("title", "") or call.name.capitalize())]
    kind = "url" if "://" in address else "file"
    return [call.placed(nodes.paragraph("", "", pictures.reference(call, address, kind, words)))]


def _highlight(call: Call) -> list[nodes.Node]:
    return [Language(name=call.argument.split()[0] if call.argument.split() else "")]


def _default_role(call: Call) -> list[nodes.Node]:
    call.reading.default_role = call.argument
    return []


def _role(call: Call) -> list[nodes.Node]:
    match = re.match(r"(?P<name>[\w.+-]+)(?:\s*\((?P<base>[\w.+-]+)\))?", call.argument)
    if match:
        language = call.options.get("language", "")
        call.reading.roles[match["name"].lower()] = ((match["base"] or "").lower(), language)
    return []


def _toctree(call: Call) -> list[nodes.Node]:
    """A toctree is a list of links where the page shows it."""
    rows = [Line(".. toctree::", call.file, call.line)]
    rows += [Line(f"   :{name}: {value}", call.file, call.line) for name, value in call.options.items()]
    rows += [Line("", call.file, call.line)]
    rows += [
        Line(f"   {text}", file, row + 1)
        for text, (file, row) in zip(call.content, call.places, strict=False)
        if str(text).strip()
    ]
    found = toctrees(rows)
    site = call.reading.site
    if not found or not found[0].shown:
        return []
    return [call.placed(Listing(entries=site.entries(found[0], call.reading.page)))]


def _glossary(call: Call) -> list[nodes.Node]:
    return call.parse()


def _silent(call: Call) -> list[nodes.Node]:
    del call
    return []


def unknown(call: Call) -> list[nodes.Node]:
    """A directive that nobody here knows: its words, as text."""
    call.reading.findings.note_unknown(f"The directive `{call.name}`", call.file, call.line)
    made = call.placed(Labelled(kind="box", words=""))
    label = " ".join(filter(None, [f"{call.name}:", call.argument]))
    made += nodes.inline("", "", nodes.Text(label))
    if call.options:
        said = "; ".join(f"{name}: {' '.join(value.split())}" if value else name for name, value in call.options.items())
        made += nodes.paragraph("", "", nodes.literal("", said))
    made += call.parse()
    return [made]


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(_ADMONITIONS, _admonition),
    **dict.fromkeys([*_EXERCISES, *_ASIDES, *_FOLDED, "admonition", "topic", "sidebar"], _titled),
    **dict.fromkeys(_TABS, _tab),
    "code-tab": _code_tab,
    **dict.fromkeys(_AROUND, _around),
    **dict.fromkeys(["card", "grid-item-card"], _card),
    **dict.fromkeys(["button-link", "button-ref"], _button),
    "rubric": _rubric,
    **dict.fromkeys(_VERSIONS, _version),
    "only": _only,
    "ifconfig": _condition,
    "todo": _todo,
    **dict.fromkeys(["testsetup", "testcleanup"], _hidden_code),
    "bibliography": _bibliography,
    "raw": _raw,
    **dict.fromkeys(_PLAYERS, _player),
    "highlight": _highlight,
    "default-role": _default_role,
    "role": _role,
    "toctree": _toctree,
    "glossary": _glossary,
    "include": include,
    **code.HANDLERS,
    **pictures.HANDLERS,
    **dict.fromkeys(_SILENT, _silent),
}  # fmt: skip
