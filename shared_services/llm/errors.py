"""What can go wrong between us and a language model, each with a reason that callers decide by."""

from typing import Literal

from shared_services.kit.errors import UnavailableError

ModelTrouble = Literal["no_model", "unreachable", "timeout", "rate_limited", "rejected", "failed", "cut_off", "garbage"]


class ModelUnavailableError(UnavailableError):
    """The model gave no answer, or not the whole of one.

    Attributes:
        reason: `no_model` none is configured or listed; `unreachable` no connection; `timeout` it was silent for too long;
            `rate_limited` the server asked to wait; `rejected` it refused the request (4xx); `failed` it reported an error of
            its own (5xx, or an error inside the stream); `cut_off` the stream ended early; `garbage` what came is not an answer.
        retry_after: Seconds that the server asked to wait, where it said so.
        answered: The status that the server answered with, where it is an error's.
    """

    slug = "model-unavailable"
    title = "The language model does not answer right now"

    def __init__(
        self, reason: ModelTrouble, detail: str, *, retry_after: float | None = None, answered: int | None = None
    ) -> None:
        extra = {} if retry_after is None else {"retry_after": retry_after}
        super().__init__(detail, reason=reason, **extra)
        self.reason: ModelTrouble = reason
        self.retry_after = retry_after
        self.answered = answered


class ModerationUnavailableError(UnavailableError):
    """The safety model did not say whether a text is safe.

    Attributes:
        reason: Why not, in the words of `ModelUnavailableError`.
    """

    slug = "moderation-unavailable"
    title = "The safety model does not answer right now"

    def __init__(self, reason: ModelTrouble, detail: str) -> None:
        super().__init__(detail, reason=reason)
        self.reason: ModelTrouble = reason
