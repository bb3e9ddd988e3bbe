"""What a workshop sees of the shared documents; all that a search needs to know of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agents.rag.scope import Scope
from shared_services.contracts.rag import DocumentRef


@dataclass(frozen=True)
class Shelf:
    """The shared documents that one workshop may read.

    Attributes:
        collection: The index that holds them, beside others.
        generation: Counts changes of that index; what was read at another one may be stale.
        documents: By number, each the current revision of one document. Not empty.
        model: What its vectors were made with.
    """

    collection: str
    generation: int
    documents: Mapping[int, DocumentRef]
    model: str


class Shelves(Protocol):
    """Tells what a workshop may read of the shared documents."""

    async def visible(self, scope: Scope, model: str) -> Shelf | None:
        """The documents whose tags meet the scope's and whose focus fits; None where there are none.

        Those indexed with `model`, or, where there are none, those that another model has indexed and nobody yet anew.
        """
        ...
