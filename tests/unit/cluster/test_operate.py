"""Parts of `operate` that need no core: questions from titles, lines of progress, archives on standard input."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from shared_services.clients.jobs import JobsClient
from shared_services.contracts.jobs import Job, JobEvent, JobState
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.kit.errors import BadInputError, PlatformError, ProblemError, TooLargeError
from workshop_cli.cluster import content
from workshop_cli.cluster.asking import questions_for
from workshop_cli.cluster.content import shipped_in, take_archive
from workshop_cli.cluster.following import Lines, followed

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def version(*titles: str) -> WorkshopVersion:
    steps = {f"s{number}": StepManifest(title=title) for number, title in enumerate(titles)}
    manifest = WorkshopManifest(slug="x", title="X", steps=list(steps))
    return WorkshopVersion(
        workshop="x",
        version="v",
        number=1,
        created_at=NOW,
        published_at=NOW,
        current=True,
        manifest=manifest,
        steps=steps,
        files=[],
    )


def test_questions_are_made_of_the_most_telling_titles() -> None:
    asked = questions_for(version("Setup", "Deny traffic by default", "Setup", "Limit what the namespace can use", "End."))
    assert asked == [
        "How do I do this: Deny traffic by default?",
        "How do I do this: Limit what the namespace can use?",
        "How do I do this: Setup?",
    ]
    assert questions_for(version("Why?")) == ["How do I do this: Why?"]


def test_progress_on_one_thing_is_told_now_and_then() -> None:
    told: list[str] = []
    lines = Lines(told.append, seconds=60)
    for line in ("Reading", "Reading", "Indexing x: 1 of 9", "Indexing x: 2 of 9", "Done"):
        lines.tell(line)
    assert told == ["Reading", "Indexing x: 1 of 9", "Done"]
    quick = Lines(told.append, seconds=0)
    told.clear()
    for line in ("Indexing x: 1 of 9", "Indexing x: 2 of 9"):
        quick.tell(line)
    assert told == ["Indexing x: 1 of 9", "Indexing x: 2 of 9"]


class FakeJobs:
    """A job that tells two things, its stream cut once, and ends as told."""

    def __init__(self, end: JobState, **more: Any) -> None:
        self.after: list[int] = []
        self.job = Job(
            id="1", kind="publish", subject="x", owner="o", state=JobState.RUNNING, created_at=NOW, updated_at=NOW, steps=[],
            done=0, total=None, message="", result=None, error=None,
        )  # fmt: skip
        self.end = self.job.model_copy(update={"state": end} | more)

    async def get(self, _job_id: str) -> Job:
        return self.job if len(self.after) < 2 else self.end

    async def events(self, _job_id: str, after: int = 0) -> AsyncIterator[JobEvent]:
        self.after.append(after)
        number = after + 1
        yield JobEvent(number=number, at=NOW, type="progress", data={"done": 1, "total": 2, "message": f"Part {number}"})
        yield JobEvent(number=number + 1, at=NOW, type="state", data={"state": "running"})


async def test_a_job_is_followed_over_a_stream_that_is_cut() -> None:
    told: list[str] = []
    jobs = FakeJobs(JobState.SUCCEEDED, result={"chunks": 3})
    ended = await followed(cast("JobsClient", jobs), jobs.job, told.append)
    assert ended.result == {"chunks": 3}
    assert jobs.after == [0, 2]
    assert told == ["Part 1", "Part 3"]


async def test_a_job_that_fails_or_is_cancelled_is_an_error_with_its_own_sentence() -> None:
    problem = {
        "type": "urn:workshop-assistant:problem:source-unreachable",
        "title": "T",
        "status": 422,
        "detail": "No such host.",
    }
    jobs = FakeJobs(JobState.FAILED, error=problem)
    with pytest.raises(ProblemError, match="No such host") as failed:
        await followed(cast("JobsClient", jobs), jobs.job, print)
    assert failed.value.status == 422
    jobs = FakeJobs(JobState.CANCELLED)
    with pytest.raises(PlatformError, match="was cancelled"):
        await followed(cast("JobsClient", jobs), jobs.job, print)


def test_an_archive_is_taken_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_archive(io.BytesIO(b"x" * 10), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x" * 10
    with pytest.raises(BadInputError, match="Nothing came"):
        take_archive(io.BytesIO(b""), tmp_path / "b")
    monkeypatch.setattr(content, "MOST_ARCHIVE_BYTES", 9)
    with pytest.raises(TooLargeError, match="--source"):
        take_archive(io.BytesIO(b"x" * 10), tmp_path / "c")


def test_examples_are_folders_with_a_manifest(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "workshop.yaml").touch()
    (tmp_path / "c").mkdir()
    assert shipped_in(tmp_path) == ["a", "b"]
    assert shipped_in(tmp_path / "none") == []
