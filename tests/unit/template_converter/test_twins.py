"""Two configurations of one name: which one was read is told."""

import pytest

from agents.template_converter.forms import IMPORTERS
from agents.template_converter.twins import passed_over
from shared_services.contracts.conversion import Form, FormCandidate
from tests.unit.template_converter.trees import make_tree

PAGE = "# A\n\n```sh\nls\n```\n"
TRACK = "slug: {0}\ntitle: {0}\nchallenges: []\n"


@pytest.mark.parametrize(
    ("form", "taken", "other", "pages", "config"),
    [
        (Form.MKDOCS, "mkdocs.yml", "mkdocs.yaml", {"docs/index.md": PAGE}, "site_name: {0}\n"),
        (
            Form.HUGO,
            "hugo.yaml",
            "hugo.yml",
            {"content/_index.md": "---\ntitle: ''\n---\n", "content/a.md": PAGE},
            "title: {0}\n",
        ),
        (Form.INSTRUQT, "track.yml", "track.yaml", {"01-a/assignment.md": "---\ntype: challenge\n---\n" + PAGE}, TRACK),
    ],
)
def test_what_is_told_as_passed_over_is_what_the_importer_passes_over(tmp_path, form, taken, other, pages, config):
    files = {f"w/{path}": text for path, text in pages.items()}
    tree = make_tree(tmp_path, {**files, f"w/{taken}": config.format("Taken"), f"w/{other}": config.format("Other")})
    candidate = FormCandidate(form=form, score=1, path="w")
    importer = next(importer for importer in IMPORTERS if importer.form is form)
    assert importer.read(tree, candidate).title == "Taken"
    [loss] = passed_over(tree, candidate)
    assert (loss.kind, loss.source) == ("setting", f"w/{other}")
    assert f"`w/{taken}`" in loss.detail


def test_one_of_them_alone_is_no_loss(tmp_path):
    tree = make_tree(tmp_path, {"workshop/config.yaml": "a: 1\n", "mkdocs.yml": "a: 1\n", "mkdocs.yaml": "a: 1\n"})
    assert passed_over(tree, FormCandidate(form=Form.EDUCATES, score=1)) == []
