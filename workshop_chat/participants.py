"""Who is asking, at a chat agent: a token, the platform's session, or a cookie of the chat agent's own.

A chat agent cannot sign anything that the platform would believe: its participants' cookies are signed with its own secret and
name its own workshop. It never signs with, or accepts, the platform's key as a secret.
"""

import hashlib
import hmac
import re
import time
import uuid
from dataclasses import dataclass
from typing import Literal

import jwt
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared_services.contracts.identity import Identity, Role
from shared_services.kit.auth import bearer_token
from shared_services.kit.errors import ForbiddenError, RateLimitedError
from shared_services.kit.identity import HAND_OVER_AUDIENCE, SESSION_COOKIE, Permission, identity_of, may, read_session, require
from shared_services.kit.tokens import Claims, TokenVerifier
from workshop_chat.errors import JoinRequiredError, OtherWorkshopError, WrongJoinCodeError

AUDIENCE = "chat"
PARTICIPANT_COOKIE = "workshop_participant"
PARTICIPANT_SECONDS = 90 * 24 * 3600
TEACHER_COOKIE = "workshop_teacher"
TEACHER_SECONDS = 12 * 3600
MIN_KEY_BYTES = 32
JOIN_TRIES = 10
JOIN_WINDOW_SECONDS = 60.0
MAX_NAME_CHARACTERS = 80
_JOINERS = "\u200c\u200d"
"""Invisible, and part of how Persian, Hindi and others are spelt, and of emoji made of several."""
_ALGORITHM = "HS256"
_STATE = "participant_cookie"
_MAX_ADDRESSES = 10_000


@dataclass(frozen=True)
class Participant:
    """Someone who may read the workshop and ask.

    Attributes:
        id: Stable; history is kept under it.
        name: What they want to be called; may be empty.
        via: How they were recognised.
        teaches: They run the workshop: they see its board and insights, and take none of its places.
        newcomer: They were given their id with this request, so nothing says yet that they will come again.
    """

    id: str
    name: str
    via: Literal["token", "session", "cookie"]
    teaches: bool = False
    newcomer: bool = False


def display_name(given: str) -> str:
    """A name as it is shown: on one line, printable, at most `MAX_NAME_CHARACTERS`."""
    shown = "".join(char for char in " ".join(given.split()) if char.isprintable() or char in _JOINERS)
    return shown[:MAX_NAME_CHARACTERS].strip(_JOINERS)


def same_code(given: str, code: str) -> bool:
    """Whether somebody typed this join code: blanks, hyphens and the case of letters are no part of it."""
    typed, wanted = ("".join(re.split(r"[\s-]+", text)).casefold().encode() for text in (given, code))
    return hmac.compare_digest(typed, wanted)


class TryLimit:
    """At most `tries` in `seconds` for each address; kept in memory, and forgotten with the process.

    Failures alone are counted: a class that joins at once from one address is no attack.
    """

    def __init__(self, tries: int = JOIN_TRIES, seconds: float = JOIN_WINDOW_SECONDS) -> None:
        self._tries = tries
        self._seconds = seconds
        self._seen: dict[str, list[float]] = {}

    def check(self, address: str) -> None:
        """Whether one more try may be made.

        Raises:
            RateLimitedError: Too many failed already.
        """
        now = time.monotonic()
        recent = self._recent(address, now)
        if len(recent) >= self._tries:
            wait = max(1, round(self._seconds - (now - recent[0])))
            raise RateLimitedError(f"Too many tries to join. Wait {wait} seconds and try again.", retry_after=wait)

    def failed(self, address: str) -> None:
        """Count a try that failed."""
        now = time.monotonic()
        if len(self._seen) >= _MAX_ADDRESSES:
            self._seen = {key: times for key, times in self._seen.items() if now - times[-1] < self._seconds}
        self._seen[address] = [*self._recent(address, now), now]

    def _recent(self, address: str, now: float) -> list[float]:
        return [at for at in self._seen.get(address, []) if now - at < self._seconds]


class Participants:
    """Recognises and admits the participants of one workshop.

    Args:
        workshop: Its slug.
        verifier: Checks the platform's tokens and sessions.
        key: The chat agent's own secret, 32 bytes or more.
        access: `open` admits whoever comes, `code` whoever has the join code.
        join_code: Needed where `access` is `code`.
        secure: Whether cookies travel over https alone.

    Raises:
        ValueError: The key is too short, or there is no join code where one is needed.
    """

    def __init__(
        self,
        workshop: str,
        verifier: TokenVerifier,
        key: bytes,
        *,
        access: Literal["open", "code"],
        join_code: str | None = None,
        secure: bool = False,
    ) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key that signs participants' cookies has {len(key)} bytes; it needs {MIN_KEY_BYTES} or more")
        if access == "code" and not join_code:
            raise ValueError("WORKSHOP_ACCESS is `code`, so there must be a join code")
        self.workshop = workshop
        self.access = access
        self._verifier = verifier
        # Bound to the workshop: chat agents that were given the same secret still do not take each other's cookies.
        self._key = hmac.new(key, f"participant:{workshop}".encode(), hashlib.sha256).digest()
        self._join_code = join_code
        self._secure = secure
        self._limit = TryLimit()

    def identify(self, request: Request) -> Participant:
        """Who sends this request. A newcomer to an open workshop is given an id, and a cookie with the response.

        Raises:
            UnauthenticatedError: A bearer token that does not hold.
            OtherWorkshopError: A token or session of another workshop.
            ForbiddenError: A role that may not ask.
            JoinRequiredError: Nobody, where a join code is needed.
        """
        token = bearer_token(request.headers.get("authorization"))
        if token is not None:
            return self.of_token(self._verifier.verify(token, AUDIENCE))
        session = read_session(self._verifier, request.cookies.get(SESSION_COOKIE))
        if session is not None:
            return self._admit(session, "session")
        teacher = self._read(request.cookies.get(TEACHER_COOKIE), teaches=True)
        if teacher is not None:
            return teacher
        known = self._read(request.cookies.get(PARTICIPANT_COOKIE))
        if known is not None:
            return known
        if self.access == "code":
            raise JoinRequiredError("Open the join link that you were given, or enter its code.")
        return self._welcome(request, "")

    def of_token(self, claims: Claims) -> Participant:
        """Who a token speaks for that was verified for this service.

        Raises:
            OtherWorkshopError: It is another workshop's.
            ForbiddenError: A role that may not ask.
        """
        return self._admit(identity_of(claims), "token")

    def _admit(self, identity: Identity, via: Literal["token", "session"]) -> Participant:
        if identity.workshop not in (None, self.workshop):
            raise OtherWorkshopError(f"You are signed in for the workshop '{identity.workshop}', and this is '{self.workshop}'.")
        if via == "token" and identity.workshop is None and not identity.roles & {Role.AUTHOR, Role.ADMIN}:
            raise OtherWorkshopError("A token that names no workshop must be an author's or an administrator's.")
        # A token of this workshop without a role speaks for a participant.
        known = identity if identity.roles else identity.model_copy(update={"roles": frozenset({Role.PARTICIPANT})})
        require(known, Permission.WORKSHOP_ASK, workshop=self.workshop)
        teaches = may(known, Permission.WORKSHOP_TEACH, workshop=self.workshop)
        return Participant(identity.id, identity.name, via, teaches)

    def hand_over(self, request: Request, token: str) -> Participant:
        """Sign in whoever the console sends here to look after the workshop; the response sets their cookie.

        Raises:
            UnauthenticatedError: The console's token does not hold, or not any more.
            OtherWorkshopError: It is another workshop's.
            ForbiddenError: They do not run the workshop.
        """
        identity = identity_of(self._verifier.verify(token, HAND_OVER_AUDIENCE))
        if identity.workshop != self.workshop:
            raise OtherWorkshopError(f"This is the workshop '{self.workshop}', and you were sent to another.")
        require(identity, Permission.WORKSHOP_TEACH, workshop=self.workshop)
        participant = Participant(identity.id, identity.name, "session", teaches=True)
        self._give_cookie(request, participant)
        return participant

    def _read(self, cookie: str | None, *, teaches: bool = False) -> Participant | None:
        if not cookie:
            return None
        try:
            claims = jwt.decode(
                cookie,
                self._key,
                algorithms=[_ALGORITHM],
                audience=self._cookie_audience(teaches),
                options={"require": ["exp", "aud", "sub"]},
            )
        except jwt.InvalidTokenError:
            return None
        return Participant(str(claims["sub"]), str(claims.get("name", "")), "session" if teaches else "cookie", teaches)

    def _cookie_audience(self, teaches: bool) -> str:
        return f"{'teacher' if teaches else 'participant'}:{self.workshop}"

    def _welcome(self, request: Request, name: str) -> Participant:
        participant = Participant(f"participant:{uuid.uuid4().hex}", name, "cookie", newcomer=True)
        self._give_cookie(request, participant)
        return participant

    def _give_cookie(self, request: Request, participant: Participant) -> None:
        name, seconds = (TEACHER_COOKIE, TEACHER_SECONDS) if participant.teaches else (PARTICIPANT_COOKIE, PARTICIPANT_SECONDS)
        payload = {
            "sub": participant.id,
            "name": participant.name,
            "aud": self._cookie_audience(participant.teaches),
            "exp": int(time.time()) + seconds,
        }
        carrier = Response()
        carrier.set_cookie(
            name,
            jwt.encode(payload, self._key, algorithm=_ALGORITHM),
            max_age=seconds,
            path=request.scope.get("root_path") or "/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )
        setattr(request.state, _STATE, carrier.headers["set-cookie"])

    def forget(self, request: Request) -> None:
        """Take the chat agent's own cookie from whoever sends this request; with the response, be they known by it or not."""
        carrier = Response()
        carrier.delete_cookie(
            PARTICIPANT_COOKIE,
            path=request.scope.get("root_path") or "/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )
        setattr(request.state, _STATE, carrier.headers["set-cookie"])

    def join(self, request: Request, code: str, name: str) -> Participant:
        """Admit someone by join code (any code where the workshop is open), under a display name; the response sets their cookie.

        Someone who has joined already keeps their id, and so their history, and needs no code to change their name.

        Raises:
            RateLimitedError: Too many tries from this address.
            WrongJoinCodeError: The code is not this workshop's.
        """
        known = self._read(request.cookies.get(PARTICIPANT_COOKIE))
        if self.access == "code" and known is None:
            address = request.client.host if request.client else ""
            self._limit.check(address)
            assert self._join_code is not None
            if not same_code(code, self._join_code):
                self._limit.failed(address)
                raise WrongJoinCodeError("Check the code for typing errors, or ask whoever runs the workshop for it.")
        shown = display_name(name)
        if known is None:
            return self._welcome(request, shown)
        return self.rename(request, known, shown or known.name)

    def known(self, request: Request) -> Participant | None:
        """Who has joined already, by their cookie."""
        return self._read(request.cookies.get(PARTICIPANT_COOKIE))

    def rename(self, request: Request, who: Participant, name: str) -> Participant:
        """Give somebody who joined another display name, which may be empty; the response sets their cookie.

        Raises:
            ForbiddenError: They are signed in, and have the name of their sign-in.
        """
        if who.via != "cookie":
            raise ForbiddenError("You are signed in, and your name is that of your sign-in. Change it there.")
        participant = Participant(who.id, display_name(name), "cookie")
        self._give_cookie(request, participant)
        return participant


class ParticipantCookieMiddleware:
    """Adds the cookie that `Participants` gave during a request to its response, whatever kind of response that is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _STATE in state:
                MutableHeaders(scope=message).append("set-cookie", state[_STATE])
            await send(message)

        await self.app(scope, receive, send_with_cookie)
