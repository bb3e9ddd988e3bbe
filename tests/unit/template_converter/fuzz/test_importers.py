"""Each importer and the recogniser over wrecked trees: a workshop or a sentence that says why not, whatever the repository holds."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.template_converter.errors import SourceError
from agents.template_converter.forms import IMPORTERS
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConversionReport, ConvertRequest, Form
from shared_services.library.form import read_folder
from tests.unit.template_converter.fuzz.seeds import SEEDS, Seed
from tests.unit.template_converter.fuzz.wrecks import Files, wreck

SERVICE = ConverterService(ConverterSettings())
FORMS = [importer.form for importer in IMPORTERS]
WHOLE = [(form, number) for form in FORMS for number in range(len(SEEDS[form]))]
NUMBERS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="wrecks-"))
    yield folder
    shutil.rmtree(folder)


def attempt(files: Files, form: Form, seed: Seed, base: Path) -> ConversionReport | None:
    """The report of converting `files` as `form`, whose result is a valid workshop; None where it was refused with a sentence."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        source, out = Path(folder, "source"), Path(folder, "out")
        source.mkdir()
        for path, data in files.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(data)
        assert SERVICE.classify(ConvertRequest(source=str(source)))
        refusal = None
        try:
            report = SERVICE.convert(ConvertRequest(source=str(source), as_form=form, path=seed.path), out)
        except SourceError as error:
            refusal = error.detail
        if refusal is not None:
            assert refusal
            assert "does not make a valid workshop" not in refusal
            assert not out.exists()
            return None
        assert read_folder(out).manifest.steps == [step.id for step in report.workshop.steps]
        assert ConversionReport.model_validate_json(report.model_dump_json()) == report
        return report


@pytest.mark.parametrize(("form", "number"), WHOLE)
def test_what_is_wrecked_was_healthy(form: Form, number: int, base: Path) -> None:
    seed = SEEDS[form][number]
    report = attempt(wreck(seed, 0, 0), form, seed, base)
    assert report is not None
    assert report.counts.steps >= 1


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=NUMBERS, wounds=st.integers(1, 8), which=st.integers(0, 7))
def test_no_wreck_is_a_crash(form: Form, number: int, wounds: int, which: int, base: Path) -> None:
    seed = SEEDS[form][which % len(SEEDS[form])]
    report = attempt(wreck(seed, number, wounds), form, seed, base)
    assert report is None or report.form is form
