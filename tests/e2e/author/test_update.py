"""A newer commit of the source in a real browser: watched, compared, decided where both sides changed, accepted as a draft."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shared_services.library.archive import pack
from tests.browser import axe_violations, sideways
from tests.e2e.author.conftest import BREAD, PATIENCE, Product, convert
from tests.integration.template_converter.repositories import commit

pytestmark = pytest.mark.browser


def stored_by_hand(page: Page, product: Product, changes: dict[str, tuple[str, str]]) -> str:
    """Store the draft that the page shows the report of with texts replaced, as an author's program would; gives its path."""
    match = re.match(
        r"/drafts/([^/]+)/([0-9a-f]+)", page.get_by_role("link", name="Preview", exact=True).get_attribute("href") or ""
    )
    assert match is not None
    base = f"{product.address}/api/v1/library/{match[1]}"
    listed = page.request.get(f"{base}/versions/{match[2]}").json()["files"]
    files = {row["path"]: page.request.get(f"{base}/files/{row['sha256']}").body() for row in listed}
    for path, (old, new) in changes.items():
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())
    draft = page.request.post(f"{product.address}/api/v1/library/drafts", data=pack(files)).json()
    return f"/drafts/{draft['workshop']}/{draft['version']}"


def test_a_newer_commit_is_merged_and_what_clashes_is_asked(chromium: Browser, product: Product, tmp_path: Path):
    lab = tmp_path / "rye"
    rye = {name: text.replace("sourdough", "rye") for name, text in BREAD.items()}
    commit(lab, rye)
    with product.author(chromium) as seen:
        page = seen.page
        convert(page, lab.as_uri())
        expect(page.locator(".lead")).to_be_visible(timeout=PATIENCE)
        mine = stored_by_hand(
            page,
            product,
            {
                "steps/mix-the-dough/content.md": ("45 minutes", "90 minutes, says the author,"),
                "steps/wake-the-starter/content.md": ("It is ready", "Trust me, it is ready"),
            },
        )
        commit(
            lab,
            {
                "02-dough.md": rye["02-dough.md"].replace("45 minutes", "60 minutes"),
                "03-bake.md": rye["03-bake.md"].replace("250 degrees", "230 degrees"),
                "04-eat.md": "# Eat\n\nWait an hour.\n\n```bash\nbread cut\n```\n",
            },
        )
        seen.open(mine)
        page.get_by_role("link", name="Update").click()
        expect(page.get_by_label("Git address")).to_have_value(lab.as_uri())
        page.get_by_role("button", name="Compare").click()
        expect(page).to_have_url(re.compile("/reimports/"))
        expect(page.locator(".lead")).to_have_text(
            "Steps: 1 changed, 1 new. Your changes in 2 steps are kept. 1 conflict for you to decide.", timeout=PATIENCE
        )
        expect(page.locator(".part h2")).to_have_text([re.compile("Mix the dough"), re.compile("Bake"), re.compile("Eat")])
        expect(page.locator(".diff .added").first).to_contain_text("Heat the oven to 230 degrees")
        # A step that is asked about is neither kept nor as before.
        expect(page.locator("dl.facts")).to_contain_text(re.compile(r"Yours, as they are\s*Wake the starter\s*$"))
        expect(page.get_by_text("1 step is as before.", exact=True)).to_be_visible()
        review = page.url.removeprefix(product.address)
        page.get_by_role("link", name="Mix the dough").click()
        expect(page.locator("fieldset pre", has_text="60 minutes")).to_be_in_viewport()

        page.get_by_role("button", name="Accept as draft").click()
        expect(page.get_by_role("alert")).to_contain_text("Still to decide: 1 of 1.")
        expect(page.get_by_role("radio", name=re.compile("^Yours"))).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name=re.compile("^The source's"))).to_be_checked()
        page.get_by_role("radio", name="In other words").check()
        words = page.get_by_role("textbox", name="Other words for steps/mix-the-dough/content.md")
        words.fill("Let the dough rest for an hour or two before the salt goes in.")
        page.get_by_role("button", name="Accept as draft").click()

        expect(page).to_have_url(re.compile("/drafts/"))
        expect(page.get_by_text("participants do not see it")).to_be_visible()
        expect(page.locator("#content").get_by_text("Trust me, it is ready")).to_be_visible()
        page.get_by_role("link", name="Next").click()
        expect(page.locator("#content").get_by_text("Let the dough rest for an hour or two")).to_be_visible()
        page.get_by_role("link", name="Eat").click()
        expect(page.locator("#content").get_by_text("Wait an hour.")).to_be_visible()
        # The one refusal is the answer to accepting too early.
        assert [row for row in seen.troubles() if "409" not in row] == []

    found: list[str] = []
    for width in (1280, 360):
        for scheme in ("light", "dark"):
            with product.author(chromium, width=width, scheme=scheme) as seen:
                for path in (review, f"/workshops/{mine.split('/')[2]}/update?version={mine.split('/')[3]}"):
                    page = seen.open(path)
                    found += [f"{path}: {line}" for line in axe_violations(page)]
                    found += [f"{path}: {sideways(page)} px wider than the window"] if sideways(page) > 0 else []
                found += seen.troubles()
    assert found == []


def test_without_scripts_a_conflict_is_decided_too(chromium: Browser, product: Product, tmp_path: Path):
    lab = tmp_path / "spelt"
    spelt = {name: text.replace("sourdough", "spelt") for name, text in BREAD.items()}
    commit(lab, spelt)
    with product.author(chromium, scripts=False) as seen:
        page = seen.page

        def until(selector: str) -> None:
            for _ in range(60):
                if page.locator(selector).count():
                    return
                page.wait_for_timeout(500)
                page.reload()

        convert(page, lab.as_uri())
        until(".lead")
        mine = stored_by_hand(page, product, {"steps/bake/content.md": ("250 degrees", "240 degrees")})
        commit(lab, {"03-bake.md": spelt["03-bake.md"].replace("250 degrees", "230 degrees")})
        seen.open(mine)
        page.get_by_role("link", name="Update").click()
        page.get_by_role("button", name="Compare").click()
        until(".lead")
        page.get_by_role("radio", name=re.compile("^The source's")).check()
        page.get_by_role("button", name="Accept as draft").click()
        page.get_by_role("link", name="Bake", exact=True).click()
        expect(page.locator("#content").get_by_text("230 degrees")).to_be_visible()
