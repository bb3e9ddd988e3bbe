"""`workshop documents`, as a user gives it; with a server on the data folder, and without one."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import write_folder
from tests.integration.cli.program import CONTROL, Server, failed, run


@pytest.fixture(params=["with a server", "without"])
def anyhow(request: pytest.FixtureRequest) -> Path:
    """A data folder, once served and once not."""
    if request.param == "without":
        found: Path = request.getfixturevalue("data")
        return found
    server: Server = request.getfixturevalue("shared")
    return server.data


def test_add_list_remove(anyhow: Path, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "handbook",
        {
            "soil.md": b"# Soil\n\nMix two parts of compost with one part of sand.\n",
            "tools/can.adoc": b"= The can\n\nFill the can to the mark.\n",
            "logo.png": b"\x89PNG",
            ".git/config.md": b"# hidden\n",
        },
    )
    done = run("documents", "add", folder, "--tags", "Garden,tools", "--focus", "beds", "--data", anyhow)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 documents indexed (2 passages, 2 of them new), 0 unchanged, 0 refused.")
    assert "Passed over" in done.stderr
    assert "1 .png" in done.stderr
    assert not CONTROL.search(done.stdout)

    again = run("documents", "add", folder, "--tags", "garden,tools", "--focus", "beds", "--json", "--data", anyhow)
    report = json.loads(again.stdout)
    assert (report["unchanged"], report["embedded"]) == (["soil", "tools-can"], 0)

    listed = run("documents", "list", "--json", "--data", anyhow)
    assert [(row["id"], row["title"], row["tags"], row["content_focus"]) for row in json.loads(listed.stdout)] == [
        ("soil", "Soil", ["garden", "tools"], "beds"),
        ("tools-can", "The can", ["garden", "tools"], "beds"),
    ]
    assert len(run("documents", "list", "--tags", "garden", "--data", anyhow).stdout.splitlines()) == 3
    assert "no such document" in run("documents", "list", "--tags", "gard", "--data", anyhow).stdout

    assert run("documents", "remove", "soil", "--data", anyhow).returncode == 0
    failed(run("documents", "remove", "soil", "--data", anyhow), 2, "soil", "workshop documents list")
    assert run("documents", "remove", "tools-can", "--data", anyhow).returncode == 0


def test_bad_input_is_said_in_a_sentence(data: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "empty", {"logo.png": b"\x89PNG"})
    write_folder(tmp_path, {"a.md": b"# A\n\nText.\n", "b.docx": b"PK"})
    failed(run("documents", "add", tmp_path / "nothing", "--tags", "a", "--data", data), 2, "is not there")
    failed(run("documents", "add", tmp_path / "empty", "--tags", "a", "--data", data), 2, "no document in")
    failed(run("documents", "add", tmp_path / "a.md", "--tags", "c++", "--data", data), 2, "not an id")
    failed(run("documents", "remove", "../x", "--data", data), 2, "no document has the id")
    refused = run("documents", "add", tmp_path / "b.docx", "--tags", "a", "--data", data)
    assert refused.returncode == 2
    assert "b.docx: It is none of the formats" in refused.stderr
    assert run("documents", "--data", data).returncode == 2
