"""`operate` against a core as it is deployed: content from every kind of source, a question, an end."""

import io
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import jwt
import pytest

from shared_services.contracts.workshop import WorkshopManifest
from shared_services.library.form import read_folder
from tests.integration.cluster.core import ROOT, Core, Done
from tests.integration.cluster.databases import Databases
from tests.postgres import throwaway_postgres
from tests.tutorials import make_repository, pages
from workshop_cli.cluster import content, operate

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    folder = tmp_path_factory.mktemp("core")
    with ExitStack() as stack:
        url = stack.enter_context(throwaway_postgres("admin"))
        databases = Databases(url, folder / "secrets")
        found = Core(databases, folder, stack)
        found.migrate("core", databases.core_env())
        found.start_console()
        found.start_rag()
        found.start_converter()
        yield found


Here = Callable[..., Done]


@pytest.fixture
def here(core: Core, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs `operate` in this process, for what needs no process of its own."""
    for variable, text in core.console_env.items():
        monkeypatch.setenv(variable, text)
    monkeypatch.setattr(operate, "configure_logging", lambda *_, **__: None)

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            status = operate.main(arguments)
        except SystemExit as left:
            status = int(str(left.code))
        return Done(status, *capsys.readouterr())

    return run


def archive(folder: Path | None = None, *, prefix: str = ".", members: dict[str, bytes] | None = None) -> bytes:
    """A tar.gz as `tar -C FOLDER -czf - .` makes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        if folder is not None:
            tar.add(folder, prefix)
        for name, data in (members or {}).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def link_archive(name: str, target: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, target
        tar.addfile(member)
    return buffer.getvalue()


def test_an_example_under_the_workshops_name_asked_and_removed(core: Core) -> None:
    name = "clinic-2"
    nothing = core.operate("status", name)
    assert nothing.status == 0
    assert (nothing.json["version"], nothing.json["chunks"]) == (None, 0)

    done = core.operate("content", name, "--example", "healthcare-ml", "--json")
    assert done.status == 0, done.err
    assert done.out.count("\n") == 1
    assert done.json["workshop"] == name
    assert done.json["changed"] is True
    assert done.json["chunks"] > 5
    told = done.err.splitlines()
    assert told[0] == "Reading the example healthcare-ml"
    assert any(line.startswith(f"Indexing {name}: ") for line in told)

    again = core.operate("content", name, "--example", "healthcare-ml", "--json")
    assert again.json == done.json | {"changed": False}
    assert again.err.splitlines()[-1].endswith("there is nothing to do.")

    state = core.operate("status", name, "--json").json
    assert (state["version"], state["indexed_version"]) == (done.json["version"],) * 2
    assert state["chunks"] == done.json["chunks"]

    core.migrate("workshop", core.databases.workshop_env(name))
    core.start_chat(name)
    asked = core.operate("ask", name, "--address", core.address(name), "--json")
    assert asked.status == 0, asked.err + core.log(name)
    citation = asked.json["citations"][0]
    files = read_folder(ROOT / "examples" / "healthcare-ml")
    assert citation["step"] in files.manifest.steps
    assert citation["file"] == f"steps/{citation['step']}/content.md"
    lines = (files.text(citation["file"]) or "").splitlines()
    assert 1 <= citation["line"] <= len(lines)
    assert 0 < asked.json["seconds"] < 60

    own = core.operate("ask", name, "How do I evaluate the model honestly?", "--address", core.address(name))
    assert own.status == 0, own.err
    assert "[1] step " in own.out
    assert "Answered in " in own.out

    foreign = core.operate("ask", name, "Who won the football world cup in 1954?", "--address", core.address(name), "--json")
    assert foreign.status == 1
    assert foreign.json["citations"] == []
    assert foreign.err.splitlines()[-1] == "operate ask: the answer has no citation."

    removed = core.operate("remove", name, "--json")
    assert removed.status == 0, removed.err
    assert removed.json == {"workshop": name, "library": True, "index": True}
    assert core.operate("status", name).json == nothing.json
    assert core.operate("remove", name, "--json").json == {"workshop": name, "library": False, "index": False}
    unpublished = core.operate("ask", name, "--address", core.address(name))
    assert unpublished.status == 1
    assert unpublished.err.startswith(f"operate ask: Nothing is published as {name} yet")
    core.end(name)


@pytest.mark.parametrize("prefix", [".", "folder"])
def test_an_archive_of_a_workshop(core: Core, prefix: str) -> None:
    sent = archive(ROOT / "examples" / "spring-boot", prefix=prefix)
    done = core.operate("content", "spring", "--archive", "-", "--json", stdin=sent)
    assert done.status == 0, done.err
    assert (done.json["workshop"], done.json["changed"]) == ("spring", prefix == ".")
    direct = core.operate("content", "spring", "--example", "spring-boot", "--json")
    assert direct.json == done.json | {"changed": False}  # every byte came through


def test_an_archive_of_a_repository_of_another_form(core: Core, tmp_path: Path) -> None:
    for path, text in pages(["rig", "trim", "moor"], "docs/").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = core.operate("content", "boats", "--archive", "-", "--json", stdin=archive(tmp_path))
    assert done.status == 0, done.err
    assert (done.json["workshop"], done.json["steps"]) == ("boats", 3)
    assert "Read as " in done.err
    assert "3 steps, 3 code blocks" in done.err


def test_a_git_repository_by_the_template_converter(core: Core, tmp_path: Path) -> None:
    address = make_repository(tmp_path / "fleet", pages(["rig", "trim", "moor"], "docs/"))
    done = core.operate("content", "fleet-1", "--source", address, "--ref", "main", "--json")
    assert done.status == 0, done.err
    assert (done.json["workshop"], done.json["steps"], done.json["changed"]) == ("fleet-1", 3, True)
    assert core.operate("content", "fleet-1", "--source", address, "--ref", "main", "--json").json["changed"] is False
    (tmp_path / "fleet" / "docs" / "04-sink.md").write_text("# Sink the boat\n\n```bash\nboat sink\n```\n")
    make_repository(tmp_path / "fleet", {})
    more = core.operate("content", "fleet-1", "--source", address, "--ref", "main", "--json")
    assert (more.json["steps"], more.json["changed"]) == (4, True)
    unknown = core.operate("content", "fleet-1", "--source", address, "--ref", "mian")
    assert unknown.status == 2
    assert unknown.err.splitlines()[-1].startswith("operate content: ")
    assert "mian" in unknown.err.splitlines()[-1]
    assert core.operate("status", "fleet-1").json["version"] == more.json["version"]


@pytest.mark.parametrize(
    ("what", "sent", "said"),
    [
        ("out of its folder", archive(members={"../../etc/evil": b"x"}), "points outside of the archive"),
        ("absolute", archive(members={"/etc/evil": b"x"}), "points outside of the archive"),
        ("links alone", link_archive("workshop.yaml", "/etc/passwd"), ""),
        ("no archive", b"no gzip at all", "cannot be unpacked"),
        ("cut off", archive(ROOT / "examples" / "spring-boot")[:-2000], "cannot be unpacked"),
        ("nothing", b"", "Nothing came on standard input"),
        ("no workshop", archive(members={"main.c": b"int main() { return 0; }"}), ""),
        (
            "a manifest alone",
            archive(members={"workshop.yaml": b"apiVersion: workshop-assistant/v1\nslug: x\ntitle: X\nsteps: [a]\n"}),
            "steps/a",
        ),
    ],
)
def test_what_is_refused(here: Here, what: str, sent: bytes, said: str) -> None:
    done = here("content", "hostile", "--archive", "-", stdin=sent)
    assert done.status == 2, (what, done.err)
    last = done.err.splitlines()[-1]
    assert last.startswith("operate content: "), done.err
    assert said in last


def test_an_archive_that_unpacks_to_too_much_is_refused(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_UNPACKED_BYTES", 8 * content.MIB)
    bomb = archive(members={f"zeros-{number}": bytes(2 * content.MIB) for number in range(6)})
    assert len(bomb) < 100_000
    done = here("content", "hostile", "--archive", "-", stdin=bomb)
    assert done.status == 2
    assert "unpacks to more than 8 MiB" in done.err


def test_what_was_refused_has_left_nothing(core: Core) -> None:
    with core.databases.connect("core") as connection:
        assert connection.execute("SELECT count(*) FROM library_versions WHERE workshop = 'hostile'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["content", "x", "--example", "no-such"], "healthcare-ml, k8s-security, spring-boot"),
        (["content", "x", "--example", "../../etc"], "No example is called"),
        (["content", "x", "--example", "spring-boot", "--ref", "main"], "--ref names"),
        (["content", "x", "--source", "ext::sh -c id"], "run helper programs"),
        (["content", "x", "--source", "--upload-pack=id"], ""),
        (["content", "Not-A-Name", "--example", "spring-boot"], "No workshop is called"),
        (["content", "x" * 55, "--example", "spring-boot"], "54"),
        (["content", "x"], "required"),
        (["ask", "x", " "], "The question is empty"),
        (["remove", "a b"], "No workshop is called"),
    ],
)
def test_a_wrong_argument_is_a_sentence(here: Here, arguments: list[str], said: str) -> None:
    done = here(*arguments)
    assert done.status == 2, done.err
    assert said in done.err.splitlines()[-1]


def test_outside_of_a_console_it_says_where_it_belongs(core: Core) -> None:
    done = core.operate("status", "x", CORE_PRIVATE_KEY_FILE="")
    assert done.status == 2
    assert "kubectl exec -n workshop-core-system console-0" in done.err


def test_a_database_that_does_not_answer_is_a_sentence(core: Core) -> None:
    for url in ("postgresql://core:x@127.0.0.1:9/workshops", "postgresql://core:wrong@nowhere.invalid/workshops"):
        for command in ("status", "remove", "ask"):
            done = core.operate(command, "x", CONSOLE_DATABASE_URL=url)
            assert done.status == 1, done.err
            assert done.err.startswith(f"operate {command}: The database does not answer: "), done.err
            assert done.err.count("\n") == 1


def test_whoever_watches_may_go_away(core: Core) -> None:
    process = core.begin("content", "unwatched", "--example", "k8s-security")
    assert process.stderr is not None
    assert process.stdout is not None
    process.stderr.close()
    process.stdout.close()
    assert process.wait(60) == 1


def test_a_link_to_sign_in_with(core: Core) -> None:
    done = core.operate("sign-in", WORKSHOP_PUBLIC_URL="https://lab.example/")
    assert done.status == 0
    link = httpx.URL(done.out.strip())
    assert (link.host, link.path) == ("lab.example", "/sign-in")
    opened = httpx.get(f"{core.address('console')}{link.raw_path.decode()}", trust_env=False)
    assert opened.status_code == 303
    assert "workshop_session" in opened.cookies
    assert jwt.decode(link.params["token"], options={"verify_signature": False})["aud"] == "sign-in"


def killed_when_told(process: subprocess.Popen[bytes], line: bytes) -> None:
    """Wait for a line of progress, then kill."""
    assert process.stderr is not None
    while told := process.stderr.readline():
        if told.startswith(line):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def test_killed_anywhere_and_run_again_it_is_published(core: Core, tmp_path: Path) -> None:
    address = make_repository(
        tmp_path / "kills", pages([f"tie-{word}" for word in ("bowline", "hitch", "reef", "sheet")], "docs/")
    )
    arguments = ("content", "kills", "--source", address)
    for line in (b"Asking the template converter", b"Read as", b"Publishing", b"Indexing"):
        killed_when_told(core.begin(*arguments), line)
    done = core.operate(*arguments, "--json")
    assert done.status == 0, done.err
    assert done.json["steps"] == 4
    state = core.operate("status", "kills").json
    assert (state["version"], state["indexed_version"]) == (done.json["version"],) * 2


def test_a_console_killed_while_it_publishes_goes_on(core: Core) -> None:
    process = core.begin("content", "reborn", "--example", "k8s-security")
    assert process.stderr is not None
    while not (told := process.stderr.readline()).startswith(b"Publishing"):
        assert told
    core.end("console", kill=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.decode().splitlines()[-1].startswith("operate content: ")
    core.start_console()
    done = core.operate("content", "reborn", "--example", "k8s-security", "--json")
    assert done.status == 0, done.err
    assert core.operate("status", "reborn").json["indexed_version"] == done.json["version"]


def test_an_index_without_a_library_and_a_library_without_an_index(core: Core) -> None:
    assert core.operate("content", "half", "--example", "k8s-security").status == 0
    with core.databases.connect("core") as connection:
        for table in ("library_current", "library_files", "library_versions"):
            connection.execute(f"DELETE FROM {table} WHERE workshop = 'half'".encode())
    assert core.operate("status", "half").json["chunks"] > 0
    assert core.operate("remove", "half", "--json").json == {"workshop": "half", "library": False, "index": True}
    assert core.operate("status", "half").json["chunks"] == 0

    assert core.operate("content", "half", "--example", "k8s-security").status == 0
    token = core.issuer.issue("service:core", "rag", roles=frozenset(), workshop=None)
    gone = httpx.delete(
        f"{core.address('rag')}/api/v1/workshops/half/index", headers={"authorization": f"Bearer {token}"}, trust_env=False
    )
    assert gone.status_code == 204
    mended = core.operate("content", "half", "--example", "k8s-security", "--json")
    assert mended.json["changed"] is True  # the library alone is not enough
    httpx.delete(
        f"{core.address('rag')}/api/v1/workshops/half/index", headers={"authorization": f"Bearer {token}"}, trust_env=False
    )
    assert core.operate("remove", "half", "--json").json == {"workshop": "half", "library": True, "index": False}


def test_a_removal_ends_a_publication_that_is_under_way_and_takes_drafts_along(core: Core) -> None:
    process = core.begin("content", "fleeting", "--example", "healthcare-ml")
    assert process.stderr is not None
    while not (told := process.stderr.readline()).startswith(b"Publishing"):
        assert told
    removed = core.operate("remove", "fleeting", "--json")
    assert removed.status == 0, removed.err
    assert removed.json["library"] is True
    process.communicate(timeout=60)
    time.sleep(1)
    state = core.operate("status", "fleeting").json
    assert (state["version"], state["chunks"]) == (None, 0)
    with core.databases.connect("core") as connection:
        assert connection.execute("SELECT count(*) FROM library_versions WHERE workshop = 'fleeting'").fetchone() == (0,)


def test_without_the_rag_agent_every_command_says_so(core: Core) -> None:
    assert core.operate("content", "kept", "--example", "k8s-security").status == 0
    core.end("rag", kill=True)
    try:
        for arguments in (["status", "kept"], ["content", "kept", "--example", "spring-boot"], ["remove", "kept"]):
            done = core.operate(*arguments)
            assert done.status == 1, done.err
            assert "The RAG service at http://127.0.0.1" in done.err.splitlines()[-1]
    finally:
        core.start_rag()
    removed = core.operate("remove", "kept", "--json")
    assert removed.status == 0, removed.err
    # The first removal had taken the library's part before it found the RAG agent gone.
    assert removed.json == {"workshop": "kept", "library": False, "index": True}


def test_a_chat_agent_that_does_not_answer_is_waited_for_and_named(core: Core) -> None:
    assert core.operate("content", "quiet", "--example", "k8s-security").status == 0
    done = core.operate("ask", "quiet", "--address", "http://127.0.0.1:9", "--wait", "2")
    assert done.status == 1
    told = done.err.splitlines()
    assert told[0].startswith("Waiting for the chat agent at http://127.0.0.1:9: ")
    assert told[-1].startswith("operate ask: The chat agent at http://127.0.0.1:9 has not answered for 2 s: ")
    assert "kubectl logs -n quiet-workshop deployment/chat-agent" in told[-1]


def test_a_shipped_example_changes_nothing_but_its_slug() -> None:
    from shared_services.library.form import with_slug

    example = read_folder(ROOT / "examples" / "healthcare-ml")
    named = with_slug(example, "clinic-2")
    assert named.manifest == WorkshopManifest.model_validate(example.manifest.model_dump() | {"slug": "clinic-2"})
    assert {path for path in named.files if named.files[path] != example.files[path]} == {"workshop.yaml"}
    assert with_slug(named, "clinic-2") is named
