"""A workshop's chat agent searches with the context that its current version names, whatever it was when the agent started."""

from pathlib import Path

import httpx
import pytest

from shared_services.clients.rag import RagClient
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.rag import EmbeddingsRequest, EmbeddingsResponse, SearchRequest, SearchResponse
from shared_services.contracts.workshop import ContextSettings
from shared_services.kit.identity import LOCAL_AUTHOR, SESSION_COOKIE, issue_session
from shared_services.kit.tokens import Claims
from shared_services.library.form import WorkshopFiles, manifest_yaml
from tests.integration.chat.workshops import files_of
from workshop_cli.core import Core, open_core
from workshop_cli.datafolder import hold
from workshop_cli.settings import CliSettings


def garden(*tags: str, focus: str | None = None) -> WorkshopFiles:
    files = files_of("garden", "Garden", {"water": ("Water", "# Water\n\nTurn the red valve.\n")})
    manifest = files.manifest.model_copy(update={"context": ContextSettings(tags=list(tags), content_focus=focus)})
    return WorkshopFiles(manifest, files.steps, {**files.files, "workshop.yaml": manifest_yaml(manifest)})


async def publish(core: Core, files: WorkshopFiles) -> None:
    version = await core.library.draft(files)
    await core.library.set_current("garden", version.version)


async def test_a_running_chat_agent_gets_the_context_of_a_new_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Claims] = []
    with hold(tmp_path, "test") as folder:
        async with open_core(folder, CliSettings(data=tmp_path, access="open"), warm=False) as core:

            async def search(client: RagClient, request: SearchRequest) -> SearchResponse:
                assert client._token is not None
                seen.append(core.issuer.verifier().verify(client._token("rag"), "rag"))
                return SearchResponse(passages=[], confidence=0.0, version=request.version or "", took_ms=1.0)

            monkeypatch.setattr(RagClient, "search", search)
            await publish(core, garden("java"))
            async with httpx.AsyncClient(transport=InProcessTransport(core.app), base_url="http://t", timeout=60) as client:
                created = await client.post("/w/garden/api/v1/conversations")
                messages = f"/w/garden/api/v1/conversations/{created.json()['id']}/messages"

                async def ask() -> Claims:
                    answer = await client.post(messages, json={"text": "Which valve do I turn?"})
                    assert answer.status_code == 200, answer.text
                    return seen[-1]

                first, again = await ask(), await ask()
                assert (first.workshop, first.tags, first.content_focus) == ("garden", ("java",), None)
                assert again == first, "the same token serves until the context changes"
                app = await core.chats.get("garden")
                await publish(core, garden("javascript", "net", focus="networking"))
                after = await ask()
                assert (after.workshop, after.tags, after.content_focus) == ("garden", ("javascript", "net"), "networking")
                await publish(core, garden())
                assert (await ask()).tags == ()
                assert await core.chats.get("garden") is app, "no answer under way was interrupted for it"


async def test_an_authors_insights_ask_the_model_with_the_workshops_own_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str | None, list[str]]] = []
    with hold(tmp_path, "test") as folder:
        async with open_core(folder, CliSettings(data=tmp_path, access="open"), warm=False) as core:

            async def search(_client: RagClient, request: SearchRequest) -> SearchResponse:
                return SearchResponse(passages=[], confidence=0.0, version=request.version or "", took_ms=1.0)

            async def embeddings(client: RagClient, request: EmbeddingsRequest) -> EmbeddingsResponse:
                assert client._token is not None
                seen.append((core.issuer.verifier().verify(client._token("rag"), "rag").workshop, list(request.texts)))
                return EmbeddingsResponse(model="m", vectors=[[1.0, 0.0]] * len(request.texts))

            monkeypatch.setattr(RagClient, "search", search)
            monkeypatch.setattr(RagClient, "embeddings", embeddings)
            await publish(core, garden())
            session = {SESSION_COOKIE: issue_session(core.issuer, LOCAL_AUTHOR)}
            transport = InProcessTransport(core.app)
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://t", timeout=60) as participant,
                httpx.AsyncClient(transport=transport, base_url="http://t", timeout=60, cookies=session) as author,
            ):
                created = await participant.post("/w/garden/api/v1/conversations")
                messages = f"/w/garden/api/v1/conversations/{created.json()['id']}/messages"
                await participant.post(messages, json={"text": "Which fish swim in a pond?"})
                found = (await author.get("/w/garden/api/v1/insights")).json()
    assert seen == [("garden", ["which fish swim in a pond"])]
    assert [group["representative"] for group in found["groups"]] == ["Which fish swim in a pond?"]
    assert found["likeness"]["by"] == "embeddings"
