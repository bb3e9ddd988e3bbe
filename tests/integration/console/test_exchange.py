"""A credential opens what it was registered for, and nothing else: the console's own app on a real store."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import Engine, event

from console.credentials import (
    MIGRATIONS,
    Credential,
    CredentialRepository,
    chat_credential,
    converter_credential,
    rag_credential,
    sha256_of,
)
from console.exchange import MOST_GIVEN, MOST_REFUSED, exchange_router
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Role
from shared_services.kit.database import create_engine, migrate
from shared_services.kit.errors import BadInputError, ConflictError, UnauthenticatedError
from shared_services.kit.http import create_app
from shared_services.kit.tokens import TokenIssuer
from tests.postgres import throwaway_postgres

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
A, B, RAG, CONVERTER = ("a" * 43, "b" * 43, "r" * 43, "c" * 43)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with throwaway_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("server")) if request.param == "postgres" else f"sqlite:///{tmp_path}/core.db"


class Core:
    def __init__(self, repository: CredentialRepository, app: FastAPI) -> None:
        self.repository = repository
        self.http = httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://core.test")

    async def ask(self, secret: str | None, audience: str = "library", **body: object) -> httpx.Response:
        headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
        return await self.http.post("/api/v1/tokens", json={"audience": audience, **body}, headers=headers)


@asynccontextmanager
async def core_at(url: str) -> AsyncIterator[Core]:
    engine = create_engine(url)
    await migrate(engine, MIGRATIONS)
    repository = CredentialRepository(engine)
    for credential in (
        chat_credential("garden", A, tags=("java", "web"), content_focus="spring", join_code="LETMEIN2"),
        chat_credential("kitchen", B),
        rag_credential(RAG),
        converter_credential(CONVERTER),
    ):
        await repository.register(credential)
    app = create_app("Core", service="console")
    app.include_router(exchange_router(repository, ISSUER))
    core = Core(repository, app)
    try:
        yield core
    finally:
        await core.http.aclose()
        await engine.dispose()


@pytest.fixture
async def core(url: str) -> AsyncIterator[Core]:
    async with core_at(url) as found:
        yield found


@pytest.mark.parametrize(
    ("secret", "audience", "subject", "workshop", "role"),
    [
        (A, "library", "service:chat:garden", "garden", Role.PARTICIPANT),
        (A, "rag", "service:chat:garden", "garden", Role.PARTICIPANT),
        (RAG, "library", "service:rag", None, Role.ADMIN),
        (CONVERTER, "library", "service:template-converter", None, Role.AUTHOR),
    ],
)
async def test_a_credential_gives_tokens_of_its_own_claims(
    core: Core, secret: str, audience: str, subject: str, workshop: str | None, role: Role
):
    answer = await core.ask(secret, audience)
    assert answer.status_code == 200
    given = answer.json()
    claims = ISSUER.verifier().verify(given["token"], audience)
    assert (claims.subject, claims.workshop, claims.roles) == (subject, workshop, frozenset({role}))
    assert given["expires_in"] == 600
    assert claims.expires_at == pytest.approx(time.time() + 600, abs=5)
    if workshop:
        assert (claims.tags, claims.content_focus) == (("java", "web"), "spring")


@pytest.mark.parametrize(
    ("secret", "audience"),
    [(A, name) for name in ("jobs", "chat", "session", "sign-in", "template-converter", "oidc-flow")]
    + [(RAG, "rag"), (RAG, "jobs"), (RAG, "session"), (CONVERTER, "rag"), (CONVERTER, "template-converter")],
)
async def test_no_audience_beyond_the_list_is_given(core: Core, secret: str, audience: str):
    answer = await core.ask(secret, audience)
    assert answer.status_code == 403
    assert "token" not in answer.json()


@pytest.mark.parametrize(
    "body",
    [
        {"workshop": "kitchen"},
        {"roles": ["admin"]},
        {"subject": "service:chat:kitchen"},
        {"tags": ["everything"]},
        {"expires_in": 86_400},
        {"audience": ["library", "rag"]},
        {"audience": "Library"},
        {"audience": ""},
    ],
)
async def test_nothing_but_an_audience_can_be_asked_for(core: Core, body: dict[str, object]):
    answer = await core.ask(A, **{"audience": "library", **body})  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "token" not in answer.json()


async def test_a_token_of_one_workshop_is_refused_by_every_other_service_and_as_a_session(core: Core):
    token = (await core.ask(A, "library")).json()["token"]
    for audience in ("rag", "jobs", "session", "sign-in", "chat", "template-converter"):
        with pytest.raises(UnauthenticatedError):
            ISSUER.verifier().verify(token, audience)


async def test_a_token_is_no_credential(core: Core):
    token = (await core.ask(A, "library")).json()["token"]
    assert (await core.ask(token)).status_code == 401


async def test_a_hash_is_no_credential(core: Core):
    assert (await core.ask(sha256_of(A))).status_code == 401


async def test_what_is_not_known_is_answered_in_one_way(core: Core):
    unknown = [None, "", " ", "x", A[:-1], A + "a", A.upper(), f"{A} {B}", "é" * 20, "x" * 8000, "' OR 1=1 --", "\x80\xff"]
    answers = []
    for secret in unknown:
        headers = {} if secret is None else {"authorization": f"Bearer {secret}".encode("latin-1", "replace")}
        for audience in ("library", "jobs"):
            if len(answers) >= MOST_REFUSED - 1:
                break
            answer = await core.http.post("/api/v1/tokens", json={"audience": audience}, headers=headers)
            told = answer.json()
            told.pop("instance")
            kept = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            answers.append((answer.status_code, told, kept))
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


async def test_other_schemes_are_not_known(core: Core):
    for scheme in ("Basic", "Token", ""):
        headers = {"authorization": f"{scheme} {A}".strip()}
        answer = await core.http.post("/api/v1/tokens", json={"audience": "library"}, headers=headers)
        assert answer.status_code == 401


async def test_a_revoked_credential_is_not_known_any_more_and_the_others_are(core: Core):
    assert (await core.ask(A)).status_code == 200
    assert await core.repository.revoke("garden") is True
    after, unknown = await core.ask(A), await core.ask("x" * 43)
    for answer in (after, unknown):
        assert answer.status_code == 401
    assert {**after.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    assert await core.repository.join_code("garden") is None
    assert await core.repository.revoke("garden") is False
    assert (await core.ask(B)).status_code == 200
    assert (await core.ask(RAG)).status_code == 200


async def test_a_registered_subject_is_replaced(core: Core):
    newer = "n" * 43
    credential = chat_credential("garden", newer, tags=("go",), join_code="ANOTHER2")
    for _ in range(2):
        await core.repository.register(credential)
    assert (await core.ask(A)).status_code == 401
    claims = ISSUER.verifier().verify((await core.ask(newer)).json()["token"], "library")
    assert (claims.tags, claims.content_focus) == (("go",), None)
    assert await core.repository.join_code("garden") == "ANOTHER2"
    assert await core.repository.join_code("kitchen") is None


async def test_registered_many_times_at_once_it_is_there_once(core: Core):
    credentials = [chat_credential("harbor", f"{number}" * 43) for number in range(5)]
    await asyncio.gather(*(core.repository.register(credential) for credential in credentials))
    found = [await core.repository.find(f"{number}" * 43) for number in range(5)]
    assert [row.workshop for row in found if row] == ["harbor"]


async def test_two_services_never_share_a_credential(core: Core):
    with pytest.raises(ConflictError, match="another service"):
        await core.repository.register(chat_credential("kitchen", A))
    found = await core.repository.find(A)
    assert found is not None
    assert found.workshop == "garden"
    assert (await core.ask(B)).status_code == 200


async def test_a_subject_that_is_not_on_the_list_is_given_nothing(core: Core):
    await core.repository.register(Credential("service:chat", sha256_of("q" * 43), frozenset({Role.ADMIN})))
    for audience in ("library", "rag", "jobs"):
        assert (await core.ask("q" * 43, audience)).status_code == 403


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "with space" * 10, "ü" * 40])
def test_a_secret_that_could_be_guessed_is_not_registered(secret: str):
    with pytest.raises(BadInputError, match="32 or more"):
        rag_credential(secret)


@pytest.mark.parametrize("name", ["Garden", "a/b", "", "garden:kitchen", "x" * 64])
def test_a_workshop_that_is_no_slug_is_not_registered(name: str):
    with pytest.raises(ValueError, match="pattern"):
        chat_credential(name, A)


async def test_guessing_is_slowed_and_does_not_open_afterwards(core: Core):
    for number in range(MOST_REFUSED):
        assert (await core.ask(f"guess-{number}")).status_code == 401
    late = await core.ask("guess")
    assert late.status_code == 429
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert (await core.ask(A)).status_code == 429, "from this address nothing is looked at until it has waited"


async def test_one_subject_cannot_ask_without_end(core: Core):
    statuses = [(await core.ask(A)).status_code for _ in range(MOST_GIVEN + 1)]
    assert statuses == [200] * MOST_GIVEN + [429]
    assert (await core.ask(B)).status_code == 200, "another one is not held up"


async def test_known_and_unknown_take_the_same_work_in_the_store(core: Core):
    """One look-up of a hash, whatever is shown: neither its length nor how much of it is right changes what is done."""
    seen: list[tuple[str, int]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, len(str(parameters))))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for secret in (A, A[:-1] + "x", "", "x" * 8000, "\x80\xff"):
            await core.repository.find(secret)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    looked_up = [row for row in seen if "credentials" in row[0]]
    assert len(looked_up) == 5
    assert len(set(looked_up)) == 1
