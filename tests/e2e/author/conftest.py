"""The whole product as a process of its own, and repositories for an author to convert."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import Watched, chromium, watched

__all__ = ["chromium"]

START_SECONDS = 120
PATIENCE = 60_000
"""Milliseconds that a job may take on a busy machine."""


@dataclass(frozen=True)
class Product:
    """A running `workshop up`.

    Attributes:
        address: Without a slash at its end.
        link: Signs its holder in as the author.
        folder: For the tests' repositories.
    """

    address: str
    link: str
    folder: Path

    @contextmanager
    def author(self, browser: Browser, **options: object) -> Iterator[Watched]:
        """A page of the author's, signed in by the link."""
        with watched(browser, self.address, **options) as seen:  # type: ignore[arg-type]
            seen.page.goto(self.link)
            yield seen


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product on an empty data folder, one job at a time."""
    root = tmp_path_factory.mktemp("product")
    (root / "no-examples").mkdir()
    environment = os.environ | {
        "WORKSHOP_EXAMPLES": str(root / "no-examples"),
        "JOBS_CONCURRENCY": "1",
        "WORKSHOP_ACCESS": "code",
        "COLUMNS": "2000",
    }
    command = [sys.executable, "-m", "workshop_cli.main", "up", "--data", str(root / "data"), "--port", "0"]
    said = root / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[3]
        )
    try:
        yield _started(process, said, root)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(process: subprocess.Popen[bytes], said: Path, root: Path) -> Product:
    """The product, once it has printed the sign-in link."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"(http://[\d.]+:\d+)/sign-in\?token=\S+(?=\n)", said.read_text())
        if found:
            return Product(found[1], found[0], root)
        time.sleep(0.1)
    pytest.fail(f"`workshop up` did not start: {said.read_text()}")


def make_repository(folder: Path, files: dict[str, str]) -> str:
    """A git repository with one commit; gives its file:// address."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "All"]):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)
    return f"file://{folder}"


def convert(page: Page, source: str) -> None:
    """Send a source through the form."""
    page.goto(re.match(r"https?://[^/]+", page.url)[0] + "/convert")  # type: ignore[index]
    page.get_by_label("Git address").fill(source)
    page.get_by_role("button", name="Convert", exact=True).click()


BREAD = {
    "README.md": "# Bake a sourdough loaf\n\nFrom flour to crust, in one afternoon.\n",
    "01-starter.md": """# Wake the starter

Feed the starter with equal parts of rye flour and water, and wait until it has doubled.

```bash
oven starter feed --flour rye --grams 100
```

It is ready when a spoonful of it floats on water.
""",
    "02-dough.md": """# Mix the dough

Let the dough rest for 45 minutes before the salt goes in.

```bash
oven dough mix --hydration 72
oven dough salt --grams 11
```

![The windowpane test](img/windowpane.png)

Fold it every [half hour](folding.md).
""",
    "03-bake.md": """# Bake

Heat the oven to 250 degrees with the pot inside.

```bash
oven heat --celsius 250 --pot
```

## Steam

Spray water into the pot before you close the lid.
""",
}


@pytest.fixture
def bread(tmp_path: Path) -> str:
    """The address of a small tutorial; two references on it lead nowhere."""
    return make_repository(tmp_path / "bread", BREAD)


@pytest.fixture
def silent_host() -> Iterator[str]:
    """The address of a git server that takes calls and says nothing, until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/ada/quiet.git"
