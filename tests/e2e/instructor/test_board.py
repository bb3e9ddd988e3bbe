"""The live board in a real browser: thirty people on one screen, live, without disturbing whoever reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import delete, update

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.instructor.classroom import PARTICIPANT, STEPS, Classroom, classroom, people, questions
from workshop_chat.tables import SessionRow

PREFIX = "/w/garden"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """A full classroom, mounted as on a laptop."""
    now = datetime.now(UTC)
    with classroom(tmp_path_factory.mktemp("room"), [*people(now), *questions(now)], prefix=PREFIX) as opened:
        yield opened


@pytest.fixture
def seen(chromium: Browser, room: Classroom) -> Iterator[Watched]:
    with watched(chromium, room.address) as opened:
        # for the whole host, as the console's sign-in link gives it: the chat agent stands below
        opened.context.add_cookies([room.session()])
        yield opened


def go(seen: Watched, path: str = "/board") -> None:
    """A board is never quiet: its stream stays open."""
    seen.page.goto(seen.address + path)
    expect(seen.page.locator("main")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_thirty_people_fit_one_screen(chromium: Browser, room: Classroom, scheme: str):
    with watched(chromium, room.address, scheme=scheme) as seen:  # type: ignore[arg-type]
        seen.context.add_cookies([room.session()])
        go(seen)
        page = seen.page
        expect(page.locator(".people tbody tr")).to_have_count(30)
        assert page.evaluate("document.documentElement.scrollHeight") <= 800
        expect(page.locator(".people tbody tr").last).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("Note to all")).to_be_in_viewport()
        assert page.locator(".people thead .step-head").count() == len(STEPS)
        assert sideways(page) == 0
        assert axe_violations(page) == []
        assert seen.troubles() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_it_stays_usable(chromium: Browser, room: Classroom, scheme: str):
    with watched(chromium, room.address, width=360, height=740, scheme=scheme) as seen:  # type: ignore[arg-type]
        seen.context.add_cookies([room.session()])
        go(seen)
        page = seen.page
        assert sideways(page) == 0
        expect(page.get_by_role("heading", name="Hands up")).to_be_in_viewport()
        page.locator("summary", has_text="Elif").click()
        expect(page.get_by_text("It still does not work, why?")).to_be_visible()
        assert sideways(page) == 0
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_who_is_stuck_or_calls_is_told_in_words_too(seen: Watched):
    go(seen)
    page = seen.page
    calls = page.locator(".calls")
    expect(calls).to_contain_text("Tala Step 6: 30 min on this step")
    expect(calls).to_contain_text("4 failed checks")
    expect(calls.locator("ol > li")).to_contain_text(["Liam", "Chiara"])
    row = page.get_by_role("row", name="Tala")
    expect(row.locator(".cell.here.stuck .visually-hidden")).to_have_text("here, stuck")
    expect(row).to_contain_text("stuck")
    expect(page.get_by_role("status")).to_contain_text("2 hands up")


def test_a_question_is_shown_when_somebody_is_opened_and_masked(seen: Watched):
    go(seen)
    page = seen.page
    row = page.get_by_role("row", name="Liam")
    assert "[masked e-mail address]" in (row.locator(".sign[title*=valve]").get_attribute("title") or "")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator(".about")).to_contain_text("Where do I find the red valve?")
    expect(row.locator(".about")).not_to_contain_text("firm.com")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    expect(row.locator(".about")).to_be_hidden()
    expect(row.locator("summary")).to_be_focused()


def test_a_change_comes_by_itself_and_what_is_open_stays_open(chromium: Browser, tmp_path: Path):
    now = datetime.now(UTC)
    with classroom(tmp_path, people(now), prefix=PREFIX) as room, watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        go(seen)
        page = seen.page
        page.locator("summary", has_text="Amara").click()
        expect(page.get_by_text("No question in the last two hours.").first).to_be_visible()
        page.get_by_label("Note to all").fill("half a no")
        # what another process writes; somebody's hand is lowered here, which is the signal
        room.write(update(SessionRow).where(SessionRow.participant == "participant:0").values(name="Amara B."))
        page.get_by_role("button", name="Lower the hand of Chiara").click()
        expect(page.get_by_role("row", name="Amara B.")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("1 hand up")
        expect(page.locator(".calls ol > li")).to_have_count(1)
        expect(page.get_by_label("Note to all")).to_have_value("half a no")
        room.write(delete(SessionRow))
        page.get_by_role("button", name="Lower the hand of Liam").click()
        expect(page.locator("[data-ui=trouble]")).to_contain_text("They may have left")
        seen.console.clear()
        assert seen.troubles() == []


def test_what_was_opened_stays_open_when_the_board_changes(chromium: Browser, tmp_path: Path):
    now = datetime.now(UTC)
    with classroom(tmp_path, people(now), prefix=PREFIX) as room, watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        go(seen)
        page = seen.page
        row = page.get_by_role("row", name="Chiara")
        row.locator("summary").click()
        row.get_by_role("button", name="Lower hand").focus()
        page.keyboard.press("Enter")
        expect(row.get_by_role("button", name="Lower hand")).to_have_count(0)
        expect(row.locator(".about")).to_be_visible()
        expect(page.locator(".calls ol > li")).to_have_count(1)
        assert seen.troubles() == []


def test_a_lost_connection_is_said(chromium: Browser, room: Classroom):
    with watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        seen.page.route("**/board/events", lambda route: route.abort())
        go(seen)
        expect(seen.page.get_by_role("alert")).to_contain_text("connection is lost")


def test_a_board_that_a_proxy_refused_becomes_live_by_itself(chromium: Browser, room: Classroom):
    with watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        asked: list[Any] = []
        trouble = seen.page.get_by_role("alert")

        def answer(route: Any) -> None:
            asked.append(route)
            if len(asked) == 1:
                route.fulfill(status=503, content_type="text/html", body="<h1>Starting</h1>")

        seen.page.route("**/board/events", answer)
        go(seen)
        expect(trouble).to_contain_text("If this stays, your sign-in may have ended: load the page again.")
        for _ in range(600):
            if len(asked) == 2:
                break
            seen.page.wait_for_timeout(100)
        asked[1].continue_()
        expect(trouble).to_have_count(0)
        assert seen.crashes == []


def test_a_note_is_sent_and_kept_where_it_cannot_be(seen: Watched):
    go(seen)
    page = seen.page
    sent: list[str] = []
    page.route("**/api/v1/notes", lambda route: (sent.append(route.request.post_data or ""), route.fulfill(status=503))[1])
    page.get_by_label("Note to all").fill("Lunch at noon")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("did not work")
    expect(page.get_by_label("Note to all")).to_have_value("Lunch at noon")
    page.route("**/api/v1/notes", lambda route: route.fulfill(status=201, content_type="application/json", body="{}"))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Note to all")).to_have_value("")
    assert sent == ['{"text":"Lunch at noon"}']
    seen.console.clear()


def test_without_script_it_can_be_read(chromium: Browser, room: Classroom):
    with watched(chromium, room.address, scripts=False) as seen:
        seen.context.add_cookies([room.session()])
        seen.page.goto(room.address + "/board")
        expect(seen.page.locator(".people tbody tr")).to_have_count(30)
        expect(seen.page.get_by_role("button", name="Send")).to_be_hidden()
        seen.page.locator("summary", has_text="Elif").click()
        expect(seen.page.get_by_text("It still does not work, why?")).to_be_visible()


def test_a_participant_is_told_whose_it_is(chromium: Browser, room: Classroom):
    with watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session(PARTICIPANT)])
        for path in ("/board", "/insights"):
            answer = seen.page.goto(room.address + path)
            assert answer is not None
            assert answer.status == 403
            expect(seen.page.get_by_role("heading", name="This is for whoever runs the workshop")).to_be_visible()


def test_hostile_names_and_questions_are_text(chromium: Browser, tmp_path: Path):
    now = datetime.now(UTC)
    rows = [*people(now), *questions(now)]
    for row in rows:
        if isinstance(row, SessionRow) and row.participant == "participant:11":
            row.name = '"><img src=x onerror=alert(1)>' + "x" * 150
    with classroom(tmp_path, rows, prefix=PREFIX) as room, watched(chromium, room.address) as seen:
        seen.context.add_cookies([room.session()])
        go(seen)
        page = seen.page
        page.get_by_role("button", name="Lower the hand of Chiara").click()
        expect(page.locator(".calls ol > li")).to_have_count(1)
        assert page.locator("main img").count() == 0
        assert sideways(page) == 0
        assert page.evaluate("document.documentElement.scrollHeight") <= 860
        assert seen.troubles() == []
