"""Who is let in, by what, and who is not."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request

from shared_services.contracts.identity import Identity, Role
from shared_services.kit.errors import ForbiddenError, RateLimitedError, UnauthenticatedError
from shared_services.kit.identity import SESSION_COOKIE, issue_hand_over, issue_session
from shared_services.kit.tokens import TokenIssuer
from workshop_chat.errors import JoinRequiredError, OtherWorkshopError, WrongJoinCodeError
from workshop_chat.participants import PARTICIPANT_COOKIE, TEACHER_COOKIE, Participants, TryLimit, display_name, same_code

ISSUER = TokenIssuer(Ed25519PrivateKey.generate())
KEY = b"k" * 32


def participants(workshop: str = "kettle", access: str = "open", key: bytes = KEY, code: str | None = "steam") -> Participants:
    return Participants(workshop, ISSUER.verifier(), key, access=access, join_code=code)  # type: ignore[arg-type]


def request(*, token: str | None = None, cookies: dict[str, str] | None = None, root: str = "") -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    if cookies:
        headers.append((b"cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()))
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "root_path": root,
            "headers": headers,
            "client": ("10.0.0.1", 1),
            "state": {},
        }
    )


def given_cookie(sent: Request) -> str:
    return sent.state.participant_cookie.split(";")[0].partition("=")[2]


def test_a_newcomer_to_an_open_workshop_gets_a_cookie_that_holds():
    first = request(root="/w/kettle")
    newcomer = participants().identify(first)
    header = first.state.participant_cookie
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "Path=/w/kettle;" in header + ";"
    again = participants().identify(request(cookies={PARTICIPANT_COOKIE: given_cookie(first)}))
    assert again.id == newcomer.id
    assert participants().identify(request()).id != newcomer.id


def test_a_stranger_needs_the_code_where_one_is_asked_for():
    with pytest.raises(JoinRequiredError):
        participants(access="code").identify(request())


def test_joining_by_code():
    door = participants(access="code")
    sent = request()
    with pytest.raises(WrongJoinCodeError):
        door.join(sent, "smoke", "Ada")
    joined = door.join(sent, " steam ", "  Ada   L ")
    assert joined.name == "Ada L"
    assert door.identify(request(cookies={PARTICIPANT_COOKIE: given_cookie(sent)})).id == joined.id


def test_joining_again_keeps_the_id():
    door = participants(access="code")
    sent = request()
    first = door.join(sent, "steam", "Ada")
    again = door.join(request(cookies={PARTICIPANT_COOKIE: given_cookie(sent)}), "steam", "Grace")
    assert (again.id, again.name) == (first.id, "Grace")


def test_guessing_codes_is_slowed_down():
    door = participants(access="code")
    for _ in range(10):
        with pytest.raises(WrongJoinCodeError):
            door.join(request(), "guess", "")
    with pytest.raises(RateLimitedError):
        door.join(request(), "steam", "")


def test_a_class_that_joins_at_once_from_one_address_is_let_in():
    door = participants(access="code")
    names = [f"Pupil {number}" for number in range(40)]
    assert [door.join(request(), "steam", name).name for name in names] == names


@pytest.mark.parametrize("typed", ["steam", " STEAM ", "s t e a m", "Ste-am", "st\u00a0eam"])
def test_capitals_blanks_and_hyphens_are_no_part_of_a_code(typed: str):
    assert same_code(typed, "Steam")


@pytest.mark.parametrize("typed", ["", " ", "stea", "steamy", "st.eam"])
def test_another_code_is_another(typed: str):
    assert not same_code(typed, "Steam")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("  Ada \n L ", "Ada L"),
        ("\u202eadA", "adA"),
        ("\U0001f469\u200d\U0001f680 Ada", "\U0001f469\u200d\U0001f680 Ada"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645"),
        ("\u200d\u200c", ""),
        ("x" * 500, "x" * 80),
    ],
)
def test_a_name_keeps_what_is_part_of_its_spelling(given: str, shown: str):
    assert display_name(given) == shown


def test_the_limit_is_for_each_address_and_passes(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr("workshop_chat.participants.time.monotonic", lambda: now)
    limit = TryLimit(tries=1, seconds=60)
    limit.failed("a")
    limit.check("b")
    with pytest.raises(RateLimitedError, match="Wait 60 seconds"):
        limit.check("a")
    now = 161.0
    limit.check("a")


@pytest.mark.parametrize(
    "cookie",
    [
        "nonsense",
        jwt.encode({"sub": "author:1", "aud": "participant:kettle", "exp": 9_999_999_999}, b"x" * 32, "HS256"),
        jwt.encode({"sub": "author:1", "aud": "participant:kettle", "exp": 9_999_999_999}, KEY, "HS256"),
        jwt.encode({"sub": "author:1", "aud": "participant:kettle", "exp": 9_999_999_999}, "", "none"),
        ISSUER.issue("author:1", "participant:kettle"),
    ],
)
def test_a_forged_cookie_is_nobodys(cookie: str):
    with pytest.raises(JoinRequiredError):
        participants(access="code").identify(request(cookies={PARTICIPANT_COOKIE: cookie}))
    assert participants().identify(request(cookies={PARTICIPANT_COOKIE: cookie})).id != "author:1"


def test_a_cookie_of_another_workshop_is_nobodys_even_under_the_same_secret():
    sent = request()
    participants("teapot").identify(sent)
    with pytest.raises(JoinRequiredError):
        participants("kettle", access="code").identify(request(cookies={PARTICIPANT_COOKIE: given_cookie(sent)}))


def test_an_expired_cookie_is_nobodys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workshop_chat.participants.PARTICIPANT_SECONDS", -1)
    sent = request()
    participants().identify(sent)
    with pytest.raises(JoinRequiredError):
        participants(access="code").identify(request(cookies={PARTICIPANT_COOKIE: given_cookie(sent)}))


def test_tokens():
    door = participants(access="code")
    own = ISSUER.issue("participant:p", "chat", workshop="kettle", roles=frozenset({Role.PARTICIPANT}))
    assert door.identify(request(token=own)).id == "participant:p"
    assert door.identify(request(token=ISSUER.issue("service:eval", "chat", workshop="kettle"))).via == "token"
    assert door.identify(request(token=ISSUER.issue("author:a", "chat", roles=frozenset({Role.AUTHOR})))).id == "author:a"
    with pytest.raises(OtherWorkshopError):
        door.identify(
            request(token=ISSUER.issue("participant:p", "chat", workshop="teapot", roles=frozenset({Role.PARTICIPANT})))
        )
    with pytest.raises(OtherWorkshopError):
        door.identify(request(token=ISSUER.issue("author:a", "chat", workshop="teapot", roles=frozenset({Role.ADMIN}))))
    with pytest.raises(ForbiddenError):
        door.identify(request(token=ISSUER.issue("participant:p", "chat", roles=frozenset({Role.PARTICIPANT}))))


@pytest.mark.parametrize(
    "token",
    [
        ISSUER.issue("author:a", "rag", roles=frozenset({Role.ADMIN})),
        ISSUER.issue("author:a", "chat", seconds=-60, roles=frozenset({Role.ADMIN})),
        TokenIssuer(Ed25519PrivateKey.generate()).issue("author:a", "chat", roles=frozenset({Role.ADMIN})),
        "nonsense",
    ],
)
def test_a_token_that_does_not_hold_is_an_error_even_beside_a_good_cookie(token: str):
    sent = request()
    participants().identify(sent)
    with pytest.raises(UnauthenticatedError):
        participants().identify(request(token=token, cookies={PARTICIPANT_COOKIE: given_cookie(sent)}))


def test_sessions():
    door = participants(access="code")
    author = issue_session(ISSUER, Identity(id="author:a", name="Ada", roles=frozenset({Role.AUTHOR})))
    found = door.identify(request(cookies={SESSION_COOKIE: author}))
    assert (found.id, found.name, found.via) == ("author:a", "Ada", "session")
    elsewhere = issue_session(ISSUER, Identity(id="participant:p", roles=frozenset({Role.PARTICIPANT}), workshop="teapot"))
    with pytest.raises(OtherWorkshopError):
        door.identify(request(cookies={SESSION_COOKIE: elsewhere}))
    with pytest.raises(JoinRequiredError):
        door.identify(request(cookies={SESSION_COOKIE: author + "x"}))


def test_what_a_chat_agent_holds_signs_nothing_that_the_platform_takes():
    public = ISSUER.public_pem()
    now = time.time()
    payload = {"iss": "workshop-assistant", "sub": "author:a", "iat": now, "exp": now + 600, "roles": ["admin"]}
    for key in (public, KEY):
        # By hand: PyJWT refuses to sign with a public key as a secret.
        with pytest.raises(UnauthenticatedError):
            participants().identify(request(token=forge_hs256({**payload, "aud": "chat"}, key)))
        session = forge_hs256({**payload, "aud": "session"}, key)
        with pytest.raises(JoinRequiredError):
            participants(access="code").identify(request(cookies={SESSION_COOKIE: session}))


def forge_hs256(payload: dict, key: bytes) -> str:
    import base64
    import hashlib
    import hmac
    import json

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(payload).encode())}"
    return f"{signed}.{part(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def test_a_short_key_or_a_missing_code_is_an_error_at_the_start():
    with pytest.raises(ValueError, match="32"):
        participants(key=b"short")
    with pytest.raises(ValueError, match="join code"):
        participants(access="code", code=None)


ADA = Identity(id="oidc:ada", name="Ada", roles=frozenset({Role.AUTHOR}))


def test_whom_the_console_hands_over_runs_the_workshop_until_their_cookie_ends():
    sent = request()
    participants(access="code").hand_over(sent, issue_hand_over(ISSUER, ADA, "kettle"))
    cookie = given_cookie(sent)
    assert sent.state.participant_cookie.startswith(f"{TEACHER_COOKIE}=")
    ada = participants(access="code").identify(request(cookies={TEACHER_COOKIE: cookie}))
    assert (ada.id, ada.name, ada.via, ada.teaches) == ("oidc:ada", "Ada", "session", True)
    assert participants("teapot").identify(request(cookies={TEACHER_COOKIE: cookie})).teaches is False
    # Neither cookie is taken for the other.
    joined = request()
    participants().join(joined, "steam", "Kim")
    assert participants().identify(request(cookies={TEACHER_COOKIE: given_cookie(joined)})).teaches is False
    assert participants().identify(request(cookies={PARTICIPANT_COOKIE: cookie})).id != "oidc:ada"


def test_a_hand_over_is_for_one_workshop_its_teachers_and_a_minute():
    kim = Identity(id="oidc:kim", roles=frozenset({Role.PARTICIPANT}))
    late = ISSUER.issue("oidc:ada", "workshop-sign-in", seconds=-60, workshop="kettle", roles=frozenset({Role.AUTHOR}))
    with pytest.raises(OtherWorkshopError):
        participants().hand_over(request(), issue_hand_over(ISSUER, ADA, "teapot"))
    with pytest.raises(ForbiddenError):
        participants().hand_over(request(), issue_hand_over(ISSUER, kim, "kettle"))
    for token in ("", "junk", late, issue_session(ISSUER, ADA)):
        with pytest.raises(UnauthenticatedError):
            participants().hand_over(request(), token)
    # And it is no session.
    assert participants().identify(request(cookies={SESSION_COOKIE: issue_hand_over(ISSUER, ADA, "kettle")})).teaches is False
