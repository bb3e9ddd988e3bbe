"""The command `workshop`: reads the arguments, runs one command, turns errors into one sentence and an exit status.

0 done, 1 it could not be done, 2 the input cannot be used, 3 a person must choose.
"""

import argparse
import asyncio
import errno
import inspect
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared_services.kit.errors import PlatformError, StorageFullError
from shared_services.kit.logging import configure_logging
from workshop_cli import up
from workshop_cli.commands import ask, convert, manage, publish, signin
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, show_error

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

Run = Callable[[argparse.Namespace, CliSettings], int | Awaitable[int]]
AddArguments = Callable[[argparse.ArgumentParser], None]

COMMANDS: dict[str, tuple[str, AddArguments, Run]] = {
    "up": ("start everything in one process", up.add_arguments, up.run),
    "convert": ("turn a repository into a workshop, with a report", convert.add_arguments, convert.run),
    "publish": ("publish a workshop folder", publish.add_arguments, publish.run),
    "list": ("list the published workshops", manage.add_list_arguments, manage.run_list),
    "show": ("show one workshop", manage.add_show_arguments, manage.run_show),
    "remove": ("remove a workshop", manage.add_remove_arguments, manage.run_remove),
    "ask": ("ask a workshop's assistant", ask.add_arguments, ask.run),
    "sign-in": ("print a sign-in link to the running server", signin.add_arguments, signin.run),
}


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    root = argparse.ArgumentParser(prog="workshop", description="Turns Git repositories into workshops with an assistant.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, add_arguments, run) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"workshop {name}: {summary}.")
        command.add_argument("--data", type=Path, metavar="DIR", help="the data folder (default: $WORKSHOP_DATA, else ./data)")
        add_arguments(command)
        command.set_defaults(run=run)
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command and give its exit status."""
    args = parser().parse_args(argv)
    try:
        settings = CliSettings(**({"data": args.data} if args.data else {}))
        configure_logging("warning" if args.command != "up" else settings.log_level, as_json=False)
        return _run(args, settings)
    except ValidationError as error:
        rows = "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in error.errors())
        show_error(PlatformError(f"A setting or argument cannot be used: {rows}. See docs/configuration.md."))
        return BAD_INPUT
    except PlatformError as error:
        show_error(error)
        return BAD_INPUT if 400 <= error.status < 500 and error.slug not in ("data-held",) else FAILED
    except KeyboardInterrupt:
        err.print("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except (OSError, DBAPIError, sqlite3.Error) as error:
        full = _disk_full(error)
        if full is None:
            raise
        show_error(full)
        return FAILED


def _run(args: argparse.Namespace, settings: CliSettings) -> int:
    result = args.run(args, settings)
    if not inspect.isawaitable(result):
        return int(result)

    async def wait() -> int:
        return int(await result)

    return asyncio.run(wait())


def _disk_full(error: BaseException) -> StorageFullError | None:
    said = str(error).lower()
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in said or "no space left" in said:
        return StorageFullError("The disk is full. Free some space and try again; nothing that was confirmed is lost.")
    return None


if __name__ == "__main__":
    sys.exit(main())
