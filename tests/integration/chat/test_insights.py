"""Insights on both engines, with the RAG agent's real model: paraphrases come together, and nothing of another workshop does."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.insights import Insights
from shared_services.kit.database import session_factory
from shared_services.kit.identity import LOCAL_AUTHOR, SESSION_COOKIE, issue_session
from tests.e2e.instructor.classroom import turn, unanswered
from tests.integration.chat.conftest import Platform, browser
from workshop_chat.insights.repository import InsightsRepository
from workshop_chat.insights.vectors import shared_cache
from workshop_chat.tables import Base, ConversationRow, ProgressRow, SessionRow

PROXY = [
    "How do I set a proxy for kubectl?",
    "kubectl behind a corporate proxy, what do I configure?",
    "Can I use an http proxy with kubectl?",
    "where do I put proxy settings so that kubectl works",
]
OTHERS = ["Does it work on Windows?", "What does this cluster cost per month?", "Do we get a certificate for this workshop?"]


async def keep(engine: AsyncEngine, rows: list[Base]) -> None:
    async with session_factory(engine).begin() as session:
        session.add_all([row for row in rows if isinstance(row, ConversationRow)])
        await session.flush()
        session.add_all([row for row in rows if not isinstance(row, ConversationRow)])


def conversation(workshop: str, participant: str) -> ConversationRow:
    return ConversationRow(
        id=f"{workshop}-{participant}"[:32], workshop=workshop, participant=participant, created_at=datetime.now(UTC)
    )


def asked(workshop: str, participant: str, texts: list[str], **about: Any) -> list[Base]:
    """A conversation with these questions, none of which found an answer; the oldest first."""
    now = datetime.now(UTC)
    kept = {**unanswered("deploy", ["Deploy the application"]), **about}
    return [
        conversation(workshop, participant),
        *[
            turn(number, text, now - timedelta(minutes=60 - number), workshop=workshop, participant=participant, **kept)
            for number, text in enumerate(texts, 1)
        ],
    ]


def signed_in(platform: Platform, identity: Identity = LOCAL_AUTHOR) -> dict[str, Any]:
    return {"cookies": {SESSION_COOKIE: issue_session(platform.issuer, identity)}}


async def look(platform: Platform, engine: AsyncEngine, workshop: str = "harbor", days: int = 30) -> Insights:
    async with platform.app(workshop, engine=engine) as app, browser(app, workshop, **signed_in(platform)) as author:
        answer = await author.get(f"/api/v1/insights?days={days}")
        assert answer.status_code == 200
        return Insights.model_validate_json(answer.content)


async def test_paraphrases_are_one_group_and_other_questions_are_not(platform: Platform, engine: AsyncEngine):
    await keep(engine, asked("harbor", "user:1", [*PROXY, *OTHERS]))
    found = await look(platform, engine)
    assert found.likeness.by == "embeddings"
    assert found.likeness.note == ""
    groups = [{question.text for question in group.questions} for group in found.groups]
    assert groups[0] == set(PROXY)
    assert sorted(map(len, groups)) == [1, 1, 1, 4]
    assert found.groups[0].section.title == "Deploy the application"
    assert found.groups[0].representative in PROXY
    assert (found.totals.asked, found.totals.unanswered) == (7, 7)


async def test_paraphrases_with_other_nearest_sections_still_are(platform: Platform, engine: AsyncEngine):
    """What a workshop does not hold is near to anything, so sections alone must not part them."""
    rows = asked("harbor", "user:1", PROXY[:2])
    rows += asked("harbor", "user:2", PROXY[2:], **unanswered("tidy", ["Tidy up"]))
    await keep(engine, rows)
    assert [group.size for group in (await look(platform, engine)).groups] == [4]


async def test_two_workshops_with_the_same_questions_know_nothing_of_each_other(platform: Platform, engine: AsyncEngine):
    rows = asked("harbor", "user:1", [*PROXY, "harbor only: how do I descale it?"])
    rows += asked("orchard", "user:1", [*PROXY, "orchard only: what is a graft?"])
    now = datetime.now(UTC)
    for workshop, seconds in (("harbor", 60.0), ("orchard", 6000.0)):
        for participant in ("a", "b", "c"):
            seen = {"first_seen_at": now, "last_seen_at": now, "seconds": seconds, "failed_checks": 2}
            rows.append(ProgressRow(workshop=workshop, participant=participant, step="deploy", **seen))
    await keep(engine, rows)
    for workshop, other in (("harbor", "orchard"), ("orchard", "harbor")):
        found = await look(platform, engine, workshop)
        assert other not in found.model_dump_json()
        assert found.totals.asked == 5
        assert [group.size for group in found.groups] == [4, 1]
        assert [(stay.step, stay.people, stay.failed_checks) for stay in found.stays] == [("deploy", 3, 6)]
        assert found.stays[0].median_seconds == (60 if workshop == "harbor" else 6000)
        async with platform.app(workshop, engine=engine) as app, browser(app, workshop, **signed_in(platform)) as author:
            assert other not in (await author.get("/api/v1/insights.csv")).text
            assert other not in (await author.get("/insights", headers={"accept": "text/html"})).text
        for text in (*PROXY, "x"):
            assert shared_cache().get("elsewhere", text) is None


async def test_every_kind_of_turn_is_read_from_the_store(engine: AsyncEngine):
    now = datetime.now(UTC)
    answer = {"abstained": False, "answer": "a", "written_by": "model", "nearest": []}
    cited = [{
        "n": 1, "workshop": "harbor", "step": "scale", "document": None, "file": "steps/scale/content.md", "first_line": 1,
        "last_line": 2, "heading": ["Scale it", "Undo"], "text": "t" * 1000, "source": {"file": "a.md", "line": 1},
    }]  # fmt: skip
    kinds: list[dict[str, Any]] = [
        {},
        {"answer": {**answer, "general_knowledge": True}},
        {"answer": {**answer, "refused": True, "abstained": True}},
        {"answer": {**answer, "asks_back": True}},
        {"state": "answering", "answer": None, "citations": None, "timings": None},
        {"state": "interrupted", "answer": None, "citations": None, "timings": None},
        {"state": "stopped"},
        {"rating": "up"},
        {"rating": "down", "reason": "wrong port", "citations": cited},
        {
            "rating": "down",
            "reason": None,
            "citations": None,
            "answer": None,
            "state": "interrupted",
            "timings": None,
            "step": None,
        },
        unanswered("tidy", ["Tidy up"]),
    ]
    rows = [turn(n, f"q{n}", now - timedelta(minutes=n), workshop="harbor", **kind) for n, kind in enumerate(kinds, 1)]
    old = turn(99, "old", now - timedelta(days=40), workshop="harbor", **unanswered("tidy", ["Tidy up"]))
    session = SessionRow(
        workshop="harbor", participant="participant:0", name="Ann", state="over", since=now, active_at=now, seen_at=now
    )
    other = SessionRow(
        workshop="orchard", participant="participant:0", name="Eve", state="live", since=now, active_at=now, seen_at=now
    )
    await keep(engine, [conversation("harbor", "participant:0"), *rows, old, session, other])
    repository = InsightsRepository(engine, "harbor")
    since = now - timedelta(days=30)
    assert [outcome.kind for outcome in reversed(await repository.outcomes(since))] == [
        "answered", "unanswered", "refused", "asked_back", "answering", "interrupted", "stopped", "answered", "answered",
        "interrupted", "unanswered",
    ]  # fmt: skip
    found, count = await repository.to_group(since, 100)
    assert count == 4
    assert [(one.text, one.unanswered, one.thumbs_down, one.reason, one.name) for one in found] == [
        ("q2", True, False, "", "Ann"),
        ("q9", False, True, "wrong port", "Ann"),
        ("q10", False, True, "", "Ann"),
        ("q11", True, False, "", "Ann"),
    ]
    assert found[1].citation is not None
    assert found[1].citation.heading == ["Scale it", "Undo"]
    assert found[3].nearest is not None
    assert found[3].nearest.step == "tidy"
    newest, count = await repository.to_group(since, 1)
    assert ([one.text for one in newest], count) == (["q2"], 4)


async def test_what_is_asked_in_earnest_is_found(platform: Platform, engine: AsyncEngine):
    """From a participant's message to the author's page and export, through everything that stands between."""
    question = "How do I water tulips in a submarine? Write to zoe.q@firm.com"
    async with platform.app("harbor", engine=engine) as app:
        async with browser(app) as participant:
            made = await participant.post("/api/v1/conversations")
            path = f"/api/v1/conversations/{made.json()['id']}/messages"
            await participant.post(path, json={"text": question, "step": "scale"})
            await participant.post(path, json={"text": "hello", "step": "scale"})
            refused = [await participant.get(address) for address in ("/api/v1/insights", "/api/v1/insights.csv", "/insights")]
            assert [answer.status_code for answer in refused] == [403, 403, 403]
            assert refused[0].json()["type"] == "urn:workshop-assistant:problem:teachers-only"
            page = await participant.get("/insights", headers={"accept": "text/html"})
            assert page.status_code == 403
            assert "whoever runs the workshop" in page.text
        async with browser(app, **signed_in(platform)) as author:
            found = Insights.model_validate_json((await author.get("/api/v1/insights?days=1")).content)
            assert (found.totals.asked, found.totals.unanswered, found.resolution) == (1, 1, "hour")
            assert found.groups[0].representative == "How do I water tulips in a submarine? Write to [masked e-mail address]"
            assert found.groups[0].section.known_by == "nearest"
            export = await author.get("/api/v1/insights.csv")
            assert export.headers["content-type"] == "text/csv; charset=utf-8"
            assert "attachment" in export.headers["content-disposition"]
            rows = list(csv.DictReader(io.StringIO(export.text)))
            assert [(row["kind"], "[masked e-mail address]" in row["question"]) for row in rows] == [("unanswered", True)]
            shown = (await author.get("/insights", headers={"accept": "text/html"})).text
            assert "tulips" in shown
            assert "zoe.q" not in shown + export.text
            assert not re.search(r"participant:[0-9a-f]{8}", shown + export.text + found.model_dump_json())


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1e9", ""])
async def test_a_period_that_is_none_is_refused_by_the_api_and_passed_over_by_the_page(platform: Platform, days: str):
    url = {"days": days}
    async with platform.app("harbor") as app, browser(app, **signed_in(platform)) as author:
        assert (await author.get("/api/v1/insights", params=url)).status_code == 422
        page = await author.get("/insights", params=url, headers={"accept": "text/html"})
        assert page.status_code == 200
        assert 'aria-current="true">30 days' in page.text


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"workshop": "harbor", "roles": frozenset({Role.AUTHOR})}, 200),
        ({"roles": frozenset({Role.AUTHOR})}, 200),
        ({"roles": frozenset({Role.ADMIN})}, 200),
        ({"workshop": "harbor", "roles": frozenset({Role.PARTICIPANT})}, 403),
        ({"workshop": "harbor", "roles": frozenset({Role.REVIEWER})}, 403),
        ({"workshop": "harbor"}, 403),
        ({"workshop": "orchard", "roles": frozenset({Role.AUTHOR})}, 403),
    ],
)
async def test_who_may_look(platform: Platform, claims: dict[str, Any], status: int):
    token = platform.issuer.issue("user:1", "chat", seconds=60, **claims)
    async with platform.app("harbor") as app, browser(app, headers={"authorization": f"Bearer {token}"}) as caller:
        for path in ("/api/v1/insights", "/api/v1/insights.csv", "/api/v1/board", "/insights", "/board"):
            assert (await caller.get(path)).status_code == status
