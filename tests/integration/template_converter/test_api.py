"""The converter's operations over HTTP, as the typed client sees them: jobs, report, preview, inspection, export."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest

from shared_services.contracts.conversion import (
    ConversionResult,
    ConversionsResult,
    ConvertRequest,
    ExportReport,
    ExportRequest,
    Form,
    InspectionResult,
    InspectRequest,
    SourceRequest,
)
from shared_services.contracts.identity import Role
from shared_services.contracts.jobs import JobState
from shared_services.kit.errors import ProblemError
from tests.integration.template_converter.house import APPLICATION, AUTHOR, House
from tests.tutorials import make_repository
from tests.tutorials import pages as lab


async def converted(house: House, source: str) -> tuple[str, ConversionResult]:
    """The job and result of a conversion."""
    started = await house.converter().convert(ConvertRequest(source=source))
    job = await house.jobs().wait(started.id)
    assert job.state == JobState.SUCCEEDED, job.error
    return job.id, ConversionResult.model_validate(job.result)


async def test_a_conversion_gives_its_report_and_a_preview_beside_its_source(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "sail", lab(["rig", "sail"]))
    job, made = await converted(laptop, source)
    report = await laptop.converter().report(job)
    assert report == made.report
    assert report.counts.code_blocks == 2
    assert [row.line for row in report.broken] == [9, 9]

    step = report.workshop.steps[1]
    preview = await laptop.converter().preview(job, step.id)
    assert preview.source == "02-sail.md"
    assert preview.pages == {"02-sail.md": (tmp_path / "sail/02-sail.md").read_text()}
    assert "boat sail --now" in preview.content
    assert preview.runs[0][1] == "02-sail.md"
    with pytest.raises(ProblemError, match="no step 'gone'") as refused:
        await laptop.converter().preview(job, "gone")
    assert refused.value.status == 404


async def test_what_failed_is_told_in_place_of_a_report_and_tried_again(laptop: House, tmp_path: Path):
    folder = tmp_path / "late"
    started = await laptop.converter().convert(ConvertRequest(source=f"file://{folder}"))
    failed = await laptop.jobs().wait(started.id)
    assert failed.state == JobState.FAILED
    with pytest.raises(ProblemError) as told:
        await laptop.converter().report(started.id)
    assert told.value.slug == "source-bad-address"
    make_repository(folder, lab(["rig", "moor"]))
    await laptop.jobs().retry(started.id)
    assert (await laptop.jobs().wait(started.id)).state == JobState.SUCCEEDED
    assert (await laptop.converter().report(started.id)).counts.steps == 2


async def test_a_report_is_its_owners(laptop: House, tmp_path: Path):
    job, made = await converted(laptop, make_repository(tmp_path / "own", lab(["own", "it"])))
    for client, status in ((laptop.converter("bob", AUTHOR), 404), (laptop.converter("pat", frozenset({Role.PARTICIPANT})), 403)):
        with pytest.raises(ProblemError) as refused:
            await client.report(job)
        assert refused.value.status == status
        with pytest.raises(ProblemError) as refused:
            await client.preview(job, made.report.workshop.steps[0].id)
        assert refused.value.status == status


async def test_every_workshop_of_a_repository_becomes_a_draft(laptop: House, tmp_path: Path):
    files = {**lab(["rig", "sail"], "alpha/"), **lab(["bake", "eat"], "beta/")}
    source = make_repository(tmp_path / "two", files)
    asked = await laptop.jobs().wait((await laptop.converter().convert(ConvertRequest(source=source))).id)
    assert asked.error is not None
    assert asked.error["type"].endswith(":choice-required")

    source = make_repository(tmp_path / "several", {**files, "broken/track.yml": "title: [\nchallenges:\n"})
    job = await laptop.jobs().wait((await laptop.converter().convert(ConvertRequest(source=source, every=True))).id)
    assert (job.kind, job.state) == ("convert-all", JobState.SUCCEEDED), job.error
    made = ConversionsResult.model_validate(job.result)
    assert [(row.path, row.report.counts.steps) for row in made.workshops] == [("alpha", 2), ("beta", 2)]
    assert len({row.workshop for row in made.workshops}) == 2
    assert [(row.path, row.problem.status) for row in made.unread] == [("broken", 422)]
    for row in made.workshops:
        draft = await laptop.library().version(row.workshop, row.version)
        assert draft.manifest.source is not None
        assert draft.manifest.source.path == row.path
    with pytest.raises(ProblemError, match="no report of one workshop"):
        await laptop.converter().report(job.id)


async def test_an_application_is_inspected_and_a_skeleton_is_a_draft(laptop: House, tmp_path: Path):
    source = make_repository(tmp_path / "shop", APPLICATION)
    inventory = await laptop.converter().inspect(SourceRequest(source=source))
    assert [(row.method, row.path, row.place.path, row.place.line) for row in inventory.endpoints] == [
        ("GET", "/orders", "shop/main.py", 6)
    ]
    for skeleton in (False, True):
        started = await laptop.converter().start_inspection(InspectRequest(source=source, skeleton=skeleton))
        job = await laptop.jobs().wait(started.id)
        assert (job.kind, job.state) == ("inspect", JobState.SUCCEEDED), job.error
        found = InspectionResult.model_validate(job.result)
        assert found.inventory == inventory
        assert (found.skeleton is not None) is skeleton
    assert found.skeleton is not None
    draft = await laptop.library().version(found.skeleton.workshop, found.skeleton.version)
    assert draft.published_at is None
    assert "change-an-endpoint" in draft.manifest.steps
    # What there is no ground for is told.
    assert any("Deploy it" in row.detail for row in found.skeleton.report.losses)


@pytest.mark.parametrize("form", [Form.SHOWROOM, Form.EDUCATES, Form.MKDOCS])
async def test_a_version_is_exported_as_an_archive_with_its_report(laptop: House, tmp_path: Path, form: Form):
    _, made = await converted(laptop, make_repository(tmp_path / "row", lab(["row", "rest"])))
    converter = laptop.converter("bob", AUTHOR)
    report = await converter.export(made.workshop, form, made.version)
    assert (report.workshop, report.version, report.form) == (made.workshop, made.version, form)
    archive = await converter.export_archive(made.workshop, form, made.version)
    assert archive == await converter.export_archive(made.workshop, form, made.version)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = opened.namelist()
        assert json.loads(opened.read("export-report.json")) == report.model_dump(mode="json")
    assert sorted(names) == sorted(["export-report.json", *(f"{made.workshop}/{path}" for path in report.files)])


async def test_a_long_export_is_a_job_whose_archive_the_library_keeps(laptop: House, tmp_path: Path):
    _, made = await converted(laptop, make_repository(tmp_path / "long", lab(["long", "haul"])))
    wanted = ExportRequest(workshop=made.workshop, version=made.version, form=Form.EDUCATES)
    job = await laptop.jobs().wait((await laptop.converter().start_export(wanted)).id)
    assert (job.kind, job.state, job.subject) == ("export", JobState.SUCCEEDED, f"{made.workshop} as educates"), job.error
    direct = laptop.converter()
    assert ExportReport.model_validate(job.result) == await direct.export(made.workshop, Form.EDUCATES, made.version)
    kept = await laptop.library().export(made.workshop, made.version, Form.EDUCATES)
    assert kept == await direct.export_archive(made.workshop, Form.EDUCATES, made.version)
    with pytest.raises(ProblemError) as refused:
        await laptop.library("pat", frozenset({Role.PARTICIPANT})).export(made.workshop, made.version, Form.EDUCATES)
    assert refused.value.status == 403
    for form, status in ((Form.JUPYTER, 422), (Form.MKDOCS, 404)):
        with pytest.raises(ProblemError) as refused:
            await direct.start_export(ExportRequest(workshop=made.workshop, version="0" * 16, form=form))
        assert refused.value.status == status


async def test_an_export_that_there_is_not(laptop: House, tmp_path: Path):
    _, made = await converted(laptop, make_repository(tmp_path / "dive", lab(["dive", "rise"])))
    cases = [
        ((made.workshop, Form.JUPYTER, made.version), 422, "Known ones: showroom, educates, mkdocs"),
        ((made.workshop, Form.MKDOCS, "0" * 16), 404, "has no version"),
        # A draft is no current version.
        ((made.workshop, Form.MKDOCS, None), 404, "No workshop is published"),
    ]
    for asked, status, said in cases:
        with pytest.raises(ProblemError, match=said) as refused:
            await laptop.converter().export(*asked)
        assert refused.value.status == status
    with pytest.raises(ProblemError) as refused:
        await laptop.converter("pat", frozenset({Role.PARTICIPANT})).export(made.workshop, Form.MKDOCS, made.version)
    assert refused.value.status == 403


@pytest.mark.parametrize("path", ["classify", "conversions", "inspect", "inspections"])
async def test_authors_give_addresses_of_other_machines_alone(laptop: House, tmp_path: Path, path: str):
    async with httpx.AsyncClient() as http:
        for source in (str(tmp_path), str(tmp_path / "none")):
            answer = await http.post(
                f"{laptop.converter_url}/api/v1/{path}",
                json={"source": source},
                headers={"authorization": f"Bearer {laptop.token('bob', AUTHOR)}"},
            )
            assert answer.status_code == 422
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert "own machine are not taken here" in answer.json()["detail"]
        nobody = await http.post(f"{laptop.converter_url}/api/v1/{path}", json={"source": str(tmp_path)})
        assert nobody.status_code == 401


async def test_the_openapi_document_names_every_operation_and_its_answer(laptop: House):
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{laptop.converter_url}/api/v1/openapi.json")).json()
    answers = {
        (method, path): next(iter(operation["responses"]))
        for path, operations in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, operation in operations.items()
    }
    assert answers == {
        ("post", "/api/v1/classify"): "200",
        ("post", "/api/v1/inspect"): "200",
        ("post", "/api/v1/conversions"): "202",
        ("get", "/api/v1/conversions/{job_id}/report"): "200",
        ("get", "/api/v1/conversions/{job_id}/preview/{step}"): "200",
        ("post", "/api/v1/inspections"): "202",
        ("post", "/api/v1/reimports"): "202",
        ("post", "/api/v1/exports"): "202",
        ("get", "/api/v1/exports/{workshop}/{form}"): "200",
        ("get", "/api/v1/exports/{workshop}/{form}/archive"): "200",
    }
    described = [
        operation.get("description")
        for path, operations in document["paths"].items()
        if path.startswith("/api/v1/")
        for operation in operations.values()
    ]
    assert all(described)
