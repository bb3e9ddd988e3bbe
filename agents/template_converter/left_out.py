"""Pages that a source names and nobody could read (too large, pointers, links, objects that a clone lacks) are told, always."""

from agents.template_converter import signals
from agents.template_converter.listing import PAGES
from agents.template_converter.model import ImportedWorkshop, Tree
from shared_services.contracts.conversion import Loss

_ENDINGS = (*PAGES, ".ipynb")
_MOST = 100
_SHOWN = 5


def absent_pages(tree: Tree, folder: str = "") -> dict[str, str]:
    """Pages and submodules below `folder` that the checkout lacks, with the reason; `folder` may be the page itself."""
    prefix = f"{folder}/" if folder else ""
    return {
        path: why
        for path, why in sorted(tree.absent.items())
        if (path.startswith(prefix) or path == folder)
        and (path.lower().endswith(_ENDINGS) or "submodule" in why)
        and signals.counts(path)
    }


def sentence(tree: Tree, folder: str = "") -> str:
    """What was left out, to say beside that nothing was found; empty where nothing was."""
    found = absent_pages(tree, folder)
    shown = "; ".join(f"`{path}` ({why})" for path, why in list(found.items())[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"Left out unread: {shown}{more}." if found else ""


def losses_of_absent(tree: Tree, imported: ImportedWorkshop, folder: str) -> list[Loss]:
    """A loss for each page that was left out and that no importer spoke of."""
    said = " ".join(row.detail for row in imported.losses) + " ".join(f"{row.target} {row.detail}" for row in imported.broken)
    told = {row.source for row in imported.losses}
    found = [
        (path, why) for path, why in absent_pages(tree, folder).items() if path not in told and not (path in said and why in said)
    ]
    rows = [Loss(kind="page", source=path, line=0, detail=f"It is left out unread: {why}.") for path, why in found[:_MOST]]
    if len(found) > _MOST:
        detail = f"{len(found) - _MOST} more pages are left out unread."
        rows.append(Loss(kind="page", source=folder or ".", line=0, detail=detail))
    return rows
