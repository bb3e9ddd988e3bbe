"""Neutral, to another form, and back: titles, order, code, images, checks and hints are kept, and the rest is told."""

import pytest

from agents.template_converter.exports import EXPORTERS
from shared_services.contracts.conversion import Form
from tests.unit.template_converter.exports.made import blocks, made, there_and_back

FORMS = sorted(EXPORTERS)


@pytest.mark.parametrize("form", FORMS)
def test_titles_order_images_checks_and_help_come_back(form, tmp_path):
    workshop = made()
    exported, back = there_and_back(workshop, form, tmp_path)
    assert [step.title for step in back.steps] == ["Look, {{around}} & go", "Two", "Three"]
    assert back.title == workshop.manifest.title
    first = back.steps[0]
    assert first.check == workshop.text("steps/one/check.sh")
    assert first.setup.strip().endswith("touch x")
    assert "Try `ls`." in first.hints
    assert blocks(first.hints) == [("bash exec", "ls -l\n")]
    assert blocks(first.solve)[0][1].startswith("ls -la ")
    assert len(back.assets) + sum(len(step.files) for step in back.steps) >= 2
    assert all(step.content.count("](../../assets/") == expected for step, expected in zip(back.steps, (2, 1, 0), strict=True))
    assert [row.target for row in back.broken] == []
    assert {row.kind for row in exported.losses} >= {"setting", "help"}


@pytest.mark.parametrize("form", [Form.SHOWROOM, Form.MKDOCS])
def test_chapters_marks_and_every_character_of_code_come_back(form, tmp_path):
    workshop = made()
    _, back = there_and_back(workshop, form, tmp_path)
    assert [(row.title, len(row.steps)) for row in back.chapters] == [("First", 2)]
    for step, name in zip(back.steps, workshop.manifest.steps, strict=True):
        assert blocks(step.content) == blocks(workshop.text(f"steps/{name}/content.md"))


def test_educates_keeps_every_character_of_code_and_tells_which_marks_it_lacks(tmp_path):
    workshop = made()
    exported, back = there_and_back(workshop, Form.EDUCATES, tmp_path)
    for step, name in zip(back.steps, workshop.manifest.steps, strict=True):
        before = blocks(workshop.text(f"steps/{name}/content.md"))
        assert [text for _, text in blocks(step.content)] == [text for _, text in before]
        assert [info.split(" ")[1:] for info, _ in blocks(step.content) if "exec" in info] == [
            info.split(" ")[1:] for info, _ in before if "exec" in info
        ]
    told = [row.detail for row in exported.losses if row.kind == "code"]
    assert told == ["1 block to copy lose their language there.", "1 block of output are plain blocks there."]


@pytest.mark.parametrize("form", FORMS)
def test_words_links_and_variables_come_back(form, tmp_path):
    _, back = there_and_back(made(), form, tmp_path)
    text = " ".join(back.steps[0].content.split())
    ids = [step.id for step in back.steps]
    assert "Text with {braces}, {{user}}, `code {{user}} {x}`, *em* and **st**rong; a+b+c," in text.replace("_em_", "*em*")
    assert f"[two](../{ids[1]}/content.md#part-two)" in text
    assert "[out](https://e.example/a_b?c=d)" in text
    assert "> **Note** > > A note." in text
    assert "| 1 | `x` |" in text
    assert "](#look-again)" in text or f"](../{ids[0]}/content.md#look-again)" in text


@pytest.mark.parametrize("form", FORMS)
def test_exporting_twice_gives_the_same_bytes(form):
    assert EXPORTERS[form].write(made()).files == EXPORTERS[form].write(made()).files


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "code",
    ["  indented first\nsecond\n", "\n\nblank first\n", "tab\there\n\ttabbed\n", "trailing\n\n\n", "```\ninner\n```\n", "====\n----\n++++\n", "a: |\n  b\n", "{{user}} {user} {other}\n", "# not a heading\n"],
)  # fmt: skip
def test_code_of_every_shape_comes_back(form, code, tmp_path):
    content = f"# T\n\n````bash exec\n{code}````\n"
    _, back = there_and_back(made(**{"steps/two/content.md": content}), form, tmp_path)
    assert [text.rstrip("\n").strip("\n") for _, text in blocks(back.steps[1].content)] == [code.rstrip("\n").strip("\n")]


WORDS = """# T

Dots... and 1--2 -- dashes -> arrows => (C) (TM), 50%+ of `a ... b`.

Code: `<group>:<artifact>`, `*/60 * * * *`, `x+y`, `a]b`, `{name}`, `_x_`, `http://a.example`, `--all`, many `True`s.

| where | what |
|---|---|
| [two](../two/content.md) | `a_b` ... ![dot](../../assets/img/a.png) |
"""


@pytest.mark.parametrize("form", FORMS)
def test_signs_code_in_lines_and_links_in_tables_come_back(form, tmp_path):
    _, back = there_and_back(made(**{"steps/one/content.md": WORDS}), form, tmp_path)
    text = " ".join(back.steps[0].content.split())
    for kept in WORDS.split("\n")[2].split(" of `")[0], "`a ... b`", "many `True`s", "`<group>:<artifact>`", "`*/60 * * * *`":
        assert kept in text
    for code in ("x+y", "a]b", "{name}", "_x_", "http://a.example", "--all", "a_b"):
        assert f"`{code}`" in text
    ids = [step.id for step in back.steps]
    assert f"[two](../{ids[1]}/content.md)" in text
    assert "![dot](../../assets/" in text
    assert back.broken == []


@pytest.mark.parametrize("form", FORMS)
def test_titles_keep_their_signs(form, tmp_path):
    step = "title: On your own... (C) -- a->b\n"
    _, back = there_and_back(made(**{"steps/two/step.yaml": step, "steps/two/content.md": "Text.\n"}), form, tmp_path)
    assert back.steps[1].title == "On your own... (C) -- a->b"


@pytest.mark.parametrize("form", FORMS)
def test_links_to_what_is_known_at_run_time_are_not_broken(form, tmp_path):
    content = "# T\n\n[console]({{user}}) and [logs]({{user}}/logs) and [other]({{other}}).\n"
    _, back = there_and_back(made(**{"steps/two/content.md": content}), form, tmp_path)
    assert [row.target for row in back.broken if "part-two" not in row.target] == []
    assert "[console]({{user}})" in back.steps[1].content
    assert "[logs]({{user}}/logs)" in back.steps[1].content


def test_blanks_that_asciidoc_drops_are_told(tmp_path):
    content = "# T\n\n```bash exec\nls \ncd\n```\n\n```\nfine\n```\n"
    exported, _ = there_and_back(made(**{"steps/two/content.md": content}), Form.SHOWROOM, tmp_path)
    told = [(row.source, row.detail) for row in exported.losses if row.kind == "code"]
    assert ("steps/two/content.md", "1 block loses blanks at the ends of lines there.") in told


def test_no_level_of_headings_is_left_out_in_asciidoc():
    content = "# T\n\n#\n\n### A\n\n### B\n\n##### C\n\n## D\n\n### E\n"
    page = EXPORTERS[Form.SHOWROOM].write(made(**{"steps/two/content.md": content})).files["content/modules/ROOT/pages/two.adoc"]
    headings = [line for line in page.decode().split("\n") if line.startswith("=")]
    assert b"[#]" not in page
    assert headings == ["= T", "== A", "== B", "=== C", "== D", "=== E"]


QUIZ = "questions:\n- question: Which?\n  answers:\n  - {text: This, correct: true}\n  - {text: That}\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_quiz_comes_back_and_is_told(form, tmp_path):
    exported, back = there_and_back(made(**{"steps/two/quiz.yaml": QUIZ}), form, tmp_path)
    assert [step.files.get("quiz.yaml") for step in back.steps] == [None, QUIZ.encode(), None]
    [told] = [row for row in exported.losses if row.kind == "quiz"]
    assert told.source == "steps/two/quiz.yaml"
    assert told.detail.partition("`")[2].partition("`")[0] in exported.files
    assert not [row for row in back.losses if "quiz" in row.source]


@pytest.mark.parametrize("form", [Form.EDUCATES, Form.MKDOCS])
def test_files_that_no_page_links_to_come_back(form, tmp_path):
    _, back = there_and_back(made(), form, tmp_path)
    assert back.steps[2].files["files/app/x.txt"] == b"x\n"


def test_a_site_of_ours_is_a_workshop_whatever_its_pages_say(tmp_path):
    calm = {"steps/one/content.md": "# Look\n\nIt is so.\n", "steps/one/hints.md": "So.\n", "steps/one/solve.md": "So.\n"}
    _, back = there_and_back(made(**calm, **{"steps/three/content.md": "Words.\n"}), Form.MKDOCS, tmp_path)
    assert [step.title for step in back.steps] == ["Look, {{around}} & go", "Two", "Three"]


@pytest.mark.parametrize("form", FORMS)
def test_a_block_that_an_item_of_a_list_begins_with_comes_back(form, tmp_path):
    content = "## Two\n\n- ```bash exec\n  ls -l\n  ```\n\nThen.\n\n1. ```bash exec\n   cd\n   ```\n"
    _, back = there_and_back(made(**{"steps/two/content.md": content}), form, tmp_path)
    assert blocks(back.steps[1].content) == [("bash exec", "ls -l\n"), ("bash exec", "cd\n")]


@pytest.mark.parametrize("form", [Form.SHOWROOM, Form.EDUCATES])
def test_blank_lines_at_the_end_of_a_block_that_get_lost_are_told(form):
    workshop = made(**{"steps/two/content.md": "## Two\n\n```bash exec\nls\n\n```\n"})
    told = [row.detail for row in EXPORTERS[form].write(workshop).losses if row.source == "steps/two/content.md"]
    assert [row for row in told if row.startswith("1 block loses blank lines at its")]
