"""What a repository is, why, and what is said when it is nothing that can be imported."""

import pytest

from agents.template_converter.checkout import subtree
from agents.template_converter.errors import ChoiceRequiredError, MissingPathError, NotAWorkshopError
from agents.template_converter.recognise import choose, classify, every
from agents.template_converter.signals import workshop_words
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree

STEP = "# Lab\n\n1. Do\n\n```bash\nls\n```\n"
NUMBERED = {"01-a.md": STEP, "02-b.md": STEP, "03-c.md": STEP}
PROGRAM = {"pom.xml": "<project/>", "Dockerfile": "FROM x\n", **{f"src/main/java/A{n}.java": "class A {}\n" for n in range(6)}}


def under(folder, files):
    return {f"{folder}/{path}": data for path, data in files.items()}


def chosen(tmp_path, files, as_form=None):
    return choose(classify(make_tree(tmp_path, files)), as_form)


def test_words_match_as_words():
    assert workshop_words("We collaborate on labels, elaborate") == []
    assert workshop_words("A Hands-on LAB, with exercises") == ["hands-on", "lab", "exercises"]
    assert workshop_words("see [x](https://example.com/workshop/lab)") == []


def test_numbered_pages_that_instruct(tmp_path):
    found = chosen(tmp_path, {"README.md": "# A workshop\n", **under("docs", NUMBERED)})
    assert (found.form, found.path) == (Form.MARKDOWN, "")
    assert found.evidence[0] == "3 numbered pages, from `docs/01-a.md` to `docs/03-c.md`."
    assert "3 of them shell commands; 3 of 3 pages instruct" in found.evidence[1]


def test_a_site_of_mkdocs_is_a_workshop_only_if_it_instructs(tmp_path):
    config = "site_name: {}\nnav:\n  - {}: a.md\n  - {}: b.md\n"
    lab = {"mkdocs.yml": config.format("Cloud Workshop", "Lab 1", "Lab 2"), "docs/a.md": STEP, "docs/b.md": STEP}
    reference = {
        "mkdocs.yml": config.format("Thing", "Overview", "API"),
        "docs/a.md": "# O\n\nProse.\n",
        "docs/b.md": "# API\n\nProse.\n",
    }
    assert chosen(tmp_path / "lab", lab).form is Form.MKDOCS
    with pytest.raises(NotAWorkshopError, match="documentation that does not instruct"):
        chosen(tmp_path / "reference", reference)


def test_the_documentation_of_a_program_is_no_workshop(tmp_path):
    config = "site_name: Thing\nnav:\n  - Install: a.md\n  - Usage: b.md\n"
    page = STEP.replace("Lab", "Install")
    files = {**PROGRAM, "mkdocs.yml": config, "docs/a.md": page, "docs/b.md": page}
    with pytest.raises(NotAWorkshopError, match=r"an application, with no workshop in it.*6 source files.*`pom\.xml`") as caught:
        chosen(tmp_path, files)
    assert caught.value.form is Form.APPLICATION
    assert "--as mkdocs" in caught.value.detail
    assert chosen(tmp_path, files, Form.MKDOCS).form is Form.MKDOCS


@pytest.mark.parametrize(
    ("files", "form"),
    [
        (
            {**PROGRAM, "README.md": "# App\n\n## Run\n\n```bash\nmvn\n```\n\n## Test\n\n```bash\nmvn test\n```\n"},
            Form.APPLICATION,
        ),
        ({"pyproject.toml": "[project]\nname='x'\n", "x/a.py": "1", "README.md": "# Lib\n"}, Form.LIBRARY),
        ({"README.md": "# Docs\n\n" + "Prose about it. " * 200, "guide.md": "# G\n\nProse\n"}, Form.DOCUMENTATION),
        ({"README.md": "# Hi\n", ".gitignore": "x"}, Form.EMPTY),
        ({}, Form.EMPTY),
    ],
)
def test_what_is_no_workshop_is_named(tmp_path, files, form):
    with pytest.raises(NotAWorkshopError) as caught:
        chosen(tmp_path, files)
    assert caught.value.form is form
    assert caught.value.problem().model_extra["form"] == form


def test_an_application_that_carries_a_workshop(tmp_path):
    found = chosen(tmp_path, {**PROGRAM, "README.md": "# App\n", **under("workshop", {"README.md": "# Workshop\n", **NUMBERED})})
    assert (found.form, found.path) in [(Form.MARKDOWN, "workshop"), (Form.MARKDOWN, "")]


def test_decoys_do_not_count(tmp_path):
    files = {**PROGRAM, "README.md": "# App\n", **under("docs/adr", NUMBERED)}
    for folder in (".claude/skills", ".cursor", ".github/lab", "node_modules/lab", "vendor/lab", "examples/lab", "templates/lab"):
        files |= under(folder, NUMBERED)
        files |= under(folder + "/site", {"mkdocs.yml": "site_name: Workshop\nnav: [{Lab 1: a.md}]\n", "docs/a.md": STEP})
    with pytest.raises(NotAWorkshopError) as caught:
        chosen(tmp_path, files)
    assert caught.value.form is Form.APPLICATION


def test_several_workshops_are_a_choice_and_a_path_decides(tmp_path):
    files = {
        "README.md": "# Workshops\n",
        **under("java", {"README.md": "# Java workshop\n", **NUMBERED}),
        **under("go", {"README.md": "# Go workshop\n", **NUMBERED}),
    }
    tree = make_tree(tmp_path, files)
    with pytest.raises(ChoiceRequiredError, match="--path") as caught:
        choose(classify(tree), None)
    assert {row.path for row in caught.value.candidates} == {"go", "java"}
    assert choose(classify(subtree(tree, "go")), None).form is Form.MARKDOWN
    with pytest.raises(MissingPathError, match="`java`"):
        subtree(tree, "jav")


def test_a_workshop_in_a_subfolder_beside_others_is_a_choice(tmp_path):
    site = {"mkdocs.yml": "site_name: Java workshop\nnav: [{Lab 1: a.md}, {Lab 2: b.md}]\n", "docs/a.md": STEP, "docs/b.md": STEP}
    tree = make_tree(tmp_path, {**under("java", site), **under("labs/go", {"README.md": "# Go tutorial\n", **NUMBERED})})
    found = classify(tree)
    assert found[0].score - 0.02 > found[1].score - 0.05
    with pytest.raises(ChoiceRequiredError) as caught:
        choose(found, None)
    assert {(row.form, row.path) for row in caught.value.candidates} == {(Form.MKDOCS, "java"), (Form.MARKDOWN, "labs/go")}


def test_a_tutorial_around_a_workshop_in_a_subfolder_is_offered_with_it(tmp_path):
    site = {"mkdocs.yml": "site_name: Java workshop\nnav: [{Lab 1: a.md}, {Lab 2: b.md}]\n", "docs/a.md": STEP, "docs/b.md": STEP}
    files = {"README.md": "# A workshop\n", **under("c/java", site), **NUMBERED}
    with pytest.raises(ChoiceRequiredError) as caught:
        chosen(tmp_path, files)
    assert {(row.form, row.path) for row in caught.value.candidates} == {(Form.MKDOCS, "c/java"), (Form.MARKDOWN, "")}


def test_a_track_inside_of_a_track_is_a_part_of_it(tmp_path):
    track = {"track.yml": "slug: a\ntitle: A\n", "01-a/assignment.md": "---\ntitle: A\n---\nDo.\n"}
    found = chosen(tmp_path, {**track, **under("files/broken", track)})
    assert (found.form, found.path) == (Form.INSTRUQT, "")


def test_a_scenario_in_a_folder_of_another_is_one_of_its_own(tmp_path):
    scenario = {"index.json": '{"title": "T", "details": {"steps": [{"text": "step1.md"}]}}', "step1.md": "# Do\n"}
    tree = make_tree(tmp_path, {**under("demo", scenario), **under("demo/basic", scenario)})
    assert [row.path for row in every(tree, classify(tree), None)] == ["demo", "demo/basic"]
    with pytest.raises(ChoiceRequiredError) as caught:
        choose(classify(tree), None)
    assert [row.path for row in caught.value.candidates] == ["demo", "demo/basic"]


def test_pages_of_an_antora_site_are_not_said_to_be_missing(tmp_path):
    files = {"antora.yml": "name: a\nnav: [modules/ROOT/nav.adoc]\n", "modules/ROOT/nav.adoc": "* xref:a.adoc[A]\n"}
    rows = classify(make_tree(tmp_path, {**files, "modules/ROOT/pages/a.adoc": "= A\n\n" + "About the program.\n" * 100}))
    said = [line for row in rows if row.form is Form.DOCUMENTATION for line in row.evidence]
    assert "1 AsciiDoc page of an Antora site, and no other." in said


def test_evidence_is_in_sentences(tmp_path):
    rows = classify(make_tree(tmp_path, {**PROGRAM, **under("docs", NUMBERED)}))
    assert all(said[0] in "`0123456789" or said[0].isupper() for row in rows for said in row.evidence)
    assert all(said.endswith(".") for row in rows for said in row.evidence)
    assert "1 source file, built by `go.mod`." in classify(make_tree(tmp_path / "x", {"go.mod": "", "a.go": ""}))[0].evidence


def test_a_person_overrules(tmp_path):
    files = {**PROGRAM, "README.md": "# App\n\n## Run\n\n```bash\nmvn\n```\n\n## Test\n\nx\n"}
    assert chosen(tmp_path, files, Form.MARKDOWN).form is Form.MARKDOWN
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path, NUMBERED, Form.APPLICATION)
    assert chosen(tmp_path, NUMBERED, Form.RST).form is Form.RST


def test_a_single_readme_counts_its_steps_or_says_that_it_is_a_tutorial(tmp_path):
    counted = "# Thing\n\n" + "".join(f"## Step {n}: x\n\n```bash\nls\n```\n\n" for n in (1, 2, 3))
    named = "# A tutorial\n\n" + "".join(f"## {n}\n\n```bash\nls\n```\n\n" for n in ("Get", "Set", "Go"))
    dotfiles = "# My dotfiles\n\n" + "".join(f"## {n}\n\n```bash\nls\n```\n\n" for n in ("Install", "Use", "Remove"))
    assert chosen(tmp_path / "a", {"README.md": counted}).form is Form.MARKDOWN
    assert chosen(tmp_path / "b", {"README.md": named}).form is Form.MARKDOWN
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "c", {"README.md": dotfiles})


def test_pages_of_a_documentation_site_are_no_workshop_of_their_own(tmp_path):
    site = {"mkdocs.yml": "site_name: Thing\nnav: [{Overview: a.md}]\n", "docs/a.md": "# Overview\n\nProse.\n"}
    guide = {f"docs/guide/{name}": page.replace("Lab", "Part") for name, page in NUMBERED.items()}
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "site", {**PROGRAM, **site, **guide})
    found = chosen(tmp_path / "workshop", {**PROGRAM, **site, **under("docs/workshop", NUMBERED)})
    assert (found.form, found.path) == (Form.MARKDOWN, "docs/workshop")


def test_a_library_s_tutorials_are_its_documentation(tmp_path):
    library = {"pyproject.toml": "[project]\nname='x'\nclassifiers=['Topic :: X']\n", "x/a.py": "1", "README.md": "# X\n"}
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "a", {**library, **under("docs/tutorials", {"README.md": "# Tutorials\n", **NUMBERED})})
    assert chosen(tmp_path / "b", {**library, **under("docs/training", NUMBERED)}).path == "docs/training"


def test_a_site_beside_a_program_has_to_call_itself_a_workshop(tmp_path):
    program = {"go.mod": "module x\n", **{f"cmd/a{n}.go": "package main\n" for n in range(60)}}
    site = {
        "mkdocs.yml": "site_name: {}\nnav: [{{1. One: a.md}}, {{2. Two: b.md}}]\n",
        "docs/a.md": "# One\n\n```bash\nls\n```\n",
    }

    def named(name):
        return under("web/site", {**site, "mkdocs.yml": site["mkdocs.yml"].format(name), "docs/b.md": site["docs/a.md"]})

    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "a", {**program, **named("Thing")})
    assert chosen(tmp_path / "b", {**program, **named("Thing workshop")}).form is Form.MKDOCS


def test_a_site_in_a_folder_of_that_name_is_a_workshop(tmp_path):
    pages = {
        f"content/{name}/_index.md": f"---\ntitle: {name}\n---\n\n```bash\nls\n```\n" for name in ("start", "blink", "finish")
    }
    site = {"config.toml": 'title = "Thing Kit"\ntheme = "learn"\n', **pages}
    program = {"requirements.txt": "x\n", **{f"x/a{n}.py": "1\n" for n in range(6)}}
    found = chosen(tmp_path / "a", {**program, **under("workshop", site)})
    assert (found.form, found.path) == (Form.HUGO, "workshop")
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "b", {**program, **under("web", site)})


@pytest.mark.parametrize(
    ("pages", "is_one"),
    [
        (["start", "self-hosting/docker", "architecture/backend", "contributing/style", "faq"], False),
        (["start", "install", "first", "second", "faq"], True),
    ],
    ids=["named after parts of the program", "one such page"],
)
def test_the_documentation_of_a_program_about_workshops_is_none(tmp_path, pages, is_one):
    program = {"go.mod": "module x\n", **{f"cmd/a{n}.go": "package main\n" for n in range(60)}}
    nav = "".join(f"  - {name}.md\n" for name in pages)
    site = {
        "mkdocs.yml": f"site_name: Open Codelabs\nnav:\n{nav}",
        **{f"docs/{name}.md": "# A\n\n```bash\nls\n```\n" for name in pages},
    }
    files = {**program, **site, "Dockerfile": "FROM x\n"}
    if is_one:
        assert chosen(tmp_path, files).form is Form.MKDOCS
    else:
        with pytest.raises(NotAWorkshopError, match="an application, with no workshop in it"):
            chosen(tmp_path, files)


def test_notebooks_that_make_a_library_are_its_sources(tmp_path):
    notebook = '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# T"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    notebooks = {f"{number:02}_{name}.ipynb": notebook for number, name in enumerate(("a", "b", "c"), 1)}
    helpers = {f"help/{n}.py": "1" for n in range(30)}
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path / "a", {**notebooks, "setup.py": "setup(classifiers=['Topic :: X'])", "x/a.py": "1"})
    assert chosen(tmp_path / "b", {**notebooks, **helpers}).form is Form.JUPYTER


def test_samples_in_a_folder_of_such_a_name_are_shown_off(tmp_path):
    files = {**PROGRAM, "README.md": "# App\n", **under("workshop-samples/java", {"README.md": "# Java workshop\n", **NUMBERED})}
    with pytest.raises(NotAWorkshopError):
        chosen(tmp_path, files)
