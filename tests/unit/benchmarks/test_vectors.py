from pathlib import Path

import numpy as np
import pytest

from benchmarks.vectors import RememberingEmbedder, VectorsError
from tests.unit.rag.fakes import FakeEmbedder


def test_vectors_are_kept_from_one_measurement_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    first = RememberingEmbedder(FakeEmbedder(), path)
    read = first.encode(["one", "two", "one", "\ud800"])
    first.close()
    model = FakeEmbedder()
    second = RememberingEmbedder(model, path)
    assert np.allclose(second.encode(["\ud800", "two", "one"]), [read[3], read[1], read[0]])
    assert model.encoded == 0
    assert [each.name for each in tmp_path.iterdir()] == ["vectors.npz"]


def test_another_models_vectors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    first = RememberingEmbedder(FakeEmbedder(), path)
    first.encode(["one"])
    first.close()
    with pytest.raises(VectorsError, match="holds vectors of fake@"):
        RememberingEmbedder(FakeEmbedder(model_id="other@1"), path)


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vectors.npz"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match="holds no vectors"):
        RememberingEmbedder(FakeEmbedder(), path)
