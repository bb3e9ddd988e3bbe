"""Places in a repository that a workshop points at: the function that answers, the folder that an image is built in."""

import posixpath
import re

from agents.template_converter.inventory.program import Program, inside
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import Endpoint, Place

_COPIES = re.compile(r"^[ \t]*(?:COPY|ADD)[ \t]+((?!.*--from).+)$", re.IGNORECASE | re.MULTILINE)
_GO_FUNCTION = r"^func\s+(?:\([^)]*\)\s*)?NAME\s*\("
_JS_FUNCTION = (
    r"^(?:export\s+)?(?:default\s+)?"
    r"(?:(?:async\s+)?function\s*\*?\s+NAME\b|(?:const|let|var)\s+NAME\s*=|exports\.NAME\s*=)"
)
_FUNCTIONS = {
    "go": _GO_FUNCTION,
    "js": _JS_FUNCTION,
    "ts": _JS_FUNCTION,
    "mjs": _JS_FUNCTION,
    "py": r"^(?:class|(?:async\s+)?def)\s+NAME\b",
}
_MOST_FILES = 400


def answering(tree: Tree, program: Program, endpoint: Endpoint) -> Place:
    """Where the function stands that answers; the route's own place where it is not known better."""
    ending = endpoint.place.path.rpartition(".")[2]
    name = endpoint.handler.rpartition(".")[2]
    # Django's paths stand apart from what answers; what a decorator routes stands below it.
    if ending not in _FUNCTIONS or not name or (ending == "py" and endpoint.method != "ANY"):
        return endpoint.place
    pattern = re.compile(_FUNCTIONS[ending].replace("NAME", re.escape(name)), re.MULTILINE)
    here = endpoint.place.path
    near = [path for path in tree.under(posixpath.dirname(here)) if path.endswith(f".{ending}") and path != here]
    far = [
        path for path in tree.under(program.folder) if path.endswith(f".{ending}") and not inside(path, posixpath.dirname(here))
    ]
    found: list[Place] = []
    for path in [here, *near, *far][:_MOST_FILES]:
        text = tree.read_text(path)
        found += [Place(path=path, line=text.count("\n", 0, match.start()) + 1) for match in pattern.finditer(text)]
    nearest = [place for place in found if place.path == here] or found
    return nearest[0] if len(nearest) == 1 else endpoint.place


def context_of(tree: Tree, program: Program, path: str) -> str:
    """The folder that a Containerfile is built in: the nearest one that holds all that it copies, else its own."""
    own = posixpath.dirname(path)
    for folder in dict.fromkeys((own, own.removesuffix("/src/main/docker"), program.folder, program.root, "")):
        if not not_held(tree, path, folder):
            return folder
    return own.removesuffix("/src/main/docker").removesuffix("src/main/docker")


def not_held(tree: Tree, path: str, folder: str) -> list[str]:
    """What a Containerfile copies out of the folder it is built in and that the repository does not hold there."""
    text = re.sub(r"\\\r?\n", " ", tree.read_text(path)[:100_000])
    copied = [
        word.removeprefix("./").rstrip("/")
        for match in _COPIES.finditer(text)
        for word in re.sub(r"[\[\],\"]", " ", match[1]).split()[:-1]
        if not re.search(r"[$*?]|://|^--|^/", word)
    ]
    folders = {posixpath.dirname(row) for row in tree.files}
    return [
        word
        for word in dict.fromkeys(copied)
        if word not in ("", ".") and not _holds(tree, folders, posixpath.normpath(posixpath.join(folder, word)))
    ]


def _holds(tree: Tree, folders: set[str], path: str) -> bool:
    return path in tree or path in folders or any(folder.startswith(f"{path}/") for folder in folders)
