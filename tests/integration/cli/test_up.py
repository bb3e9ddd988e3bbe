"""`workshop up`: what it prints, how it starts again, how it ends, and what it says when it cannot start."""

import json
import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.cli.conftest import FirstStart
from tests.integration.cli.program import CONTROL, Server, failed, run, serving, start, wait_until


def test_the_first_start_installs_the_examples_and_prints_address_and_link_last(first_start: FirstStart) -> None:
    assert first_start.status == 0
    assert [line.split("  ")[0] for line in first_start.out] == ["Workshop Assistant", "Sign in as author"]
    said = "".join(first_start.err)
    assert "Installing example 1 of 2: bread" in said
    assert "Installing example 2 of 2: garden" in said
    assert "Stopped" in first_start.err[-1]
    assert not CONTROL.search(said + "".join(first_start.out))
    assert json.loads((first_start.data / "examples.json").read_text()) == ["bread", "garden"]


def test_the_log_is_json_lines_and_holds_no_token(shared: Server) -> None:
    with httpx.Client(base_url=shared.url, follow_redirects=True, trust_env=False) as client:
        assert client.get(shared.sign_in).status_code == 200
        session = client.cookies["workshop_session"]
        client.get("/w/garden/")
    log = (shared.data / "logs" / "workshop.log").read_text()
    assert all("event" in json.loads(line) for line in log.splitlines())
    for secret in (shared.sign_in.partition("token=")[2], session):
        assert len(secret) > 40
        assert secret not in log
    assert not any("sign-in" in line or "{" in line for line in shared.err), "the terminal shows no log"


def test_the_second_start_is_ready_soon_and_ends_with_an_open_stream(data: Path) -> None:
    with serving(data) as server:
        # 10 s on a machine of one's own; this one may be shared with other tests
        assert time.monotonic() - server.began < 60
        job = json.loads(run("list", "--data", data, "--json").stdout)
        assert {row["workshop"] for row in job} == {"garden", "bread"}
        opened = threading.Event()

        def listen() -> None:
            # a response that stays open as long as the server lets it
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as idle:
                idle.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                idle.recv(100)
                opened.set()
                while idle.recv(65536):
                    pass

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        assert opened.wait(60)
        assert server.end(signal.SIGINT) == 0
        assert "Stopped" in server.err[-1]
    assert not (data / "holder.json").exists()


@pytest.mark.parametrize(("number", "after"), [(signal.SIGINT, ""), (signal.SIGTERM, "Installing example 1")])
def test_a_signal_ends_it_cleanly_whenever_it_comes(tmp_path: Path, examples: Path, number: int, after: str) -> None:
    server = Server(tmp_path / "data", examples=examples)
    wait_until(lambda: server.said(after) if after else (tmp_path / "data" / "lock").exists(), "the moment")
    assert server.end(number) == 0
    assert "Traceback" not in "".join(server.err)
    assert not server.out, "no address is printed of a server that ends"


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failed(run("up", "--data", tmp_path / "data", "--port", str(port)), 1, f"Port {port}", "in use", "--port")


def test_a_held_folder_is_one_sentence(shared: Server) -> None:
    assert failed(run("up", "--data", shared.data, "--port", "0"), 1, f"process {shared.process.pid}", "workshop up", "--data")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--host", "203.0.113.9"), 1, ("203.0.113.9", "--host")),
        (("--host", "no such host"), 1, ("no such host", "--host")),
        (("--port", "70000"), 2, ("port", "65535")),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    assert failed(run("up", "--data", tmp_path / "data", *arguments), status, *words)


@pytest.mark.parametrize("arguments", [("--port", "http"), ("--nonsense",), ("--data", "")])
def test_bad_arguments_are_status_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run("up", "--data", tmp_path / "data", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_folder_of_a_newer_format_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text('{"format": 99}')
    assert failed(run("up", "--data", tmp_path, "--port", "0"), 1, "newer version", "99")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "x"}', "\x00\x01"])
def test_a_damaged_format_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "format.json").write_text(text)
    assert failed(run("list", "--data", tmp_path), 1, "format.json", "damaged")


def test_tables_of_a_newer_version_are_one_sentence(data: Path) -> None:
    with sqlite3.connect(data / "workshop.db") as database:
        database.execute("UPDATE jobs_alembic_version SET version_num = 'jobs_9999'")
    database.close()
    assert failed(run("up", "--data", data, "--port", "0"), 1, "jobs_9999", "newer")


def test_a_damaged_database_is_one_sentence(data: Path) -> None:
    for name in ("workshop.db-wal", "workshop.db-shm"):
        (data / name).unlink(missing_ok=True)
    (data / "workshop.db").write_bytes(b"this is no database" * 1000)
    assert failed(run("up", "--data", data, "--port", "0"), 1, str(data), "damaged")


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert failed(run("up", "--data", tmp_path / "data", "--port", "0"), 1, "data", "--data")


@pytest.mark.parametrize(
    ("name", "value"),
    [("LLAMA_STACK_ENDPOINT", "not an address"), ("WORKSHOP_PORT", "many"), ("WORKSHOP_ACCESS", "all"), ("LOG_LEVEL", "loud")],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    assert failed(run("up", "--data", tmp_path / "data", env={name: value}), 2, name)


def test_arguments_overrule_the_environment(tmp_path: Path) -> None:
    done = run("list", "--data", tmp_path / "given", env={"WORKSHOP_DATA": str(tmp_path / "set")})
    assert done.returncode == 0
    assert (tmp_path / "given").is_dir()
    assert not (tmp_path / "set").exists()
    assert run("list", env={"WORKSHOP_DATA": str(tmp_path / "set")}).returncode == 0
    assert (tmp_path / "set").is_dir()


def test_listening_everywhere_asks_participants_for_a_code(data: Path) -> None:
    with serving(data, "--host", "0.0.0.0") as server:
        assert server.url.startswith("http://127.0.0.1:")
        wait_until(lambda: "join code" in server.out[-1], "the note", 30)
        page = httpx.get(f"{server.url}/w/garden/steps/sow", trust_env=False)
        assert page.status_code == 401, "a step is not for everybody any more"


def test_help_imports_no_service() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "publish" in done.stdout
    process = start("list", "--help")
    assert "--json" in process.communicate(timeout=60)[0]
