"""Every app answers errors as problem documents, with a request id and security headers, and refuses other sites."""

from typing import Annotated

import httpx
import pytest
from fastapi import Query

from shared_services.clients.transport import InProcessTransport
from shared_services.kit.errors import PROBLEM_TYPE_PREFIX, ConflictError
from shared_services.kit.health import Readiness
from shared_services.kit.http import create_app


@pytest.fixture
async def client():
    readiness = Readiness()
    app = create_app("Test", service="test", readiness=readiness)

    @app.get("/clash")
    async def clash() -> None:
        raise ConflictError("It is there already. Choose another name.", name="x")

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret inner detail")

    @app.get("/number")
    async def number(n: Annotated[int, Query()]) -> int:
        return n

    @app.post("/change")
    async def change() -> str:
        return "changed"

    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://test") as http:
        http.readiness = readiness  # type: ignore[attr-defined]
        yield http


async def test_a_platform_error_is_a_problem_document(client: httpx.AsyncClient):
    response = await client.get("/clash", headers={"x-request-id": "abc-1"})
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": PROBLEM_TYPE_PREFIX + "conflict",
        "title": ConflictError.title,
        "status": 409,
        "detail": "It is there already. Choose another name.",
        "instance": "abc-1",
        "name": "x",
    }


async def test_a_crash_tells_nothing_of_the_inside(client: httpx.AsyncClient):
    response = await client.get("/crash")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in response.json()["detail"]


async def test_invalid_input_names_the_field(client: httpx.AsyncClient):
    response = await client.get("/number", params={"n": "many"})
    assert response.status_code == 422
    assert response.json()["fields"][0]["field"] == "query.n"


async def test_an_unknown_address_is_a_problem_too(client: httpx.AsyncClient):
    response = await client.get("/nowhere")
    assert (response.status_code, response.json()["type"]) == (404, PROBLEM_TYPE_PREFIX + "not-found")


async def test_a_wrong_method_keeps_its_allow_header(client: httpx.AsyncClient):
    response = await client.delete("/number")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


async def test_security_headers_allow_no_inline_script(client: httpx.AsyncClient):
    policy = (await client.get("/healthz")).headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://test"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://evil.example", "authorization": "Bearer x"}, 200),
    ],
)
async def test_another_sites_page_changes_nothing(client: httpx.AsyncClient, headers: dict[str, str], status: int):
    assert (await client.post("/change", headers=headers)).status_code == status


async def test_readiness_names_what_is_missing(client: httpx.AsyncClient):
    async def broken() -> str | None:
        raise TimeoutError("no answer")

    assert (await client.get("/readyz")).status_code == 200
    client.readiness.add("store", broken)  # type: ignore[attr-defined]
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["checks"]) == (503, {"store": "TimeoutError: no answer"})
    assert 'workshop_ready{check="store",service="test"} 0.0' in (await client.get("/metrics")).text


async def test_metrics_count_requests(client: httpx.AsyncClient):
    await client.get("/healthz")
    assert 'workshop_http_requests_total{method="GET",service="test",status="200"}' in (await client.get("/metrics")).text


@pytest.fixture
async def bounded():
    app = create_app("Test", service="test", most_body_bytes=1000)

    @app.post("/take")
    async def take(given: list[int]) -> int:
        return len(given)

    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://test") as http:
        yield http


async def test_a_body_within_the_limit_is_taken(bounded: httpx.AsyncClient):
    assert (await bounded.post("/take", json=[1, 2, 3])).json() == 3


async def test_a_body_that_is_stated_too_large_is_refused_unread(bounded: httpx.AsyncClient):
    for stated in ("1001", "9" * 30):
        response = await bounded.post("/take", content=b"[]", headers={"content-length": stated})
        assert response.status_code == 413
        assert response.json()["type"] == PROBLEM_TYPE_PREFIX + "too-large"
        assert response.headers["connection"] == "close"
        assert "content-security-policy" in response.headers


async def test_a_body_that_grows_too_large_is_refused_when_it_is():
    app = create_app("Test", service="test", most_body_bytes=1000)

    @app.post("/take")
    async def take(given: list[int]) -> int:
        return len(given)

    read, sent = 0, []

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 400, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": "/take", "raw_path": b"/take", "query_string": b"", "headers": headers}
    await app({**scope, "root_path": "", "scheme": "http", "server": ("test", 80)}, receive, send)  # type: ignore[arg-type]
    assert (sent[0]["status"], read) == (413, 3)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
