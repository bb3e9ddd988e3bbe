import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop_chat.stages.reveal import begins, commands_of, reveals

STEP = """# Deploy

Apply it:

```bash exec
$ kubectl apply \\
    -f harbor.yaml   # now
make
```

You see:

```text output
deployment.apps/harbor created
```

Then open `http://localhost:8081`.
"""
COMMANDS = commands_of(STEP, "Run\n\n```\nkubectl rollout restart deployment/harbor\n```\n")


def test_commands_are_the_lines_of_fences_that_are_no_output():
    assert COMMANDS.strings == {"kubectlapplyfharboryaml", "kubectlrolloutrestartdeploymentharbor"}
    assert (COMMANDS.phrases, COMMANDS.alone) == (frozenset(), {"make"})


@pytest.mark.parametrize(
    "block",
    [
        "Run `kubectl rollout restart deployment/harbor`.",
        "Run kubectl   rollout\n  restart deployment/harbor now",
        "```\nkubectl rollout \\\n  restart deployment/harbor\n```",
        "Run **kubectl** _rollout_ restart 'deployment/harbor'",
        "KUBECTL ROLLOUT RESTART DEPLOYMENT/HARBOR",
        "kubectl roll\u200bout restart deployment/harbor",
        "Try `make`.",
        "```bash\n$ make\n```",
    ],
)
def test_a_command_is_found_however_it_is_dressed(block: str):
    assert reveals(COMMANDS, block)


@pytest.mark.parametrize(
    "block",
    [
        "Which command restarts a rollout?",
        "Make sure that the pods run.",
        "Think of `kubectl` and what it does with a file.",
        "You see `deployment.apps/harbor created`.",
        "",
    ],
)
def test_a_hint_is_none(block: str):
    assert not reveals(COMMANDS, block)


def test_a_command_cut_in_two_blocks_is_found():
    assert reveals(COMMANDS, "restart deployment/harbor", before="Type kubectl rollout")


def test_nothing_is_given_away_where_there_are_no_commands():
    assert not reveals(commands_of("# Just words"), "Run `anything at all`")


@pytest.mark.parametrize(
    "block",
    [
        "kubectl&nbsp;rollout restart deployment/harbor",
        "- kubectl\n- rollout\n- restart\n- deployment/harbor",
        "1. kubectl\n2. rollout\n3. restart\n4. deployment/harbor",
        "`kubectl`, the tool; `rollout`; `restart`; and of course `deployment/harbor`",
        "`rollout restart deployment/harbor`",
        "ｋｕｂｅｃｔｌ ｒｏｌｌｏｕｔ restart deployment/harbor",
        "kubectl [1] rollout [2] restart deployment/harbor",
        "<b>kubectl</b> rollout restart deployment/harbor",
        "k u b e c t l rollout restart deployment/harbor",
    ],
)
def test_dressings(block: str):
    assert reveals(COMMANDS, block)


def test_short_commands_are_found_as_words():
    commands = commands_of("```bash\ngit push\nls -la\n```\n")
    assert commands.phrases == {("git", "push"), ("ls", "la")}
    assert reveals(commands, "Type git push now")
    assert reveals(commands, "push", before="Type git")
    assert not reveals(commands, "What does git do before you push?")


def test_of_files_only_telling_lines_count():
    commands = commands_of("```yaml\nmetadata:\n  namespace: shop\n  verbs: [get, list, watch]\n```\n")
    assert commands.strings == {"verbsgetlistwatch"}
    heredoc = commands_of("```bash\ncat > a.yaml <<'EOF'\nspec:\n  replicas: 3\nEOF\nkubectl apply -f a.yaml\n```\n")
    assert heredoc.strings == {"catayamleof", "kubectlapplyfayaml"}


def test_a_command_whose_number_was_changed_is_the_command():
    commands = commands_of("```bash\nkubectl scale deployment/harbor --replicas=3\n```\n")
    assert reveals(commands, "kubectl scale deployment/harbor --replicas=5")


def test_what_was_said_before_is_not_held_against_a_block():
    assert not reveals(COMMANDS, "Why?", before="kubectl rollout restart deployment/harbor")


def test_parts_of_a_chain_are_commands_too():
    assert reveals(
        commands_of("```bash\nmkdir -p harbor/data && touch harbor/data/ships.txt\n```\n"), "`touch harbor/data/ships.txt`"
    )


def test_what_begins_a_command_is_told():
    assert begins(COMMANDS, [], ["kubectl"])
    assert begins(COMMANDS, ["type"], ["kubectl", "rollout"])
    assert not begins(COMMANDS, [], ["think", "of", "kubectl"])
    assert not begins(COMMANDS, [], ["restart", "it"])


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_breaks_it(block: str, before: str):
    assert reveals(COMMANDS, block, before) in (True, False)
