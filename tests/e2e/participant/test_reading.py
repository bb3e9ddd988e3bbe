"""Reading a workshop in a real browser: steps, code, files, keys, layout, and nothing of a repository's ever running."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import Watched, axe_violations, sideways, watched
from tests.e2e.participant.garden import garden_app

pytestmark = pytest.mark.browser

SIZES = [(1280, 800), (900, 700), (360, 740)]


def test_the_first_visit_opens_the_first_step_and_the_next_one_the_last_read(seen: Watched):
    page = seen.open("/")
    assert page.url.endswith("/w/garden/steps/plan")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan the beds")
    page.get_by_role("link", name="Next Water the beds").click()
    page.wait_for_url("**/steps/water")
    expect(page.locator(".progress-text")).to_have_text("1 of 4 done")
    expect(page.locator(".rail li.done")).to_have_count(1)
    seen.open("/")
    assert page.url.endswith("/steps/water")
    expect(page.locator(".rail li.done")).to_have_count(1)


def test_a_step_shows_code_tables_images_and_placeholders(seen: Watched):
    page = seen.open("/steps/plan")
    expect(page.locator(".code.exec")).to_contain_text("garden measure --bed north")
    expect(page.locator(".code.output .code-label")).to_have_text("Output")
    expect(page.locator(".variable")).to_have_text("{{hoses}}")
    assert page.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 300
    assert page.evaluate("window.pwned") is None
    assert page.locator(".step > article").evaluate("e => e.clientWidth / parseFloat(getComputedStyle(e).fontSize)") <= 72
    page.get_by_text("On this page").click()
    page.locator(".toc").get_by_role("link", name="Draw the map").click()
    assert page.url.endswith("#draw-the-map")
    page.get_by_role("link", name="water the beds", exact=True).click()
    page.wait_for_url("**/steps/water#open-the-valve")


def test_copy_puts_the_code_and_nothing_else_on_the_clipboard(chromium: Browser, garden: str):
    with watched(chromium, garden, permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = seen.open("/steps/plan")
        button = page.locator(".code.exec .copy").first
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "garden measure --bed north"
        assert seen.troubles() == []


def test_hints_are_folded(seen: Watched):
    page = seen.open("/steps/water")
    expect(page.get_by_text("Look at the gauge")).to_be_hidden()
    page.get_by_text("Stuck? Show hints").click()
    expect(page.get_by_text("Look at the gauge")).to_be_visible()
    expect(page.get_by_text("The red one")).to_be_visible()
    expect(page.get_by_text("To the left.", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Next hint (2 left)").click()
    expect(page.get_by_text("To the left.", exact=True)).to_be_focused()
    page.get_by_role("button", name="Next hint (1 left)").click()
    expect(page.get_by_text("A quarter.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Next hint")).to_have_count(0)
    assert axe_violations(page) == []


def test_keys_go_ask_and_help_and_never_out_of_a_field(seen: Watched):
    page = seen.open("/steps/plan")
    page.keyboard.press("n")
    page.wait_for_url("**/steps/water")
    page.keyboard.press("p")
    page.wait_for_url("**/steps/plan")
    page.keyboard.press("/")
    expect(page.locator(".ask textarea")).to_be_focused()
    page.keyboard.type("n?")
    expect(page.locator(".ask textarea")).to_have_value("n?")
    assert page.url.endswith("/steps/plan")
    page.keyboard.press("Escape")
    expect(page.locator(".ask textarea")).not_to_be_focused()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert axe_violations(page) == []
    page.keyboard.press("n")
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    assert page.url.endswith("/steps/plan")


def test_the_skip_link_comes_first_and_leads_to_the_step(seen: Watched):
    page = seen.open("/steps/plan")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_panes_fold_and_resize_and_stay_so(seen: Watched):
    page = seen.open("/steps/plan")
    page.get_by_role("button", name="Steps").click()
    expect(page.get_by_role("navigation", name="Steps")).to_be_hidden()
    divider = page.get_by_role("separator", name="Width of the assistant")
    divider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "440")
    box = divider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"], 400)
    page.mouse.down()
    page.mouse.move(box["x"] - 63, 400)
    page.mouse.up()
    page.reload()
    expect(page.get_by_role("navigation", name="Steps")).to_be_hidden()
    assert page.locator(".assistant").evaluate("e => e.clientWidth") == 500
    page.get_by_role("button", name="Steps").click()
    page.get_by_role("button", name="Assistant", exact=True).click()
    page.reload()
    expect(page.get_by_role("navigation", name="Steps")).to_be_visible()
    expect(page.get_by_role("complementary", name="Assistant")).to_be_hidden()


def test_on_a_phone_there_are_tabs_and_a_drawer(chromium: Browser, garden: str):
    with watched(chromium, garden, width=360, height=740) as seen:
        page = seen.open("/steps/plan")
        expect(page.locator(".assistant")).to_be_hidden()
        page.get_by_role("button", name="Assistant").click()
        expect(page.locator(".ask textarea")).to_be_visible()
        assert sideways(page) == 0
        page.get_by_role("button", name="Step", exact=True).click()
        expect(page.locator(".assistant")).to_be_hidden()
        page.get_by_role("button", name="Steps").click()
        expect(page.get_by_role("navigation", name="Steps")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("navigation", name="Steps")).to_be_hidden()
        expect(page.get_by_role("button", name="Steps")).to_be_focused()
        assert seen.troubles() == []


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_serious_faults_or_scrolls_sideways(chromium: Browser, garden: str, width: int, height: int, scheme: str):
    with watched(chromium, garden, width=width, height=height, scheme=scheme) as seen:  # type: ignore[arg-type]
        for path in ("/steps/plan", "/steps/water", "/join", "/steps/none"):
            page = seen.open(path)
            assert axe_violations(page) == [], path
            assert sideways(page) == 0, path
        assert [line for line in seen.troubles() if "404" not in line] == []


def test_hostile_content_runs_nothing_loads_nothing_and_covers_nothing(chromium: Browser, garden: str):
    with watched(chromium, garden) as seen:
        page = seen.open("/steps/wild")
        expect(page.get_by_role("heading", level=1)).to_have_text("Wild text")
        expect(page.get_by_text("kept text")).to_be_visible()
        expect(page.get_by_text("The end of the wild text.")).to_be_visible()
        for element in page.locator(".prose a, .prose summary, .prose figure").all():
            element.dispatch_event("mouseover")
            element.dispatch_event("focus")
        page.wait_for_timeout(300)
        assert seen.dialogs == []
        assert seen.elsewhere == []
        assert seen.crashes == []
        assert [line for line in seen.console if "Content Security Policy" in line] == []
        assert page.locator("script").count() == 1
        assert page.locator("[onerror], [onload], [onclick], [style], .prose form, .prose input, base").count() == 0
        assert "onerror" in page.title()
        page.keyboard.press("/")
        expect(page.locator(".ask textarea")).to_be_focused()
        assert axe_violations(page) == []
        assert sideways(page) == 0


def test_without_scripts_a_step_is_read_in_full(chromium: Browser, garden: str):
    for width in (1280, 360):
        with watched(chromium, garden, width=width, scripts=False) as seen:
            page = seen.page
            page.goto(garden + "/steps/water")
            expect(page.get_by_role("heading", level=1)).to_have_text("Water the beds")
            expect(page.get_by_role("navigation", name="Steps").get_by_role("link")).to_have_count(4)
            expect(page.locator(".no-script")).to_be_visible()
            expect(page.locator("textarea")).to_be_hidden()
            expect(page.locator(".copy").first).to_be_hidden()
            page.get_by_role("link", name="Next Harvest").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Harvest")
            assert seen.troubles() == []


def test_a_step_that_is_not_there_and_an_unknown_address_are_pages(chromium: Browser, garden: str):
    with watched(chromium, garden) as seen:
        for path, words in (("/steps/none", "no step"), ("/nowhere", "nothing at this address")):
            answer = seen.page.goto(garden + path)
            assert answer is not None
            assert answer.status == 404
            expect(seen.page.get_by_role("main")).to_contain_text(words)
        seen.page.get_by_role("link", name="Go to the start").click()
        expect(seen.page.get_by_role("heading", level=1)).to_be_visible()


def test_the_first_view_is_small_and_all_of_it_is_ours(chromium: Browser, garden: str):
    with watched(chromium, garden) as seen:
        sizes: list[int] = []
        seen.page.on("response", lambda response: sizes.append(response.request.sizes()["responseBodySize"]))
        seen.open("/steps/plan")
        assert len(sizes) > 5
        assert sum(sizes) <= 120 * 1024
        assert seen.elsewhere == []


def test_files_are_served_as_what_can_do_no_harm(garden: str):
    with httpx.Client() as client:
        page = client.get(garden + "/steps/plan").text
        address = re.search(r'src="([^"]+/files/[0-9a-f]{16}/assets/garden\.svg)"', page)
        assert address is not None
        host = garden.removesuffix(urlsplit(garden).path)
        image = client.get(host + address[1])
        assert image.headers["content-type"] == "image/svg+xml"
        assert image.headers["content-security-policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        assert "immutable" in image.headers["cache-control"]
        folder = host + address[1].removesuffix("assets/garden.svg")
        html = client.get(folder + "steps/harvest/files/page.html")
        assert html.headers["content-type"] == "text/plain; charset=utf-8"
        assert html.headers["x-content-type-options"] == "nosniff"
        for hidden in ("steps/water/solve.md", "workshop.yaml", "steps/water/../water/solve.md", "assets/none.png"):
            assert client.get(folder + hidden).status_code == 404, hidden
        assert client.get(garden + "/files/0000000000000000/assets/garden.svg").status_code == 404


def test_static_files_are_kept_for_ever_under_their_hash(garden: str):
    with httpx.Client() as client:
        page = client.get(garden + "/steps/plan")
        assert page.headers["content-encoding"] == "gzip"
        address = re.search(r'href="(/w/garden/static/[0-9a-f]{16}/step\.css)"', page.text)
        assert address is not None
        host = garden.removesuffix(urlsplit(garden).path)
        style = client.get(host + address[1], headers={"accept-encoding": "gzip"})
        assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert len(gzip.compress(style.content)) < 10_000


def test_a_workshop_with_a_code_asks_for_it(chromium: Browser, tmp_path: Path):
    with garden_app(tmp_path, access="code") as address, watched(chromium, address) as seen:
        page = seen.open("/steps/plan")
        expect(page.get_by_role("heading", level=1)).to_have_text("Join the workshop")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("Join code").fill("wrong")
        page.get_by_role("button", name="Join").click()
        expect(page.get_by_role("alert")).to_contain_text("does not open the workshop")
        page.get_by_label("Join code").fill("sesame")
        page.get_by_role("button", name="Join").click()
        page.wait_for_url("**/steps/plan")
        assert seen.troubles() == []
