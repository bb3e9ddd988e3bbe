"""What is wrong with a workshop in the neutral form, each finding with its place."""

from enum import StrEnum

from shared_services.contracts.base import WireModel
from shared_services.contracts.workshop import SourcePlace


class Severity(StrEnum):
    """Whether a workshop can be published with it: not with an error."""

    ERROR = "error"
    WARNING = "warning"


class Finding(WireModel):
    """Something that is wrong.

    Attributes:
        kind: Stable name, e.g. `broken-link`.
        file: Path in the workshop.
        line: From 1; 0 for the file as a whole.
        source: The place in the author's repository that the line came from, where that is known.
        detail: What is wrong, and what to do.
    """

    severity: Severity
    kind: str
    file: str
    line: int
    detail: str
    source: SourcePlace | None = None


class CheckReport(WireModel):
    """Every finding, by file and line."""

    title: str | None
    steps: int
    findings: list[Finding]

    def count(self, severity: Severity) -> int:
        """How many findings there are of a severity."""
        return sum(row.severity is severity for row in self.findings)
