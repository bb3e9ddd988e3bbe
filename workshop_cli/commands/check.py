"""`workshop check`: what is wrong with a workshop in the neutral form, each finding with file and line."""

import argparse
import sys

from shared_services.contracts.checking import CheckReport, Severity
from shared_services.contracts.conversion import SourceRequest
from workshop_cli.commands.convert import MUST_CHOOSE, show_choices
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, progress_bar

NOT_RIGHT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", help="a workshop folder, or a source that holds one: a git address, a .zip or a .tar.gz")
    parser.add_argument("--ref", help="branch, tag or commit (default: the default branch, of a folder what lies there)")
    parser.add_argument("--path", default="", metavar="SUBFOLDER", help="the workshop's folder in the source")
    parser.add_argument("--strict", action="store_true", help="let warnings count as errors")
    parser.add_argument("--json", action="store_true", help="the findings as one JSON object on stdout")


def run(args: argparse.Namespace, _settings: CliSettings) -> int:
    """Check; 0 when there is no error, 1 when there is one, 3 when the source holds several workshops."""
    from agents.template_converter.errors import ChoiceRequiredError
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings

    try:
        with progress_bar(quiet=True) as bar:

            def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
                bar.update(f"{stage}: {message}", done, total)

            request = SourceRequest(source=args.source, ref=args.ref, path=args.path)
            report = ConverterService(ConverterSettings()).check(request, on_progress)
    except ChoiceRequiredError as choice:
        show_choices(choice, as_json=args.json)
        return MUST_CHOOSE
    if args.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report)
    wrong = report.count(Severity.ERROR) + (report.count(Severity.WARNING) if args.strict else 0)
    return NOT_RIGHT if wrong else 0


def _show(report: CheckReport) -> None:
    for row in report.findings:
        place = f"{row.file}:{row.line}" if row.line else row.file
        source = f" (from {row.source.file}:{row.source.line})" if row.source else ""
        colour = "red" if row.severity is Severity.ERROR else "yellow"
        out.print(f"{plain(place)}: [{colour}]{row.severity}[/] {row.kind}: {plain(row.detail)}{plain(source)}")
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    counts = f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"
    out.print(f"{plain(report.title or 'No readable workshop')}: {report.steps} steps, {counts}.")
