"""What a workshop says of itself and of its checks: written where the form has a place, told where it has none."""

import stat
import subprocess
import zipfile
from io import BytesIO

import pytest
import yaml

from agents.template_converter.exporting import Export
from agents.template_converter.exports import EXPORTERS
from shared_services.contracts.conversion import ExportReport, Form
from tests.unit.template_converter.exports.made import made, there_and_back
from workshop_cli.commands.export import write_files

FORMS = sorted(EXPORTERS)
CHECK = {Form.SHOWROOM: "runtime-automation/three/validation.sh", Form.EDUCATES: "workshop/examiner/tests/three", Form.MKDOCS: "scripts/three/check.sh"}  # fmt: skip
SCRIPT = "#!/bin/bash\ncat files/app/x.txt\n"


@pytest.mark.parametrize("form", FORMS)
def test_difficulty_duration_tags_and_authors_come_back(form, tmp_path):
    _, back = there_and_back(made(), form, tmp_path)
    assert (back.difficulty, back.duration, back.tags, back.authors) == ("beginner", 40, ["java"], ["Ann", "Bo"])


@pytest.mark.parametrize("form", [Form.SHOWROOM, Form.MKDOCS])
def test_the_limit_of_a_check_is_told(form):
    told = [row.detail for row in EXPORTERS[form].write(made()).losses if "timeout" in row.detail]
    assert told == ["The check's limit of 5 seconds (`check.timeout`) has no place there."]


def test_educates_has_a_place_for_the_limit_of_a_check():
    exported = EXPORTERS[Form.EDUCATES].write(made())
    page = exported.files["workshop/content/01-one/index.md"].decode()
    body = page.partition("```examiner:execute-test\n")[2].partition("```")[0]
    assert yaml.safe_load(body) == {"name": "one", "title": "Check this step", "timeout": 5}


def test_durations_of_steps_are_written_for_mkdocs_and_told_elsewhere(tmp_path):
    _, back = there_and_back(made(), Form.MKDOCS, tmp_path)
    assert [step.duration for step in back.steps] == [10, None, None]
    for form in (Form.SHOWROOM, Form.EDUCATES):
        assert [row.source for row in EXPORTERS[form].write(made()).losses if "duration" in row.detail] == ["steps/one/step.yaml"]


def test_an_author_that_antora_would_part_is_told():
    manifest = "apiVersion: workshop-assistant/v1\nslug: made\ntitle: M\nauthors: ['Ann; Bo']\nsteps: [one, two, three]\n"
    losses = EXPORTERS[Form.SHOWROOM].write(made(**{"workshop.yaml": manifest})).losses
    assert "An author's `;` parts two authors there." in [row.detail for row in losses]


@pytest.mark.parametrize("form", FORMS)
def test_a_check_finds_the_files_that_it_names_there_and_back(form, tmp_path):
    workshop = made(**{"steps/three/check.sh": SCRIPT, "steps/three/step.yaml": "title: Three\ncheck: {script: check.sh}\n"})
    exported, back = there_and_back(workshop, form, tmp_path / "tree")
    write_files(exported.files, tmp_path / "out")
    ran = subprocess.run([tmp_path / "out" / CHECK[form]], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "x\n", "")
    assert back.steps[2].check == SCRIPT
    assert back.steps[2].files == {"files/app/x.txt": b"x\n"}
    assert not [row for row in back.losses if "steps" in row.source.split("/")]


@pytest.mark.parametrize("form", FORMS)
def test_a_setup_finds_the_files_that_it_names_there_and_back(form, tmp_path):
    exported, back = there_and_back(made(**{"steps/three/setup.sh": SCRIPT}), form, tmp_path)
    assert [
        path for path in exported.files if path.endswith("three/files/app/x.txt") and not path.startswith(("docs", "content"))
    ]
    holder = back.steps[0] if form is Form.EDUCATES else back.steps[2]
    assert holder.files == {"files/app/x.txt": b"x\n"}
    assert "cd " not in holder.setup
    assert "cat files/app/x.txt" in holder.setup


@pytest.mark.parametrize("form", FORMS)
def test_a_check_in_another_language_is_told_where_to_start(form):
    script = "#!/usr/bin/env python3\nprint(open('files/app/x.txt').read())\n"
    workshop = made(**{"steps/three/check.sh": script, "steps/three/step.yaml": "title: Three\ncheck: {script: check.sh}\n"})
    exported = EXPORTERS[form].write(workshop)
    assert exported.files[CHECK[form]].decode() == script
    (told,) = [row.detail for row in exported.losses if "must be started" in row.detail]
    assert f"{told.split('`')[1]}/files/app/x.txt" in exported.files


@pytest.mark.parametrize("form", FORMS)
def test_programs_are_executable_on_disk_and_in_the_archive(form, tmp_path):
    workshop = made(**{"steps/three/check.sh": "true\n", "steps/three/step.yaml": "title: Three\ncheck: {script: check.sh}\n", "steps/three/files/run": "#!/bin/sh\n", "steps/three/files/lib.rs": "#![no_std]\n"})  # fmt: skip
    files = EXPORTERS[form].write(workshop).files
    write_files(files, tmp_path / "out")
    report = ExportReport(workshop="made", version="1", form=form, files=sorted(files), losses=[])
    with zipfile.ZipFile(BytesIO(Export(report, files).archive())) as archive:
        packed = {row.filename.removeprefix("made/") for row in archive.infolist() if row.external_attr >> 16 & 0o100}
    laid = {path for path in files if (tmp_path / "out" / path).stat().st_mode & stat.S_IXUSR}
    assert packed == laid
    assert CHECK[form] in laid
    assert {path.rpartition("/")[2] for path in laid} >= {"run"}
    assert not [path for path in laid if path.endswith((".md", ".adoc", ".yml", ".rs", ".png"))]
