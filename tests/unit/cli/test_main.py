"""The arguments of the command, and that reading them imports nothing heavy."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from workshop_cli.main import COMMANDS, parser

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "torch",
    "sentence_transformers",
    "pymilvus",
    "milvus_lite",
    "dbos",
    "numpy",
    "sqlalchemy",
    "alembic",
    "fastapi",
    "agents",
    "pandas",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_with_arguments(name: str) -> None:
    module = import_module(COMMANDS[name][0])
    assert callable(module.add_arguments)
    assert callable(module.run)


def test_arguments_reach_the_command() -> None:
    args = parser().parse_args(["ask", "garden", "what?", "--step", "sow", "--json", "--data", "x"])
    assert (args.command, args.name, args.question, args.step, args.json, args.data) == (
        "ask",
        "garden",
        "what?",
        "sow",
        True,
        Path("x"),
    )
    assert args.run is import_module("workshop_cli.commands.ask").run


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["list", "more"],
        ["list", "--data", ""],
        ["ask", "garden"],
        ["ask", "../x", "what?"],
        ["show", "A"],
        ["show", ""],
        ["show", "a\n"],
        ["remove", "a/b"],
        ["remove", "x" * 64],
        ["up", "--port", "http"],
    ],
)
def test_arguments_that_cannot_be_used_are_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(argv)
    assert ended.value.code == 2
    assert "usage: workshop" in capsys.readouterr().err


@pytest.mark.parametrize(
    "module", ["workshop_cli.main", *(module for module, _ in COMMANDS.values() if "up" not in module), "workshop_cli.outcome"]
)
def test_importing_a_command_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""
