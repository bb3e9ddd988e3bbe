"""What a command comes to: its exit status, and for each error one sentence on stderr.

0 done, 1 it could not be done, 2 the input cannot be used, 3 a person must choose, 130 interrupted.
"""

import argparse
import asyncio
import errno
import inspect
import os
import sys

from pydantic import ValidationError
from structlog import get_logger

from shared_services.kit.errors import PlatformError, StorageFullError
from shared_services.kit.logging import configure_logging
from workshop_cli.datafolder import DataFolderError
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, show_error

log = get_logger()

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_NOT_THE_INPUT = frozenset({401, 403, 408, 429})
_MOST_SETTINGS_SHOWN = 5


def run_command(args: argparse.Namespace, runner: asyncio.Runner) -> int:
    """Run the command that `args.run` is.

    Args:
        args: With `run` and `command`.
        runner: Where it runs, if it is asynchronous; stays the caller's to close.

    Returns:
        Its exit status.
    """
    place = ""
    try:
        settings = CliSettings(**({"data": args.data} if args.data else {}))
        place = str(settings.data)
        configure_logging("warning" if args.command != "up" else settings.log_level, as_json=False)
        result = args.run(args, settings)
        status = runner.run(_awaited(result)) if inspect.iscoroutine(result) else int(result)
        sys.stdout.flush()
    except KeyboardInterrupt:
        err.print("Interrupted." if args.command != "up" else "Stopped.")
        return INTERRUPTED if args.command != "up" else 0
    except BrokenPipeError:
        # Whoever read has read enough. Python would complain once more when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        shown = as_sentence(error, place)
        if shown is None:
            log.exception("command_failed", command=args.command)
            where = f"{place}/logs/workshop.log has" if args.command == "up" else "Above are"
            shown = PlatformError(f"A fault of the program ended the command ({type(error).__name__}). {where} the details.")
        show_error(shown)
        return status_of(shown)
    return status


async def _awaited(result: object) -> int:
    assert inspect.isawaitable(result)
    return int(await result)


def status_of(error: PlatformError) -> int:
    """The exit status of an error: 2 where other input would help, else 1."""
    if error.slug == "data-held" or error.status in _NOT_THE_INPUT:
        return FAILED
    return BAD_INPUT if 400 <= error.status < 500 else FAILED


def as_sentence(error: BaseException, data: str) -> PlatformError | None:
    """What an error means for whoever gave the command, on the data folder `data`; None where the program is at fault."""
    if isinstance(error, PlatformError):
        return error
    if isinstance(error, ValidationError) and error.title.endswith("Settings"):
        return InvalidSettingError(_settings_sentence(error))
    if _is_disk_full(error):
        return StorageFullError("The disk is full. Free some space and try again; nothing that was confirmed is lost.")
    if _is_damaged(error):
        return DataFolderError(
            f"A database in the data folder {data} is damaged ({getattr(error, 'orig', error)}). Restore the folder from a "
            "backup, or choose another with --data."
        )
    return None


class InvalidSettingError(PlatformError):
    """A setting or argument has a value that cannot be used."""

    slug = "invalid-setting"
    status = 422
    title = "A setting cannot be used"


def _settings_sentence(error: ValidationError) -> str:
    rows = [
        f"{'.'.join(map(str, row['loc']))}: {row['msg'].removeprefix('Value error, ')}"
        for row in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = f" (and {len(rows) - _MOST_SETTINGS_SHOWN} more)" if len(rows) > _MOST_SETTINGS_SHOWN else ""
    return f"A setting cannot be used: {'; '.join(rows[:_MOST_SETTINGS_SHOWN])}{more}. See docs/configuration.md."


def _is_damaged(error: BaseException) -> bool:
    return any(words in str(error).lower() for words in ("file is not a database", "database disk image is malformed"))


def _is_disk_full(error: BaseException) -> bool:
    said = str(error).lower()
    number = getattr(error, "errno", None)
    return number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in said or "no space left" in said
