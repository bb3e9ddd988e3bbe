"""Passages that several answers rest on at once, held once."""

from collections.abc import Sequence
from weakref import WeakValueDictionary

from shared_services.contracts.rag import Passage

_COMPARED = tuple(name for name in Passage.model_fields if name != "scores")


class Shelf:
    """Lends the passages of one workshop's answers: equal ones, but for their scores, are one as long as anybody has it.

    A class has the same few passages open, and a parsed passage is a few kilobytes for each who does.
    """

    def __init__(self) -> None:
        self._lent: WeakValueDictionary[tuple[str, int, int, str], Passage] = WeakValueDictionary()

    def shared(self, passages: Sequence[Passage]) -> list[Passage]:
        """The passages in their order; their scores are of whoever came first, so nobody may read them any more."""
        return [self._shared(passage) for passage in passages]

    def _shared(self, passage: Passage) -> Passage:
        lent = self._lent.setdefault((passage.file, passage.first_line, passage.last_line, passage.text), passage)
        same = lent is passage or all(getattr(lent, name) == getattr(passage, name) for name in _COMPARED)
        return lent if same else passage
