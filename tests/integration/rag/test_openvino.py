"""The exported model beside the reference, on the model that ships and on small ones."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from agents.rag.exported_model import Manifest, read_manifest
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.model_files import ModelFiles
from agents.rag.reference_embedder import SentenceTransformerEmbedder

pytestmark = pytest.mark.timeout(600)

TEXTS = [
    "How do I get three replicas?",
    "kubectl scale deployment/shop --replicas=3",
    "",
    "Wie lange bleibt das Brot im Ofen? 🦉",
    "The registry refuses the image because its signature is missing. " * 60,
    *[f"Step {number}: wait until {number} pods are ready. " * (number % 5 + 1) for number in range(30)],
]

SECOND_START = """
import sys
from pathlib import Path

from agents.rag.exporting_embedder import ExportingEmbedder

embedder = ExportingEmbedder(sys.argv[1], exports=Path(sys.argv[2]), batch=8)
embedder.warm()
vectors = embedder.encode(["one", "two words"])
print(embedder.exported, embedder.ready, embedder.model_id, embedder.dimension, len(vectors))
print([name for name in ("torch", "transformers", "sentence_transformers", "openvino_telemetry") if sys.modules.get(name)])
embedder.close()
"""


def export(model: str, exports: Path) -> Manifest:
    subprocess.run([sys.executable, "-m", "agents.rag.model_export", model, str(exports)], check=True, capture_output=True)
    manifest = read_manifest(exports, ModelFiles(model))
    assert manifest is not None
    return manifest


def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    exports = tmp_path_factory.mktemp("packaged")
    return exports, export("", exports)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    from tests.integration.rag import small_models

    folder = tmp_path_factory.mktemp("small")
    model = str(small_models.bert(folder))
    export(model, folder / "exports")
    return model, folder / "exports"


@pytest.fixture
def small(made: tuple[str, Path], tmp_path: Path) -> tuple[str, Path]:
    model, exports = made
    shutil.copytree(exports, tmp_path / "exports")
    return model, tmp_path / "exports"


def test_the_packaged_model_keeps_the_reference_s_passages(packaged: tuple[Path, Manifest]) -> None:
    _, manifest = packaged
    assert manifest.refused == ""
    assert manifest.checks["fp32"].cosine >= 0.9999
    assert manifest.checks["fp32"].kept >= 0.99


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.99999), ("auto", 0.999)])
def test_vectors_agree_with_the_reference(
    packaged: tuple[Path, Manifest], model: SentenceTransformerEmbedder, precision, least: float
) -> None:
    expected = np.array(model.encode(TEXTS))
    with closing(ExportingEmbedder(exports=packaged[0], precision=precision, batch=8)) as embedder:
        found = np.array(embedder.encode(TEXTS))
        assert embedder.exported
        assert embedder.model_id == model.model_id
        assert embedder.dimension == model.dimension
        assert embedder.encode([]) == []
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert (expected * found).sum(axis=1).min() >= least


def test_the_second_start_imports_neither_torch_nor_transformers(packaged: tuple[Path, Manifest]) -> None:
    command = [sys.executable, "-c", SECOND_START, "", str(packaged[0])]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert said[-2:] == ["True True all-MiniLM-L6-v2@53aa51172d14 384 2", "[]"]


def test_the_first_start_answers_from_the_reference_and_changes_over_under_load(made: tuple[str, Path], tmp_path: Path) -> None:
    model, _ = made
    with (
        closing(SentenceTransformerEmbedder(model)) as reference,
        closing(ExportingEmbedder(model, exports=tmp_path / "exports", precision="fp32", patience=0)) as embedder,
    ):
        expected = np.array(reference.encode(TEXTS))
        worst: list[float] = []
        failures: list[BaseException] = []
        done = threading.Event()

        def ask() -> None:
            try:
                while not done.is_set():
                    worst.append(float((expected * np.array(embedder.encode(TEXTS))).sum(axis=1).min()))
            except BaseException as error:
                failures.append(error)

        embedder.warm()
        assert not embedder.exported
        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        try:
            until(lambda: embedder.exported)
            after = len(worst)
            until(lambda: len(worst) > after + 10)
        finally:
            done.set()
            for asker in askers:
                asker.join()
    assert failures == []
    assert min(worst) > 0.9999


def test_a_damaged_export_is_not_used_and_is_made_again(small: tuple[str, Path]) -> None:
    model, exports = small
    weights = next(exports.glob("*/model.bin"))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with capture_logs() as logs, closing(ExportingEmbedder(model, exports=exports, patience=0)) as embedder:
        embedder.warm()
        assert not embedder.exported
        until(lambda: embedder.exported)
    assert [entry["files"] for entry in logs if entry["event"] == "embedding_export_damaged"] == [["model.bin"]]
    assert weights.read_bytes() == whole


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"weights": '])
def test_an_export_without_a_readable_manifest_is_none(small: tuple[str, Path], content: bytes | None) -> None:
    model, exports = small
    manifest = next(exports.glob("*/manifest.json"))
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    assert read_manifest(exports, ModelFiles(model)) is None


def test_an_export_of_other_settings_is_out_of_date(small: tuple[str, Path], tmp_path: Path) -> None:
    model, exports = small
    changed = tmp_path / "small-bert"
    shutil.copytree(model, changed)
    assert read_manifest(exports, ModelFiles(str(changed))) is not None
    settings = changed / "sentence_bert_config.json"
    settings.write_text(settings.read_text() + "\n")
    assert read_manifest(exports, ModelFiles(str(changed))) is None


def test_an_export_that_is_killed_leaves_nothing_that_is_taken_for_one(made: tuple[str, Path], tmp_path: Path) -> None:
    model, _ = made
    exports = tmp_path / "exports"
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.rag.model_export", model, str(exports)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: any(exports.glob(".unfinished-*/model.bin")))
    finally:
        process.kill()
        process.wait()
    assert [path.name for path in exports.iterdir() if not path.name.startswith(".")] == []
    assert read_manifest(exports, ModelFiles(model)) is None
    export(model, exports)
    assert not list(exports.glob(".unfinished-*"))


def test_closing_ends_an_export_that_is_under_way(made: tuple[str, Path], tmp_path: Path) -> None:
    model, _ = made
    exports = tmp_path / "exports"
    embedder = ExportingEmbedder(model, exports=exports, patience=0)
    embedder.warm()
    until(lambda: (exports / ".lock").exists())
    embedder.close()
    assert not any(thread.name == "embedder-export" for thread in threading.enumerate())
    # The lock is free: whoever held it is gone.
    export(model, exports)


def test_a_model_of_an_unknown_kind_stays_with_the_reference_and_the_log_says_so(tmp_path: Path) -> None:
    from tests.integration.rag import small_models

    model = str(small_models.static(tmp_path))
    exports = tmp_path / "exports"
    manifest = export(model, exports)
    assert "is not a fast one" in manifest.refused
    with capture_logs() as logs, closing(ExportingEmbedder(model, exports=exports, patience=0)) as embedder:
        embedder.warm()
        assert not embedder.exported
        assert len(embedder.encode(["a text"])[0]) == embedder.dimension == 32
    assert [entry["reason"] for entry in logs if entry["event"] == "embedding_export_refused"] == [manifest.refused]
    assert not [entry for entry in logs if entry["event"] == "embedding_export_started"]


def test_without_openvino_the_reference_answers(small: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    model, exports = small
    monkeypatch.setattr("agents.rag.exporting_embedder.engine_version", lambda: "")
    with capture_logs() as logs, closing(ExportingEmbedder(model, exports=exports, patience=0)) as embedder:
        embedder.warm()
        assert not embedder.exported
    assert "embedding_export_impossible" in [entry["event"] for entry in logs]


def test_several_workers_at_once_give_the_same_vectors(made: tuple[str, Path]) -> None:
    model, exports = made
    with (
        closing(SentenceTransformerEmbedder(model)) as alone,
        closing(SentenceTransformerEmbedder(model, batch=4, workers=2)) as reference,
        closing(ExportingEmbedder(model, exports=exports, precision="fp32", batch=4, workers=2)) as exported,
    ):
        expected = np.array(alone.encode(TEXTS))
        worst: list[float] = []

        def ask(embedder: SentenceTransformerEmbedder | ExportingEmbedder) -> None:
            worst.append(float((expected * np.array(embedder.encode(TEXTS))).sum(axis=1).min()))

        askers = [threading.Thread(target=ask, args=[embedder]) for embedder in (reference, exported) for _ in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert exported.exported
    assert len(worst) == 8
    assert min(worst) > 0.9999
