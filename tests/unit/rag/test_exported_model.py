import numpy as np
import pytest

from agents.rag.embedder import batches
from agents.rag.exported_model import Check, Manifest, Precision, choose_precision
from agents.rag.model_check import Measured, Sample, compare, measure, sample
from agents.rag.openvino_embedder import padded
from tests.unit.rag.fakes import FakeEmbedder

GOOD = Check(cosine=0.99999, kept=0.995)
BAD = Check(cosine=0.99999, kept=0.98)


def manifest(refused: str = "", *, gain: float = 1.6, **checks: Check) -> Manifest:
    named: dict[Precision, Check] = {"fp32": checks["fp32"]} if "fp32" in checks else {}
    if "bf16" in checks:
        named["bf16"] = checks["bf16"]
    return Manifest(weights="w", fingerprint="f", engine="1", refused=refused, checks=named, bf16_gain=gain)


def test_bf16_is_taken_where_the_processor_has_it_and_the_comparison_allows_it():
    both = manifest(fp32=GOOD, bf16=GOOD)
    assert choose_precision(both, wanted="auto", bf16=True) == "bf16"
    assert choose_precision(both, wanted="auto", bf16=False) == "fp32"
    assert choose_precision(both, wanted="fp32", bf16=True) == "fp32"
    assert choose_precision(manifest(fp32=GOOD, bf16=BAD), wanted="auto", bf16=True) == "fp32"
    assert choose_precision(manifest(fp32=GOOD), wanted="auto", bf16=True) == "fp32"
    assert choose_precision(manifest(gain=0.6, fp32=GOOD, bf16=GOOD), wanted="auto", bf16=True) == "fp32"


def test_what_was_refused_or_never_compared_is_not_run():
    assert choose_precision(manifest("no", fp32=GOOD, bf16=GOOD), wanted="auto", bf16=True) is None
    assert choose_precision(manifest(), wanted="auto", bf16=True) is None


@pytest.mark.parametrize(
    ("check", "fp32", "bf16"),
    [
        (Check(cosine=0.9999, kept=0.99), True, True),
        (Check(cosine=0.9998, kept=1), False, True),
        (Check(cosine=1, kept=0.989), False, False),
    ],
)
def test_a_check_passes_by_cosine_in_fp32_and_by_passages_kept_in_both(check: Check, fp32: bool, bf16: bool):
    assert (check.passes("fp32"), check.passes("bf16")) == (fp32, bf16)


def test_batches_hold_each_text_once_and_texts_of_like_length_together():
    lengths = [3, 250, 4, 9, 240]
    assert batches(lengths, 2) == [[1, 4], [3, 2], [0]]
    assert batches([], 2) == []


def test_padding_is_masked_and_reaches_the_longest_text():
    ids, mask = padded([[5, 6, 7], [8] * 9], pad_id=1)
    assert ids.shape == mask.shape == (2, 16)
    assert ids[0].tolist() == [5, 6, 7, *[1] * 13]
    assert mask.sum(axis=1).tolist() == [3, 9]


def test_an_engine_agrees_with_itself_and_not_with_one_that_is_off():
    texts = sample()
    short = Sample(texts.passages[:60], texts.questions[:20])
    own = measure(FakeEmbedder().encode, short)
    same = compare(own, own)
    assert (same.cosine, same.kept) == (pytest.approx(1, abs=1e-5), 1)
    noise = np.random.default_rng(1).standard_normal(own.passages.shape).astype(np.float32) * 0.05
    off = compare(own, Measured(own.passages + noise, own.questions))
    assert not off.passes("bf16")
    assert compare(own, Measured(own.passages * np.float32("nan"), own.questions)) == Check(cosine=0, kept=0)


def test_questions_that_alone_are_off_are_seen_too():
    texts = sample()
    own = measure(FakeEmbedder().encode, Sample(texts.passages[:60], texts.questions[:20]))
    assert compare(own, Measured(own.passages, own.questions[::-1].copy())).kept < 0.9


def test_the_sample_is_large_the_same_each_time_and_holds_what_prose_seldom_does():
    texts = sample()
    assert texts == sample()
    assert len(texts.passages) > 200
    assert len(texts.questions) == 64
    assert "" in texts.passages
    assert max(map(len, texts.passages)) > 3000
