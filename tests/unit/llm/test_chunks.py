"""Chunks of a stream, read from bytes that are cut anywhere, and what servers send instead of them."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_services.llm.chunks import LONGEST_EVENT, ChunkReader, GarbageError, Piece, ReportedError
from shared_services.llm.gateway import Finish


def event(delta: object, finish: str | None = None, end: str = "\n\n") -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}]})}{end}".encode()


WHOLE = (
    b": a comment\n\n"
    + event({"role": "assistant", "content": ""})
    + event({"content": "Größe "}, end="\r\n\r\n")
    + b"event: chunk\n"
    + event({"reasoning_content": "hm"})
    + event({"content": "8081"})
    + event({}, "length")
    + b'data: {"choices": [], "usage": {}}\n\ndata: [DONE]\n\n'
    + event({"content": "never read"})
)
PIECES = [
    Piece(),
    Piece("Größe ", alive=True),
    Piece(alive=True),
    Piece("8081", alive=True),
    Piece(finish=Finish("length")),
    Piece(),
]


def pieces_of(*parts: bytes) -> tuple[list[Piece], bool]:
    reader, found = ChunkReader(), list[Piece]()
    for part in parts:
        if reader.done:
            break
        found += reader.feed(part)
    return found, reader.done


def test_a_whole_stream_in_one():
    assert pieces_of(WHOLE) == (PIECES, True)


@given(st.lists(st.integers(0, len(WHOLE)), max_size=30))
def test_it_may_be_cut_anywhere(cuts: list[int]):
    places = [0, *sorted(cuts), len(WHOLE)]
    parts = [WHOLE[begin:end] for begin, end in pairwise(places)]
    assert pieces_of(*parts) == (PIECES, True)


@pytest.mark.parametrize(("reason", "finish"), [("stop", "stop"), ("content_filter", "filtered"), ("tool_calls", "stop")])
def test_why_it_ended(reason: str, finish: str):
    assert pieces_of(event({"content": "x"}, reason)) == ([Piece("x", True, Finish(finish))], False)  # type: ignore[arg-type]


@pytest.mark.parametrize("delta", [None, [], "x", 7, {"content": None}])
def test_a_chunk_may_say_nothing(delta: object):
    assert pieces_of(event(delta)) == ([Piece()], False)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b'{"foo": 1}',
        b"[1, 2]",
        b"7",
        b"null",
        b"\xff\xfe",
        b'{"choices": 7}',
        b'{"choices": [{"delta": {"content": 7}}]}',
        b'{"choices": [{"delta": {"content": ["x"]}}]}',
        b'{"choices": [',
        b"[" * 100_000,
    ],
)
def test_garbage_is_called_so(data: bytes):
    with pytest.raises(GarbageError):
        pieces_of(b"data: " + data + b"\n\n")


def test_what_came_before_garbage_stands():
    pieces = ChunkReader().feed(event({"content": "kept"}) + b"data: <\n\n")
    assert next(pieces).text == "kept"
    with pytest.raises(GarbageError):
        next(pieces)


@pytest.mark.parametrize("error", [{"message": "too hot"}, "too hot"])
def test_an_error_of_the_server_is_told(error: object):
    with pytest.raises(ReportedError, match="too hot"):
        pieces_of(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")


def test_a_line_without_end_is_not_gathered_for_ever():
    with pytest.raises(GarbageError):
        pieces_of(*[b"x" * 1000] * (LONGEST_EVENT // 1000 + 2))


@pytest.mark.parametrize("page", [b"<html>Sorry</html>", b"", b"\n\n\n", b"data:"])
def test_what_is_no_stream_gives_nothing(page: bytes):
    assert pieces_of(page) == ([], False)
