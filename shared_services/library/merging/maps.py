"""The source map of a merged step: lines that the source has lead to its files, the author's own have no place there."""

from collections.abc import Sequence

from shared_services.contracts.workshop import SourceMap


def merged_map(theirs: SourceMap, lines: int, origins: Sequence[int | None]) -> SourceMap:
    """Where each line of a merged text comes from.

    Args:
        theirs: The source map of the source's text.
        lines: How many lines the source's text has.
        origins: For each merged line, the line (from 0) of the source's text that it is; None for the author's own.
    """
    known = _places(theirs, lines)
    places = [(theirs.file, 0) if origin is None else known[origin] for origin in origins]
    runs: list[tuple[int, str, int]] = []
    for number, (file, line) in enumerate(places, 1):
        if runs and _goes_on(runs[-1], number, file, line):
            continue
        runs.append((number, file, line))
    return SourceMap(file=theirs.file, runs=runs)


def _places(source_map: SourceMap, lines: int) -> list[tuple[str, int]]:
    """File and line of each line; line 0 for those that the importer made."""
    places: list[tuple[str, int]] = [(source_map.file, 0)] * lines
    ends = [start for start, _, _ in source_map.runs[1:]] + [lines + 1]
    for (start, file, line), end in zip(source_map.runs, ends, strict=True):
        for number in range(max(start, 1), min(end, lines + 1)):
            places[number - 1] = (file, line and line + number - start)
    return places


def _goes_on(run: tuple[int, str, int], number: int, file: str, line: int) -> bool:
    start, run_file, run_line = run
    return run_file == file and line == (run_line and run_line + number - start)
