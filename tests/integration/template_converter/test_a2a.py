"""The converter's A2A face, over a socket, as the protocol's own client sees it: every skill, a question, cancelling, refusals."""

import io
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from a2a.client import A2ACardResolver, Client
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskNotFoundError,
    TaskState,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.template_converter.app import create_app
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.checking import CheckReport
from shared_services.contracts.conversion import ConversionReport, ConversionResult, ConversionsResult, Form, InspectionResult
from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.identity import Role
from shared_services.contracts.jobs import JobState
from shared_services.contracts.reimport import ReimportResult
from shared_services.kit.a2a_server import data_part
from shared_services.kit.tokens import TokenIssuer
from shared_services.library.checking import check_workshop
from tests.a2a import BINDINGS, call, client, data_of, message, send, state_of, text_of
from tests.integration.template_converter.house import APPLICATION, AUTHOR, House
from tests.integration.template_converter.repositories import git
from tests.serving import serve
from tests.tutorials import make_repository
from tests.tutorials import pages as lab
from tests.workshops import make_files

ROOT = Path(__file__).parents[3]


def last_status(events: list[StreamResponse]):
    return [event.status_update.status for event in events if event.HasField("status_update")][-1]


def artifact_of(events: list[StreamResponse], name: str):
    [found] = [event.artifact_update.artifact for event in events if event.HasField("artifact_update")]
    assert found.name == name
    return found


async def stream(house: House, request: SendMessageRequest, given: str | None = None, **options: object) -> list[StreamResponse]:
    return await send(house.converter_url, given or house.token(), request, streaming=True, **options)


@pytest.fixture
def silent_host() -> Iterator[str]:
    """The address of a git server that takes calls and says nothing, until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/ada/quiet.git"


async def test_the_card_says_where_and_with_what(laptop: House):
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, laptop.converter_url).get_agent_card()
    assert [skill.id for skill in card.skills] == ["convert", "classify", "inspect", "export", "check", "diff", "update"]
    assert {each.protocol_binding: each.url for each in card.supported_interfaces} == {
        "JSONRPC": f"{laptop.converter_url}/a2a/rpc",
        "HTTP+JSON": f"{laptop.converter_url}/a2a/rest",
    }


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_conversion_is_a_task_that_follows_its_job(laptop: House, tmp_path: Path, binding: str):
    source = make_repository(tmp_path / "sail", lab(["rig", "sail"]))
    events = await stream(laptop, message(text=source), binding=binding)
    assert state_of(events[0].task) == "SUBMITTED"
    assert TaskState.Name(last_status(events).state) == "TASK_STATE_COMPLETED"
    told = [event.status_update.status.message for event in events if event.HasField("status_update")]
    jobs = {data_of(each.parts)["job"] for each in told if each.parts}
    artifact = artifact_of(events, "workshop")
    made = ConversionResult.model_validate(data_of(artifact.parts))
    assert made.report.counts.code_blocks == 2
    assert text_of(artifact.parts).startswith("Sail: 2 steps, 2 code blocks")

    # The same job and the same draft, over HTTP.
    [job] = [await laptop.jobs().get(each) for each in jobs]
    assert (job.kind, job.state, job.owner) == ("convert", JobState.SUCCEEDED, "ann")
    assert ConversionResult.model_validate(job.result) == made
    assert (await laptop.library().version(made.workshop, made.version)).manifest.steps == [
        step.id for step in made.report.workshop.steps
    ]


async def ambiguous(house: House, folder: Path, **options: object) -> Task:
    """A task that asks which of two workshops is meant."""
    source = make_repository(folder, {**lab(["rig", "sail"], "alpha/"), **lab(["bake", "eat"], "beta/")})
    [event] = await send(house.converter_url, house.token(), message(data={"source": source, "ref": "main"}), **options)
    assert state_of(event.task) == "INPUT_REQUIRED"
    return event.task


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_ambiguity_is_asked_and_the_answer_on_the_same_task_goes_on(laptop: House, tmp_path: Path, binding: str):
    task = await ambiguous(laptop, tmp_path / "two", binding=binding)
    asked = data_of(task.status.message.parts)
    assert sorted((row["form"], row["path"]) for row in asked["candidates"]) == [("markdown", "alpha"), ("markdown", "beta")]
    assert all(row["evidence"] and row["score"] > 0.5 for row in asked["candidates"])
    assert "1. a Markdown tutorial in" in text_of(task.status.message.parts)

    answer = message(data={"as_form": "markdown", "path": "beta"}, taskId=task.id, contextId=task.context_id)
    events = await stream(laptop, answer, binding=binding)
    made = ConversionResult.model_validate(data_of(artifact_of(events, "workshop").parts))
    assert [step.source for step in made.report.workshop.steps] == ["beta/01-bake.md", "beta/02-eat.md"]
    async with client(laptop.converter_url, laptop.token()) as opened:
        assert state_of(await opened.get_task(GetTaskRequest(id=task.id))) == "COMPLETED"


@pytest.mark.parametrize("words", [{"text": "2"}, {"data": {"choice": 2}}])
async def test_the_number_of_a_reading_answers(laptop: House, tmp_path: Path, words: dict[str, object]):
    task = await ambiguous(laptop, tmp_path / "two")
    second = data_of(task.status.message.parts)["candidates"][1]["path"]
    events = await stream(laptop, message(**words, taskId=task.id))
    made = ConversionResult.model_validate(data_of(artifact_of(events, "workshop").parts))
    assert made.report.workshop.steps[0].source.startswith(f"{second}/")


async def test_every_reading_may_be_meant(laptop: House, tmp_path: Path):
    task = await ambiguous(laptop, tmp_path / "two")
    artifact = artifact_of(await stream(laptop, message(text="all", taskId=task.id)), "workshops")
    made = ConversionsResult.model_validate(data_of(artifact.parts))
    assert [row.path for row in made.workshops] == ["alpha", "beta"]


async def test_an_answer_that_means_none_leaves_the_question_open(laptop: House, tmp_path: Path):
    task = await ambiguous(laptop, tmp_path / "two")
    [event] = await send(laptop.converter_url, laptop.token(), message(text="7", taskId=task.id))
    assert state_of(event.task) == "INPUT_REQUIRED"
    assert "Say which reading is meant" in text_of(event.task.status.message.parts)
    # What was asked is still known.
    events = await stream(laptop, message(text="1", taskId=task.id))
    assert artifact_of(events, "workshop").parts


async def test_a_question_is_its_callers(laptop: House, tmp_path: Path):
    task = await ambiguous(laptop, tmp_path / "two")
    async with client(laptop.converter_url, laptop.token("bob")) as theirs:
        with pytest.raises(TaskNotFoundError):
            [event async for event in theirs.send_message(message(text="1", taskId=task.id))]
        with pytest.raises(TaskNotFoundError):
            await theirs.cancel_task(CancelTaskRequest(id=task.id))


async def test_a_source_is_classified(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "lab", lab(["rig", "sail", "moor"]))
    events = await stream(laptop, message(data={"skill": "classify", "source": source}))
    artifact = artifact_of(events, "readings")
    first = data_of(artifact.parts)["candidates"][0]
    assert first["form"] == "markdown"
    assert first["evidence"]
    assert "a Markdown tutorial" in text_of(artifact.parts)
    assert TaskState.Name(last_status(events).state) == "TASK_STATE_COMPLETED"


async def test_an_application_is_inspected(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "shop", APPLICATION)
    events = await stream(laptop, message(data={"skill": "inspect", "source": source, "skeleton": True}))
    found = InspectionResult.model_validate(data_of(artifact_of(events, "inventory").parts))
    assert [row.path for row in found.inventory.endpoints] == ["/orders"]
    assert found.skeleton is not None
    assert (await laptop.library().version(found.skeleton.workshop, found.skeleton.version)).published_at is None


async def test_a_workshop_is_exported_as_a_file(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "row", lab(["row", "rest"]))
    made = ConversionResult.model_validate(data_of(artifact_of(await stream(laptop, message(text=source)), "workshop").parts))
    wanted = {"skill": "export", "workshop": made.workshop, "version": made.version, "form": "mkdocs"}
    artifact = artifact_of(await stream(laptop, message(data=wanted)), "export")
    [archive] = [part for part in artifact.parts if part.HasField("raw")]
    assert (archive.filename, archive.media_type) == (f"{made.workshop}-mkdocs.zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(archive.raw)) as opened:
        assert f"{made.workshop}/mkdocs.yml" in opened.namelist()
    assert data_of(artifact.parts)["files"]
    # The same job and the same archive, over HTTP.
    job = await laptop.jobs().get(artifact.artifact_id)
    assert (job.kind, job.state, job.owner) == ("export", JobState.SUCCEEDED, "ann")
    assert await laptop.library().export(made.workshop, made.version, Form.MKDOCS) == archive.raw


async def test_a_workshop_of_the_library_is_checked(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "row", lab(["row", "rest"]))
    made = ConversionResult.model_validate(data_of(artifact_of(await stream(laptop, message(text=source)), "workshop").parts))
    events = await stream(laptop, message(data={"skill": "check", "workshop": made.workshop, "version": made.version}))
    artifact = artifact_of(events, "findings")
    report = CheckReport.model_validate(data_of(artifact.parts))
    assert (report.title, report.steps) == ("Row", 2)
    library = laptop.library()
    assert report == check_workshop(await library.files(await library.version(made.workshop, made.version)))
    assert text_of(artifact.parts).startswith("Row: 2 steps, ")


async def test_of_several_workshops_in_a_source_it_is_asked_which_to_check(laptop: House, tmp_path: Path):
    titles = {"one": "The first", "two": "The second"}
    made = {slug: make_files(slug, title=title) for slug, title in titles.items()}
    files = {f"{slug}/{path}": data.decode() for slug, held in made.items() for path, data in held.items()}
    wanted = {"skill": "check", "source": make_repository(tmp_path / "both", files)}
    [event] = await send(laptop.converter_url, laptop.token(), message(data=wanted))
    assert state_of(event.task) == "INPUT_REQUIRED"
    assert sorted(row["path"] for row in data_of(event.task.status.message.parts)["candidates"]) == ["one", "two"]
    [refused] = await send(laptop.converter_url, laptop.token(), message(text="all", taskId=event.task.id))
    assert "Only a conversion" in text_of(refused.task.status.message.parts)
    events = await stream(laptop, message(data={"as_form": "workshop", "path": "two"}, taskId=event.task.id))
    assert CheckReport.model_validate(data_of(artifact_of(events, "findings").parts)).title == "The second"


async def test_two_states_of_a_source_are_compared(laptop: House, tmp_path: Path):
    folder = tmp_path / "lab"
    source = make_repository(folder, lab(["rig", "sail"]))
    git(folder, "tag", "first")
    make_repository(folder, lab(["rig", "sail", "moor"]))
    wanted = {"skill": "diff", "source": source, "ref": "first", "to": "main"}
    artifact = artifact_of(await stream(laptop, message(data=wanted)), "differences")
    diff = WorkshopDiff.model_validate(data_of(artifact.parts))
    assert [step.title for step in diff.steps if step.changes] == ["Moor the boat"]
    assert text_of(artifact.parts) == "Moor the boat: added"


async def test_a_newer_commit_is_merged_and_the_versions_compared(laptop: House, tmp_path: Path):
    folder = tmp_path / "lab"
    source = make_repository(folder, lab(["rig", "sail"]))
    made = ConversionResult.model_validate(data_of(artifact_of(await stream(laptop, message(text=source)), "workshop").parts))
    make_repository(folder, lab(["rig", "sail", "moor"]))
    wanted = {"skill": "update", "workshop": made.workshop, "version": made.version, "source": source, "ref": "main"}
    artifact = artifact_of(await stream(laptop, message(data=wanted)), "update")
    merged = ReimportResult.model_validate(data_of(artifact.parts))
    assert (merged.mine, merged.conflicts) == (made.version, 0)
    assert (await laptop.jobs().get(artifact.artifact_id)).kind == "reimport"

    wanted = {"skill": "diff", "workshop": made.workshop, "old": made.version, "new": merged.version}
    diff = WorkshopDiff.model_validate(data_of(artifact_of(await stream(laptop, message(data=wanted)), "differences").parts))
    assert [step.title for step in diff.steps if step.changes] == ["Moor the boat"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"skill": "check"}, "name a workshop of the library, or a source"),
        ({"skill": "check", "workshop": "tiny", "source": "https://example.org/x.git"}, "name a workshop of the library, or a"),
        ({"skill": "diff", "workshop": "tiny"}, "name the older version"),
        ({"skill": "diff", "source": "https://example.org/x.git"}, "name the newer branch, tag or commit"),
        ({"skill": "dance"}, "There are: convert, classify, inspect, export, check, diff, update"),
    ],
)
async def test_what_lacks_something_is_refused(laptop: House, wanted: dict[str, object], said: str):
    [event] = await send(laptop.converter_url, laptop.token(), message(data=wanted))
    assert state_of(event.task) == "REJECTED"
    assert said in text_of(event.task.status.message.parts)


async def test_a_listing_shows_what_is_under_way(laptop: House, silent_host: str):
    async with client(laptop.converter_url, laptop.token()) as opened:
        [event] = [event async for event in opened.send_message(message(text=silent_host, at_once=True))]
        task = await reaches(opened, event.task.id, "WORKING")
        listed = await opened.list_tasks(ListTasksRequest(status=TaskState.TASK_STATE_WORKING))
        assert [data_of(row.status.message.parts)["job"] for row in listed.tasks if row.id == task.id] == [
            data_of(task.status.message.parts)["job"]
        ]
        await opened.cancel_task(CancelTaskRequest(id=task.id))


@pytest.mark.parametrize(
    ("wanted", "state", "slug"),
    [
        ({"source": "file:///nowhere/at/all"}, "FAILED", "source-bad-address"),
        ({"skill": "inspect", "source": "file:///nowhere/at/all"}, "FAILED", "source-bad-address"),
        ({"skill": "classify", "source": "file:///nowhere/at/all"}, "FAILED", "source-bad-address"),
        ({"skill": "check", "source": "file:///nowhere/at/all"}, "FAILED", "source-bad-address"),
        ({"skill": "check", "workshop": "nothing-here"}, "FAILED", "workshop-not-found"),
        ({"skill": "diff", "source": "file:///nowhere/at/all", "to": "main"}, "FAILED", "source-bad-address"),
        ({"skill": "diff", "workshop": "nothing-here", "old": "0" * 16}, "FAILED", "workshop-not-found"),
        ({"skill": "update", "workshop": "nothing-here"}, "FAILED", "workshop-not-found"),
        ({"skill": "export", "workshop": "nothing-here", "form": "mkdocs"}, "REJECTED", "workshop-not-found"),
        ({"skill": "export", "workshop": "nothing-here", "form": "jupyter"}, "REJECTED", "bad-input"),
    ],
)
async def test_what_goes_wrong_is_told_with_its_sentence(laptop: House, wanted: dict[str, object], state: str, slug: str):
    [event] = await send(laptop.converter_url, laptop.token(), message(data=wanted))
    problem = data_of(event.task.status.message.parts)
    assert state_of(event.task) == state
    assert problem["type"].endswith(f":{slug}")
    assert problem["detail"] in text_of(event.task.status.message.parts)


async def test_what_is_no_workshop_is_told_and_says_what_it_is(laptop: House, tmp_path: Path):
    [event] = await send(laptop.converter_url, laptop.token(), message(text=make_repository(tmp_path / "shop", APPLICATION)))
    assert state_of(event.task) == "FAILED"
    assert "This is a library, with no workshop in it" in text_of(event.task.status.message.parts)
    assert data_of(event.task.status.message.parts)["form"] == "library"


async def reaches(opened: Client, task: str, state: str) -> Task:
    """The task, once it is in this state."""
    with anyio.fail_after(60):
        while True:
            found = await opened.get_task(GetTaskRequest(id=task))
            if state_of(found) == state:
                return found
            await anyio.sleep(0.05)


@pytest.mark.parametrize("skill", ["convert", "classify", "inspect", "check"])
async def test_cancelling_ends_what_is_done(laptop: House, silent_host: str, skill: str):
    async with client(laptop.converter_url, laptop.token()) as opened:
        asked = message(data={"skill": skill, "source": silent_host}, at_once=True)
        [event] = [event async for event in opened.send_message(asked)]
        task = await reaches(opened, event.task.id, "WORKING")
        ended = await opened.cancel_task(CancelTaskRequest(id=task.id))
        assert state_of(ended) == "CANCELED"
        assert state_of(await opened.get_task(GetTaskRequest(id=task.id))) == "CANCELED"
    if skill not in {"classify", "check"}:
        job = await laptop.jobs().get(data_of(task.status.message.parts)["job"])
        assert job.state == JobState.CANCELLED


async def test_a_job_that_is_cancelled_elsewhere_cancels_its_task(laptop: House, silent_host: str):
    async with client(laptop.converter_url, laptop.token()) as opened:
        [event] = [event async for event in opened.send_message(message(text=silent_host, at_once=True))]
        task = await reaches(opened, event.task.id, "WORKING")
        await laptop.jobs().cancel(data_of(task.status.message.parts)["job"])
        assert (await reaches(opened, task.id, "CANCELED")).id == task.id


async def test_a_question_may_be_cancelled(laptop: House, tmp_path: Path):
    task = await ambiguous(laptop, tmp_path / "two")
    async with client(laptop.converter_url, laptop.token()) as opened:
        assert state_of(await opened.cancel_task(CancelTaskRequest(id=task.id))) == "CANCELED"


@pytest.mark.parametrize("skill", ["convert", "classify", "inspect", "check"])
async def test_who_may_ask(laptop: House, tmp_path: Path, skill: str):
    wanted = message(data={"skill": skill, "source": str(tmp_path)})
    cases = [
        (laptop.token("pat", frozenset({Role.PARTICIPANT})), 403, "workshop.convert"),
        (laptop.token("bob", AUTHOR, workshop="tiny"), 403, "workshop.convert"),
        (laptop.token("bob", AUTHOR), 422, "own machine are not taken here"),
    ]
    for given, status, said in cases:
        [event] = await send(laptop.converter_url, given, wanted)
        problem = data_of(event.task.status.message.parts)
        assert (problem["status"], said in str(problem["detail"])) == (status, True), problem
        assert state_of(event.task) in {"REJECTED", "FAILED"}
    assert not [job for job in await laptop.jobs().list() if str(tmp_path) in job.subject]


async def test_who_may_export(laptop: House):
    given = laptop.token("pat", frozenset({Role.PARTICIPANT}))
    wanted = message(data={"skill": "export", "workshop": "tiny", "form": "mkdocs"})
    [event] = await send(laptop.converter_url, given, wanted)
    assert data_of(event.task.status.message.parts)["status"] == 403


async def test_without_a_token_nobody_gets_in(laptop: House):
    refused = await call("POST", f"{laptop.converter_url}/a2a/rpc", "none", json={})
    assert refused.status_code == 401
    other = laptop.issuer.issue("ann", "rag", roles=frozenset({Role.ADMIN}))
    assert (await call("POST", f"{laptop.converter_url}/a2a/rpc", other, json={})).status_code == 401


async def test_without_jobs_a_conversion_says_why_not_and_a_source_is_classified(tmp_path: Path):
    issuer = TokenIssuer(Ed25519PrivateKey.generate())
    given = issuer.issue("ann", "template-converter", roles=frozenset({Role.ADMIN}))
    source = make_repository(tmp_path / "lab", lab(["rig", "sail"]))
    with serve(create_app(ConverterService(ConverterSettings()), issuer.verifier())) as url:
        [refused] = await send(url, given, message(text=source))
        assert "CONVERTER_DATABASE_URL" in text_of(refused.task.status.message.parts)
        assert data_of(refused.task.status.message.parts)["status"] == 503
        [found] = await send(url, given, message(data={"skill": "classify", "source": source}))
        assert state_of(found.task) == "COMPLETED"


def test_a_report_s_numbers_come_back_whole():
    """The protocol has floats alone; what is read from a part is the same report."""
    given = ConversionReport.model_validate(
        {
            "form": "markdown",
            "evidence": [],
            "commit": None,
            "workshop": {"slug": "x", "title": "X", "steps": []},
            "counts": {"steps": 3},
            "losses": [],
            "broken": [],
        }
    )
    assert ConversionReport.model_validate(data_of([data_part(given)])) == given


def test_the_protocol_s_library_is_not_imported_before_a_call():
    program = """
import sys
import agents.template_converter.__main__
import agents.template_converter.messages
agents.template_converter.app.converter_card("http://here")
print([name for name in ("a2a", "google.protobuf") if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")
