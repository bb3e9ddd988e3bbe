"""`workshop show`: one workshop, its steps, and where it comes from."""

import argparse
import sys

from workshop_cli.connection import connect_library
from workshop_cli.names import workshop_name
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", type=workshop_name, help="the workshop's slug")
    parser.add_argument("--json", action="store_true", help="as one JSON object on stdout")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """The version that participants see."""
    async with connect_library(settings, "show") as library:
        version = await library.current(args.name)
    if args.json:
        sys.stdout.write(version.model_dump_json(indent=2, by_alias=True) + "\n")
        return 0
    manifest = version.manifest
    out.print(f"[bold]{plain(manifest.title)}[/]  {version.workshop}, version {version.version} (number {version.number})")
    if manifest.summary:
        out.print(plain(manifest.summary))
    if manifest.source and manifest.source.repository:
        out.print(f"From {plain(manifest.source.repository)} at {plain(manifest.source.commit or 'no commit')}")
    shown = table("#", "Step", "Title", "Minutes", "Check")
    for number, step in enumerate(manifest.steps, 1):
        details = version.steps[step]
        check = plain(details.check.script) if details.check else ""
        shown.add_row(str(number), step, plain(details.title), str(details.duration or ""), check)
    out.print(shown)
    return 0
