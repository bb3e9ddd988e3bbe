"""Jobs and reports in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.author_pages import problems_of
from console.job_pages import can_retry
from console.people import local_target
from console.reports import FORM_NAMES, READABLE_FORMS, are_apart, outcome, report_sentence, state_of, ticked
from shared_services.contracts.conversion import Broken, ConversionReport, ConvertRequest, Counts, Form, Loss, ReportWorkshop
from shared_services.contracts.jobs import Job, JobState
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX

LOSS = Loss(kind="code", source="a.md", line=1, detail="Gone.")
BROKEN = Broken(kind="link", source="a.md", line=2, target="b.md", detail="There is no `b.md`.")


def report(steps: int, blocks: int, losses: int, broken: int) -> ConversionReport:
    return ConversionReport(
        form=Form.MARKDOWN,
        evidence=[],
        commit=None,
        workshop=ReportWorkshop(slug="lab", title="Lab", steps=[]),
        counts=Counts(steps=steps, code_blocks=blocks),
        losses=[LOSS] * losses,
        broken=[BROKEN] * broken,
    )


def job(state: JobState, kind: str = "convert", **more: Any) -> Job:
    now = datetime.now(UTC)
    return Job(id="1", kind=kind, subject="x", owner="o", state=state, created_at=now, updated_at=now, steps=[], **more)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((19, 455, 0, 2), "19 pages, 455 code blocks kept, none lost; 2 references were broken in the source."),
        ((1, 1, 3, 0), "1 page, 1 code block kept, 3 lost or changed."),
        ((2, 0, 0, 1), "2 pages, 0 code blocks kept, none lost; 1 reference was broken in the source."),
    ],
)
def test_a_conversion_is_one_sentence(numbers: tuple[int, int, int, int], sentence: str):
    assert report_sentence(report(*numbers)) == sentence


def failed(slug: str, detail: str = "Because.", **more: Any) -> Job:
    return job(JobState.FAILED, error={"type": PROBLEM_TYPE_PREFIX + slug, "title": "No", "detail": detail, **more})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (job(JobState.QUEUED), "Waits for its turn."),
        (job(JobState.RUNNING, message="Reading"), "Reading"),
        (job(JobState.CANCELLED, message="Reading"), "Cancelled before it ended."),
        (failed("source-unreachable"), "Because."),
        (failed("internal", ""), "No"),
        (job(JobState.SUCCEEDED, "publish", result={"workshop": "x", "version": "1", "chunks": 1}), "Published with 1 passage."),
        (job(JobState.SUCCEEDED, "remove", result={"removed": True}), "Removed with every version and its index."),
        (job(JobState.SUCCEEDED, "remove", result={"removed": False}), "There was nothing left to remove."),
    ],
)
def test_the_outcome_of_a_job_is_said_plainly(given: Job, said: str):
    assert outcome(given) == said


def test_a_finished_conversion_says_what_its_report_says():
    done = job(
        JobState.SUCCEEDED, result={"workshop": "lab", "version": "1", "report": report(2, 3, 0, 0).model_dump(mode="json")}
    )
    assert outcome(done) == "2 pages, 3 code blocks kept, none lost."


def test_a_choice_is_a_question_and_no_failure():
    asked = failed("choice-required", "Say which with --path.")
    assert state_of(asked) == "your choice"
    assert "--path" not in outcome(asked)


@pytest.mark.parametrize(
    ("readings", "apart"),
    [
        ([("educates", "a"), ("educates", "b")], True),
        ([("mkdocs", "docs"), ("markdown", "docs")], False),
        ([("markdown", ""), ("educates", "lab")], False),
        ([("markdown", "lab"), ("educates", "lab/inner"), ("educates", "lab2")], False),
        ([("educates", "a"), ("application", "b")], False),
        ([("educates", "a")], False),
    ],
)
def test_several_workshops_of_a_source_are_told_from_several_readings_of_one(readings: list[tuple[str, str]], apart: bool):
    asked = failed("choice-required", candidates=[{"form": form, "path": path} for form, path in readings])
    assert are_apart(asked) is apart
    assert outcome(asked).startswith("Choose one of them" if apart else "It can be read in several ways")
    assert not are_apart(failed("not-a-workshop", candidates=[{"form": form, "path": path} for form, path in readings]))


@pytest.mark.parametrize(
    ("given", "helps"),
    [
        (failed("source-unreachable"), True),
        (failed("internal"), True),
        (failed("choice-required"), False),
        (failed("not-a-workshop"), False),
        (job(JobState.CANCELLED), False),
        (job(JobState.RUNNING), False),
    ],
)
def test_trying_again_is_offered_where_it_may_help(given: Job, *, helps: bool):
    assert can_retry(given) is helps


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("no ticks <b>", "no ticks &lt;b&gt;"),
        ("a `b<c` d & `e`", "a <code>b&lt;c</code> d &amp; <code>e</code>"),
        ("one ` alone <i>", "one ` alone &lt;i&gt;"),
    ],
)
def test_words_between_ticks_are_code_and_everything_is_escaped(text: str, html: str):
    assert str(ticked(text)) == html


def test_every_form_has_a_name_for_people():
    assert set(FORM_NAMES) == set(Form)
    assert Form.APPLICATION not in READABLE_FORMS
    assert Form.SHOWROOM in READABLE_FORMS


@pytest.mark.parametrize(
    ("target", "local"),
    [
        ("/jobs", "/jobs"),
        ("/convert?job=1", "/convert?job=1"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("jobs", "/"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(target: str | None, local: str):
    assert local_target(target) == local


def test_a_form_says_what_is_wrong_field_by_field():
    with pytest.raises(ValueError) as caught:
        ConvertRequest.model_validate({"source": "x" * 2001, "ref": "y" * 301, "as_form": "nonsense"})
    given = {"source": "x", "ref": "y", "path": "", "as_form": "nonsense"}
    assert problems_of(caught.value, given) == {  # type: ignore[arg-type]
        "source": "The address is longer than 2,000 characters.",
        "ref": "The branch, tag or commit is longer than 300 characters.",
        "as_form": "The form cannot be used.",
    }
