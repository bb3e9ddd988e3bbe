"""What exporters are given and what they return; the protocol of an exporter."""

from dataclasses import dataclass, field
from typing import Protocol

from shared_services.contracts.conversion import Form, Loss
from shared_services.library.form import WorkshopFiles


@dataclass
class Exported:
    """A workshop in another form.

    Attributes:
        files: By path inside the result.
        losses: What the form has no place for, or another one; `source` is a path inside the workshop.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def add(self, path: str, text: str) -> None:
        """A text file."""
        self.files[path] = text.encode()

    def lose(self, kind: str, source: str, detail: str, line: int = 0) -> None:
        """Tell of something that the form does not hold."""
        self.losses.append(Loss(kind=kind, source=source, line=line, detail=detail))


class Exporter(Protocol):
    """One form: how a workshop is written in it."""

    form: Form

    def write(self, workshop: WorkshopFiles) -> Exported:
        """The workshop in this form, with everything that it could not hold."""
        ...
