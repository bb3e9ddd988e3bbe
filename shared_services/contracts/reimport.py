"""A newer commit of a workshop's source, merged into the workshop as its author has it."""

from typing import Annotated

from pydantic import Field

from shared_services.contracts.base import Slug, WireModel
from shared_services.contracts.conversion import Form


class ReimportRequest(WireModel):
    """What is to be merged.

    Attributes:
        workshop: The workshop in the library.
        version: The author's version of it; the published one when absent.
        source: Where the source is; what the workshop says when absent.
        ref: The newer branch, tag or commit; when absent the branch or tag that the workshop was made from.
        base: The commit that it was made from, where the workshop does not say it.
        as_form: How both commits are read, where the workshop does not say it; `path` likewise.
    """

    workshop: Slug
    version: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    source: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    ref: Annotated[str, Field(max_length=300)] | None = None
    base: Annotated[str, Field(max_length=300)] | None = None
    as_form: Form | None = None
    path: Annotated[str, Field(max_length=1000)] | None = None


class ReimportResult(WireModel):
    """What a re-import came to. All versions are in the library, and participants see none of them.

    Attributes:
        mine: The author's version; `base` is the conversion that it began as, `theirs` that of the newer commit.
        version: The draft, in which the author's side of each conflict stands.
        conflicts: How many conflicts wait for a decision.
        lost: Rows of losses in the newer conversion's report; `broken` likewise.
    """

    workshop: Slug
    mine: str
    base: str
    theirs: str
    version: str
    conflicts: int
    old_commit: str | None
    commit: str | None
    lost: int
    broken: int
