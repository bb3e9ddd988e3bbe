"""Compares an embedding engine with the reference on a sample of technical prose. Knows no engine itself.

The sample is cut from the manual of the Python language that every interpreter carries: prose, grammar and code of the kind
that workshops are made of, already on the machine, and nothing that this agent was tuned on.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.rag.embedder import Vector
from agents.rag.exported_model import Check

Encode = Callable[[Sequence[str]], list[Vector]]

NEAREST = 10
PASSAGES = 200
QUESTIONS = 64
_PASSAGE_CHARACTERS = 400
_QUESTION_CHARACTERS = 160

# What prose seldom holds: nothing, one sign, other scripts, code, and more than the model reads.
_ODD = (
    "",
    "?",
    "  \n\t ",
    "--replicas=3",
    "CrashLoopBackOff",
    "Wie viele Replicas hat das Deployment?",
    "コンテナのログを表示する 🦉",
    'for pod in $(oc get pods -o name); do\n  oc logs "$pod" --previous | grep -i "exit code 137"\ndone',
    "The registry refuses the image because its signature is missing. " * 60,
)


@dataclass(frozen=True)
class Sample:
    """Texts to compare engines on."""

    passages: list[str]
    questions: list[str]


@dataclass(frozen=True)
class Measured:
    """One engine's vectors of a sample, each (texts, dimension)."""

    passages: NDArray[np.float32]
    questions: NDArray[np.float32]


def sample() -> Sample:
    """The texts, the same on each call."""
    from pydoc_data.topics import topics

    cut = [passage for name in sorted(topics) for passage in _passages(topics[name])]
    chosen = cut[:: max(1, len(cut) // PASSAGES)][:PASSAGES]
    first = (re.split(r"(?<=[.:])\s", passage, maxsplit=1)[0][:_QUESTION_CHARACTERS] for passage in chosen)
    questions = [sentence for sentence in first if len(sentence.split()) > 3]
    return Sample([*chosen, *_ODD], questions[:QUESTIONS])


def measure(encode: Encode, texts: Sample) -> Measured:
    """Vectors of a sample."""
    return Measured(np.array(encode(texts.passages)), np.array(encode(texts.questions)))


def keep(path: Path, texts: Sample, measured: Measured) -> None:
    """Write a sample and the reference's vectors of it, to be read where the reference is not."""
    np.savez_compressed(
        path,
        passage_texts=np.array(texts.passages),
        question_texts=np.array(texts.questions),
        passages=measured.passages,
        questions=measured.questions,
    )


def kept(path: Path) -> tuple[Sample, Measured]:
    """What `keep` wrote.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            texts = Sample(file["passage_texts"].tolist(), file["question_texts"].tolist())
            return texts, Measured(file["passages"], file["questions"])
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}") from error


def compare(reference: Measured, candidate: Measured) -> Check:
    """How far a candidate agrees with the reference. A vector that is no number agrees with nothing."""
    if reference.passages.shape != candidate.passages.shape or not np.isfinite(candidate.passages).all():
        return Check(cosine=0, kept=0)
    cosines = (reference.passages * candidate.passages).sum(axis=1)
    expected = _nearest(reference.questions, reference.passages)
    # An index that was made by the reference is searched with the candidate's questions.
    mixed = _kept(expected, _nearest(candidate.questions, reference.passages))
    alone = _kept(expected, _nearest(candidate.questions, candidate.passages))
    return Check(cosine=float(cosines.mean()), kept=min(mixed, alone))


def _passages(text: str) -> list[str]:
    passages: list[str] = []
    current = ""
    for paragraph in text.split("\n\n"):
        current = f"{current}\n\n{paragraph}".strip()
        if len(current) >= _PASSAGE_CHARACTERS:
            passages.append(current)
            current = ""
    return passages


def _nearest(questions: NDArray[np.float32], passages: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.argsort(-(questions @ passages.T), axis=1)[:, :NEAREST]


def _kept(expected: NDArray[np.intp], found: NDArray[np.intp]) -> float:
    shares = [len(set(a) & set(b)) / len(a) for a, b in zip(expected.tolist(), found.tolist(), strict=True)]
    return sum(shares) / len(shares)
