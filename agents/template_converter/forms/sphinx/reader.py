"""A page of reStructuredText read by docutils into lines of CommonMark.

docutils is used as a library and alone: nothing is read from or written to the disk by it, no configuration file counts, and
what its directives would do is decided here.
"""

import re
from typing import Any

from docutils import frontend, nodes, utils
from docutils.parsers.rst import Parser
from docutils.transforms import references as transforms
from structlog import get_logger

from agents.template_converter.forms.lines import Line
from agents.template_converter.forms.sphinx import directives, handlers, pictures
from agents.template_converter.forms.sphinx.elements import Reading
from agents.template_converter.forms.sphinx.references import address as page_address
from agents.template_converter.forms.sphinx.references import fragment_of, from_html
from agents.template_converter.forms.sphinx.roles import role_inliner
from agents.template_converter.forms.sphinx.substituting import line_of, substitute
from agents.template_converter.forms.sphinx.writer import Writer
from shared_services.asciidoc import escape

log = get_logger()
MAX_ROWS = 20_000
MAX_CHARACTERS = 600_000
_TRANSFORMS = (
    transforms.PropagateTargets, transforms.AnonymousHyperlinks,
    transforms.IndirectHyperlinks, transforms.Footnotes, transforms.ExternalTargets, transforms.InternalTargets,
)  # fmt: skip
# What str.splitlines takes for line ends and editors do not: lines would be counted differently.
_ODD_ENDS = str.maketrans(dict.fromkeys("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " "))


def read_rst(reading: Reading, lines: list[Line], markdown: Any = None) -> list[Line]:
    """The lines of a page as CommonMark; a page that docutils cannot read is shown as it is written, and listed."""
    if len(lines) > MAX_ROWS or sum(len(line.text) for line in lines) > MAX_CHARACTERS:
        said = f"The page has more than {MAX_ROWS} lines or {MAX_CHARACTERS} characters; it is shown as it is written."
        return _as_written(reading, lines, said)
    try:
        return _read(reading, lines, markdown)
    except Exception as error:
        log.info("rst_page_unreadable", page=reading.page, error=repr(error)[:300])
        said = f"The page cannot be read as reStructuredText ({type(error).__name__}); it is shown as it is written."
        return _as_written(reading, lines, said)


def _as_written(reading: Reading, lines: list[Line], said: str) -> list[Line]:
    reading.findings.lose("page", reading.page, 0, said)
    mark = escape.fence([line.text for line in lines])
    head = Line(f"{mark}rst", reading.page, 0)
    return [head, *lines, head.made(mark)]


def _read(reading: Reading, lines: list[Line], markdown: Any) -> list[Line]:
    directives.install()
    _take_settings(reading, reading.site.conf.prolog)
    document = utils.new_document(reading.page, _settings(reading))
    conf = reading.site.conf
    prolog, epilog = _rows(conf.prolog), _rows(conf.epilog)
    # Prolog and epilog hold definitions; what is between keeps its line numbers, so the prolog follows the page as well.
    text = "\n".join([*(line.text.translate(_ODD_ENDS) for line in lines), "", *prolog, "", *epilog, ""])
    Parser(inliner=role_inliner()).parse(text, document)
    substitute(document, reading)
    for transform in _TRANSFORMS:
        transform(document).apply()
    _report_dangling(reading, document)
    return Writer(reading, markdown).page(document)


def _rows(text: str) -> list[str]:
    """Definitions of a prolog or epilog; other text of theirs is on each page and says nothing of it."""
    rows = text.expandtabs(8).split("\n")
    kept, taking = [], False
    for row in rows:
        starts = bool(re.match(r"\s*\.\. (?:\||_)", row))
        taking = starts or (taking and (not row.strip() or row[:1].isspace()))
        if taking:
            kept.append(row)
    return kept


def _take_settings(reading: Reading, prolog: str) -> None:
    """Roles and languages that a prolog sets for every page."""
    for match in re.finditer(r"^\.\. (role|highlight|default-role)::[ ]*([^\n]*)((?:\n[ ]+[^\n]*)*)", prolog, re.MULTILINE):
        kind, argument, rest = match[1], match[2].strip(), match[3]
        if kind == "highlight":
            reading.language = argument
        elif kind == "default-role":
            reading.default_role = argument
        elif role := re.match(r"([\w.+-]+)(?:\s*\(([\w.+-]+)\))?", argument):
            language = re.search(r":language:[ ]*(\S+)", rest)
            reading.roles[role[1].lower()] = ((role[2] or "").lower(), language[1] if language else "")


def _settings(reading: Reading) -> Any:
    settings = frontend.get_default_settings(Parser)
    given = {
        "file_insertion_enabled": False, "raw_enabled": False, "report_level": 5, "halt_level": 6, "warning_stream": "",
        "smart_quotes": False, "syntax_highlight": "none", "line_length_limit": MAX_CHARACTERS + 1, "language_code": "en",
        "tab_width": 8,
        "pep_references": False, "rfc_references": False,
        "reading": reading, "handlers": handlers.HANDLERS, "unknown": handlers.unknown, "classes": pictures.CLASSES,
    }  # fmt: skip
    for name, value in given.items():
        setattr(settings, name, value)
    return settings


def _report_dangling(reading: Reading, document: Any) -> None:
    """References by name that lead nowhere: their words stay."""
    for node in document.findall(nodes.reference):
        if node.get("refuri"):
            node["refuri"] = from_html(reading, str(node["refuri"]))
        if node.get("refuri") or node.get("refid"):
            continue
        name = node.get("refname")
        if not name:
            continue
        target = document.nameids.get(name)
        place = reading.site.label(name) if target is None else None
        if target:
            node["refid"] = target
        elif place is not None:
            node["refuri"] = page_address(place.page, fragment_of(name))
        else:
            said = f"The page defines no target `{name}`."
            reading.findings.miss("link", reading.page, line_of(node), node.astext() or name, said)
