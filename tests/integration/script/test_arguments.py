"""What the script is called with: every mistake is named before anything is asked of a cluster."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.script.conftest import ROOT, SCRIPT, Deploying

OPTIONS = (
    "--context --image --host --source --dry-run --diff --timeout --values --skip --status --delete --yes --help --core --gateway"
)


def test_help_names_every_option_and_default(deploying: Deploying):
    done = deploying("--help")
    assert done.returncode == 0
    assert [option for option in OPTIONS.split() if option not in done.stdout] == []
    assert "(50)" in done.stdout
    assert deploying.calls == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--delete", "--yes"], "--delete needs the name"),
        (["Healthcare"], "NAME 'Healthcare'"),
        (["-x"], "no option -x"),
        (["a" * 55], "at most 54"),
        (["a", "spring_boot"], "TYPE 'spring_boot'"),
        (["a", "spring-boot", "0"], "LIMIT '0'"),
        (["a", "spring-boot", "100001"], "LIMIT '100001'"),
        (["a", "spring-boot", "5", "maybe"], "SHARED 'maybe'"),
        (["a", "spring-boot", "5", "true", "more"], "'more'"),
        (["--timeout", "soon"], "--timeout 'soon'"),
        (["--skip", "tests"], "'tests' is neither"),
        (["--host"], "--host needs a value"),
        (["--host", "--dry-run"], "--host needs a value"),
        (["--host", "https://x.example"], "--host 'https://x.example'"),
        (["--gateway", "plain"], "NAMESPACE/NAME"),
        (["--status", "--delete"], "exclude each other"),
        (["--yes"], "--yes belongs to --delete"),
        (["a", "cobol"], "no context called cobol"),
        (["--values", "/nowhere"], "/nowhere, which cannot be read"),
        (["--core", "/nowhere"], "--core names /nowhere"),
    ],
)
def test_a_wrong_call_is_refused_with_its_reason(deploying: Deploying, arguments: list[str], said: str):
    done = deploying(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert deploying.calls == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CONTENT_FOKUS=rust", "line 2: 'CONTENT_FOKUS'"),
        ("content_focus: rust", "line 2: 'content_focus: rust'"),
        ("LLM_API_KEY=abc", "line 2: 'LLM_API_KEY'"),
        ("WORKSHOP_NAME=other", "line 2: 'WORKSHOP_NAME'"),
    ],
)
def test_values_hold_known_settings_alone(deploying: Deploying, tmp_path: Path, line: str, said: str):
    values = tmp_path / "values.env"
    values.write_text(f"SAFETY_LEVEL=educational_standard\n{line}\n")
    done = deploying("a", "cobol", "--values", str(values), "--skip", "content,smoke")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_type_of_ones_own_needs_content_too(deploying: Deploying, tmp_path: Path):
    values = tmp_path / "values.env"
    values.write_text("# our own\n\nCONTENT_FOCUS=cobol\n")
    done = deploying("a", "cobol", "--values", str(values))
    assert done.returncode == 2
    assert "no example called cobol" in done.stderr


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
def test_shellcheck_finds_nothing():
    parts = sorted((ROOT / "scripts/lib").glob("*.sh"))
    done = subprocess.run(["shellcheck", SCRIPT, *parts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
