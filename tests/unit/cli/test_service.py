"""`workshop-service`: which module each name runs, and what is said of a name that there is not."""

import importlib.util
import subprocess
import sys

import pytest

from workshop_cli import service


@pytest.mark.parametrize("name", sorted(service.SERVICES))
def test_each_service_is_a_module(name: str):
    assert importlib.util.find_spec(service.SERVICES[name]) is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [([], "usage:"), (["chatt"], "There is no service 'chatt'"), (["chat", "--port", "1"], "chat takes no arguments")],
)
def test_what_cannot_be_run_is_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    assert service.main(arguments) == service.USAGE_STATUS
    assert sentence in capsys.readouterr().err


def test_help_names_every_service_and_tool(capsys: pytest.CaptureFixture[str]):
    assert service.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in (*service.SERVICES, *service.TOOLS))


def test_only_what_the_name_needs_is_imported():
    program = (
        "import sys; from workshop_cli import service; service.import_module = lambda name: sys.exit(name);"
        "before = set(sys.modules)\n"
        "try: service.main(['chat'])\n"
        "except SystemExit as end: print(end.code, [m for m in sys.modules if m.startswith(('workshop_chat', 'agents', 'console'))])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "workshop_chat.__main__ []"
