import pytest

from workshop_chat.stages.reveal import commands_of, reveals

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
