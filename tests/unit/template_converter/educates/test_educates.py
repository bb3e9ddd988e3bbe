"""Educates: order and titles of both kinds of configuration, clickable actions, data variables, tests and exercises."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.educates import EducatesImporter
from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = EducatesImporter()
WORKSHOP = (
    "apiVersion: training.educates.dev/v1beta1\nkind: Workshop\nmetadata: {name: w}\nspec:\n"
    "  title: The lab\n  description: About it\n  duration: 45m\n  author: Ann\n  tags: [k8s]\n"
)


def convert(tmp_path, files):
    return read(IMPORTER, make_tree(tmp_path, {"resources/workshop.yaml": WORKSHOP, **files}))


def one(tmp_path, page, **files):
    return convert(tmp_path, {"workshop/content/01-a.md": page, **files})


def content(tmp_path, page):
    return one(tmp_path, page).steps[0].content


def fenced(info, body=""):
    return f"```{info}\n{body}```\n"


@pytest.mark.parametrize(
    ("info", "body", "result"),
    [
        ("execute", "ls -l\n", "```bash exec\nls -l\n```\n"),
        ("execute-2", "ls\n", "```bash exec=2\nls\n```\n"),
        ("copy", "a: 1\n", "```text copy\na: 1\n```\n"),
        ("terminal:execute", "command: ls -l\n", "```bash exec\nls -l\n```\n"),
        ("terminal:execute", "command: |-\n  a\n  b\nsession: 2\n", "```bash exec=2\na\nb\n```\n"),
        ("terminal:input", "text: admin\n", "```text copy\nadmin\n```\n"),
        ("workshop:copy", "text: |\n  x\n   y\n", "```text copy\nx\n y\n```\n"),
        ("python", "print()\n", "```python\nprint()\n```\n"),
        ("bash", "ls\n", "```bash\nls\n```\n"),
        ("", "out\n", "```\nout\n```\n"),
    ],
)
def test_commands_and_plain_blocks(tmp_path, info, body, result):
    workshop = one(tmp_path, fenced(info, body))
    assert workshop.steps[0].content == result
    assert workshop.losses == []


@pytest.mark.parametrize(
    ("info", "body", "result"),
    [
        ("terminal:interrupt", "", "Press Ctrl-C in the terminal.\n"),
        ("terminal:clear", "session: 1\n", "Clear the terminal.\n"),
        ("dashboard:open-url", "url: https://example.org/x\n", "[https://example.org/x](https://example.org/x)\n"),
        ("dashboard:open-dashboard", "name: Console\n", "Open the tab **Console**.\n"),
        ("editor:open-file", "file: ~/a.py\nline: 3\n", "Open `~/a.py` in the editor, at line 3.\n"),
        ("files:download-file", "path: a.txt\n", "Take the file `a.txt`.\n"),
    ],
)
def test_actions_that_are_no_code_become_words_and_are_told(tmp_path, info, body, result):
    workshop = one(tmp_path, fenced(info, body))
    assert workshop.steps[0].content == result
    assert [(row.kind, row.line) for row in workshop.losses] == [("code", 1)]


def test_text_that_the_editor_inserts_is_a_block(tmp_path):
    workshop = one(tmp_path, fenced("editor:append-lines-to-file", "file: ~/a.yaml\ntext: |\n  a:\n    b: 1\n"))
    assert workshop.steps[0].content == "Add to the end of `~/a.yaml`:\n\n```yaml copy\na:\n  b: 1\n```\n"
    assert [row.kind for row in workshop.losses] == ["action"]


@pytest.mark.parametrize(
    ("info", "body"), [("terminal:execute", "command: [\n"), ("terminal:execute", "- a\n"), ("slides:show", "a: 1\n")]
)
def test_what_is_not_understood_is_shown_as_it_is_written(tmp_path, info, body):
    if info.startswith("slides"):
        assert content(tmp_path, fenced(info, body)) == f"```slides\n{body}```\n"
        return
    workshop = one(tmp_path, fenced(info, body))
    assert workshop.steps[0].content == f"```yaml\n{body}```\n"
    assert [row.kind for row in workshop.losses] == ["action"]


def test_data_variables_in_text_commands_and_yaml(tmp_path):
    page = (
        "Use {{< param session_name >}} and {{ingress_domain}}.\n\n"
        "```execute\nkubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}' -n {{session_namespace}}\n```\n\n"
        "```terminal:execute\ncommand: echo $(date) {{greeting}}\n```\n"
    )
    workshop = one(tmp_path, page)
    assert [row.name for row in workshop.variables] == [
        "greeting",
        "ingress_domain",
        "session_name",
        "session_namespace",
    ]
    made = workshop.steps[0].content
    assert "Use {{session_name}} and {{ingress_domain}}." in made
    assert "{{range .items}}{{.metadata.name}}{{end}}' -n {{session_namespace}}" in made
    assert "echo $(date) {{greeting}}" in made
    assert workshop.losses == []


def test_actions_in_lists_stay_there_and_lines_are_told(tmp_path):
    page = "1. One\n\n   ```terminal:execute\n   command: ls\n   ```\n\n2. Two\n"
    step = one(tmp_path, page).steps[0]
    assert step.content == "1. One\n\n   ```bash exec\n   ls\n   ```\n\n2. Two\n"
    assert places(step)[3] == ("   ls", "workshop/content/01-a.md", 4)


def test_what_the_resource_says(tmp_path):
    workshop = one(tmp_path, "+++\ntitle = 'From the page'\n+++\nText.\n")
    assert (workshop.title, workshop.summary, workshop.duration, workshop.authors, workshop.tags) == (
        "The lab",
        "About it",
        45,
        ["Ann"],
        ["k8s"],
    )
    assert [step.title for step in workshop.steps] == ["From the page"]


def test_pages_by_path_with_bundles_and_titles_from_their_names(tmp_path):
    files = {
        "workshop/content/10-z.md": "x\n",
        "workshop/content/2-the-middle/index.md": "![a](pic.png)\n",
        "workshop/content/2-the-middle/pic.png": b"p",
        "workshop/content/1-first.md": "x\n",
        "workshop/content/_index.md": "no\n",
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["First", "The middle", "Z"]
    assert list(workshop.assets.values()) == ["workshop/content/2-the-middle/pic.png"]


def test_the_older_configuration_orders_and_names(tmp_path):
    files = {
        "workshop/modules.yaml": "modules:\n  b: {name: The second}\n  sub/a: {name: The first}\n",
        "workshop/workshop.yaml": "name: W\nmodules:\n  activate: [sub/a, b, gone]\n",
        "workshop/content/b.md": "x\n",
        "workshop/content/sub/a.md": "x\n",
        "workshop/content/extra.md": "x\n",
    }
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["The first", "The second"]
    assert [(row.kind, row.target) for row in workshop.broken] == [("page", "gone")]
    assert [(row.kind, row.source) for row in workshop.losses] == [("page", "workshop/content/extra.md")]


def test_the_newer_configuration_with_pathways_and_params(tmp_path):
    config = (
        "modules:\n- name: b\n  title: The second\n- name: a\n  title: The first\n"
        "pathways:\n  default: short\n  paths:\n    long: {modules: [a, b]}\n    short: {modules: [b]}\n"
        "params:\n- name: greeting\n  value: Hello\n- name: 7-bad\n"
    )
    files = {"workshop/config.yaml": config, "workshop/content/a.md": "x\n", "workshop/content/b.md": "{{greeting}}\n"}
    workshop = convert(tmp_path, files)
    assert [step.title for step in workshop.steps] == ["The second"]
    assert [(row.name, row.default) for row in workshop.variables] == [("greeting", "Hello")]


def test_tests_are_the_steps_check(tmp_path):
    page = fenced("examiner:execute-test", "name: one\ntitle: Is it there?\n")
    workshop = one(tmp_path, page, **{"workshop/examiner/tests/one": "#!/bin/bash\ntest -f x\n"})
    assert workshop.steps[0].check == "#!/bin/bash\ntest -f x\n"
    assert workshop.steps[0].content == "Check: Is it there?\n"


def test_several_tests_run_one_after_the_other_and_a_missing_one_is_broken(tmp_path):
    page = "".join(fenced("examiner:execute-test", f"name: {name}\n") + "\n" for name in ("one", "two", "gone"))
    tests = {f"workshop/examiner/tests/{name}": f"{name}\n" for name in ("one", "two")}
    workshop = one(tmp_path, page, **tests)
    step = workshop.steps[0]
    assert step.check == "#!/bin/bash\nset -e\nbash files/tests/one\nbash files/tests/two\n"
    assert step.files == {"files/tests/one": b"one\n", "files/tests/two": b"two\n"}
    assert [(row.kind, row.target) for row in workshop.broken] == [("check", "gone")]


def test_exercises_setup_and_slides(tmp_path):
    files = {
        "exercises/app/a.py": "x\n",
        "workshop/setup.d/02-b.sh": "b\n",
        "workshop/setup.d/01-a.sh": "a\n",
        "workshop/slides/deck.html": "x",
    }
    workshop = one(tmp_path, "Text.\n", **files)
    assert workshop.steps[0].files == {"files/exercises/app/a.py": b"x\n"}
    assert workshop.steps[0].setup == "# 01-a.sh\na\n\n# 02-b.sh\nb\n"
    assert [(row.kind, row.source) for row in workshop.losses] == [("file", "workshop/slides")]


def test_asciidoc_pages(tmp_path):
    page = "= The page\n\nText.\n\n[source,bash,role=execute]\n----\ndate\n----\n"
    workshop = convert(tmp_path, {"workshop/content/a.adoc": page})
    assert workshop.steps[0].title == "The page"
    assert "```bash exec\ndate\n```" in workshop.steps[0].content


def test_several_workshops_and_empty_ones(tmp_path):
    files = {
        "labs/a/resources/workshop.yaml": WORKSHOP.replace("training.educates.dev/v1beta1", "training.eduk8s.io/v1alpha2"),
        "labs/a/workshop/content/1.md": "x\n",
        "labs/b/resources/workshop.yaml": WORKSHOP,
        "other/resources/workshop.yaml": "kind: Workshop\napiVersion: example.org/v1\n",
    }
    tree = make_tree(tmp_path, files)
    found = {row.path: (row.score, row.evidence[0]) for row in classify(tree) if row.form is Form.EDUCATES}
    assert found == {
        "labs/a": (0.95, "`labs/a/resources/workshop.yaml` is a Workshop of Educates with 1 page."),
        "labs/b": (0.3, "`labs/b/resources/workshop.yaml` is a Workshop of Educates with no pages."),
    }
    with pytest.raises(UnreadableSourceError, match="holds no page"):
        read(IMPORTER, tree, "labs/b")


def test_a_configuration_that_cannot_be_read_says_where(tmp_path):
    with pytest.raises(UnreadableSourceError, match=r"workshop/config.yaml"):
        one(tmp_path, "x\n", **{"workshop/config.yaml": "a: [\n"})


def test_sections_that_fold_are_quotes_hints_and_solutions(tmp_path):
    page = (
        "# A\n\n"
        + fenced("section:begin", "title: More\n") + "\nInside.\n\n" + fenced("section:end", "title: More\n")
        + "\n" + fenced("section:begin", "title: Hint\n") + "\nTry.\n\n" + fenced("section:end", "name: x\n")
        + "\n" + fenced("section:begin", "title: Show solution\n") + "\nDo.\n\n" + fenced("section:end", "")
    )  # fmt: skip
    step = one(tmp_path, page).steps[0]
    assert step.content == "# A\n\n> **More**\n>\n> Inside.\n"
    assert (step.hints, step.solve) == ("Try.\n", "Do.\n")


PAGE = {"workshop/content/01-a.md": "# A\n", "workshop/content/02-b.md": "# B\n"}
ORDER = "modules:\n  activate: [02-b, 01-a]\nparams:\n- name: who\n  value: ann\n"
APPLICATIONS = "  session: {applications: {docker: {enabled: true}}}\n"


def test_definitions_and_settings_that_end_in_yml_are_read(tmp_path):
    files = {"resources/workshop.yml": WORKSHOP + APPLICATIONS, "workshop/config.yml": ORDER, **PAGE}
    found = read(IMPORTER, make_tree(tmp_path, files))
    assert found.title == "The lab"
    assert [step.title for step in found.steps] == ["B", "A"]
    assert ("who", "ann") in [(row.name, row.default) for row in found.variables]
    assert [(row.kind, row.source) for row in found.losses] == [("session", "resources/workshop.yml")]


def test_the_workshop_is_found_among_several_objects(tmp_path):
    portal = "kind: TrainingPortal\nspec: {title: Not this}\n---\n"
    found = convert(tmp_path, {"resources/workshop.yaml": f"{portal}{WORKSHOP}{APPLICATIONS}", **PAGE})
    assert found.title == "The lab"
    assert [row.detail for row in found.losses if row.kind == "session"] == [
        "The file holds further objects, which nothing here makes: TrainingPortal.",
        "The session has these applications, which the environment must bring: docker.",
    ]


def test_a_definition_that_cannot_be_read_is_told(tmp_path):
    found = convert(tmp_path, {"resources/workshop.yaml": f"{{{{ if x }}}}\n{WORKSHOP}", **PAGE})
    assert [(row.kind, row.source) for row in found.losses] == [("session", "resources/workshop.yaml")]
    assert "cannot be read" in found.losses[0].detail


@pytest.mark.parametrize(("word", "read_as"), [("intermediate", "intermediate"), ("extreme", "advanced"), ("odd", None)])
def test_difficulty(tmp_path, word, read_as):
    found = convert(tmp_path, {"resources/workshop.yaml": f"{WORKSHOP}  difficulty: {word}\n", **PAGE})
    assert found.difficulty == read_as
    assert [row.kind for row in found.losses] == ([] if read_as else ["attribute"])


def test_folders_of_other_names_are_known_by_what_they_hold(tmp_path):
    files = {
        "lab-instructions/modules.yaml": "modules:\n  intro: {name: Start}\n  exercises/02-b: {name: Build}\n",
        "lab-instructions/workshop.yaml": "name: K\n\nmodules:\n  activate:\n  - exercises/02-b\n  - intro\n",
        "lab-instructions/content/intro.md": fenced("examiner:execute-test", "name: t\n"),
        "lab-instructions/content/exercises/02-b.md": "Read on.\n",
        "lab-instructions/setup.d/a.sh": "echo hi\n",
        "lab-instructions/examiner/tests/t": "#!/bin/sh\ntrue\n",
        "lab-definitions/lab.yaml": "# A comment\n" + WORKSHOP,
        "lab-definitions/portal.yaml": "apiVersion: training.educates.dev/v1beta1\nkind: TrainingPortal\n",
        "README.md": "# For maintainers\n\n```bash\nmake\n```\n",
    }
    tree = make_tree(tmp_path, files)
    assert next((row.form, row.path) for row in classify(tree)) == (Form.EDUCATES, "")
    workshop = read(IMPORTER, tree)
    assert (workshop.title, workshop.duration) == ("The lab", 45)
    assert [(step.title, step.source) for step in workshop.steps] == [
        ("Build", "lab-instructions/content/exercises/02-b.md"),
        ("Start", "lab-instructions/content/intro.md"),
    ]
    assert workshop.steps[0].setup == "echo hi\n"
    assert workshop.steps[1].check == "#!/bin/sh\ntrue\n"


def test_modules_without_an_order_in_a_folder_of_another_name_are_no_workshop(tmp_path):
    files = {"charts/modules.yaml": "modules: [a]\n", "charts/workshop.yaml": "name: x\n", "charts/content/a.md": "A\n"}
    assert IMPORTER.recognise(make_tree(tmp_path, files)) == []


def test_an_action_that_nothing_closes_ends_with_its_item(tmp_path):
    page = (
        "1. Look:\n\n   ```terminal:execute\n   command: ls -l\n\n### Next\n\nRead on.\n\n"
        "1. Open:\n\n   ```dashboard:open-url\n   url: https://example.org/\n   ```\n"
    )
    assert content(tmp_path, page) == (
        "1. Look:\n\n   ```bash exec\n   ls -l\n   ```\n\n### Next\n\nRead on.\n\n"
        "1. Open:\n\n   [https://example.org/](https://example.org/)\n"
    )


def test_an_action_at_the_end_that_nothing_closes_keeps_its_last_line(tmp_path):
    assert content(tmp_path, "```execute\nls -l\n") == "```bash exec\nls -l\n```\n"


def test_what_an_action_says_of_itself_stands_above_it(tmp_path):
    page = fenced("terminal:execute", "command: make\ndescription: Build it\n")
    assert content(tmp_path, page) == "Build it\n\n```bash exec\nmake\n```\n"
    page = "- " + fenced("terminal:execute", "  title: Make\n  description: Build it\n  command: make\n").replace(
        "\n```", "\n  ```"
    )
    assert content(tmp_path / "x", page) == "- **Make**: Build it\n\n  ```bash exec\n  make\n  ```\n"
