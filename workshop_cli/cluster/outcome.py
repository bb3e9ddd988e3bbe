"""What `migrate` and `operate` come to: an exit status, and one sentence on stderr where they fail.

0 done, 1 it could not be done, 2 other input or settings would help, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable

from pydantic import ValidationError
from structlog import get_logger

from shared_services.kit.errors import PlatformError

log = get_logger()

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
_NOT_THE_INPUT = frozenset({401, 403, 404, 408, 409, 429})


def say(line: str) -> None:
    """A line of progress on stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def run_reported(run: Callable[[], int], what: str) -> int:
    """The status of `run`.

    Args:
        run: Does it.
        what: The command, which begins the sentence of an error.
    """
    try:
        return _run_reported(run, what)
    except BrokenPipeError:
        # Whoever watched is gone. Python would complain once more when it flushes at its end.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return FAILED


def _run_reported(run: Callable[[], int], what: str) -> int:
    try:
        status = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        say(f"{what}: interrupted; run it again to go on.")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        sentence, status = told(error)
        if sentence is None:
            log.exception("command_failed", command=what)
            sentence = f"A fault of the program ended it ({type(error).__name__}). Above are the details."
        say(f"{what}: {' '.join(sentence.split())}")
    return status


def told(error: Exception) -> tuple[str | None, int]:
    """What an error means for whoever gave the command, and the exit status; no sentence where the program is at fault."""
    if isinstance(error, PlatformError):
        return error.detail or error.title, status_of(error)
    if isinstance(error, ValidationError) and error.title.endswith("Settings"):
        return settings_sentence(error), BAD_INPUT
    return None, FAILED


def status_of(error: PlatformError) -> int:
    """The exit status of an error: 2 where other input would help, else 1."""
    return BAD_INPUT if 400 <= error.status < 500 and error.status not in _NOT_THE_INPUT else FAILED


def settings_sentence(error: ValidationError) -> str:
    """Which settings are missing or cannot be used; none of their values, which may be secret."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [str(row["loc"][0]) for row in found if row["type"] == "missing"]
    wrong = [f"{row['loc'][0]} ({row['msg'].removeprefix('Value error, ')})" for row in found if row["type"] != "missing"]
    said = [f"not set: {', '.join(missing)}"] if missing else []
    said += [f"not to be used: {', '.join(wrong)}"] if wrong else []
    return f"Settings in the environment are {'; '.join(said)}. See docs/configuration.md."
