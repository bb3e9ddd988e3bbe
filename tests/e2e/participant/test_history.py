"""The reader's conversations, their thumbs and their data, in a real browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.participant.garden import garden_app

pytestmark = pytest.mark.browser

VALVE = "How do I open the valve?"
TIMER = "How do I set the timer?"
KING = "Who was the king of Sweden in 1632?"


def ask(page: Page, question: str, count: int = 1) -> None:
    page.locator(".ask textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-state=done]")).to_have_count(count)


def begin(page: Page) -> None:
    page.locator("[data-ui=new]").click()
    expect(page.locator(".turn")).to_have_count(0)


def open_panel(page: Page, count: int) -> Locator:
    page.get_by_role("button", name="Your conversations").click()
    panel = page.get_by_role("dialog", name="Your conversations")
    expect(panel.locator(".past")).to_have_count(count)
    return panel


def to_assistant(page: Page, width: int) -> None:
    if width < 760:
        page.locator(".phone-tabs [data-show=assistant]").click()


def conversations(seen: Watched) -> list[dict[str, str]]:
    return json.loads(seen.context.request.get(f"{seen.address}/api/v1/conversations").text())


@pytest.mark.parametrize("width", [1280, 360])
def test_an_earlier_conversation_is_found_and_gone_on_with(chromium: Browser, garden: str, width: int):
    with watched(chromium, garden, width=width, height=740) as seen:
        page = seen.open("/steps/water")
        to_assistant(page, width)
        ask(page, VALVE)
        begin(page)
        ask(page, TIMER)
        panel = open_panel(page, 2)
        expect(panel.locator(".past-title")).to_have_text([TIMER, VALVE])
        expect(panel.locator(".past").first.get_by_text("Open now")).to_be_visible()
        expect(panel.locator(".past").last.get_by_text("Open now")).to_be_hidden()
        expect(panel.locator(".past-count").first).to_have_text("· 1 question")
        panel.get_by_role("button", name=VALVE).first.click()
        expect(page.locator(".question-text")).to_have_text(VALVE)
        expect(page.locator(".assistant")).to_be_visible()
        ask(page, TIMER, 2)
        panel = open_panel(page, 2)
        expect(panel.locator(".past-title")).to_have_text([VALVE, TIMER])
        expect(panel.locator(".past-count").first).to_have_text("· 2 questions")
        panel.get_by_role("button", name="New conversation").click()
        expect(panel).to_be_hidden()
        expect(page.locator(".turn")).to_have_count(0)
        expect(page.locator(".suggestion").first).to_be_visible()


def test_a_conversation_is_renamed_in_place(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    panel = open_panel(page, 1)
    name = "<img src=x onerror=alert(1)> **My** valve"
    panel.get_by_role("button", name=f"Rename “{VALVE}”").click()
    field = panel.get_by_label("Name of the conversation")
    expect(field).to_be_focused()
    expect(field).to_have_value(VALVE)
    field.fill("Something else")
    page.keyboard.press("Escape")
    expect(panel.locator(".past-title")).to_have_text(VALVE)
    expect(panel.get_by_role("button", name=f"Rename “{VALVE}”")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill(name)
    page.keyboard.press("Enter")
    expect(panel.locator(".past-title")).to_have_text(name)
    expect(panel.get_by_role("button", name=f"Delete “{name}”")).to_be_visible()
    page.reload()
    expect(open_panel(page, 1).locator(".past-title")).to_have_text(name)


def test_a_conversation_is_deleted_once_that_is_confirmed(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    begin(page)
    ask(page, TIMER)
    panel = open_panel(page, 2)
    panel.get_by_role("button", name=f"Delete “{VALVE}”").click()
    expect(panel.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel.get_by_role("button", name=f"Delete “{VALVE}”")).to_be_focused()
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="Delete", exact=True).click()
    expect(panel.locator(".past-title")).to_have_text([TIMER])
    expect(panel.locator(".past-open")).to_be_focused()
    assert [one["title"] for one in conversations(seen)] == [TIMER]
    expect(page.locator(".turn")).to_have_count(1)
    panel.get_by_role("button", name=f"Delete “{TIMER}”").click()
    panel.get_by_role("button", name="Delete", exact=True).click()
    expect(panel.get_by_text("Nothing has been asked yet.")).to_be_visible()
    assert conversations(seen) == []
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, VALVE)
    page.reload()
    expect(page.locator(".question-text")).to_have_text(VALVE)


def test_what_is_kept_can_be_taken_away(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    panel = open_panel(page, 1)
    files = panel.get_by_role("button", name=f"Download “{VALVE}”")
    expect(files).to_have_attribute("aria-expanded", "false")
    files.click()
    expect(files).to_have_attribute("aria-expanded", "true")

    def download(name: str) -> tuple[str, str]:
        with page.expect_download() as started:
            panel.get_by_role("link", name=name).click()
        return started.value.suggested_filename, Path(started.value.path()).read_text()

    name, text = download("Markdown")
    assert re.fullmatch(r"garden-how-do-i-open-the-valve-\d{4}-\d\d-\d\d\.md", name)
    assert text.startswith(f"# {VALVE}\n")
    assert "garden valve open --bed north" in text
    name, text = download("JSON")
    assert name.endswith(".json")
    assert json.loads(text)["turns"][0]["question"] == VALVE
    name, text = download("Download all")
    assert name.startswith("garden-my-data-")
    assert [one["title"] for one in json.loads(text)["conversations"]] == [VALVE]


def test_a_thumb_and_a_reason_are_kept(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    bar = page.get_by_role("group", name="Did this answer help?")
    up, down = bar.get_by_role("button", name="It helped"), bar.get_by_role("button", name="It did not help")
    expect(bar.get_by_role("button", name="Say why")).to_be_hidden()
    up.click()
    expect(bar.get_by_role("status")).to_have_text("Thank you.")
    expect(up).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")
    bar.get_by_role("button", name="Say why").click()
    field = bar.get_by_label("What should the author know?")
    expect(field).to_be_focused()
    field.fill("It <b>left</b> out ghp_" + "a1B2" * 9)
    bar.get_by_role("button", name="Send").click()
    reason = bar.locator(".feedback-reason")
    expect(reason).to_have_text("It <b>left</b> out [masked GitHub token]")
    expect(bar.get_by_role("button", name="Change what you wrote")).to_be_focused()
    assert axe_violations(page) == []
    page.reload()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(reason).to_have_text("It <b>left</b> out [masked GitHub token]")
    bar.get_by_role("button", name="Change what you wrote").click()
    expect(field).to_have_value("It <b>left</b> out [masked GitHub token]")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    down.click()
    expect(bar.get_by_role("status")).to_have_text("Taken back.")
    expect(reason).to_be_hidden()
    page.reload()
    expect(down).to_have_attribute("aria-pressed", "false")
    expect(reason).to_be_hidden()


def test_a_thumb_that_was_not_kept_is_not_shown(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    page.route("**/feedback", lambda route: route.abort())
    bar = page.get_by_role("group", name="Did this answer help?")
    bar.get_by_role("button", name="It helped").click()
    expect(bar.get_by_role("status")).to_contain_text("server cannot be reached")
    expect(bar.get_by_role("button", name="It helped")).to_have_attribute("aria-pressed", "false")
    seen.console.clear()


def test_a_thumb_goes_to_the_conversation_that_is_shown(seen: Watched):
    """Another window may have begun another conversation meanwhile."""
    page = seen.open("/steps/water")
    ask(page, VALVE)
    page.reload()
    ask(page, TIMER, 2)
    other = seen.context.new_page()
    other.goto(f"{seen.address}/steps/water")
    begin(other)
    ask(other, KING)
    other.close()
    for turn in page.locator(".turn").all():
        turn.get_by_role("button", name="It helped").click()
        expect(turn.locator(".feedback-status")).to_have_text("Thank you.")
    ids = {one["title"]: one["id"] for one in conversations(seen)}
    kept = json.loads(seen.context.request.get(f"{seen.address}/api/v1/conversations/{ids[VALVE]}").text())
    assert [turn["feedback"]["rating"] for turn in kept] == ["up", "up"]


def test_the_author_is_told_what_is_missing(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, KING)
    page.get_by_role("button", name="Tell the author").click()
    told = page.get_by_text("The author will see that this is missing.")
    expect(told).to_be_visible()
    expect(page.get_by_role("button", name="Change what you wrote")).to_be_focused()
    conversation = conversations(seen)[0]["id"]
    kept = json.loads(seen.context.request.get(f"{seen.address}/api/v1/conversations/{conversation}").text())
    assert kept[0]["feedback"] == {"rating": "down", "reason": "Not in this workshop, and it should be."}
    page.reload()
    expect(told).to_be_visible()
    expect(page.get_by_role("button", name="Tell the author")).to_be_hidden()
    page.get_by_role("button", name="It did not help").click()
    expect(page.get_by_role("button", name="Tell the author")).to_be_visible()


def test_everything_is_deleted_once_that_is_confirmed(chromium: Browser, seen: Watched, garden: str):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    ask(page, TIMER, 2)
    page.evaluate("localStorage.setItem('workshop:/w/garden:done', '[\"water\"]')")
    before = {cookie["name"]: cookie["value"] for cookie in seen.context.cookies()}
    with watched(chromium, garden) as neighbour:
        theirs = neighbour.open("/steps/water")
        ask(theirs, VALVE)
        panel = open_panel(page, 1)
        expect(panel.get_by_text("are kept until you delete them")).to_be_visible()
        panel.get_by_role("button", name="Delete all").click()
        expect(panel.get_by_role("button", name="Keep everything")).to_be_focused()
        page.keyboard.press("Escape")
        expect(panel.get_by_role("button", name="Delete all")).to_be_focused()
        page.keyboard.press("Enter")
        panel.get_by_role("button", name="Delete everything").click()
        said = page.locator(".forgotten-words")
        expect(said).to_contain_text("1 conversation with 2 questions, your feedback and your progress")
        page.get_by_role("button", name="Go to the start").click()
        page.wait_for_url("**/steps/plan")
        expect(page.locator(".turn")).to_have_count(0)
        expect(page.locator(".progress .count")).to_have_text("0")
        assert conversations(seen) == []
        assert len(conversations(neighbour)) == 1
        after = {cookie["name"]: cookie["value"] for cookie in seen.context.cookies()}
        assert after["workshop_participant"] != before["workshop_participant"]
        assert "workshop_conversation" not in after
        page.reload()
        expect(open_panel(page, 0).get_by_text("Nothing has been asked yet.")).to_be_visible()


def test_who_joined_by_a_code_joins_again_after_it(chromium: Browser, tmp_path: Path):
    with garden_app(tmp_path, access="code") as address, watched(chromium, address) as seen:
        page = seen.open("/join?code=sesame")
        page.get_by_label("Your name").fill("Ann")
        page.get_by_role("button", name="Join").click()
        ask(page, VALVE)
        panel = open_panel(page, 1)
        panel.get_by_role("button", name="Delete all").click()
        panel.get_by_role("button", name="Delete everything").click()
        page.get_by_role("button", name="Go to the start").click()
        page.wait_for_url("**/join?**")
        expect(page.get_by_role("heading", name="Join the workshop")).to_be_visible()
        assert "workshop_participant" not in {cookie["name"] for cookie in seen.context.cookies()}
        assert seen.troubles() == []


def test_the_panel_is_worked_by_keys_and_gives_the_focus_back(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    button = page.get_by_role("button", name="Your conversations")
    button.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Your conversations")
    expect(panel.locator(".past")).to_have_count(1)
    expect(panel.get_by_role("heading", name="Your conversations")).to_be_focused()
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()")
        )
    assert reached[:2] == ["Close", "New conversation"]
    assert reached[3:] == [f"Rename “{VALVE}”", f"Download “{VALVE}”", f"Delete “{VALVE}”", "Download all", "Delete all"]
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    assert page.url.endswith("/steps/water")


def test_a_server_that_is_away_is_said(seen: Watched):
    page = seen.open("/steps/water")
    ask(page, VALVE)
    page.route("**/api/v1/conversations?*", lambda route: route.abort())
    page.get_by_role("button", name="Your conversations").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.get_by_role("button", name="Close").click()
    page.unroute("**/api/v1/conversations?*")
    open_panel(page, 1)
    expect(page.locator(".history-trouble")).to_be_hidden()
    seen.console.clear()


def test_a_long_history_is_listed_in_parts(seen: Watched):
    page = seen.open("/steps/water")
    for number in range(23):
        made = json.loads(seen.context.request.post(f"{seen.address}/api/v1/conversations").text())["id"]
        path = f"{seen.address}/api/v1/conversations/{made}"
        assert seen.context.request.patch(path, data={"title": f"Number {number}"}).ok
    panel = open_panel(page, 20)
    panel.get_by_role("button", name="Show older ones").click()
    expect(panel.locator(".past-title")).to_have_text([f"Number {number}" for number in reversed(range(23))])
    expect(panel.get_by_role("button", name="Show older ones")).to_be_hidden()
    expect(panel.locator(".past-open").nth(20)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_panel_fits_and_is_readable(chromium: Browser, garden: str, width: int, scheme: str):
    with watched(chromium, garden, width=width, height=740, scheme=scheme) as seen:  # type: ignore[arg-type]
        page = seen.open("/steps/water")
        to_assistant(page, width)
        ask(page, "How do I open the valve when " + "everything-is-in-one-very-long-word-" * 10 + "?")
        begin(page)
        ask(page, VALVE)
        panel = open_panel(page, 2)
        panel.get_by_role("button", name=f"Download “{VALVE}”").click()
        panel.get_by_role("button", name="Rename").last.click()
        panel.get_by_role("button", name="Delete all").click()
        assert axe_violations(page) == []
        assert sideways(page) == 0
        inside = panel.locator(".history-scroll")
        assert inside.evaluate("box => box.scrollWidth - box.clientWidth") == 0
