"""One page whose sections are the steps."""

import re

from agents.template_converter.forms.assemble import StepPlan
from agents.template_converter.forms.pages import Heading, Page
from shared_services.contracts.conversion import Loss

_AROUND = re.compile(r"^\W*(?:table of contents?|contents|toc|index|agenda)\W*$", re.IGNORECASE)
_LISTED = re.compile(r"^\s*(?:[-*+]|\d+[.)]|$|\[.*\]\(#)")
_ABOUT = re.compile(
    r"^\W*(?:licen[sc]e|licensing|contributing|contributors?|authors?|credits|acknowledge?ments?|code of conduct|maintainers?"
    r"|sponsors?|star history|getting help|support|feedback)\W*$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"^\W*+(?:(?:step|exercise|task|lab|part|module|lesson|challenge)[ \t]*+#?[ \t]*+)?\d++(?:[.):\s-]|$)", re.IGNORECASE
)


def section_steps(page: Page) -> tuple[list[StepPlan], list[Loss]]:
    """The steps of a page, and what of it is no step.

    Sections are those of the first heading level where there are several of it, else of the next level that has several.
    """
    headings = [heading for heading in page.headings if _top_level(page, heading)]
    starts = _starts(page, headings)
    if not starts:
        return [StepPlan(page, 0, len(page.lines), page.title or "Introduction")], []
    steps: list[StepPlan] = []
    losses: list[Loss] = []
    above = [row.end for row in headings if row.row < starts[0].row]
    before = above[-1] if above and not _has_text(page, 0, headings[0].row) else 0
    if _has_text(page, before, starts[0].row):
        introduced = any(heading.text.strip().casefold() == "introduction" for heading in starts)
        steps.append(StepPlan(page, 0, starts[0].row, (introduced and page.title) or "Introduction"))
    for heading, following in zip(starts, [*starts[1:], None], strict=True):
        end = following.row if following else len(page.lines)
        if _skipped(page, heading, end):
            line = page.lines[heading.row]
            losses.append(
                Loss(
                    kind="page",
                    source=line.file,
                    line=line.number,
                    detail=f"The section “{heading.text}” is about the repository or lists its sections; it is not a step.",
                )
            )
            continue
        steps.append(StepPlan(page, heading.row, end, heading.text.rstrip(":").rstrip() or "Step"))
    return steps or [StepPlan(page, 0, len(page.lines), page.title or "Introduction")], losses


def _starts(page: Page, headings: list[Heading]) -> list[Heading]:
    first_level = [row for row in headings if row.level == 1]
    if len(first_level) > 2:
        return first_level if _has_text(page, first_level[0].end, first_level[1].row) else first_level[1:]
    levels = [[row for row in headings if row.level == level] for level in (2, 3, 4)]
    starts = next((rows for rows in levels if len(rows) > 1), [])
    below = [row for row in headings if starts and row.level == starts[0].level + 1]
    counted = [row for row in below if _COUNTED.match(row.text)]
    # The steps are what is counted: where that is one level deeper, each of them is a step.
    if len(counted) >= 3 and len(counted) >= len(below) / 2 and not any(_COUNTED.match(row.text) for row in starts):
        return sorted([*starts, *counted], key=lambda row: row.row)
    return starts


def _top_level(page: Page, heading: Heading) -> bool:
    return not page.lines[heading.row].text.startswith((" ", ">", "-", "*", "+"))


def _has_text(page: Page, first: int, end: int) -> bool:
    return any(not line.blank for line in page.lines[first:end])


def _skipped(page: Page, heading: Heading, end: int) -> bool:
    text = "\n".join(line.text for line in page.lines[heading.row + 1 : end])
    plain = "```" not in text and "~~~" not in text and "![" not in text
    return bool(
        plain and (_ABOUT.match(heading.text) or (_AROUND.match(heading.text) and all(map(_LISTED.match, text.split("\n")))))
    )
