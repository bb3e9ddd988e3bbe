"""What every wire model shares: strictness, and the types of names that travel into filters and paths."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

SLUG_PATTERN = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
"""An id of a workshop, step or tag: a DNS label, 1 to 63 characters."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A content hash, lower-case hexadecimal."""


def _inside(path: str) -> str:
    if path.startswith("/") or "\\" in path or "\x00" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError("is not a relative path that stays inside its folder")
    return path


RelativePath = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_inside)]
"""A POSIX path inside a workshop or repository: not absolute, no empty, `.` or `..` part, no backslash, no NUL."""


class WireModel(BaseModel):
    """Base of every wire model: unknown fields are an error, instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
