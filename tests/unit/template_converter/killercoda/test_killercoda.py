"""Killercoda and Katacoda: what `index.json` says, code that runs at a click, scripts, and files for the environment."""

import json

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.killercoda import MAX_ASSET_BYTES, KillercodaImporter
from agents.template_converter.recognise import classify
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = KillercodaImporter()
STEP = {"title": "Look around", "text": "step1.md"}


def convert(tmp_path, page, *, step=None, files=None, **index):
    value = {"title": "T", "details": {"steps": [{**STEP, **(step or {})}]}, "backend": {}, **index}
    return read(IMPORTER, make_tree(tmp_path, {"index.json": json.dumps(value), "step1.md": page, **(files or {})}))


def content(tmp_path, page):
    return convert(tmp_path, page).steps[0].content


@pytest.mark.parametrize(
    ("closing", "info"),
    [
        ("```{{exec}}", "bash exec"),
        ("``` {{execute}}", "bash exec"),
        ("```{{execute T2}}", "bash exec=t2"),
        ("```{{execute HOST2}}", "bash exec=host2"),
        ("```{{exec interrupt}}", "bash exec"),
        ("```{{copy}}", "text copy"),
        ("```{{}}", ""),
        ("```", ""),
    ],
)
def test_a_mark_behind_the_closing_fence_is_the_blocks(tmp_path, closing, info):
    assert content(tmp_path, f"Run it:\n\n```\nls -l\n{closing}\n\nDone.\n") == f"Run it:\n\n```{info}\nls -l\n```\n\nDone.\n"


def test_without_a_mark_a_shells_block_does_not_run(tmp_path):
    assert (
        content(tmp_path, "```bash\nls\n```\n\n```yaml\na: 1\n```{{copy}}\n") == "```bash\nls\n```\n\n```yaml copy\na: 1\n```\n"
    )


def test_blocks_in_lists_and_inside_longer_fences(tmp_path):
    page = "1. One\n   ```\n   ls\n   ```{{exec}}\n\n````\n```{{exec}}\n````{{copy}}\n"
    assert content(tmp_path, page) == "1. One\n   ```bash exec\n   ls\n   ```\n\n````text copy\n```{{exec}}\n````\n"


def test_a_block_that_is_never_closed_keeps_the_rest(tmp_path):
    assert content(tmp_path, "```\nls\nmore\n") == "```\nls\nmore\n"


def test_marks_in_sentences_are_listed_once_with_their_number(tmp_path):
    workshop = convert(tmp_path, "Run `ls`{{exec}} or `a b`{{exec}}, type `c`{{copy}}, not `d`{{}}.\n")
    assert workshop.steps[0].content == "Run `ls` or `a b`, type `c`, not `d`.\n"
    told = [(row.kind, row.line, row.detail.split(" behind")[0], row.detail[-10:]) for row in workshop.losses]
    assert told == [("attribute", 1, "`{{copy}}`", "(1 times)."), ("attribute", 1, "`{{exec}}`", "(2 times).")]


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("Go:\n\n`ls -l`{{execute}}\n", "Go:\n\n```bash exec\nls -l\n```\n"),
        ("Go:\n``ls -l``{{exec interrupt}}<br>\nThen:\n", "Go:\n```bash exec\nls -l\n```\nThen:\n"),
        ("`a`{{execute}} `b`{{execute T2}}\n", "```bash exec\na\n```\n```bash exec=t2\nb\n```\n"),
        ("1. `a`{{exec}}\n2. Do\n   `b`{{exec}}\n", "1. ```bash exec\n   a\n   ```\n2. Do\n   ```bash exec\n   b\n   ```\n"),
        ("> `a`{{exec}}\n", "> ```bash exec\n> a\n> ```\n"),
        ("`cat <<EOF\n  x: `{{exec}}\n", "```bash exec\ncat <<EOF\n  x: \n```\n"),
        ("`\ncat <<EOF\n  x: 1\nEOF\n`{{exec}}\n", "```bash exec\ncat <<EOF\n  x: 1\nEOF\n```\n"),
        ("`some text`{{copy}}\n", "```text copy\nsome text\n```\n"),
        ("- `name`{{copy}}\n", "- `name`\n"),
        ("`file.txt`{{open}}\n", "`file.txt`\n"),
        ("Run **it**: `ls -l`{{exec}}\nThen wait.\n", "Run **it**:\n\n```bash exec\nls -l\n```\nThen wait.\n"),
        ("1. \U0001f449 `a`{{execute T1}}\n", "1. \U0001f449\n\n   ```bash exec=t1\n   a\n   ```\n"),
        ("> Run: `a`{{exec}}\n", "> Run:\n>\n> ```bash exec\n> a\n> ```\n"),
        ("Copy: `a`{{copy}}\n", "Copy: `a`\n"),
        ("Run: `a`{{exec}} or wait\n", "Run: `a` or wait\n"),
        ("Set `x`: `a`{{exec}}\n", "Set `x`: `a`\n"),
    ],
)
def test_code_with_a_mark_on_a_line_of_its_own_is_a_block(tmp_path, page, wanted):
    assert content(tmp_path, page) == wanted


def test_a_command_keeps_the_line_that_it_stands_on(tmp_path):
    step = convert(tmp_path, "Go:\n\n`cat <<EOF\nx\nEOF`{{exec}}\n").steps[0]
    assert places(step)[3:6] == [("cat <<EOF", "step1.md", 3), ("x", "step1.md", 4), ("EOF", "step1.md", 5)]


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("```\nls\n```{{exec}}.\n\nDone.\n", "```bash exec\nls\n```\n\nDone.\n"),
        ("```\nls\n```{{exec}} and so on\n", "```bash exec\nls\n```\nand so on\n"),
        ("```\nls\ncp a b```{{exec}}\n\nDone.\n", "```bash exec\nls\ncp a b\n```\n\nDone.\n"),
        ("````sql\nselect 1\n```{{exec}}\n\nDone.\n", "````sql exec\nselect 1\n````\n\nDone.\n"),
    ],
    ids=["before a full stop", "before words", "behind code", "too short"],
)
def test_a_fence_that_a_mark_closes_though_it_is_written_carelessly(tmp_path, page, wanted):
    assert content(tmp_path, page) == wanted


def test_a_fence_behind_the_last_line_of_code_closes_it_where_the_fences_below_come_in_pairs(tmp_path):
    page = "```\nports: [\n  80\n]```\n\nStart:\n\n```\nrun web\n```{{exec}}\n\n```\n<b>ok</b>\n```\n"
    assert content(tmp_path, page) == (
        "```\nports: [\n  80\n]\n```\n\nStart:\n\n```bash exec\nrun web\n```\n\n```\n<b>ok</b>\n```\n"
    )


def test_code_that_ends_with_ticks_goes_on_where_its_block_is_closed_below(tmp_path):
    page = "```md\nsay ```\nor not\n```\n\n```sh\nls\n```{{exec}}\n"
    assert content(tmp_path, page) == "```md\nsay ```\nor not\n```\n\n```sh exec\nls\n```\n"


def test_files_of_the_editor_are_blocks_to_copy(tmp_path):
    page = (
        'Write:\n<pre class="file" data-filename="src/a.yml"\n data-target="replace">a: 1\n\n  b: &lt;x&gt;\n</pre>\nMore.\n'
        '\n<pre class="file">\nplain\n</pre>\n'
    )
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "Write:\n\n**`src/a.yml`**\n\n```yaml copy\na: 1\n\n  b: <x>\n```\n\nMore.\n\n\n```text copy\nplain\n```\n"
    )
    assert [(row.kind, row.line, row.detail[-10:]) for row in workshop.losses] == [("attribute", 2, "(2 times).")]


def test_the_place_that_a_file_of_the_editor_goes_to_is_said(tmp_path):
    page = (
        '<pre class="file" data-filename="A.java" data-target="insert" data-marker="// TODO: &quot;routes&quot;">a();\n</pre>\n'
    )
    assert '**`A.java`**, in place of `// TODO: "routes"`\n\n```java copy\na();\n```\n' in content(tmp_path, page)


def test_a_solution_right_below_a_line_keeps_its_code(tmp_path):
    page = "Do it.\n\n<br>\n<details><summary>Solution</summary>\n<br>\n\n```bash\ncat <<EOF > x \n<y>\nEOF\n```{{exec}}\n\n</details>\n"
    step = convert(tmp_path, page).steps[0]
    assert step.content == "Do it.\n"
    assert "```bash exec\ncat <<EOF > x \n<y>\nEOF\n```\n" in (step.solve or "")


def test_places_of_the_environment_are_variables(tmp_path):
    workshop = convert(tmp_path, "See http://app.[[HOST_SUBDOMAIN]]-80-[[KATACODA_HOST]].environments.katacoda.com, [[ x ]].\n")
    assert (
        workshop.steps[0].content
        == "See http://app.{{HOST_SUBDOMAIN}}-80-{{KATACODA_HOST}}.environments.katacoda.com, [[ x ]].\n"
    )
    assert [row.name for row in workshop.variables] == ["HOST_SUBDOMAIN", "KATACODA_HOST"]


def test_addresses_on_the_site_are_files_of_the_repository(tmp_path):
    page = '![a](/someone/scenarios/assets/a.png) <img src="/someone/assets/a.png"> ![b](/someone/assets/gone.png)\n'
    workshop = convert(tmp_path, page, files={"assets/a.png": b"png"})
    assert workshop.assets == {"assets/a.png": "assets/a.png"}
    assert [row.target for row in workshop.broken] == ["/someone/assets/gone.png"]


def test_scripts_answers_and_hints_under_their_older_names(tmp_path):
    step = {"code": "fg.sh", "courseData": "bg.sh", "answer": "answer.md", "hint": "hint.sh"}
    files = {"fg.sh": "clear\n", "bg.sh": "apt\n", "answer.md": "Say `x`.\n", "hint.sh": "echo look\n"}
    made = convert(tmp_path, "Look.\n", step=step, files=files).steps[0]
    assert made.setup == "# In the background\napt\n\n# In the terminal\nclear\n"
    assert (made.solve, made.hints) == ("Say `x`.\n", "```bash\necho look\n```\n")


@pytest.mark.parametrize(
    ("time", "minutes"), [("10-15 minutes", 15), ("1 hour", 60), (20, 20), ("soon", None), (True, None), ("9" * 9, None)]
)
def test_time_difficulty_and_environment(tmp_path, time, minutes):
    workshop = convert(tmp_path, "Look.\n", time=time, difficulty="Easy", backend={"imageid": "ubuntu"})
    assert (workshop.duration, workshop.difficulty) == (minutes, "beginner")
    assert [(row.kind, "`ubuntu`" in row.detail) for row in workshop.losses] == [("setting", True)]


def test_a_collection_gives_its_scenarios_their_number_and_a_title(tmp_path):
    index = json.dumps({"details": {"steps": [STEP]}})
    files = {f"one/{name}/{file}": text for name in ("a", "b") for file, text in (("index.json", index), ("step1.md", "Hi.\n"))}
    files["one/structure.json"] = json.dumps({"items": [{"path": "b", "title": "Begin"}, {"path": "a"}, {"path": "gone"}]})
    files["one-pathway.json"] = json.dumps({"courses": [{"course_id": "a", "title": "Go on"}]})
    tree = make_tree(tmp_path, files)
    found = {row.path: row for row in IMPORTER.recognise(tree)}
    assert found["one/b"].evidence[1] == "`one/structure.json` lists it as number 1, “Begin”."
    assert IMPORTER.read(tree, found["one/b"]).title == "Begin"
    assert IMPORTER.read(tree, found["one/a"]).title == "Go on"


def test_addresses_of_ports_are_variables(tmp_path):
    page = (
        "[Open]({{TRAFFIC_HOST1_80}}/admin) or {{TRAFFIC_SELECTOR}}, once "
        "https://[[HOST_SUBDOMAIN]]-8080-[[KATACODA_HOST]].environments.katacoda.com/x\n"
    )
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "[Open]({{TRAFFIC_HOST1_80}}/admin) or {{TRAFFIC_SELECTOR}}, once {{TRAFFIC_HOST1_8080}}/x\n"
    )
    assert [row.name for row in workshop.variables] == ["TRAFFIC_HOST1_80", "TRAFFIC_HOST1_8080", "TRAFFIC_SELECTOR"]
    assert workshop.variables[0].description == "Address under which port 80 of host 1 is reached."
    assert (workshop.losses, workshop.broken) == ([], [])


def test_intro_steps_and_finish_with_titles_from_where_there_is_one(tmp_path):
    details = {
        "intro": {"text": "intro.md"},
        "steps": [STEP, {"text": "b/text.md"}, {"text": "step10.md"}, {"text": "gone.md"}],
        "finish": {"text": "end.md"},
    }
    files = {"intro.md": "Hi.\n", "b/text.md": "# From the page\n", "step10.md": "No heading.\n", "end.md": "Bye.\n"}
    workshop = convert(tmp_path, "Look.\n", files=files, details=details, description="About it")
    assert [step.title for step in workshop.steps] == ["Introduction", "Look around", "From the page", "Step 10", "Finish"]
    assert [(row.kind, row.target) for row in workshop.broken] == [("page", "gone.md")]
    assert workshop.summary == "About it"


def test_scripts_become_setup_and_check(tmp_path):
    scripts = {"background": "bg.sh", "foreground": "fg.sh", "verify": "verify.sh"}
    files = {"bg.sh": "apt install x\n", "fg.sh": "clear\n", "verify.sh": "#!/bin/bash\ntest -f x\n"}
    step = convert(tmp_path, "Look.\n", step=scripts, files=files).steps[0]
    assert step.check == "#!/bin/bash\ntest -f x\n"
    assert step.setup == "# In the background\napt install x\n\n# In the terminal\nclear\n"


def test_one_script_is_left_as_it_is_and_a_missing_one_is_named(tmp_path):
    workshop = convert(tmp_path, "Look.\n", step={"background": "bg.sh", "verify": "no.sh"}, files={"bg.sh": "#!/bin/sh\n:\n"})
    assert (workshop.steps[0].setup, workshop.steps[0].check) == ("#!/bin/sh\n:\n", None)
    assert [(row.kind, row.target) for row in workshop.broken] == [("check", "no.sh")]


def test_a_dropdown_is_a_hint_or_the_solution(tmp_path):
    page = "Do it.\n\n<details><summary>Solution</summary>\n\n```plain\nmake it\n```{{exec}}\n\n</details>\n"
    step = convert(tmp_path, page).steps[0]
    assert step.content == "Do it.\n"
    assert "```plain exec\nmake it\n```" in (step.solve or "")


def test_pages_named_by_number_are_taken_where_no_step_is_listed(tmp_path):
    files = {"step2.md": "# Two\n", "step10.md": "# Ten\n", "notes.md": "# No\n"}
    workshop = convert(tmp_path, "# One\n", files=files, details={})
    assert [step.title for step in workshop.steps] == ["One", "Two", "Ten"]


def test_a_scenario_without_pages_is_one_step(tmp_path):
    tree = make_tree(tmp_path, {"index.json": '{"title": "A machine", "description": "Just that.", "backend": {}}'})
    workshop = read(IMPORTER, tree)
    assert [(step.title, step.content) for step in workshop.steps] == [("A machine", "# A machine\n\nJust that.\n")]


def test_files_for_the_environment_come_along_and_say_where_they_go(tmp_path):
    details = {"steps": [STEP], "assets": {"host01": [{"file": "*.sh", "target": "/opt"}, {"file": "no", "target": "/"}]}}
    files = {"assets/run.sh": "echo\n", "assets/big.sh": b"x" * (MAX_ASSET_BYTES + 1)}
    workshop = convert(tmp_path, "Look.\n", files=files, details=details)
    assert workshop.steps[0].files == {"files/run.sh": b"echo\n"}
    assert [(row.kind, row.source) for row in workshop.losses] == [("asset", "assets/big.sh"), ("asset", "index.json")]
    assert [(row.kind, row.target) for row in workshop.broken] == [("asset", "assets/no")]


def test_keys_that_stand_twice_and_commas_too_many(tmp_path):
    text = '{"title": "One", "title": "Two", "details": {"steps": [{"text": "step1.md"},]}, "backend": {},}'
    workshop = read(IMPORTER, make_tree(tmp_path, {"index.json": text, "step1.md": "# S\n"}))
    assert workshop.title == "Two"
    assert [(row.kind, "`title`" in row.detail) for row in workshop.losses] == [("manifest", True)]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "not JSON"), ("[]", "no object"), ('{"a":' * 100_000, "nested")],
    ids=["broken", "a list", "deep"],
)
def test_an_index_that_cannot_be_read_says_why(tmp_path, text, says):
    with pytest.raises(UnreadableSourceError, match=says):
        read(IMPORTER, make_tree(tmp_path, {"index.json": text}))


def test_values_of_the_wrong_kind_are_passed_over(tmp_path):
    index = {"details": {"steps": ["x", 7, {"text": ["a"]}, STEP], "intro": "no", "assets": {"host01": "no"}}, "backend": 3}
    assert [step.title for step in convert(tmp_path, "Look.\n", **index).steps] == ["Look around"]


def test_paths_out_of_the_source_are_not_followed(tmp_path):
    (tmp_path / "secret.md").write_text("# Secret\n")
    index = json.dumps({"title": "T", "details": {"steps": [{"text": "../secret.md"}, {"text": "/etc/passwd"}]}})
    workshop = read(IMPORTER, make_tree(tmp_path / "repo", {"index.json": index}))
    assert {row.target for row in workshop.broken} == {"../secret.md", "/etc/passwd"}
    assert "Secret" not in workshop.steps[0].content


def test_each_scenario_of_a_collection_is_offered(tmp_path):
    index = json.dumps({"title": "T", "details": {"steps": [STEP]}, "backend": {}})
    files = {f"{name}/{file}": text for name in ("a", "b") for file, text in (("index.json", index), ("step1.md", "# S\n"))}
    found = [row for row in classify(make_tree(tmp_path, files)) if row.form is Form.KILLERCODA]
    assert [(row.path, row.score) for row in found] == [("a", 0.95), ("b", 0.95)]
    assert found[0].evidence == ["`a/index.json` describes a Killercoda scenario of 1 page."]


def test_lines_are_told_from_where_they_come(tmp_path):
    step = convert(tmp_path, "---\nx: 1\n---\n# S\n\n```\nls\n```{{exec}}\n").steps[0]
    assert places(step)[2:] == [("```bash exec", "step1.md", 6), ("ls", "step1.md", 7), ("```", "step1.md", 8)]


def test_scripts_of_a_part_without_a_page_are_told(tmp_path):
    intro = {"background": "bg.sh", "foreground": "gone.sh"}
    steps = [STEP, {"title": "Lost", "text": "lost.md", "verify": "verify.sh"}, {"title": "Only a title"}]
    files = {"bg.sh": "apt\n", "verify.sh": "true\n"}
    made = convert(tmp_path, "# S\n", details={"intro": intro, "steps": steps}, files=files)
    assert [step.title for step in made.steps] == ["Look around"]
    assert [(row.kind, row.source) for row in made.losses] == [
        ("page", "index.json"),
        ("script", "bg.sh"),
        ("script", "verify.sh"),
        ("page", "index.json"),
    ]
    assert "“Only a title”" in made.losses[3].detail
    assert [(row.kind, row.target) for row in made.broken] == [("setup", "gone.sh"), ("page", "lost.md")]


def test_a_hint_or_answer_that_is_missing_is_told(tmp_path):
    made = convert(tmp_path, "# S\n", step={"hint": "hint.md", "answer": "answer.md"})
    assert [(row.kind, row.source, row.target) for row in made.broken] == [
        ("answer", "index.json", "answer.md"),
        ("hint", "index.json", "hint.md"),
    ]


@pytest.mark.parametrize("details", [{}, {"name": "x"}, {"steps": [{"text": "gone.md"}]}])
def test_an_index_without_pages_is_hardly_a_scenario(tmp_path, details):
    tree = make_tree(tmp_path, {"index.json": json.dumps({"details": details})})
    assert [row.score for row in IMPORTER.recognise(tree)] == [0.3]


def test_a_terminal_alone_is_a_scenario(tmp_path):
    tree = make_tree(tmp_path, {"index.json": json.dumps({"title": "Plain", "backend": {"imageid": "ubuntu"}})})
    (candidate,) = IMPORTER.recognise(tree)
    assert candidate.score == 0.95
    assert [step.title for step in IMPORTER.read(tree, candidate).steps] == ["Plain"]
