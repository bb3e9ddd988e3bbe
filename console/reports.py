"""What a job came to, in words: a conversion's report in one sentence, and the outcome that a list of jobs shows."""

from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from shared_services.contracts.conversion import (
    NOT_WORKSHOPS,
    ConversionReport,
    ConversionResult,
    ConversionsResult,
    ExportReport,
    Form,
    InspectionResult,
)
from shared_services.contracts.inventory import Inventory
from shared_services.contracts.jobs import Job, JobState
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX
from shared_services.library.publishing import PUBLISH, REMOVE

FORM_NAMES = {
    Form.SHOWROOM: "Showroom (Antora)",
    Form.EDUCATES: "Educates",
    Form.KILLERCODA: "Killercoda",
    Form.INSTRUQT: "Instruqt",
    Form.CODELAB: "Codelab",
    Form.JUPYTER: "Jupyter notebooks",
    Form.MKDOCS: "MkDocs",
    Form.DOCUSAURUS: "Docusaurus",
    Form.HUGO: "Hugo",
    Form.MARKDOWN: "Markdown tutorial",
    Form.RST: "Sphinx",
    Form.WORKSHOP_BUILDER: "Workshop builder",
    Form.WORKSHOP: "A workshop in this platform's own form",
    Form.APPLICATION: "An application",
    Form.LIBRARY: "A library",
    Form.DOCUMENTATION: "Documentation",
    Form.EMPTY: "Nothing that can be read",
}
READABLE_FORMS = [form for form in Form if form not in NOT_WORKSHOPS]


def several(number: int, word: str) -> str:
    """A number and its noun: `1 step`, `2 steps`."""
    return f"{number} {word}" + ("" if number == 1 else "s")


def report_sentence(report: ConversionReport) -> str:
    """A conversion in one sentence: what was kept, what was lost, what was broken before."""
    counts = report.counts
    kept = f"{several(counts.steps, 'page')}, {several(counts.code_blocks, 'code block')} kept"
    lost = f"{len(report.losses)} lost or changed" if report.losses else "none lost"
    was = "was" if len(report.broken) == 1 else "were"
    broken = f"; {several(len(report.broken), 'reference')} {was} broken in the source" if report.broken else ""
    return f"{kept}, {lost}{broken}."


def inventory_sentence(inventory: Inventory) -> str:
    """What an application is, in one sentence."""
    languages = ", ".join(row.name for row in inventory.languages[:3]) or "no source that is known"
    parts = [several(len(inventory.endpoints), "endpoint"), several(len(inventory.build_files), "build file")]
    return f"{several(inventory.files, 'file')}: {languages}; {', '.join(parts)}."


def conversion_of(job: Job) -> ConversionResult | None:
    """The one workshop that a finished job made, by a conversion or as a skeleton; None for a job that made none."""
    if job.result is None:
        return None
    if "report" in job.result:
        return ConversionResult.model_validate(job.result)
    inspection = inspection_of(job)
    return inspection.skeleton if inspection else None


def export_of(job: Job) -> ExportReport | None:
    """What a finished export came to; None for another job."""
    return ExportReport.model_validate(job.result) if job.result and "files" in job.result else None


def export_sentence(report: ExportReport) -> str:
    """An export in one sentence."""
    lost = f"{several(len(report.losses), 'thing')} changed or left out" if report.losses else "nothing was lost"
    return f"{several(len(report.files), 'file')}; {lost}."


def conversions_of(job: Job) -> ConversionsResult | None:
    """The workshops that a finished job made of every workshop of a source; None for another job."""
    return ConversionsResult.model_validate(job.result) if job.result and "workshops" in job.result else None


def inspection_of(job: Job) -> InspectionResult | None:
    """What a finished inspection found; None for another job."""
    return InspectionResult.model_validate(job.result) if job.result and "inventory" in job.result else None


def every_sentence(made: ConversionsResult) -> str:
    """The conversion of every workshop of a source in one sentence."""
    lost = sum(len(row.report.losses) for row in made.workshops)
    broken = sum(len(row.report.broken) for row in made.workshops)
    unread = f"; {len(made.unread)} more could not be read" if made.unread else ""
    told = f"{several(lost, 'thing')} lost or changed, {several(broken, 'reference')} broken in the source"
    return f"{several(len(made.workshops), 'workshop')} read{unread}; {told}."


def problem_slug(job: Job) -> str:
    """The stable name of the error that a job failed with; empty where it did not."""
    return str((job.error or {}).get("type", "")).removeprefix(PROBLEM_TYPE_PREFIX)


def kind_name(kind: str) -> str:
    """A kind of job in words, as the head of a line: `Convert`, `Convert all of`."""
    return {"convert-all": "Convert all of", "reimport": "Update"}.get(kind, kind.capitalize())


def needs_choice(job: Job) -> bool:
    """Whether a conversion ended with a question to a person."""
    return problem_slug(job) == "choice-required"


def are_apart(job: Job) -> bool:
    """Whether what a person is asked is which of several workshops they mean: each reading has a folder of its own."""
    candidates = (job.error or {}).get("candidates", [])
    folders = sorted(f"{row.get('path') or ''}/" for row in candidates)
    nested = any(inner.startswith(outer) for outer, inner in pairwise(folders))
    readable = all(row["form"] in READABLE_FORMS for row in candidates)
    return needs_choice(job) and len(folders) > 1 and "/" not in folders and readable and not nested


def state_of(job: Job) -> str:
    """A job's state in a word for people."""
    return "your choice" if needs_choice(job) else job.state.value


def ticked(text: str) -> Markup:
    """A sentence with what stands between backticks as code; everything in it is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def outcome(job: Job) -> str:
    """One sentence on where a job stands or what it came to; for the list of jobs."""
    if job.state == JobState.QUEUED:
        return "Waits for its turn."
    if job.state == JobState.CANCELLED:
        return "Cancelled before it ended."
    if are_apart(job):
        return "Choose one of them, or have all of them converted; nothing was kept yet."
    if needs_choice(job):
        return "It can be read in several ways, and none is much likelier than the others. Choose one; nothing was kept yet."
    if job.error is not None:
        return str(job.error.get("detail") or job.error.get("title", ""))
    if job.result is None:
        return job.message
    return _made(job) or _result(job.kind, job.result) or job.message


def _made(job: Job) -> str:
    every, inspection, made = conversions_of(job), inspection_of(job), conversion_of(job)
    if every:
        return every_sentence(every)
    if inspection:
        return inventory_sentence(inspection.inventory)
    exported = export_of(job)
    if exported:
        return export_sentence(exported)
    return report_sentence(made.report) if made else ""


def _result(kind: str, result: dict[str, Any]) -> str:
    if kind == PUBLISH:
        return f"Published with {several(int(result['chunks']), 'passage')}."
    if kind == REMOVE:
        return "Removed with every version and its index." if result.get("removed") else "There was nothing left to remove."
    if kind == "reimport":
        left = int(result["conflicts"])
        return f"{several(left, 'conflict')} for you to decide." if left else "Merged without a conflict."
    return ""
