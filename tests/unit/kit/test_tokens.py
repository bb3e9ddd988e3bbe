"""A token opens one service and one workshop, and nothing that a holder of the public key can make opens any."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared_services.contracts.identity import Identity, Role
from shared_services.kit.errors import ForbiddenError, UnauthenticatedError
from shared_services.kit.identity import ALLOWED, Permission, issue_session, may, read_session, require
from shared_services.kit.tokens import ISSUER, TokenIssuer, load_or_create_key


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer(Ed25519PrivateKey.generate())


def payload(**claims: object) -> dict[str, object]:
    now = time.time()
    return {"iss": ISSUER, "sub": "service:chat", "aud": "rag", "iat": now, "exp": now + 60, "workshop": "other", **claims}


def test_a_token_says_what_it_was_issued_for(issuer: TokenIssuer):
    token = issuer.issue(
        "service:chat", "rag", workshop="spring-boot", tags=("java",), content_focus="web", roles=frozenset({Role.PARTICIPANT})
    )
    claims = issuer.verifier().verify(token, "rag")
    assert (claims.subject, claims.workshop, claims.tags, claims.content_focus) == (
        "service:chat",
        "spring-boot",
        ("java",),
        "web",
    )
    assert claims.roles == {Role.PARTICIPANT}


@pytest.mark.parametrize("audience", ["library", "chat", "session", ""])
def test_a_token_for_one_service_is_refused_by_another(issuer: TokenIssuer, audience: str):
    with pytest.raises(UnauthenticatedError):
        issuer.verifier().verify(issuer.issue("service:chat", "rag"), audience)


def test_an_expired_token_is_refused(issuer: TokenIssuer):
    with pytest.raises(UnauthenticatedError, match="expired"):
        issuer.verifier().verify(issuer.issue("service:chat", "rag", seconds=-60), "rag")


def test_what_a_chat_agent_holds_makes_no_other_token(issuer: TokenIssuer):
    """It holds the public key, its own token and a cookie secret of its own."""
    verifier, own = issuer.verifier(), issuer.issue("service:chat", "rag", workshop="mine")
    pem = issuer.public_pem()

    def encoded(part: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()

    import hashlib
    import hmac

    def signed_with_public_key(secret: bytes) -> str:
        text = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(payload())}"
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    head, body, signature = own.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["workshop"] = "other"
    forged = {
        "HS256 with the public key as secret": signed_with_public_key(pem),
        "HS256 with the stripped public key": signed_with_public_key(pem.strip()),
        "no algorithm": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(payload())}.",
        "own signature under another workshop": f"{head}.{encoded(changed)}.{signature}",
        "another private key": jwt.encode(payload(), Ed25519PrivateKey.generate(), algorithm="EdDSA"),
        "HS256 with its cookie secret": jwt.encode(payload(), "c" * 32, algorithm="HS256"),
        "a key named in the header": jwt.encode(
            payload(), Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": "core", "jku": "http://127.0.0.1/keys"}
        ),
        "empty": "",
        "garbage": "a.b.c",
    }
    accepted = []
    for name, token in forged.items():
        try:
            verifier.verify(token, "rag")
            accepted.append(name)
        except UnauthenticatedError:
            continue
    assert accepted == []
    assert verifier.verify(own, "rag").workshop == "mine"


def test_a_hostile_workshop_name_in_a_signed_token_is_refused(issuer: TokenIssuer):
    token = issuer.issue("service:chat", "rag", workshop='x" or 1==1')
    with pytest.raises(UnauthenticatedError):
        issuer.verifier().verify(token, "rag")


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "core.pem"
    first, second = TokenIssuer(load_or_create_key(path)), TokenIssuer(load_or_create_key(path))
    assert first.public_pem() == second.public_pem()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["core.pem"]


def test_a_session_gives_the_identity_back(issuer: TokenIssuer):
    author = Identity(id="author:1", name="Ada", email="ada@example.org", roles=frozenset({Role.AUTHOR}))
    assert read_session(issuer.verifier(), issue_session(issuer, author)) == author
    assert read_session(issuer.verifier(), issue_session(issuer, author) + "x") is None
    assert read_session(issuer.verifier(), issuer.issue("author:1", "rag", roles=frozenset({Role.ADMIN}))) is None


def test_each_role_may_what_the_table_says():
    author = Identity(id="a", roles=frozenset({Role.AUTHOR}))
    participant = Identity(id="p", roles=frozenset({Role.PARTICIPANT}), workshop="spring-boot")
    assert may(author, Permission.WORKSHOP_PUBLISH)
    assert not may(author, Permission.JOBS_MANAGE_ALL)
    assert may(participant, Permission.WORKSHOP_ASK, workshop="spring-boot")
    assert not may(participant, Permission.WORKSHOP_ASK, workshop="k8s-security")
    assert not may(participant, Permission.WORKSHOP_ASK)
    assert set(ALLOWED) == set(Role)
    with pytest.raises(ForbiddenError):
        require(participant, Permission.WORKSHOP_PUBLISH, workshop="spring-boot")
    with pytest.raises(UnauthenticatedError):
        require(None, Permission.WORKSHOP_READ)
