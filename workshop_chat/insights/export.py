"""The questions of the groups as CSV, for a spreadsheet that must not run what a participant wrote."""

import csv
import io

from workshop_chat.insights.service import Groups

COLUMNS = ("day", "section", "group", "like", "kind", "question")
_FORMULA = ("=", "+", "-", "@")


def cell(text: str) -> str:
    """A text as a cell: on one line, and with a quote before what a spreadsheet would take for a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def csv_text(groups: Groups) -> str:
    """A row a question: its day (UTC), section, group's id and representative, kind, and the masked question itself."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for group in groups.found:
        for question in group.questions:
            shown = question.shown
            kinds = [name for name, holds in (("unanswered", shown.unanswered), ("thumbs-down", shown.thumbs_down)) if holds]
            row = (f"{shown.asked_at:%Y-%m-%d}", question.section.title, group.id, group.representative, ", ".join(kinds))
            writer.writerow([cell(text) for text in (*row, shown.text)])
    return written.getvalue()
