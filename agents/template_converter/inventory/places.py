"""Places in a repository that a workshop points at: the port that a program listens on, the function that answers."""

import posixpath
import re

from agents.template_converter.inventory.program import Program, inside
from agents.template_converter.model import Tree
from shared_services.contracts.inventory import ContainerFile, Endpoint, Place

_PROPERTIES = re.compile(r"(?:^|/)application(?:-\w+)?\.(?:properties|ya?ml)$")
_PROPERTY = re.compile(
    r"^[ \t]*(?:server\.port|quarkus\.http\.port|micronaut\.server\.port)[ \t]*[=:][ \t]*(\d{2,5})[ \t]*$", re.MULTILINE
)
_YAML_PORT = re.compile(r"^(?:server|micronaut):[ \t]*\n(?:[ \t]+.*\n)*?[ \t]+port:[ \t]*(\d{2,5})[ \t]*$", re.MULTILINE)
_LISTENS = re.compile(
    r"\.listen\(\s*(?:\{\s*port\s*:\s*)?(?:[\w.]+\s*\|\|\s*)?(\d{2,5})\b|\b(?:ListenAndServe|Run|Start|Listen)\(\s*\"[\w.]*:(\d{2,5})\"|\bport\s*=\s*(\d{2,5})\b"
)
_COPIES = re.compile(r"^[ \t]*(?:COPY|ADD)[ \t]+((?!.*--from).+)$", re.IGNORECASE | re.MULTILINE)
_GO_FUNCTION = r"^func\s+(?:\([^)]*\)\s*)?NAME\s*\("
_JS_FUNCTION = (
    r"^(?:export\s+)?(?:default\s+)?"
    r"(?:(?:async\s+)?function\s*\*?\s+NAME\b|(?:const|let|var)\s+NAME\s*=|exports\.NAME\s*=)"
)
_MOST_FILES = 400


def listening(tree: Tree, program: Program, container: ContainerFile | None) -> tuple[int, Place] | None:
    """The port that the program listens on when it is run, and where that is said; None where nothing says it."""
    for path in tree.under(program.folder):
        if _PROPERTIES.search(path) and "/test/" not in path:
            found = _first(_PROPERTY if path.endswith(".properties") else _YAML_PORT, tree, path)
            if found:
                return found
    for point in program.entry_points:
        found = _first(_LISTENS, tree, point.place.path)
        if found:
            return found
    if container and len(container.ports) == 1:
        return container.ports[0], Place(path=container.path)
    return None


def _first(pattern: re.Pattern[str], tree: Tree, path: str) -> tuple[int, Place] | None:
    text = tree.read_text(path)[:200_000]
    match = pattern.search(text)
    port = next((group for group in match.groups() if group), None) if match else None
    if match is None or port is None or not 0 < int(port) < 65536:
        return None
    return int(port), Place(path=path, line=text.count("\n", 0, match.end()) + 1)


def answering(tree: Tree, program: Program, endpoint: Endpoint) -> Place:
    """Where the function stands that answers; the route's own place where it is not known better."""
    ending = endpoint.place.path.rpartition(".")[2]
    name = endpoint.handler.rpartition(".")[2]
    if ending not in ("go", "js", "ts", "mjs") or not name:
        return endpoint.place
    pattern = re.compile((_GO_FUNCTION if ending == "go" else _JS_FUNCTION).replace("NAME", re.escape(name)), re.MULTILINE)
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
    text = re.sub(r"\\\r?\n", " ", tree.read_text(path)[:100_000])
    copied = [
        word.removeprefix("./").rstrip("/")
        for match in _COPIES.finditer(text)
        for word in re.sub(r"[\[\],\"]", " ", match[1]).split()[:-1]
        if not re.search(r"[$*?]|://|^--|^/", word)
    ]
    own = posixpath.dirname(path)
    folders = {posixpath.dirname(row) for row in tree.files}
    for folder in dict.fromkeys((own, own.removesuffix("/src/main/docker"), program.folder, program.root, "")):
        if all(
            _holds(tree, folders, posixpath.normpath(posixpath.join(folder, word))) for word in copied if word not in ("", ".")
        ):
            return folder
    return own.removesuffix("/src/main/docker").removesuffix("src/main/docker")


def _holds(tree: Tree, folders: set[str], path: str) -> bool:
    return path in tree or path in folders or any(folder.startswith(f"{path}/") for folder in folders)
