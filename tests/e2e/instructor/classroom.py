"""Thirty people in a workshop of eight steps: some stuck, some with a hand up, some without a name; and what they asked."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Mount

from shared_services.contracts.identity import Identity, Role
from shared_services.kit.database import create_engine, migrate, session_factory
from shared_services.kit.identity import LOCAL_AUTHOR, SESSION_COOKIE, issue_session
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import WorkshopFiles, validate_files
from shared_services.llm.gateway import NullGateway
from tests.browser import serve
from tests.e2e.participant.garden import HeldLibrary, WordSearch
from workshop_chat.app import create_app
from workshop_chat.settings import ChatSettings
from workshop_chat.tables import MIGRATIONS, Base, ConversationRow, ProgressRow, SessionRow, TurnRow

STEPS = ["plan", "soil", "sow", "water", "weed", "prune", "harvest", "store"]
_NAMES = "Amara Bruno Chiara Dmitri Elif Farid Greta Hiro Ines Jamal Kaja Liam Mei Nadia Oskar Priya "
_MORE_NAMES = "Quentin Rosa Sven Tala Ulrike Viktor Wanda Ximena"
NAMES = (_NAMES + _MORE_NAMES).split()
ABOUT_PROXY = [
    "How do I set up a proxy for the pump?",
    "which proxy settings does the pump need",
    "Setting a proxy for the pump, where?",
    "pump proxy settings?",
]


def classroom_files() -> WorkshopFiles:
    """The workshop."""
    files = {
        "workshop.yaml": f"apiVersion: workshop-assistant/v1\nslug: garden\ntitle: Water a garden\nsteps: [{', '.join(STEPS)}]\n"
    }
    for step in STEPS:
        duration = "duration: 10\n" if step != "store" else ""
        files[f"steps/{step}/step.yaml"] = f"title: {step.title()} the beds\n{duration}"
        files[f"steps/{step}/content.md"] = f"# {step.title()} the beds\n\nTake your time to {step}.\n"
    return validate_files({path: text.encode() for path, text in files.items()})


def turn(
    number: int, question: str, asked_at: datetime, *, participant: str = "participant:0", workshop: str = "garden", **about: Any
) -> TurnRow:
    """A turn as the chat agent keeps it; `about` holds columns."""
    kept: dict[str, Any] = {
        "step": "plan",
        "state": "done",
        "answer": {"abstained": False, "answer": "Yes.", "written_by": "extractive", "nearest": []},
        "citations": [],
        "timings": {"first_block": 180.0, "total": 400.0},
        "ended_at": asked_at,
    }
    conversation = f"{workshop}-{participant}"[:32]
    return TurnRow(
        conversation=conversation,
        number=number,
        workshop=workshop,
        participant=participant,
        question=question,
        version="v",
        asked_at=asked_at,
        **{**kept, **about},
    )


def unanswered(step: str, heading: list[str]) -> dict[str, Any]:
    """The columns of a turn that found nothing; the section is what came nearest."""
    near = {"step": step, "heading": heading, "file": f"steps/{step}/content.md", "line": 1}
    return {
        "answer": {"abstained": True, "answer": "Not in this workshop.", "written_by": "extractive", "nearest": [near]},
        "step": step,
    }


def people(now: datetime) -> list[Base]:
    """Thirty sessions, with what is known of them on each step."""
    rows: list[Base] = []
    for number in range(30):
        name = NAMES[number] if number < len(NAMES) else ""
        at = 1 + number * 5 % 7
        came = now - timedelta(minutes=50 - number)
        stuck, hand = number in (4, 11, 19), number in (2, 11)
        over, away = number == 27, number == 23
        rows.append(
            SessionRow(
                workshop="garden",
                participant=f"participant:{number}",
                name=name,
                state="over" if over else "live",
                since=came,
                active_at=now,
                seen_at=now - timedelta(minutes=6 if away or over else 0),
                step=STEPS[at],
                step_since=now - timedelta(minutes=30 if stuck else 4),
                hand_raised_at=now - timedelta(minutes=3 + number) if hand else None,
            )
        )
        rows.append(
            ConversationRow(
                id=f"garden-participant:{number}", workshop="garden", participant=f"participant:{number}", created_at=came
            )
        )
        for place, step in enumerate(STEPS[: at + 1]):
            rows.append(
                ProgressRow(
                    workshop="garden",
                    participant=f"participant:{number}",
                    step=step,
                    first_seen_at=came + timedelta(minutes=place),
                    last_seen_at=now,
                    seconds=1800.0 if stuck and place == at else 240.0 + 10 * number,
                    failed_checks=4 if number == 19 and place == at else 0,
                    passed_at=now if place < at and place % 2 == 0 else None,
                )
            )
    return rows


def questions(now: datetime) -> list[Base]:
    """A month of questions."""
    rows: list[Base] = []
    numbers: dict[str, int] = {}

    def ask(question: str, asked_at: datetime, who: int, **about: Any) -> None:
        participant = f"participant:{who}"
        numbers[participant] = numbers.get(participant, 0) + 1
        rows.append(turn(numbers[participant], question, asked_at, participant=participant, **about))

    for day in range(28):
        for number in range((day * 7) % 11):
            ask(f"How deep do I sow bean {day} {number}?", now - timedelta(days=day, hours=number), number, step="sow")
    for number, text in enumerate(ABOUT_PROXY):
        ask(text, now - timedelta(days=number, hours=2), number, **unanswered("water", ["Water the beds", "Set the timer"]))
    ask("Is frost a danger?", now - timedelta(days=3), 5, **unanswered("weed", ["Weed the beds"]))
    ask("What is the timer for?", now - timedelta(hours=5), 6, step="water", rating="down", reason="It only repeats the step")
    ask("It does not work", now - timedelta(minutes=20), 4, step=STEPS[1 + 4 * 5 % 7])
    ask("It still does not work, why?", now - timedelta(minutes=9), 4, step=STEPS[1 + 4 * 5 % 7])
    ask("Where do I find the red valve? My mail is anna.k@firm.com", now - timedelta(minutes=2), 11, step="water")
    ask("hello", now - timedelta(minutes=1), 12)
    return rows


def apart(work: Callable[[], Awaitable[None]]) -> None:
    """Run in a thread: Playwright's synchronous face has an event loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(anyio.run, work).result()


@dataclass
class Classroom:
    """The chat agent's address, its store and who may sign in."""

    address: str
    engine: AsyncEngine
    issuer: TokenIssuer

    def session(self, identity: Identity = LOCAL_AUTHOR) -> dict[str, Any]:
        """The cookie that somebody has who has signed in at the platform, for the whole host."""
        host = "/".join(self.address.split("/")[:3])
        return {"name": SESSION_COOKIE, "value": issue_session(self.issuer, identity), "url": host}

    def write(self, *statements: Any) -> None:
        """Change the store as another process would, without a signal."""

        async def run() -> None:
            made = create_engine(str(self.engine.url.render_as_string(hide_password=False)).replace("+aiosqlite", ""))
            async with session_factory(made).begin() as session:
                for statement in statements:
                    await session.execute(statement)
            await made.dispose()

        apart(run)


PARTICIPANT = Identity(id="user:7", name="Pat", roles=frozenset({Role.PARTICIPANT}), workshop="garden")


@contextlib.contextmanager
def classroom(folder: Path, rows: list[Base], *, prefix: str = "") -> Iterator[Classroom]:
    """A chat agent with these rows; with `prefix` it is mounted there, as on a laptop."""
    held = classroom_files()
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    url = f"sqlite:///{folder / 'chat.db'}"

    async def fill() -> None:
        made = create_engine(url)
        await migrate(made, MIGRATIONS)
        async with session_factory(made).begin() as session:
            parents = [row for row in rows if isinstance(row, ConversationRow)]
            session.add_all(parents)
            await session.flush()
            session.add_all([row for row in rows if not isinstance(row, ConversationRow)])
        await made.dispose()

    apart(fill)
    engine = create_engine(url)
    app = create_app(
        ChatSettings(workshop="garden", drain_seconds=0),
        library=HeldLibrary(held),
        rag=WordSearch(held),
        gateway=NullGateway(),
        engine=engine,
        verifier=issuer.verifier(),
        participant_key=b"k" * 32,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_outer: object):
        async with app.router.lifespan_context(app):
            yield
        await engine.dispose()

    outer: FastAPI | Starlette = Starlette(routes=[Mount(prefix or "/", app)], lifespan=lifespan)
    with serve(outer) as address:
        yield Classroom(address + prefix, engine, issuer)
