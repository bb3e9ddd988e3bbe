"""The library's API: published versions of workshops."""

from datetime import datetime

from shared_services.contracts.base import RelativePath, Sha256, Slug, WireModel
from shared_services.contracts.workshop import StepManifest, WorkshopManifest


class LibraryFile(WireModel):
    """A file of a version; its bytes are fetched by `sha256`."""

    path: RelativePath
    sha256: Sha256
    size: int


class WorkshopVersion(WireModel):
    """One published version, whole.

    Attributes:
        version: Hash over paths and contents, 16 hexadecimal digits: the same content is the same version.
        number: 1 for the first version of a workshop, then upwards.
        published_at: When participants last began to see it; None for a draft.
        current: Whether this is the version that participants see.
        steps: The manifests of the steps, by id.
    """

    workshop: Slug
    version: str
    number: int
    created_at: datetime
    published_at: datetime | None
    current: bool
    manifest: WorkshopManifest
    steps: dict[Slug, StepManifest]
    files: list[LibraryFile]


class WorkshopSummary(WireModel):
    """A line of the list of workshops."""

    workshop: Slug
    title: str
    summary: str
    version: str
    number: int
    steps: int
    duration: int | None
    difficulty: str | None
    published_at: datetime
