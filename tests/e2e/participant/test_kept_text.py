"""What somebody has typed is not lost: a wrong join code, a session that ends, the next step, a message too long, a server that is away."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.participant.garden import garden_app
from tests.e2e.participant.test_people import garden as garden_with_people
from tests.e2e.participant.test_people import live

pytestmark = pytest.mark.browser

VALVE = "How do I open the valve?"
LONG = "The pump says no. " * 600


def field(page: Page) -> Any:
    return page.get_by_label("Your question")


def ready(seen: Watched, path: str) -> Page:
    """The page, once it takes questions."""
    seen.page.goto(seen.address + path)
    expect(field(seen.page)).to_be_enabled()
    return seen.page


def test_a_wrong_code_is_mended_where_it_was_typed(chromium: Browser, tmp_path: Path):
    with garden_app(tmp_path, access="code", prefix="/w/garden") as address, watched(chromium, address) as seen:
        page = seen.page
        page.goto(f"{address}/steps/water")
        page.get_by_label("Your name").fill("\u0645\u06cc\u200c\u0631\u0648\u0645")
        code = page.get_by_label("Join code")
        page.keyboard.press("Enter")
        expect(page).not_to_have_url(f"{address}/steps/water")
        code.fill("sesam")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("does not open the workshop")
        expect(page.get_by_label("Your name")).to_have_value("\u0645\u06cc\u200c\u0631\u0648\u0645")
        expect(code).to_have_value("sesam")
        expect(code).to_be_focused()
        expect(code).to_have_attribute("aria-invalid", "true")
        assert axe_violations(page) == []
        code.fill(" SES ame ")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Water the beds")).to_be_visible()
        expect(page.get_by_role("button", name="You: \u0645\u06cc\u200c\u0631\u0648\u0645")).to_be_visible()
        assert seen.troubles() == []


def test_a_session_that_ends_leaves_the_question_in_its_field(chromium: Browser, tmp_path: Path):
    with garden_with_people(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        field(page).fill("I was just about to ask")
        page.get_by_role("button", name="You: no name yet").click()
        page.get_by_role("button", name="Leave the workshop").click()
        page.get_by_role("button", name="Come back in").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(field(page)).to_have_value("I was just about to ask")
        assert seen.troubles() == []


def test_a_question_goes_along_to_the_next_step_until_it_is_asked(chromium: Browser, garden: str):
    with watched(chromium, garden) as seen:
        page = ready(seen, "/steps/plan")
        field(page).fill(VALVE)
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("heading", name="Water the beds")).to_be_visible()
        expect(field(page)).to_have_value(VALVE)
        expect(field(page)).to_be_enabled()
        field(page).press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        ready(seen, "/steps/plan")
        expect(field(page)).to_have_value("")
        assert seen.troubles() == []


def test_a_question_that_never_arrived_is_there_after_a_reload(chromium: Browser, garden: str):
    with watched(chromium, garden) as seen:
        page = ready(seen, "/steps/water")
        page.route("**/api/v1/conversations**", lambda route: route.abort())
        field(page).fill(VALVE)
        field(page).press("Enter")
        expect(page.locator(".turn[data-state=offline]")).to_contain_text("The server cannot be reached.")
        expect(field(page)).to_have_value("")
        page.unroute("**/api/v1/conversations**")
        ready(seen, "/steps/water")
        expect(field(page)).to_have_value(VALVE)
        assert seen.crashes == []


@pytest.mark.parametrize("width", [1280, 360])
def test_what_is_too_long_is_said_while_it_can_be_shortened(chromium: Browser, garden: str, width: int):
    with watched(chromium, garden, width=width, height=740) as seen:
        page = ready(seen, "/steps/water")
        if width < 760:
            page.locator("[data-show=assistant]").click()
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/messages") else None)
        field(page).fill(LONG)
        said = page.get_by_role("alert").filter(has_text="at most 8,000 are read")
        expect(said).to_contain_text("10,799 characters")
        field(page).press("Enter")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(field(page)).to_have_value(LONG)
        expect(said).to_be_in_viewport()
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
        assert sideways(page) == 0
        assert axe_violations(page) == []
        assert sent == []
        field(page).fill(VALVE)
        expect(said).to_be_hidden()
        field(page).press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        assert len(sent) == 1
        assert seen.troubles() == []


def test_what_the_server_finds_too_long_comes_back_into_the_field(chromium: Browser, garden: str):
    words = "The message has 30 characters, and at most 20 are read. Shorten it, or ask in several messages."
    problem = {"type": "urn:workshop-assistant:problem:message-too-long", "title": "Too long", "status": 413, "detail": words}
    with watched(chromium, garden) as seen:
        page = ready(seen, "/steps/water")
        page.route(
            "**/messages",
            lambda route: route.fulfill(status=413, content_type="application/problem+json", body=json.dumps(problem)),
        )
        field(page).fill(VALVE)
        field(page).press("Enter")
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        expect(field(page)).to_have_value(VALVE)
        expect(page.locator(".turn")).to_have_count(0)
        expect(page.get_by_role("button", name="How do I open the valve?")).to_be_visible()
        assert seen.crashes == []


def test_a_long_question_and_a_long_note_leave_room_and_scroll_by_keys(chromium: Browser, tmp_path: Path):
    with garden_with_people(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        house.teach("POST", "/notes", json={"text": "We go on at ten, and then we look at the valve.\n" * 40})
        note = page.locator(".note-text")
        expect(note).to_be_visible()
        field(page).fill("The valve is stuck and the pump is loud.\n" * 100)
        field(page).press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        for text in (note, page.locator(".question")):
            expect(text).to_have_attribute("tabindex", "0")
            box = text.bounding_box()
            assert box is not None
            assert box["height"] < 320, box
            text.focus()
            page.keyboard.press("PageDown")
            expect(text).not_to_have_js_property("scrollTop", 0)
        assert axe_violations(page) == []
        assert seen.troubles() == []


def test_who_deletes_their_data_is_not_told_that_it_is_kept(chromium: Browser, tmp_path: Path):
    with garden_with_people(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        field(page).fill(VALVE)
        field(page).press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        other = seen.context.new_page()
        with other.expect_response(lambda response: response.url.endswith("/api/v1/live")):
            other.goto(f"{house.address}/steps/plan")
        page.get_by_role("button", name="Your conversations").click()
        page.get_by_role("button", name="Delete all").click()
        page.get_by_role("button", name="Delete everything").click()
        expect(page.get_by_role("dialog", name="Your data is deleted")).to_be_visible()
        # The other window hears that the session is over; whatever this one hears, it has heard by now.
        expect(other.get_by_role("dialog", name="Your session ended")).to_be_visible()
        expect(page.get_by_role("dialog", name="Your session ended")).to_be_hidden()
        page.get_by_role("button", name="Go to the start").click()
        expect(page.locator(".welcome")).to_be_visible()
        assert seen.troubles() == []
