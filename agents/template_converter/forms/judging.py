"""How much speaks for a site being a workshop: pages that instruct, words for it, counted pages."""

import posixpath
import re
from dataclasses import dataclass

from agents.template_converter import signals
from shared_services.contracts.conversion import Form, FormCandidate

_COUNTED = re.compile(
    r"^\W*(?!(?:19|20)\d\d[-._\s]\d\d?(?!\d))\d+[.):_\s-]"
    r"|^\W*(?:lab|step|exercise|module|part|task|challenge|lesson|chapter|day)\b[\s#_-]*\d",
    re.IGNORECASE,
)
"""A number that is no date: posts of a blog are named by the day they were written on."""
_OF_A_PROGRAM = re.compile(
    r"\b(?:api|cli|reference|architecture|backend|frontend|config(?:uration)?|contribut(?:ing|e)|faq|licen[cs]e|changelog|roadmap"
    r"|specification|self-hosting|hosting|security|schema|code-style|benchmarks?|features|plugins?|sdk|release-notes|upgrad(?:ing|e))\b",
    re.IGNORECASE,
)
_NEWS = frozenset({"post", "posts", "blog", "news"})
_UNSAID = 0.4
_A_PROGRAM = 50


@dataclass(frozen=True)
class SitePage:
    """What judging asks of a page: its path, the folders below the site's content, its title, its text, whether it is dated."""

    path: str
    sections: tuple[str, ...]
    title: str
    text: str
    dated: bool = False


def judge(form: Form, folder: str, about: str, said: str, pages: list[SitePage], program: signals.Code) -> FormCandidate:
    """The reading of a site as a workshop.

    Args:
        form: The site's form.
        folder: Where it is.
        about: The first sentence of evidence.
        said: The site's title and description.
        pages: In the navigation's order.
        program: What program the repository holds: a site that documents it is no workshop.
    """
    evidence = [about]
    if not pages:
        return FormCandidate(form=form, score=0.2, path=folder, evidence=evidence)
    facts = [signals.instructing(page.text) for page in pages]
    blocks, commands = sum(fact.blocks for fact in facts), sum(fact.commands for fact in facts)
    instruct = sum(fact.instructs for fact in facts)
    evidence.append(
        f"{instruct} of {signals.amount(len(facts), 'page')} instruct, with {signals.amount(blocks, 'code block')}, "
        f"{commands or 'none'} of them shell commands."
    )
    folder_words = posixpath.basename(folder).replace("-", " ")
    words = signals.workshop_words(f"{said} {folder_words} {signals.opening(pages[0].text)}")
    counted = [page for page in pages if _is_counted(page)]
    named = [page for page in pages if signals.workshop_words(f"{page.title} {' '.join(page.sections).replace('-', ' ')}")]
    share = len({page.path for page in [*counted, *named]}) / len(facts)
    score = 0.2 + 0.3 * min(1.0, instruct / len(facts) / 0.4) + (0.25 if words else 0) + (0.25 if share >= 0.3 else 0)
    if words:
        evidence.append(f"The site speaks of {', '.join(f'“{word}”' for word in words[:4])}.")
    if share >= 0.3:
        evidence.append(f"Of the pages {len(counted)} are counted and {len(named)} named as labs or exercises.")
    against = _against(pages, instruct, words, share, program) or beside_a_program(folder, words, program)
    if against:
        score = min(score, 0.3 if instruct == 0 else _UNSAID)
        evidence.append(against)
    return FormCandidate(form=form, score=round(min(score, 0.98), 2), path=folder, evidence=evidence)


def _against(pages: list[SitePage], instruct: int, words: list[str], share: float, program: signals.Code) -> str:
    """A sentence that says why it is no workshop; empty where nothing speaks against it."""
    news = sum(page.dated and bool(page.sections) and page.sections[0].lower() in _NEWS for page in pages)
    if instruct == 0:
        return "None of its pages instructs."
    if not (words or share >= 0.3):
        return "Nothing says that it is a workshop or tutorial."
    if news > len(pages) / 2:
        return f"{news} of its pages are posts of a blog."
    if program.is_library and share < 0.3:
        return f"It documents a program (`{program.build_files[0]}`), tutorials included."
    return parts_of_a_program([page.path for page in pages], share, program)


def parts_of_a_program(paths: list[str], share: float, program: signals.Code) -> str:
    """A sentence where pages beside a large program are named after what documentation has; else empty.

    Args:
        paths: The pages.
        share: How many of them are counted or named as exercises, of 1.
        program: What program the repository holds.
    """
    about_it = sum(_OF_A_PROGRAM.search(path.replace("_", "-")) is not None for path in paths)
    if program.sources >= _A_PROGRAM and program.build_files and share < 0.3 and about_it >= 0.4 * len(paths):
        return f"It documents a program of {program.sources} source files: {about_it} of its pages are named after parts of it."
    return ""


def beside_a_program(folder: str, words: list[str], program: signals.Code) -> str:
    """A sentence where a site in a subfolder of a large program does not call itself a workshop; else empty."""
    if folder and program.sources >= _A_PROGRAM and not words:
        return f"It lies beside a program of {program.sources} source files, and does not call itself a workshop."
    return ""


def _is_counted(page: SitePage) -> bool:
    stem = posixpath.basename(page.path).partition(".")[0]
    return bool(_COUNTED.match(page.title) or _COUNTED.match(stem) or any(map(_COUNTED.match, page.sections)))
