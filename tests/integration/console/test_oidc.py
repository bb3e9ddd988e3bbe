"""Signing in through an OpenID Connect issuer: a small real one, its good answers and its bad ones."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

import console
from console.settings import ConsoleSettings
from console.signin import sign_in_router
from shared_services.clients.transport import InProcessTransport
from shared_services.contracts.identity import Identity, Role
from shared_services.kit.http import create_app
from shared_services.kit.identity import SESSION_COOKIE, read_session, sign_in_link
from shared_services.kit.tokens import TokenIssuer
from shared_services.pages.static_files import StaticBundle
from shared_services.pages.templating import Templates
from tests.serving import listening_socket, serve


@dataclass
class SmallIssuer:
    """An issuer with one person, whose claims a test sets."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing_key: RSAKey | None = None
    asked: dict[str, str] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/keys", self.keys),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def metadata(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def keys(self, _request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        self.asked = dict(request.query_params)
        return RedirectResponse(f"{self.asked['redirect_uri']}?code=abc&state={self.asked['state']}")

    async def token(self, request: Request) -> Response:
        form = await request.form()
        if form.get("code") != "abc" or "code_verifier" not in form:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "workshop-assistant",
            "sub": "ada",
            "iat": now,
            "exp": now + 60,
            "nonce": self.asked["nonce"],
        } | self.claims
        key = self.signing_key or self.key
        id_token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": id_token})


@pytest.fixture
def provider() -> Iterator[SmallIssuer]:
    small = SmallIssuer()
    bound = listening_socket()
    with serve(small.app(), bound) as url:
        small.url = url
        yield small


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer(Ed25519PrivateKey.generate())


@pytest.fixture
async def browser(provider: SmallIssuer, issuer: TokenIssuer):
    folder = Path(console.__file__).parent
    app = create_app("Console", service="console")
    settings = ConsoleSettings(oidc_issuer=provider.url)
    templates = Templates(StaticBundle([folder / "static"]), [folder / "templates"])
    app.include_router(sign_in_router(settings, templates, issuer))
    async with httpx.AsyncClient(transport=InProcessTransport(app), base_url="http://console") as client:
        yield client


async def go_to_provider(browser: httpx.AsyncClient, target: str = "/jobs") -> str:
    """Follow the redirect to the provider and give the callback address it sends back to."""
    started = await browser.get("/oidc/start", params={"next": target})
    assert started.status_code == 303
    async with httpx.AsyncClient() as outside:
        answered = await outside.get(started.headers["location"])
    return answered.headers["location"]


async def sign_in(browser: httpx.AsyncClient, issuer: TokenIssuer, **options: str) -> tuple[httpx.Response, Identity | None]:
    response = await browser.get(await go_to_provider(browser, **options))
    return response, read_session(issuer.verifier(), response.cookies.get(SESSION_COOKIE))


async def test_a_person_signs_in_with_the_roles_that_the_issuer_names(browser, provider: SmallIssuer, issuer: TokenIssuer):
    provider.claims = {"name": "Ada", "email": "ada@example.org", "email_verified": True, "roles": ["author", "king"]}
    response, identity = await sign_in(browser, issuer)
    assert (response.status_code, response.headers["location"]) == (303, "/jobs")
    assert identity == Identity(id="oidc:ada", name="Ada", email="ada@example.org", roles=frozenset({Role.AUTHOR}))
    assert provider.asked["code_challenge_method"] == "S256"


async def test_without_roles_and_with_an_unproven_address_it_is_a_participant(
    browser, provider: SmallIssuer, issuer: TokenIssuer
):
    provider.claims = {"email": "admin@example.org", "email_verified": False}
    _, identity = await sign_in(browser, issuer)
    assert identity is not None
    assert (identity.email, identity.roles) == (None, {Role.PARTICIPANT})


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "other"}, {"aud": "somebody-else"}, {"iss": "http://evil"}, {"exp": 1}],
    ids=["nonce", "audience", "issuer", "expired"],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(browser, provider: SmallIssuer, issuer: TokenIssuer, claims: dict):
    provider.claims = claims
    response, identity = await sign_in(browser, issuer)
    assert (response.status_code, identity) == (401, None)


async def test_a_token_signed_by_another_key_is_refused(browser, provider: SmallIssuer, issuer: TokenIssuer):
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    response, identity = await sign_in(browser, issuer)
    assert (response.status_code, identity) == (401, None)


async def test_a_new_key_of_the_issuer_is_fetched(browser, provider: SmallIssuer, issuer: TokenIssuer):
    await sign_in(browser, issuer)
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    response, identity = await sign_in(browser, issuer)
    assert response.status_code == 303
    assert identity is not None


async def test_an_answer_for_another_browser_is_refused(browser, provider: SmallIssuer, issuer: TokenIssuer):
    callback = await go_to_provider(browser)
    browser.cookies.clear()
    response = await browser.get(callback)
    assert response.status_code == 401
    assert SESSION_COOKIE not in response.cookies


async def test_an_answer_with_another_state_is_refused(browser, provider: SmallIssuer, issuer: TokenIssuer):
    callback = await go_to_provider(browser)
    query = parse_qs(urlsplit(callback).query)
    response = await browser.get("/oidc/callback", params={"code": query["code"][0], "state": "mine"})
    assert response.status_code == 401


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nx: y"])
async def test_signing_in_leads_nowhere_else(browser, issuer: TokenIssuer, provider: SmallIssuer, target: str):
    link = sign_in_link(issuer, "")
    response = await browser.get(link, params={"token": parse_qs(urlsplit(link).query)["token"][0], "next": target})
    assert response.headers["location"] == "/"


async def test_the_authors_link_signs_in_and_a_forged_one_does_not(browser, issuer: TokenIssuer, provider: SmallIssuer):
    response = await browser.get(sign_in_link(issuer, ""))
    identity = read_session(issuer.verifier(), response.cookies.get(SESSION_COOKIE))
    assert identity is not None
    assert Role.AUTHOR in identity.roles
    assert "httponly" in response.headers["set-cookie"].lower()
    forged = await browser.get(sign_in_link(TokenIssuer(Ed25519PrivateKey.generate()), ""))
    assert forged.status_code == 401
    assert "workshop sign-in" in forged.text


async def test_a_provider_that_is_away_is_said_so(browser, provider: SmallIssuer, issuer: TokenIssuer):
    provider.url = "http://another-issuer"
    response = await browser.get("/oidc/start", headers={"accept": "text/html"})
    assert response.status_code == 503
