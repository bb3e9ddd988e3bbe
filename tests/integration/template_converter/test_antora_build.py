"""The exported site is built by Antora's own tool, from npm, out of a local Git repository; a warning fails the build."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agents.template_converter.exports import EXPORTERS
from shared_services.contracts.conversion import Form
from shared_services.library.form import WorkshopFiles, read_folder
from tests.unit.template_converter.exports.made import made

ANTORA = "antora@3.1.15"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm, which installs Antora"),
]


@pytest.fixture(scope="module")
def antora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("antora")
    (folder / "package.json").write_text('{"private": true}\n')
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", ANTORA],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=500,
    )
    return folder / "node_modules/.bin/antora"


def build(antora: Path, workshop: WorkshopFiles, folder: Path) -> Path:
    for path, data in EXPORTERS[Form.SHOWROOM].write(workshop).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "A workshop"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True, capture_output=True)
    levels = ["--log-level=warn", "--log-failure-level=warn", "--log-format=json"]
    cache = folder.parent / "cache"
    run = subprocess.run(
        [antora, *levels, "--cache-dir", cache, "site.yml"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
    return folder / "www"


@pytest.mark.parametrize("name", ["healthcare-ml", "k8s-security", "spring-boot"])
def test_examples_build_without_a_warning(antora: Path, name: str, tmp_path: Path):
    workshop = read_folder(EXAMPLES / name)
    site = build(antora, workshop, tmp_path / "site")
    pages = {path.stem for path in (site / name).glob("*.html")}
    assert pages - {"index"} == set(workshop.manifest.steps)


def test_everything_that_a_workshop_may_hold_builds(antora: Path, tmp_path: Path):
    site = build(antora, made(), tmp_path / "site")
    text = (site / "made/one.html").read_text()
    assert '<a href="two.html#part-two" class="xref page">two</a>' in text
    assert 'src="_images/img/a.png"' in text
    assert "<summary" in text
    assert '<code class="language-bash hljs" data-lang="bash">ls {user} ${HOME}' in text
    assert (site / "made/_attachments/data.csv").read_text() == "a,b\n"
    assert (site / "index.html").exists()
