"""A busy service is asked again when it said, and nothing else is."""

import httpx
import pytest

from shared_services.clients.patience import LONGEST_PAUSE_SECONDS, patiently, pause_of
from shared_services.clients.rag import RagClient
from shared_services.contracts.rag import SearchRequest
from shared_services.kit.errors import ConflictError, PlatformError, ProblemError, RateLimitedError, UnavailableError


async def _tried(*outcomes: PlatformError | str, longest: float = 3600) -> tuple[list[float], object]:
    left = list(outcomes)
    slept: list[float] = []
    told: list[float] = []

    async def call() -> str:
        outcome = left.pop(0)
        if isinstance(outcome, PlatformError):
            raise outcome
        return outcome

    async def on_wait(seconds: float, _error: PlatformError) -> None:
        told.append(seconds)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    try:
        return slept, await patiently(call, on_wait, longest=longest, sleep=sleep)
    except PlatformError as error:
        return slept, error
    finally:
        assert told == slept


async def test_it_waits_as_long_as_the_service_said() -> None:
    busy = RateLimitedError("Full.", retry_after=7)
    assert await _tried(busy, UnavailableError("Down.", retry_after=2), "done") == ([7, 2], "done")


@pytest.mark.parametrize("error", [RateLimitedError("Full."), UnavailableError("Down."), ConflictError("No.", retry_after=5)])
async def test_what_says_nothing_of_waiting_is_raised_at_once(error: PlatformError) -> None:
    assert await _tried(error, "done") == ([], error)


async def test_its_patience_ends() -> None:
    busy = RateLimitedError("Full.", retry_after=7)
    assert await _tried(busy, "done", longest=5) == ([], busy)


@pytest.mark.parametrize(
    ("said", "pause"), [(3, 3), (0.5, 0.5), (-1, 0), (10**9, LONGEST_PAUSE_SECONDS), ("soon", None), (True, None)]
)
def test_what_it_takes_for_a_pause(said: object, pause: float | None) -> None:
    assert pause_of(RateLimitedError("Full.", retry_after=said)) == pause


@pytest.mark.parametrize(("header", "pause"), [("12", 12), ("Fri, 20 Nov 2026 23:00:00 GMT", None), ("", None)])
async def test_a_proxy_s_header_counts_as_well(header: str, pause: float | None) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, headers={"retry-after": header}, text="<html>busy</html>")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://rag") as http:
        with pytest.raises(ProblemError) as busy:
            await RagClient(http).search(SearchRequest(query="x"))
    assert pause_of(busy.value) == pause
