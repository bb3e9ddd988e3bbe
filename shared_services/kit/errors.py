"""Errors that cross a room's border. They know a status as a number and no web framework; handlers are in `http`."""

from typing import Any, ClassVar

from shared_services.contracts.problems import Problem

PROBLEM_TYPE_PREFIX = "urn:workshop-assistant:problem:"


class PlatformError(Exception):
    """Base of every error that a caller may see.

    Attributes:
        slug: Stable name of the kind of error; the last part of the problem's type.
        status: HTTP status.
        title: The same sentence for each occurrence.
        detail: What happened, why, and what to do.
        extra: Further members of the problem document.
    """

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra = extra

    def problem(self, instance: str = "") -> Problem:
        """The RFC 9457 document of this error."""
        return Problem(
            type=PROBLEM_TYPE_PREFIX + self.slug,
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=instance,
            **self.extra,
        )


class BadInputError(PlatformError):
    """The request is understood and cannot be taken as it is."""

    slug = "bad-input"
    status = 422
    title = "The input cannot be used"


class UnauthenticatedError(PlatformError):
    """No valid token or session."""

    slug = "unauthenticated"
    status = 401
    title = "Please sign in"


class ForbiddenError(PlatformError):
    """Known caller, not allowed."""

    slug = "forbidden"
    status = 403
    title = "You may not do this"


class NotFoundError(PlatformError):
    """The thing named does not exist, or not for this caller."""

    slug = "not-found"
    status = 404
    title = "Not found"


class ConflictError(PlatformError):
    """It clashes with what is there."""

    slug = "conflict"
    status = 409
    title = "This clashes with what is already there"


class TooLargeError(PlatformError):
    """A stated limit is passed."""

    slug = "too-large"
    status = 413
    title = "Too large"


class RateLimitedError(PlatformError):
    """Too many requests; `retry_after` in seconds is in `extra` where known."""

    slug = "rate-limited"
    status = 429
    title = "Too many requests"


class UnavailableError(PlatformError):
    """Something this service needs does not answer now."""

    slug = "unavailable"
    status = 503
    title = "Not available right now"


class StorageFullError(UnavailableError):
    """The disk or database is full."""

    slug = "storage-full"
    status = 507
    title = "No space left"


class NewerDataError(PlatformError):
    """The data was written by a newer version of the program."""

    slug = "newer-data"
    status = 500
    title = "The data is of a newer version"


class ProblemError(PlatformError):
    """A problem document that another service sent, raised again on this side by a client.

    Its slug, status and title are the sender's.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, **(problem.model_extra or {}))
        self.received = problem
        self.slug = problem.type.removeprefix(PROBLEM_TYPE_PREFIX)  # type: ignore[misc]
        self.status = problem.status  # type: ignore[misc]
        self.title = problem.title  # type: ignore[misc]
