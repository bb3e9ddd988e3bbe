"""Passages for the tests, made from a text."""

from shared_services.contracts.rag import ChunkKind, Passage, PassageScores
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
