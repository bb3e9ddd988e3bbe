"""The wire models of the chat agent's own reading endpoints; those of conversations are in `shared_services.contracts.chat`."""

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.workshop import WorkshopManifest


class StepLine(WireModel):
    """A step in the workshop's order."""

    id: Slug
    title: str
    duration: int | None


class WorkshopView(WireModel):
    """The workshop as participants see it now."""

    workshop: Slug
    version: str
    manifest: WorkshopManifest
    steps: list[StepLine]


class StepView(WireModel):
    """A step, its CommonMark and its neighbours. `number` is from 1, of `total`; `duration` in minutes."""

    id: Slug
    title: str
    version: str
    number: int
    total: int
    previous: Slug | None
    next: Slug | None
    duration: int | None
    content: str


class Joined(WireModel):
    """Someone has joined; the cookie came with this response."""

    id: str
    name: str
