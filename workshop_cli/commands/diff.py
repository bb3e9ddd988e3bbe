"""`workshop diff`: what differs between two workshops, or between two states of a source, step by step."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared_services.contracts.conversion import ConvertRequest
from shared_services.contracts.differences import Change, FileDiff, StepDiff, WorkshopDiff
from shared_services.kit.errors import BadInputError
from shared_services.library.choices import address_key, takes_choice
from workshop_cli.choices import FileChoices
from workshop_cli.commands.convert import MUST_CHOOSE, form_of, show_choices
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, progress_bar

if TYPE_CHECKING:
    from agents.template_converter.git import Progress
    from agents.template_converter.service import ConverterService
    from shared_services.library.form import WorkshopFiles

DIFFERENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("old", help="a workshop folder, or a source as `workshop convert` takes it")
    parser.add_argument("new", nargs="?", help="the newer one (default: the same source at --to)")
    parser.add_argument("--ref", help="branch, tag or commit of the old one")
    parser.add_argument("--to", metavar="REF", help="branch, tag or commit of the newer one")
    parser.add_argument("--as", dest="form", metavar="FORM", help="read sources as this form")
    parser.add_argument("--path", default="", metavar="SUBFOLDER", help="read this folder of sources")
    parser.add_argument("--brief", action="store_true", help="which steps and files differ, without their lines")
    parser.add_argument("--json", action="store_true", help="the differences as one JSON object on stdout")


def run(args: argparse.Namespace, settings: CliSettings) -> int:
    """Compare; 0 when nothing differs, 1 when something does, 3 when a person must choose how to read a source."""
    from agents.template_converter.errors import ChoiceRequiredError
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings
    from shared_services.library.differences import diff_workshops

    if args.new is None and args.to is None:
        raise BadInputError("There is nothing to compare with. Name a second workshop or source, or another state with --to.")
    service, choices = ConverterService(ConverterSettings()), FileChoices(settings.choices)
    options = {"as_form": form_of(args.form), "path": args.path}
    try:
        with progress_bar(quiet=args.json) as bar:

            def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
                bar.update(f"{stage}: {message}", done, total)

            old = workshop_at(service, ConvertRequest(source=args.old, ref=args.ref, **options), choices, on_progress)
            new = workshop_at(service, ConvertRequest(source=args.new or args.old, ref=args.to, **options), choices, on_progress)
    except ChoiceRequiredError as choice:
        show_choices(choice, as_json=args.json)
        return MUST_CHOOSE
    diff = diff_workshops(old, new)
    if args.json:
        sys.stdout.write(diff.model_dump_json(indent=2) + "\n")
    else:
        show_diff(diff, texts=not args.brief)
    return 0 if diff.is_empty() else DIFFERENT


def workshop_at(
    service: "ConverterService", request: ConvertRequest, choices: FileChoices, progress: "Progress"
) -> "WorkshopFiles":
    """The workshop in a folder, as it is; else what the source becomes.

    Raises:
        InvalidWorkshopError: The folder's workshop is not valid.
        SourceError: The source cannot be fetched, is refused, or cannot be read.
    """
    from agents.template_converter.remembering import read_remembering
    from shared_services.library.form import read_folder

    folder = Path(request.source).expanduser() / request.path
    if request.ref is None and request.as_form is None and (folder / "workshop.yaml").is_file() and (folder / "steps").is_dir():
        return read_folder(folder)
    choice = choices.get(address_key(request.source)) if takes_choice(request) else None
    return read_remembering(service, request, choice, progress).workshop


def show_diff(diff: WorkshopDiff, *, texts: bool) -> None:
    """Print differences; with `texts` line by line."""
    if diff.is_empty():
        out.print("No differences.")
        return
    for field in diff.fields:
        out.print(f"[bold]{plain(field.field)}[/]: {plain(_value(field.old))} -> {plain(_value(field.new))}")
    for step in diff.steps:
        if step.changes:
            _show_step(step, texts=texts)
    for file in diff.files:
        _show_file(file, texts=texts)
    unchanged = sum(not step.changes for step in diff.steps)
    counts = ", ".join(
        f"{number} {change}" for change in Change if (number := sum(change in step.changes for step in diff.steps))
    )
    out.print(f"\nSteps: {', '.join(part for part in (counts, f'{unchanged} as before' if unchanged else '') if part)}.")


def _value(text: str | None) -> str:
    return "nothing" if text is None else " / ".join(text.splitlines())


def _show_step(step: StepDiff, *, texts: bool) -> None:
    places = [str(place) for place in (step.old_position, step.position) if place]
    out.print(f"\n[bold]{plain(step.title)}[/] ({step.id}, step {' -> '.join(dict.fromkeys(places))}): {', '.join(step.changes)}")
    if step.old_id and step.old_id != step.id:
        out.print(f"  was {step.old_id}")
    for field in step.fields:
        out.print(f"  {plain(field.field)}: {plain(_value(field.old))} -> {plain(_value(field.new))}")
    for code in step.code:
        where = " -> ".join(str(line) for line in (code.old_line, code.line) if line)
        out.print(f"  code block {code.change}: {plain(code.language or 'text')}, {plain(code.path.rpartition('/')[2])}:{where}")
    for file in step.files:
        _show_file(file, texts=texts)


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _show_file(file: FileDiff, *, texts: bool) -> None:
    out.print(f"  {plain(file.path)} {file.change}")
    if not texts:
        return
    if not file.text:
        out.print("    (no text)")
    for line in file.text.splitlines():
        colour = _COLOURS.get(line[:1])
        out.print(f"    [{colour}]{plain(line)}[/]" if colour else f"    {plain(line)}")
