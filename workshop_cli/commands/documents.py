"""`workshop documents`: documents for many workshops, seen by those whose context names one of their tags."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from shared_services.contracts.rag import SharedDocumentsReport
from shared_services.kit.errors import BadInputError
from workshop_cli.arguments import add_data
from workshop_cli.connection import connect
from workshop_cli.names import document_id
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, progress_bar, table

_MOST_ROWS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add documents, or new versions of them")
    add.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a document, a folder, a .zip or a .tar.gz")
    add.add_argument("--tags", required=True, metavar="A,B", help="workshops whose context names one of these see them")
    add.add_argument("--focus", metavar="ID", help="the content focus that they fit (default: every one)")
    add.add_argument("--json", action="store_true", help="the report as one JSON object on stdout")
    listed = actions.add_parser("list", help="list the documents")
    listed.add_argument("--tags", default="", metavar="A,B", help="only documents with one of these")
    listed.add_argument("--json", action="store_true", help="as one JSON array on stdout")
    remove = actions.add_parser("remove", help="remove a document")
    remove.add_argument("id", type=document_id, help="its id, as `workshop documents list` shows it")
    for action in (add, listed, remove):
        add_data(action, default=argparse.SUPPRESS)  # where it was not given before the action


async def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Do what the action says; 2 when every document was refused."""
    match args.action:
        case "add":
            return await _add(args, settings)
        case "list":
            return await _list(args, settings)
        case _:
            return await _remove(args, settings)


async def _add(args: argparse.Namespace, settings: CliSettings) -> int:
    files = [file for path in args.paths for file in files_of(path)]
    async with connect(settings, "documents") as connection:
        with progress_bar(quiet=args.json) as bar:
            bar.update(f"Reading: {len(files)} files")

            async def on_progress(done: int, total: int) -> None:
                bar.update("Indexing: passages", done, total)

            report = await connection.documents.add(files, args.tags.split(","), args.focus, on_progress)
    if args.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report)
    return 0 if report.indexed or report.unchanged else 2


async def _list(args: argparse.Namespace, settings: CliSettings) -> int:
    async with connect(settings, "documents") as connection:
        rows = await connection.documents.list(tag for tag in args.tags.split(",") if tag)
    if args.json:
        sys.stdout.write(json.dumps([row.model_dump(mode="json") for row in rows], indent=2) + "\n")
        return 0
    if not rows:
        out.print("There is no such document. `workshop documents add PATH --tags A,B` adds some.")
        return 0
    shown = table("Id", "Title", "Tags", "Focus", "Passages", "File")
    for row in rows:
        shown.add_row(row.id, plain(row.title), ",".join(row.tags), row.content_focus or "", str(row.chunks), plain(row.file))
    out.print(shown)
    return 0


async def _remove(args: argparse.Namespace, settings: CliSettings) -> int:
    async with connect(settings, "documents") as connection:
        await connection.documents.remove(args.id)
    out.print(f"Removed the document [bold]{args.id}[/] with all its passages.")
    return 0


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """The documents that a path means: itself, or those below a folder, each by its path inside that folder.

    A folder's hidden files, links, and files of other formats are passed over.

    Raises:
        BadInputError: There is no such file, or no document in the folder.
    """
    if not path.is_dir():
        if not path.is_file():
            raise BadInputError(f"{path} is not there. Name a document, a folder or an archive.")
        yield path.name, path.read_bytes()
        return
    from agents.rag.documents.formats import SUFFIXES, format_of

    passed: Counter[str] = Counter()
    found = False
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_symlink() or not file.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        if format_of(name) is None:
            passed[PurePosixPath(name).suffix.lower() or "no ending"] += 1
            continue
        found = True
        yield name, file.read_bytes()
    if not found:
        raise BadInputError(f"There is no document in {path}. These are read: {', '.join(SUFFIXES)}, and archives of them.")
    if passed:
        kinds = ", ".join(f"{count} {kind}" for kind, count in passed.most_common(8))
        err.print(plain(f"Passed over in {path}: {kinds}."))


def _show(report: SharedDocumentsReport) -> None:
    passages = sum(document.chunks for document in report.indexed)
    out.print(
        f"{len(report.indexed)} documents indexed ({passages} passages, {report.embedded} of them new), "
        f"{len(report.unchanged)} unchanged, {len(report.refused)} refused."
    )
    if report.indexed:
        shown = table("Id", "Title", "Passages")
        for document in report.indexed[:_MOST_ROWS]:
            shown.add_row(document.id, plain(document.title), str(document.chunks))
        out.print(shown)
        if len(report.indexed) > _MOST_ROWS:
            out.print(f"and {len(report.indexed) - _MOST_ROWS} more; `workshop documents list` names every one")
    for refusal in report.refused[:_MOST_ROWS]:
        err.print(f"[bold]Refused[/] {plain(refusal.file)}: {plain(refusal.detail)}")
    if len(report.refused) > _MOST_ROWS:
        err.print(f"and {len(report.refused) - _MOST_ROWS} more refused; --json names every one")
