"""One data folder with two published workshops, made once by a real first start, and copied for whoever changes it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.cli.program import Server, serving
from tests.workshops import make_files

GARDEN = {
    "sow": "# Sow\n\nFill the tray with compost. Sow the tomato seeds one centimetre deep.\n\n```bash exec\nsow --tray 1\n```\n",
    "water": "# Water\n\nWater the tray every morning with the rose of the can, never at noon.\n\n```bash exec\nwater --tray 1\n```\n",
}
BREAD = {"knead": "# Knead\n\nKnead the dough for ten minutes until it is elastic.\n", "bake": "# Bake\n\nBake at 230 degrees.\n"}


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    """A workshop on disk."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@dataclass(frozen=True)
class FirstStart:
    """What a first start left behind."""

    data: Path
    examples: Path
    seconds: float
    out: tuple[str, ...]
    err: tuple[str, ...]
    status: int


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small workshops as the examples."""
    folder = tmp_path_factory.mktemp("examples")
    write_folder(folder / "garden", make_files("garden", steps=GARDEN, title="A kitchen garden"))
    write_folder(folder / "bread", make_files("bread", steps=BREAD, title="A loaf of bread"))
    return folder


@pytest.fixture(scope="session")
def first_start(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    """A data folder with both examples installed; not to be changed."""
    data = tmp_path_factory.mktemp("first") / "data"
    server = Server(data, examples=examples)
    server.ready()
    status = server.end()
    return FirstStart(data, examples, 0.0, tuple(server.out), tuple(server.err), status)


@pytest.fixture
def data(first_start: FirstStart, tmp_path: Path) -> Path:
    """A copy of the data folder with both examples."""
    shutil.copytree(first_start.data, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def shared(first_start: FirstStart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on another copy, shared by a module's tests."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(first_start.data, folder)
    with serving(folder) as server:
        yield server


MakeFolder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> MakeFolder:
    """Makes a workshop folder: slug, then `make_files`' own arguments."""

    def make(slug: str, **options: object) -> Path:
        return write_folder(tmp_path / "folders" / slug, make_files(slug, **options))  # type: ignore[arg-type]

    return make
