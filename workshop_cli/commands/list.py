"""`workshop list`: every published workshop."""

import argparse
import json
import sys

from workshop_cli.connection import connect_library
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--json", action="store_true", help="as one JSON array on stdout")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Every published workshop, by title."""
    async with connect_library(settings, "list") as library:
        rows = await library.list()
    if args.json:
        sys.stdout.write(json.dumps([row.model_dump(mode="json") for row in rows], indent=2) + "\n")
        return 0
    if not rows:
        out.print("No workshop is published yet. `workshop convert SOURCE` makes one, `workshop publish DIR` publishes it.")
        return 0
    shown = table("Name", "Title", "Steps", "Version", "Published")
    for row in rows:
        published = row.published_at.astimezone().strftime("%Y-%m-%d %H:%M")
        shown.add_row(row.workshop, plain(row.title), str(row.steps), f"{row.version} ({row.number})", published)
    out.print(shown)
    return 0
