"""Every page of the console at both widths and in both schemes: accessible, not wider than the window, nothing refused."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import axe_violations, sideways, watched
from tests.e2e.author.conftest import BREAD, PATIENCE, Product, convert, make_repository

pytestmark = pytest.mark.browser

LONG = "Averylongtitlewithoutanyplacewhereitcouldbreakwhateverthewidth"
MANY = {
    f"{number:02d}-page.md": f"# Page {number}\n\nDo it.\n\n```bash\ndo --it {number}\n```\n\n![](img/{number}.png) [next](gone-{number}.md)\n"
    for number in range(1, 9)
}


@dataclass(frozen=True)
class Shown:
    """Pages in every state, by name."""

    report: str
    preview: str
    choice: str
    refused: str
    failed: str
    published: str
    every: str
    inspected: str
    skeleton: str
    export: str
    exported: str
    source: str


@pytest.fixture(scope="module")
def shown(chromium: Browser, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("repositories")
    many = make_repository(folder / "many", {"README.md": f"# {LONG}\n\nA lab.\n", **MANY})
    two = make_repository(folder / "two", {f"{part}/{name}": text for part in ("a", "b") for name, text in MANY.items()})
    program = make_repository(
        folder / "app", {"package.json": '{"dependencies": {"react": "18"}}', "src/a.js": "1", "src/b.js": "2"}
    )
    with product.author(chromium) as seen:
        page = seen.page
        paths = {}
        for name, source in {"report": many, "choice": two, "refused": program, "failed": f"file://{folder}/none"}.items():
            convert(page, source)
            expect(page.locator("#progress")).to_have_count(0, timeout=PATIENCE)
            paths[name] = page.url.removeprefix(product.address)
        for name, button, at in [
            ("every", "Convert every workshop", "choice"),
            ("inspected", "Inspect it", "refused"),
            ("skeleton", "Make a workshop's skeleton of it", "refused"),
        ]:
            seen.open(paths[at]).get_by_role("button", name=button).click()
            expect(page.locator("#state")).to_have_text("Succeeded", timeout=PATIENCE)
            paths[name] = page.url.removeprefix(product.address)
        seen.open(paths["report"])
        paths["preview"] = page.get_by_role("link", name="Preview", exact=True).get_attribute("href") or ""
        paths["export"] = f"{paths['preview']}/export"
        paths["exported"] = f"{paths['preview']}/export/educates"
        paths["source"] = f"{paths['preview']}/source?of=01-page.md&at=3"
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Participants see it now.")).to_be_visible(timeout=PATIENCE)
        paths["published"] = page.url.removeprefix(product.address)
    return Shown(**paths)


def unseemly(seen, path: str) -> list[str]:
    page = seen.open(path)
    found = [f"{path}: {line}" for line in axe_violations(page)]
    if sideways(page) > 0:
        found.append(f"{path}: {sideways(page)} px wider than the window")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_is_accessible_and_fits(
    chromium: Browser, product: Product, shown: Shown, width: int, scheme: Literal["light", "dark"]
):
    signed_in = ["/", "/convert", f"/convert?job={shown.failed.removeprefix('/jobs/')}", "/jobs", *vars(shown).values()]
    found: list[str] = []
    with product.author(chromium, width=width, scheme=scheme) as seen:
        for path in signed_in:
            found += unseemly(seen, path)
        found += seen.troubles()
    with watched(chromium, product.address, width=width, scheme=scheme) as seen:
        for path in ("/", "/sign-in"):
            found += unseemly(seen, path)
        found += seen.troubles()
    assert found == []


def test_a_refused_form_says_what_is_wrong_beside_the_field(chromium: Browser, product: Product):
    with product.author(chromium, width=360) as seen:
        page = seen.open("/convert")
        page.get_by_label("Git address").fill("   ")
        page.get_by_role("button", name="Convert", exact=True).click()
        expect(page.get_by_label("Git address")).to_have_accessible_description(re.compile("^Enter the address"))
        assert axe_violations(page) == []
        assert sideways(page) == 0


def test_a_choice_is_taken_by_its_card(chromium: Browser, product: Product, shown: Shown):
    with product.author(chromium, width=360) as seen:
        page = seen.open(shown.choice)
        expect(page.locator("#state")).to_have_text("Your choice")
        expect(page.get_by_role("alert")).to_contain_text("This source holds 2 workshops")
        expect(page.get_by_text("failed")).to_have_count(0)
        page.get_by_role("listitem").filter(has_text="Markdown tutorial in b").get_by_role("button").click()
        expect(page.locator(".steps li").first).to_contain_text("b/01-page.md", timeout=PATIENCE)


def test_rows_of_a_report_sort_and_filter(chromium: Browser, product: Product, shown: Shown):
    with product.author(chromium) as seen:
        page = seen.open(shown.report)
        section = page.locator("section", has=page.get_by_role("heading", name="Broken in the source"))
        rows = section.locator("tbody tr")
        expect(rows).to_have_count(16)
        section.get_by_role("button", name="Where").click()
        section.get_by_role("button", name="Where").click()
        expect(rows.first).to_contain_text("08-page.md")
        expect(section.locator("th[aria-sort=descending]")).to_have_text("Where")
        section.get_by_role("searchbox", name="Filter broken in the source").fill("gone-3")
        expect(section.locator("tbody tr:visible")).to_have_count(1)
        expect(section.get_by_role("status")).to_have_text("1 of 16")


def test_on_a_phone_the_steps_of_a_preview_fold_and_a_block_tells_its_place(chromium: Browser, product: Product, shown: Shown):
    with product.author(chromium, width=360) as seen:
        page = seen.open(shown.preview)
        expect(page.get_by_role("link", name="Page 8")).to_be_hidden()
        page.get_by_text("Step 1 of 8").click()
        expect(page.get_by_role("link", name="Page 8")).to_be_visible()
        place = page.locator(".from", has_text="01-page.md:3")
        expect(place).to_be_hidden()
        page.locator("#content").get_by_text("Do it.").hover()
        expect(place).to_be_visible()
        assert seen.troubles() == []


def test_everything_is_there_without_scripts(chromium: Browser, product: Product, tmp_path: Path, shown: Shown):
    source = make_repository(tmp_path / "plain", {name: text.replace("sourdough", "plain") for name, text in BREAD.items()})
    with product.author(chromium, scripts=False) as seen:
        page = seen.page
        convert(page, source)
        for _ in range(40):
            if page.locator(".lead").count():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(page.locator(".lead")).to_contain_text("3 pages")
        page.get_by_role("link", name="Preview", exact=True).click()
        expect(page.get_by_role("heading", name="Wake the starter")).to_be_visible()
        expect(page.get_by_role("button", name="Publish")).to_be_visible()
        seen.open("/")
        expect(page.get_by_role("link", name=LONG, exact=True)).to_be_visible()


def test_the_join_link_is_copied(chromium: Browser, product: Product, shown: Shown):
    with product.author(chromium, permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = seen.open(shown.published)
        page.get_by_role("button", name="Copy the join link").click()
        expect(page.locator("[data-copy]")).to_contain_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("[data-copy]").get_attribute("data-copy")
