"""What an application's repository holds, read and never run: `workshop inspect`."""

from shared_services.contracts.base import WireModel


class LanguageShare(WireModel):
    """A language of the repository's own source files; `lines` counts those that are not blank."""

    name: str
    files: int
    lines: int


class Dependency(WireModel):
    """Something that a build file names; `version` as it is written there, empty where it is not."""

    name: str
    version: str = ""
    scope: str = ""


class BuildFile(WireModel):
    """A build file, what reads it, and what it depends on.

    Attributes:
        path: In the repository.
        tool: `maven`, `gradle`, `npm`, `pip`, `poetry`, `go`, `cargo`, `make`, ...
        dependencies: As they are written there.
        scripts: Names of tasks that it defines, with their commands where they are commands.
    """

    path: str
    tool: str
    dependencies: list[Dependency] = []
    scripts: dict[str, str] = {}


class Place(WireModel):
    """A line (from 1) of a file; 0 where the whole file is meant."""

    path: str
    line: int = 0


class Framework(WireModel):
    """A framework, and where that is seen."""

    name: str
    evidence: list[Place]


class Endpoint(WireModel):
    """An HTTP endpoint.

    Attributes:
        method: `GET`, `POST`, ...; `ANY` where the code takes every method.
        path: As the code has it, with the prefixes that are known.
        handler: Name of the function or method that answers; empty where it has none.
    """

    method: str
    path: str
    handler: str
    place: Place


class EntryPoint(WireModel):
    """Where the program begins, and how that is known."""

    kind: str
    place: Place


class ContainerFile(WireModel):
    """A Containerfile: the images it is built from, ports that it exposes, what it runs."""

    path: str
    base_images: list[str] = []
    ports: list[int] = []
    command: str = ""


class ComposeService(WireModel):
    """A service of a compose file.

    Attributes:
        context: The folder that its image is built in, from the repository's top; empty where it is not built.
        dockerfile: The Containerfile that it is built from.
    """

    path: str
    name: str
    image: str = ""
    ports: list[str] = []
    context: str = ""
    dockerfile: str = ""


class KubernetesObject(WireModel):
    """An object of a Kubernetes manifest."""

    path: str
    kind: str
    name: str


class Inventory(WireModel):
    """All of it, at one commit."""

    commit: str | None = None
    files: int = 0
    languages: list[LanguageShare] = []
    build_files: list[BuildFile] = []
    frameworks: list[Framework] = []
    entry_points: list[EntryPoint] = []
    endpoints: list[Endpoint] = []
    containers: list[ContainerFile] = []
    compose: list[ComposeService] = []
    kubernetes: list[KubernetesObject] = []
    tests: list[str] = []
    ci: list[str] = []
    documentation: list[str] = []
    unread: list[str] = []
    """A sentence for each file that should say something and could not be read."""
    not_looked_for: list[str] = []
    """A sentence for each kind of thing that the repository holds and that an inventory passes over."""
