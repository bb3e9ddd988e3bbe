"""What a source is: every form's reading of it, scored, and the one that is taken, or the sentence that says why none is."""

import posixpath
import re

from agents.template_converter import signals
from agents.template_converter.errors import ChoiceRequiredError, NotAWorkshopError
from agents.template_converter.forms import IMPORTERS
from agents.template_converter.forms.markdown import find_layout
from agents.template_converter.known_forms import not_workshops
from agents.template_converter.model import Importer, Tree
from shared_services.contracts.conversion import NOT_WORKSHOPS, Form, FormCandidate

ENOUGH = 0.5
TOO_CLOSE = 0.05
ANOTHER = 0.7
DOCUMENTATION = 0.45
SAYS_SO = 0.96
"""Pages of a form that names itself, such as a MOAW outline; what is told by signs alone stays below."""
CARRIES_A_WORKSHOP = 0.6

_NAMES = {
    Form.SHOWROOM: "a Showroom (Antora) workshop",
    Form.EDUCATES: "an Educates workshop",
    Form.KILLERCODA: "a Killercoda scenario",
    Form.INSTRUQT: "an Instruqt track",
    Form.CODELAB: "a codelab",
    Form.JUPYTER: "Jupyter notebooks",
    Form.MKDOCS: "an MkDocs workshop",
    Form.DOCUSAURUS: "a Docusaurus site",
    Form.HUGO: "a Hugo site",
    Form.MARKDOWN: "a Markdown tutorial",
    Form.RST: "a Sphinx site",
    Form.WORKSHOP_BUILDER: "a workshop-builder workshop",
    Form.WORKSHOP: "a workshop in the platform's own form",
    Form.APPLICATION: "an application",
    Form.LIBRARY: "a library",
    Form.DOCUMENTATION: "documentation that does not instruct",
    Form.EMPTY: "empty",
}
_CONTENT = {Form.MKDOCS: "docs", Form.DOCUSAURUS: "docs", Form.HUGO: "content"}
"""Where sites keep their pages, unless they say otherwise."""
_DOCUMENTATION = re.compile(r"(?:docs?|documentation|website|site|guides?)(?:/|$)", re.IGNORECASE)
_WORKSHOP_FOLDER = re.compile(
    r"\b(?:workshops?|labs?|codelabs?|training|katas?|bootcamp|hands-on|courses?|exercises?)\b", re.IGNORECASE
)
_OWN_PAGES = frozenset({Form.CODELAB, Form.KILLERCODA})
"""Forms whose manifest names its pages, so that one in a folder of another is a workshop beside it."""
_PLAIN = frozenset({Form.MARKDOWN, Form.MKDOCS, Form.JUPYTER, Form.RST, Form.HUGO, Form.DOCUSAURUS})


def importer_of(form: Form) -> Importer | None:
    """The importer of a form, or None where there is none yet."""
    return next((importer for importer in IMPORTERS if importer.form is form), None)


def classify(tree: Tree) -> list[FormCandidate]:
    """Every reading of `tree`, the likeliest first."""
    found = [candidate for importer in IMPORTERS for candidate in importer.recognise(tree)]
    found = _documentation_kept_apart(tree, _without_shadows(tree, found))
    rows = [row.model_copy(update={"evidence": [_sentence(said) for said in row.evidence]}) for row in found]
    return sorted([*rows, *not_workshops(tree)], key=lambda row: (-row.score, row.path.count("/"), row.path, row.form))


def with_above(tree: Tree, folder: str, rows: list[FormCandidate]) -> list[FormCandidate]:
    """Readings of a folder, with those whose order stands above it: a site may show several folders, each by itself."""
    importer = importer_of(Form.DOCUSAURUS)
    if importer is None or any(row.form is Form.DOCUSAURUS for row in rows):
        return rows
    above = [row for row in importer.recognise(tree) if row.path == folder and row.score >= ENOUGH]
    return [*above, *(row for row in rows if not above or row.form is not Form.MARKDOWN)]


def _sentence(said: str) -> str:
    """What speaks for a form as a sentence of its own, however an importer puts it."""
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}"


def _without_shadows(tree: Tree, found: list[FormCandidate]) -> list[FormCandidate]:
    """Leave out plain Markdown readings of pages that a form with a manifest of its own claims more strongly."""
    strong = [row for row in found if row.form is not Form.MARKDOWN and row.score >= ENOUGH]
    return [
        row
        for row in found
        if row.form is not Form.MARKDOWN
        or not any(
            _overlap(row.path, other.path) and _outweighs(tree, other, row) and _claims(tree, other, row) for other in strong
        )
    ]


def _documentation_kept_apart(tree: Tree, found: list[FormCandidate]) -> list[FormCandidate]:
    """Hold Markdown pages for less where a site that is no workshop, or a library's documentation, holds them."""
    sites = [posixpath.join(row.path, _CONTENT[row.form]) for row in found if row.form in _CONTENT and row.score < ENOUGH]
    library = any(row.form is Form.MARKDOWN and row.score >= ENOUGH for row in found) and signals.code(tree).is_library
    rows = []
    for row in found:
        named = _WORKSHOP_FOLDER.search(row.path.replace("_", "-"))
        site = next((place for place in sites if row.path == place or _inside(row.path, place)), None)
        documents = site or (row.path if library and _DOCUMENTATION.match(row.path) else None)
        if row.form is Form.MARKDOWN and row.path and ENOUGH <= row.score < SAYS_SO and documents and not named:
            said = f"It is a part of the documentation in `{documents}`."
            row = row.model_copy(update={"score": DOCUMENTATION, "evidence": [*row.evidence, said]})
        rows.append(row)
    return rows


def _claims(tree: Tree, other: FormCandidate, markdown: FormCandidate) -> bool:
    """Whether pages of a Markdown reading belong to another one; those of a tutorial around a workshop in a subfolder do not."""
    if not _inside(other.path, markdown.path):
        return True
    layout = find_layout(tree, markdown.path)
    if layout is None or layout.kind in ("sections", "chapters"):
        return True
    return sum(_inside(path, other.path) for path, _ in layout.pages) * 2 > len(layout.pages)


def _outweighs(tree: Tree, other: FormCandidate, markdown: FormCandidate) -> bool:
    """Whether another reading is to be preferred; a site's pages are often listed a second time, as a book."""
    if other.form not in _PLAIN or other.score >= markdown.score - 0.2:
        return True
    layout = find_layout(tree, markdown.path) if other.score >= markdown.score - 0.4 else None
    return layout is not None and layout.kind == "book"


def _overlap(one: str, other: str) -> bool:
    return one == other or not one or not other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _apart(tree: Tree, row: FormCandidate, other: FormCandidate) -> bool:
    """Whether two workshops share no page although one lies inside of the other's folder."""
    return (row.form is other.form is Form.KILLERCODA and row.path != other.path) or _beside(tree, row, other)


def _beside(tree: Tree, row: FormCandidate, other: FormCandidate) -> bool:
    """Whether a workshop in a subfolder has a manifest of its own, and none of the pages of the Markdown tutorial around it."""
    outer, inner = sorted((row, other), key=lambda each: len(each.path))
    if outer.form is not Form.MARKDOWN or inner.form in _PLAIN or not _inside(inner.path, outer.path):
        return False
    layout = find_layout(tree, outer.path)
    return layout is not None and not any(path == inner.path or _inside(path, inner.path) for path, _ in layout.pages)


def _inside(path: str, folder: str) -> bool:
    return path != folder and (not folder or path.startswith(f"{folder}/"))


def _rivals(best: FormCandidate, likely: list[FormCandidate]) -> list[FormCandidate]:
    """Readings that a person may have meant as well: as likely ones, and beside a workshop in a subfolder others' workshops."""
    return [
        row
        for row in likely
        if row is not best
        and not (row.form is best.form and row.form not in _OWN_PAGES and _inside(row.path, best.path))
        and (row.score >= best.score - TOO_CLOSE or (best.path and row.score >= ANOTHER and not _inside_or_same(row, best)))
    ]


def _inside_or_same(row: FormCandidate, best: FormCandidate) -> bool:
    return row.path == best.path or _inside(row.path, best.path)


def choose(candidates: list[FormCandidate], as_form: Form | None) -> FormCandidate:
    """The reading to import.

    Raises:
        NotAWorkshopError: Nothing that can be imported; the sentence says what it is instead.
        ChoiceRequiredError: Several readings are equally likely.
    """
    if as_form:
        return _overruled(candidates, as_form)
    likely = [row for row in candidates if row.form not in NOT_WORKSHOPS and row.score >= ENOUGH]
    if not likely:
        what = next((row.form for row in candidates if row.form in NOT_WORKSHOPS), Form.EMPTY)
        raise NotAWorkshopError(_why_not(candidates), what, candidates)
    best = likely[0]
    rivals = _rivals(best, likely)
    if rivals:
        raise ChoiceRequiredError(_choices([best, *rivals]), [best, *rivals])
    program = next((row for row in candidates if row.form in (Form.APPLICATION, Form.LIBRARY)), None)
    if program and not best.path and best.form is Form.MARKDOWN and best.score < CARRIES_A_WORKSHOP:
        raise ChoiceRequiredError(_choices([best, program]), [best, program])
    return _importable(best, candidates)


def every(tree: Tree, candidates: list[FormCandidate], as_form: Form | None) -> list[FormCandidate]:
    """The readings of every workshop of a repository: for each folder the likeliest, and none among another one's pages.

    Raises:
        NotAWorkshopError: Nothing that can be imported.
    """
    likely = [
        row
        for row in candidates
        if row.form not in NOT_WORKSHOPS and importer_of(row.form) and (row.form is as_form if as_form else row.score >= ENOUGH)
    ]
    found: list[FormCandidate] = []
    for row in likely:
        if not any(_overlap(row.path, other.path) and not _apart(tree, row, other) for other in found):
            found.append(row)
    if not found:
        return [choose(candidates, as_form)]
    return sorted(found, key=lambda row: row.path)


def _overruled(candidates: list[FormCandidate], form: Form) -> FormCandidate:
    if form in NOT_WORKSHOPS:
        raise NotAWorkshopError(f"Read as {_NAMES[form]}, there is no workshop in it to import.", form, candidates)
    same = [row for row in candidates if row.form is form]
    best = same[0] if same else FormCandidate(form=form, score=0, evidence=["A person chose this form."])
    rivals = [row for row in same[1:] if row.score >= max(best.score - TOO_CLOSE, ENOUGH)]
    if rivals:
        raise ChoiceRequiredError(_choices([best, *rivals]), [best, *rivals])
    return _importable(best, candidates)


def _importable(best: FormCandidate, candidates: list[FormCandidate]) -> FormCandidate:
    if importer_of(best.form) is None:
        known = ", ".join(sorted(importer.form for importer in IMPORTERS))
        evidence = " ".join(best.evidence)
        raise NotAWorkshopError(
            f"This is {named(best)}, which is recognised but cannot be imported yet. {evidence} "
            f"Forms that can be imported: {known}.",
            best.form,
            candidates,
        )
    return best


def _why_not(candidates: list[FormCandidate]) -> str:
    what = next((row for row in candidates if row.form in NOT_WORKSHOPS), None)
    nearest = next((row for row in candidates if row.form not in NOT_WORKSHOPS), None)
    said = (
        f"This is {_NAMES[what.form]}, with no workshop in it to import. {' '.join(what.evidence)}"
        if what
        else "There is no workshop in it to import."
    )
    if nearest and nearest.score >= 0.3:
        option = f" --path {nearest.path}" if nearest.path else ""
        said += (
            f" The nearest to a workshop is {named(nearest)} (score {nearest.score:.2f}); "
            f"to read it so, say --as {nearest.form}{option}."
        )
    return said


def named(row: FormCandidate) -> str:
    """A reading in words: its form and where."""
    return _NAMES[row.form] + (f" in `{row.path}`" if row.path else "")


def _choices(rows: list[FormCandidate]) -> str:
    listed = "; ".join(f"{named(row)} ({row.score:.2f})" for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    same_form = len({row.form for row in rows}) == 1
    return f"It can be read as {listed}{more}. Say which with {'--path' if same_form else '--as (and --path)'}."
