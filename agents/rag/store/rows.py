"""A row of the store, from a chunk and back."""

import json
from typing import Any

from agents.rag.chunking import Chunk
from agents.rag.embedder import Vector
from agents.rag.reuse import digest
from agents.rag.store import MAX_DOCUMENT_CHUNKS, MAX_TEXT_BYTES, Owner, StoredChunk
from agents.rag.terms import terms

STORED = ["id", "workshop_id", "step", "step_title", "file", "first_line", "last_line", "heading", "kind", "commit"]
STORED += ["source_file", "source_line", "text", "after"]
"""The fields that `stored_chunk` needs."""


def row_of(owner: Owner, ordinal: int, chunk: Chunk, vector: Vector, commit: str | None) -> dict[str, Any]:
    """The row of a chunk; `ordinal` is its number in its workshop or document."""
    return {
        "id": owner.document * MAX_DOCUMENT_CHUNKS + ordinal,
        "workshop_id": owner.workshop_id,
        "document": owner.document,
        "tags": " ".join(owner.tags),
        "content_focus": owner.content_focus or "",
        "step": chunk.step,
        "step_title": chunk.step_title,
        "file": chunk.file,
        "first_line": chunk.first_line,
        "last_line": chunk.last_line,
        "heading": json.dumps(chunk.heading),
        "kind": chunk.kind,
        "commit": commit or "",
        "source_file": chunk.source_file,
        "source_line": chunk.source_line,
        "text": chunk.text,
        "after": chunk.after,
        "terms": " ".join(terms(chunk.indexed))[:MAX_TEXT_BYTES],
        "digest": digest(chunk.indexed),
        "dense": vector.tolist(),
    }


def stored_chunk(row: Any) -> StoredChunk:
    """The chunk of a row that was read with `STORED`."""
    return StoredChunk(
        ordinal=row["id"],
        workshop=row["workshop_id"],
        step=row["step"],
        step_title=row["step_title"],
        file=row["file"],
        first_line=row["first_line"],
        last_line=row["last_line"],
        heading=tuple(json.loads(row["heading"])),
        kind=row["kind"],
        text=row["text"],
        after=row["after"],
        commit=row["commit"] or None,
        source_file=row["source_file"],
        source_line=row["source_line"],
        document=row.get("document", 0),
    )
