"""Errors of the chat agent. What a stranger may not see and what does not exist are told apart nowhere."""

from shared_services.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError, UnavailableError


class ConversationNotFoundError(NotFoundError):
    """No such conversation for this participant in this workshop."""

    slug = "conversation-not-found"
    title = "There is no such conversation"


class TurnNotFoundError(NotFoundError):
    """The conversation has no such turn."""

    slug = "turn-not-found"
    title = "There is no such question in this conversation"


class AnswerInterruptedError(UnavailableError):
    """The answer ended before it was whole, and will not go on."""

    slug = "answer-interrupted"
    title = "The answer was interrupted"


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
