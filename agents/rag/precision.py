"""Which precision an exported model may compute in on this processor: compared with the reference, and raced."""

import time
from contextlib import closing
from pathlib import Path
from statistics import median

from structlog import get_logger

from agents.rag.exported_model import REFERENCE, Check, Manifest, Precision
from agents.rag.model_check import Measured, Sample, compare, kept, measure
from agents.rag.openvino_embedder import OpenVinoEmbedder

log = get_logger()

_RACE_TEXTS = 16
_RACE_ROUNDS = 6
_HOPELESS = 0.8


def checked(folder: Path, manifest: Manifest, precision: Precision, texts: Sample, expected: Measured) -> Check:
    """How far an export agrees with the reference's vectors, in this precision on this processor.

    Raises:
        ModelUnavailableError: The export cannot be loaded.
    """
    with closing(OpenVinoEmbedder(folder, manifest, "", precision=precision)) as candidate:
        return compare(expected, measure(candidate.encode, texts))


def bf16_gain(folder: Path, manifest: Manifest, texts: Sample) -> float:
    """How many times as fast as fp32 bf16 is on this processor.

    Raises:
        ModelUnavailableError: The export cannot be loaded.
    """
    # A processor may know bf16 and still be faster in fp32. One after the other in each round: a busy machine slows both.
    few = texts.passages[:_RACE_TEXTS]
    gains = []
    with (
        closing(OpenVinoEmbedder(folder, manifest, "", precision="fp32")) as fp32,
        closing(OpenVinoEmbedder(folder, manifest, "", precision="bf16")) as bf16,
    ):
        for _ in range(_RACE_ROUNDS):
            taken = []
            for engine in (fp32, bf16):
                started = time.perf_counter()
                engine.encode(few)
                taken.append(time.perf_counter() - started)
            gains.append(taken[0] / taken[1])
            if len(gains) > 2 and max(gains[1:]) < _HOPELESS:
                break
    # The first round prepares the kernels.
    return median(gains[1:])


def with_bf16_of_this_processor(folder: Path, manifest: Manifest) -> Manifest:
    """A manifest from another machine, with what bf16 is worth on this one instead of on that one.

    It is compared with the vectors that the reference left in the export. A processor that gains nothing is not compared.

    Raises:
        ModelUnavailableError: The export cannot be loaded.
    """
    own: dict[Precision, Check] = {precision: check for precision, check in manifest.checks.items() if precision != "bf16"}
    try:
        texts, expected = kept(folder / REFERENCE)
    except (OSError, ValueError) as error:
        log.warning("embedding_reference_unreadable", folder=str(folder), error=str(error), next="fp32 is used")
        return manifest.model_copy(update={"checks": own, "bf16_gain": 0.0})
    gain = bf16_gain(folder, manifest, texts)
    if gain > 1:
        own["bf16"] = checked(folder, manifest, "bf16", texts, expected)
    log.info("embedding_bf16_measured", gain=round(gain, 2), kept=round(own["bf16"].kept, 4) if "bf16" in own else None)
    return manifest.model_copy(update={"checks": own, "bf16_gain": gain})
