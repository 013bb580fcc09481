"""Coded texts as batches, each read segment by segment with the state carried on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.generation.network import begin
from sklrnn.training.batches import Batches, Segments, as_tensor

Array = NDArray[Any]


@dataclass(frozen=True)
class Texts:
    """Texts as codes, each from its start mark on, and what each is about, (text, feature)."""

    codes: list[Array]
    context: Array | None = None

    def __getitem__(self, chosen: slice) -> "Texts":
        return Texts(self.codes[chosen], None if self.context is None else self.context[chosen])


def as_strands(text: Texts, *, most: int, segment_length: int) -> Texts:
    """Cut one long text into strands of equal length, each of a segment at least, that are read side by side."""
    (codes,) = text.codes
    start, tokens = codes[:1], codes[1:]
    n_strands = max(1, min(most, len(tokens) // segment_length))
    strands = [np.concatenate([start, strand]) for strand in np.array_split(tokens, n_strands)]
    return Texts(strands, None if text.context is None else np.repeat(text.context, n_strands, axis=0))


class TextBatches(Batches):
    """Texts of about the same length read side by side: each step asks for the token after it.

    Texts longer than ``segment_length`` are read in several batches, in which the state is carried on. A batch is laid
    out as one row for each step of each text, all texts' first step first; steps after the end of a text weigh nothing.
    """

    def __init__(
        self, texts: Texts, *, batch_size: int, segment_length: int, device: torch.device, seed: int | None = None
    ) -> None:
        self.texts = texts
        self.batch_size = batch_size
        self.segment_length = segment_length
        self.device = device
        self.seed = seed
        self.epoch = 0
        self.n_steps = np.array([len(codes) - 1 for codes in texts.codes])
        n_segments = -(-self.n_steps // segment_length)
        # Short texts meet others of their length, long ones others of as many segments: an epoch always has as many
        # batches.
        self._length_class = np.where(n_segments > 1, n_segments * segment_length, self.n_steps)

    def __len__(self) -> int:
        return int(sum(-(-self.n_steps[group].max() // self.segment_length) for group in self._groups()))

    def __iter__(self) -> Iterator[tuple[Segments, Tensor]]:
        groups = self._groups()
        n_rows = sum(len(group) * self.n_steps[group].max() for group in groups)
        # The mean over all rows is then that over the steps that count.
        scale = float(n_rows / self.n_steps.sum())
        for group in groups:
            codes = self._side_by_side(group)
            context = None if self.texts.context is None else as_tensor(self.texts.context[group], self.device)
            for start in range(0, len(codes) - 1, self.segment_length):
                steps = codes[start : start + self.segment_length + 1]
                asked = steps[1:].flatten()
                known = steps[:-1].clamp(min=0).flatten()
                segments = Segments({"x": known, "weight": (asked >= 0).float() * scale})
                segments.n_strands, segments.first = len(group), start == 0
                segments.begin = begin(context) if segments.first else None
                yield segments, asked.clamp(min=0)

    def _groups(self) -> list[Array]:
        """Which texts are read together, and in what order."""
        random = None if self.seed is None else np.random.default_rng([self.seed, self.epoch])
        n_texts = len(self.n_steps)
        tie_break = np.arange(n_texts) if random is None else random.permutation(n_texts)
        by_length = np.lexsort((tie_break, self._length_class))
        groups = [by_length[start : start + self.batch_size] for start in range(0, n_texts, self.batch_size)]
        return groups if random is None else [groups[place] for place in random.permutation(len(groups))]

    def _side_by_side(self, group: Array) -> Tensor:
        """The codes (time, text), -1 after the end of a text."""
        codes = np.full((self.n_steps[group].max() + 1, len(group)), -1)
        for place, text in enumerate(group):
            codes[: self.n_steps[text] + 1, place] = self.texts.codes[text]
        return torch.from_numpy(codes).to(self.device)
