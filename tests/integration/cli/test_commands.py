"""publish, list, show, ask, remove and convert, as a user gives them; with a server on the folder, and without one."""

import fcntl
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.integration.cli.conftest import GARDEN, MakeFolder
from tests.integration.cli.program import CONTROL, Server, environment, failed, run, wait_until


@pytest.fixture(params=["with a server", "without"])
def anyhow(request: pytest.FixtureRequest) -> Path:
    """A data folder with both workshops, once served and once not."""
    if request.param == "without":
        found: Path = request.getfixturevalue("data")
        return found
    server: Server = request.getfixturevalue("shared")
    return server.data


def test_the_way_of_a_workshop(anyhow: Path, folder: MakeFolder) -> None:
    path = folder("soup", steps={"cook": "# Cook\n\nLet the lentils simmer for forty minutes with a bay leaf.\n"})
    done = run("publish", path, "--data", anyhow)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Published soup version ")
    assert "Storing: soup" in done.stderr

    again = run("publish", path, "--data", anyhow)
    assert again.returncode == 0
    assert again.stdout.split()[3] == done.stdout.split()[3], "the same content is the same version"

    listed = run("list", "--data", anyhow)
    assert listed.returncode == 0
    assert len(listed.stdout.splitlines()) == 4, "a line a workshop below the headings"
    assert not CONTROL.search(listed.stdout + done.stdout)

    shown = run("show", "soup", "--json", "--data", anyhow)
    assert json.loads(shown.stdout)["workshop"] == "soup"
    assert shown.stderr == ""

    asked = run("ask", "soup", "How long do the lentils simmer?", "--json", "--data", anyhow)
    answer = json.loads(asked.stdout)
    assert asked.stderr == ""
    assert "forty minutes" in answer["answer"]
    assert answer["citations"][0]["file"] == "steps/cook/content.md"
    assert answer["citations"][0]["source"] == {"file": "steps/cook/content.md", "line": 1}
    assert set(answer) >= {"answer", "abstained", "nearest", "citations", "timings"}

    removed = run("remove", "soup", "--data", anyhow)
    assert removed.returncode == 0, removed.stderr
    assert failed(run("show", "soup", "--data", anyhow), 2, "soup")
    assert failed(run("remove", "soup", "--data", anyhow), 2, "soup")


def test_an_answer_for_people_names_places(shared: Server) -> None:
    done = run("ask", "garden", "When do I water the tray?", "--step", "sow", "--data", shared.data)
    assert done.returncode == 0, done.stderr
    assert "every morning" in done.stdout
    assert "[1] steps/water/content.md:1  Water" in done.stdout
    assert not CONTROL.search(done.stdout)


def test_what_is_not_in_the_workshop_is_said(shared: Server) -> None:
    done = run("ask", "garden", "Who won the chess championship of 1972?", "--data", shared.data)
    assert done.returncode == 0
    assert "[1]" not in done.stdout
    assert json.loads(run("ask", "garden", "Who is the king of Norway?", "--json", "--data", shared.data).stdout)["abstained"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "nothing", "what?"), ("nothing",)),
        (("ask", "garden", "what?", "--step", "harvest"), ("harvest", "sow, water")),
        (("ask", "garden", "   "), ("empty",)),
        (("ask", "garden", "x" * 100_000), ("100,000",)),
        (("ask", "../garden", "what?"), ("../garden",)),
        (("show", "nothing"), ("nothing",)),
        (("show", "gar'den\""), ("gar",)),
        (("show", "garden/versions"), ("garden/versions",)),
        (("remove", "nothing"), ("nothing",)),
        (("publish", "/nowhere/at/all"), ("/nowhere/at/all",)),
    ],
)
def test_input_that_cannot_be_used_is_one_sentence(shared: Server, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert failed(run(*arguments, "--data", shared.data), 2, *words)


def test_every_finding_of_an_invalid_folder_is_told(tmp_path: Path, shared: Server, folder: MakeFolder) -> None:
    path = folder("broken", steps={"one": "# One\n", "two": "# Two\n"})
    (path / "steps/one/content.md").unlink()
    (path / "steps/two/step.yaml").write_text("title: [")
    said = failed(run("publish", path, "--data", shared.data), 2)
    assert "steps/one/content.md" in said
    assert "steps/two/step.yaml" in said


def test_the_old_version_serves_until_the_new_one_is_whole(shared: Server, folder: MakeFolder) -> None:
    run("publish", folder("tide", steps={"a": "# Sea\n\nThe tide turns at six in the morning.\n"}), "--data", shared.data)
    path = folder(
        "tide",
        steps={"a": "# Sea\n\nThe tide turns at nine in the evening.\n"}
        | {f"s{n}": f"# S{n}\n\n" + f"Wave {n} rolls. " * 40 for n in range(12)},
    )
    seen: list[tuple[str, str]] = []
    over = threading.Event()

    def look() -> None:
        with httpx.Client(base_url=shared.url, trust_env=False, timeout=120) as client:
            while not over.is_set():
                page = client.get("/w/tide/steps/a").raise_for_status().text
                seen.append(("six" if "at six" in page else "nine", "sidebar" if "/steps/s3" in page else "alone"))

    looking = threading.Thread(target=look)
    looking.start()
    done = run("publish", path, "--data", shared.data)
    over.set()
    looking.join()
    assert done.returncode == 0, done.stderr
    assert set(seen) <= {("six", "alone"), ("nine", "sidebar")}, "a page is wholly of one version"
    assert seen[0] == ("six", "alone")
    # the chat agent asks the library for the current version every two seconds
    wait_until(lambda: "at nine" in httpx.get(f"{shared.url}/w/tide/steps/a", trust_env=False).text, "the new version", 60)
    answer = json.loads(run("ask", "tide", "When does the tide turn?", "--json", "--data", shared.data).stdout)
    assert "nine" in answer["answer"]


def test_two_publications_at_once(shared: Server, folder: MakeFolder) -> None:
    paths = [folder("left"), folder("right", steps={"one": "# One\n\nSomething else entirely.\n"})]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda path: run("publish", path, "--data", shared.data), paths))
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]


def test_a_reader_that_leaves_early_is_no_error(shared: Server) -> None:
    line = f"set -o pipefail; {sys.executable} -m workshop_cli.main list --data '{shared.data}' | head -0"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment(), timeout=120)
    assert done.stderr == ""


def test_a_title_cannot_steer_the_terminal(shared: Server, folder: MakeFolder) -> None:
    path = folder("steer", title="Red \x1b[31m[bold]alert\x07", steps={"a": "# A\n\nThe \x1b]0;owned\x07 lamp is green.\n"})
    assert run("publish", path, "--data", shared.data).returncode == 0
    for arguments in (("list",), ("show", "steer"), ("ask", "steer", "Which colour has the lamp?")):
        done = run(*arguments, "--data", shared.data)
        assert done.returncode == 0, done.stderr
        assert not CONTROL.search(done.stdout), arguments
    assert "[bold]alert" in run("list", "--data", shared.data).stdout
    run("remove", "steer", "--data", shared.data)


def test_a_command_cannot_start_while_another_without_server_holds_the_folder(data: Path) -> None:
    with (data / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (data / "holder.json").write_text('{"pid": 4711, "command": "publish", "url": null}')
        assert failed(run("list", "--data", data), 1, "process 4711 (workshop publish)")


def test_a_sign_in_link_is_printed_of_a_running_server(shared: Server, tmp_path: Path) -> None:
    link = run("sign-in", "--data", shared.data).stdout.strip()
    assert link.startswith(f"{shared.url}/sign-in?token=")
    assert failed(run("sign-in", "--data", tmp_path), 1, "workshop up")


def tutorial(folder: Path) -> Path:
    """A plain Markdown tutorial of numbered files."""
    folder.mkdir()
    for number, (name, content) in enumerate(GARDEN.items(), 1):
        (folder / f"0{number}-{name}.md").write_text(content)
    return folder


def test_convert_writes_a_new_folder_and_replaces_only_its_own(tmp_path: Path) -> None:
    source, out = tutorial(tmp_path / "tutorial"), tmp_path / "out"
    done = run("convert", source, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "with --json nothing is shown"
    report = json.loads(done.stdout)
    assert report["counts"]["steps"] == 2
    assert (out / "workshop.yaml").is_file()
    again = run("convert", source, "--out", out)
    assert again.returncode == 0, again.stderr
    assert "2 steps" in again.stdout
    assert not CONTROL.search(again.stdout + again.stderr)

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine")
    assert failed(run("convert", source, "--out", foreign), 2, "foreign")
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]


def test_convert_refuses_in_one_sentence(tmp_path: Path) -> None:
    assert failed(run("convert", tmp_path / "nowhere"), 2, "nowhere")
    assert failed(run("convert", tutorial(tmp_path / "t"), "--as", "nonsense"), 2, "nonsense", "showroom")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    for name in ("main", "models", "views", "urls", "forms"):
        (tmp_path / "app" / f"{name}.py").write_text("def run() -> None:\n    print('hello')\n" * 20)
    assert failed(run("convert", tmp_path / "app", "--out", tmp_path / "o"), 2, "application")
