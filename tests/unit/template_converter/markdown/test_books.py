"""Books with a `SUMMARY.md`: mdBook's and GitBook's configuration, what their pages draw in and hide, and how they are recognised."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.recognise import choose, classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = MarkdownImporter()
LAB = "Do it.\n\n```bash\nls\n```\n"


def mdbook(tmp_path, files, summary="# Summary\n\n- [A](a.md)\n- [B](b.md)\n", config='[book]\ntitle = "A Book"\n', **more):
    pages = {f"src/{path}": text for path, text in {"b.md": "# B\n", **files}.items()}
    return make_tree(tmp_path, {"book.toml": config, "src/SUMMARY.md": summary, **pages, **more})


def content(tmp_path, body, files=None, **more):
    return read(IMPORTER, mdbook(tmp_path, {"a.md": f"# A\n\n{body}", **(files or {})}, **more)).steps[0].content[5:].strip("\n")


def test_a_summary_of_mdbook_gives_parts_chapters_drafts_and_what_is_missing(tmp_path):
    summary = (
        "# Summary\n\n[Before](pre.md)\n[Twice](pre.md)\n\n# Part one\n\n- [A](a.md)\n    - [Inner `code`](deep/in.md)\n    - [Draft]()\n"
        "- [Gone](gone.md)\n\n---\n\n- [B](b.md)\n- [Away](https://x.example)\n\n# Part two\n\n- [C](c/)\n- [A's end](a.md#end)\n\n[After](post.md)\n"
    )
    files = {
        "pre.md": "Hello.\n",
        "a.md": "# A\n",
        "deep/in.md": "Text.\n",
        "c/README.md": "# C\n",
        "post.md": "# After\n",
        "lost.md": "# L\n",
    }
    config = '[book]\ntitle = "A Book"\nauthors = ["Ann", "Bo"]\ndescription = "About it."\n'
    workshop = read(IMPORTER, mdbook(tmp_path, files, summary, config))
    assert (workshop.title, workshop.summary, workshop.authors) == ("A Book", "About it.", ["Ann", "Bo"])
    assert [step.title for step in workshop.steps] == ["Before", "A", "Inner code", "B", "C", "After"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [
        ("Part one / A", ["a", "inner-code"]),
        ("Part two", ["c", "after"]),
    ]
    assert [(row.target, row.line) for row in workshop.broken] == [("gone.md", 11)]
    assert [(row.kind, row.line) for row in workshop.losses] == [("page", 4), ("page", 10), ("page", 16), ("page", 0)]
    assert "`src/lost.md`" in workshop.losses[-1].detail


FILE = "fn main() {\n    // ANCHOR: part\n    one();\n    // ANCHOR: inner\n    two();\n    // ANCHOR_END: inner\n    // ANCHOR_END: part\n}\n"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (":part", "    one();\n    two();"),
        (":inner", "    two();"),
        (":1", "fn main() {"),
        (":3", "    one();"),
        (":7:", "    // ANCHOR_END: part\n}"),
        ("::1", "fn main() {"),
        (":1:1", "fn main() {"),
        ("", FILE.rstrip("\n")),
    ],
)
def test_files_are_drawn_in(tmp_path, spec, expected):
    body = "```text\n{{#include ../code/m.rs" + spec + "}}\n```\n"
    assert content(tmp_path, body, **{"code/m.rs": FILE}) == f"```text\n{expected}\n```"


def test_drawn_lines_know_their_file_and_keep_the_indentation_of_their_list(tmp_path):
    body = "- item\n\n  ```rust\n  {{#rustdoc_include ../m.rs:inner}}\n  ```\n\n{{#include part.md}}\n"
    tree = mdbook(tmp_path, {"a.md": f"# A\n\n{body}", "part.md": "Drawn [b](b.md).\n"}, **{"m.rs": FILE})
    step = read(IMPORTER, tree).steps[0]
    assert ("      two();", "m.rs", 5) in places(step)
    assert "  ```rust\n      two();\n  ```\n\nDrawn [b](../b/content.md).\n" in step.content
    assert ("Drawn [b](../b/content.md).", "src/part.md", 1) in places(step)


def test_lines_that_a_book_hides_are_left_out_and_said(tmp_path):
    body = (
        "```rust,editable\n# use x;\n#\n#[derive(A)]\nfn f() {\n    # hidden\n    ## shown\n    a();\n}\n```\n\n```python\n~hide\nshow\n# kept\n```\n\n"
        "```text\n# kept\n```\n\n```c,hidelines=//!\n//!x\ny\n```\n"
    )
    config = '[book]\n[output.html.code.hidelines]\npython = "~"\n'
    workshop = read(IMPORTER, mdbook(tmp_path, {"a.md": f"# A\n\n{body}"}, config=config))
    expected = "```rust\n#[derive(A)]\nfn f() {\n    # shown\n    a();\n}\n```\n\n```python\nshow\n# kept\n```\n\n```text\n# kept\n```\n\n```c\ny\n```\n"
    assert workshop.steps[0].content == f"# A\n\n{expected}"
    assert [(row.kind, row.source) for row in workshop.losses] == [("hidden", "src/a.md")]
    assert workshop.losses[0].detail.startswith("5 lines of code that the book hides")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{#playground p.rs editable}}\n", "```rust\nfn p() {}\n```"),
        ("\\{{#include p.rs}}\n", "{{#include p.rs}}"),
        ("{{#title Other}}\nText.\n", "Text."),
        ("Say {{#include word.txt}}!\n", "Say hello!"),
        ('```admonish warning "Mind"\nThis.\n```\n', "> **Mind**\n>\n> This."),
        ("```admonish tip\nThis.\n```\n", "> **Tip**\n>\n> This."),
        ('<Listing number="1-1" file-name="a.rs" caption="A thing">\n\n```rust\nx\n```\n\n</Listing>\n', "**a.rs**\n\n```rust\nx\n```\n\n*Listing 1-1*: A thing"),
        ("[b](b.html) [b](b.md#b) [home](./c/index.html)\n", "[b](../b/content.md) [b](../b/content.md#b) [home](../c/content.md)"),
    ],
)  # fmt: skip
def test_what_else_pages_hold(tmp_path, body, expected):
    summary = "- [A](a.md)\n- [B](b.md)\n- [C](c/README.md)\n"
    files = {"p.rs": "fn p() {}\n", "word.txt": "hello\n", "c/README.md": "# C\n"}
    assert content(tmp_path, body, files, summary=summary) == expected


@pytest.mark.parametrize("target", ["../../../etc/passwd", "gone.rs", "a.md", "m.rs:nothing"])
def test_what_cannot_be_drawn_in_is_broken(tmp_path, target):
    tree = mdbook(tmp_path, {"a.md": f"# A\n\n```rust\n{{{{#include {target}}}}}\nx\n```\n", "m.rs": FILE})
    workshop = read(IMPORTER, tree)
    assert [(row.kind, row.target) for row in workshop.broken] == [("include", target)]
    assert "x\n```" in workshop.steps[0].content


def test_gitbooks_are_configured_in_two_ways(tmp_path):
    new = {
        ".gitbook.yaml": "root: ./book/\nstructure:\n  readme: START.md\n  summary: toc.md\n",
        "book/START.md": "# Start here\n\nWords.\n",
        "book/toc.md": "# Table of contents\n\n## First\n\n* [A](x/a.md)\n* [B](b.md)\n",
        "book/x/a.md": '# A\n\n{% code title="a.sh" %}\n```bash\nls\n```\n{% endcode %}\n\n{% file src="f.txt" %}\n',
        "book/x/f.txt": "x",
        "book/b.md": "# B\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path / "new", new))
    assert [step.title for step in workshop.steps] == ["Start here", "A", "B"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [("First", ["a", "b"])]
    assert "**a.sh**\n\n```bash exec\nls\n```" in workshop.steps[1].content
    assert "(../../assets/book/x/f.txt)" in workshop.steps[1].content
    old = {
        "book.json": '{"title": "Old", "author": "Ann", "variables": {"v": "1.2"}, "structure": {"summary": "S.md"}}',
        "README.md": "# Intro\n\n{% set w = 'words' %}Version {{ book.v }} of {{ w }}, {{ x }}.\n",
        "S.md": "* [Intro](README.md)\n* [A](a.md)\n",
        "a.md": "# A\n\n{% filename %}{{ book.v }} file{% endfilename %}\n```html\n{% raw %}{{ book.v }} {% if x %}{% endraw %}\n{% include 'no' %}\n```\n\n"
        '<!--sec data-title="Linux" data-id="l" ces-->\n\n{% include "/inc/b.md" %}\n\n<!--endsec-->\n\n{% include "gone.md" %}\n',
        "inc/b.md": "Drawn.\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path / "old", old))
    assert (workshop.title, workshop.authors) == ("Old", ["Ann"])
    assert "Version 1.2 of words, {{ x }}." in workshop.steps[0].content
    text = workshop.steps[1].content
    assert "**1.2 file**\n```html\n{{ book.v }} {% if x %}\n{% include 'no' %}\n```" in text
    assert "**Linux**\n\nDrawn.\n" in text
    assert [row.target for row in workshop.broken] == ["gone.md"]


def test_a_book_in_several_languages_is_read_in_one(tmp_path):
    one = {
        "README.md": "# T\n",
        "SUMMARY.md": "* [A](a.md)\n* [B](b.md)\n",
        "a.md": "# {0}\n\n{{{{ book.v }}}}\n",
        "b.md": "# B\n",
    }
    files = {f"{home}/{path}": text.format(home) for home in ("de", "en", "fr") for path, text in one.items()}
    tree = make_tree(
        tmp_path, {"LANGS.md": "* [D](de/)\n* [E](en/)\n* [F](fr/)\n", "book.json": '{"variables": {"v": 7}}', **files}
    )
    workshop = read(IMPORTER, tree)
    assert [step.source for step in workshop.steps] == ["en/README.md", "en/a.md", "en/b.md"]
    assert workshop.steps[1].content == "# en\n\n7\n"
    assert [row.source for row in workshop.losses] == ["LANGS.md"]
    assert "`de`, `fr`" in workshop.losses[0].detail
    assert read(IMPORTER, tree, "de").steps[0].source == "de/README.md"


def test_a_book_that_instructs_is_a_workshop(tmp_path):
    summary = "- [Lab 1](a.md)\n- [Lab 2](b.md)\n- [Lab 3](c.md)\n"
    config = '[book]\ntitle = "A workshop"\n'
    files = {"a.md": f"# Lab 1\n\n{LAB}", "b.md": f"# Lab 2\n\n{LAB}", "c.md": f"# Lab 3\n\n{LAB}"}
    tree = mdbook(tmp_path, files, summary, config, **{"Cargo.toml": "[package]\n", "code/main.rs": "fn main() {}\n"})
    best = choose(classify(tree), None)
    assert (best.form, best.path) == (Form.MARKDOWN, "")
    assert best.evidence[0] == "`src/SUMMARY.md` lists the 3 pages of an mdBook, configured by `book.toml`."


def test_the_summary_of_another_site_is_no_rival_of_it(tmp_path):
    pages = {f"docs/lab{number}.md": f"# Lab {number}\n\n{LAB}" for number in (1, 2, 3)}
    files = {
        "docusaurus.config.js": "module.exports = {title: 'A workshop', presets: [['classic', {docs: {sidebarPath: './sidebars.js'}}]]};\n",
        "sidebars.js": "module.exports = {main: ['lab1', 'lab2', 'lab3']};\n",
        "SUMMARY.md": "* [One](docs/lab1.md)\n* [Two](docs/lab2.md)\n* [Three](docs/lab3.md)\n",
        "README.md": "# A workshop\n",
        **pages,
    }
    rows = classify(make_tree(tmp_path, files))
    assert choose(rows, None).form is Form.DOCUSAURUS
    assert [row for row in rows if row.form is Form.MARKDOWN] == []


@pytest.mark.parametrize(
    "files",
    [
        {"book.toml": "[book\n"},
        {"book.toml": "[book]\nsrc = 3\nauthors = 'x'\n"},
        {"book.toml": "book = 1\noutput = 2\n"},
        {"book.json": "[1]"},
        {"book.json": "{"},
        {"book.json": '{"root": "../..", "structure": {"summary": "../x"}, "variables": []}'},
        {".gitbook.yaml": "root: [1]\nstructure: x\n"},
        {".gitbook.yaml": "a: &a [*a]\n"},
        {"LANGS.md": "* [x](../)\n* [y](y)\n"},
    ],
)
def test_configurations_that_say_nothing(tmp_path, files):
    pages = {"SUMMARY.md": "* [A](a.md)\n* [B](b.md)\n", "a.md": "# A\n", "b.md": "# B\n"}
    tree = make_tree(tmp_path, {**{f"src/{path}": text for path, text in pages.items()}, **pages, **files})
    classify(tree)
    assert [step.title for step in read(IMPORTER, tree).steps] == ["A", "B"]


PIECES = [
    "# T", "", "text", "```rust", "```", "# x", "#", "##", "{{#include a.md}}", "{{#include c.rs:x}}", "{{#rustdoc_include c.rs:2:}}", "{{#playground c.rs}}",
    "{{#title}}", "\\{{#include}}", "// ANCHOR: x", "// ANCHOR_END: x", "{% raw %}", "{% endraw %}", '{% include "a.md" %}', "{% set a = 'b' %}", "{{ a }}",
    "{# c", "#}", "{% filename %}", "{% endfilename %}", '<!--sec data-title="x" ces-->', "<!--endsec-->", "```admonish x", "<Listing number='1'>", "</Listing>",
    "{% hint %}", "{% endhint %}", "{% tabs %}", "- [a](a.md)", "  - [b]()", "~~~", "> ```", "{{#include c.rs:99999999999999999999}}", "\t", "\x00",
]  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=15).filter(lambda text: "\n" not in text), max_size=30), st.booleans())
def test_any_book_is_read(tmp_path_factory, pieces, mdbook_kind):
    text = "\n".join(pieces) + "\n"
    folder = tmp_path_factory.mktemp("fuzz")
    pages = {"a.md": text, "b.md": "# B\n", "c.rs": text, "SUMMARY.md": f"- [A](a.md)\n- [B](b.md)\n{text}"}
    pages = {f"src/{path}": page for path, page in pages.items()} if mdbook_kind else pages
    tree = make_tree(folder, {**pages, ("book.toml" if mdbook_kind else "book.json"): "" if mdbook_kind else "{}"})
    classify(tree)
    assert len(read(IMPORTER, tree).steps) >= 2


def test_a_summary_that_names_itself_is_told_and_nothing_is_broken(tmp_path):
    tree = make_tree(
        tmp_path, {"SUMMARY.md": "# S\n\n- [A](a.md)\n- [Outline](SUMMARY.md)\n- [B](b.md)\n", "a.md": LAB, "b.md": LAB}
    )
    workshop = read(IMPORTER, tree)
    assert [(row.line, row.detail) for row in workshop.losses] == [
        (4, "The summary names itself; it gives the order and is no step.")
    ]
    assert (workshop.broken, len(workshop.steps)) == ([], 2)


def test_a_gitbook_draws_files_in_by_a_line_in_capitals(tmp_path):
    body = '# A\n\n```json\n!INCLUDE "../parts/x.json"\n```\n\n!INCLUDE "../parts/words.md", 2\n\n!INCLUDE "gone.md"\n\nSay !INCLUDE "x" here.\n'
    files = {
        "book.json": '{"plugins": ["include"]}',
        "SUMMARY.md": "- [A](in/a.md)\n- [B](b.md)\n",
        "in/a.md": body,
        "b.md": LAB,
        "parts/x.json": '{"a": 1}\n',
        "parts/words.md": "Words.\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert workshop.steps[0].content == '# A\n\n```json\n{"a": 1}\n```\n\nWords.\n\n\nSay !INCLUDE "x" here.\n'
    assert [(row.line, row.target) for row in workshop.broken] == [(9, "gone.md")]


ADOC_LAB = "= {0}\n\nDo it in {{shop}}, after link:../start.md[the start].\n\n[source,bash]\n----\nls {0}\n----\n\nimage::../img/p.png[P]\n"
ADOC_BOOK = {
    "README.adoc": "= A workshop\n\nWords that say what it is about, and what you need.\n",
    "start.md": "# Start\n\nGo to [one](labs/one.adoc).\n",
    "labs/one.adoc": ADOC_LAB.format("one"),
    "labs/two.adoc": ADOC_LAB.format("two") + "\nBack to xref:one.adoc[one].\n\ninclude::part.adoc[]\n",
    "labs/part.adoc": "Drawn in.\n",
    "img/p.png": b"\x89PNG\r\n\x1a\n",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        (
            "SUMMARY.md",
            """# Summary\n\n* [Intro](README.adoc)\n* [Start](start.md)\n\n## Labs\n
* [Lab one](labs/one.adoc)\n  * [Lab two](labs/two.adoc)\n* [No](labs/no.adoc)\n""",
        ),
        (
            "SUMMARY.adoc",
            """= Summary\n\n. link:README.adoc[Intro]\n. link:start.md[Start]\n\n== Labs\n
. link:labs/one.adoc[Lab one]\n.. link:labs/two.adoc[Lab two]\n. link:labs/no.adoc[No]\n""",
        ),
    ],
)
def test_a_gitbook_has_its_summary_and_its_pages_in_markdown_or_asciidoc(tmp_path, name, summary):
    tree = make_tree(tmp_path, {name: summary, "book.json": '{"title": "A book"}', **ADOC_BOOK})
    workshop = read(IMPORTER, tree)
    assert workshop.title == "A book"
    assert [step.source for step in workshop.steps] == ["README.adoc", "start.md", "labs/one.adoc", "labs/two.adoc"]
    assert [(row.title, row.steps) for row in workshop.chapters] == [("Labs / Lab one", ["one", "two"])]
    one, two = (step.content for step in workshop.steps[2:])
    assert "Do it in {{shop}}, after [the start](../start/content.md)." in one
    assert "```bash exec\nls one\n```" in one
    assert "(../../assets/img/p.png)" in one
    assert "[one](../one/content.md)" in two
    assert "Drawn in." in two
    assert "[one](../one/content.md)" in workshop.steps[1].content
    assert [row.name for row in workshop.variables] == ["shop"]
    assert [(row.target, row.line) for row in workshop.broken] == [("labs/no.adoc", 10)]
    assert not [row for row in workshop.losses if row.kind == "page"]


def test_a_book_of_asciidoc_pages_is_recognised_by_what_they_say(tmp_path):
    summary = ". link:labs/one.adoc[Lab 1]\n. link:labs/two.adoc[Lab 2]\n"
    best = choose(classify(make_tree(tmp_path, {"SUMMARY.adoc": summary, **ADOC_BOOK})), None)
    assert (best.form, best.path) == (Form.MARKDOWN, "")
    assert best.evidence[0] == "`SUMMARY.adoc` lists the 3 pages of a GitBook."


def test_an_mdbook_has_pages_in_markdown_alone(tmp_path):
    tree = mdbook(tmp_path, {"a.md": "# A\n", "c.adoc": "= C\n"}, "- [A](a.md)\n- [B](b.md)\n- [C](c.adoc)\n")
    workshop = read(IMPORTER, tree)
    assert [step.source for step in workshop.steps] == ["src/a.md", "src/b.md"]
    assert [row.target for row in workshop.broken] == ["c.adoc"]
