"""Signing in through an OpenID Connect issuer: authorization code with PKCE, through Authlib and joserfc.

State, nonce and code verifier travel in a short-lived signed cookie, so that no server keeps them and an answer that
was started in another browser is refused.
"""

import secrets
import time
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.responses import RedirectResponse, Response

from console.people import local_target
from console.settings import ConsoleSettings
from shared_services.contracts.identity import Identity, Role
from shared_services.kit.errors import UnauthenticatedError, UnavailableError
from shared_services.kit.tokens import TokenIssuer

COOKIE = "workshop_oidc"
AUDIENCE = "oidc-flow"
FLOW_SECONDS = 600.0
METADATA_SECONDS = 3600.0
LEEWAY_SECONDS = 30
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


def identity_from(claims: dict[str, Any], settings: ConsoleSettings) -> Identity:
    """The identity that an id token's checked claims speak for; an e-mail address counts only when it is verified."""
    named = claims.get(settings.oidc_roles_claim, [])
    named = [named] if isinstance(named, str) else named
    known = {role.value for role in Role}
    roles = frozenset(Role(role) for role in named if role in known) or frozenset({Role(settings.oidc_default_role)})
    email = claims.get("email") if claims.get("email_verified") is True else None
    name = str(claims.get("name") or claims.get("preferred_username") or email or claims["sub"])
    return Identity(id=f"oidc:{claims['sub']}", email=email, name=name, roles=roles)


class OidcSignIn:
    """One issuer. Its metadata and keys are fetched when first needed and kept for an hour."""

    def __init__(self, settings: ConsoleSettings, issuer: TokenIssuer) -> None:
        assert settings.oidc_issuer is not None
        self._settings = settings
        self._issuer_url = settings.oidc_issuer.rstrip("/")
        self._issuer = issuer
        self._metadata: dict[str, Any] = {}
        self._keys = KeySet([])
        self._fetched = 0.0

    async def start(self, callback: str, target: str) -> Response:
        """Send the person to the issuer.

        Raises:
            UnavailableError: The issuer does not answer.
        """
        metadata = await self._load()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        async with self._client(callback) as client:
            address, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        flow = {"state": state, "nonce": nonce, "verifier": verifier, "callback": callback, "next": target}
        response = RedirectResponse(address, status_code=303)
        response.set_cookie(
            COOKIE,
            self._issuer.issue("flow", AUDIENCE, seconds=FLOW_SECONDS, extra=flow),
            max_age=int(FLOW_SECONDS),
            httponly=True,
            samesite="lax",
            secure=self._settings.secure_cookies,
            path="/oidc",
        )
        return response

    async def finish(self, request: Request) -> tuple[Identity, str]:
        """The identity that the issuer vouches for, and where to go.

        Raises:
            UnauthenticatedError: The answer does not belong to a sign-in of this browser, or does not hold.
            UnavailableError: The issuer does not answer.
        """
        flow = self._issuer.verifier().verify(request.cookies.get(COOKIE, ""), AUDIENCE).extra
        answer = request.query_params
        if "error" in answer:
            raise UnauthenticatedError(f"The identity provider refused: {answer.get('error_description') or answer['error']}.")
        if not secrets.compare_digest(answer.get("state", ""), str(flow["state"])) or "code" not in answer:
            raise UnauthenticatedError("The sign-in was not started in this browser. Start it again.")
        metadata = await self._load()
        try:
            async with self._client(str(flow["callback"])) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"], code=answer["code"], code_verifier=str(flow["verifier"])
                )
        except httpx.HTTPError as error:
            raise UnavailableError("The identity provider does not answer. Try again in a moment.") from error
        except AuthlibBaseError as error:
            raise UnauthenticatedError(f"The identity provider refused the sign-in: {error}.") from error
        claims = await self._check(str(token.get("id_token", "")), str(flow["nonce"]))
        return identity_from(claims, self._settings), local_target(str(flow["next"]))

    def forget(self, response: Response) -> Response:
        """Remove the flow's cookie."""
        response.delete_cookie(COOKIE, path="/oidc")
        return response

    async def _check(self, id_token: str, nonce: str) -> dict[str, Any]:
        required = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._metadata["issuer"]},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                token = jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                # The issuer may have changed its keys since they were fetched.
                self._fetched = 0.0
                await self._load()
                token = jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)
            required.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise UnauthenticatedError(f"The identity provider's token does not hold: {error}.") from error
        return dict(token.claims)

    async def _load(self) -> dict[str, Any]:
        if time.monotonic() - self._fetched < METADATA_SECONDS and self._fetched:
            return self._metadata
        try:
            async with httpx.AsyncClient(timeout=10.0) as http:
                response = await http.get(f"{self._issuer_url}/.well-known/openid-configuration")
                metadata: dict[str, Any] = response.raise_for_status().json()
                if str(metadata["issuer"]).rstrip("/") != self._issuer_url:
                    raise UnavailableError("The identity provider says it is another issuer than OIDC_ISSUER.")
                keys = (await http.get(metadata["jwks_uri"])).raise_for_status().json()
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise UnavailableError(
                f"The identity provider {self._issuer_url} does not answer as one. Try again later."
            ) from error
        self._metadata, self._keys, self._fetched = metadata, KeySet.import_key_set(keys), time.monotonic()
        return metadata

    def _client(self, callback: str) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            secret.get_secret_value() if secret else None,
            scope="openid email profile",
            redirect_uri=callback,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )
