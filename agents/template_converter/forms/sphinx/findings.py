"""What reading a page finds that the result lacks: losses, what is broken, and what is not known, once for each kind."""

from collections import Counter
from dataclasses import dataclass, field

from shared_services.contracts.conversion import Broken, Loss


@dataclass
class Findings:
    """Collects over all pages of a site.

    Attributes:
        unknown: Directives and roles that are shown as text, with how often.
        included: Files that pages draw in: they are no pages of their own.
    """

    losses: list[Loss] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    included: set[str] = field(default_factory=set)
    _places: dict[str, tuple[str, int]] = field(default_factory=dict)

    def lose(self, kind: str, source: str, line: int, detail: str) -> None:
        """Something that the page has and the step lacks."""
        self.losses.append(Loss(kind=kind, source=source, line=max(line, 0), detail=detail))

    def miss(self, kind: str, source: str, line: int, target: str, detail: str) -> None:
        """Something that leads nowhere in the source already."""
        self.broken.append(Broken(kind=kind, source=source, line=max(line, 0), target=target, detail=detail))

    def note_unknown(self, kind: str, source: str, line: int) -> None:
        """A directive or role that is not known."""
        self.unknown[kind] += 1
        self._places.setdefault(kind, (source, max(line, 0)))

    def unknown_losses(self) -> list[Loss]:
        """One row for each kind of it."""
        return [
            Loss(
                kind="macro",
                source=self._places[kind][0],
                line=self._places[kind][1],
                detail=f"{kind} is not known and is shown as text ({count} times).",
            )
            for kind, count in self.unknown.items()
        ]
