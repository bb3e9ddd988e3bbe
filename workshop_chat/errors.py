"""Errors of the chat agent. What a stranger may not see and what does not exist are told apart nowhere."""

from shared_services.kit.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)


class ConversationNotFoundError(NotFoundError):
    """No such conversation for this participant in this workshop."""

    slug = "conversation-not-found"
    title = "There is no such conversation"


class TurnNotFoundError(NotFoundError):
    """The conversation has no such turn."""

    slug = "turn-not-found"
    title = "There is no such question in this conversation"


class TurnOpenError(ConflictError):
    """The turn is still being answered."""

    slug = "turn-open"
    title = "The answer is still being written"


class TurnAnsweredError(ConflictError):
    """The turn has ended with an answer; there is nothing to try again."""

    slug = "turn-answered"
    title = "The question has its answer"


class NotTakenError(UnavailableError):
    """A message that could not be let in, of which nothing is kept."""

    slug = "not-taken"
    title = "Your question was not taken"


class CannotLookUpError(UnavailableError):
    """Retrieval does not answer; `retry_after` in seconds is in `extra`."""

    slug = "cannot-look-up"
    title = "The assistant cannot look it up now"


class ParticipantNotFoundError(NotFoundError):
    """Nothing is kept under this participant's id in this workshop."""

    slug = "participant-not-found"
    title = "Nothing is kept of this participant"


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


class TeachersOnlyError(ForbiddenError):
    """The page or address is for whoever runs the workshop."""

    slug = "teachers-only"
    title = "This is for whoever runs the workshop"


class WorkshopFullError(RateLimitedError):
    """Every place is taken; `position` in line and `retry_after` in seconds are in `extra`."""

    slug = "workshop-full"
    title = "The workshop is full"


class TooManyMessagesError(RateLimitedError):
    """More messages than one participant may send; `retry_after` in seconds is in `extra`."""

    slug = "too-many-messages"
    title = "Too many messages"


class MessageTooLongError(TooLargeError):
    """More characters than a message may have."""

    slug = "message-too-long"
    title = "The message is too long"


class NoteNotFoundError(NotFoundError):
    """No such note stands in this workshop."""

    slug = "note-not-found"
    title = "There is no such note"
