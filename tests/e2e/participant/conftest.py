"""The chat agent of a small workshop, served for a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import Watched, chromium, watched
from tests.e2e.participant.garden import garden_app

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with garden_app(tmp_path_factory.mktemp("garden"), prefix="/w/garden") as address:
        yield address


@pytest.fixture
def seen(chromium: Browser, garden: str) -> Iterator[Watched]:
    with watched(chromium, garden) as page:
        yield page
        assert page.troubles() == []
