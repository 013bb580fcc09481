"""Pairs of an input and a target sequence as batches, both padded."""

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
    """The decoder is fed the target of the step before (teacher forcing).

    Target sequences are codes from a start mark to an end mark, or numbers (time, value). Targets and weights of a
    batch are concatenated, one row for each step.
    """

    def __init__(
        self,
        samples: Samples,
        *,
        batch_size: int,
        device: torch.device,
        seed: int | None = None,
        learns_end: bool = True,
    ) -> None:
        self.numeric = samples.y.steps.ndim == 2
        self.learns_end = learns_end
        self.n_steps = samples.y.lengths if self.numeric else samples.y.lengths - 1
        super().__init__(samples, batch_size=batch_size, device=device, seed=seed)
        self.lengths = lengths_of(samples.X) + self.n_steps

    def __iter__(self) -> Iterator[Batch]:
        for chosen in self._chosen_samples():
            x, lengths = padded_tensors(self.samples.X[chosen], self.device)
            n_steps = torch.from_numpy(self.n_steps[chosen]).to(self.device)
            fed, target = (self._numbers if self.numeric else self._tokens)(chosen)
            weight = self._fetch(self.weights, chosen).repeat_interleave(n_steps)
            batch = {"x": x, "fed": fed, "target_lengths": n_steps, "weight": weight}
            if lengths is not None:
                batch["lengths"] = lengths
            yield batch, target

    def take_sequences(self, batch: Batch, first: int, end: int) -> Batch:
        """Some of the pairs, with the steps of their targets."""
        x, target = batch
        ends = x["target_lengths"].cumsum(0)
        steps = slice(int(ends[first - 1]) if first else 0, int(ends[end - 1]))
        parts = {name: part[steps if name == "weight" else slice(first, end)] for name, part in x.items()}
        return parts, target[steps]

    def _tokens(self, chosen: Array) -> tuple[Tensor, Tensor]:
        codes: Any = self.y
        codes, n_steps = codes[chosen], self.n_steps[chosen]
        fed = Ragged(codes.steps, codes.starts, n_steps).padded()
        target = Ragged(codes.steps, codes.starts + 1, n_steps).flat()
        return torch.from_numpy(fed).to(self.device), torch.from_numpy(target).to(self.device)

    def _numbers(self, chosen: Array) -> tuple[Tensor, Tensor]:
        values: Any = self.y
        values = values[chosen]
        fed = F.pad(torch.from_numpy(values.padded()).to(self.device), (1, 0, 1, 0))[:, :-1]
        fed[:, 0, 0] = 1.0  # the flag of the first step
        target = values.flat()
        if self.learns_end:
            is_last = np.zeros((len(target), 1), dtype=target.dtype)
            is_last[np.cumsum(values.lengths) - 1] = 1.0
            target = np.concatenate([target, is_last], axis=1)
        return fed, torch.from_numpy(target).to(self.device)

    def _scaled_weights(self) -> Array:
        """The weight of each step of a target sequence, with a mean of one over all steps."""
        weights = np.ones(len(self.n_steps)) if self.samples.weights is None else np.asarray(self.samples.weights)
        n_steps = self.n_steps[self.order]
        scaled: Array = weights * (n_steps.sum() / (weights[self.order] * n_steps).sum())
        return scaled
