"""Educates' pages: both renderers' markup, AsciiDoc with its places, actions that are no YAML, tests with arguments, sessions."""

import json
import subprocess

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.template_converter.educates.test_educates import WORKSHOP, convert, fenced, one
from tests.unit.template_converter.trees import places

HUGO = {"workshop/config.yaml": "params:\n- name: COLOUR\n  value: red\n"}
CLASSIC = {
    "workshop/modules.yaml": "config:\n  vars:\n  - name: LAB_SLOT\n    value: none\n",
    "workshop/workshop.yaml": "vars: {LAB_SLOT: seven}\n",
}


def names(workshop):
    return [row.name for row in workshop.variables]


def test_the_older_renderer_fills_in_names_but_not_in_raw(tmp_path):
    page = (
        "Slot {{ LAB_SLOT }} in %session_namespace%, 5% and 6%.\n\n{% raw %}\n"
        + fenced("execute", "echo '{{ kept }}'\n")
        + "{% endraw %}\n\nRun `ls`{{copy}}.\n"
    )
    workshop = one(tmp_path, page, **CLASSIC)
    assert workshop.steps[0].content == (
        "Slot {{LAB_SLOT}} in {{session_namespace}}, 5% and 6%.\n\n```bash exec\necho '{{ kept }}'\n```\n\nRun `ls`.\n"
    )
    assert [(row.name, row.default) for row in workshop.variables] == [("LAB_SLOT", "seven"), ("session_namespace", None)]
    assert [row.kind for row in workshop.losses] == ["attribute"]


def test_the_newer_renderer_fills_in_params_alone(tmp_path):
    page = '{{< param COLOUR >}}, {{ item }}, {{session_name}}.\n\n{{< note >}}\nMind.\n{{< /note >}}\n\n![A]({{< baseurl >}}/a.png) {{< figure src="../b.png" >}}\n'
    static = {"workshop/static/a.png": b"a", "workshop/static/b.png": b"b"}
    workshop = one(tmp_path, page, **HUGO, **static)
    content = workshop.steps[0].content
    assert content.startswith("{{COLOUR}}, {{ item }}, {{session_name}}.\n\n> **Note**\n>\n> Mind.\n\n![A](")
    assert names(workshop) == ["COLOUR", "session_name"]
    assert sorted(workshop.assets.values()) == ["workshop/static/a.png", "workshop/static/b.png"]
    assert workshop.broken == []


def test_other_ways_through_the_pages_are_told(tmp_path):
    config = "pathways:\n  default: rye\n  paths:\n    rye: {steps: [a]}\n    spelt: {steps: [b]}\n"
    page = "{{< pathway rye >}}\nRye.\n{{< /pathway >}}\n{{< pathway spelt >}}\nSpelt.\n{{< /pathway >}}\nAll.\n"
    files = {"workshop/config.yaml": config, "workshop/content/a.md": page, "workshop/content/b.md": "x\n"}
    workshop = convert(tmp_path, files)
    assert [step.content for step in workshop.steps] == ["Rye.\nAll.\n"]
    assert sorted((row.kind, row.source) for row in workshop.losses) == [
        ("page", "workshop/content/b.md"),
        ("pathway", "workshop/config.yaml"),
        ("pathway", "workshop/content/a.md"),
    ]


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("command: put --data '{\"a\": 1}' x\nsession: 2\n", "```bash exec=2\nput --data '{\"a\": 1}' x\n```\n"),
        ("command: tee a <<'EOF'\n{\n  b: [1\n}\nEOF\n", "```bash exec\ntee a <<'EOF'\n{\n  b: [1\n}\nEOF\n```\n"),
    ],
)
def test_actions_that_are_no_yaml_are_read_line_by_line(tmp_path, body, result):
    workshop = one(tmp_path, fenced("terminal:execute", body))
    assert workshop.steps[0].content == result
    assert ["each of its lines" in row.detail for row in workshop.losses] == [True]


@pytest.mark.parametrize(
    ("info", "body", "result"),
    [
        ("execute-2", "<ctrl+c>\n", "Press Ctrl-C in terminal 2.\n"),
        ("terminal:execute", 'command: ""\nsession: 2\n', "Press Enter in terminal 2.\n"),
        ("terminal:select", "session: 3\n", "Go to terminal 3.\n"),
        ("dashboard:create-dashboard", "name: Shop\nurl: https://example.org/\n", "Open the tab **Shop**: [https://example.org/](https://example.org/)\n"),
        ("dashboard:create-dashboard", "name: More\nurl: terminal:more\n", "Open the tab **More** with a terminal (`more`).\n"),
        ("dashboard:delete-dashboard", "name: Shop\n", "Close the tab **Shop**.\n"),
        ("editor:delete-lines-in-range", "file: a\nstart: 2\nstop: 4\n", "Delete lines 2 to 4 of `a`.\n"),
        ("editor:copy-file", "src: a\ndest: b\n", "Copy `a` to `b`.\n"),
        ("section:heading", "title: Questions\n", "**Questions**\n"),
    ],
)  # fmt: skip
def test_further_actions_in_words(tmp_path, info, body, result):
    workshop = one(tmp_path, fenced(info, body))
    assert workshop.steps[0].content == result
    assert [row.kind for row in workshop.losses] == ["code"]


@pytest.mark.parametrize(
    ("verb", "body", "words", "info", "text"),
    [
        ("insert-value-into-yaml", "path: spec.x\nvalue:\n- name: a\n  port: 1\n", "Add this to `f.yaml` at `spec.x`:", "yaml copy", "- name: a\n  port: 1\n"),
        ("select-matching-text", "text: 'image: (.*)'\n", "Find in `f.yaml`:", "yaml", "image: (.*)\n"),
        ("select-matching-text", "text: replicas: 3\n", "Find in `f.yaml`:", "yaml", "replicas: 3\n"),
        ("replace-matching-text", "match: a\nreplacement: b\n", "In `f.yaml`, replace `a` with:", "yaml copy", "b\n"),
        ("append-lines-after-match", "match: a\ntext: b\n", "Insert into `f.yaml` behind the line with `a`:", "yaml copy", "b\n"),
    ],
)  # fmt: skip
def test_what_the_editor_writes_stays(tmp_path, verb, body, words, info, text):
    workshop = one(tmp_path, fenced(f"editor:{verb}", f"file: f.yaml\n{body}"))
    assert workshop.steps[0].content == f"{words}\n\n```{info}\n{text}```\n"


def test_an_editors_action_in_a_list_stays_in_its_item(tmp_path):
    page = "1. ```editor:append-lines-to-file\n   file: a.py\n   text: |\n     x = 1\n   ```\n2. Two\n"
    assert one(tmp_path, page).steps[0].content == "1. Add to the end of `a.py`:\n\n   ```python copy\n   x = 1\n   ```\n2. Two\n"


def test_tests_with_arguments_and_other_languages(tmp_path):
    page = (
        fenced("examiner:execute-test", "name: has\nargs: [one, it's]\n")
        + "\n"
        + fenced(
            "examiner:execute-test",
            "name: deep/say\ntitle: Say it\ninputs:\n  schema:\n    a: {title: 'Your name:', enum: [x, y]}\n",
        )
    )
    tests = {
        "workshop/examiner/tests/has": '#!/bin/bash\necho "$1 $2"\n',
        "workshop/examiner/tests/deep/say": "#!/usr/bin/env python3\nprint('said')\n",
        "workshop/examiner/tests/idle": "#!/bin/sh\n",
    }
    workshop = one(tmp_path, page, **tests)
    step = workshop.steps[0]
    assert step.content == "Check: has\n\nCheck: Say it\n\n- Your name: (`x`, `y`)\n"
    for path, data in step.files.items():
        target = tmp_path / "run" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    done = subprocess.run(["bash", "-c", step.check], cwd=tmp_path / "run", capture_output=True, text=True, check=True)
    assert done.stdout == "one it's\n", "a test that asks for what nobody knows fails for nobody"
    assert "files/tests/deep/say" in step.files
    [told] = [row.detail for row in workshop.losses if "deep/say" in row.detail]
    assert "so it is not in the step's check" in told
    assert "`files/tests/deep/say`" in told
    assert [(row.kind, row.source) for row in workshop.losses if row.kind == "check"] == [
        ("check", "workshop/examiner/tests/idle")
    ]


def test_a_test_that_asks_by_a_form_is_given_what_the_form_begins_with(tmp_path):
    form = (
        "name: made\ntitle: Is it made?\ninputs:\n  schema:\n"
        "    name: {type: string, title: 'Name of it:', default: it's mine, required: true}\n"
        "    count: {type: integer, default: '2'}\n    loud: {type: boolean, default: 'false'}\n    note: {type: string}\n"
        "  form: ['*', {type: submit, title: Go}]\n"
    )
    tests = {"workshop/examiner/tests/made": "#!/bin/bash\ncat\n"}
    workshop = one(tmp_path, fenced("examiner:execute-test", form), **tests)
    step = workshop.steps[0]
    assert step.content == (
        "Check: Is it made?\n\n- Name of it: (the check takes `it's mine`)\n\n- count (the check takes `2`)\n\n"
        "- loud (the check takes `false`)\n\n- note\n"
    )
    for path, data in step.files.items():
        target = tmp_path / "run" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    done = subprocess.run(["bash", "-c", step.check], cwd=tmp_path / "run", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"name": "it's mine", "count": 2, "loud": False}
    [told] = [row.detail for row in workshop.losses if row.kind == "code"]
    assert "those that the form begins with" in told


@pytest.mark.parametrize(
    "schema",
    [
        "{a: {required: true}}",
        "{a: {default: b}, c: {enum: [x, y]}}",
        "{a: {type: integer, default: many, required: true}}",
        "{}",
        "3",
    ],
)
def test_a_form_that_begins_with_nothing_gives_no_check(tmp_path, schema):
    page = fenced("examiner:execute-test", f"name: made\ninputs: {{schema: {schema}}}\n")
    workshop = one(tmp_path, page, **{"workshop/examiner/tests/made": "#!/bin/bash\nexit 1\n"})
    assert workshop.steps[0].check is None
    assert workshop.steps[0].files["files/tests/made"] == b"#!/bin/bash\nexit 1\n"
    assert [row.kind for row in workshop.losses] == ["code"]


def test_objects_are_kept_as_manifests_with_what_to_do(tmp_path):
    more = (
        "  environment:\n    objects:\n    - apiVersion: v1\n      kind: Namespace\n      metadata: {name: shared}\n"
        "  session:\n    objects:\n    - {apiVersion: v1, kind: Secret, metadata: {name: key, namespace: $(session_namespace)}}\n"
        "  request:\n    objects:\n    - {apiVersion: v1, kind: ConfigMap, metadata: {name: $(TOKEN)}}\n"
    )
    workshop = convert(tmp_path, {"resources/workshop.yaml": WORKSHOP + more, "workshop/content/a.md": "x\n"})
    files = workshop.steps[0].files
    assert [row["kind"] for row in yaml.safe_load_all(files["files/resources/session-objects.yaml"])] == ["Secret"]
    said = {row.detail.split(" of the first step")[0].rpartition("resources/")[2]: row.detail for row in workshop.losses}
    assert "in the cluster, before the workshop is offered" in said["environment-objects.yaml`"]
    assert "Put values for `$(session_namespace)` into it" in said["session-objects.yaml`"]
    assert "`kubectl apply -f files/resources/request-objects.yaml`" in said["request-objects.yaml`"]


def test_asciidoc_pages_know_their_lines_and_name_actions(tmp_path):
    page = (
        "= The page\n\nHello {{ session_name }}, see <<end>>.\n\ninclude::more/part.adoc[]\n\n"
        "[source,bash,role=terminal:execute]\n----\ncommand: ls -l\nsession: 2\n----\n\n[source,yaml,role=copy-and-edit]\n----\na: 1\n----\n\n"
        "image::pic.png[Pic]\n\nlink:b.adoc[B]\n\ninclude::gone.adoc[]\n\n[#end]\n== The end\n"
    )
    files = {
        "workshop/content/a.adoc": page,
        "workshop/content/b.adoc": "Bye.\n",
        "workshop/content/more/part.adoc": "Part.\n",
        "workshop/content/pic.png": b"p",
    }
    workshop = convert(tmp_path, files)
    step = workshop.steps[0]
    assert step.title == "The page"
    assert "```bash exec=2\nls -l\n```" in step.content
    assert "```yaml copy\na: 1\n```" in step.content
    assert "[B](../b/content.md)" in step.content
    assert names(workshop) == ["session_name"]
    assert list(workshop.assets.values()) == ["workshop/content/pic.png"]
    told = {text: (file, line) for text, file, line in places(step) if text}
    assert told["# The page"] == ("workshop/content/a.adoc", 1)
    assert told["Part."] == ("workshop/content/more/part.adoc", 1)
    assert told["ls -l"] == ("workshop/content/a.adoc", 9)
    assert told["a: 1"] == ("workshop/content/a.adoc", 15)
    assert [(row.kind, row.target, row.line) for row in workshop.broken] == [("include", "gone.adoc", 22)]


def test_what_a_session_is_given_is_told(tmp_path):
    more = (
        "  workshop:\n    image: jdk:17\n    files:\n    - image: {url: $(image_repository)/own}\n    - path: .m2\n      image: {url: registry.example.org/maven}\n"
        "    packages:\n    - name: carvel\n"
        "  session:\n    applications:\n      terminal: {enabled: true}\n      editor: {enabled: true}\n"
        "      vcluster:\n        enabled: true\n        objects: [{kind: Secret}]\n    env: [{name: TOKEN}]\n    dashboards: [{name: Shop}]\n"
        "    objects: [{kind: Role}, {kind: Role}]\n"
    )
    workshop = convert(
        tmp_path, {"resources/workshop.yaml": WORKSHOP + more, "workshop/content/a.md": "x\n", "workshop/gateway/x.js": "1\n"}
    )
    said = " ".join(row.detail for row in workshop.losses if row.kind == "session")
    for expected in (
        "editor, vcluster",
        "`jdk:17`",
        "carvel",
        "registry.example.org/maven in `.m2`",
        "TOKEN",
        "Shop",
        "2 Kubernetes objects (Role) for each participant",
        "1 Kubernetes object (Secret) in each participant's virtual cluster",
    ):
        assert expected in said
    assert "$(image_repository)" not in said
    assert workshop.steps[0].files == {
        "files/resources/workshop.yaml": (WORKSHOP + more).encode(),
        "files/resources/session-objects.yaml": b"---\nkind: Role\n---\nkind: Role\n",
        "files/resources/vcluster-objects.yaml": b"---\nkind: Secret\n",
    }
    assert [row.source for row in workshop.losses if row.kind == "file"] == ["workshop/gateway"]


def test_what_an_action_is_called_stands_above_it(tmp_path):
    page = "- ```terminal:execute\n  title: Look *around*\n  command: ls\n  ```\n\n" + fenced(
        "dashboard:open-dashboard", "name: Shop\ntitle: Go\n"
    )
    assert one(tmp_path, page).steps[0].content == (
        "- **Look around**\n\n  ```bash exec\n  ls\n  ```\n\n**Go**\n\nOpen the tab **Shop**.\n"
    )


def test_what_spans_lines_in_yaml_stays_in_its_place(tmp_path):
    page = (
        fenced("editor:replace-matching-text", "file: a.py\nmatch: |\n  x = 1\n  y = 2\nreplacement: z\n")
        + "\n" + fenced("section:begin", 'title: "More\n\n  of it"\n') + "\nIn.\n\n" + fenced("section:end", "") + "\n"
        + fenced("terminal:execute", 'title: "A\n\n  b"\ncommand: ls\n') + "\n[gone](nowhere.md)\n"
    )  # fmt: skip
    workshop = one(tmp_path, page)
    assert workshop.steps[0].content == (
        "In `a.py`, replace the first of these by the second:\n\n```python\nx = 1\ny = 2\n```\n\n```python copy\nz\n```\n\n"
        "> **More of it**\n>\n> In.\n\n**A b**\n\n```bash exec\nls\n```\n\ngone (`nowhere.md`)\n"
    )
    assert [(row.target, row.line) for row in workshop.broken] == [("nowhere.md", 27)]


def test_what_is_commented_out_opens_no_fence(tmp_path):
    page = (
        "One.\n\n<!-- off\n"
        + fenced("execute", "no\n").rstrip("\n")
        + " -->\n\n"
        + fenced("execute", "ls # <!--\n")
        + "\nTwo <!-- a -->.\n"
    )
    assert one(tmp_path, page).steps[0].content.startswith("One.\n\n\n```bash exec\nls # <!--\n```\n\nTwo")


def test_modules_that_nothing_activates_are_in_their_order_when_every_page_is_named(tmp_path):
    files = {"workshop/content/a.md": "x\n", "workshop/content/b.md": "x\n"}
    both = {"workshop/modules.yaml": "modules:\n  b: {name: Two}\n  a: {name: One}\n"}
    assert [step.title for step in convert(tmp_path / "both", {**files, **both}).steps] == ["Two", "One"]
    some = {"workshop/modules.yaml": "modules:\n  b: {name: Two}\n"}
    assert [step.title for step in convert(tmp_path / "some", {**files, **some}).steps] == ["A", "Two"]


PIECES = [
    "```terminal:execute\ncommand: ls\n```", "```execute-2\n<ctrl+c>", "```editor:replace-matching-text\nfile: a\nmatch: \"x\\n\\ny\"\n```", "````",
    "```section:begin\ntitle: \"a\\n\\nb\"\n```", "```section:end\n```", "{% raw %}", "{% endraw %}", "{{< note >}}", "{{< /note >}}", "{{< pathway x >}}",
    "{{< /pathway >}}", "<!-- a", "--> b", "{{ name }} %session_name%", "1. ```dashboard:open-url\n   url: https://e.org\n   ```", "> ```copy\n> x\n> ```", "~~~yaml",
    "```examiner:execute-test\nname: t\ninputs: {schema: {a: 1, b: {enum: [1]}}}\n```", "[x](y.md) ![i](j.png)", "```files:x\n- [\n```", "text", "",
]  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), hugo=st.booleans(), ending=st.sampled_from(["md", "adoc"]))
def test_any_order_of_pieces_is_read(tmp_path_factory, pieces, hugo, ending):
    page = "\n".join(pieces) + "\n"
    files = {f"workshop/content/a.{ending}": page, **(HUGO if hugo else CLASSIC)}
    step = convert(tmp_path_factory.mktemp("any"), files).steps[0]
    told = [(file, line) for _, file, line in places(step)]
    assert all(file == f"workshop/content/a.{ending}" and 0 <= line <= page.count("\n") for file, line in told)
    assert len(told) == step.content.count("\n")
