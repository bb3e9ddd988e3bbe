"""Shared documents over HTTP and through the client, as who looks after them sees it; and as everybody else does."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.rag.app import create_app
from agents.rag.documents import endpoints
from agents.rag.documents.intake import Limits
from agents.rag.errors import ModelUnavailableError
from agents.rag.settings import RagSettings
from shared_services.clients.documents import DocumentsClient
from shared_services.contracts.identity import Role
from shared_services.contracts.rag import SharedDocument, SharedDocumentsReport
from shared_services.kit.database import create_engine
from shared_services.kit.errors import ProblemError
from shared_services.kit.sse import decode
from shared_services.kit.tokens import TokenIssuer
from tests.integration.rag.test_api import Files
from tests.unit.rag.fakes import FakeEmbedder

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
PATH = "/api/v1/shared-documents"
GUIDE = b"# The guide\n\nUse `oc adm policy`.\n\n## Part\n\nMore text.\n"


def bearer(subject: str, *roles: Role, workshop: str | None = None, audience: str = "rag") -> dict[str, str]:
    token = ISSUER.issue(subject, audience, seconds=86_400, workshop=workshop, roles=frozenset(roles), tags=("java",))
    return {"authorization": f"Bearer {token}"}


OPS = bearer("ops:olga", Role.OPS)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
async def http(tmp_path: Path, embedder: FakeEmbedder) -> AsyncIterator[httpx.AsyncClient]:
    engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
    app = create_app(RagSettings(data=tmp_path / "rag"), engine, ISSUER.verifier(), Files(), embedder)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as client,
    ):
        yield client
    await engine.dispose()


async def post(http: httpx.AsyncClient, headers: dict[str, str] = OPS, **data: str) -> httpx.Response:
    files = [("files", ("docs/guide.md", GUIDE)), ("files", ("logo.png", b"\x89PNG"))]
    return await http.post(PATH, files=files, data={"tags": "java, ops"} | data, headers=headers)


async def test_post_list_get_text_delete(http: httpx.AsyncClient) -> None:
    posted = await post(http, content_focus="dev")
    assert posted.status_code == 200
    report = SharedDocumentsReport.model_validate_json(posted.content)
    [document] = report.indexed
    assert (document.id, document.tags, document.content_focus, document.file) == (
        "docs-guide",
        ["java", "ops"],
        "dev",
        "docs/guide.md",
    )
    assert [row.file for row in report.refused] == ["logo.png"]
    listed = await http.get(PATH, headers=OPS)
    assert [SharedDocument.model_validate(row) for row in listed.json()] == [document]
    assert (await http.get(PATH, params={"tags": "web,ops"}, headers=OPS)).json() == listed.json()
    assert (await http.get(PATH, params={"tags": "web"}, headers=OPS)).json() == []
    assert (await http.get(f"{PATH}/docs-guide", headers=OPS)).json() == listed.json()[0]
    text = await http.get(f"{PATH}/docs-guide/text", headers=OPS)
    assert (text.content, text.headers["content-type"]) == (GUIDE, "text/markdown; charset=utf-8")
    again = await post(http, content_focus="dev")
    assert (again.json()["unchanged"], again.json()["embedded"]) == (["docs-guide"], 0)
    assert (await http.delete(f"{PATH}/docs-guide", headers=OPS)).status_code == 204
    for method, path in (("GET", ""), ("GET", "/text"), ("DELETE", "")):
        missing = await http.request(method, f"{PATH}/docs-guide{path}", headers=OPS)
        assert (missing.status_code, missing.json()["type"]) == (404, "urn:workshop-assistant:problem:document-not-found")
        assert "docs-guide" in missing.json()["detail"]


async def test_the_client(http: httpx.AsyncClient) -> None:
    client = DocumentsClient(http, ISSUER.source("service:core"))
    told: list[tuple[int, int]] = []

    async def on_progress(done: int, total: int) -> None:
        told.append((done, total))

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Übung/ä b.adoc", "= Übung\n\nText.\n")
    report = await client.add([("docs/guide.md", GUIDE), ("more.zip", packed.getvalue())], ["java"], None, on_progress)
    assert [document.title for document in report.indexed] == ["The guide", "Übung"]
    assert report.indexed[1].file == "Übung/ä b.adoc"
    assert told[0] == (0, report.embedded)
    assert told[-1] == (report.embedded, report.embedded)
    assert await client.list() == report.indexed
    assert await client.list(["python"]) == []
    assert await client.get("docs-guide") == report.indexed[0]
    assert (await client.text("docs-guide")).encode() == GUIDE
    await client.remove("docs-guide")
    with pytest.raises(ProblemError, match="no shared document 'docs-guide'"):
        await client.remove("docs-guide")
    with pytest.raises(ProblemError, match="is not an id"):
        await client.add([("a.md", b"# A\n")], ["C++"])


async def test_progress_is_streamed(http: httpx.AsyncClient) -> None:
    headers = OPS | {"accept": "text/event-stream"}
    async with http.stream("POST", PATH, files={"files": ("a.md", GUIDE)}, data={"tags": "java"}, headers=headers) as response:
        events = [event async for event in decode(response.aiter_bytes())]
    assert [event.event for event in events][-2:] == ["progress", "done"]
    assert SharedDocumentsReport.model_validate_json(events[-1].data).indexed[0].id == "a"


async def test_a_failure_ends_the_stream_with_a_problem(http: httpx.AsyncClient, embedder: FakeEmbedder) -> None:
    def broken(_texts: object) -> list[object]:
        raise ModelUnavailableError("The model broke.")

    embedder.encode = broken  # type: ignore[assignment,method-assign]
    headers = OPS | {"accept": "text/event-stream"}
    async with http.stream("POST", PATH, files={"files": ("a.md", GUIDE)}, data={"tags": "java"}, headers=headers) as response:
        events = [event async for event in decode(response.aiter_bytes())]
    assert (events[-1].event, events[-1].json()["detail"]) == ("error", "The model broke.")
    assert (await http.get(PATH, headers=OPS)).json() == []
    assert (await post(http)).status_code == 503


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer forged.token.here"}, 401),
        (bearer("ops:olga", Role.OPS, audience="jobs"), 401),
        (bearer("participant:p", Role.PARTICIPANT, workshop="shop"), 403),
        (bearer("service:chat:shop", Role.PARTICIPANT, workshop="shop"), 403),
        (bearer("participant:p", Role.PARTICIPANT), 403),
        (bearer("reviewer:r", Role.REVIEWER), 403),
        (bearer("author:a", Role.AUTHOR), 403),
        (bearer("author:a", Role.ADMIN, workshop="shop"), 403),
        (bearer("service:core"), None),
        (bearer("author:a", Role.ADMIN), None),
        (OPS, None),
    ],
)
async def test_who_may(http: httpx.AsyncClient, headers: dict[str, str], status: int | None) -> None:
    await post(http)
    calls = [
        await http.get(PATH, headers=headers),
        await http.get(f"{PATH}/docs-guide", headers=headers),
        await http.get(f"{PATH}/docs-guide/text", headers=headers),
        await post(http, headers),
        await http.delete(f"{PATH}/docs-guide", headers=headers),
    ]
    expected = [status] * 5 if status else [200, 200, 200, 200, 204]
    assert [call.status_code for call in calls] == expected
    assert len((await http.get(PATH, headers=OPS)).json()) == (1 if status else 0)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"json": {"tags": "java"}}, 422, "multipart/form-data"),
        ({"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422, ""),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422, "boundary"),
        ({"data": {"tags": "java"}, "files": {"files": ("a.zip", b"junk")}}, 422, "damaged"),
        ({"data": {}, "files": {"files": ("a.md", GUIDE)}}, 422, "at least one tag"),
        ({"data": {"tags": "no tag!"}, "files": {"files": ("a.md", GUIDE)}}, 422, "not an id"),
        ({"data": {"tags": "java"}, "files": {"other": ("", b"")}}, 422, ""),
        ({"files": {"tags": ("a.md", GUIDE)}}, 422, "not files"),
        ({"data": {"tags": "java"}, "files": [("files", (f"{n}.md", b"x")) for n in range(2001)]}, 422, "2000"),
    ],
)
async def test_bad_requests(http: httpx.AsyncClient, request_: dict[str, object], status: int, words: str) -> None:
    given = request_.pop("headers", {})
    response = await http.post(PATH, headers=OPS | given, **request_)  # type: ignore[operator,arg-type]
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.text
    assert (await http.get(PATH, headers=OPS)).json() == []


async def test_an_upload_is_not_read_past_the_limit(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "LIMITS", Limits(unpacked=100_000))

    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
        for _ in range(1000):
            yield b"y" * 10_000

    headers = OPS | {"content-type": "multipart/form-data; boundary=x"}
    response = await http.post(PATH, content=endless(), headers=headers)
    assert (response.status_code, response.json()["type"]) == (413, "urn:workshop-assistant:problem:too-large")


async def test_what_serves_survives_a_restart(tmp_path: Path) -> None:
    for number in range(2):
        engine = create_engine(f"sqlite:///{tmp_path}/rag.sqlite3")
        app = create_app(RagSettings(data=tmp_path / "rag"), engine, ISSUER.verifier(), Files(), FakeEmbedder())
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as http,
        ):
            report = (await post(http)).json()
            assert (len(report["indexed"]), len(report["unchanged"])) == ((1, 0) if number == 0 else (0, 1))
        await engine.dispose()
