"""The pages that a workshop's steps were made from, kept so that a person can compare the two."""

from agents.template_converter.model import Tree
from shared_services.contracts.workshop import SourceMap
from shared_services.library.form import WorkshopFiles

MOST_PAGE_BYTES = 1024 * 1024
MOST_BYTES = 20 * 1024 * 1024
MOST_PATH_CHARACTERS = 1024


def pages_of(tree: Tree, workshop: WorkshopFiles) -> dict[str, bytes]:
    """Text of each file that the workshop's source maps name, UTF-8 with line feeds, by path; up to the limits above.

    The lines are those that the maps count.
    """
    kept: dict[str, bytes] = {}
    total = 0
    for path in _named(workshop):
        if path not in tree or tree.files[path] > MOST_PAGE_BYTES or len(path) > MOST_PATH_CHARACTERS:
            continue
        data = tree.read_text(path).encode()
        if total + len(data) > MOST_BYTES:
            break
        kept[path] = data
        total += len(data)
    return kept


def _named(workshop: WorkshopFiles) -> list[str]:
    """Files of the source in the order of the steps, each once."""
    named: dict[str, None] = {}
    for step in workshop.manifest.steps:
        raw = workshop.files.get(f"steps/{step}/source-map.json")
        if raw is None:
            continue
        source_map = SourceMap.model_validate_json(raw)
        named |= dict.fromkeys([source_map.file, *(file for _, file, _ in source_map.runs)])
    return [path for path in named if path]
