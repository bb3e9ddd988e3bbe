"""What authors wrote never becomes what a form does: directives, navigation entries, keys of a manifest, paths outside."""

import pytest
import yaml

from agents.template_converter.exports import EXPORTERS
from shared_services.contracts.conversion import Form
from shared_services.library.form import WorkshopFiles, validate_files
from tests.unit.template_converter.exports.made import blocks, there_and_back

EVIL = "x]\n* xref:evil.adoc[y]\ninclude::/etc/passwd[]\n: a\n- {b: c}\n#"
CODE = "include::/etc/passwd[]\nifdef::never[]\necho 1\nendif::[]\n:a: b\n////\n----\n{{user}} {{% x %}} <% y %>\n"
PROSE = (
    "# One\n\ninclude::/etc/passwd[]\n\nwords\ninclude::/etc/passwd[]\nifeval::[1 > 2]\n\n- include::/etc/passwd[]\n\n{counter:x} {docdir}\n\n```bash exec\n"
    + CODE
    + "```\n"
)


def workshop() -> WorkshopFiles:
    manifest = {
        "apiVersion": "workshop-assistant/v1", "slug": "made", "title": EVIL, "summary": EVIL, "authors": [EVIL], "steps": ["one", "two"],
        "chapters": [{"title": EVIL, "steps": ["one"]}],
    }  # fmt: skip
    return validate_files(
        {
            "workshop.yaml": yaml.safe_dump(manifest).encode(),
            "steps/one/step.yaml": yaml.safe_dump({"title": EVIL}).encode(),
            "steps/one/content.md": PROSE.encode(),
            "steps/one/hints.md": PROSE.encode(),
            "steps/two/step.yaml": yaml.safe_dump({"title": "--- # {a} !!python/name:os.system"}).encode(),
            "steps/two/content.md": b"Words.\n",
            "assets/a b/$(ls) 'x'.txt": b"x",
        }
    )


def test_no_line_of_a_page_is_a_directive():
    files = EXPORTERS[Form.SHOWROOM].write(workshop()).files
    page = files["content/modules/ROOT/pages/one.adoc"].decode()
    lines = [line for line in page.split("\n") if line.endswith("]")]
    assert not [line for line in lines if line.startswith(("include::", "ifdef::", "ifndef::", "ifeval::", "endif::"))]
    assert page.count("\\include::/etc/passwd[]") == 2


def test_the_navigation_has_an_entry_for_each_step_and_no_more():
    rows = EXPORTERS[Form.SHOWROOM].write(workshop()).files["content/modules/ROOT/nav.adoc"].decode().splitlines()
    assert len(rows) == 3
    assert [row.partition("[")[0] for row in rows if "xref:one" in row or "xref:two" in row] == [
        "** xref:one.adoc",
        "* xref:two.adoc",
    ]


@pytest.mark.parametrize("form", EXPORTERS)
def test_manifests_hold_what_was_written_and_no_other_keys(form):
    files = EXPORTERS[form].write(workshop()).files
    path = {Form.SHOWROOM: "content/antora.yml", Form.EDUCATES: "resources/workshop.yaml", Form.MKDOCS: "mkdocs.yml"}[form]
    values = yaml.safe_load(files[path])
    title = {
        Form.SHOWROOM: lambda: values["title"],
        Form.EDUCATES: lambda: values["spec"]["title"],
        Form.MKDOCS: lambda: values["site_name"],
    }[form]()
    assert title == EVIL
    assert "b" not in values
    assert not [name for name in files if name.startswith(("/", "..")) or "/../" in name]


@pytest.mark.parametrize("form", EXPORTERS)
def test_code_that_looks_like_directives_comes_back(form, tmp_path):
    _, found = there_and_back(workshop(), form, tmp_path)
    assert len(found.steps) == 2
    assert CODE in [text for _, text in blocks(found.steps[0].content)]
    assert "passwd" in found.steps[0].content
    assert not [row for row in found.broken if row.kind == "include"]
