"""Who may come in, and join codes."""

import pytest

from workshop_cli.access import JOIN_CODE_ALPHABET, access_for, is_loopback, join_code
from workshop_cli.settings import CliSettings


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("workshop.example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert access_for(CliSettings(host=host, access=None)) == ("open" if expected else "code")


@pytest.mark.parametrize("access", ["open", "code"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_what_is_set_overrules_the_address(host: str, access: str) -> None:
    assert access_for(CliSettings(host=host, access=access)) == access


def test_a_join_code_follows_from_secret_and_workshop() -> None:
    code = join_code(b"s" * 32, "garden")
    assert code == join_code(b"s" * 32, "garden")
    assert len(code) == 8
    assert set(code) <= set(JOIN_CODE_ALPHABET)
    assert len({code, join_code(b"t" * 32, "garden"), join_code(b"s" * 32, "gardens")}) == 3


def test_a_join_code_can_be_read_aloud() -> None:
    assert not set("01IO") & set(JOIN_CODE_ALPHABET)
    assert 256 % len(JOIN_CODE_ALPHABET) == 0, "each sign is equally likely"
