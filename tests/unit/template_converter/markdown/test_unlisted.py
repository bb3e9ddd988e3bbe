"""Pages that nothing names are told, a page may be named itself, and footnotes are no definitions of links."""

import pytest

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.forms.parsing import PARSER
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConvertRequest, Form
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = MarkdownImporter()
SERVICE = ConverterService(ConverterSettings())
LAB = "# A lab workshop\n\n## Step 1\n\n```bash\nls\n```\n\n## Step 2\n\n```bash\nls\n```\n"
STEPS = {"01-a.md": "# A\n\nSee [more](more.md).\n", "02-b.md": "# B\n"}


def unlisted(tmp_path, files, path=""):
    workshop = read(IMPORTER, make_tree(tmp_path, files), path)
    return [row.detail for row in workshop.losses if row.kind == "page" and " named by no list" in row.detail]


def test_pages_that_nothing_names_are_told_once(tmp_path):
    more = {"lost.md": "x", "deep/other.md": "x", "more.md": "carried along by its link"}
    decoys = (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        ".github/a.md",
        "node_modules/p/r.md",
        "vendor/v.md",
        "adr/1-why.md",
        "SUMMARY.md",
    )
    said = unlisted(tmp_path, {**STEPS, **more, **dict.fromkeys(decoys, "x")})
    assert said == ["2 pages are named by no list, number or summary and are no steps: `deep/other.md`, `lost.md`."]


def test_many_are_counted_and_those_of_other_folders_are_not_meant(tmp_path):
    files = {f"lab/{path}": text for path, text in STEPS.items()} | {f"lab/x{number}.md": "x" for number in range(1, 14)}
    (said,) = unlisted(tmp_path, {**files, "outside.md": "x"}, "lab")
    assert said.startswith("13 pages are named by no list")
    assert said.endswith("`lab/x10.md` and 3 more.")
    assert "outside.md" not in said


def test_further_pages_of_a_numbered_folder_are_told(tmp_path):
    files = {"lab1/README.md": "# A\n", "lab1/extra.md": "x\n", "lab2/README.md": "# B\n"}
    assert unlisted(tmp_path, files) == ["1 page is named by no list, number or summary and is no step: `lab1/extra.md`."]


def test_a_book_tells_of_its_folder_and_not_of_what_it_draws_in(tmp_path):
    files = {
        "book.toml": "[book]\n",
        "src/SUMMARY.md": "- [A](a.md)\n- [B](b.md)\n",
        "src/a.md": "# A\n\n{{#include part.md}}\n",
        "src/part.md": "Drawn in.\n",
        "src/b.md": "# B\n",
        "src/lost.md": "x\n",
        "README.md": "x\n",
    }
    assert unlisted(tmp_path, files) == ["1 page is named by no list, number or summary and is no step: `src/lost.md`."]


@pytest.mark.parametrize("path", ["README.md", "docs/README.md", "guide.md"])
@pytest.mark.parametrize("form", [None, Form.MARKDOWN])
def test_a_page_that_is_named_is_read(tmp_path, path, form):
    make_tree(tmp_path, {path: f"{LAB}\n![p](p.png)\n", "other.md": "x\n", "docs/p.png": b"p", "p.png": b"p"})
    report = SERVICE.read(ConvertRequest(source=str(tmp_path), path=path, as_form=form)).report
    assert [(step.title, step.source) for step in report.workshop.steps] == [("Step 1", path), ("Step 2", path)]
    assert (report.losses, report.broken) == ([], [])


@pytest.mark.parametrize(
    "note", ["[^1]: note", "[^1]: https://x.example/a", "- x\n\n  [^1]: note", "> [^1]: note", "[^1]:\n    note"]
)
def test_a_footnote_of_one_word_that_nothing_refers_to_stays_text(tmp_path, note):
    files = {"01-a.md": f"# A\n\nSaid, [so][l].\n\n{note}\n\n[l]: 02-b.md\n", "02-b.md": "# B\n"}
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    content = workshop.steps[0].content
    assert workshop.broken == []
    assert "Said, [so](../b/content.md)." in content
    shown = [child for token in PARSER.parse(content) for child in token.children or []]
    assert [child.attrGet("href") for child in shown if child.type == "link_open"] == ["../b/content.md"]
    assert "\\[^1]:" in content
    assert [row.detail for row in workshop.losses] == ["footnote `[^…]` is not known and is shown as text (1 times)."]


def test_a_footnote_in_code_stays_as_it_is(tmp_path):
    files = {"01-a.md": "# A\n\n```md\n[^1]: note\n```\n\n    [^2]: note\n", "02-b.md": "# B\n"}
    content = read(IMPORTER, make_tree(tmp_path, files)).steps[0].content
    assert content == "# A\n\n```md\n[^1]: note\n```\n\n    [^2]: note\n"
