"""Terminal sessions: which lines of a block are typed, and what is copied from it."""

import pytest

from shared_services.pages.markdown import render_step
from shared_services.pages.sessions import session_commands


@pytest.mark.parametrize(
    ("code", "commands"),
    [
        ("$ ls -l\ntotal 0\n", "ls -l"),
        ("$ cd /tmp\n$ ls\na b\n\n$ pwd\n/tmp\n", "cd /tmp\nls\npwd"),
        ("$ docker run \\\n    --rm \\\n    x\nhello\n", "docker run \\\n    --rm \\\n    x"),
        ("$ one \\\n> two\nout\n", "one \\\ntwo"),
        ("$ cat <<'EOF' > a\n$ not a prompt\n  b\nEOF\nprinted\n", "cat <<'EOF' > a\n$ not a prompt\n  b\nEOF"),
        ("[me@host ~]$ id\nuid=1\n", "id"),
        ("PS C:\\> Get-Item .\nx\n", "Get-Item ."),
        ("ls\n$ pwd\n", None),
        ("$HOME/run\n", None),
        ("# $ ls\n", None),
    ],
)
def test_what_is_typed(code, commands):
    assert session_commands(code, "bash") == commands


def test_other_languages_have_no_prompts():
    assert session_commands("$ x = 1\n", "php") is None


def block(markdown):
    return render_step(markdown, link=lambda address: None).html


def test_a_session_is_shown_whole_and_its_commands_are_copied():
    found = block('```bash\n$ echo "a" > b & c\na\n```\n')
    assert 'data-commands="echo &quot;a&quot; &gt; b &amp; c"' in found
    assert "Run in your terminal" not in found


@pytest.mark.parametrize("markdown", ["```bash\nls\n```\n", "```text output\n$ ls\n```\n", "```bash\n$ ls {{place}}\n```\n"])
def test_other_blocks_are_copied_as_they_stand(markdown):
    assert "data-commands" not in block(markdown)
