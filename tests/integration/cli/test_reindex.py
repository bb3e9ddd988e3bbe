"""A change of the embedding model, as whoever runs the laptop's process meets it."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.program import CONTROL, failed, run, serving
from tests.integration.rag.small_models import bert

TOLD = "searched by keywords only until `workshop reindex` is run"
NOTE = "searched by keywords only until it is indexed again"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment that names another model, of another dimension."""
    return {"RAG_MODEL": str(bert(tmp_path_factory.mktemp("model")))}


def ask(data: Path, env: dict[str, str]) -> dict[str, str]:
    done = run("ask", "garden", "How deep do I sow the tomato seeds?", "--json", "--data", data, env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_with_a_server_nothing_stands_still(data: Path, model: dict[str, str]) -> None:
    with serving(data, env=model) as server:
        assert server.said(f"The embedding model has changed: 2 workshops are {TOLD}.")
        assert [line.split("  ")[0] for line in server.out] == ["Workshop Assistant", "Sign in as author"]
        before = ask(data, {})
        assert "one centimetre deep" in before["answer"]
        assert NOTE in before["note"]

        one = run("reindex", "garden", "--data", data)
        assert one.returncode == 0, one.stderr
        assert one.stdout.startswith("Indexed garden anew: version ")
        assert one.stdout.count("\n") == 1
        assert "Indexing garden (1 of 1)" in one.stderr
        assert not CONTROL.search(one.stdout + one.stderr)
        assert ask(data, {})["note"] == ""

        rest = run("reindex", "--data", data)
        assert rest.stdout.startswith("Indexed bread anew: version ")
        assert run("reindex", "--data", data).stdout == "Nothing to do: 2 workshops are up to date.\n"
        assert failed(run("reindex", "garden", "nothing", "--data", data), 2, "'nothing'", "Publish")
    with serving(data, env=model) as server:
        assert not server.said("keywords only")


def test_without_a_server_the_command_does_it_itself(data: Path, model: dict[str, str]) -> None:
    assert NOTE in ask(data, model)["note"]
    done = run("reindex", "--data", data, env=model)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["Indexed bread anew", "Indexed garden anew"]
    assert ask(data, model)["note"] == ""


def test_there_may_be_nothing_at_all(tmp_path: Path) -> None:
    assert run("reindex", "--data", tmp_path / "data").stdout == "Nothing to do: 0 workshops are up to date.\n"


def test_a_model_that_is_not_there_is_one_sentence(data: Path) -> None:
    assert failed(run("reindex", "--data", data, env={"RAG_MODEL": "/nowhere/at/all"}), 1, "/nowhere/at/all", "RAG_MODEL")
