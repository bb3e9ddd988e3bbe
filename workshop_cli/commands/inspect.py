"""`workshop inspect`: what an application's repository holds, from its files alone; and a workshop's skeleton of it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.inventory import Inventory
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, progress_bar, table

_MOST_ROWS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", help="a git address (https, ssh, file), a folder, a .zip or a .tar.gz")
    parser.add_argument("--ref", help="branch, tag or commit (default: the default branch)")
    parser.add_argument("--path", default="", metavar="SUBFOLDER", help="read this folder as if it were the whole repository")
    parser.add_argument("--skeleton", type=Path, metavar="DIR", help="also write a workshop's skeleton made of it")
    parser.add_argument("--replace", action="store_true", help="write over what was changed in DIR since it was made")
    parser.add_argument("--json", action="store_true", help="the inventory as one JSON object on stdout")


def run(args: argparse.Namespace, _settings: CliSettings) -> int:
    """Inspect; 0 when it was read."""
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings

    request = ConvertRequest(source=args.source, ref=args.ref, path=args.path)
    with progress_bar(quiet=args.json) as bar:

        def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
            bar.update(f"{stage}: {message}", done, total)

        inventory = ConverterService(ConverterSettings()).inspect(request, args.skeleton, on_progress, replace=args.replace)
    if args.json:
        sys.stdout.write(inventory.model_dump_json(indent=2) + "\n")
    else:
        _show(inventory, args.skeleton)
    return 0


def _show(inventory: Inventory, skeleton: Path | None) -> None:
    out.print(f"{inventory.files} files at commit {(inventory.commit or 'none')[:10]}")
    _rows("Languages", ["", "files", "lines"], [(row.name, str(row.files), str(row.lines)) for row in inventory.languages])
    _rows(
        "Build files",
        ["", "read by", "dependencies", "scripts"],
        [(row.path, row.tool, str(len(row.dependencies)), ", ".join(row.scripts)) for row in inventory.build_files],
    )
    frameworks = [(row.name, ", ".join(place.path for place in row.evidence)) for row in inventory.frameworks]
    _rows("Frameworks", ["", "named in"], frameworks)
    begins = [(row.kind, f"{row.place.path}:{row.place.line}") for row in inventory.entry_points]
    _rows("Where it begins", ["", ""], begins)
    endpoints = [(row.method, row.path, row.handler, f"{row.place.path}:{row.place.line}") for row in inventory.endpoints]
    _rows("Endpoints", ["method", "address", "handler", "where"], endpoints)
    packed = [(row.path, ", ".join(row.base_images), row.command) for row in inventory.containers]
    _rows("Containerfiles", ["", "from", "runs"], packed)
    _rows("Compose services", ["", "image", "file"], [(row.name, row.image, row.path) for row in inventory.compose])
    _rows("Kubernetes objects", ["", "name", "file"], [(row.kind, row.name, row.path) for row in inventory.kubernetes])
    pages = len(inventory.documentation)
    out.print(f"\n{len(inventory.tests)} files with tests, {len(inventory.ci)} pipelines, {pages} pages of documentation")
    for sentence in [*inventory.not_looked_for, *inventory.unread]:
        out.print(f"[yellow]{plain(sentence)}[/]")
    if skeleton is not None:
        out.print(
            f"\nA workshop's skeleton is in {plain(str(skeleton))}. Publish it with: workshop publish {plain(str(skeleton))}"
        )


def _rows(title: str, columns: list[str], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    out.print(f"\n[bold]{title}[/] ({len(rows)})")
    shown = table(*columns)
    for row in rows[:_MOST_ROWS]:
        shown.add_row(*(plain(cell) for cell in row))
    out.print(shown)
    if len(rows) > _MOST_ROWS:
        out.print(f"and {len(rows) - _MOST_ROWS} more; --json gives every one")
