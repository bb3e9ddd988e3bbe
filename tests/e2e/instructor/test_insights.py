"""The page of insights in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.instructor.classroom import ABOUT_PROXY, Classroom, classroom, people, questions, turn, unanswered
from workshop_chat.tables import ConversationRow


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    now = datetime.now(UTC)
    with classroom(tmp_path_factory.mktemp("room"), [*people(now), *questions(now)], prefix="/w/garden") as opened:
        yield opened


@pytest.fixture
def seen(chromium: Browser, room: Classroom) -> Iterator[Watched]:
    with watched(chromium, room.address) as opened:
        opened.context.add_cookies([room.session()])
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_reads_well(chromium: Browser, room: Classroom, width: int, scheme: str):
    with watched(chromium, room.address, width=width, scheme=scheme) as seen:  # type: ignore[arg-type]
        seen.context.add_cookies([room.session()])
        page = seen.open("/insights")
        assert sideways(page) == 0
        assert axe_violations(page) == []
        page.get_by_text("The same as a table").click()
        page.get_by_text("All 4 questions").click()
        assert sideways(page) == 0
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_groups_show_their_questions_and_lead_to_their_section(seen: Watched):
    page = seen.open("/insights")
    group = page.locator(".group").first
    expect(group.locator(".count")).to_have_text("4")
    group.get_by_text("All 4 questions").click()
    expect(group.locator(".asked li > span")).to_have_text(ABOUT_PROXY)
    expect(page.locator(".groups")).to_contain_text("“It only repeats the step”")
    # no model is asked here, and the page says so
    expect(page.locator(".alert")).to_contain_text("words that they share")
    group.get_by_role("link", name="Water the beds › Set the timer").click()
    expect(page).to_have_url(f"{seen.address}/steps/water#set-the-timer")


def test_the_chart_and_its_table_say_the_same(seen: Watched):
    page = seen.open("/insights?days=7")
    expect(page.locator(".periods [aria-current]")).to_have_text("7 days")
    bars = page.locator(".chart g")
    expect(bars).to_have_count(7)
    titles = bars.locator("title").all_text_contents()
    page.get_by_text("The same as a table").click()
    rows = page.locator(".behind tbody tr").all()
    assert len(rows) == sum(": 0 asked" not in title for title in titles)
    for row in rows:
        day, asked, without, _ = row.locator("th, td").all_text_contents()
        assert any(title.startswith(f"{day}: {asked} asked, {without} without") for title in titles)


def test_the_export_is_downloaded(seen: Watched):
    page = seen.open("/insights")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == "questions-30-days.csv"
    text = Path(download.value.path()).read_text()
    assert all(question in text for question in ABOUT_PROXY)


def test_where_nothing_was_asked_it_says_what_to_do(chromium: Browser, tmp_path: Path):
    with classroom(tmp_path, []) as room, watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        page = seen.open("/insights")
        expect(page.get_by_role("heading", name="No questions yet")).to_be_visible()
        expect(page.get_by_role("link", name="Open the workshop")).to_be_visible()
        expect(page.get_by_role("link", name="Export CSV")).to_have_count(0)
        page.goto(room.address + "/board")
        expect(page.get_by_role("heading", name="Nobody is here yet")).to_be_visible()
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_hostile_questions_are_text(chromium: Browser, tmp_path: Path):
    now = datetime.now(UTC)
    hostile = ["<img src=x onerror=alert(1)>", "</title><script>alert(2)</script>", "W" * 5000, "{{ 7*7 }}", "=cmd|'/c calc'!A1"]
    participant = "participant:0"
    conversation = ConversationRow(id=f"garden-{participant}", workshop="garden", participant=participant, created_at=now)
    turns = [
        turn(number, text, now - timedelta(minutes=number), **unanswered("water", [text[:80]]))
        for number, text in enumerate(hostile, 1)
    ]
    with (
        classroom(tmp_path, [conversation, *turns]) as room,
        watched(chromium, room.address, width=360) as seen,
    ):
        seen.context.add_cookies([room.session()])
        page = seen.open("/insights")
        assert page.locator(".groups img, .groups script").count() == 0
        expect(page.locator(".group h3")).to_have_count(5)
        expect(page.locator(".groups")).to_contain_text("{{ 7*7 }}")
        assert sideways(page) == 0
        assert seen.troubles() == []
