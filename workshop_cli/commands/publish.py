"""`workshop publish`: a workshop folder becomes the version that participants see."""

import argparse
import asyncio
import sys
from pathlib import Path

from shared_services.library.archive import pack
from shared_services.library.form import read_folder
from workshop_cli.connection import Connection, connect
from workshop_cli.following import follow
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a workshop in the neutral form (what `workshop convert` writes)")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Publish a folder: validated, stored, indexed, then shown all at once."""
    workshop = read_folder(args.folder)
    async with connect(settings, "publish") as connection:
        with progress_bar() as bar:
            bar.update(f"Storing: {workshop.manifest.slug}")
            draft = await connection.library.draft(pack(workshop.files))
            try:
                started = await connection.library.publish(draft.workshop, draft.version)
                job = await follow(connection.jobs, started, bar)
            except asyncio.CancelledError:
                _say_who_goes_on(connection)
                raise
        place = f"  {connection.url}/w/{draft.workshop}/" if connection.url else ""
        out.print(
            f"Published [bold]{draft.workshop}[/] version {draft.version} (number {draft.number}), "
            f"{(job.result or {}).get('chunks')} passages.{plain(place)}"
        )
    return 0


def _say_who_goes_on(connection: Connection) -> None:
    who = "the server goes on with it" if connection.url else "it goes on with the next command or start of the server"
    err.print(f"The publication is not over: {who}, and the old version serves until then.")
    sys.stderr.flush()
