"""Antora sites of our own for the tests: a page or two, written to disk and read back as a workshop."""

import atexit
import shutil
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from agents.template_converter.forms.showroom import ShowroomImporter
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree

_BASE = Path(tempfile.mkdtemp(prefix="antora-"))
atexit.register(shutil.rmtree, _BASE, ignore_errors=True)

PAGES = "content/modules/ROOT/pages"
DESCRIPTOR = "name: lab\ntitle: Bread Lab\nversion: ~\nnav:\n- modules/ROOT/nav.adoc\n"
PLAYBOOK = "site:\n  title: Bread\n  start_page: lab::index.adoc\ncontent:\n  sources:\n  - url: .\n    start_path: content\n"


def site(files: dict[str, str | bytes], root: Path | None = None) -> Tree:
    """A tree of `files`; a descriptor is added where there is none."""
    root = root or Path(tempfile.mkdtemp(dir=_BASE))
    complete: dict[str, str | bytes] = {**files}
    if not any(path.endswith("antora.yml") for path in files):
        complete["content/antora.yml"] = DESCRIPTOR
    for path, data in complete.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Tree(root, {path: (root / path).stat().st_size for path in sorted(complete)})


def workshop(files: dict[str, str | bytes]) -> ImportedWorkshop:
    """The workshop of `files`."""
    tree = site(files)
    importer = ShowroomImporter()
    return importer.read(tree, importer.recognise(tree)[0])


def one_page(text: str, **more: str | bytes) -> ImportedWorkshop:
    """A site whose one page is `text`; `more` are further files (`__` for `/`)."""
    files: dict[str, str | bytes] = {"content/modules/ROOT/nav.adoc": "* xref:index.adoc[Page]\n", f"{PAGES}/index.adoc": text}
    files |= {path.replace("__", "/"): data for path, data in more.items()}
    return workshop(files)


def markdown(text: str, **more: str | bytes) -> str:
    """The content that a page becomes, without its title."""
    content = one_page(f"= Page\n\n{text}", **more).steps[0].content
    return content.removeprefix("# Page\n").strip("\n")


def tokens(content: str) -> list[Token]:
    """The content as the platform's Markdown parser reads it."""
    return MarkdownIt("commonmark").enable("table").parse(content)


def fences(content: str) -> list[tuple[str, str]]:
    """Info string and text of every code block."""
    return [(token.info, token.content) for token in tokens(content) if token.type == "fence"]


def step(found: ImportedWorkshop, id_: str) -> ImportedStep:
    """The step called `id_`."""
    return next(entry for entry in found.steps if entry.id == id_)
