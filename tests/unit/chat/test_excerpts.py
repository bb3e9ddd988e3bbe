"""A step's own texts are cut where a reader would cut them, byte for byte."""

import pytest

from shared_services.contracts.chat import BlockRef
from shared_services.contracts.workshop import SourceMap
from tests.unit.chat.worlds import passage
from workshop_chat.stages.excerpts import (
    StepFile,
    around,
    cited,
    command_parts,
    headings_of,
    hints_of,
    lines_of,
    without_commands,
)
from workshop_chat.stages.reveal import commands_of
from workshop_chat.stages.texts import read_texts

CONTENT = """# Deploy

Harbors want ships.

## Apply it

Apply the manifest:

```bash exec
kubectl apply -f harbor.yaml
```

```text output
created
```

1. Then wait:

   ```bash
   kubectl rollout status deployment/harbor
   ```

2. Look at the page.

## Read

Nothing to do here. Use `kubectl get pods --watch` if you like.
"""


def file(text: str, name: str = "content.md", places: SourceMap | None = None) -> StepFile:
    return StepFile("harbor", "deploy", "Deploy", f"steps/deploy/{name}", text, places)


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("1. First?\n2. Second,\n   on two lines.\n3. Third.\n", ["First?", "Second,\non two lines.", "Third."]),
        ("Some words.\n\n- One\n- Two\n", ["One", "Two"]),
        ("## Hint 1\n\nLook up.\n\n## Hint 2\n\nLook down.\n\nAnd again.\n", ["Look up.", "Look down.\n\nAnd again."]),
        ("# Hints\n\n1. One\n2. Two\n", ["One", "Two"]),
        ("Just a word.\n\nAnd another.\n", ["Just a word.\n\nAnd another."]),
        ("1. Only one.\n", ["Only one."]),
        ("1. With code:\n\n   ```bash\n   ls\n   ```\n\n2. Next.\n", ["With code:\n\n```bash\nls\n```", "Next."]),
        ("", []),
        ("\n\n", []),
        ("## Only a title\n", []),
    ],
)
def test_hints_are_items_or_sections_or_the_whole(text: str, hints: list[str]):
    assert [hint.markdown for hint in hints_of(text)] == hints


def test_a_hint_knows_its_lines():
    hints = hints_of("1. First?\n2. Second,\n   on two lines.\n")
    assert [(hint.first_line, hint.last_line) for hint in hints] == [(1, 1), (2, 3)]
    assert (
        file("1. First?\n2. Second,\n   on two lines.\n", "hints.md").passage(hints[1], "hint").text
        == "2. Second,\n   on two lines.\n"
    )


def test_commands_come_in_order_with_what_introduces_them():
    first, second = command_parts(CONTENT)
    assert (first.lead, first.markdown) == ("Apply the manifest:", "```bash\nkubectl apply -f harbor.yaml\n```")
    assert (first.first_line, first.last_line, first.heading) == (7, 11, ("Deploy", "Apply it"))
    assert second.markdown.startswith("1. Then wait:")
    assert "created" not in first.markdown + second.markdown


def test_of_a_solution_all_prose_is_kept():
    parts = command_parts("One.\n\nTwo.\n\n```bash\nls -la\n```\n\nThree.\n", all_prose=True)
    assert [(part.lead, part.markdown) for part in parts] == [("One.\n\nTwo.", "```bash\nls -la\n```"), ("", "Three.")]
    assert [part.markdown for part in command_parts("Close the lid.\n", all_prose=True)] == ["Close the lid."]


@pytest.mark.parametrize(("line", "first", "last"), [(10, 7, 11), (9, 7, 11), (13, 13, 15), (20, 17, 23), (3, 3, 3)])
def test_what_lies_around_a_line(line: int, first: int, last: int):
    found = around(CONTENT, BlockRef(first_line=line, last_line=line))
    assert found is not None
    assert (found.first_line, found.last_line) == (first, last)


def test_nothing_lies_behind_the_end():
    assert around(CONTENT, BlockRef(first_line=500, last_line=600)) is None


def test_without_commands_prose_is_left_byte_for_byte():
    whole = passage(CONTENT, first_line=1, heading="Deploy")
    left = without_commands(whole, commands_of(CONTENT))
    lines = CONTENT.splitlines(keepends=True)
    for part in left:
        assert part.text == "".join(lines[part.first_line - 1 : part.last_line])
        assert "kubectl" not in part.text
    assert [(part.first_line, part.last_line, part.heading[-1]) for part in left] == [
        (3, 3, "Deploy"),
        (23, 23, "Apply it"),
    ]
    assert left[1].source.line == 23


def test_a_passage_of_code_alone_leaves_nothing():
    assert without_commands(passage("```bash\nls -la /tmp\n```\n"), commands_of("")) == []
    assert without_commands(passage("Run this:\n\n```bash\nls -la /tmp\n```\n"), commands_of("")) == []


def test_lines_end_where_commonmark_ends_them():
    text = "a\x0cb\u2028c\nd"
    assert lines_of(text) == ["a\x0cb\u2028c\n", "d"]
    assert "".join(lines_of(CONTENT)) == CONTENT


def test_a_passage_says_where_it_comes_from():
    places = SourceMap(file="docs/deploy.adoc", runs=[(1, "docs/deploy.adoc", 40)])
    part = command_parts(CONTENT)[0]
    assert file(CONTENT, places=places).passage(part, "command").source.line == 46
    assert file(CONTENT).passage(part, "command").source.file == "steps/deploy/content.md"


def test_a_citation_stands_behind_the_words():
    first, _ = command_parts(CONTENT)
    assert cited(first, 2) == "Apply the manifest: [2]\n\n```bash\nkubectl apply -f harbor.yaml\n```"
    assert cited(command_parts("```\nls\n```\n")[0], 1) == "```\nls\n```\n\n[1]"
    assert cited(hints_of("Look up.\n")[0], 1) == "Look up. [1]"


def test_headings_leave_out_the_title():
    assert headings_of(CONTENT) == ["Apply it", "Read"]
    assert headings_of("# Alone\n\nText.\n") == ["Alone"]
    assert headings_of("Text.\n") == []


def test_what_a_step_says():
    solve = "Restart it:\n\n```bash\nkubectl rollout restart deployment/harbor\n```\n"
    texts = read_texts(file(CONTENT), file("1. Why?\n2. How?\n", "hints.md"), file(solve, "solve.md"))
    assert (len(texts.hints), len(texts.solution), texts.task) == (2, 1, "Apply it")
    assert texts.secret.strings == {"kubectlrolloutrestartdeploymentharbor"}
    assert texts.secret.strings < texts.commands.strings
    assert texts.solution[0].passage.kind == "solve"
    own = read_texts(file(CONTENT), None, None)
    assert [part.passage.kind for part in own.solution] == ["command", "command"]
    assert not own.secret
    assert read_texts(None, None, None).hints == ()
