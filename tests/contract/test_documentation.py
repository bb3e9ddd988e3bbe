"""Documents say what the code does: every setting is described, and every rule of who imports whom is in the lint's contracts."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.contract.manifests.settings import PACKAGES, settings_classes

ROOT = Path(__file__).parents[2]


def documented() -> set[str]:
    text = (ROOT / "docs" / "configuration.md").read_text()
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]*)`", text, flags=re.MULTILINE))


def known() -> dict[str, str]:
    return {name: text for one in settings_classes() for name, text in one.variables().items()}


def test_every_setting_is_documented_and_every_documented_one_exists():
    assert len(known()) > 20
    assert documented() == set(known())


def test_every_setting_says_what_it_is_for():
    assert [name for name, text in known().items() if len(text) < 15] == []


def test_every_setting_is_an_environment_variable():
    assert [name for name in known() if not re.fullmatch(r"[A-Z][A-Z0-9_]+", name)] == []


def source_files() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def test_the_environment_is_read_in_settings_modules_alone():
    reads = re.compile(r"os\.environ|os\.getenv|getenv\(|environb")
    assert [str(path) for path in source_files() if path.name != "settings.py" and reads.search(path.read_text())] == []


def test_files_stay_under_five_hundred_lines():
    long = {str(path): lines for path in source_files() if (lines := path.read_text().count("\n")) > 500}
    assert long == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_layers_name_every_package(package: str):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(contracts[0]["layers"])
    assert package in layers


def test_the_kubernetes_folder_hides_no_library():
    assert not (ROOT / "kubernetes" / "__init__.py").exists()
