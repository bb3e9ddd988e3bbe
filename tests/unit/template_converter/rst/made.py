"""Small sites, and what converting them gives."""

from agents.template_converter.forms.rst import RstImporter
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = RstImporter()
CONF = 'project = "A Workshop"\nextensions = ["sphinx.ext.extlinks"]\n'


def site(tmp_path, files, conf=CONF, **more):
    pages = {f"docs/{path}": text for path, text in files.items()}
    return make_tree(tmp_path, {"docs/conf.py": conf, **pages, **more})


def convert(tmp_path, files, conf=CONF, **more):
    return read(IMPORTER, site(tmp_path, files, conf, **more), "docs")


def page(tmp_path, body, conf=CONF, files=None, **more):
    """The workshop of one page under the title `T`."""
    return convert(tmp_path, {"index.rst": f"T\n=\n\n{body}", **(files or {})}, conf, **more)


def content(tmp_path, body, conf=CONF, files=None, **more):
    """What a page under the title `T` becomes, without the title."""
    return page(tmp_path, body, conf, files, **more).steps[0].content.removeprefix("# T\n").strip("\n")


def myst(tmp_path, body, conf=CONF, files=None, **more):
    """The same of a page of MyST."""
    made = convert(tmp_path, {"index.md": f"# T\n\n{body}", **(files or {})}, conf, **more)
    return made, made.steps[0].content.removeprefix("# T\n").strip("\n")
