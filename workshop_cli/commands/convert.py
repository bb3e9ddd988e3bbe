"""`workshop convert`: a repository in, a workshop in the neutral form and a report out. Needs no data folder and no server."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form
from shared_services.kit.errors import BadInputError
from shared_services.library.choices import address_key, choice_in, takes_choice
from workshop_cli.choices import FileChoices
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, progress_bar, table

if TYPE_CHECKING:
    from agents.template_converter.errors import ChoiceRequiredError, SourceError
    from agents.template_converter.service import ConverterService

MUST_CHOOSE = 3
_MOST_ROWS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", help="a git address (https, ssh, file), a folder, a .zip or a .tar.gz")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write the workshop (default: ./SLUG)")
    parser.add_argument("--replace", action="store_true", help="write over what was changed there since it was converted")
    parser.add_argument("--as", dest="form", metavar="FORM", help=f"read it as one of: {', '.join(Form)}")
    parser.add_argument("--ref", help="branch, tag or commit (default: the default branch)")
    parser.add_argument("--path", default="", metavar="SUBFOLDER", help="read this folder as if it were the whole repository")
    parser.add_argument(
        "--all", action="store_true", help="convert every workshop of the repository, each to a folder below --out"
    )
    parser.add_argument(
        "--forget", action="store_true", help="forget how this source was read before (--as, --path), and recognise it anew"
    )
    parser.add_argument("--json", action="store_true", help="the report as one JSON object on stdout")


def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Convert; 0 when it was written, 3 when a person must choose."""
    from agents.template_converter.errors import ChoiceRequiredError, NotAWorkshopError
    from agents.template_converter.remembering import read_remembering
    from agents.template_converter.service import ConverterService, write_conversion
    from agents.template_converter.settings import ConverterSettings

    request = ConvertRequest(source=args.source, as_form=form_of(args.form), ref=args.ref, path=args.path)
    service = ConverterService(ConverterSettings())
    choices, address = FileChoices(settings.choices), address_key(args.source)
    if args.forget and not choices.forget(address):
        err.print("Nothing was remembered of this source.")
    if args.all:
        return _convert_all(service, request, args.out or Path(), as_json=args.json, replace=args.replace)
    try:
        with progress_bar(quiet=args.json) as bar:

            def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
                bar.update(f"{stage}: {message}", done, total)

            choice = choices.get(address) if takes_choice(request) else None
            made = read_remembering(service, request, choice, on_progress)
            report = made.report
            write_conversion(made, args.out or Path(report.workshop.slug), on_progress, replace=args.replace)
    except ChoiceRequiredError as choice:
        show_choices(choice, as_json=args.json)
        return MUST_CHOOSE
    except NotAWorkshopError as refusal:
        if args.json:
            sys.stdout.write(refusal.problem().model_dump_json(indent=2) + "\n")
        raise
    if chosen := choice_in(request):
        choices.remember(address, chosen)
    if args.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report, args.out or Path(report.workshop.slug))
    return 0


def _convert_all(service: "ConverterService", request: ConvertRequest, folder: Path, *, as_json: bool, replace: bool) -> int:
    """Every workshop of the repository; 1 where one of them could not be read."""
    with progress_bar(quiet=as_json) as bar:

        def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
            bar.update(f"{stage}: {message}", done, total)

        found = service.convert_all(request, folder, on_progress, replace=replace)
    reports = [(row, each) for row, each in found if isinstance(each, ConversionReport)]
    failed = [(row, each) for row, each in found if not isinstance(each, ConversionReport)]
    if as_json:
        told = [{"path": row.path, "form": row.form, **_told(each)} for row, each in found]
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return 1 if failed else 0
    shown = table("Folder", "Form", "Path", "Steps", "Lost", "Broken")
    for row, report in reports:
        counts = (report.counts.steps, len(report.losses), len(report.broken))
        shown.add_row(str(folder / report.workshop.slug), row.form, plain(row.path), *map(str, counts))
    out.print(shown)
    for row, error in failed:
        err.print(f"{plain(row.path)}: {plain(error.detail)}")
    out.print(f"{len(reports)} of {len(found)} workshops were written below {plain(str(folder))}.")
    return 1 if failed else 0


def _told(result: "ConversionReport | SourceError") -> dict[str, object]:
    if isinstance(result, ConversionReport):
        return {"report": result.model_dump(mode="json")}
    return {"problem": result.problem().model_dump(mode="json")}


def form_of(name: str | None) -> Form | None:
    """The form that `--as` names; None for none.

    Raises:
        BadInputError: There is no such form.
    """
    if name is None:
        return None
    try:
        return Form(name)
    except ValueError:
        raise BadInputError(f"There is no form '{name}'. Known ones: {', '.join(Form)}.") from None


def show_choices(choice: "ChoiceRequiredError", *, as_json: bool) -> None:
    """Print the readings that a person chooses among."""
    if as_json:
        sys.stdout.write(choice.problem().model_dump_json(indent=2) + "\n")
        return
    err.print(plain(choice.detail))
    for candidate in choice.candidates:
        err.print(f"  [bold]--as {candidate.form}[/]" + (f" --path {plain(candidate.path)}" if candidate.path else ""))
        err.print(f"      {candidate.score:.2f}: {plain('; '.join(candidate.evidence))}")


def _show(report: ConversionReport, folder: Path) -> None:
    out.print(f"[bold]{plain(report.workshop.title)}[/]  ({report.form}, commit {(report.commit or 'none')[:10]})")
    for sentence in report.evidence:
        out.print(f"  {plain(sentence)}")
    counts = report.counts
    out.print(
        f"\n{counts.steps} steps, {counts.code_blocks} code blocks ({counts.executable_blocks} executable), "
        f"{counts.images} images, {counts.links} links, {counts.checks} checks, {counts.hints} hints"
    )
    steps = table("#", "Step", "Id", "Source")
    for number, step in enumerate(report.workshop.steps, 1):
        steps.add_row(str(number), plain(step.title), step.id, plain(step.source))
    out.print(steps)
    _show_rows("Lost on the way", [(row.kind, f"{row.source}:{row.line}", row.detail) for row in report.losses])
    _show_rows(
        "Broken in the source", [(row.kind, f"{row.source}:{row.line}", f"{row.target}: {row.detail}") for row in report.broken]
    )
    out.print(f"\nWritten to {plain(str(folder))}. Publish it with: workshop publish {plain(str(folder))}")


def _show_rows(title: str, rows: list[tuple[str, str, str]]) -> None:
    if not rows:
        out.print(f"\n[bold]{title}[/]: nothing")
        return
    out.print(f"\n[bold]{title}[/] ({len(rows)})")
    shown = table("", "", "")
    shown.show_header = False
    for row in rows[:_MOST_ROWS]:
        shown.add_row(*(plain(cell) for cell in row))
    out.print(shown)
    if len(rows) > _MOST_ROWS:
        out.print(f"and {len(rows) - _MOST_ROWS} more; --json gives every one")
