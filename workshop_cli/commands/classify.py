"""`workshop classify`: what a source can be read as, with the evidence; nothing is written."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from shared_services.contracts.conversion import ConvertRequest, FormCandidate
from workshop_cli.commands.convert import MUST_CHOOSE
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import out, plain, progress_bar

if TYPE_CHECKING:
    from shared_services.kit.errors import PlatformError

_MOST_ROWS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", help="a git address (https, ssh, file), a folder, a .zip or a .tar.gz")
    parser.add_argument("--ref", help="branch, tag or commit (default: the default branch)")
    parser.add_argument("--path", default="", metavar="SUBFOLDER", help="read this folder as if it were the whole repository")
    parser.add_argument("--json", action="store_true", help="the readings as one JSON object on stdout")


def run(args: argparse.Namespace, _settings: CliSettings) -> int:
    """Classify; 0 when it is clear what it is, a workshop or not, 3 when a person must choose."""
    from agents.template_converter.errors import ChoiceRequiredError, NotAWorkshopError
    from agents.template_converter.recognise import choose
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings

    request = ConvertRequest(source=args.source, ref=args.ref, path=args.path)
    with progress_bar(quiet=args.json) as bar:

        def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
            bar.update(f"{stage}: {message}", done, total)

        candidates = ConverterService(ConverterSettings()).classify(request, on_progress)
    taken: FormCandidate | None = None
    refusal: PlatformError | None = None
    try:
        taken = choose(candidates, None)
    except (ChoiceRequiredError, NotAWorkshopError) as error:
        refusal = error
    if args.json:
        told = {
            "taken": taken and taken.model_dump(mode="json"),
            "problem": refusal and refusal.problem().model_dump(mode="json"),
            "candidates": [row.model_dump(mode="json") for row in candidates],
        }
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        _show(candidates, taken, refusal)
    return MUST_CHOOSE if isinstance(refusal, ChoiceRequiredError) else 0


def _show(candidates: list[FormCandidate], taken: FormCandidate | None, refusal: "PlatformError | None") -> None:
    if taken is not None:
        where = f" in {plain(taken.path)}" if taken.path else ""
        out.print(f"[bold]{taken.form}[/]{where}, which `workshop convert` takes.")
    elif refusal is not None:
        out.print(plain(refusal.detail))
    for row in candidates[:_MOST_ROWS]:
        out.print(f"\n{row.score:.2f}  [bold]{row.form}[/]" + (f"  {plain(row.path)}" if row.path else ""))
        for sentence in row.evidence:
            out.print(f"      {plain(sentence)}")
    if len(candidates) > _MOST_ROWS:
        out.print(f"\nand {len(candidates) - _MOST_ROWS} more; --json gives every one")
