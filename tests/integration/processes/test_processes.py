"""Console, RAG agent, template converter and two chat agents as processes of their own on one PostgreSQL, spoken to over HTTP.

The tests build on each other, in this order, on one house: it takes a minute to stand.
"""

import asyncio
import io
import json
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared_services.clients.chat import ChatClient
from shared_services.clients.converter import ConverterClient
from shared_services.clients.jobs import JobsClient
from shared_services.clients.library import LibraryClient
from shared_services.clients.rag import RagClient
from shared_services.contracts.chat import MessageRequest
from shared_services.contracts.conversion import ConversionResult, ConvertRequest, Form
from shared_services.contracts.identity import Identity, Role
from shared_services.contracts.jobs import JobState
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.errors import ProblemError
from shared_services.kit.identity import SESSION_COOKIE, issue_session
from shared_services.library.archive import pack
from tests.a2a import data_of, message, send
from tests.integration.cluster.databases import Databases
from tests.integration.processes.house import House, until
from tests.postgres import Outage, throwaway_postgres
from tests.workshops import make_workshop

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

AUTHOR = Identity(id="author:ada", name="Ada", roles=frozenset({Role.AUTHOR, Role.ADMIN}))
GARDEN = "# Water\n\nThe garden's pump listens on port 7411. Start it with `pump --start`.\n"
KITCHEN = "# Bake\n\nThe kitchen's oven is preheated to 230 degrees by `oven --heat`.\n"


def workshop_folder(folder: Path, slug: str, content: str) -> Path:
    step = folder / slug / "steps" / "one"
    step.mkdir(parents=True)
    (folder / slug / "workshop.yaml").write_text(
        f"apiVersion: workshop-assistant/v1\nslug: {slug}\ntitle: The {slug}\nsteps:\n  - one\n"
    )
    (step / "step.yaml").write_text("title: One\n")
    (step / "content.md").write_text(content)
    return folder / slug


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with throwaway_postgres() as url:
        found = House(folder, Databases(url, folder / "secrets"))
        try:
            yield found
        finally:
            found.stop()


@asynccontextmanager
async def http_to(house: House, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url(name), timeout=120, trust_env=False) as http:
        yield http


def author(house: House) -> Any:
    return house.issuer.source(AUTHOR.id, roles=AUTHOR.roles)


def exchange(house: House, credential: str, audience: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {credential}"}
    return httpx.post(f"{house.url('console-0')}/api/v1/tokens", json={"audience": audience}, headers=headers, trust_env=False)


def token_of(house: House, workshop: str, audience: str) -> str:
    answer = exchange(house, Databases.secret(workshop), audience)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def test_each_starts_without_the_others_and_says_what_it_waits_for(house: House) -> None:
    names = ("chat-garden", "chat-kitchen", "converter-0", "rag-0", "console-0")
    services = [house.start(name) for name in names]
    for service in services:
        ready = service.alive().readiness()
        assert ready["ready"] is False
        assert "database" in ready["checks"], (service.name, ready)
        refused = service.http.get("/api/v1/anything")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "waits for its database" in refused.json()["detail"]
    time.sleep(3)
    assert [service.process.poll() for service in services] == [None] * len(services)


def test_they_are_ready_once_the_database_is_prepared(house: House) -> None:
    house.migrate("core")
    for name in ("console-0", "converter-0", "rag-0"):
        house.running[name].ready()
    chat = house.running["chat-garden"]
    assert chat.readiness()["ready"] is False
    for workshop in ("garden", "kitchen"):
        house.migrate("workshop", workshop)
    until(lambda: chat.readiness()["checks"].get("tokens", "missing") is None, lambda: str(chat.readiness()))
    assert chat.readiness()["facts"]["tokens"] == "held"
    assert "workshop" in chat.readiness()["checks"]


@pytest.mark.parametrize(("slug", "content"), [("garden", GARDEN), ("kitchen", KITCHEN)])
async def test_an_author_converts_and_publishes_through_the_core(house: House, tmp_path: Path, slug: str, content: str) -> None:
    """The conversion runs in the converter and is followed at the console, whose library has the draft."""
    source = workshop_folder(tmp_path, slug, content)
    async with http_to(house, "converter-0") as converter, http_to(house, "console-0") as console:
        started = await ConverterClient(converter, author(house)).convert(ConvertRequest(source=str(source)))
        jobs, library = JobsClient(console, author(house)), LibraryClient(console, author(house))
        converted = await jobs.wait(started.id)
        assert (converted.kind, converted.state) == ("convert", JobState.SUCCEEDED), converted.error
        assert converted.result is not None
        publication = await library.publish(slug, str(converted.result["version"]))
        published = await jobs.wait(publication.id)
        assert published.state == JobState.SUCCEEDED, published.error
        assert (await library.current(slug)).version == converted.result["version"]
    house.running[f"chat-{slug}"].ready()


async def test_the_converter_s_process_speaks_a2a_and_exports_from_the_console_s_library(house: House, tmp_path: Path) -> None:
    source = workshop_folder(tmp_path, "orchard", "# Pick\n\nThe ladder has nine rungs.\n")
    url, given = house.url("converter-0"), author(house)("template-converter")
    events = await send(url, given, message(text=str(source)), streaming=True)
    [artifact] = [event.artifact_update.artifact for event in events if event.HasField("artifact_update")]
    made = ConversionResult.model_validate(data_of(artifact.parts))
    async with http_to(house, "converter-0") as converter, http_to(house, "console-0") as console:
        version = await LibraryClient(console, author(house)).version("orchard", made.version)
        assert version.manifest.steps == ["one"]
        archive = await ConverterClient(converter, author(house)).export_archive("orchard", Form.MKDOCS, made.version)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert "orchard/mkdocs.yml" in opened.namelist()


def test_the_console_s_own_form_reaches_the_converter_in_the_person_s_name(house: House, tmp_path: Path) -> None:
    source = workshop_folder(tmp_path, "draft", GARDEN)
    cookies = {SESSION_COOKIE: issue_session(house.issuer, AUTHOR)}
    with httpx.Client(base_url=house.url("console-0"), cookies=cookies, timeout=60, trust_env=False) as browser:
        sent = browser.post("/convert", data={"source": str(source)})
        assert sent.status_code == 303, sent.text
        path = sent.headers["location"]
        assert path.startswith("/jobs/")
        until(lambda: "succeeded" in browser.get(f"/api/v1{path}").text, lambda: browser.get(f"/api/v1{path}").text)
        assert browser.get(f"/api/v1{path}").json()["owner"] == AUTHOR.id
        page = browser.get("/", headers={"accept": "text/html"}).text
    assert 'href="https://garden.example.org/"' in page
    assert "https://garden.example.org/join?code=join%20garden" in page


@pytest.mark.parametrize(
    ("workshop", "question", "said"),
    [("garden", "Which port does the pump listen on?", "7411"), ("kitchen", "How hot is the oven preheated?", "230")],
)
async def test_each_chat_agent_answers_from_its_own_workshop(house: House, workshop: str, question: str, said: str) -> None:
    token = house.issuer.source("participant:p", workshop=workshop, roles=frozenset({Role.PARTICIPANT}))
    async with http_to(house, f"chat-{workshop}") as http:
        chat = ChatClient(http, token)
        answer = await chat.ask(await chat.create_conversation(), MessageRequest(text=question, step="one"))
    assert said in answer.model_dump_json()
    citations = answer.model_dump()["citations"]
    assert citations
    assert "one" in json.dumps(citations)


async def test_one_workshop_s_chat_agent_knows_nothing_of_another(house: House) -> None:
    token = house.issuer.source("participant:p", workshop="garden", roles=frozenset({Role.PARTICIPANT}))
    async with http_to(house, "chat-garden") as http:
        chat = ChatClient(http, token)
        answer = await chat.ask(
            await chat.create_conversation(), MessageRequest(text="How hot is the oven preheated?", step="one")
        )
    assert "230 degrees" not in answer.model_dump_json()


async def test_a_chat_agent_s_tokens_open_nothing_of_another_workshop(house: House) -> None:
    def garden(audience: str) -> str:
        return token_of(house, "garden", audience)

    async with http_to(house, "console-0") as console, http_to(house, "rag-0") as rag:
        library, search = LibraryClient(console, garden), RagClient(rag, garden)
        version = await library.current("garden")
        kitchen = await LibraryClient(console, author(house)).current("kitchen")
        assert [row.workshop for row in await library.list()] == ["garden"]
        refused = [
            lambda: library.current("kitchen"),
            lambda: library.version("kitchen", kitchen.version),
            lambda: library.file("kitchen", kitchen.files[0].sha256),
            lambda: library.draft(pack(make_workshop().files)),
            lambda: library.publish("garden", version.version),
            lambda: library.remove("garden"),
            lambda: search.status("kitchen"),
            lambda: search.activate("kitchen", kitchen.version),
            lambda: search.remove("garden"),
            lambda: search.serving(),
        ]
        for number, call in enumerate(refused):
            with pytest.raises(ProblemError) as error:
                await call()
            assert error.value.status == 403, (number, error.value.detail)
        with pytest.raises(ProblemError) as not_there:
            await library.file("garden", kitchen.files[0].sha256 if kitchen.files[0] not in version.files else "0" * 64)
        assert not_there.value.status == 404
        found = await search.search(SearchRequest(query="How hot is the oven preheated by oven --heat?"))
        assert {passage.workshop for passage in found.passages} <= {"garden"}
        assert "230 degrees" not in found.model_dump_json()
        for client, path in ((console, "/api/v1/jobs"), (rag, "/api/v1/jobs")):
            for audience in ("library", "rag"):
                answer = await client.get(path, headers={"authorization": f"Bearer {garden(audience)}"})
                assert answer.status_code == 401


@pytest.mark.parametrize("audience", ["jobs", "session", "sign-in", "chat", "template-converter", "oidc-flow"])
def test_a_chat_agent_s_credential_gives_no_token_for_anything_else(house: House, audience: str) -> None:
    assert exchange(house, Databases.secret("garden"), audience).status_code == 403


async def test_a_publication_outlives_an_outage_of_the_database_and_of_the_rag_agent(house: House) -> None:
    """Both are taken away under a running job; it ends well once they are back, and every process has stayed."""
    services = [house.running[name] for name in ("console-0", "converter-0")]
    house.running["rag-0"].end()
    async with http_to(house, "console-0") as console:
        jobs, library = JobsClient(console, author(house)), LibraryClient(console, author(house))
        files = await library.files(await library.current("kitchen"))
        changed = {**files, "steps/one/content.md": files["steps/one/content.md"].replace(b"230", b"240")}
        draft = await library.draft(pack(changed))
        job = await library.publish("kitchen", draft.version)
        until(lambda: "Trying again" in house.events(job.id), lambda: house.events(job.id))
        outage = Outage(house.databases.admin_url)
        outage.begin()
        for service in services:
            until(lambda: not service.readiness()["ready"], lambda: f"{service.name} is ready")  # noqa: B023
            assert "does not answer" in service.readiness()["checks"]["database"]
            assert service.http.get("/healthz").status_code == 200
        await asyncio.sleep(12)
        outage.end()
        for service in services:
            service.ready()
        rag = house.start("rag-0")
        rag.ready()
        async with asyncio.timeout(120):
            ended = await jobs.wait(job.id)
        assert ended.state == JobState.SUCCEEDED, ended.error
        assert (await library.current("kitchen")).version == draft.version
    assert [service.process.poll() for service in services] == [None, None]


def test_a_service_that_is_told_to_end_does_so_within_its_bound_though_somebody_reads(house: House) -> None:
    console = house.start("console-1").ready()
    token = house.issuer.issue(AUTHOR.id, "jobs", roles=AUTHOR.roles)
    headers = {"authorization": f"Bearer {token}"}
    # A job that does not end: the RAG agent that it indexes with is away.
    house.running["rag-0"].end()
    library = house.issuer.issue(AUTHOR.id, "library", roles=AUTHOR.roles)
    version = console.http.get("/api/v1/library/garden", headers={"authorization": f"Bearer {library}"}).json()["version"]
    started = console.http.post(
        f"/api/v1/library/garden/versions/{version}/publish", headers={"authorization": f"Bearer {library}"}
    ).json()
    read: list[str] = []
    reading = threading.Event()

    def follow() -> None:
        with console.http.stream("GET", f"/api/v1/jobs/{started['id']}/events", headers=headers, timeout=60) as response:
            for line in response.iter_lines():
                read.append(line)
                reading.set()

    reader = threading.Thread(target=follow)
    reader.start()
    assert reading.wait(20)
    began = time.monotonic()
    console.process.terminate()
    assert console.process.wait(30) in (0, -15)
    reader.join(10)
    assert time.monotonic() - began < 20
    assert read
    house.start("rag-0").ready()


def test_after_revocation_there_are_no_tokens_and_the_others_have_theirs(house: House) -> None:
    held = token_of(house, "garden", "library")
    house.migrate("remove", "garden")
    for audience in ("library", "rag", "jobs"):
        refused = exchange(house, Databases.secret("garden"), audience)
        unknown = exchange(house, "x" * 43, audience)
        assert refused.status_code == 401
        assert {**refused.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    assert token_of(house, "kitchen", "rag")
    claims = house.issuer.verifier().verify(held, "library")
    assert claims.expires_at - time.time() <= 601, "what was given holds ten minutes at most"


def test_every_one_ends_in_order(house: House) -> None:
    for name in ("chat-kitchen", "converter-0", "rag-0", "console-0"):
        status, seconds = house.running[name].end()
        assert status in (0, -15), (name, house.running[name].log.read_text()[-2000:])
        assert seconds < 25, (name, seconds)
