"""Reads the chunks of a streamed chat completion from its bytes.

llama-stack-client makes a model object of every chunk, which takes half of all the time that a stream takes here, and we read
three fields of it. Nothing of a chunk is taken for granted: servers send what they like.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from shared_services.llm.gateway import Finish

LONGEST_EVENT: Final = 1 << 20
_FINISH: Final[dict[str, Finish]] = {"length": Finish("length"), "content_filter": Finish("filtered")}


class GarbageError(Exception):
    """What came is not a chunk of an answer."""


class ReportedError(Exception):
    """The server reports an error in the midst of its answer; the message says what."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk says; `alive` when the model did anything, be it only thinking."""

    text: str = ""
    alive: bool = False
    finish: Finish | None = None


class ChunkReader:
    """Server-sent events to pieces, from bytes that are cut anywhere.

    Attributes:
        done: The server has said that there is no more.
    """

    def __init__(self) -> None:
        self.done = False
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that these bytes finish.

        Raises:
            GarbageError: There is no sense in what came.
            ReportedError: It is an error that the server reports.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_EVENT:
            raise GarbageError("a line without end")
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif not line and self._data:
                event, self._data = b"\n".join(self._data), []
                if event.startswith(b"[DONE]"):
                    self.done = True
                    return
                yield piece_of(event)


def piece_of(event: bytes) -> Piece:
    """The piece that the data of one event says.

    Raises:
        GarbageError: It is no chunk.
        ReportedError: It is an error that the server reports.
    """
    try:
        chunk = from_json(event)
    except ValueError as error:
        raise GarbageError(str(error)) from error
    if not isinstance(chunk, dict):
        raise GarbageError("not an object")
    reported = chunk.get("error")
    if reported:
        raise ReportedError(str(reported.get("message") if isinstance(reported, dict) else reported)[:300])
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        raise GarbageError("no choices")
    if not choices:
        return Piece()
    return _said(choices[0])


def _said(choice: Any) -> Piece:
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        delta = {}
    text = delta.get("content")
    if not isinstance(text, str | None):
        raise GarbageError("content that is not text")
    thought = delta.get("reasoning_content") or delta.get("reasoning")
    ended = choice.get("finish_reason") if isinstance(choice, dict) else None
    return Piece(text or "", bool(text or thought), _FINISH.get(str(ended), Finish("stop")) if ended else None)
