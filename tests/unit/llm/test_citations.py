"""What a model cites exists, and what it quotes is in what it cites, or is marked."""

import pytest

from shared_services.llm.citations import check_block, looks_like_command
from tests.unit.llm.passages import passage

PASSAGES = [
    passage("Create it:\n\n```bash exec\nkubectl create   ns team-a\nkubectl get ns\n```\n"),
    passage("Use `helm install web ./chart` to install."),
]


@pytest.mark.parametrize(
    ("markdown", "expected", "cites", "removed"),
    [
        ("It runs. [1]", "It runs. [1]", (1,), ()),
        ("It runs [1, 2].", "It runs [1][2].", (1, 2), ()),
        ("It runs [1-2].", "It runs [1][2].", (1, 2), ()),
        ("It runs [^2].", "It runs [2].", (2,), ()),
        ("It runs 【2†source】.", "It runs [2].", (2,), ()),
        ("It runs [1][1].", "It runs [1].", (1,), ()),
        ("It runs [7].", "It runs.", (), (7,)),
        ("It runs [1, 7] now [9] here.", "It runs [1] now here.", (1,), (7, 9)),
        ("Take `a[7]` and `b [9]` [2].", "Take `a[7]` and `b [9]` [2].", (2,), ()),
        ("```sh\necho ${a[7]}  [9]\n```", "```sh\necho ${a[7]}  [9]\n```", (), ()),
        ("See [1](https://x.io) there.", "See [1](https://x.io) there.", (), ()),
        ("[8]", "", (), (8,)),
        ("1. One [2]\n   more  [3]", "1. One [2]\n   more", (2,), (3,)),
    ],
)
def test_citations(markdown: str, expected: str, cites: tuple[int, ...], removed: tuple[int, ...]) -> None:
    checked = check_block(markdown, PASSAGES)
    assert (checked.markdown, checked.cites, checked.removed) == (expected, cites, removed)


@pytest.mark.parametrize(
    ("markdown", "before", "own"),
    [
        ("```bash\nkubectl create ns team-a\nkubectl get ns\n```", (1,), False),
        ("```bash\n$ kubectl get ns\n```", (), False),
        ("```bash\nkubectl get ns\n```", (2,), True),
        ("```bash\nkubectl create ns team-b\n```", (1,), True),
        ("```bash\nkubectl create ns team\n```", (1,), True),
        ("```bash\nkubectl get ns\nrm -rf /\n```", (1,), True),
        ("Run `helm install web ./chart`. [2]", (), False),
        ("Run `helm install db ./chart`. [2]", (), True),
        ("Run `helm install web ./chart`. [1]", (), True),
        ("The field `replicas` and `my value` say it. [1]", (), False),
    ],
)
def test_commands(markdown: str, before: tuple[int, ...], own: bool) -> None:
    assert check_block(markdown, PASSAGES, before).own is own


def test_a_command_tells_where_it_stands() -> None:
    (command,) = check_block("```\nhelm install web ./chart\n```", PASSAGES).commands
    assert command.found_in == (2,)


@pytest.mark.parametrize(
    ("code", "yes"),
    [
        ("kubectl get pods", True),
        ("kubectl", False),
        ("spec.replicas", False),
        ("tool --all", True),
        ("my value", False),
        ("a | b", True),
        ("$ ls x", True),
    ],
)
def test_what_looks_like_a_command(code: str, yes: bool) -> None:
    assert looks_like_command(code) is yes


def test_a_text_with_the_signs_that_stand_for_code_breaks_nothing() -> None:
    hostile = "\ue0007\ue001 and `code` [1], \ue0000\ue001"
    assert check_block(hostile, [passage("code")]).markdown == "7 and `code` [1], 0"
