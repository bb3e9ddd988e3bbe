"""Others in the workshop, in real browsers: a place that frees, a note to all, a raised hand, a name, a session that ends."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, expect

from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.form import validate_files
from shared_services.llm.gateway import NullGateway
from tests.browser import Watched, axe_violations, serve, sideways, watched
from tests.e2e.participant.garden import HeldLibrary, WordSearch, garden_files
from workshop_chat.app import create_app
from workshop_chat.settings import ChatSettings

pytestmark = pytest.mark.browser

CONTEXTS = Path(__file__).with_name("contexts.yaml")
FULL = "Failed to load resource: the server responded with a status of 429 (Too Many Requests)"


class Garden:
    """A chat agent with room for one, and those who run the workshop."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._headers = {"authorization": f"Bearer {token}"}

    def teach(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = httpx.request(method, f"{self.address}/api/v1{path}", headers=self._headers, timeout=20, **options)
        response.raise_for_status()
        return response


@contextlib.contextmanager
def garden(folder: Path, context: str = "one") -> Iterator[Garden]:
    held = validate_files(garden_files())
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    engine = create_engine(f"sqlite:///{folder / 'chat.db'}")
    app = create_app(
        ChatSettings(workshop="garden", context=context, contexts_file=CONTEXTS, drain_seconds=0),
        library=HeldLibrary(held),
        rag=WordSearch(held),
        gateway=NullGateway(),
        engine=engine,
        verifier=issuer.verifier(),
        participant_key=b"k" * 32,
    )
    lifespan = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def with_engine(app: Any):
        async with lifespan(app):
            yield
        await engine.dispose()

    app.router.lifespan_context = with_engine
    with serve(app) as address:
        yield Garden(address, issuer.issue("author:a", "chat", roles=frozenset({Role.AUTHOR}), extra={"name": "Ann"}))


def live(seen: Watched, path: str = "/steps/water") -> None:
    """Open a page, and wait until it listens."""
    with seen.page.expect_response(lambda response: response.url.endswith("/api/v1/live")):
        seen.page.goto(seen.address + path)


def test_a_full_workshop_lets_in_when_a_place_frees(chromium: Browser, tmp_path: Path):
    with garden(tmp_path) as house, watched(chromium, house.address) as ada, watched(chromium, house.address) as bob:
        live(ada)
        ada.page.mouse.move(200, 300)
        live(bob)
        expect(bob.page.get_by_role("heading", name="The workshop is full")).to_be_visible()
        expect(bob.page.get_by_role("status")).to_have_text("You are next in line.")
        assert axe_violations(bob.page) == []
        assert sideways(bob.page) == 0
        ada.page.get_by_role("button", name="You: no name yet").click()
        ada.page.get_by_role("button", name="Leave the workshop").click()
        expect(ada.page.get_by_role("dialog")).to_contain_text("You left the workshop")
        assert axe_violations(ada.page) == []
        expect(bob.page.get_by_role("heading", name="Water the beds")).to_be_visible()
        # The place is Bob's now.
        ada.page.get_by_role("button", name="Come back in").click()
        expect(ada.page.get_by_role("heading", name="The workshop is full")).to_be_visible()
        assert bob.troubles() == [FULL]
        assert ada.troubles() == [FULL]


def test_without_script_the_full_page_says_how_it_goes_on(chromium: Browser, tmp_path: Path):
    with garden(tmp_path) as house, watched(chromium, house.address, scripts=False) as bob:
        with watched(chromium, house.address) as ada:
            live(ada)
            ada.page.mouse.move(200, 300)
            bob.page.goto(house.address + "/steps/water")
            expect(bob.page.get_by_role("heading", name="The workshop is full")).to_be_visible()
            ada.page.get_by_role("button", name="You: no name yet").click()
            ada.page.get_by_role("button", name="Leave the workshop").click()
            expect(ada.page.get_by_role("dialog")).to_be_visible()
        bob.page.get_by_role("link", name="Look again now").click()
        expect(bob.page.get_by_role("heading", name="Water the beds")).to_be_visible()


def test_a_note_to_all_appears_and_is_put_away(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        note = house.teach("POST", "/notes", json={"text": "We go on at ten.\nBring <b>coffee</b>."}).json()
        card = page.locator(".note-card")
        expect(card).to_contain_text("We go on at ten.\nBring <b>coffee</b>.")
        expect(card).to_contain_text("Ann")
        assert axe_violations(page) == []
        page.reload()
        expect(card).to_have_count(1)
        card.get_by_role("button", name="Dismiss this note").click()
        expect(card).to_have_count(0)
        live(seen)
        expect(card).to_have_count(0)
        house.teach("POST", "/notes", json={"text": "Second"})
        expect(card).to_have_text("Second\nAnn", use_inner_text=True)
        house.teach("DELETE", f"/notes/{note['id'] + 1}")
        expect(card).to_have_count(0)
        assert seen.troubles() == []


def test_a_hand_is_raised_kept_and_lowered(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        button = page.get_by_role("button", name="Raise hand")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("status").first).to_contain_text("Your hand is raised")
        live(seen, "/steps/plan")
        expect(button).to_have_attribute("aria-pressed", "true")
        assert axe_violations(page) == []
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(page.get_by_role("status").first).to_contain_text("Your hand is lowered.")
        assert seen.troubles() == []


def test_a_phones_bar_has_room_for_everything_in_it(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address, width=360, height=700) as seen:
        live(seen)
        buttons = seen.page.locator("header.top button:visible")
        places = [box for box in (button.bounding_box() for button in buttons.all()) if box is not None]
        assert len(places) >= 3
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in places), places


def test_a_name_is_given_beside_the_step(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address, width=360, height=700) as seen:
        live(seen)
        page = seen.page
        page.get_by_role("button", name="You: no name yet").click()
        assert axe_violations(page) == []
        page.get_by_label("Your name").fill("Ada")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="You: Ada")).to_be_visible()
        assert page.url.endswith("/steps/water")
        assert sideways(page) == 0
        assert seen.troubles() == []


def test_the_server_comes_back_and_the_page_goes_on(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        live(seen)
        page = seen.page
        cut = threading.Event()

        def refuse(route: Any) -> None:
            cut.set()
            route.abort()

        page.route("**/api/v1/session/hand", refuse)
        page.get_by_role("button", name="Raise hand").click()
        expect(page.get_by_role("status").first).to_contain_text("The server cannot be reached, so your hand is as it was.")
        assert cut.is_set()
        page.unroute("**/api/v1/session/hand")
        page.get_by_role("button", name="Raise hand").click()
        expect(page.get_by_role("button", name="Raise hand")).to_have_attribute("aria-pressed", "true")


def refuse_twice(seen: Watched, pattern: str) -> list[str]:
    """Answer the first two requests as a proxy does while the server starts; gives the addresses that were asked for."""
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=503, content_type="text/html", body="<h1>Starting</h1>")
        else:
            route.continue_()

    seen.page.route(pattern, answer)
    return asked


def test_a_page_listens_again_after_a_proxy_has_refused_it(chromium: Browser, tmp_path: Path):
    with garden(tmp_path, "crowd") as house, watched(chromium, house.address) as seen:
        asked = refuse_twice(seen, "**/api/v1/live")
        house.teach("POST", "/notes", json={"text": "First"})
        seen.page.goto(house.address + "/steps/water")
        expect(seen.page.locator(".note-card")).to_contain_text("First")
        house.teach("POST", "/notes", json={"text": "Second"})
        expect(seen.page.locator(".note-card").first).to_contain_text("Second")
        assert len(asked) == 3
        assert seen.crashes == []


def test_whoever_waits_is_let_in_after_a_proxy_has_refused_their_page(chromium: Browser, tmp_path: Path):
    with garden(tmp_path) as house, watched(chromium, house.address) as ada, watched(chromium, house.address) as bob:
        live(ada)
        ada.page.mouse.move(200, 300)
        asked = refuse_twice(bob, "**/api/v1/live")
        bob.page.goto(house.address + "/steps/water")
        expect(bob.page.get_by_role("heading", name="The workshop is full")).to_be_visible()
        ada.page.get_by_role("button", name="You: no name yet").click()
        ada.page.get_by_role("button", name="Leave the workshop").click()
        expect(bob.page.get_by_role("heading", name="Water the beds")).to_be_visible()
        assert len(asked) >= 3
        assert bob.crashes == []
