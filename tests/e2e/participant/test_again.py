"""A question that could not be looked up: what the page says, and its button, which answers the same turn."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe_violations, watched
from tests.e2e.participant.garden import WordSearch, garden_app
from tests.e2e.participant.test_assistant import VALVE, ask, done

pytestmark = pytest.mark.browser
NOW = "cannot look it up now"


def test_what_cannot_be_looked_up_is_said_and_answered_in_its_place_later(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with garden_app(tmp_path) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        monkeypatch.setattr(WordSearch, "away", True)
        ask(page, VALVE)
        expect(page.locator(".trouble-text:visible")).to_contain_text(NOW)
        assert axe_violations(page) == []
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".trouble-text:visible")).to_contain_text(NOW)
        page.reload()
        expect(page.locator(".trouble-text:visible")).to_contain_text(NOW)
        expect(page.locator(".turn")).to_have_count(1)
        assert axe_violations(page) == []
        monkeypatch.setattr(WordSearch, "away", False)
        page.get_by_role("button", name="Ask again").click()
        done(page)
        expect(page.locator(".answer")).to_contain_text("valve")
        expect(page.locator(".trouble:visible")).to_have_count(0)
        page.reload()
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        expect(page.locator(".turn")).to_have_count(1)


def test_of_two_pages_that_try_again_both_show_the_one_answer(chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with garden_app(tmp_path) as address, watched(chromium, address) as seen:
        page = seen.open("/steps/water")
        monkeypatch.setattr(WordSearch, "away", True)
        ask(page, VALVE)
        expect(page.locator(".trouble-text:visible")).to_contain_text(NOW)
        other = seen.context.new_page()
        other.goto(f"{address}/steps/water")
        monkeypatch.setattr(WordSearch, "away", False)
        for one in (page, other):
            one.get_by_role("button", name="Ask again").click()
            expect(one.locator(".turn[data-state=done] .answer")).to_contain_text("valve")
            expect(one.locator(".turn")).to_have_count(1)
        seen.console.clear()
