"""A chat agent at rest: `python -m benchmarks.chat_rest [--starts N] [--json]`.

`python -m workshop_chat` on SQLite, as it is started for one workshop, in front of a scripted library (`benchmarks.chat_world`):
seconds from the making of the process until `/readyz` answers 200 (and the processor time used until then), and resident memory
then, in MB of 1,048,576 bytes. `first` is the start on an empty folder, which makes the tables; `again` are the starts after it,
medians and worst. `after_*` is how much more memory the first use of each face takes, in the order in which they are listed.

`laptop`: the process of `workshop up` with an empty data folder that ten workshops were published to: how much each workshop's
chat app adds, its step page opened and one question asked and answered without a model, after one workshop of the same kind.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import anyio.from_thread
import httpx

from benchmarks.chat_world import STEP, WORKSHOP, ChatAgent, ScriptedWorld, chat_agent, made_folder
from shared_services.contracts.identity import Role
from shared_services.kit.tokens import TokenIssuer

GOALS = {"rest_mb": 120, "ready_s": 2.0, "workshop_mb": 25}
LAPTOP_WORKSHOPS = 10
QUESTION = "Which port does the application listen on? m000001"


def start(world_url: str, folder: Path, issuer: TokenIssuer) -> tuple[float, float, float]:
    """Start and end the agent once: seconds until it was ready, processor seconds until then, MB then."""
    with chat_agent(world_url, folder, issuer) as agent:
        seconds = agent.until("/readyz")
        return seconds, agent.processor_seconds(), agent.resident_mb()


def faces(world_url: str, folder: Path, issuer: TokenIssuer) -> dict[str, float]:
    """MB more after the first use of each face."""
    headers = {
        "authorization": f"Bearer {issuer.issue('participant:b', 'chat', workshop=WORKSHOP, roles=frozenset({Role.PARTICIPANT}))}"
    }
    asked = {"model": WORKSHOP, "messages": [{"role": "user", "content": QUESTION}]}
    a2a = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": QUESTION}]}}
    tools = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accept = {"accept": "application/json, text/event-stream"}
    with chat_agent(world_url, folder, issuer) as agent:
        agent.until("/readyz")
        with httpx.Client(base_url=agent.url, headers=headers, timeout=60, trust_env=False) as http:
            uses: dict[str, Callable[[], httpx.Response]] = {
                "after_page": lambda: http.get(f"/steps/{STEP}"),
                "after_answer": lambda: http.post("/v1/chat/completions", json=asked),
                "after_mcp": lambda: http.post("/mcp/", json=tools, headers=accept),
                "after_a2a": lambda: http.post("/a2a/rest/message:send", json=a2a, headers={"A2A-Version": "1.0"}),
            }
            found, last = dict[str, float](), agent.resident_mb()
            for name, use in uses.items():
                use().raise_for_status()
                now = agent.resident_mb()
                found[name], last = round(now - last, 1), now
    return found


def laptop(folder: Path) -> dict[str, float]:
    """MB that each of ten workshops adds to the laptop's process, after a first one."""
    shelf = folder / "examples"
    for number in range(LAPTOP_WORKSHOPS + 1):
        _write_workshop(shelf / f"made-{number}", number)
    environment = {**os.environ, "WORKSHOP_EXAMPLES": str(shelf), "LOG_LEVEL": "warning"}
    command = [sys.executable, "-m", "workshop_cli.main", "up", "--data", str(folder / "data"), "--port", "0"]
    log = folder / "up.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    try:
        return _laptop(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _laptop(process: "subprocess.Popen[bytes]", log: Path) -> dict[str, float]:
    address, end = None, time.monotonic() + 300
    while address is None:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"`workshop up` did not start: {log.read_text()[-2000:]}")
        address = re.search(r"http://127\.0\.0\.1:[1-9]\d+", log.read_text())
        time.sleep(0.1)
    up = ChatAgent(process, int(address.group().rpartition(":")[2]), time.perf_counter())
    with httpx.Client(base_url=up.url, timeout=120, trust_env=False, follow_redirects=True) as http:
        while time.monotonic() < end:
            # The last one that is installed: all of them are searchable then.
            if http.get("/readyz").status_code == 200 and len(http.get("/api/v1/library").json()) > LAPTOP_WORKSHOPS:
                break
            time.sleep(0.5)
        _visit(http, 0)
        before = up.resident_mb()
        for number in range(1, LAPTOP_WORKSHOPS + 1):
            _visit(http, number)
        return {"laptop_mb": round(before), "each_workshop_mb": round((up.resident_mb() - before) / LAPTOP_WORKSHOPS, 1)}


def _visit(http: httpx.Client, number: int) -> None:
    http.get(f"/w/made-{number}/steps/one").raise_for_status()
    with closing(http.post(f"/w/made-{number}/api/v1/conversations")) as made:
        conversation = made.raise_for_status().json()["id"]
    path = f"/w/made-{number}/api/v1/conversations/{conversation}/messages"
    http.post(path, json={"text": "Which port does it listen on?", "step": "one"}).raise_for_status()


def _write_workshop(folder: Path, number: int) -> None:
    step = folder / "steps" / "one"
    step.mkdir(parents=True)
    (folder / "workshop.yaml").write_text(f"slug: made-{number}\ntitle: Made {number}\nsteps:\n  - one\n")
    (step / "step.yaml").write_text("title: One\n")
    sections = [f"## Part {part}\n\nPart {part} of workshop {number} listens on port {8000 + part}.\n" for part in range(40)]
    (step / "content.md").write_text("# One\n\n" + "\n".join(sections))


def measured(starts: int, *, with_laptop: bool) -> dict[str, Any]:
    """All figures."""
    with anyio.from_thread.start_blocking_portal() as portal:
        world = ScriptedWorld()
        with portal.wrap_async_context_manager(world.serving()), made_folder() as (folder, issuer):
            first_s, _, first_mb = start(world.url, folder, issuer)
            runs = [start(world.url, folder, issuer) for _ in range(starts)]
            found: dict[str, Any] = {
                "starts": starts,
                "first_ready_s": round(first_s, 2),
                "first_rest_mb": round(first_mb, 1),
                "again_ready_s": round(median(run[0] for run in runs), 2),
                "again_ready_worst_s": round(max(run[0] for run in runs), 2),
                "again_ready_cpu_s": round(median(run[1] for run in runs), 2),
                "again_rest_mb": round(median(run[2] for run in runs), 1),
            } | faces(world.url, folder, issuer)
    if with_laptop:
        with tempfile.TemporaryDirectory(prefix="laptop-") as folder_name:
            found |= laptop(Path(folder_name))
    return found | {"goals": GOALS, "load_before": os.getloadavg()[2]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_rest", description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--no-laptop", action="store_true", help="leave the laptop's process out")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.starts, with_laptop=not given.no_laptop)
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:20}", value)


if __name__ == "__main__":
    main()
