"""What a `Prefer` header asks for."""

import pytest

from shared_services.kit.preferences import prefers_async


@pytest.mark.parametrize(
    "headers",
    [
        ["respond-async"],
        ["Respond-Async"],
        ["respond-async, wait=10"],
        ["wait=10 ,\trespond-async"],
        ["return=minimal", "respond-async; foo=bar"],
        ['respond-async=""'],
        ['foo="a \\" b", respond-async'],
    ],
)
def test_it_is_asked_for(headers: list[str]) -> None:
    assert prefers_async(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["wait=10"],
        ["respond-asynchronously"],
        ["x-respond-async"],
        ['foo="x, respond-async, y"'],
        ["foo; respond-async"],
        [","],
    ],
)
def test_it_is_not_asked_for(headers: list[str]) -> None:
    assert not prefers_async(headers)
