"""A document's chunks: cut as a workshop's texts are, under the document's title."""

from collections.abc import Iterator

from agents.rag.blocks import split_lines
from agents.rag.chunking import MAX_GAP, Chunk, chunk_markdown, with_titles
from agents.rag.documents.errors import UnreadableError
from agents.rag.documents.formats import TOO_DEEP, Reading, without_front_matter
from agents.rag.store import MAX_DOCUMENT_CHUNKS, MAX_TEXT_BYTES


def chunk_document(file: str, reading: Reading) -> list[Chunk]:
    """The chunks of a document, in order; lines are those of `reading.text`, which they show byte for byte.

    Raises:
        UnreadableError: There is none, or its blocks are nested too deeply.
    """
    try:
        found = [chunk for chunk in _chunks(file, reading) if len(chunk.text.encode()) <= MAX_TEXT_BYTES]
    except RecursionError as error:
        raise UnreadableError(TOO_DEEP) from error
    if not found:
        raise UnreadableError("It holds no text that could be indexed.")
    return found[:MAX_DOCUMENT_CHUNKS]


def _chunks(file: str, reading: Reading) -> Iterator[Chunk]:
    lines = split_lines(reading.text)
    spans = chunk_markdown(without_front_matter(reading.text))
    following = [*(span.first for span in spans[1:]), len(lines) + 1]
    for span, until in zip(spans, following, strict=False):
        gap = "".join(lines[span.last : until - 1])
        heading = span.heading if span.heading[:1] == (reading.title,) else (reading.title, *span.heading)
        yield Chunk(
            step="",
            step_title=reading.title,
            file=file,
            first_line=span.first,
            last_line=span.last,
            heading=heading,
            kind="prose" if span.kind == "heading" else span.kind,
            text="".join(lines[span.first - 1 : span.last]),
            after="" if gap.strip() or len(gap) > MAX_GAP else gap,
            indexed=with_titles(heading, span.focus),
            source_file=file,
            source_line=span.first,
        )
