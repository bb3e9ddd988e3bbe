"""The source beside the result, every workshop of a repository, an export and an inspection, in a real browser."""

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.author.conftest import BREAD, PATIENCE, Product, convert, make_repository
from tests.e2e.author.test_way import state, tab_to

pytestmark = pytest.mark.browser

SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi"]\n',
    "shop/main.py": 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/orders")\ndef orders() -> list[str]:\n    return []\n',
}


@pytest.fixture(scope="module")
def preview(chromium: Browser, product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the preview of a small workshop's second step."""
    folder = tmp_path_factory.mktemp("compare")
    source = make_repository(folder / "spelt", {name: text.replace("sourdough", "spelt") for name, text in BREAD.items()})
    with product.author(chromium) as seen:
        convert(seen.page, source)
        state(seen.page, "Succeeded")
        seen.page.get_by_role("link", name="Mix the dough").click()
        return seen.page.url.removeprefix(product.address)


def source_line(page: Page, number: int):
    return page.locator(f"#source-0-{number}")


def test_each_block_shows_the_lines_that_it_came_from(chromium: Browser, product: Product, preview: str):
    with product.author(chromium) as seen:
        page = seen.open(preview)
        expect(source_line(page, 7)).to_have_text("oven dough salt --grams 11")
        page.locator(".prose figure.code").hover()
        for number in (5, 6, 7, 8):
            expect(source_line(page, number)).to_have_class("at")
        expect(source_line(page, 9)).not_to_have_class("at")
        label = page.locator(".from", has_text="02-dough.md:5")
        expect(label).to_be_hidden()
        page.locator("#content").get_by_text("Let the dough rest").hover()
        expect(source_line(page, 6)).not_to_have_class("at")
        # Its place is shown to who chooses it, by mouse or by keyboard, and leads to its lines.
        tab_to(page, page.locator(".prose figure.code button"))
        expect(label).to_be_visible()
        page.keyboard.press("Tab")
        tab_to(page, label.get_by_role("link"))
        page.keyboard.press("Enter")
        expect(source_line(page, 6)).to_have_class("marked")
        page.locator("#content").get_by_text("Let the dough rest").click()
        expect(label).to_be_hidden()
        assert seen.troubles() == []


def test_on_a_phone_the_source_is_a_tap_away(chromium: Browser, product: Product, preview: str):
    with product.author(chromium, width=360) as seen:
        page = seen.open(preview)
        expect(source_line(page, 3)).to_be_hidden()
        page.get_by_role("link", name="Compare with it").click()
        expect(source_line(page, 3)).to_be_in_viewport()
        page.locator("#source-text summary").click()
        expect(source_line(page, 3)).to_be_hidden()
        page.locator("#content").get_by_text("Let the dough rest").click()
        page.locator(".from", has_text="02-dough.md:3").get_by_role("link").click()
        expect(source_line(page, 3)).to_have_class(re.compile("marked"))
        expect(source_line(page, 3)).to_be_in_viewport()
        assert seen.troubles() == []


@pytest.mark.parametrize("width", [1280, 360])
def test_the_source_is_there_without_scripts(chromium: Browser, product: Product, preview: str, width: int):
    with product.author(chromium, width=width, scripts=False) as seen:
        page = seen.open(preview)
        expect(source_line(page, 3)).to_be_visible()
        expect(page.locator("#content").get_by_text("Let the dough rest")).to_be_visible()


def test_every_workshop_of_a_repository_is_converted_and_read(chromium: Browser, product: Product, tmp_path: Path):
    files = {f"{folder}/{name}": text for folder in ("rye", "oat") for name, text in BREAD.items() if name != "README.md"}
    with product.author(chromium, width=360) as seen:
        page = seen.page
        convert(page, make_repository(tmp_path / "both", files))
        state(page, "Your choice")
        every = page.get_by_role("button", name="Convert every workshop")
        tab_to(page, every)
        page.keyboard.press("Enter")
        state(page, "Succeeded")
        expect(page.locator(".lead")).to_contain_text("2 workshops read")
        # A long name leaves the folder beside it its width.
        for cell in page.get_by_role("row", name="rye").get_by_role("cell").all():
            assert cell.bounding_box()["width"] > 100  # type: ignore[index]
        page.get_by_role("row", name="rye").get_by_role("link").click()
        expect(page.locator(".lead")).to_contain_text("3 pages, 3 code blocks kept")
        page.get_by_role("link", name="rye/02-dough.md:12").click()
        expect(page.locator(".marked")).to_contain_text("Fold it every half hour")
        assert seen.troubles() == []


def test_a_draft_is_downloaded_in_another_form(chromium: Browser, product: Product, preview: str, tmp_path: Path):
    with product.author(chromium) as seen:
        page = seen.open(preview)
        page.get_by_role("link", name="Export").click()
        page.get_by_role("link", name="What it would lose as MkDocs").click()
        expect(page.locator(".lead")).to_contain_text("MkDocs:", timeout=PATIENCE)
        with page.expect_download(timeout=PATIENCE) as started:
            page.get_by_role("link", name="Download").click()
        started.value.save_as(tmp_path / "export.zip")
        assert started.value.suggested_filename.endswith("-mkdocs.zip")
        with zipfile.ZipFile(tmp_path / "export.zip") as opened:
            assert any(name.endswith("/mkdocs.yml") for name in opened.namelist())
            assert "export-report.json" in opened.namelist()


def test_an_application_is_inspected_and_its_skeleton_previewed(chromium: Browser, product: Product, tmp_path: Path):
    with product.author(chromium) as seen:
        page = seen.open("/convert")
        page.get_by_label("Git address").fill(make_repository(tmp_path / "shop", SHOP))
        page.get_by_role("button", name="Inspect an application").click()
        state(page, "Succeeded")
        endpoints = page.locator("section", has=page.get_by_role("heading", name="Endpoints"))
        expect(endpoints.locator("tbody tr")).to_contain_text("/orders")
        page.get_by_role("button", name="Make a workshop's skeleton of it").click()
        expect(page.get_by_role("link", name="Preview", exact=True)).to_be_visible(timeout=PATIENCE)
        page.get_by_role("link", name="Change an endpoint").click()
        expect(page.get_by_role("heading", name="Change an endpoint", level=1)).to_be_visible()
        assert seen.troubles() == []
