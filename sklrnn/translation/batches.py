"""Pairs of a sequence and its answer as batches, both padded."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sklrnn.inputs.ragged import Ragged, lengths_of
from sklrnn.inputs.samples import Samples
from sklrnn.training.batches import Batch, Batches, padded_tensors

Array = NDArray[Any]


class PairBatches(Batches):
    """Each step of an answer is asked for, and what precedes it is given.

    Answers are codes from a start mark to an end mark, or numbers (time, value). Targets and weights of a batch lie end
    to end, a row for each step.
    """

    def __init__(
        self, rows: Samples, *, batch_size: int, device: torch.device, seed: int | None = None, learns_end: bool = True
    ) -> None:
        self.numeric = rows.y.steps.ndim == 2
        self.learns_end = learns_end
        self.n_asked = rows.y.lengths if self.numeric else rows.y.lengths - 1
        super().__init__(rows, batch_size=batch_size, device=device, seed=seed)
        self.lengths = lengths_of(rows.X) + self.n_asked

    def __iter__(self) -> Iterator[Batch]:
        for chosen in self._choices():
            x, lengths = padded_tensors(self.rows.X[chosen], self.device)
            n_asked = torch.from_numpy(self.n_asked[chosen]).to(self.device)
            given, asked = (self._numbers if self.numeric else self._tokens)(chosen)
            weight = self._fetch(self.weights, chosen).repeat_interleave(n_asked)
            batch = {"x": x, "given": given, "answer_lengths": n_asked, "weight": weight}
            if lengths is not None:
                batch["lengths"] = lengths
            yield batch, asked

    def _tokens(self, chosen: Array) -> tuple[Tensor, Tensor]:
        codes: Any = self.y
        codes, n_asked = codes[chosen], self.n_asked[chosen]
        given = Ragged(codes.steps, codes.starts, n_asked).padded()
        asked = Ragged(codes.steps, codes.starts + 1, n_asked).flat()
        return torch.from_numpy(given).to(self.device), torch.from_numpy(asked).to(self.device)

    def _numbers(self, chosen: Array) -> tuple[Tensor, Tensor]:
        values: Any = self.y
        values = values[chosen]
        given = F.pad(torch.from_numpy(values.padded()).to(self.device), (1, 0, 1, 0))[:, :-1]
        given[:, 0, 0] = 1.0  # nothing has been said yet
        asked = values.flat()
        if self.learns_end:
            is_last = np.zeros((len(asked), 1), dtype=asked.dtype)
            is_last[np.cumsum(values.lengths) - 1] = 1.0
            asked = np.concatenate([asked, is_last], axis=1)
        return given, torch.from_numpy(asked).to(self.device)

    def _shares(self) -> Array:
        """What each step of an answer counts: one in the mean over all steps that count."""
        weights = np.ones(len(self.n_asked)) if self.rows.weights is None else np.asarray(self.rows.weights)
        n_asked = self.n_asked[self.order]
        scaled: Array = weights * (n_asked.sum() / (weights[self.order] * n_asked).sum())
        return scaled
