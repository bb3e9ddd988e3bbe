"""Durable jobs as callers see them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from shared_services.contracts.base import WireModel


class JobState(StrEnum):
    """Where a job is. `succeeded`, `failed` and `cancelled` are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class JobStep(WireModel):
    """A step of a job; `seconds` once it has ended."""

    name: str
    state: JobState
    started_at: datetime
    seconds: float | None = None
    detail: str = ""


class Job(WireModel):
    """A durable run of an agent's work.

    Attributes:
        kind: What it does, e.g. `convert`, `publish`.
        subject: What it does it to: a source's address, a workshop's name.
        done: Units done of the current step; `total` is None when it is not known.
        result: What it came to; its shape belongs to the kind.
        error: A problem document when it failed.
    """

    id: str
    kind: str
    subject: str
    owner: str
    state: JobState
    created_at: datetime
    updated_at: datetime
    steps: list[JobStep]
    done: int = 0
    total: int | None = None
    message: str = ""
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class JobEvent(WireModel):
    """One thing that happened in a job, numbered from 1 in each job; the stream resumes after a number (`Last-Event-ID`).

    Attributes:
        type: `step` (began or ended), `progress`, `log`, `state`.
        data: `step`: a JobStep; `progress`: done, total, message; `log`: level, message; `state`: state.
    """

    number: int
    at: datetime
    type: str
    data: dict[str, Any]


class JobProgress(WireModel):
    """How far a task is, as an agent tells another; `job` where a durable job does it."""

    job: str | None = None
    done: int = 0
    total: int | None = None
    message: str = ""
