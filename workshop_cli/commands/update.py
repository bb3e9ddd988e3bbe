"""`workshop update`: a newer commit of the source merged into a workshop folder that was changed by hand since."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared_services.contracts.differences import WorkshopDiff
from shared_services.contracts.merging import Conflict, ConflictKind, Decision, Take
from shared_services.kit.errors import BadInputError
from workshop_cli.commands.convert import MUST_CHOOSE, form_of, show_choices
from workshop_cli.commands.diff import show_diff
from workshop_cli.settings import CliSettings
from workshop_cli.terminal import err, out, plain, printable, progress_bar

_SIDES = (Take.MINE, Take.THEIRS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", type=Path, help="a workshop that `workshop convert` made, changed by hand or not")
    parser.add_argument("--ref", help="the newer branch, tag or commit (default: the branch or tag that it was made from)")
    parser.add_argument("--source", metavar="SOURCE", help="where the source is now (default: what workshop.yaml says)")
    parser.add_argument("--base", metavar="REF", help="what the workshop was made from (default: what workshop.yaml says)")
    parser.add_argument(
        "--as", dest="form", metavar="FORM", help="read both commits as this form (default: what workshop.yaml says)"
    )
    parser.add_argument("--path", metavar="SUBFOLDER", help="read this folder of both (default: what workshop.yaml says)")
    parser.add_argument(
        "--take",
        action="append",
        default=[],
        metavar="[CONFLICT=]SIDE",
        help="decide a conflict by its id, or every other one: mine, theirs, or for lines also both (mine, then theirs)",
    )
    parser.add_argument(
        "--markers", action="store_true", help="write both sides of undecided lines into the files, between <<<<<<< and >>>>>>>"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, line by line, and write nothing")
    parser.add_argument("--json", action="store_true", help="conflicts and differences as one JSON object on stdout")


def run(args: argparse.Namespace, _settings: CliSettings) -> int:
    """Update; 0 when it was written (or would be), 3 when a conflict is undecided and nothing was written."""
    from agents.template_converter.errors import ChoiceRequiredError
    from agents.template_converter.reimport import read_newer
    from agents.template_converter.service import ConverterService
    from agents.template_converter.settings import ConverterSettings
    from shared_services.library.differences import diff_workshops
    from shared_services.library.folders import change_folder
    from shared_services.library.form import read_folder
    from shared_services.library.merging import merge_workshops

    named, rest = takes(args.take)
    mine = read_folder(args.folder)
    try:
        with progress_bar(quiet=args.json) as bar:

            def on_progress(stage: str, done: int, total: int | None, message: str) -> None:
                bar.update(f"{stage}: {message}", done, total)

            newer = read_newer(
                ConverterService(ConverterSettings()),
                mine.manifest,
                source=args.source,
                ref=args.ref,
                base=args.base,
                form=form_of(args.form),
                path=args.path,
                progress=on_progress,
            )
    except ChoiceRequiredError as choice:
        show_choices(choice, as_json=args.json)
        return MUST_CHOOSE
    decisions: dict[str, Decision] = {}
    merged = merge_workshops(newer.base, mine, newer.theirs)
    # One decision may ask for the next, such as what a step that is had back is to hold.
    while found := decide(merged.undecided, named, rest, newer.report.commit if args.markers else None, decisions):
        decisions |= found
        merged = merge_workshops(newer.base, mine, newer.theirs, decisions)
    unknown = sorted(set(named) - {row.id for row in merged.conflicts})
    if unknown:
        raise BadInputError(f"There is no conflict {', '.join(unknown)}. There are: {_ids(merged.conflicts)}.")
    diff = diff_workshops(mine, merged.workshop)
    write = not args.dry_run and not merged.undecided
    changed = change_folder(args.folder, mine.files, merged.workshop.files) if write else []
    if args.json:
        told = {
            "commit": newer.report.commit,
            "written": changed,
            "conflicts": [row.model_dump(mode="json") for row in merged.conflicts],
            "diff": diff.model_dump(mode="json"),
        }
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        _show(args, diff, merged.undecided, changed, written=write)
    return MUST_CHOOSE if merged.undecided else 0


def takes(given: Iterable[str]) -> tuple[dict[str, Take], Take | None]:
    """What `--take` says: sides by conflict, and the side for all others.

    Raises:
        BadInputError: A side that is none.
    """
    named: dict[str, Take] = {}
    rest: Take | None = None
    for word in given:
        conflict, equals, side = word.rpartition("=")
        if side not in list(Take) or (not equals and side == Take.BOTH):
            raise BadInputError(f"--take {word}: say mine or theirs, or CONFLICT=mine, CONFLICT=theirs or CONFLICT=both.")
        if equals:
            named[conflict] = Take(side)
        else:
            rest = Take(side)
    return named, rest


def decide(
    conflicts: Sequence[Conflict], named: dict[str, Take], rest: Take | None, commit: str | None, known: dict[str, Decision]
) -> dict[str, Decision]:
    """Decisions about conflicts that have none yet.

    Args:
        conflicts: The undecided ones.
        named: Sides by conflict.
        rest: The side for all others.
        commit: Given, lines that nothing else decides are written with both sides between marks that name it.
        known: Decisions that were made before; one that did not fit is not made again.

    Raises:
        BadInputError: A side that a conflict does not have.
    """
    found: dict[str, Decision] = {}
    for row in conflicts:
        side = named.get(row.id, rest)
        if side is not None and side not in row.takes:
            raise BadInputError(f"Conflict {row.id} can be decided as {' or '.join(row.takes)}, not as {side}.")
        if row.id in known:
            continue
        if side is not None:
            found[row.id] = Decision(take=side)
        elif commit is not None and row.kind is ConflictKind.LINES:
            found[row.id] = Decision(text=marked(row, commit))
    return found


def marked(conflict: Conflict, commit: str) -> str:
    """Both sides of a conflict between marks, as Git writes them."""

    def ended(text: str | None) -> str:
        return "" if not text else text if text.endswith("\n") else f"{text}\n"

    return f"<<<<<<< mine\n{ended(conflict.mine)}=======\n{ended(conflict.theirs)}>>>>>>> {commit[:12]}\n"


def _ids(conflicts: Sequence[Conflict]) -> str:
    return ", ".join(row.id for row in conflicts) or "none"


def _show(args: argparse.Namespace, diff: WorkshopDiff, undecided: list[Conflict], changed: list[str], *, written: bool) -> None:
    show_diff(diff, texts=args.dry_run)
    if undecided:
        err.print(f"\n[bold]{len(undecided)} undecided[/]: both sides changed it, and nothing was written.")
        for row in undecided:
            _show_conflict(row)
        err.print("\nDecide each with --take ID=mine, ID=theirs or ID=both; all with --take mine or --take theirs; or have")
        err.print("both written into the files with --markers.")
    elif not written:
        out.print(f"\nNothing was written (--dry-run). The commit is {plain((diff.commit or 'none')[:12])}.")
    elif changed:
        out.print(
            f"\n{len(changed)} files of {plain(str(args.folder))} were changed; it is at {plain((diff.commit or 'none')[:12])}."
        )
    else:
        out.print(f"\n{plain(str(args.folder))} is up to date with {plain((diff.commit or 'none')[:12])}.")


def _show_conflict(row: Conflict) -> None:
    place = f"{row.path}:{row.line}" if row.line else row.path
    err.print(f"\n[bold]{row.id}[/] {plain(place)}{f' ({plain(row.field)})' if row.field else ''}: {plain(row.detail)}")
    for name, text in (("mine", row.mine), ("theirs", row.theirs)):
        for line in (text or "").splitlines()[:20]:
            err.print(f"  {name:>6} | {plain(printable(line))}")
