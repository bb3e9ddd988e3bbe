"""`workshop reindex`: what was indexed with another model or by older rules is indexed anew; searches go on meanwhile."""

import argparse
import asyncio
import sys

from shared_services.contracts.rag import ReindexReport, ReindexRequest
from workshop_cli.connection import Connection, connect
from workshop_cli.following import follow
from workshop_cli.names import workshop_name
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("names", nargs="*", type=workshop_name, metavar="NAME", help="these workshops alone (default: every one)")


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Index anew what needs it, and say what that was."""
    request = ReindexRequest(workshops=list(dict.fromkeys(args.names)) or None)
    async with connect(settings, "reindex") as connection:
        with progress_bar() as bar:
            started = await connection.rag().reindex(request)
            try:
                job = await follow(connection.jobs, started, bar)
            except asyncio.CancelledError:
                _say_who_goes_on(connection)
                raise
    _show(ReindexReport.model_validate(job.result))
    return 0


def _show(report: ReindexReport) -> None:
    for status in report.renewed:
        out.print(f"Indexed [bold]{status.workshop}[/] anew: version {status.version}, {_count(status.chunks, 'passage')}.")
    if report.documents:
        out.print(f"Indexed {_count(report.documents, 'shared document')} anew.")
    for workshop in report.gone:
        out.print(f"[bold]{workshop}[/] was removed meanwhile.")
    if not report.renewed and not report.documents:
        count = len(report.current)
        out.print(f"Nothing to do: {_count(count, 'workshop')} {'is' if count == 1 else 'are'} up to date.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _say_who_goes_on(connection: Connection) -> None:
    who = "the server goes on with it" if connection.url else "it goes on with the next command or start of the server"
    err.print(f"The reindexing is not over: {who}, and the old indexes serve until then.")
    sys.stderr.flush()
