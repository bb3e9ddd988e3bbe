"""Includes, conditionals and attributes, with the place of every line."""

import pytest

from shared_services.contracts.workshop import SourceMap
from tests.unit.template_converter.showroom.antora_site import PAGES, fences, markdown, one_page

PARTIALS = "content__modules__ROOT__partials__"
EXAMPLES = "content__modules__ROOT__examples__"


def test_includes_of_every_kind() -> None:
    text = markdown(
        "include::partial$intro.adoc[]\n\n[source,python]\n----\ninclude::example$app.py[tag=main]\n----\n\n[source,python]\n----\n"
        "include::example$app.py[lines=1..2;5,indent=0]\n----\n\ninclude::./sub/part.adoc[leveloffset=+1]\n",
        **{
            f"{PARTIALS}intro.adoc": "From a partial.\n",
            f"{EXAMPLES}app.py": "import os\n# tag::main[]\n  run()\n# end::main[]\n  end\n",
            f"{PAGES}/sub/part.adoc".replace("/", "__"): "= Part\n\ninclude::leaf.adoc[]\n",
            f"{PAGES}/sub/leaf.adoc".replace("/", "__"): "leaf\n",
        },
    )
    assert text.startswith("From a partial.")
    assert fences(text) == [("python", "  run()\n"), ("python", "import os\n# tag::main[]\n  end\n")]
    assert text.endswith("## Part\n\nleaf")


def test_a_role_above_a_container_leaves_offsets_and_what_is_inside_alone() -> None:
    inner = "= Part\n\n[.tab]\n****\n[source,sh]\n----\nls\n----\n****\n\n== Below\n"
    text = markdown("include::sub/part.adoc[leveloffset=+1]\n", **{f"{PAGES}/sub/part.adoc".replace("/", "__"): inner})
    assert "> ```sh\n> ls\n> ```" in text
    assert [row for row in text.split("\n") if row.startswith("#")] == ["## Part", "### Below"]


def test_circles_missing_files_missing_tags_and_foreign_addresses_are_named() -> None:
    found = one_page(
        "= P\n\ninclude::partial$a.adoc[]\n\ninclude::gone.adoc[]\n\ninclude::gone.adoc[opts=optional]\n\ninclude::partial$b.adoc[tag=nope]\n\n"
        "include::{nobody}/x.adoc[]\n\ninclude::https://example.org/x.adoc[]\n\nend\n",
        **{f"{PARTIALS}a.adoc": "once\n\ninclude::partial$a.adoc[]\n", f"{PARTIALS}b.adoc": "b\n"},
    )
    assert found.steps[0].content == "# P\n\nonce\n\nend\n"
    assert [(broken.kind, broken.target) for broken in found.broken] == [
        ("include", "partial$a.adoc"),
        ("include", "gone.adoc"),
        ("include", "partial$b.adoc[tag=nope]"),
        ("include", "{nobody}/x.adoc"),
    ]
    assert [loss.kind for loss in found.losses] == ["include"]


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        ("ifdef::a[]", True),
        ("ifdef::z[]", False),
        ("ifndef::z[]", True),
        ("ifdef::z,a[]", True),
        ("ifdef::a+z[]", False),
        ('ifeval::["{a}" == "1"]', True),
        ("ifeval::[{a} > 0]", True),
        ("ifeval::[{a} < 1]", False),
        ('ifeval::["{z}" != ""]', False),
    ],
)
def test_conditions(condition: str, seen: bool) -> None:
    assert ("inside" in markdown(f":a: 1\n\n{condition}\ninside\nendif::[]\n\nifdef::a[short]\n")) is seen


def test_nested_conditions_and_escapes() -> None:
    text = markdown("ifdef::z[]\nifdef::y[]\nx\nendif::[]\nno\nendif::[]\nyes\n\n----\n\\include::a.adoc[]\n\\ifdef::a[]\n----\n")
    assert text == "yes\n\n```\ninclude::a.adoc[]\nifdef::a[]\n```"


def test_the_source_map_follows_includes() -> None:
    found = one_page(
        "= Page\n\nA line.\nAnother.\n\n[source,bash]\n----\nfirst\ninclude::example$two.sh[]\nlast\n----\n\n. item\n+\ninclude::partial$note.adoc[]\n",
        **{f"{EXAMPLES}two.sh": "inc one\ninc two\n", f"{PARTIALS}note.adoc": "\nnoted\n"},
    )
    entry = found.steps[0]
    source_map = SourceMap(file=entry.source, runs=entry.runs)
    where = {line.strip(): source_map.locate(number) for number, line in enumerate(entry.content.split("\n"), 1)}
    page = f"{PAGES}/index.adoc"
    found_places = {
        text: (where[text].file.rpartition("/")[2], where[text].line)
        for text in ("A line.", "Another.", "first", "inc two", "last", "noted")
    }
    assert found_places == {
        "A line.": ("index.adoc", 3),
        "Another.": ("index.adoc", 4),
        "first": ("index.adoc", 8),
        "inc two": ("two.sh", 2),
        "last": ("index.adoc", 10),
        "noted": ("note.adoc", 2),
    }
    assert where["# Page"].file == page
    assert where["```bash"].line == 7


def test_a_heading_that_the_importer_adds_has_no_place() -> None:
    entry = one_page("just text\n").steps[0]
    assert entry.content == "# Page\n\njust text\n"
    assert entry.runs == [(1, f"{PAGES}/index.adoc", 0), (3, f"{PAGES}/index.adoc", 1)]
