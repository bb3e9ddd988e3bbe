"""Ctrl-C in `workshop ask` ends the answer too, with the services in the command and with a server that would go on."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.integration.cli.program import environment, serving, start, wait_until
from tests.upstream import Endless, ScriptedUpstream

pytestmark = pytest.mark.timeout(400)


def stopped_turns(data: Path) -> list[tuple[str, str]]:
    """State and text of every turn in the folder's database."""
    found: list[tuple[str, str]] = []
    for file in data.glob("*.db"):
        with sqlite3.connect(file) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'chat_turns'").fetchone():
                rows = database.execute("SELECT state, answer FROM chat_turns").fetchall()
                found += [(state, json.loads(answer)["answer"]) for state, answer in rows]
        database.close()
    return found


@pytest.mark.parametrize("served", [False, True])
def test_ctrl_c_stops_the_answer(data: Path, served: bool):
    with ScriptedUpstream() as upstream:
        upstream.script(Endless("Sow the tomato seeds one centimetre deep. [1]\n\n", 0.05))
        env = {"LLAMA_STACK_ENDPOINT": upstream.url}

        def ask_and_leave() -> None:
            asking = start("ask", "garden", "How deep do I sow the tomato seeds?", "--data", data, env=environment(**env))
            assert asking.stdout is not None
            assert "centimetre" in asking.stdout.readline()
            asking.send_signal(signal.SIGINT)
            _, said = asking.communicate(timeout=60)
            assert asking.returncode == 130
            assert "Interrupted" in said
            assert "Traceback" not in said
            wait_until(lambda: upstream.requests[0].disconnected, "the end of the model's answer", 30)

        if served:
            with serving(data, env=env):
                ask_and_leave()
        else:
            ask_and_leave()
    ((state, text),) = stopped_turns(data)
    assert state == "stopped"
    assert text.startswith("Sow the tomato seeds one centimetre deep. [1]")
