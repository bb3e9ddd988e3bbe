"""What errors come to: a sentence on stderr and an exit status."""

import argparse
import asyncio
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from shared_services.contracts.problems import Problem
from shared_services.kit import errors
from workshop_cli.datafolder import DataFolderError, DataHeldError
from workshop_cli.outcome import as_sentence, run_command, status_of
from workshop_cli.settings import CliSettings


def outcome(run: Callable[..., object], command: str = "list") -> int:
    with asyncio.Runner() as runner:
        return run_command(argparse.Namespace(run=run, command=command, data=Path("data")), runner)


def raising(error: BaseException) -> Callable[..., object]:
    async def run(_args: argparse.Namespace, _settings: CliSettings) -> int:
        raise error

    return run


def problem(status: int) -> errors.ProblemError:
    return errors.ProblemError(Problem(type="urn:x", title="X", status=status, detail="It is so."))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.BadInputError("It is so."), 2),
        (errors.NotFoundError("It is so."), 2),
        (errors.TooLargeError("It is so."), 2),
        (errors.ConflictError("It is so."), 2),
        (DataHeldError("It is so."), 1),
        (DataFolderError("It is so."), 1),
        (errors.NewerDataError("It is so."), 1),
        (errors.StorageFullError("It is so."), 1),
        (errors.UnavailableError("It is so."), 1),
        (errors.RateLimitedError("It is so."), 1),
        (errors.ForbiddenError("It is so."), 1),
        (problem(404), 2),
        (problem(422), 2),
        (problem(507), 1),
    ],
)
def test_each_error_has_its_status_and_one_line(
    error: errors.PlatformError, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(error) == status
    assert outcome(raising(error)) == status
    assert capsys.readouterr() == ("", "workshop: It is so.\n")


def test_both_kinds_of_commands_give_their_status() -> None:
    async def later(_args: argparse.Namespace, _settings: CliSettings) -> int:
        return 3

    assert outcome(later) == 3
    assert outcome(lambda _args, _settings: 0) == 0


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "Interrupted.\n"
    assert outcome(raising(KeyboardInterrupt()), "up") == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), errors.StorageFullError),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), errors.StorageFullError),
        (RuntimeError("(sqlite3.DatabaseError) file is not a database"), DataFolderError),
        (RuntimeError("something else"), type(None)),
    ],
)
def test_what_libraries_say_of_disks_is_understood(error: Exception, expected: type) -> None:
    assert type(as_sentence(error, "data")) is expected


def test_a_fault_of_the_program_is_not_shown_as_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(raising(ZeroDivisionError("secret"))) == 1
    said = capsys.readouterr().err
    assert "fault of the program" in said.splitlines()[-1]
    assert "ZeroDivisionError" in said


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WORKSHOP_PORT", "70000")
    assert outcome(lambda _args, _settings: 0) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "WORKSHOP_PORT" in said
    assert "docs/configuration.md" in said
