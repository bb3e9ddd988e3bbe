"""`workshop remove`: a workshop goes, with every version and its index."""

import argparse

from workshop_cli.connection import connect
from workshop_cli.following import follow
from workshop_cli.names import workshop_name
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", type=workshop_name, help="the workshop's slug")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Remove a workshop."""
    async with connect(settings, "remove") as connection:
        with progress_bar() as bar:
            await follow(connection.jobs, await connection.library.remove(args.name), bar)
    out.print(f"Removed [bold]{args.name}[/] with every version and its index.")
    return 0
