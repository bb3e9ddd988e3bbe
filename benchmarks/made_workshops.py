"""Workshops and questions for measurements of speed: made from a seed, the same on every machine that has the model.

The words are the default model's own vocabulary, which is ordered by frequency, drawn as seldom as words are: most are
common and many are rare, so that keyword search has the posting lists of a real text. They say nothing; what is measured
on them is time and memory, never quality.
"""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.rag.model_files import ModelFiles
from shared_services.contracts.workshop import StepManifest, WorkshopManifest
from shared_services.library.form import WorkshopFiles

FEWEST_WORDS, MOST_WORDS = 48, 128
"""Of a section, any number of them alike; with titles and full stops 114 word pieces on average."""
SECTIONS_A_STEP = 25
WORDS_A_QUESTION = 7
LEAST_LETTERS = 3
EXPONENT = 0.9
OWN_WORDS = 400
"""Words that a workshop uses much more often than the others do: its subject."""


@dataclass(frozen=True)
class Maker:
    """Makes workshops; `seed` makes them other ones."""

    seed: int = 1

    @cached_property
    def words(self) -> list[str]:
        """Whole words of the vocabulary, the frequent ones first."""
        held = json.loads((ModelFiles().folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        ordered = sorted(held, key=lambda word: int(held[word]))
        return [word for word in ordered if len(word) >= LEAST_LETTERS and word.isascii() and word.isalpha()]

    @cached_property
    def _chances(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        weights = 1.0 / np.arange(10, len(self.words) + 10) ** EXPONENT
        return np.cumsum(weights / weights.sum())

    def workshop(self, number: int, chunks: int, *, edition: int = 0) -> WorkshopFiles:
        """A workshop of about `chunks` chunks; of another edition, one section in ten reads differently."""
        slug = slug_of(number)
        random = np.random.default_rng([self.seed, number])
        own = random.choice(len(self.words), OWN_WORDS, replace=False)
        steps: dict[str, StepManifest] = {}
        files: dict[str, bytes] = {}
        for first in range(0, chunks, SECTIONS_A_STEP):
            step = f"step-{first // SECTIONS_A_STEP + 1}"
            steps[step] = StepManifest(title=self._title(random, own))
            parts = []
            for section in range(first, min(first + SECTIONS_A_STEP, chunks)):
                parts.append(f"## {self._title(random, own)}\n\n{self._text(random, own)}")
                if edition and section % 10 == edition % 10:
                    parts[-1] += f" {self.words[edition % len(self.words)].capitalize()} edition {edition}."
            files[f"steps/{step}/content.md"] = ("\n\n".join(parts) + "\n").encode()
        manifest = WorkshopManifest(slug=slug, title=self._title(random, own), steps=list(steps))
        return WorkshopFiles(manifest, steps, files)

    def questions(self, number: int, count: int, *, series: int = 0) -> list[str]:
        """Different questions about a workshop, each with words of its subject."""
        own = np.random.default_rng([self.seed, number]).choice(len(self.words), OWN_WORDS, replace=False)
        random = np.random.default_rng([self.seed, number, 1_000 + series])
        return [f"How do I {' '.join(self._drawn(random, own, WORDS_A_QUESTION))}?" for _ in range(count)]

    def _title(self, random: np.random.Generator, own: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
        return " ".join(self._drawn(random, own, 3)).capitalize()

    def _text(self, random: np.random.Generator, own: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
        words = self._drawn(random, own, int(random.integers(FEWEST_WORDS, MOST_WORDS + 1)))
        lines = [" ".join(words[first : first + 12]).capitalize() for first in range(0, len(words), 12)]
        return ".\n".join(lines) + "."

    def _drawn(self, random: np.random.Generator, own: np.ndarray[tuple[int], np.dtype[np.int64]], count: int) -> list[str]:
        general = np.searchsorted(self._chances, random.random(count))
        subject = own[random.integers(0, len(own), count)]
        return [self.words[place] for place in np.where(random.random(count) < 0.25, subject, general)]


def slug_of(number: int) -> str:
    """The id of a made workshop."""
    return f"made-{number}"
