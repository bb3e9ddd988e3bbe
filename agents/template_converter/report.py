"""The report of a conversion: counted in the result, and what the result lacks is said even when no importer said it."""

import re
from collections import Counter

from agents.template_converter.forms.lines import lines_of, outside_fences, without_enclosed
from agents.template_converter.forms.parsing import PARSER
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import ConversionReport, Counts, FormCandidate, Loss, ReportStep, ReportWorkshop
from shared_services.contracts.workshop import parse_fence_info
from shared_services.library.form import STEP_TEXTS, WorkshopFiles

_IMAGE_TAG = re.compile(r"<img\b", re.IGNORECASE)
_DIRECTIVE = re.compile(r"^[\s>]*(?:`{3,}|~{3,})\{(?!code|sourcecode|ipython)[a-z][\w:+-]*\}")
_LINK_TAG = re.compile(r"<a\b[^<>]*?\bhref", re.IGNORECASE)


def count_text(text: str) -> Counter[str]:
    """Code blocks (fenced and indented), executable ones, images and links of one CommonMark text."""
    counts: Counter[str] = Counter()
    for token in PARSER.parse(text):
        if token.type in ("fence", "code_block"):
            counts["code_blocks"] += 1
            counts["fences"] += token.type == "fence"
            counts["executable_blocks"] += token.type == "fence" and parse_fence_info(token.info).executable
        elif token.type in ("html_block", "html_inline"):
            counts.update(_tags(token.content))
        for child in token.children or []:
            counts["images"] += child.type == "image"
            counts["links"] += child.type == "link_open"
            if child.type == "html_inline":
                counts.update(_tags(child.content))
    return counts


def _tags(text: str) -> dict[str, int]:
    return {"images": len(_IMAGE_TAG.findall(text)), "links": len(_LINK_TAG.findall(text))}


def count_result(workshop: WorkshopFiles) -> Counts:
    """What the written workshop holds."""
    total: Counter[str] = Counter()
    checks = hints = 0
    for step in workshop.manifest.steps:
        for name in STEP_TEXTS:
            total.update(count_text(workshop.text(f"steps/{step}/{name}") or ""))
        checks += workshop.steps[step].check is not None
        hints += f"steps/{step}/hints.md" in workshop.files
    return Counts(
        steps=len(workshop.manifest.steps), code_blocks=total["code_blocks"], executable_blocks=total["executable_blocks"],
        images=total["images"], links=total["links"], checks=checks, hints=hints,
    )  # fmt: skip


def unaccounted(tree: Tree, imported: ImportedWorkshop) -> list[Loss]:
    """A loss for every Markdown or AsciiDoc page with blocks of code that are neither in the result nor reported.

    They are counted apart from the importer, by their marks alone.
    """
    found: Counter[str] = Counter()
    for step in imported.steps:
        for text in (step.content, step.hints, step.explain, step.solve):
            found[step.source] += max(count_text(text or "")["fences"], _fences(text or "", step.source))
    lost = Counter(loss.source for loss in imported.losses if loss.kind in ("code", "page"))
    rows = []
    for page, count in found.items():
        if page not in tree or page in imported.counted:
            continue
        if page.lower().endswith((".md", ".markdown")):
            wanted = _fences(tree.read_text(page), page)
        elif page.lower().endswith((".adoc", ".asciidoc", ".asc")):
            wanted = _listings(tree.read_text(page))
        else:
            continue
        missing = wanted - count - lost[page]
        if missing > 0:
            rows.append(
                Loss(
                    kind="code",
                    source=page,
                    line=0,
                    detail=f"{missing} of {wanted} code blocks of this page are not in the result. Compare them.",
                )
            )
    return rows


def _fences(text: str, page: str) -> int:
    """Fenced blocks by their marks; what is commented out does not count, nor do MyST's directives."""
    text = without_enclosed(text, "<!--", "-->")
    count, before = 0, False
    for _, line, inside in outside_fences(lines_of(text, page)):
        closes = before and re.fullmatch(r"[\s>]*(?:`{3,}|~{3,})\s*", line.text)
        count += inside and not before and not _DIRECTIVE.match(line.text)
        before = inside and not (closes and before)
    return count


_DELIMITER = re.compile(r"^(?:-{4,}|\.{4,}|\+{4,}|/{4,}|`{3}\S*)$")
_CONDITION = re.compile(r"^(?:ifdef|ifndef|ifeval)::[^\[]*\[(?P<within>.*)\]$")


def _listings(text: str) -> int:
    """Delimited listings and literal blocks of an AsciiDoc page by their marks, outside of comments and of conditions.

    Blocks that only stand under a condition, and those of included files, are not counted: they may rightly be missing, or more.
    """
    count = depth = 0
    mark = before = ""
    for line in text.split("\n"):
        row = line.rstrip()
        condition = None if mark else _CONDITION.match(row)
        if condition:
            depth += row.startswith("ifeval") or not condition["within"]
        elif row.startswith("endif::") and not mark:
            depth = max(0, depth - 1)
        elif mark:
            mark = "" if row == mark else mark
        elif _DELIMITER.match(row) and not _underlines(before, row):
            mark = "```" if row.startswith("```") else row
            count += depth == 0 and row[0] in "-.`" and not re.match(r"\[(?:comment|pass|stem|latexmath|asciimath)", before)
        before = row
    return count - (bool(mark) and mark[0] in "-.`" and depth == 0)


def _underlines(before: str, row: str) -> bool:
    """Whether a row of dashes is the underline of a title above it."""
    return row[0] == "-" and bool(re.match(r"\w", before)) and abs(len(before) - len(row)) <= 1


def make_report(candidate: FormCandidate, tree: Tree, imported: ImportedWorkshop, result: WorkshopFiles) -> ConversionReport:
    """The report of one conversion."""
    steps = [ReportStep(id=step.id, title=result.steps[step.id].title, source=step.source) for step in imported.steps]
    return ConversionReport(
        form=candidate.form,
        evidence=candidate.evidence,
        commit=tree.commit,
        workshop=ReportWorkshop(slug=result.manifest.slug, title=result.manifest.title, steps=steps),
        counts=count_result(result),
        losses=sorted(imported.losses, key=lambda row: (row.source, row.line, row.kind)),
        broken=sorted(imported.broken, key=lambda row: (row.source, row.line, row.kind)),
    )
