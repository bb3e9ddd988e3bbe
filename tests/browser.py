"""Real pages in a real browser: Debian's Chromium driven by Playwright, an app served on a free port, axe's rules.

Import the fixture `chromium` in the conftest of the folder that needs it. It lives as long as one test module, because
Playwright's synchronous face and pytest's own event loops do not get along; keep browser tests in modules of their own.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 90.0
WAIT_SECONDS = 30.0
"""How long a page may take for what it is expected to show; much on a machine that does something else too."""
expect.set_options(timeout=WAIT_SECONDS * 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; the test is skipped where Chromium is not installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there; `apt-get install chromium` brings it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free port of this machine, in a thread; gives its address without a slash at the end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server ended while it started"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(timeout=15)
            assert not thread.is_alive(), "the server did not end"


@dataclass
class Watched:
    """A page, and everything on it that a good page never does."""

    page: Page
    context: BrowserContext
    address: str
    console: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def troubles(self) -> list[str]:
        """Console errors (policy violations among them), script errors, dialogs, and requests to other hosts."""
        return [*self.console, *self.crashes, *self.dialogs, *self.elsewhere]

    def open(self, path: str) -> Page:
        """Go to a path of the app and wait until it is quiet."""
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")
        return self.page


@contextlib.contextmanager
def watched(
    browser: Browser,
    address: str,
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
    **options: Any,
) -> Iterator[Watched]:
    """A new page of its own profile, watched; `options` go to Playwright's `new_context`."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=scripts, **options
    )
    context.set_default_timeout(WAIT_SECONDS * 1000)
    page = context.new_page()
    seen = Watched(page, context, address)
    own = urlsplit(address).netloc
    page.on("console", lambda message: seen.console.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: seen.crashes.append(str(error)))

    def dismiss(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on(
        "request",
        lambda request: (
            seen.elsewhere.append(request.url)
            if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"} and urlsplit(request.url).netloc != own
            else None
        ),
    )
    try:
        yield seen
    finally:
        context.close()


def axe_violations(page: Page) -> list[str]:
    """What axe finds serious or critical, a line each: rule, and the first places."""
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in {"serious", "critical"}]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes'][:4]]} {rule['help']}" for rule in serious]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
