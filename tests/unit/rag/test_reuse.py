"""Which chunks of a version need the model."""

import numpy as np

from agents.rag.chunking import Chunk, chunk_workshop
from agents.rag.reuse import digest, divided
from tests.unit.rag.workshops import workshop


def _chunks(word: str, title: str = "Towers") -> list[Chunk]:
    text = "".join(f"## Room {number}\n\nThe password of room {number} is {word}.\n\n" for number in range(3))
    return chunk_workshop(workshop("towers", {"start": f"# Start\n\n{text}"}, title=title))


def test_known_texts_keep_their_vector_and_the_others_are_to_be_embedded() -> None:
    chunks = _chunks("amber")
    vector = np.ones(4, dtype=np.float32)
    work = divided(chunks, {digest(chunks[1].indexed): vector})
    assert work.known == [(1, chunks[1], vector)]
    assert list(work.missing) == [chunk.indexed for number, chunk in enumerate(chunks) if number != 1]


def test_a_text_that_stands_twice_is_embedded_once() -> None:
    chunks = _chunks("amber")
    work = divided([*chunks, chunks[0]], {})
    assert len(work.missing) == len(chunks)
    vectors = [np.full(4, number, dtype=np.float32) for number in range(len(chunks))]
    rows = [row for texts in work.batches(2) for row in work.embedded(texts, vectors[: len(texts)])]
    assert sorted(number for number, _, _ in rows) == list(range(len(chunks) + 1))
    same = [vector for number, _, vector in rows if number in (0, len(chunks))]
    assert np.array_equal(*same)


def test_the_titles_above_a_chunk_are_part_of_its_digest() -> None:
    assert {digest(chunk.indexed) for chunk in _chunks("amber")}.isdisjoint(
        digest(chunk.indexed) for chunk in _chunks("amber", title="Castles")
    )
