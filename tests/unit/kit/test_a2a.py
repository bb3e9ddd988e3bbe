"""An agent's card, the address in it, and how many tasks are kept."""

import pytest
from a2a.server.context import ServerCallContext
from a2a.types import AgentCard, ListTasksRequest, Task
from google.protobuf.json_format import ParseDict

from shared_services.kit.a2a import Skill, agent_card, base_address
from shared_services.kit.a2a_server import Caller, NewestTasks
from shared_services.kit.tokens import Claims


def scope(host: str | None, root: str = "", scheme: str = "http") -> dict[str, object]:
    headers = [] if host is None else [(b"host", host.encode())]
    return {"type": "http", "scheme": scheme, "headers": headers, "root_path": root, "server": ("10.0.0.1", 8081)}


@pytest.mark.parametrize(
    ("given", "public", "base"),
    [
        (scope("rag:8081"), "", "http://rag:8081"),
        (scope("127.0.0.1:8080", "/agents/rag"), "", "http://127.0.0.1:8080/agents/rag"),
        (scope("[::1]:8080", "/agents/rag/", "https"), "", "https://[::1]:8080/agents/rag"),
        (scope("rag:8081", "/agents/rag"), "https://rag.example.org/", "https://rag.example.org"),
        (scope('x"><script>'), "", "http://10.0.0.1:8081"),
        (scope("good.example.org@evil.example.org"), "", "http://10.0.0.1:8081"),
        (scope("evil.example.org/path#"), "", "http://10.0.0.1:8081"),
        (scope(None), "", "http://10.0.0.1:8081"),
    ],
)
def test_the_address_in_a_card(given: dict[str, object], public: str, base: str) -> None:
    assert base_address(given, public) == base


def test_a_card_is_one_in_the_protocol() -> None:
    skill = Skill("search", "Search", "Finds.", ("search",), ("How?",), ("text/plain",))
    card = agent_card(name="N", description="D", base="http://here", audience="rag", skills=[skill])
    # unknown fields are an error here
    parsed = ParseDict(card, AgentCard())
    assert [each.url for each in parsed.supported_interfaces] == ["http://here/a2a/rpc", "http://here/a2a/rest"]
    assert parsed.skills[0].id == "search"


def call(subject: str, workshop: str | None) -> ServerCallContext:
    return ServerCallContext(user=Caller(Claims(subject, "rag", 0, workshop=workshop)))


async def test_the_newest_tasks_are_kept_whoever_they_are_of() -> None:
    tasks = NewestTasks(most=2)
    shop, park = call("service:core", "shop"), call("service:core", "park")
    await tasks.save(Task(id="1", context_id="c"), shop)
    await tasks.save(Task(id="2", context_id="c"), park)
    await tasks.save(Task(id="1", context_id="c"), shop)
    await tasks.save(Task(id="3", context_id="c"), shop)
    assert await tasks.get("2", park) is None
    assert {task.id for task in (await tasks.list(ListTasksRequest(), shop)).tasks} == {"1", "3"}
    assert await tasks.get("1", park) is None


def test_an_owner_cannot_be_made_up_of_another_s_parts() -> None:
    owners = {Caller(Claims(*each, 0)).user_name for each in (("a", "rag"), ('a", "b', "rag"))}
    owners |= {Caller(Claims("a", "rag", 0, workshop=name)).user_name for name in ("null", "b")}
    assert len(owners) == 4
