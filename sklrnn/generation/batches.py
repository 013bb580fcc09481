"""Encoded texts as batches of segments, whose state is passed on from one to the next."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.generation.texts import Texts
from sklrnn.training.batches import Batches, SegmentBatch, as_tensor

Array = NDArray[Any]


class TextBatches(Batches):
    """Texts of about the same length in parallel; the target of each step is the token after it.

    Texts longer than ``segment_length`` are read in several batches, from one to the next of which the state is passed
    on. A batch has one row for each step of each text, all texts' first step first; steps after the end of a text have
    no weight.
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
        # Short texts share batches with others of their length, long ones with others of as many segments, so that the
        # number of batches is the same in every epoch.
        self._length_class = np.where(n_segments > 1, n_segments * segment_length, self.n_steps)

    def __len__(self) -> int:
        return int(sum(-(-self.n_steps[group].max() // self.segment_length) for group in self._groups()))

    def __iter__(self) -> Iterator[tuple[SegmentBatch, Tensor]]:
        groups = self._groups()
        n_rows = sum(len(group) * self.n_steps[group].max() for group in groups)
        # The mean over all rows is then that over the steps of texts.
        scale = float(n_rows / self.n_steps.sum())
        for group in groups:
            codes = self._padded_codes(group)
            context = self.texts.context
            of_texts = {} if context is None else {"context": as_tensor(context[group], self.device)}
            for start in range(0, len(codes) - 1, self.segment_length):
                steps = codes[start : start + self.segment_length + 1]
                target = steps[1:].flatten()
                segments = SegmentBatch(
                    n_streams=len(group),
                    is_first=start == 0,
                    x=steps[:-1].clamp(min=0).flatten(),
                    weight=(target >= 0).float() * scale,
                    **of_texts,
                )
                yield segments, target.clamp(min=0)

    def take_sequences(self, batch: Any, first: int, end: int) -> tuple[SegmentBatch, Tensor]:
        """Some of the texts."""
        x, target = batch

        def of_texts(steps: Tensor) -> Tensor:
            return steps.unflatten(0, (-1, x.n_streams))[:, first:end].flatten()

        context = {"context": x["context"][first:end]} if "context" in x else {}
        segments = SegmentBatch(
            n_streams=end - first,
            is_first=x.is_first,
            x=of_texts(x["x"]),
            weight=of_texts(x["weight"]),
            **context,
        )
        return segments, of_texts(target)

    def _groups(self) -> list[Array]:
        """The texts of each batch, and the order of the batches."""
        random = None if self.seed is None else np.random.default_rng([self.seed, self.epoch])
        n_texts = len(self.n_steps)
        tie_break = np.arange(n_texts) if random is None else random.permutation(n_texts)
        by_length = np.lexsort((tie_break, self._length_class))
        groups = [by_length[start : start + self.batch_size] for start in range(0, n_texts, self.batch_size)]
        return groups if random is None else [groups[place] for place in random.permutation(len(groups))]

    def _padded_codes(self, group: Array) -> Tensor:
        """The codes (time, text), -1 after the end of a text."""
        codes = np.full((self.n_steps[group].max() + 1, len(group)), -1)
        for place, text in enumerate(group):
            codes[: self.n_steps[text] + 1, place] = self.texts.codes[text]
        return torch.from_numpy(codes).to(self.device)
