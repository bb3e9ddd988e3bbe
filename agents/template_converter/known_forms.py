"""Repositories that hold no workshop: the least that tells each."""

from agents.template_converter import signals
from agents.template_converter.forms import plain_pages
from agents.template_converter.forms.asciidoc.plain import ENDINGS as ASCIIDOC
from agents.template_converter.left_out import sentence
from agents.template_converter.model import Tree
from shared_services.contracts.conversion import Form, FormCandidate

_PROSE = (*signals.MARKDOWN, ".mdx", ".rst", ".adoc", ".asciidoc", ".ipynb")
_FEW_SOURCES = 20
_PAGES_A_SOURCE = 10


def _is_prose(tree: Tree, sources: int) -> bool:
    """Whether there is so little code beside the pages that it serves them."""
    written = sum(path.lower().endswith(_PROSE) for path in signals.visible(tree))
    return sources < _FEW_SOURCES and written >= _PAGES_A_SOURCE * max(sources, 1)


def not_workshops(tree: Tree) -> list[FormCandidate]:
    """Readings as something that holds no workshop; at least one, always."""
    program = signals.code(tree)
    pages = plain_pages.pages(tree)
    facts = [signals.instructing(plain_pages.at_first_sight(tree, path)) for path in pages[:500]]
    instruct = sum(fact.instructs for fact in facts)
    what = "Markdown page" if all(path.lower().endswith(signals.MARKDOWN) for path in pages) else "Markdown or AsciiDoc page"
    about_pages = (
        f"{signals.amount(len(pages), what)}, {instruct or 'none'} of which instruct{'' if instruct > 1 else 's'}."
        if pages
        else _no_pages(tree)
    )
    if not tree.files or (
        not program.present
        and not pages
        and not any(path.endswith((".adoc", ".rst", ".ipynb", ".html")) for path in signals.visible(tree))
    ):
        return [
            FormCandidate(
                form=Form.EMPTY,
                score=0.9,
                evidence=_with_absent(tree, f"{signals.amount(len(tree.files), 'file')}, none of them a page or a program."),
            )
        ]
    if program.present and not _is_prose(tree, program.sources):
        form = Form.LIBRARY if program.is_library else Form.APPLICATION
        built = ", ".join(f"`{path}`" for path in program.build_files[:4])
        how = f"built by {built}" if built else "without a build file that is known"
        said = f"{signals.amount(program.sources, 'source file')}, {how}."
        return [FormCandidate(form=form, score=0.7, evidence=[said, about_pages])]
    substance = sum(size for path, size in tree.files.items() if path.lower().endswith(_PROSE) and signals.counts(path))
    if len(pages) <= 1 and substance < 1500 and instruct == 0:
        return [
            FormCandidate(
                form=Form.EMPTY,
                score=0.7,
                evidence=[f"{signals.amount(len(tree.files), 'file')} and {substance} bytes of pages.", about_pages],
            )
        ]
    return [
        FormCandidate(
            form=Form.DOCUMENTATION, score=0.55, evidence=[about_pages, f"{signals.amount(program.sources, 'source file')}."]
        )
    ]


def _no_pages(tree: Tree) -> str:
    """Pages of an Antora site are no pages of a plain tutorial, and there all the same."""
    sites = sum(path.lower().endswith(ASCIIDOC) and "/pages/" in path for path in signals.visible(tree))
    return (
        f"{signals.amount(sites, 'AsciiDoc page')} of an Antora site, and no other."
        if sites
        else "No Markdown or AsciiDoc pages."
    )


def _with_absent(tree: Tree, evidence: str) -> list[str]:
    return [evidence, said] if (said := sentence(tree)) else [evidence]
