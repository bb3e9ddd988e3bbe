"""Tokens in exchange for a credential: how a service away from the core's private key comes by what it shows to others.

Lifecycle: `keep()` runs for as long as the service does. It asks the core for a token of each audience, again at half of its
life, and again at once when the credential's file has changed. While the core is away it goes on asking, and what is held
goes on being shown until it expires: the core may be gone for five minutes before anybody notices.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
from structlog import get_logger

from shared_services.clients.service import ServiceClient
from shared_services.contracts.tokens import IssuedToken, TokenRequest
from shared_services.kit.errors import PlatformError, UnavailableError
from shared_services.kit.health import Readiness

log = get_logger()

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
LOOK_SECONDS = 10.0
"""How often the file is read; it is a line."""


class TokensClient(ServiceClient):
    """The core's exchange."""

    service = "core's token"

    async def exchange(self, credential: str, audience: str) -> IssuedToken:
        """A token for `audience`.

        Raises:
            ProblemError: Status 401: the credential is not known; 403: it is given no tokens for this audience.
            UnavailableError: The core does not answer.
        """
        headers = {"authorization": f"Bearer {credential}"}
        return await self._model(IssuedToken, "POST", "/api/v1/tokens", body=TokenRequest(audience=audience), headers=headers)


@dataclass(frozen=True)
class _Held:
    token: str
    renew_at: float
    expires_at: float


class ExchangedTokens:
    """A `TokenSource` of the tokens that `keep` holds.

    Args:
        http: Has the core's address as `base_url`; the caller opens and closes it.
        credential_file: Holds the credential, a line of ASCII.
        audiences: The services that tokens are wanted for.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        credential_file: Path,
        audiences: Sequence[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = TokensClient(http)
        self._address = str(http.base_url)
        self._file = credential_file
        self._audiences = tuple(audiences)
        self._clock = clock
        self._credential = ""
        self._held: dict[str, _Held] = {}
        self._refusal = f"the core at {self._address} has not been asked yet"

    def __call__(self, audience: str) -> str:
        """The token for `audience`.

        Raises:
            UnavailableError: None is held; the sentence says why.
        """
        held = self._held.get(audience)
        if held is None or held.expires_at <= self._clock():
            raise UnavailableError(
                f"No token for '{audience}' is held: {self._refusal}. It is asked for again every few seconds."
            )
        return held.token

    async def ready(self) -> str | None:
        """None once every token has been held, else why not; a check of readiness.

        One that expires later decides nothing: a core that is away for long must not take every service that it has ever
        let in away from those who use them. What each of them cannot do, it says itself.
        """
        return None if len(self._held) == len(self._audiences) else self.state()

    def state(self) -> str:
        """Whether every token is held now, or why not; a fact beside readiness."""
        try:
            for audience in self._audiences:
                self(audience)
        except UnavailableError as error:
            return error.detail
        return "held"

    def report(self, readiness: Readiness) -> Readiness:
        """Add the check and the fact, both named `tokens`."""
        readiness.add("tokens", self.ready)
        readiness.tell("tokens", self.state)
        return readiness

    async def keep(self) -> None:
        """Hold tokens until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._renew()
            except PlatformError as error:
                self._note(error)
                wanted = error.extra.get("retry_after", 0)
                least = float(wanted) if isinstance(wanted, int | float) else 0.0
                # Spread, so that a hundred agents do not come back to a core that has just come back.
                await asyncio.sleep(max(pause, min(least, 60.0)) * random.uniform(0.75, 1.25))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            if self._refusal:
                log.info("tokens_held", audiences=list(self._audiences))
            self._refusal, pause = "", FIRST_PAUSE_SECONDS
            next_renewal = min((held.renew_at for held in self._held.values()), default=0.0)
            await asyncio.sleep(min(max(next_renewal - self._clock(), FIRST_PAUSE_SECONDS), LOOK_SECONDS))

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """`keep` for the length of a block."""
        keeping = asyncio.create_task(self.keep())
        try:
            yield
        finally:
            keeping.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.gather(keeping, return_exceptions=True)

    async def _renew(self) -> None:
        """Ask for every token that is due; all of them when the credential is another one."""
        credential = self._read()
        changed = credential != self._credential
        for audience in self._audiences:
            held = self._held.get(audience)
            if not changed and held is not None and self._clock() < held.renew_at:
                continue
            asked_at = self._clock()
            issued = await self._client.exchange(credential, audience)
            self._held[audience] = _Held(issued.token, asked_at + issued.expires_in / 2, asked_at + issued.expires_in)
        self._credential = credential

    def _read(self) -> str:
        try:
            credential = self._file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise UnavailableError(
                f"the credential {self._file} cannot be read ({type(error).__name__}); mount it again"
            ) from error
        if not credential or any(sign.isspace() for sign in credential):
            raise UnavailableError(f"the credential {self._file} is not one line of text; mount it again")
        return credential

    def _note(self, error: PlatformError) -> None:
        """Keep why there is no token, and tell of it once."""
        if error.status == 401:
            told = f"the core at {self._address} does not know the credential {self._file}; register it"
        elif error.status == 403:
            told = f"the core at {self._address} refuses it: {error.detail.rstrip('.')}"
        else:
            told = (error.detail or error.title).rstrip(".").replace(" Try again in a moment", "").rstrip(".")
        if told != self._refusal:
            log.warning("tokens_not_renewed", reason=told)
        self._refusal = told
