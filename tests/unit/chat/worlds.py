"""Small published workshops, and the library and RAG agent that would serve them: fakes at the chat agent's border."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared_services.contracts.library import LibraryFile, WorkshopVersion
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import DocumentRef, Passage, PassageScores, SearchRequest, SearchResponse
from shared_services.contracts.workshop import HelpSettings, SolvePolicy, SourcePlace, StepManifest, WorkshopManifest
from shared_services.kit.errors import ProblemError, UnavailableError
from workshop_chat.help import StepRecord

FILL = "# Fill the kettle\n\nOpen the lid and pour in 500 ml of water.\n\n```bash exec\nkettle fill --ml 500\n```\n"
BOIL = "# Boil the water\n\nStart heating with one command.\n\n```bash exec\nkettle start --until 100\n```\n"
KETTLE = {"fill": ("Fill the kettle", FILL), "boil": ("Boil the water", BOIL)}


def published(
    workshop: str = "kettle",
    steps: dict[str, tuple[str, str]] | None = None,
    number: int = 1,
    *,
    texts: dict[str, str] | None = None,
    helping: HelpSettings | None = None,
    solve: dict[str, SolvePolicy] | None = None,
) -> WorkshopVersion:
    """A version of a workshop made of (title, content) by step id, further texts by path, and policies by step id."""
    chosen = steps or KETTLE
    files = [
        LibraryFile(path=f"steps/{step}/content.md", sha256=digest(content), size=len(content.encode()))
        for step, (_, content) in chosen.items()
    ]
    files += [LibraryFile(path=path, sha256=digest(text), size=len(text.encode())) for path, text in (texts or {}).items()]
    whole = digest("".join(file.sha256 for file in files) + workshop)[:16]
    return WorkshopVersion(
        workshop=workshop,
        version=whole,
        number=number,
        created_at=datetime.now(UTC),
        published_at=datetime.now(UTC),
        current=True,
        manifest=WorkshopManifest(slug=workshop, title=workshop.title(), steps=list(chosen), help=helping or HelpSettings()),
        steps={step: StepManifest(title=title, solve=(solve or {}).get(step)) for step, (title, _) in chosen.items()},
        files=files,
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class FakeLibrary:
    """A library that holds what it was given; `away` makes every call fail."""

    def __init__(self) -> None:
        self.versions: dict[str, list[WorkshopVersion]] = {}
        self.contents: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.away = False

    def publish(
        self, workshop: str = "kettle", steps: dict[str, tuple[str, str]] | None = None, **further: Any
    ) -> WorkshopVersion:
        held = self.versions.setdefault(workshop, [])
        version = published(workshop, steps, len(held) + 1, **further)
        held.append(version)
        contents = [content for _, content in (steps or KETTLE).values()] + list((further.get("texts") or {}).values())
        for content in contents:
            self.contents[digest(content)] = content.encode()
        return version

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.away:
            raise UnavailableError("The library is away.")

    async def current(self, workshop: str) -> WorkshopVersion:
        self._call("current")
        if workshop not in self.versions:
            raise not_found()
        return self.versions[workshop][-1]

    async def version(self, workshop: str, version: str) -> WorkshopVersion:
        self._call("version")
        found = [held for held in self.versions.get(workshop, []) if held.version == version]
        if not found:
            raise not_found()
        return found[0]

    async def file(self, workshop: str, sha256: str) -> bytes:
        self._call("file")
        return self.contents[sha256]


def not_found() -> ProblemError:
    return ProblemError(Problem(type="urn:workshop-assistant:problem:not-found", title="Not found", status=404))


def passage(
    text: str,
    *,
    workshop: str = "kettle",
    step: str = "boil",
    heading: str = "Boil the water",
    first_line: int = 3,
    kind: str = "prose",
) -> Passage:
    """A passage of a workshop's step."""
    return Passage(
        workshop=workshop,
        step=step,
        step_title=heading,
        file=f"steps/{step}/content.md",
        first_line=first_line,
        last_line=first_line + text.count("\n"),
        heading=[heading],
        kind=kind,  # type: ignore[arg-type]
        text=text,
        source=SourcePlace(file=f"docs/{step}.md", line=first_line),
        scores=PassageScores(fused=0.5),
    )


def shared_passage(text: str, *, title: str = "Kettles at work", heading: str = "Descaling", first_line: int = 7) -> Passage:
    """A passage of a shared document."""
    return Passage(
        document=DocumentRef(id="kettles-at-work", title=title),
        file="guides/kettles.pdf",
        first_line=first_line,
        last_line=first_line + text.count("\n"),
        heading=[title, heading],
        kind="prose",
        text=text,
        source=SourcePlace(file="guides/kettles.pdf", line=first_line),
        scores=PassageScores(fused=0.5),
    )


class FakeSearch:
    """Finds what it was told to; remembers what it was asked."""

    def __init__(self, passages: list[Passage] | None = None, confidence: float = 0.9) -> None:
        self.passages = passages or []
        self.confidence = confidence
        self.requests: list[SearchRequest] = []
        self.away = False
        self.keywords_only = False

    async def search(self, request: SearchRequest) -> SearchResponse:
        self.requests.append(request)
        if self.away:
            raise UnavailableError("The RAG agent is away.")
        return SearchResponse(
            passages=self.passages, confidence=self.confidence, version="v", took_ms=1.0, keywords_only=self.keywords_only
        )


class FakeProgress:
    """Knows of participants what it was told."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], StepRecord] = {}
        self.seen_on: list[tuple[str, str]] = []
        self.shown: list[str] = []

    async def seen(self, participant: str, step: str) -> None:
        self.seen_on.append((participant, step))

    async def record(self, participant: str, step: str) -> StepRecord:
        return self.records.get((participant, step), StepRecord())

    async def hints_shown(self, conversation: str, participant: str, step: str) -> Sequence[str]:
        return self.shown
