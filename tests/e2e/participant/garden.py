"""A workshop about watering a garden, a library that holds it, a search over its own words, and a model that can be held.

The fakes stand at the chat agent's outer border; everything inside it is real.
"""

import contextlib
import hashlib
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from shared_services.contracts.library import LibraryFile, WorkshopVersion
from shared_services.contracts.problems import Problem
from shared_services.contracts.rag import DocumentRef, Passage, PassageScores, SearchRequest, SearchResponse
from shared_services.contracts.workshop import SourcePlace
from shared_services.kit.database import create_engine
from shared_services.kit.errors import ProblemError, UnavailableError
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import WorkshopFiles, validate_files
from shared_services.llm.gateway import Finish, NullGateway
from tests.browser import serve
from workshop_chat.app import create_app
from workshop_chat.settings import ChatSettings

PLAN = """# Plan the beds

A bed is as wide as your arms reach from both sides. Write down what grows where, since the pump needs to know.

## Measure the ground

Measure the long side first. A bed of 4 metres takes {{hoses}} hoses.

```bash exec
garden measure --bed north
```

```text output
north: 4.0 m x 1.2 m
```

## Choose the plants

| plant | litres a day | spacing in centimetres | sown in | notes on its care through a long dry summer |
|---|--:|--:|---|---|
| tomato | 2 | 50 | March | tie it up, and water the ground and never the leaves |
| bean | 1 | 15 | May | needs a pole |

![The garden from above](../../assets/garden.svg)

## Draw the map

- [x] measured
- [ ] drawn

See how to [water the beds](../water/content.md#open-the-valve), or the [water board](https://water.example/board).

## Check the plan

```python
def litres(beds: list[float], rate: float = 2.5) -> float:
    \"\"\"Litres a day for all beds together, which is what the pump must be able to give without running dry at noon.\"\"\"
    return sum(length * rate for length in beds)
```
"""
WATER = """# Water the beds

The pump brings water from the rain barrel.

## Open the valve

Turn the red valve a quarter to the left. The pressure must stay below 3 bar.

```bash exec
garden valve open --bed north
```

## Set the timer

Water at six in the morning, when little of it dries away.

## Stop the leak

Wrap the joint with tape twice.
"""
HINTS = "Look at the gauge before you touch the valve.\n\n1. The red one is the right one.\n2. To the left.\n3. A quarter.\n"
SHORT = "Take the ripe ones first.\n"
GARDEN_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 90"><rect width="300" height="90" fill="#dfe9d8"/>'
    '<script>window.pwned=1</script><rect x="20" y="20" width="120" height="50" fill="#7d9c6b"/></svg>'
)
HOSTILE = Path(__file__).with_name("hostile.md")


def garden_files() -> dict[str, bytes]:
    """The workshop's files."""
    texts = {
        "workshop.yaml": (
            "apiVersion: workshop-assistant/v1\nslug: garden\ntitle: Water a garden\nsummary: From a plan to ripe tomatoes.\n"
            "steps: [plan, water, harvest, wild]\nvariables:\n  - name: hoses\n"
        ),
        "steps/plan/step.yaml": "title: Plan the beds\nduration: 10\n",
        "steps/plan/content.md": PLAN,
        "steps/water/step.yaml": "title: Water the beds\n",
        "steps/water/content.md": WATER,
        "steps/water/hints.md": HINTS,
        "steps/water/solve.md": "garden valve open --bed north\n",
        "steps/harvest/step.yaml": "title: Harvest\n",
        "steps/harvest/content.md": SHORT,
        "steps/harvest/files/page.html": "<script>alert(1)</script>",
        "steps/wild/step.yaml": 'title: "<img src=x onerror=alert(1)>"\n',
        "steps/wild/content.md": HOSTILE.read_text("utf-8"),
        "assets/garden.svg": GARDEN_SVG,
    }
    return {path: text.encode() for path, text in texts.items()}


class HeldLibrary:
    """A library that holds one workshop."""

    def __init__(self, workshop: WorkshopFiles) -> None:
        self.contents = {hashlib.sha256(raw).hexdigest(): raw for raw in workshop.files.values()}
        self.held = WorkshopVersion(
            workshop=workshop.manifest.slug,
            version=hashlib.sha256(b"".join(sorted(workshop.files.values()))).hexdigest()[:16],
            number=1,
            created_at=datetime.now(UTC),
            published_at=datetime.now(UTC),
            current=True,
            manifest=workshop.manifest,
            steps=workshop.steps,
            files=[
                LibraryFile(path=path, sha256=hashlib.sha256(raw).hexdigest(), size=len(raw))
                for path, raw in workshop.files.items()
            ],
        )

    async def current(self, workshop: str) -> WorkshopVersion:
        return self.held

    async def version(self, workshop: str, version: str) -> WorkshopVersion:
        if version != self.held.version:
            raise ProblemError(Problem(type="urn:workshop-assistant:problem:not-found", title="Not found", status=404))
        return self.held

    async def file(self, workshop: str, sha256: str) -> bytes:
        return self.contents[sha256]


class WordSearch:
    """Finds the paragraphs that share the most words with a question; `away`, nothing answers."""

    away = False

    def __init__(self, workshop: WorkshopFiles, shared: Sequence[Passage] = ()) -> None:
        self.workshop = workshop.manifest.slug
        self.version = ""
        self.passages = [
            passage
            for step, manifest in workshop.steps.items()
            if step != "wild"
            for passage in _passages(self.workshop, step, manifest.title, workshop.text(f"steps/{step}/content.md") or "")
        ]
        self.passages.extend(shared)

    async def search(self, request: SearchRequest) -> SearchResponse:
        if self.away:
            raise UnavailableError("The RAG agent is away.")
        wanted = _words(request.query)
        scored = sorted(self.passages, key=lambda passage: -len(wanted & _words(passage.text + " ".join(passage.heading))))
        best = scored[: request.limit]
        shared = len(wanted & _words(best[0].text + " ".join(best[0].heading)))
        confidence = min(1.0, shared / max(1, len(wanted)) * 1.5)
        return SearchResponse(passages=best, confidence=confidence, version=request.version or "", took_ms=1.0)


def shared_documents() -> list[Passage]:
    """Passages of a document that several workshops share; its path and its title are as awkward as they may be."""
    title = "Compost & <soil>: a handbook for everyone who digs, plants, waters and harvests"
    texts = {
        "Layers": "Build compost in layers: a layer of leaves, then a layer of kitchen scraps.\n\nTurn the heap once a month.",
        "Pests <b>and</b> worms": "Compost worms eat a kilogram of scraps a week.",
    }
    return [
        Passage(
            document=DocumentRef(id="compost", title=title),
            file="steps/water/content.md",
            first_line=line,
            last_line=line + text.count("\n"),
            heading=[title, heading],
            kind="prose",
            text=text,
            source=SourcePlace(file="steps/water/content.md", line=line),
            scores=PassageScores(fused=0.5),
        )
        for line, (heading, text) in enumerate(texts.items(), 3)
    ]


def _words(text: str) -> set[str]:
    common = {"the", "how", "what", "does", "and", "for", "with", "you", "should", "know", "about", "who", "was", "are"}
    return set(re.findall(r"[a-z]{3,}", text.lower())) - common


def _passages(workshop: str, step: str, title: str, text: str) -> Iterator[Passage]:
    heading = [title]
    for match in re.finditer(r"(?:^```.*?^```$|^[^\n]+(?:\n[^\n]+)*)", text, re.MULTILINE | re.DOTALL):
        part = match[0]
        if part.startswith("#"):
            heading = [title, part.lstrip("# ")] if part.startswith("##") else [title]
            continue
        first = text.count("\n", 0, match.start()) + 1
        yield Passage(
            workshop=workshop,
            step=step,
            step_title=title,
            file=f"steps/{step}/content.md",
            first_line=first,
            last_line=first + part.count("\n"),
            heading=heading,
            kind="command" if part.startswith("```bash") else "prose",
            text=part,
            source=SourcePlace(file=f"docs/{step}.md", line=first),
            scores=PassageScores(fused=0.5),
        )


class HeldGateway:
    """A model that says its first sentence, waits until it is let go, and then says the rest."""

    configured = True
    name = "held"

    def __init__(self, first: str, rest: str) -> None:
        self.first, self.rest = first, rest
        self.go_on = threading.Event()
        self.closed = threading.Event()

    async def stream(self, messages: object, *, max_tokens: int, temperature: float = 0.0) -> AsyncGenerator[str | Finish]:
        try:
            yield self.first
            await anyio.to_thread.run_sync(self.go_on.wait, abandon_on_cancel=True)
            yield self.rest
            yield Finish("stop")
        finally:
            self.closed.set()


@contextlib.contextmanager
def garden_app(
    folder: Path,
    *,
    gateway: object | None = None,
    workshop: WorkshopFiles | None = None,
    access: str = "open",
    prefix: str = "",
    shared: Sequence[Passage] = (),
    around: Callable[[Any], Any] = lambda app: app,
) -> Iterator[str]:
    """The chat agent's address; with `prefix` it is mounted there, as on a laptop. `around` puts a layer in front of it."""
    held = workshop or validate_files(garden_files())
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    engine = create_engine(f"sqlite:///{folder / 'chat.db'}")
    app = create_app(
        # Tests ask faster than people, and do not wait for answers that nobody reads any more.
        ChatSettings(workshop=held.manifest.slug, access=access, messages_per_minute=0, drain_seconds=0),  # type: ignore[arg-type]
        library=HeldLibrary(held),
        rag=WordSearch(held, shared),
        gateway=gateway or NullGateway(),  # type: ignore[arg-type]
        engine=engine,
        verifier=issuer.verifier(),
        participant_key=b"k" * 32,
        join_code="sesame" if access == "code" else None,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_outer: object):
        async with app.router.lifespan_context(app):
            yield
        await engine.dispose()

    outer: FastAPI | Starlette = Starlette(routes=[Mount(prefix or "/", app)], lifespan=lifespan)
    with serve(around(outer)) as address:
        yield address + prefix
