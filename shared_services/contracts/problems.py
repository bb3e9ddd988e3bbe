"""Problem details as in RFC 9457."""

from pydantic import ConfigDict

from shared_services.contracts.base import WireModel


class Problem(WireModel):
    """The body of every error response (`application/problem+json`).

    Attributes:
        type: Stable URN `urn:workshop-assistant:problem:<slug>`.
        title: What kind of thing went wrong; the same for every occurrence.
        status: The HTTP status.
        detail: What happened this time, why, and what to do.
        instance: The request id under which the log knows it.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
