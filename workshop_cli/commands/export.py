"""`workshop export`: a workshop folder in another form, with a report of what that form could not hold."""

import argparse
import json
import sys
from pathlib import Path

from shared_services.contracts.conversion import Form, Loss
from shared_services.kit.errors import BadInputError, ConflictError
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a workshop in the neutral form, as `workshop convert` writes it")
    parser.add_argument("--as", dest="form", required=True, metavar="FORM", help="showroom (Antora), educates or mkdocs")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write it; must be empty or not there")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object on stdout")


def run(args: argparse.Namespace, _settings: CliSettings) -> int:
    """Export; 0 when it was written."""
    from agents.template_converter.service import ConverterService
    from shared_services.library.form import read_folder

    exported = ConverterService.export(read_folder(args.folder), args.form)
    write_files(exported.files, args.out)
    if args.json:
        report = {
            "form": args.form,
            "files": sorted(exported.files),
            "losses": [row.model_dump(mode="json") for row in exported.losses],
        }
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        _show(args.form, len(exported.files), exported.losses, args.out)
    return 0


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write files below a folder that is empty or not there.

    Raises:
        ConflictError: There is something in it.
        BadInputError: It is a file.
    """
    from agents.template_converter.programs import write_file

    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder} is a file. Name a folder that is empty or not there.")
    if folder.is_dir() and any(folder.iterdir()):
        raise ConflictError(f"{folder} is not empty, and nothing in it is overwritten. Name another folder.")
    for path, data in files.items():
        write_file(folder / path, path, data)


def _show(form: Form, count: int, losses: list[Loss], folder: Path) -> None:
    out.print(f"{count} files written to {plain(str(folder))} as {form}.")
    if not losses:
        out.print("Lost on the way: nothing")
        return
    out.print(f"\n[bold]Lost on the way[/] ({len(losses)})")
    rows = table("", "", "")
    rows.show_header = False
    for row in losses:
        rows.add_row(row.kind, plain(row.source), plain(row.detail))
    out.print(rows)
