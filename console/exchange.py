"""`POST /api/v1/tokens`: a service shows its credential and is given a token of ten minutes for one audience.

What is not known is answered in one way, whatever it is. How often may be asked is counted in this process, by caller's
address for what is refused and by subject for what is given; behind a proxy all who come through it are one address.
"""

import time
from collections import deque
from collections.abc import Callable

from fastapi import APIRouter, Request

from console.credentials import CredentialRepository, audiences_of
from shared_services.contracts.tokens import IssuedToken, TokenRequest
from shared_services.kit.auth import bearer_token
from shared_services.kit.errors import ForbiddenError, RateLimitedError, UnauthenticatedError
from shared_services.kit.tokens import SERVICE_TOKEN_SECONDS, TokenIssuer

WINDOW_SECONDS = 60.0
MOST_REFUSED = 30
"""Of one address in a window. A chat agent whose registration is still to come asks four times a minute."""
MOST_GIVEN = 120
"""Of one subject in a window. A replica asks for two audiences in five minutes, and twice when it starts."""
MOST_COUNTED = 10_000


class Meter:
    """Counts what happened under a name within the last window; names beyond `MOST_COUNTED` push out the oldest."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def check(self, name: str) -> None:
        """Let a name pass that has not had its measure.

        Raises:
            RateLimitedError: It has; `retry_after` tells when it has room again.
        """
        times = self._recent(name)
        if len(times) >= self._most:
            wait = max(1, round(times[0] + WINDOW_SECONDS - self._clock()))
            raise RateLimitedError(f"Too many requests for tokens. Ask again in {wait} s.", retry_after=wait)

    def count(self, name: str) -> None:
        """Note that it happened."""
        times = self._recent(name)
        times.append(self._clock())
        self._times[name] = times
        if len(self._times) > MOST_COUNTED:
            self._times.pop(next(iter(self._times)))

    def _recent(self, name: str) -> deque[float]:
        # Taken out and put back by `count`, so that the names stand in the order in which they were last counted.
        times = self._times.pop(name, None) or deque[float](maxlen=self._most)
        since = self._clock() - WINDOW_SECONDS
        while times and times[0] <= since:
            times.popleft()
        if times:
            self._times[name] = times
        return times


def exchange_router(credentials: CredentialRepository, issuer: TokenIssuer) -> APIRouter:
    """The route `POST /api/v1/tokens`."""
    router = APIRouter(prefix="/api/v1", tags=["tokens"])
    refused, given = Meter(MOST_REFUSED), Meter(MOST_GIVEN)

    @router.post("/tokens")
    async def exchange(wanted: TokenRequest, request: Request) -> IssuedToken:
        caller = request.client.host if request.client else ""
        refused.check(caller)
        found = await credentials.find(bearer_token(request.headers.get("authorization")) or "")
        if found is None:
            refused.count(caller)
            raise UnauthenticatedError("This credential is not known here.")
        given.check(found.subject)
        given.count(found.subject)
        if wanted.audience not in audiences_of(found.subject):
            raise ForbiddenError(f"{found.subject} is given no tokens for '{wanted.audience}'.")
        token = found.token(issuer, wanted.audience, SERVICE_TOKEN_SECONDS)
        return IssuedToken(token=token, expires_in=SERVICE_TOKEN_SECONDS)

    return router
