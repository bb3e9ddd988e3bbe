"""The files that a workshop was made from and that its report names, kept so that a person can look at them beside it."""

from agents.template_converter.model import Tree
from shared_services.contracts.conversion import ConversionReport
from shared_services.contracts.workshop import SourceMap
from shared_services.library.form import WorkshopFiles

MOST_PAGE_BYTES = 1024 * 1024
MOST_BYTES = 20 * 1024 * 1024
MOST_PATH_CHARACTERS = 1024


def pages_of(tree: Tree, workshop: WorkshopFiles, report: ConversionReport) -> dict[str, bytes]:
    """Text of each file that the workshop's source maps or its report name, UTF-8 with line feeds; up to the limits above.

    The lines are those that maps and report count. What is no text is left out.
    """
    kept: dict[str, bytes] = {}
    total = 0
    reported = [*(row.source for row in report.losses), *(row.source for row in report.broken)]
    for path in dict.fromkeys([*_mapped(workshop), *reported]):
        if path not in tree or tree.files[path] > MOST_PAGE_BYTES or len(path) > MOST_PATH_CHARACTERS:
            continue
        if b"\0" in tree.read_bytes(path):
            continue
        data = tree.read_text(path).encode()
        if total + len(data) > MOST_BYTES:
            break
        kept[path] = data
        total += len(data)
    return kept


def _mapped(workshop: WorkshopFiles) -> list[str]:
    """Files of the source in the order of the steps, each once."""
    named: dict[str, None] = {}
    for step in workshop.manifest.steps:
        raw = workshop.files.get(f"steps/{step}/source-map.json")
        if raw is None:
            continue
        source_map = SourceMap.model_validate_json(raw)
        named |= dict.fromkeys([source_map.file, *(file for _, file, _ in source_map.runs)])
    return [path for path in named if path]
