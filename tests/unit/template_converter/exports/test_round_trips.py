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
