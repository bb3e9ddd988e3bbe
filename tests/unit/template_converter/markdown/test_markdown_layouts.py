"""Which pages of a plain Markdown repository are the steps, in which order."""

import pytest

from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.forms.numbering import natural, number_of
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = MarkdownImporter()


def titles(tmp_path, files, path=""):
    return [step.title for step in read(IMPORTER, make_tree(tmp_path, files), path).steps]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("01-intro.md", 1), ("module-02-setup.md", 2), ("lab10.md", 10), ("Step 3 - go.md", 3), ("3. Third.md", 3), ("part2", 2), ("00_start", 0),
        ("readme.md", None), ("2024-01-02-news.md", None), ("collaborate1.md", None), ("k8s.md", None), ("10x-engineer.md", 10),
    ],
)  # fmt: skip
def test_numbers_of_names(name, number):
    assert number_of(name) == number


def test_natural_order():
    assert sorted(["lab10", "lab2", "Lab1", "lab1/b"], key=natural) == ["Lab1", "lab1/b", "lab2", "lab10"]


def test_numbered_files_in_natural_order(tmp_path):
    files = {f"lab{n}.md": f"# L{n}\n\n```bash\nls\n```\n" for n in (10, 2, 1)}
    assert titles(tmp_path, files) == ["L1", "L2", "L10"]


def test_numbered_folders_with_pages_of_their_own_are_chapters(tmp_path):
    files = {
        "01-basics/README.md": "# Basics\n", "01-basics/01-a.md": "# A\n", "01-basics/02-b.md": "# B\n", "02-more/README.md": "# More\n",
    }  # fmt: skip
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert [step.title for step in workshop.steps] == ["Basics", "A", "B", "More"]
    assert [(chapter.title, chapter.steps) for chapter in workshop.chapters] == [("01 basics", ["basics", "a", "b"])]


def test_a_readme_that_lists_pages_gives_the_order(tmp_path):
    files = {
        "README.md": "# A tutorial\n\n1. [Two](docs/b.md)\n2. [One](docs/a.md)\n3. [Dir](extra/)\n\n- [C](CONTRIBUTING.md)\n",
        "docs/a.md": "# A\n", "docs/b.md": "# B\n", "extra/README.md": "# E\n", "CONTRIBUTING.md": "# no\n",
    }  # fmt: skip
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert workshop.title == "A tutorial"
    assert [step.title for step in workshop.steps] == ["B", "A", "E"]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "README.md")]


def test_sections_of_one_readme_are_steps_and_links_between_them_hold(tmp_path):
    readme = (
        "# Tutorial\n\nHello [there](#second-one).\n\n## Contents\n\n- [First](#first)\n\n## First\n\n```bash\nls\n```\n\n"
        "## Second one\n\nBack to [first](#first), see [x].\n\n### Deeper\n\ntext\n\n## License\n\nMIT\n\n[x]: https://x.example\n"
    )
    workshop = read(IMPORTER, make_tree(tmp_path, {"README.md": readme}))
    assert [step.title for step in workshop.steps] == ["Introduction", "First", "Second one"]
    assert "Hello [there](../second-one/content.md#second-one)." in workshop.steps[0].content
    assert workshop.steps[2].content == (
        "## Second one\n\nBack to [first](../first/content.md#first), see [x](https://x.example).\n\n### Deeper\n\ntext\n"
    )
    assert [(row.kind, row.line) for row in workshop.losses] == [("page", 5), ("page", 23)]


def test_sections_of_the_first_level(tmp_path):
    assert titles(tmp_path, {"README.md": "# One\n\na\n\n# Two\n\n## Sub\n\nb\n\n# Three\n\nc\n"}) == ["One", "Two", "Three"]


def test_ids_are_unique_slugs_whatever_the_titles(tmp_path):
    files = {
        "1-a.md": "# Über uns & Größe\n",
        "2-b.md": "# Über uns: Größe\n",
        "3-c.md": "# 日本語\n",
        "4-d.md": "no heading\n",
        "5-e.md": "# " + "x" * 200,
    }
    ids = [step.id for step in read(IMPORTER, make_tree(tmp_path, files)).steps]
    assert ids == ["uber-uns-grosse", "uber-uns-grosse-2", "3-c", "4-d", "x" * 60]


def test_pages_of_a_subfolder_may_use_images_above_it(tmp_path):
    tree = make_tree(tmp_path, {"img/a.png": b"1", "lab/01-a.md": "# A\n\n![i](../img/a.png)\n", "lab/02-b.md": "# B\n"})
    workshop = read(IMPORTER, tree, "lab")
    assert workshop.assets == {"img/a.png": "img/a.png"}


def test_what_stands_before_an_introduction_has_another_name(tmp_path):
    readme = "# Sail\n\nHello.\n\n## Introduction\n\na\n\n## Go\n\n```bash\nls\n```\n\n## Getting help\n\nAsk.\n"
    workshop = read(IMPORTER, make_tree(tmp_path, {"README.md": readme}))
    assert [step.title for step in workshop.steps] == ["Sail", "Introduction", "Go"]
    assert [row.kind for row in workshop.losses] == ["page"]


def test_a_heading_that_any_page_may_have_is_no_title(tmp_path):
    readme = "# About\n\nA fork.\n\n# The hard way\n\n- [One](a.md)\n- [Two](b.md)\n"
    files = {"README.md": readme, "a.md": "# One\n", "b.md": "# Two\n"}
    assert read(IMPORTER, make_tree(tmp_path, files)).title == "The hard way"
    only = {**files, "README.md": readme.replace("# The hard way\n\n", "")}
    assert read(IMPORTER, make_tree(tmp_path / "only", only)).title == ""
    made = {**only, "README.md": only["README.md"].replace("# About", "## About The Project")}
    assert read(IMPORTER, make_tree(tmp_path / "made", made)).title == ""


def test_counted_sections_below_others_are_the_steps(tmp_path):
    readme = "# T\n\n## Why\n\na\n\n## How\n\nb\n\n### 1. Make\n\nc\n\n#### 1.1 Part\n\nd\n\n### 2. Test\n\ne\n\n### Step 3: Ship\n\nf\n\n## Next\n\ng\n"
    assert titles(tmp_path, {"README.md": readme}) == ["Why", "How", "1. Make", "2. Test", "Step 3: Ship", "Next"]


def test_a_folder_of_labs_is_called_what_the_repository_is(tmp_path):
    files = {"README.md": "# Learn the sea\n", "Labs/01-a.md": "# A\n", "Labs/02-b.md": "# B\n"}
    assert read(IMPORTER, make_tree(tmp_path, files), "Labs").title == "Learn the sea"


def test_a_few_files_of_a_program_are_the_example_of_a_long_page(tmp_path):
    steps = "".join(f"## Deploy {number}\n\n```bash\nkubectl apply -f {number}\n```\n\n" for number in range(12))
    page = f"# A workshop about ships\n\nHello.\n\n{steps}"
    program = {"requirements.txt": "flask\n", "app.py": "print()\n", "more.py": "print()\n"}
    small = IMPORTER.recognise(make_tree(tmp_path / "small", {"README.md": page, **program}))
    large = {f"src/{number}.py": "print()\n" for number in range(40)}
    big = IMPORTER.recognise(make_tree(tmp_path / "big", {"README.md": page, **program, **large}))
    assert [row.score for row in small] == [0.65]
    assert [row.score for row in big] == [0.45]


def test_a_readme_that_names_the_first_page_of_folders_side_by_side_lists_no_tutorial(tmp_path):
    lab = "# Do\n\n```bash\nls\n```\n"
    files = {f"{language}/0{number}.md": lab for language in ("en", "cs") for number in range(4)}
    files["README.md"] = "# Hands-on lab\n\n* [English](en/00.md)\n* [Czech](cs/00.md)\n"
    tree = make_tree(tmp_path, files)
    assert sorted(row.path for row in IMPORTER.recognise(tree) if row.score >= 0.5) == ["cs", "en"]
    assert [step.source for step in read(IMPORTER, tree, "en").steps] == [f"en/0{number}.md" for number in range(4)]


def test_a_readme_whose_headings_any_page_may_have_leaves_the_name_to_its_folder(tmp_path):
    body = (
        "## Introduction\n\nIn this hands-on lab.\n\n## Step 1. Go\n\n```bash\nls\n```\n\n## Step 2. Stay\n\n```bash\npwd\n```\n"
    )
    tree = make_tree(tmp_path, {"README.md": "# Labs of ours\n", "labs/bake-bread/README.md": body})
    assert read(IMPORTER, tree, "labs/bake-bread").title == "bake-bread"
    book = {"SUMMARY.md": "- [Introduction](intro.md)\n- [B](b.md)\n", "intro.md": "# Introduction\n", "b.md": "# B\n"}
    tree = make_tree(
        tmp_path / "b",
        {"README.md": "# Bread for all\n", ".gitbook.yaml": "root: book\n"} | {f"book/{k}": v for k, v in book.items()},
    )
    assert read(IMPORTER, tree).title == "Bread for all"
