"""Errors of the chat agent. What a stranger may not see and what does not exist are told apart nowhere."""

from shared_services.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError


class ConversationNotFoundError(NotFoundError):
    """No such conversation for this participant in this workshop."""

    slug = "conversation-not-found"
    title = "There is no such conversation"


class StepNotFoundError(NotFoundError):
    """The published version has no such step."""

    slug = "step-not-found"
    title = "There is no such step"


class FileNotInWorkshopError(NotFoundError):
    """The published version has no such file."""

    slug = "file-not-found"
    title = "There is no such file in this workshop"


class JoinRequiredError(UnauthenticatedError):
    """The workshop admits by join code, and the caller has not joined."""

    slug = "join-required"
    title = "Join the workshop first"


class WrongJoinCodeError(ForbiddenError):
    """The join code is not this workshop's."""

    slug = "wrong-join-code"
    title = "The join code does not fit"


class OtherWorkshopError(ForbiddenError):
    """The caller's token or session opens another workshop."""

    slug = "other-workshop"
    title = "This sign-in is for another workshop"


class TeachersOnlyError(ForbiddenError):
    """The page or address is for whoever runs the workshop."""

    slug = "teachers-only"
    title = "This is for whoever runs the workshop"
