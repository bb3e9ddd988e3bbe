"""Parameters that a Milvus search is made with."""

import pytest

from agents.rag.store.milvus import SETTLED_SECONDS, consistency
from agents.rag.store.tuning import LEAST_EF, MOST_EF, search_ef


@pytest.mark.parametrize(
    ("limit", "chunks", "expected"),
    [(1, 10, 64), (10, 10_000, 64), (100, 10, 200), (100, 10_000, 200), (100, 100_000, 300), (100, 1_000_000, 400)],
)
def test_ef_grows_with_the_limit_and_the_index(limit: int, chunks: int, expected: int) -> None:
    assert search_ef(limit, chunks) == expected


def test_ef_stays_within_what_the_engine_takes() -> None:
    for limit in (1, 50, 100, 3_000, 16_384):
        for chunks in (0, 1, 500, 10**5, 10**9):
            ef = search_ef(limit, chunks)
            assert max(limit, LEAST_EF) <= ef <= max(limit, MOST_EF)
    assert [search_ef(100, 10**power) for power in range(9)] == sorted(search_ef(100, 10**power) for power in range(9))


def test_a_new_index_is_searched_whole_and_an_old_one_without_waiting() -> None:
    assert consistency(100.0, 100.0) == "Strong"
    assert consistency(100.0, 100.0 + SETTLED_SECONDS) == "Strong"
    assert consistency(100.0, 100.1 + SETTLED_SECONDS) == "Bounded"
