"""Addresses with passwords in them, roles' alterations, and what errors come to."""

import pytest
from psycopg import OperationalError
from pydantic import SecretStr

from shared_services.kit.errors import BadInputError, ConflictError, NotFoundError, UnavailableError
from workshop_cli.cluster.accounts import account, connection_options, server_of
from workshop_cli.cluster.names import chat_address, role_of, workshop_name
from workshop_cli.cluster.outcome import run_reported
from workshop_cli.cluster.roles import Attributes, alterations
from workshop_cli.cluster.server import is_hopeless

PLAIN = Attributes(True, False, False, False, False, False, 10)


def test_an_account_is_what_its_address_says() -> None:
    found = account("X", SecretStr("postgresql://w_a-b:p%40ss%2F@host:5433/workshops"))
    assert (found.role, found.password, found.database) == ("w_a-b", "p@ss/", "workshops")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("postgresql://host/db", "role"),
        ("postgresql://me@host/db", "password"),
        ("postgresql://me:geheim@host", "database"),
        ("mysql://me:geheim@host/db", "not an address of PostgreSQL"),
        ("geheim", "not an address of PostgreSQL"),
        ("postgresql://me:geheim@host:port/db", "not an address of PostgreSQL"),
        (f"postgresql://{'r' * 64}:geheim@host/db", "more than 63 bytes"),
    ],
)
def test_an_address_that_misses_something_is_refused_without_being_repeated(url: str, missing: str) -> None:
    with pytest.raises(BadInputError, match=missing) as refused:
        account("DATABASE_URL", SecretStr(url))
    assert refused.value.detail.startswith("DATABASE_URL")
    assert "geheim" not in refused.value.detail


def test_options_of_a_connection_and_where_it_goes() -> None:
    url = SecretStr("postgresql://u:p%3A@h:1/postgres?sslmode=require")
    assert connection_options("X", url, "workshops") == {
        "user": "u", "password": "p:", "host": "h", "port": 1, "dbname": "workshops", "sslmode": "require"
    }  # fmt: skip
    assert server_of("X", url) == "h:1"


def test_only_what_differs_is_altered() -> None:
    assert alterations(PLAIN, 10).as_string(None) == "CONNECTION LIMIT 10"
    assert alterations(None, 5).as_string(None) == "LOGIN CONNECTION LIMIT 5"
    grown = Attributes(False, False, True, True, False, True, -1)
    assert alterations(grown, 5).as_string(None) == "LOGIN NOCREATEDB NOCREATEROLE NOBYPASSRLS CONNECTION LIMIT 5"


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a b", "ä", "a" * 55, "a\n"])
def test_names_that_no_workshop_has(name: str) -> None:
    with pytest.raises(BadInputError):
        workshop_name(name)


def test_names_that_follow() -> None:
    longest = "a" * 54
    assert workshop_name(longest) == longest
    assert len(role_of(longest)) < 63
    assert chat_address("a-b") == "http://chat-agent.a-b-workshop.svc:8080"


@pytest.mark.parametrize(
    ("said", "hopeless"),
    [
        ('FATAL:  password authentication failed for user "postgres"', True),
        ("connection refused", False),
        ("could not translate host name to address", False),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  sorry, too many clients already", False),
    ],
)
def test_what_waiting_helps_against(said: str, hopeless: bool) -> None:
    assert is_hopeless(OperationalError(said)) is hopeless


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (BadInputError("Wrong\nin  two lines."), 2, "it: Wrong in two lines.\n"),
        (ConflictError("Busy."), 1, "it: Busy.\n"),
        (NotFoundError("Gone."), 1, "it: Gone.\n"),
        (UnavailableError("Away."), 1, "it: Away.\n"),
        (KeyboardInterrupt(), 130, "it: interrupted; run it again to go on.\n"),
    ],
)
def test_an_error_is_one_sentence_and_a_status(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_reported(lambda: _raise(error), "it") == status
    assert capsys.readouterr().err == sentence


def test_a_fault_of_the_program_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_reported(lambda: _raise(ZeroDivisionError()), "it") == 1
    assert "A fault of the program ended it (ZeroDivisionError)" in capsys.readouterr().err
