"""Killed at any moment, nothing that was acknowledged is lost, and the next start goes on by itself."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.cli.conftest import MakeFolder
from tests.integration.cli.program import Server, run, serving, start, wait_until

LONG = {f"s{n}": f"# S{n}\n\n" + f"Leaf {n} unfolds. " * 40 for n in range(20)}
"""Steps that take a while to index."""
LONGER = {
    f"s{n}": f"# S{n}\n\n" + "".join(f"## Part {k}\n\n" + f"Leaf {n} {k} unfolds. " * 40 + "\n\n" for k in range(20))
    for n in range(20)
}
"""Some hundreds of passages."""


def states_of(data: Path, workshop: str) -> list[str]:
    """State of every job about a workshop, the oldest first."""
    with sqlite3.connect(f"file:{data / 'workshop.db'}?mode=ro", uri=True, timeout=30) as database:
        rows = database.execute("SELECT state FROM jobs_jobs WHERE subject = ? ORDER BY created_at", (workshop,)).fetchall()
    database.close()
    return [state for (state,) in rows]


def test_killed_while_examples_are_installed(tmp_path: Path, examples: Path) -> None:
    data = tmp_path / "data"
    for moment in ("Installing example 1", "index"):
        server = Server(data, examples=examples)
        wait_until(lambda: server.said(moment), moment)  # noqa: B023  looked at within the loop
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    with serving(data, examples=examples) as server:
        names = [row["workshop"] for row in json.loads(run("list", "--json", "--data", data).stdout)]
        assert sorted(names) == ["bread", "garden"]
        assert httpx.get(f"{server.url}/w/garden/steps/water", trust_env=False).status_code == 200
        assert states_of(data, "garden") == states_of(data, "bread") == ["succeeded"], "the same jobs went on"


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_killed_in_a_publication(data: Path, folder: MakeFolder, seconds: float) -> None:
    steps = {"water": "# Water\n\nWater the tray at dusk.\n"} | LONG
    path = folder("garden", steps=steps)
    with serving(data) as server:
        publishing = start("publish", path, "--data", data)
        wait_until(lambda: len(states_of(data, "garden")) == 2, "the job")
        time.sleep(seconds)
        server.end(signal.SIGKILL)
        publishing.communicate(timeout=120)
    with serving(data) as server:
        page = f"{server.url}/w/garden/steps/water"
        assert httpx.get(page, trust_env=False).status_code == 200, "a version serves all the while"
        wait_until(lambda: states_of(data, "garden") == ["succeeded", "succeeded"], "both publications")
        wait_until(lambda: "at dusk" in httpx.get(page, trust_env=False).text, "the new version", 60)
        answer = json.loads(run("ask", "garden", "When do I water the tray?", "--json", "--data", data).stdout)
        assert "dusk" in answer["answer"]


def test_a_publication_without_server_that_is_interrupted_goes_on(data: Path, folder: MakeFolder) -> None:
    publishing = start("publish", folder("late", steps=LONGER), "--data", data)
    wait_until(lambda: states_of(data, "late") or publishing.poll() is not None, "the job")
    publishing.send_signal(signal.SIGINT)
    _, said = publishing.communicate(timeout=120)
    assert publishing.returncode == 130, said
    assert "Traceback" not in said
    assert "goes on" in said
    assert said.rstrip().endswith("Interrupted.")
    with serving(data):
        wait_until(lambda: states_of(data, "late") == ["succeeded"], "the publication")
        assert run("show", "late", "--data", data).returncode == 0


def test_a_server_that_is_stopped_in_a_publication_ends_cleanly_and_goes_on(data: Path, folder: MakeFolder) -> None:
    with serving(data) as server:
        publishing = start("publish", folder("tide", steps=LONG), "--data", data)
        wait_until(lambda: states_of(data, "tide") == ["running"], "the job")
        assert server.end(signal.SIGTERM) == 0
        assert "Traceback" not in "".join(server.err)
        _, said = publishing.communicate(timeout=120)
        assert publishing.returncode == 1
        assert "goes on when `workshop up` is started again" in said.splitlines()[-1]
        assert "Traceback" not in said
    with serving(data):
        wait_until(lambda: states_of(data, "tide") == ["succeeded"], "the publication")


def test_a_conversion_in_the_server_goes_on_after_a_kill(data: Path, tmp_path: Path) -> None:
    source = tmp_path / "tutorial"
    source.mkdir()
    for number in range(1, 60):
        (source / f"{number:02}-part.md").write_text(f"# Part {number}\n\nRun this:\n\n```bash\nmake part-{number}\n```\n" * 20)
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-C", str(source)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "A tutorial"]):
        subprocess.run([*git, *command], check=True)
    with serving(data) as server:
        with httpx.Client(base_url=server.url, follow_redirects=True, trust_env=False, timeout=120) as client:
            client.get(server.sign_in).raise_for_status()
            begun = client.post("/convert", data={"source": source.as_uri()}, headers={"origin": server.url})
            assert "/jobs/" in str(begun.url), begun.text[:500]
        server.end(signal.SIGKILL)
    with serving(data) as server:
        job = str(begun.url).rpartition("/jobs/")[2].partition("?")[0]

        def state() -> str:
            with sqlite3.connect(f"file:{data / 'workshop.db'}?mode=ro", uri=True, timeout=30) as database:
                found = str(database.execute("SELECT state FROM jobs_jobs WHERE id = ?", (job,)).fetchone()[0])
            database.close()
            return found

        wait_until(lambda: state() not in ("queued", "running"), "the conversion")
        assert state() == "succeeded"
