"""What every test gets: its own folder, no proxies, and in unit tests no sockets."""

from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

UNIT = Path(__file__).parent / "unit"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest):
    if UNIT in request.path.parents:
        disable_socket(allow_unix_socket=True)
        yield
        enable_socket()
    else:
        yield
