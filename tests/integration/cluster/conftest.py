"""One PostgreSQL that asks for passwords, emptied before each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster.databases import ODD, Databases
from tests.postgres import throwaway_postgres


@pytest.fixture(scope="package")
def admin_url() -> Iterator[str]:
    with throwaway_postgres(ODD) as url:
        yield url


@pytest.fixture
def databases(admin_url: str, tmp_path: Path) -> Databases:
    found = Databases(admin_url, tmp_path / "secrets")
    found.clear()
    return found
