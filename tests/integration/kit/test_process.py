"""A process that is told to end is gone within its bound, whatever still runs in it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, time
from contextlib import asynccontextmanager
import anyio.to_thread
from fastapi import FastAPI
from shared_services.kit import process
process.CLOSING_SECONDS = 1.0

@asynccontextmanager
async def lifespan(app):
    yield
    if sys.argv[2] == "stuck":
        await anyio.to_thread.run_sync(time.sleep, 60)

app = FastAPI(lifespan=lifespan)

@app.get("/")
def home() -> str:
    return "here"

sys.exit(process.serve(app, "127.0.0.1", int(sys.argv[1]), grace=1))
"""


@pytest.mark.parametrize(("kind", "statuses"), [("well", {0, -signal.SIGTERM}), ("stuck", {4})])
def test_it_ends_within_its_bound(kind: str, statuses: set[int]):
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port), kind], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).json() == "here"
                break
            except httpx.TransportError:
                assert time.monotonic() < end
                time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in statuses
    finally:
        process.kill()
        process.wait()
