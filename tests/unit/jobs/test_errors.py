"""What of an error a job keeps, and which errors are worth another try."""

import json

import pytest

from shared_services.contracts.problems import Problem
from shared_services.jobs.engine import SystemConnection, _json_serializer, _unixepoch
from shared_services.jobs.errors import may_pass, problem_of
from shared_services.kit.errors import (
    BadInputError,
    NotFoundError,
    PlatformError,
    ProblemError,
    RateLimitedError,
    UnavailableError,
)


def test_a_problem_keeps_what_the_error_said() -> None:
    kept = problem_of(NotFoundError("No such branch.", branch="main"))
    assert kept["type"] == "urn:workshop-assistant:problem:not-found"
    assert (kept["status"], kept["detail"], kept["branch"]) == (404, "No such branch.", "main")


def test_a_problem_of_an_unexpected_error_hides_what_it_said() -> None:
    kept = problem_of(KeyError("password=hunter2"))
    assert kept["type"].endswith(":internal")
    assert "KeyError" in kept["detail"]
    assert "hunter2" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BadInputError(), False),
        (NotFoundError(), False),
        (RateLimitedError(), True),
        (UnavailableError(), True),
        (PlatformError(), True),
        (ProblemError(Problem(type="x", title="x", status=409)), False),
        (ConnectionError(), True),
    ],
)
def test_which_errors_may_pass(error: Exception, expected: bool) -> None:
    assert may_pass(error) is expected


@pytest.mark.parametrize("value", [None, [], {"problem": {"a": 1}}, {"value": 1}, "text", {"args": [1], "kwargs": {}}])
def test_results_come_back_as_they_were(value: object) -> None:
    serializer = _json_serializer()
    assert serializer.deserialize(serializer.serialize(value)) == value


def test_an_error_comes_back_as_a_problem() -> None:
    serializer = _json_serializer()
    back = serializer.deserialize(serializer.serialize(NotFoundError("No such branch.", branch="main")))
    assert isinstance(back, ProblemError)
    assert (back.slug, back.status, back.detail, back.extra) == ("not-found", 404, "No such branch.", {"branch": "main"})


def test_an_old_sqlite_gets_the_clock_it_lacks() -> None:
    connection = SystemConnection(":memory:")
    try:
        connection.execute("CREATE TABLE t (at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000), n INTEGER)")
        connection.execute("INSERT INTO t (n) VALUES (1)")
        assert connection.execute("SELECT at > 1700000000000 FROM t").fetchall() == [(1,)]
    finally:
        connection.close()
    assert _unixepoch("subsec") is not None
    assert _unixepoch("auto") is None
