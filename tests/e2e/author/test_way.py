"""The author's way in a real browser, from the printed link to an answer with a citation, by mouse and by keyboard alone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import watched
from tests.e2e.author.conftest import BREAD, PATIENCE, Product, convert, make_repository

pytestmark = pytest.mark.browser

MOST_TABS = 60


def state(page: Page, words: str) -> None:
    expect(page.locator("#state")).to_have_text(words, timeout=PATIENCE)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{target} is not reached by Tab")


def test_from_the_link_to_a_cited_answer(chromium: Browser, product: Product, bread: str):
    with watched(chromium, product.address) as seen:
        page = seen.open("/convert")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.goto(product.link)
        assert "token" not in page.url
        page.get_by_role("link", name="Convert", exact=True).click()
        page.get_by_label("Git address").fill(bread)
        page.get_by_role("button", name="Convert", exact=True).click()
        expect(page).to_have_url(re.compile("/jobs/"))

        # The report comes by itself.
        expect(page.locator(".lead")).to_have_text(
            re.compile(r"^3 pages, 3 code blocks kept, .*2 references were broken in the source\.$"), timeout=PATIENCE
        )
        state(page, "Succeeded")
        broken = page.locator("section", has=page.get_by_role("heading", name="Broken in the source"))
        expect(broken.locator("tbody tr")).to_have_count(2)
        broken.get_by_role("link", name="02-dough.md:12").click()

        # The preview opens at that line, and says where each block came from.
        expect(page.locator(".marked")).to_have_text("Fold it every half hour (folding.md).")
        expect(page.locator(".marked")).to_be_focused()
        expect(page.locator(".marked + .from")).to_have_text("02-dough.md:12")
        expect(page.locator(".source-lines .named")).to_have_text("Fold it every [half hour](folding.md).")
        expect(page.locator(".source-lines .named")).to_be_in_viewport()
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("heading", name="Bake", level=1)).to_be_visible()

        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Participants see it now.")).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".timeline li")).to_have_text([re.compile("^Index"), re.compile("^Show")])
        code = page.locator(".invitation code").inner_text()
        join = page.get_by_role("link", name="/join?code=").get_attribute("href")
        assert join is not None
        assert join.endswith(f"/join?code={code}")
        page.get_by_role("link", name="Open the workshop").click()
        expect(page.get_by_role("heading", name="Wake the starter").first).to_be_visible()
        page.wait_for_load_state("networkidle")

        page.locator(".ask textarea").fill("How long does the dough rest before the salt goes in?")
        page.keyboard.press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1, timeout=PATIENCE)
        expect(page.locator(".answer")).to_contain_text("45 minutes")
        expect(page.locator(".answer a.citation").first).to_be_visible()

        page.goto(product.address + "/")
        expect(page.get_by_role("link", name="Bake a sourdough loaf", exact=True)).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        expect(page.get_by_text("Join code")).to_have_count(0)
        page.goto(product.address + "/jobs")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert seen.troubles() == []

    with watched(chromium, product.address) as guest:
        page = guest.page
        page.goto(join)
        expect(page.get_by_label("Join code")).to_have_value(code)
        page.get_by_role("textbox", name=re.compile("name", re.IGNORECASE)).fill("Eve")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Wake the starter").first).to_be_visible()


def test_a_job_is_watched_from_the_queue_to_its_report(chromium: Browser, product: Product, tmp_path: Path, silent_host: str):
    source = make_repository(tmp_path / "rye", {name: text.replace("sourdough", "rye") for name, text in BREAD.items()})
    with product.author(chromium) as first, product.author(chromium) as second:
        convert(first.page, silent_host)
        state(first.page, "Running")
        expect(first.page.locator("#message")).to_contain_text(silent_host)
        expect(first.page.locator(".timeline li")).to_have_text(re.compile("^Convert running$"))

        # One job runs at a time here, so that the second one waits and its page says so.
        convert(second.page, source)
        state(second.page, "Queued")
        expect(second.page.locator("#message")).to_have_text("Waits for its turn.")
        second.page.evaluate("window.notReloaded = true")

        first.page.get_by_role("button", name="Cancel").click()
        state(first.page, "Cancelled")
        expect(first.page.get_by_text("Nothing of it was kept")).to_be_visible()
        expect(first.page.get_by_role("button", name="Cancel")).to_have_count(0)

        state(second.page, "Succeeded")
        expect(second.page.locator(".lead")).to_contain_text("3 pages, 3 code blocks kept")
        assert first.troubles() == []
        assert second.troubles() == []


def test_by_keyboard_alone(chromium: Browser, product: Product, tmp_path: Path):
    source = make_repository(tmp_path / "oats", {name: text.replace("sourdough", "oat") for name, text in BREAD.items()})
    with product.author(chromium) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        tab_to(page, page.get_by_role("link", name="Convert", exact=True))
        page.keyboard.press("Enter")
        expect(page.get_by_label("Git address")).to_be_focused()
        page.keyboard.type(source)
        tab_to(page, page.locator("summary"))
        page.keyboard.press("Space")
        tab_to(page, page.get_by_label("Branch, tag or commit"))
        page.keyboard.type("main")
        page.keyboard.press("Enter")
        expect(page.locator(".lead")).to_be_visible(timeout=PATIENCE)
        tab_to(page, page.get_by_role("link", name="Preview", exact=True))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Wake the starter")).to_be_visible()
        tab_to(page, page.get_by_role("link", name="Next"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Mix the dough")).to_be_visible()
        tab_to(page, page.get_by_role("button", name="Publish"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("Participants see it now.")).to_be_visible(timeout=PATIENCE)
        assert seen.troubles() == []


def test_removing_asks_first(chromium: Browser, product: Product, tmp_path: Path):
    source = make_repository(tmp_path / "cake", {name: text.replace("sourdough", "cake") for name, text in BREAD.items()})
    with product.author(chromium) as seen:
        convert(seen.page, source)
        seen.page.get_by_role("button", name="Publish").click(timeout=PATIENCE)
        expect(seen.page.get_by_text("Participants see it now.")).to_be_visible(timeout=PATIENCE)
        seen.open("/")
        remove = seen.page.get_by_role("button", name="Remove Bake a cake loaf")
        remove.click()
        assert seen.dialogs == ["Remove “Bake a cake loaf” with every version and its index?"]
        expect(remove).to_be_visible()

        page = seen.context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(product.address + "/")
        page.get_by_role("button", name="Remove Bake a cake loaf").click()
        expect(page.get_by_text("Removed with every version and its index.")).to_be_visible(timeout=PATIENCE)
        page.goto(product.address + "/")
        expect(page.get_by_role("link", name="Bake a cake loaf")).to_have_count(0)
