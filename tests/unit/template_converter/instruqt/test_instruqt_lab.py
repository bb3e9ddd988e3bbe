"""Instruqt's labs in HCL: order by reference, modules, component tags, tasks as checks, quizzes; nothing else of HCL is trusted."""

import pytest
import yaml

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.hcl_values import blocks, labelled, load_hcl
from agents.template_converter.forms.instruqt import InstruqtImporter
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = InstruqtImporter()
MAIN = """
# a comment
module "more" {
  source = "./modules/more"
}
resource "lab" "mine" {
  title       = "My \\"lab\\""
  description = "About it."
  settings {
    timelimit {
      duration = "1h"
    }
  }
  content {
    chapter "a" {
      title = "First chapter"
      page "one" {
        title     = "One"
        reference = resource.page.one
      }
      page "gone" {
        reference = resource.page.gone
      }
    }
    chapter "b" {
      title = "Second chapter"
      page "two" {
        reference = module.more.output.pages.two
      }
    }
  }
}
"""
PAGES = """
resource "page" "one" {
  title = "Page one"
  file  = "instructions/one.md"
}
resource "container" "c" {
  image {
    name = "x"
  }
}
"""
TASKS = """
resource "task" "make" {
  description = "Make it"
  condition "there" {
    description = "It is there"
    check {
      script          = "scripts/there.sh"
      failure_message = "It isn't there"
    }
    solve {
      script = "scripts/solve.sh"
    }
  }
  condition "lost" {
    check {
      script = "scripts/lost.sh"
    }
  }
}
resource "quiz" "asked" {
  questions = [resource.single_choice_question.capital]
}
resource "single_choice_question" "capital" {
  question    = "Which?"
  answer      = "This"
  distractors = ["That"]
  hints       = ["Think."]
}
"""
ONE = """# One

<instruqt-code language="shell" run="true">
kubectl get nodes
</instruqt-code>

<instruqt-code language="shell" no-copy="true">
NAME
</instruqt-code>

<instruqt-code-group>
<instruqt-code title="In Go" language="go" copy="true">package main</instruqt-code>
</instruqt-code-group>

<instruqt-task id="make">
Do `it`, then see [two](../modules/more/two.md).
</instruqt-task>

<instruqt-quiz id="asked"></instruqt-quiz>

<instruqt-switch-tab-button id="term" title="Terminal"></instruqt-switch-tab-button> <instruqt-video id="abc"></instruqt-video>

<instruqt-task id="nowhere"></instruqt-task>

```
<instruqt-code>
```
"""
FILES = {
    "lab/main.hcl": MAIN,
    "lab/pages.hcl": PAGES,
    "lab/tasks.hcl": TASKS,
    "lab/instructions/one.md": ONE,
    "lab/scripts/there.sh": "test -e x\n",
    "lab/scripts/solve.sh": "touch x\n",
    "lab/modules/more/main.hcl": 'resource "page" "two" {\n  file = "two.md"\n}\noutput "pages" {\n  value = {\n    "two" = resource.page.two\n  }\n}\n',
    "lab/modules/more/two.md": "---\ntitle: x\n---\n# Two\n",
}


@pytest.fixture
def workshop(tmp_path):
    return read(IMPORTER, make_tree(tmp_path, FILES), "lab")


def test_pages_are_followed_by_reference_also_into_modules(workshop):
    assert (workshop.title, workshop.summary, workshop.duration) == ('My "lab"', "About it.", 60)
    assert [(step.title, step.source) for step in workshop.steps] == [
        ("One", "lab/instructions/one.md"),
        ("x", "lab/modules/more/two.md"),
    ]
    assert [(row.title, len(row.steps)) for row in workshop.chapters] == [("First chapter", 1), ("Second chapter", 1)]


def test_component_tags_become_blocks_links_and_words(workshop):
    text = workshop.steps[0].content
    assert "```shell exec\nkubectl get nodes\n```" in text
    assert "```shell output\nNAME\n```" in text
    assert "**In Go**\n\n```go copy\npackage main\n```" in text
    assert f"Do `it`, then see [two](../{workshop.steps[1].id}/content.md)." in text
    assert "**Terminal** [Video](https://www.youtube.com/watch?v=abc)" in text
    assert "```\n<instruqt-code>\n```" in text
    assert "<instruqt-task" not in text


def test_tasks_are_checks_and_quizzes_come_along(workshop):
    step = workshop.steps[0]
    assert step.check == "#!/bin/bash\nbash 'files/checks/make-there-there.sh' || { echo 'It isn'\\''t there' >&2; exit 1; }\n"
    assert step.files["files/checks/make-there-there.sh"] == b"test -e x\n"
    assert step.solve == "```bash\ntouch x\n```\n"
    assert yaml.safe_load(step.files["quiz.yaml"]) == {
        "questions": [
            {
                "question": "Which?",
                "answers": [{"text": "This", "correct": True}, {"text": "That", "correct": False}],
                "explanation": "Think.",
            }
        ]
    }


def test_a_page_has_names_of_its_own_for_tasks_quizzes_and_variables(tmp_path):
    pages = """
resource "page" "one" {
  file = "instructions/one.md"
  activities = {
    first-try = resource.task.make
    ask-me    = resource.quiz.asked
  }
  variables = {
    greeting = resource.exec.x.output.GREETING
  }
}
resource "note" "more" {
  file = "notes/more.md"
}
"""
    one = '<instruqt-task id="first-try"></instruqt-task>\n\n<instruqt-quiz id="ask-me"></instruqt-quiz>\n\n{{greeting}}, do it:\n\n```run,bash\nls\n```\n'
    made = read(IMPORTER, make_tree(tmp_path, {**FILES, "lab/pages.hcl": pages, "lab/instructions/one.md": one}), "lab")
    step = made.steps[0]
    assert {"files/checks/first-try-there-there.sh", "quiz.yaml"} <= set(step.files)
    assert "{{greeting}}, do it:\n\n```bash exec\nls\n```\n" in step.content
    assert [row.name for row in made.variables] == ["greeting"]
    assert [(row.kind, row.source) for row in made.losses] == [("page", "lab/notes/more.md")]
    assert "quiz" not in {row.kind for row in made.broken}


def test_code_that_shows_component_tags_is_one_block(tmp_path):
    one = (
        '<instruqt-code language="html">\n  <instruqt-code language="js" run="true">\n  x\n  </instruqt-code>\n</instruqt-code>\n\n'
        'After.\n\n<instruqt-slides url="https://s.example/1"></instruqt-slides>\n\n<instruqt-code>ls</instruqt-code>\n'
    )
    text = read(IMPORTER, make_tree(tmp_path, {**FILES, "lab/instructions/one.md": one}), "lab").steps[0].content
    assert '```html copy\n  <instruqt-code language="js" run="true">\n  x\n  </instruqt-code>\n```\n' in text
    assert "After.\n\n[Slides](https://s.example/1)\n" in text
    assert text.endswith("```text copy\nls\n```\n")


def test_what_is_missing_and_what_has_no_place_is_told(workshop):
    assert [(row.kind, row.target) for row in workshop.broken] == [
        ("page", "gone"),
        ("check", "lab/scripts/lost.sh"),
        ("check", "nowhere"),
    ]
    assert [row.kind for row in workshop.losses] == ["macro", "macro", "setting"]


def test_recognition(tmp_path):
    tree = make_tree(
        tmp_path, {**FILES, "examples/x/main.hcl": MAIN, "examples/x/a.md": "x", "infra/main.hcl": 'resource "vm" "a" {\n}\n'}
    )
    assert [(row.path, row.score) for row in IMPORTER.recognise(tree)] == [("examples/x", 0.45), ("lab", 0.95)]


@pytest.mark.parametrize(
    ("main", "message"),
    [
        ('resource "lab" "x" {\n', r"`lab/main\.hcl` cannot be read: it is not HCL"),
        ('resource "lab" "x" {\n  title = "x"\n}\n', "shows no page"),
        ('resource "lab" "x" {\n  title = "' + "x" * 300_000 + '"\n}\n', "more than are read"),
    ],
)
def test_labs_that_cannot_be_read(tmp_path, main, message):
    with pytest.raises(UnreadableSourceError, match=message):
        read(IMPORTER, make_tree(tmp_path, {"lab/main.hcl": main}), "lab")


def test_values_without_the_parsers_marks():
    values = load_hcl('a "b" {\n  t = <<-EOF\n    one\n      two\n    EOF\n  n = 1\n  l = ["x", y.z]\n  q = "a\\"b"\n}\n', "f")
    assert labelled(values, "a") == [("b", {"t": "one\n  two", "n": 1, "l": ["x", "${y.z}"], "q": 'a"b'})]
    assert blocks(values, "none") == []


def test_what_is_told_names_the_file_that_says_it(tmp_path):
    files = {path.replace("lab/main.hcl", "lab/lab.hcl"): text for path, text in FILES.items()}
    made = read(IMPORTER, make_tree(tmp_path, files), "lab")
    assert [row.source for row in made.broken if row.kind == "page"] == ["lab/lab.hcl"]
    assert [row.source for row in made.losses if row.kind == "setting"] == ["lab/pages.hcl"]


def test_clean_up_and_questions_that_are_missing_are_told(tmp_path):
    tasks = TASKS.replace("    solve {", '    cleanup {\n      script = "scripts/clean.sh"\n    }\n    solve {')
    tasks = tasks.replace("[resource", "[resource.text_answer_question.lost, resource")
    made = read(IMPORTER, make_tree(tmp_path, {**FILES, "lab/tasks.hcl": tasks}), "lab")
    assert [(row.source, "`there`" in row.detail) for row in made.losses if row.kind == "script"] == [
        ("lab/scripts/clean.sh", True)
    ]
    assert [row.target for row in made.broken if row.kind == "quiz"] == ["resource.text_answer_question.lost"]
    assert len(yaml.safe_load(made.steps[0].files["quiz.yaml"])["questions"]) == 1


@pytest.mark.parametrize("info", ['bash run title="exec it"', "bash run title='exec it'", 'bash,run title="exec it"'])
def test_a_fences_title_stays(tmp_path, info):
    one = f"```{info}\nls\n```\n"
    text = read(IMPORTER, make_tree(tmp_path, {**FILES, "lab/instructions/one.md": one}), "lab").steps[0].content
    assert text == f"**exec it**\n\n```bash{' exec' if ',' in info else ''}\nls\n```\n"
