"""Passages for the tests, made from a text."""

from shared_services.contracts.rag import ChunkKind, DocumentRef, Passage, PassageScores
from shared_services.contracts.workshop import SourcePlace


def passage(
    text: str,
    *,
    heading: tuple[str, ...] = ("Deploy",),
    kind: ChunkKind = "prose",
    step: str = "deploy",
    first_line: int = 1,
) -> Passage:
    file = f"steps/{step}/content.md"
    return Passage(
        workshop="demo",
        step=step,
        step_title=heading[0],
        file=file,
        first_line=first_line,
        last_line=first_line + text.count("\n"),
        heading=list(heading),
        kind=kind,
        text=text,
        source=SourcePlace(file="README.md", line=first_line),
        scores=PassageScores(fused=1.0),
    )


def shared_passage(text: str, *, title: str = "House rules", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(
        document=DocumentRef(id="house-rules", title=title),
        file="rules.md",
        first_line=1,
        last_line=1 + text.count("\n"),
        heading=list(heading),
        kind="prose",
        text=text,
        source=SourcePlace(file="rules.md", line=1),
        scores=PassageScores(fused=1.0),
    )
