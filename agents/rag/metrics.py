"""What the RAG agent counts."""

from prometheus_client import Counter, Histogram

SEARCHES = Counter("workshop_rag_searches_total", "Searches answered.", ["workshop"])
SEARCH_SECONDS = Histogram(
    "workshop_rag_search_seconds",
    "Seconds of a search, the query's embedding included.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CHUNKS_EMBEDDED = Counter("workshop_rag_chunks_embedded_total", "Chunks embedded while indexing.", ["workshop"])
CHUNKS_TAKEN_OVER = Counter(
    "workshop_rag_chunks_taken_over_total", "Chunks whose vectors came from an earlier version while indexing.", ["workshop"]
)
SCOPE_VIOLATIONS = Counter(
    "workshop_rag_scope_violations_total", "Rows that the engine returned from outside the caller's scope; each was dropped."
)


def forget_workshop(workshop: str) -> None:
    """Remove what was counted for a workshop."""
    for counter in (SEARCHES, CHUNKS_EMBEDDED, CHUNKS_TAKEN_OVER):
        counter.remove(workshop)
