"""How much speaks for an Antora site being a workshop, and not the documentation of something."""

import re
from dataclasses import dataclass

from agents.template_converter.forms.asciidoc import automation
from agents.template_converter.forms.asciidoc.antora import Site
from agents.template_converter.forms.asciidoc.lab_page import find_lab_page
from agents.template_converter.model import Tree
from shared_services.asciidoc.preprocess import Findings

_INSTRUCTS = re.compile(
    rb"role=[\"']?[\w ,-]*(?:execute|copypaste|copy|send-to)"
    rb"|\[[^\]\n]{0,200}\.(?:console-input|execute)\b|\{(?:user|guid|password)[\w-]*\}"
)
_STEPS = re.compile(rb"^(?:\.+ |\d+\. )\S|^\[source,\s*(?:ba)?sh|^\[source,\s*(?:console|shell|terminal)", re.MULTILINE)
_TEACHING = re.compile(
    r"\b(?:workshop|tutorial|lab|hands-on|course|exercise|training|bootcamp|lesson|learning path)s?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Judged:
    """A score from 0 to 1, and what it rests on in words."""

    score: float
    evidence: list[str]


def judge(tree: Tree, site: Site, texts: list[bytes], pages: int) -> Judged:
    """What the site's marks, its pages and its words say.

    Args:
        tree: The checkout.
        site: The site.
        texts: Its pages, in the navigation's order.
        pages: How many the navigation names.
    """
    marks = _marks(tree, site)
    evidence = list(marks)
    clickable = sum(len(_INSTRUCTS.findall(text)) for text in texts)
    instructing = sum(len(_STEPS.findall(text)) for text in texts)
    if clickable:
        evidence.append(f"{clickable} marks of blocks to run or copy, or of a participant's own values")
    if instructing:
        evidence.append(f"{instructing} numbered steps and shell blocks")
    titles = [component.title for component in site.components] + ([site.playbook.title] if site.playbook else [])
    words = _TEACHING.search("\n".join([*titles, *(text[:3000].decode(errors="replace") for text in texts[:1])]))
    readme = None if words else _TEACHING.search(_readme(tree))
    if words:
        evidence.append(f"it speaks of itself as a {words[0].lower()}")
    elif readme:
        evidence.append(f"its README speaks of a {readme[0].lower()}")
    score = _score(pages, clickable, instructing, marks=bool(marks), teaches=bool(words), described=bool(readme))
    return Judged(score, evidence)


def _score(pages: int, clickable: int, instructing: int, *, marks: bool, teaches: bool, described: bool) -> float:
    """How strongly an Antora site speaks for being a workshop and not documentation."""
    if not pages:
        return 0.3
    if marks and (clickable or instructing):
        return 0.95
    if teaches and pages > 2 and instructing >= 2 * pages:
        return 0.92
    if marks or clickable >= 3:
        return 0.9
    if teaches:
        return 0.75
    return 0.6 if instructing >= (pages if described else 3 * pages) else 0.4


def _readme(tree: Tree) -> str:
    """How the repository begins to speak of itself."""
    path = next((name for name in ("README.adoc", "README.md", "readme.md", "README.asciidoc") if name in tree), None)
    return tree.read_text(path)[:1500] if path else ""


def _marks(tree: Tree, site: Site) -> list[str]:
    lab_page = find_lab_page(tree, site.homes(), Findings())
    found = [f"`{lab_page.path}`"] if lab_page else []
    folder = next((home for home in site.homes() if automation.stands_in(tree, home)), None)
    if folder is not None:
        found.append(f"`{f'{folder}/{automation.FOLDER}'.lstrip('/')}/`")
    if site.playbook and re.search(r"showroom|rhdp", tree.read_text(site.playbook.path), re.IGNORECASE):
        found.append(f"`{site.playbook.path}` speaks of Showroom")
    return found
