"""Errors of jobs, and what of an error a job keeps."""

from typing import Any

from shared_services.kit.errors import ConflictError, PlatformError


class JobsAlreadyRunningError(ConflictError):
    """A process holds one engine for jobs."""

    slug = "jobs-already-running"
    title = "Jobs already run in this process"


class JobCancelledError(PlatformError):
    """Raised inside a job's function that is to stop, because of a person or because the process ends."""

    slug = "job-cancelled"
    status = 409
    title = "The job was cancelled"


class JobTakenError(ConflictError):
    """Raised inside a run whose job another process has taken over, because this one was silent for too long."""

    slug = "job-taken"
    title = "Another process runs this job now"


class JobStepsChangedError(ConflictError):
    """A job is resumed by a program whose steps are others than those already done."""

    slug = "job-steps-changed"
    title = "The job's steps have changed"


class JobKindUnknownError(PlatformError):
    """A job of a kind that this program does not have."""

    slug = "job-kind-unknown"
    status = 422
    title = "Unknown kind of job"


class JobKeepsDyingError(PlatformError):
    """A job was started again and again, and the process ended each time before a step did."""

    slug = "job-keeps-dying"
    title = "The job never gets further"


def problem_of(error: BaseException) -> dict[str, Any]:
    """The problem document that is kept of an error; of an error not meant for callers, the class's name alone."""
    if isinstance(error, PlatformError):
        return error.problem().model_dump(mode="json")
    return (
        PlatformError(f"{type(error).__name__}; the log has the details. Try again, or tell the operators.")
        .problem()
        .model_dump()
    )


def may_pass(error: Exception) -> bool:
    """Whether trying again can help: not when the input itself is refused."""
    return not isinstance(error, PlatformError) or error.status >= 500 or error.status == 429
