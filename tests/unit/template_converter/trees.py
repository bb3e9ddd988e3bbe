"""Small trees on disk, and short ways through an importer."""

from pathlib import Path

from agents.template_converter.model import ImportedStep, ImportedWorkshop, Importer, Tree
from shared_services.contracts.conversion import FormCandidate
from shared_services.contracts.workshop import SourceMap


def make_tree(root: Path, files: dict[str, str | bytes], absent: dict[str, str] | None = None) -> Tree:
    for path, data in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Tree(root, {path: (root / path).stat().st_size for path in sorted(files)}, None, absent or {})


def read(importer: Importer, tree: Tree, path: str = "") -> ImportedWorkshop:
    return importer.read(tree, FormCandidate(form=importer.form, score=1, path=path))


def places(step: ImportedStep) -> list[tuple[str, str, int]]:
    """`(content line, file, source line)`; 0 for made lines."""
    source_map = SourceMap(file=step.source, runs=step.runs)
    out = []
    lines = step.content.split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        start, file, source = [run for run in source_map.runs if run[0] <= number][-1]
        out.append((line, file, source and source + number - start))
    return out
