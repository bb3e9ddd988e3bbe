"""From a source to a workshop on disk, the whole way, with real git, files and archives."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from agents.template_converter.errors import ChoiceRequiredError, MissingPathError, NotAWorkshopError, UnreadableSourceError
from agents.template_converter.service import ConverterService, silent
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConvertRequest, Form
from shared_services.contracts.workshop import SourceMap
from shared_services.library.form import read_folder

STEP = "# {}\n\n1. Do it\n\n   ```bash\n   ls\n   ```\n\n![p](../img/p.png)\n"


@pytest.fixture
def service() -> ConverterService:
    return ConverterService(ConverterSettings())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "the-lab"
    for path, text in {
        "README.md": "# The Lab workshop\n\nHello.\n",
        "docs/01-start.md": STEP.format("Start") + "\n[next](02-go.md#go)\n",
        "docs/02-go.md": STEP.format("Go"),
        "img/p.png": "png",
        ".claude/skills/01-x.md": "# no\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def convert(service: ConverterService, source: object, out: Path, **options: object):
    return service.convert(ConvertRequest(source=str(source), **options), out, silent)


def test_a_folder_an_archive_and_a_repository_make_the_same_steps(service, source, tmp_path):
    archive = tmp_path / "the-lab.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(source.rglob("*.*")):
            if path.is_file():
                opened.write(path, f"the-lab-main/{path.relative_to(source)}")
    report = convert(service, source, tmp_path / "a")
    packed = convert(service, archive, tmp_path / "b")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"}
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@a", "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=source, env=environment, check=True, capture_output=True)
    cloned = convert(service, source.as_uri(), tmp_path / "c")
    assert (report.form, report.commit) == (Form.MARKDOWN, None)
    assert [step.id for step in report.workshop.steps] == ["start", "go"]
    assert (report.counts.code_blocks, report.counts.executable_blocks, report.counts.images, report.counts.links) == (2, 2, 2, 1)
    assert not report.broken
    assert cloned.commit is not None
    assert len(cloned.commit) == 40
    written = [read_folder(tmp_path / name) for name in "abc"]
    steps = [{path: data for path, data in one.files.items() if path != "workshop.yaml"} for one in written]
    assert steps[0] == steps[1] == steps[2]
    assert written[2].manifest.source.commit == cloned.commit
    assert packed.workshop.slug == report.workshop.slug == "the-lab-workshop"


def test_the_source_map_names_files_of_the_repository(service, source, tmp_path):
    convert(service, source, tmp_path / "out")
    raw = (tmp_path / "out" / "steps" / "go" / "source-map.json").read_bytes()
    place = SourceMap.model_validate_json(raw).locate(6)
    assert (place.file, place.line) == ("docs/02-go.md", 6)


def test_a_subfolder_is_read_as_if_it_were_all_and_keeps_its_paths(service, source, tmp_path):
    report = convert(service, source, tmp_path / "out", path="docs/")
    assert [step.source for step in report.workshop.steps] == ["docs/01-start.md", "docs/02-go.md"]
    assert read_folder(tmp_path / "out").files["assets/img/p.png"] == b"png"
    with pytest.raises(MissingPathError, match="docs"):
        convert(service, source, tmp_path / "no", path="docz")


def test_the_neutral_form_is_taken_as_it_is(service, source, tmp_path):
    convert(service, source, tmp_path / "out")
    (tmp_path / "out" / "steps" / "go" / "quiz.yaml").write_text("questions: []\n")
    report = convert(service, tmp_path / "out", tmp_path / "again")
    assert report.form is Form.WORKSHOP
    assert read_folder(tmp_path / "again").files == read_folder(tmp_path / "out").files
    (tmp_path / "out" / "steps" / "go" / "content.md").unlink()
    with pytest.raises(UnreadableSourceError, match=r"steps/go/content\.md is missing"):
        convert(service, tmp_path / "out", tmp_path / "third")


def test_refusals_write_nothing(service, source, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "package.json").write_text('{"scripts": {"start": "node ."}}')
    for number in range(5):
        (tmp_path / "app" / f"{number}.js").write_text("x")
    with pytest.raises(NotAWorkshopError, match="an application"):
        convert(service, tmp_path / "app", tmp_path / "out")
    two = tmp_path / "two"
    for name in ("one", "other"):
        (two / name).mkdir(parents=True)
        (two / name / "mkdocs.yml").write_text(f"site_name: {name} workshop\nnav: [{{Lab 1: a.md}}]\n")
        (two / name / "docs").mkdir()
        (two / name / "docs" / "a.md").write_text(STEP.format("A"))
    with pytest.raises(ChoiceRequiredError) as caught:
        convert(service, two, tmp_path / "out")
    assert {row.path for row in caught.value.candidates} == {"one", "other"}
    assert not (tmp_path / "out").exists()
    assert convert(service, two, tmp_path / "out", path="one").form is Form.MKDOCS


def test_progress_is_told_and_can_stop_the_conversion(service, source, tmp_path):
    stages: list[str] = []

    def watch(stage: str, done: int, total: int | None, message: str) -> None:
        stages.append(stage)
        if stage == "write":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.convert(ConvertRequest(source=str(source)), tmp_path / "out", watch)
    assert list(dict.fromkeys(stages)) == ["checkout", "recognise", "import", "write"]
    assert not (tmp_path / "out").exists()


def test_classify_names_every_reading(service, source):
    found = service.classify(ConvertRequest(source=str(source)))
    assert (found[0].form, found[0].score > 0.8) == (Form.MARKDOWN, True)
    assert found[-1].form in (Form.DOCUMENTATION, Form.EMPTY)


def test_a_recorded_reading_is_read_the_same_way_again(service, tmp_path):
    lab = tmp_path / "two"
    for name in ("one", "other"):
        (lab / name / "docs").mkdir(parents=True)
        (lab / name / "mkdocs.yml").write_text(f"site_name: {name} workshop\nnav: [{{Lab 1: a.md}}]\n")
        (lab / name / "docs" / "a.md").write_text(STEP.format("A"))
    first = service.read(ConvertRequest(source=str(lab), path="other"))
    recorded = first.workshop.manifest.source
    assert (recorded.form, recorded.path) == (Form.MKDOCS, "other")
    again = service.read_again(str(lab), recorded, None)
    assert again.workshop.files == first.workshop.files
    assert again.report.counts == first.report.counts
