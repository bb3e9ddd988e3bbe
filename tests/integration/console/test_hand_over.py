"""From the console to the pages for teachers of a workshop that has an address of its own: both apps, two hosts, one browser."""

from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from console.joining import Meeting
from console.workshop_pages import open_router
from shared_services.contracts.identity import Identity, Role
from shared_services.kit.http import create_app
from shared_services.kit.identity import SESSION_COOKIE, issue_session
from shared_services.kit.tokens import TokenIssuer
from shared_services.pages.static_files import StaticBundle
from shared_services.pages.templating import Templates
from workshop_chat.pages.hand_over import hand_over_router
from workshop_chat.participants import ParticipantCookieMiddleware, Participants

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
HTML = {"accept": "text/html"}


async def no_code(_workshop: str) -> str | None:
    return None


def console() -> FastAPI:
    meeting = Meeting(no_code, "https://console.test", "https://{workshop}.test")
    app = create_app("Console", service="console")
    app.include_router(open_router(Templates(StaticBundle([]), [], {}), ISSUER, meeting))
    return app


def chat(workshop: str) -> tuple[FastAPI, Participants]:
    participants = Participants(workshop, ISSUER.verifier(), b"k" * 32, access="code", join_code="steam", secure=True)
    app = create_app("Assistant", service="chat")
    app.add_middleware(ParticipantCookieMiddleware)
    app.include_router(hand_over_router(participants))
    return app, participants


def browser(app: FastAPI, host: str, role: Role | None = None) -> httpx.AsyncClient:
    session = issue_session(ISSUER, Identity(id="oidc:ada", name="Ada", roles=frozenset({role}))) if role else ""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=f"https://{host}", cookies={SESSION_COOKIE: session} if role else None
    )


@pytest.mark.parametrize("page", ["/board", "/insights"])
async def test_an_author_arrives_signed_in(page: str) -> None:
    async with browser(console(), "console.test", Role.AUTHOR) as at_console:
        sent = await at_console.get("/workshops/kettle/open", params={"page": page}, headers=HTML)
    assert sent.status_code == 303
    assert sent.headers["cache-control"] == "no-store"
    there = urlsplit(sent.headers["location"])
    assert (there.scheme, there.netloc, there.path) == ("https", "kettle.test", "/sign-in")
    app, _ = chat("kettle")
    async with browser(app, "kettle.test") as at_workshop:
        arrived = await at_workshop.get(f"{there.path}?{there.query}", headers=HTML)
    assert (arrived.status_code, arrived.headers["location"]) == (303, page)
    cookie = arrived.headers["set-cookie"]
    assert cookie.startswith("workshop_teacher=")
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    other, _ = chat("teapot")
    async with browser(other, "teapot.test") as elsewhere:
        refused = await elsewhere.get(f"{there.path}?{there.query}", headers=HTML)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.PARTICIPANT, 403), (Role.REVIEWER, 403), (Role.OPS, 403)])
async def test_others_are_not_sent_there(role: Role | None, status: int) -> None:
    async with browser(console(), "console.test", role) as at_console:
        answer = await at_console.get("/workshops/kettle/open")
    assert answer.status_code == status
    assert "location" not in answer.headers


@pytest.mark.parametrize("page", ["https://evil.test/", "//evil.test", "/steps/one", ""])
async def test_it_leads_to_the_two_pages_alone(page: str) -> None:
    async with browser(console(), "console.test", Role.AUTHOR) as at_console:
        assert (await at_console.get("/workshops/kettle/open", params={"page": page})).status_code == 422
    app, _ = chat("kettle")
    token = (await _location(Role.AUTHOR)).query.partition("token=")[2].partition("&")[0]
    async with browser(app, "kettle.test") as at_workshop:
        arrived = await at_workshop.get("/sign-in", params={"token": token, "next": page})
    assert arrived.headers["location"] == "/"


async def _location(role: Role):
    async with browser(console(), "console.test", role) as at_console:
        return urlsplit((await at_console.get("/workshops/kettle/open")).headers["location"])
