"""MkDocs: navigation, blocks that CommonMark does not know, snippets, and YAML from strangers."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.mkdocs import MkDocsImporter
from agents.template_converter.forms.yaml_safely import UnsafeYamlError, load_plain
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = MkDocsImporter()


def convert(tmp_path, page, config="site_name: W\nnav: [index.md]\n", **files):
    tree = make_tree(tmp_path, {"mkdocs.yml": config, "docs/index.md": page, **files.pop("files", {})})
    return read(IMPORTER, tree)


def content(tmp_path, page, **files):
    return convert(tmp_path, page, **files).steps[0].content


def test_the_navigation_gives_order_titles_and_chapters(tmp_path):
    config = (
        "site_name: My Workshop\nsite_description: About it\nsite_author: Ann\nnav:\n  - index.md\n  - Labs:\n    - First lab: labs/one.md\n"
        "    - More:\n      - labs/two.md\n  - Feedback: https://forms.example\n  - Gone: gone.md\n  - Again: index.md\n  - Book: book.pdf\n"
    )
    files = {"docs/labs/one.md": "# One\n", "docs/labs/two.md": "# Two\n", "docs/book.pdf": b"%PDF"}
    workshop = convert(tmp_path, "# Home\n", config, files=files)
    assert (workshop.title, workshop.summary, workshop.authors) == ("My Workshop", "About it", ["Ann"])
    assert [(step.id, step.title) for step in workshop.steps] == [("home", "Home"), ("first-lab", "First lab"), ("two", "Two")]
    assert [(row.title, row.steps) for row in workshop.chapters] == [("Labs", ["first-lab"]), ("Labs / More", ["two"])]
    assert [(row.kind, row.line) for row in workshop.losses] == [("page", 10), ("page", 12), ("page", 13)]
    assert [(row.line, row.target) for row in workshop.broken] == [(11, "gone.md")]


def test_without_navigation_files_are_in_natural_order_with_indexes_first(tmp_path):
    files = {f"docs/{name}": f"# {name}\n" for name in ("10-z.md", "2-y.md", "b/index.md", "b/1-x.md")}
    workshop = convert(tmp_path, "# Home\n", "site_name: W\n", files=files)
    assert [step.source for step in workshop.steps] == [
        "docs/index.md",
        "docs/2-y.md",
        "docs/10-z.md",
        "docs/b/index.md",
        "docs/b/1-x.md",
    ]


def test_python_tags_and_environment_tags_are_tolerated_and_never_constructed(tmp_path):
    config = (
        "site_name: W\nedit_uri: !ENV [NOWHERE, 'x']\nmarkdown_extensions:\n  - pymdownx.emoji:\n"
        "      emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
        "      danger: !!python/object/apply:os.system ['touch marker']\nnav: [index.md]\n"
    )
    assert convert(tmp_path, "# Home\n", config).steps[0].title == "Home"
    assert not (tmp_path / "marker").exists()


def test_yaml_that_unfolds_without_end_is_refused(tmp_path):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(UnsafeYamlError, match="unfold"):
        load_plain(bomb)
    with pytest.raises(UnreadableSourceError, match=r"mkdocs\.yml"):
        convert(tmp_path, "# A\n", bomb)
    with pytest.raises(UnsafeYamlError):
        load_plain("a: &a [*a]")
    with pytest.raises(UnsafeYamlError, match="line 2"):
        load_plain("a: 1\n\tb: [\n")
    with pytest.raises(UnsafeYamlError):
        load_plain("[" * 5000)


def test_admonitions_become_labelled_quotes(tmp_path):
    page = '# A\n\n!!! warning "Mind *it*"\n    Text [l](index.md).\n\n    ```bash\n    ls\n\n    \ttab\n    ```\nafter\n\n??? tip\n    x\n!!! note ""\n    bare\n'
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "# A\n\n> **Mind *it***\n>\n> Text [l](../a/content.md).\n>\n> ```bash exec\n> ls\n>\n> \ttab\n> ```\n\nafter\n\n> **Tip**\n>\n> x\n\n> bare\n"
    )
    assert [(line, number) for line, _, number in places(workshop.steps[0])][2:6] == [
        ("> **Mind *it***", 3), (">", 0), ("> Text [l](../a/content.md).", 4), (">", 5),
    ]  # fmt: skip


def test_words_behind_an_admonition_are_kept_and_placements_are_not(tmp_path):
    assert "> **Warning: Mind the gap**" in content(tmp_path, "# A\n\n!!! warning Mind the gap\n    x\n")
    assert "> **Note**" in content(tmp_path, "# A\n\n!!! note inline end\n    x\n")


def test_targets_with_spaces(tmp_path):
    page = "# A\n\n![a b](my pic.png)\n\n`![c](d e.png)`\n"
    workshop = convert(tmp_path, page, files={"docs/my pic.png": b"1"})
    assert workshop.steps[0].content == "# A\n\n![a b](../../assets/docs/my-pic.png)\n\n`![c](d e.png)`\n"


def test_the_first_paragraph_is_the_summary_where_none_is_given(tmp_path):
    page = "# A\n\n![x](https://x.example/b.png)\n\nThis workshop shows how one thing is **done** after another.\n"
    assert convert(tmp_path, page).summary == "This workshop shows how one thing is done after another."


def test_content_tabs_become_headed_sections_in_order(tmp_path):
    page = '# A\n\n## Install\n\n=== "Linux"\n\n    ```bash\n    apt\n    ```\n\n    !!! note\n        n\n\n=== "Mac OS"\n    brew\n\nend\n'
    assert content(tmp_path, page) == (
        "# A\n\n## Install\n\n\n### Linux\n\n```bash exec\napt\n```\n\n> **Note**\n>\n> n\n\n\n### Mac OS\n\nbrew\n\nend\n"
    )


def test_blocks_in_lists_keep_their_indentation_and_code_is_left_alone(tmp_path):
    page = '# A\n\n1. one\n\n    !!! note\n        n\n\n```text\n!!! note\n    not one\n=== "no"\n```\n'
    assert content(tmp_path, page) == (
        '# A\n\n1. one\n\n    > **Note**\n    >\n    > n\n\n```text\n!!! note\n    not one\n=== "no"\n```\n'
    )


def test_fences_at_any_indentation_are_fences(tmp_path):
    page = (
        "# A\n\ntext\n\n    ```bash\n    ls\n\n      pwd\n    ```\n\n!!! note\n    n\n\n        ```sh\n        ls\n        ```\n\n"
        "- item\n\n        ```sh\n        id\n        ```\n\n    code\n"
    )
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "# A\n\ntext\n\n```bash exec\nls\n\n  pwd\n```\n\n> **Note**\n>\n> n\n>\n> ```sh exec\n> ls\n> ```\n\n"
        "- item\n\n  ```sh exec\n  id\n  ```\n\n    code\n"
    )


def test_attribute_lists_and_titles_of_code(tmp_path):
    page = '# A {: #top .x }\n\n![i](i.png){ width="300" } [b](index.md#top){ .md-button }\n{: .center }\n\n```yaml title="a.yml" hl_lines="1"\nx: 1\n```\n'
    workshop = convert(tmp_path, page, files={"docs/i.png": b"1"})
    assert workshop.steps[0].content == (
        "# A\n\n![i](../../assets/docs/i.png) [b](../a/content.md#a)\n\n\n**a.yml**\n\n```yaml\nx: 1\n```\n"
    )
    assert ("**a.yml**", "docs/index.md", 0) in places(workshop.steps[0])


def test_pages_linked_to_as_folders(tmp_path):
    config = "site_name: W\nnav: [index.md, lab/README.md, other.md]\n"
    files = {"docs/lab/README.md": "# Lab\n\n[o](../other/) [h](/)\n", "docs/other.md": "# Other\n\n[l](../lab/#lab)\n"}
    workshop = convert(tmp_path, "# Home\n\n[l](lab/) [o](other.html)\n", config, files=files)
    assert workshop.steps[0].content.endswith("[l](../lab/content.md) [o](../other/content.md)\n")
    assert workshop.steps[1].content.endswith("[o](../other/content.md) [h](../home/content.md)\n")
    assert workshop.steps[2].content.endswith("[l](../lab/content.md#lab)\n")
    assert not workshop.broken


def test_snippets_are_drawn_in_and_keep_their_own_place(tmp_path):
    config = "site_name: W\nnav: [index.md]\nmarkdown_extensions:\n  - pymdownx.snippets:\n      base_path: [parts]\n"
    files = {
        "parts/a.md": 'first\nsecond\n--8<-- "b.md"\n',
        "parts/b.md": "third\n",
        "parts/c.py": "# --8<-- [start:go]\nx = 1\n# --8<-- [end:go]\ny = 2\n",
    }
    page = '# A\n\n--8<-- "a.md"\n\n```python\n--8<-- "c.py:go"\n```\n\n--8<-- "gone.md"\n--8<-- "a.md:2:2"\n--8<-- "https://x.example/y.md"\n;--8<-- "a.md"\n'
    workshop = convert(tmp_path, page, config, files=files)
    assert places(workshop.steps[0]) == [
        ("# A", "docs/index.md", 1), ("", "docs/index.md", 2), ("first", "parts/a.md", 1), ("second", "parts/a.md", 2),
        ("third", "parts/b.md", 1), ("", "docs/index.md", 4), ("```python", "docs/index.md", 5), ("x = 1", "parts/c.py", 2),
        ("```", "docs/index.md", 7), ("", "docs/index.md", 8), ("second", "parts/a.md", 2),
        ("<https://x.example/y.md>", "docs/index.md", 11), ('--8<-- "a.md"', "docs/index.md", 12),
    ]  # fmt: skip
    assert [(row.kind, row.line, row.target) for row in workshop.broken] == [("include", 9, "gone.md")]
    assert [(row.kind, row.line) for row in workshop.losses] == [("include", 11)]


def test_snippets_that_draw_each_other_in_end(tmp_path):
    files = {"a.md": 'a\n--8<-- "b.md"\n', "b.md": 'b\n--8<-- "a.md"\n'}
    workshop = convert(tmp_path, '# A\n\n--8<-- "a.md"\n', files=files)
    assert workshop.steps[0].content == "# A\n\na\nb\n"
    assert "without end" in workshop.broken[0].detail


def test_a_snippet_cannot_leave_the_source(tmp_path):
    workshop = convert(tmp_path, '# A\n\n--8<-- "../../../../etc/passwd"\n--8<-- "/etc/passwd"\n')
    assert workshop.steps[0].content == "# A\n"
    assert len(workshop.broken) == 2


def test_pages_that_the_navigation_does_not_name_are_told(tmp_path):
    files = {
        "mkdocs.yml": "site_name: A lab\nnav:\n- index.md\n",
        "docs/index.md": '# A\n\n--8<-- "parts/p.md"\n',
        "docs/parts/p.md": "Drawn in.\n",
        "docs/other.md": "# Other\n",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "docs/other.md")]
    files["mkdocs.yml"] = "site_name: A lab\nnav:\n- index.md\n"
    many = {f"docs/more/{number:03}.md": "# M\n" for number in range(50)}
    losses = read(IMPORTER, make_tree(tmp_path / "many", {**files, **many})).losses
    assert len(losses) == 41
    assert losses[-1].detail == "The navigation does not name 11 further pages of `docs`; they are no steps."


def test_keys_are_keys(tmp_path):
    page = "# A\n\nPress ++ctrl+page-up++, not `++x++` nor a++b++.\n\n```c\n++i++\n```\n"
    tree = make_tree(tmp_path, {"mkdocs.yml": "site_name: A lab\n", "docs/index.md": page})
    assert read(IMPORTER, tree).steps[0].content == (
        "# A\n\nPress <kbd>Ctrl</kbd>+<kbd>Page up</kbd>, not `++x++` nor a++b++.\n\n```c\n++i++\n```\n"
    )


ZENSICAL = (
    '[project]\nsite_name = "Dive in"\nsite_description = "About it"\nsite_author = "Ann"\ndocs_dir = "pages"\n'
    'nav = [\n  {"Start" = "index.md"},\n  {"Exercises" = [\n    {"Exercise 1" = "one.md"},\n    "two.md",\n    {"Gone" = "gone.md"}\n  ]}\n]\n'
    '[project.markdown_extensions.pymdownx.snippets]\nbase_path = ["parts"]\n'
)


def test_a_site_of_zensical_is_read_as_mkdocs_reads_its_own(tmp_path):
    files = {
        "course/zensical.toml": ZENSICAL,
        "course/mkdocs.yml": "site_name: Old\nnav: [two.md]\n",
        "course/pages/index.md": "# Home\n\nA workshop.\n",
        "course/pages/one.md": '# One\n\n```bash\n--8<-- "run.sh"\n```\n\n!!! note "Mind"\n    this\n',
        "course/pages/two.md": "# Two\n\n```bash\nls\n```\n",
        "course/parts/run.sh": "make it\n",
    }
    tree = make_tree(tmp_path, files)
    found = IMPORTER.recognise(tree)
    assert [(row.path, row.score >= 0.5) for row in found] == [("course", True)]
    workshop = read(IMPORTER, tree, "course")
    assert (workshop.title, workshop.summary, workshop.authors) == ("Dive in", "About it", ["Ann"])
    assert [(step.title, step.source) for step in workshop.steps] == [
        ("Start", "course/pages/index.md"),
        ("Exercise 1", "course/pages/one.md"),
        ("Two", "course/pages/two.md"),
    ]
    assert workshop.steps[1].content == "# One\n\n```bash exec\nmake it\n```\n\n> **Mind**\n>\n> this\n"
    assert [(row.title, len(row.steps)) for row in workshop.chapters] == [("Exercises", 2)]
    assert [(row.source, row.line, row.target) for row in workshop.broken] == [("course/zensical.toml", 11, "gone.md")]


@pytest.mark.parametrize("text", ["[project\n", "x = " + "[" * 5000, 'project = "no table"\n'])
def test_what_zensical_could_not_read_either_is_refused(tmp_path, text):
    tree = make_tree(tmp_path, {"zensical.toml": text, "docs/a.md": "# A\n"})
    assert [row.score < 0.5 for row in IMPORTER.recognise(tree)] == [True]
    with pytest.raises(UnreadableSourceError, match=r"zensical\.toml"):
        read(IMPORTER, tree)


def test_pages_in_other_languages_are_told_together(tmp_path):
    files = {f"docs/{name}": "# X\n" for name in ("index.pt.md", "index.pt-BR.md", "a.de.md", "alone.fr.md")}
    rows = convert(tmp_path, "# Home\n", "site_name: W\nnav: [index.md, a.md]\n", files={**files, "docs/a.md": "# A\n"}).losses
    assert [(row.source, row.detail) for row in rows] == [
        ("docs/alone.fr.md", "The navigation does not name the page, so it is no step."),
        ("docs", "3 pages are translations of steps (`de`, `pt`, `pt-BR`) and left out."),
    ]


def test_dates_in_file_names_count_nothing(tmp_path):
    files = {f"docs/blog/{day}-note.md": "# Note\n\n```bash\nls\n```\n" for day in ("2019-01-02", "2020-11-1", "2021-3-04")}
    tree = make_tree(tmp_path, {"mkdocs.yml": "site_name: Notes\n", "docs/index.md": "# Notes\n", **files})
    assert [row.score < 0.5 for row in IMPORTER.recognise(tree)] == [True]


def test_marked_words_are_marked_and_comparisons_stay(tmp_path):
    page = "# A\n\n==Mind `a == b` and **this**=x.== Not a == b or c == d, `==x==` or ===y===.\n\nTitle\n==\n\n```\n==z==\n```\n"
    assert content(tmp_path, page) == (
        "# A\n\n<mark>Mind `a == b` and **this**=x.</mark> Not a == b or c == d, `==x==` or ===y===.\n\nTitle\n==\n\n```\n==z==\n```\n"
    )


def test_the_plugin_that_includes_markdown_draws_files_in(tmp_path):
    page = (
        '# Home\n\n=== "One"\n\n    {% include-markdown "parts/one.md" %}\n\n=== "Two"\n\n'
        '    {%\n      include-markdown \'./parts/two.md\'\n      start="<!--begin-->"\n      end="<!--stop-->"\n'
        '      heading-offset=1\n    %}\n\n```sh\n{% include "../run.sh" %}\n```\n\n{% include "none.html" %}\n\n{% include-markdown "gone.md" %}\n'
    )
    files = {
        "docs/parts/one.md": "---\ntitle: T\n---\nFirst, ![p](p.png).\n",
        "docs/parts/p.png": b"\x89PNG\r\n\x1a\n",
        "docs/parts/two.md": "Left out.\n<!--begin-->\n## Second\n\nKept.\n<!--stop-->\nLeft out.\n",
        "run.sh": "ls -l\n",
    }
    workshop = convert(tmp_path, page, files=files)
    text = workshop.steps[0].content
    assert "## One\n\nFirst, ![p](../../assets/docs/parts/p.png).\n" in text
    assert "### Second\n\nKept.\n" in text
    assert "Left out." not in text
    assert "```sh exec\nls -l\n```" in text
    assert '{% include "none.html" %}' in text
    assert ("First, ![p](../../assets/docs/parts/p.png).", "docs/parts/one.md", 4) in places(workshop.steps[0])
    assert [row.target for row in workshop.broken] == ["gone.md"]
    assert [row.kind for row in workshop.losses] == ["macro"]


def test_files_that_include_each_other_end(tmp_path):
    files = {"docs/a.md": '{% include-markdown "b.md" %}\n', "docs/b.md": '{% include-markdown "a.md" %}\nWords.\n'}
    config = "site_name: W\nnav: [index.md]\n"
    workshop = convert(tmp_path, '# H\n\n{% include-markdown "a.md" %}\n', config, files=files)
    assert "Words." in workshop.steps[0].content
    assert [row.target for row in workshop.broken] == ["a.md"]
