"""The command `workshop`: which commands there are, and the arguments of the one that was given.

A command's module is imported when that command is given and not before, so that `--help` and completion are quick.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from workshop_cli.arguments import add_data

if TYPE_CHECKING:
    from workshop_cli.settings import CliSettings

_INTERRUPTED = 130

COMMANDS = {
    "up": ("workshop_cli.up", "start everything in one process"),
    "convert": ("workshop_cli.commands.convert", "turn a repository into a workshop, with a report"),
    "classify": ("workshop_cli.commands.classify", "say what a repository can be read as, and why"),
    "inspect": (
        "workshop_cli.commands.inspect",
        "list what an application's repository holds, and make a workshop's skeleton of it",
    ),
    "check": ("workshop_cli.commands.check", "say what is wrong with a workshop, with file and line"),
    "diff": ("workshop_cli.commands.diff", "compare two workshops, or two states of a source, step by step"),
    "update": ("workshop_cli.commands.update", "merge a newer commit of the source into a workshop folder changed by hand"),
    "export": ("workshop_cli.commands.export", "write a workshop folder as an Antora site, for Educates or for MkDocs"),
    "publish": ("workshop_cli.commands.publish", "publish a workshop folder"),
    "list": ("workshop_cli.commands.list", "list the published workshops"),
    "show": ("workshop_cli.commands.show", "show one workshop"),
    "remove": ("workshop_cli.commands.remove", "remove a workshop"),
    "documents": ("workshop_cli.commands.documents", "add, list and remove documents that many workshops share"),
    "reindex": ("workshop_cli.commands.reindex", "index anew what another embedding model has left behind"),
    "ask": ("workshop_cli.commands.ask", "ask a workshop's assistant"),
    "sign-in": ("workshop_cli.commands.sign_in", "print a sign-in link to the running server"),
}
"""Name -> the module that is the command, and what it does."""


class Command(Protocol):
    """A module that is a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, args: argparse.Namespace, settings: "CliSettings") -> int | Awaitable[int]:
        """Do it, and give the exit status."""


class _CommandParser(argparse.ArgumentParser):
    """One command's arguments, which its module adds once the command is given."""

    module = ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.module:
            command = cast("Command", import_module(self.module))
            self.module = ""
            command.add_arguments(self)
            self.set_defaults(run=command.run)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    root = argparse.ArgumentParser(prog="workshop", description="Turns Git repositories into workshops with an assistant.")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_CommandParser)
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"workshop {name}: {summary}.")
        add_data(command)
        command.module = module
    return root


def main() -> NoReturn:
    """Run the command that the process was started with, and end the process."""
    serving = sys.argv[1:2] == ["up"]
    if serving:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # until it has handlers of its own
    try:
        args = parser().parse_args()
        from workshop_cli.outcome import run_command

        status = run_command(args, asyncio.Runner())
    except KeyboardInterrupt:
        status = 0 if serving else _INTERRUPTED
    _leave(status)


def _leave(status: int) -> NoReturn:
    # A thread that loads or runs a model cannot be interrupted, and Python would wait for it, up to half a minute. What
    # must be kept has been stored and closed by now.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
