"""The RAG agent's A2A face, over a socket, as the protocol's own client and ours see it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    SubscribeToTaskRequest,
    Task,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskState,
)
from google.protobuf.json_format import ParseDict

from agents.rag.app import create_app
from agents.rag.settings import RagSettings
from shared_services.clients.a2a import A2AClient
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import IndexStatus, SearchRequest, SearchResponse
from shared_services.kit.database import create_engine
from shared_services.kit.errors import ProblemError, UnavailableError
from tests.a2a import BINDINGS, bearer, call, client, data_of, message, send, state_of, text_of
from tests.integration.rag.callers import ISSUER, Files, token
from tests.serving import serve
from tests.unit.rag.fakes import FakeEmbedder
from tests.unit.rag.workshops import CLUSTER_STEPS, workshop
from workshop_cli.mounts import House

ROOT = Path(__file__).parents[3]


class HeldEmbedder(FakeEmbedder):
    """Reads nothing until it is let, once it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.let.set()
        self.reached = threading.Event()

    def encode(self, texts: Sequence[str]):
        self.reached.set()
        assert self.let.wait(30)
        return super().encode(texts)


class CrashingEmbedder(FakeEmbedder):
    def encode(self, texts: Sequence[str]):
        raise RuntimeError("a secret of the inside")


CHAT = token(workshop="shop")
AUTHOR = token("author:1", workshop="shop", roles=frozenset({Role.AUTHOR}))
OTHER_AUTHOR = token("author:2", workshop="shop", roles=frozenset({Role.AUTHOR}))
PARK = token("author:1", workshop="park", roles=frozenset({Role.AUTHOR}))
CORE = token("service:core")


@dataclass
class Agent:
    url: str
    embedder: HeldEmbedder


def agent_app(folder: Path, embedder: FakeEmbedder, **settings: object):
    engine = create_engine(f"sqlite:///{folder}/rag.sqlite3")
    files = Files(
        {
            ("shop", "v1"): workshop("shop", CLUSTER_STEPS),
            ("park", "v1"): workshop("park", {"trees": "# Trees\n\nThe owl of the park sleeps in the old oak.\n"}),
        }
    )
    return create_app(RagSettings(data=folder / "rag", **settings), engine, ISSUER.verifier(), files, embedder)


@contextmanager
def serving(folder: Path) -> Iterator[Agent]:
    embedder = HeldEmbedder()
    with serve(agent_app(folder, embedder)) as url:
        for name in ("shop", "park"):
            for action in ("index", "activate"):
                path = f"{url}/api/v1/workshops/{name}/{action}"
                httpx.post(path, json={"version": "v1"}, headers=bearer(CORE)).raise_for_status()
        yield Agent(url, embedder)
        embedder.let.set()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """For tests that change nothing."""
    with serving(tmp_path_factory.mktemp("steady")) as served:
        yield served


async def test_the_card_says_where_and_with_what(steady: Agent) -> None:
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, steady.url).get_agent_card()
    assert [skill.id for skill in card.skills] == ["search", "index"]
    assert {each.protocol_binding: each.url for each in card.supported_interfaces} == {
        "JSONRPC": f"{steady.url}/a2a/rpc",
        "HTTP+JSON": f"{steady.url}/a2a/rest",
    }
    assert card.security_schemes["bearer"].http_auth_security_scheme.scheme == "Bearer"
    assert list(card.security_requirements[0].schemes) == ["bearer"]
    assert card.capabilities.streaming
    assert not card.capabilities.push_notifications


@pytest.mark.parametrize("binding", BINDINGS)
async def test_on_the_laptop_the_card_leads_to_the_same_agent(tmp_path: Path, binding: str) -> None:
    app = agent_app(tmp_path, FakeEmbedder())

    class Laptop:
        """The house as the laptop has it; its parts' lifespans are the caller's."""

        def __init__(self) -> None:
            self.house = House(app, {"rag": app}, None)  # type: ignore[arg-type]

        async def __call__(self, scope, receive, send) -> None:
            await (app if scope["type"] == "lifespan" else self.house)(scope, receive, send)

    with serve(Laptop()) as url:
        base = f"{url}/agents/rag"
        for action in ("index", "activate"):
            assert (await call("POST", f"{base}/api/v1/workshops/shop/{action}", CORE, json={"version": "v1"})).status_code == 200
        [event] = await send(base, CHAT, message(text="CrashLoopBackOff"), binding=binding)
        assert SearchResponse.model_validate(data_of(event.message.parts)).passages


def test_a_public_address_and_a_hostile_host(tmp_path: Path) -> None:
    with serve(agent_app(tmp_path, FakeEmbedder(), public_url="https://rag.example.org/")) as url:
        card = httpx.get(f"{url}/.well-known/agent-card.json").json()
        assert card["supportedInterfaces"][0]["url"] == "https://rag.example.org/a2a/rpc"


def test_a_host_that_is_none_gets_into_no_address(steady: Agent) -> None:
    headers = {"host": 'evil"><script>'}
    card = httpx.get(f"{steady.url}/.well-known/agent-card.json", headers=headers).json()
    assert card["supportedInterfaces"][0]["url"] == f"{steady.url}/a2a/rpc"


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_text_searches(steady: Agent, binding: str, streaming: bool) -> None:
    [event] = await send(steady.url, CHAT, message(text="CrashLoopBackOff"), binding=binding, streaming=streaming)
    found = SearchResponse.model_validate(data_of(event.message.parts))
    assert "CrashLoopBackOff" in found.passages[0].text
    assert "CrashLoopBackOff" in text_of(event.message.parts)
    assert {passage.workshop for passage in found.passages} == {"shop"}


async def test_a_data_part_searches(steady: Agent) -> None:
    [event] = await send(steady.url, CHAT, message(data={"query": "owl or pods", "limit": 2, "kinds": ["prose"]}))
    found = SearchResponse.model_validate(data_of(event.message.parts))
    assert len(found.passages) == 2
    assert {passage.kind for passage in found.passages} == {"prose"}


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_index_is_a_task_with_progress_and_a_status(agent: Agent, binding: str) -> None:
    (await call("DELETE", f"{agent.url}/api/v1/workshops/shop/index", CORE)).raise_for_status()
    asked = message(data={"workshop": "shop", "version": "v1", "activate": True})
    events = await send(agent.url, AUTHOR, asked, binding=binding, streaming=True)
    assert state_of(events[0].task) == "SUBMITTED"
    told = [event.status_update.status for event in events if event.HasField("status_update")]
    assert TaskState.Name(told[-1].state) == "TASK_STATE_COMPLETED"
    parts = [data_of(status.message.parts) for status in told if status.HasField("message")]
    assert parts[0]["done"] == 0
    assert parts[-1]["done"] == parts[-1]["total"] > 0
    [artifact] = [event.artifact_update.artifact for event in events if event.HasField("artifact_update")]
    status = IndexStatus.model_validate(data_of(artifact.parts))
    assert (status.workshop, status.version, status.active) == ("shop", "v1", True)
    async with client(agent.url, AUTHOR, binding=binding) as opened:
        kept = await opened.get_task(GetTaskRequest(id=events[0].task.id))
    assert state_of(kept) == "COMPLETED"
    assert data_of(kept.artifacts[0].parts) == data_of(artifact.parts)


async def _begin_index(agent: Agent, opened: Client) -> Task:
    """An index task that is held in the middle."""
    (await call("DELETE", f"{agent.url}/api/v1/workshops/shop/index", CORE)).raise_for_status()
    agent.embedder.reached.clear()
    agent.embedder.let.clear()
    asked = message(data={"workshop": "shop", "version": "v1"}, at_once=True)
    [event] = [event async for event in opened.send_message(asked)]
    assert await anyio.to_thread.run_sync(agent.embedder.reached.wait, 20)
    return event.task


async def test_a_task_is_cancelled_and_leaves_nothing(agent: Agent) -> None:
    async with client(agent.url, AUTHOR) as opened:
        task = await _begin_index(agent, opened)
        assert state_of(await opened.get_task(GetTaskRequest(id=task.id))) == "WORKING"
        async with anyio.create_task_group() as tasks:

            async def cancel() -> None:
                assert state_of(await opened.cancel_task(CancelTaskRequest(id=task.id))) == "CANCELED"

            tasks.start_soon(cancel)
            agent.embedder.let.set()
        assert state_of(await opened.get_task(GetTaskRequest(id=task.id))) == "CANCELED"
        with pytest.raises(TaskNotCancelableError):
            await opened.cancel_task(CancelTaskRequest(id=task.id))
    status = await call("GET", f"{agent.url}/api/v1/workshops/shop/index", CORE)
    assert status.status_code == 404


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_is_its_callers_alone(agent: Agent, binding: str) -> None:
    async with client(agent.url, AUTHOR) as mine:
        task = await _begin_index(agent, mine)
        for stranger in (OTHER_AUTHOR, PARK, CHAT, CORE):
            await _sees_nothing(agent.url, stranger, binding, task)
        assert [each.id for each in (await mine.list_tasks(ListTasksRequest())).tasks] == [task.id]
        assert state_of(await mine.get_task(GetTaskRequest(id=task.id))) == "WORKING"
        agent.embedder.let.set()


async def _sees_nothing(url: str, stranger: str, binding: str, task: Task) -> None:
    async with client(url, stranger, binding=binding, streaming=True) as theirs:
        with pytest.raises(TaskNotFoundError):
            await theirs.get_task(GetTaskRequest(id=task.id))
        with pytest.raises(TaskNotFoundError):
            await theirs.cancel_task(CancelTaskRequest(id=task.id))
        with pytest.raises(TaskNotFoundError):
            [event async for event in theirs.subscribe(SubscribeToTaskRequest(id=task.id))]
        with pytest.raises(TaskNotFoundError):
            [event async for event in theirs.send_message(message(text="pods", taskId=task.id))]
        assert list((await theirs.list_tasks(ListTasksRequest())).tasks) == []


async def _refused(url: str, given: str, request: SendMessageRequest) -> tuple[str, dict[str, object]]:
    [event] = await send(url, given, request)
    assert event.HasField("task")
    problem = data_of(event.task.status.message.parts)
    assert str(problem["detail"]) in text_of(event.task.status.message.parts)
    return state_of(event.task), problem


@pytest.mark.parametrize(
    ("given", "data", "status"),
    [
        (CHAT, {"query": "owl", "workshop": "park"}, 422),
        (AUTHOR, {"workshop": "park", "version": "v1"}, 403),
        (CHAT, {"workshop": "shop", "version": "v1"}, 403),
        (CORE, {"query": "owl"}, 403),
        (AUTHOR, {"workshop": "shop", "version": "v9"}, 404),
        (AUTHOR, {"workshop": "Shop' or 1==1", "version": "v1"}, 422),
        (AUTHOR, {"version": "v1"}, 422),
        (CHAT, {"query": "x" * 100_001}, 422),
        (CHAT, {"query": ["x"]}, 422),
        (CHAT, {"query": "x", "limit": 2.5}, 422),
        (CHAT, {"query": "x", "version": "v9"}, 404),
        (CHAT, ["query"], 422),
        (CHAT, "query", 422),
        (CHAT, 7, 422),
        (CHAT, {}, 422),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(steady: Agent, given: str, data: object, status: int) -> None:
    state, problem = await _refused(steady.url, given, message(data=data))
    assert (state, problem["status"]) == ("REJECTED", status)
    assert "Traceback" not in json.dumps(problem)


async def test_no_message_reaches_another_workshop(steady: Agent) -> None:
    for request in (
        message(text="owl of the park"),
        message(text="owl", metadata={"workshop": "park", "tenant": "park"}),
        ParseDict(
            {"tenant": "park", "message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "owl"}]}},
            SendMessageRequest(),
        ),
        message(text="owl", contextId="park"),
    ):
        for binding in BINDINGS:
            [event] = await send(steady.url, CHAT, request, binding=binding)
            found = SearchResponse.model_validate(data_of(event.message.parts))
            assert {passage.workshop for passage in found.passages} == {"shop"}
    body = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "owl"}]}}
    response = await call("POST", f"{steady.url}/a2a/rest/park/message:send", CHAT, json=body)
    assert response.status_code == 200
    assert '"workshop":"park"' not in response.text.replace(" ", "")


@pytest.mark.parametrize("authorization", [None, "Bearer forged.token.here", "Basic YTpi", f"Bearer {token(audience='chat')}"])
@pytest.mark.parametrize("path", ["/a2a/rpc", "/a2a/rest/message:send", "/a2a/rest/tasks", "/a2a/"])
def test_without_a_token_there_is_no_face(steady: Agent, authorization: str | None, path: str) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    response = httpx.post(f"{steady.url}{path}", json={"jsonrpc": "2.0", "id": 1, "method": "ListTasks"}, headers=headers)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "Nothing"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": 7}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "nothing"}}', -32001),
        (b"\xff\xfe\x00", -32603),
    ],
)
def test_junk_is_answered_in_the_protocol(steady: Agent, body: bytes, code: int) -> None:
    headers = bearer(CHAT) | {"A2A-Version": "1.0", "content-type": "application/json"}
    response = httpx.post(f"{steady.url}/a2a/rpc", content=body, headers=headers)
    assert response.json()["error"]["code"] == code
    assert "Traceback" not in response.text


async def test_a_crash_is_a_failed_task_that_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    with serve(agent_app(tmp_path, CrashingEmbedder())) as url:
        events = await send(url, AUTHOR, message(data={"workshop": "shop", "version": "v1"}), streaming=True)
        assert TaskState.Name(events[-1].status_update.status.state) == "TASK_STATE_FAILED"
        assert "secret" not in str(events)


async def test_our_client_searches_and_indexes(agent: Agent) -> None:
    async with httpx.AsyncClient(base_url=agent.url) as http:
        found = await A2AClient(http, lambda _audience: CHAT).search(SearchRequest(query="CrashLoopBackOff", limit=1))
        assert "CrashLoopBackOff" in found.passages[0].text
    (await call("DELETE", f"{agent.url}/api/v1/workshops/shop/index", CORE)).raise_for_status()
    told: list[tuple[int, int]] = []

    async def on_progress(done: int, total: int) -> None:
        told.append((done, total))

    async with httpx.AsyncClient(base_url=agent.url) as http:
        ours = A2AClient(http, lambda _audience: AUTHOR)
        status = await ours.index("shop", "v1", on_progress)
        assert (status.version, status.active) == ("v1", False)
        assert told[-1] == (status.chunks, status.chunks)
        with pytest.raises(ProblemError) as refused:
            await ours.index("park", "v1")
        assert (refused.value.status, refused.value.slug) == (403, "forbidden")
        with pytest.raises(ProblemError) as missing:
            await ours.search(SearchRequest(query="x", version="v9"))
        assert missing.value.slug == "not-indexed"
    async with httpx.AsyncClient(base_url=agent.url) as http:
        with pytest.raises(ProblemError) as unknown:
            await A2AClient(http, lambda _audience: "forged").search(SearchRequest(query="x"))
        assert unknown.value.status == 401


async def test_our_client_sends_no_token_to_another_host(tmp_path: Path) -> None:
    with serve(agent_app(tmp_path, FakeEmbedder(), public_url="https://elsewhere.example.org")) as url:
        async with httpx.AsyncClient(base_url=url) as http:
            with pytest.raises(UnavailableError, match="another host"):
                await A2AClient(http, lambda _audience: CHAT).search(SearchRequest(query="x"))
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as http:
        with pytest.raises(UnavailableError, match="gives no card"):
            await A2AClient(http, lambda _audience: CHAT).search(SearchRequest(query="x"))


def test_the_protocol_s_library_is_not_imported_before_a_call() -> None:
    program = """
import sys
import agents.rag.__main__
import agents.rag.card
import shared_services.clients.a2a
agents.rag.card.rag_card("http://here")
print([name for name in ("a2a", "google.protobuf") if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")
