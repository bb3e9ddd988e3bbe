"""What every test gets: its own folder, no proxies, and in unit tests no sockets."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

# A server that lives a while exports its model in the background, which only the tests of that export want.
os.environ.setdefault("RAG_ENGINE", "reference")

# What commands remember is the tests' own, not the person's who runs them.
os.environ["WORKSHOP_CHOICES"] = str(Path(tempfile.mkdtemp(prefix="workshop-choices-")) / "choices.json")

# A connection that is given up while it asks for TLS leaves an error that nobody waits for; throw-away servers have no TLS.
os.environ.setdefault("PGSSLMODE", "disable")

# The same examples each time, so that a test that fails fails because of a change; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

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
