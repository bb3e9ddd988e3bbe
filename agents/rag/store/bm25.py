"""BM25 of one index's own text.

An engine that holds many indexes in one collection counts terms over all of them. Its scores would change with what other
workshops publish, and tell of it; so it finds the chunks, and here they are scored.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agents.rag.store import BM25_B
from agents.rag.terms import inverse_frequency

ENGINE_K1 = 1.5
"""What Milvus Lite scores with, whatever it is told; ranking and confidence were fitted to it."""


@dataclass
class Statistics:
    """Counted terms of the chunks in one scope of an index.

    Attributes:
        chunks: How many there are.
        terms: How many terms they hold, repetitions included.
        holding: By term, how many chunks hold it.
    """

    chunks: int = 0
    terms: int = 0
    holding: Counter[str] = field(default_factory=Counter)

    def count(self, chunk: Sequence[str]) -> None:
        """Add a chunk, given its terms."""
        self.chunks += 1
        self.terms += len(chunk)
        self.holding.update(set(chunk))

    def score(self, query: Iterable[str], chunk: Sequence[str]) -> float:
        """BM25 of a chunk's terms for a query's, each of which counts as often as it stands there; 0 when it holds none."""
        if not self.terms:
            return 0.0
        length = 1 - BM25_B + BM25_B * len(chunk) * self.chunks / self.terms
        counts = Counter(chunk)
        return sum(
            inverse_frequency(self.chunks, self.holding[term])
            * counts[term]
            * (ENGINE_K1 + 1)
            / (counts[term] + ENGINE_K1 * length)
            for term in query
            if counts[term]
        )
