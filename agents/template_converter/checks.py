"""The files of a workshop in the neutral form, from a folder or a source, valid or not."""

import posixpath

from agents.template_converter.checkout import checkout, subtree
from agents.template_converter.errors import ChoiceRequiredError, UnreadableSourceError
from agents.template_converter.forms.workshop import WorkshopImporter
from agents.template_converter.git import Progress
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import SourceRequest

_OWN = ("workshop.yaml", "steps", "assets")


def neutral_files(settings: ConverterSettings, request: SourceRequest, progress: Progress) -> dict[str, bytes]:
    """Every file of the workshop by path inside it; hidden files are left out.

    Raises:
        ChoiceRequiredError: The source holds several workshops.
        UnreadableSourceError: It holds none in the neutral form.
        SourceError: It cannot be fetched or is refused.
    """
    with checkout(request.source, request.ref, settings, progress) as laid_out:
        tree = subtree(laid_out.tree, request.path.strip("/"))
        folder = ""
        if "workshop.yaml" not in tree:
            found = WorkshopImporter().recognise(tree)
            if not found:
                raise UnreadableSourceError(
                    "There is no workshop.yaml in it, so it is no workshop in the neutral form. `workshop convert` makes one."
                )
            if len(found) > 1:
                listed = ", ".join(f"`{row.path}`" for row in found[:8])
                rows = [row.model_copy(update={"path": posixpath.join(request.path.strip("/"), row.path)}) for row in found]
                raise ChoiceRequiredError(f"It holds {len(found)} workshops: {listed}. Say which with --path.", rows)
            folder = found[0].path
        prefix = f"{folder}/" if folder else ""
        names = {path: path.removeprefix(prefix) for path in tree.under(folder)}
        return {
            name: tree.read_bytes(path)
            for path, name in names.items()
            if name.split("/")[0] in _OWN and not any(part.startswith(".") for part in name.split("/"))
        }
