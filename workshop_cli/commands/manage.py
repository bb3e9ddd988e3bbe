"""`workshop list`, `show` and `remove`."""

import argparse
import json
import sys

from rich.markup import escape
from rich.table import Table

from workshop_cli.commands.publish import follow
from workshop_cli.connection import connect
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, progress_bar


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `list`."""
    parser.add_argument("--json", action="store_true", help="as one JSON array on stdout")


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `show`."""
    parser.add_argument("name", help="the workshop's slug")
    parser.add_argument("--json", action="store_true", help="as one JSON object on stdout")


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `remove`."""
    parser.add_argument("name", help="the workshop's slug")


async def run_list(args: argparse.Namespace, settings: CliSettings) -> int:
    """Every published workshop."""
    async with connect(settings, "list") as connection:
        rows = await connection.library.list()
    if args.json:
        sys.stdout.write(json.dumps([row.model_dump(mode="json") for row in rows], indent=2) + "\n")
        return 0
    if not rows:
        out.print("No workshop is published yet. `workshop convert SOURCE` makes one, `workshop publish DIR` publishes it.")
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Name", "Title", "Steps", "Version", "Published"):
        table.add_column(column, overflow="fold")
    for row in rows:
        published = row.published_at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(row.workshop, escape(row.title), str(row.steps), f"{row.version} ({row.number})", published)
    out.print(table)
    return 0


async def run_show(args: argparse.Namespace, settings: CliSettings) -> int:
    """One workshop: its steps, and where it comes from."""
    async with connect(settings, "show") as connection:
        version = await connection.library.current(args.name)
    if args.json:
        sys.stdout.write(version.model_dump_json(indent=2, by_alias=True) + "\n")
        return 0
    manifest = version.manifest
    out.print(f"[bold]{escape(manifest.title)}[/]  {version.workshop}, version {version.version} (number {version.number})")
    if manifest.summary:
        out.print(escape(manifest.summary))
    if manifest.source and manifest.source.repository:
        out.print(f"From {escape(manifest.source.repository)} at {manifest.source.commit or 'no commit'}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("#", "Step", "Title", "Minutes", "Check"):
        table.add_column(column, overflow="fold")
    for number, step in enumerate(manifest.steps, 1):
        details = version.steps[step]
        table.add_row(
            str(number), step, escape(details.title), str(details.duration or ""), details.check.script if details.check else ""
        )
    out.print(table)
    return 0


async def run_remove(args: argparse.Namespace, settings: CliSettings) -> int:
    """Remove a workshop with every version and its index."""
    async with connect(settings, "remove") as connection:
        with progress_bar() as bar:
            await follow(connection.jobs, await connection.library.remove(args.name), bar)
    out.print(f"Removed [bold]{args.name}[/] with every version and its index.")
    return 0
