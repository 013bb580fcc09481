"""The network inside an imputer: it reads what is visible, and learns to answer what was hidden from it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn._hyperparameters import StrOptions, hyper, hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.imputation.interpolation import Series, draw_segments, look_around, tile
from sklrnn.imputation.masking import Lessons, Reader
from sklrnn.inputs.ragged import Ragged, concatenate_steps
from sklrnn.inputs.samples import Samples
from sklrnn.nn.losses import Loss, regression_loss
from sklrnn.training.batches import Batch, as_tensor
from sklrnn.training.net import choose_device

Array = NDArray[Any]

GAP_LOSSES = {"absolute_error", "squared_error", "huber"}


class LessonBatches:
    """Batches of segments, with other values hidden in every epoch; without a seed always the same ones."""

    def __init__(self, lessons: Lessons, *, batch_size: int, device: torch.device, seed: int | None) -> None:
        self.lessons = lessons
        self.batch_size = batch_size
        self.device = device
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.lessons) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([0, 0] if self.seed is None else [self.seed, 2 + self.epoch])
        series, reader = self.lessons.series, self.lessons.reader
        around, wanted, hidden = self.lessons.draw(rng)
        segments = draw_segments(series.lengths, reader.window, rng)
        # On average the values hidden in a segment weigh as much as one row of another task.
        weights = hidden * (len(series.values) / max(1, hidden.sum()) / reader.window * hidden.shape[1])
        for start in range(0, len(segments.lengths), self.batch_size):
            part = segments.take(slice(start, start + self.batch_size))
            sequences = reader.read(around, series.calendar, part).astype(np.float32)
            targets = np.concatenate([wanted[part.rows], weights[part.rows]], axis=2, dtype=np.float32)
            batch = {
                "x": as_tensor(sequences, self.device),
                "weight": torch.ones(part.rows.shape, device=self.device),
            }
            if (part.lengths != part.rows.shape[1]).any():
                batch["lengths"] = torch.from_numpy(part.lengths).to(self.device)
            yield batch, torch.from_numpy(targets).to(self.device)


@hyperparameters
class GapNetwork(RecurrentEstimator):
    """Learns from series in which values are hidden, and corrects the bridges over gaps."""

    # fmt: off
    loss: str = hyper(default="huber", constraint=StrOptions(GAP_LOSSES), sentence="What is minimised.")
    # fmt: on

    normalize_X = False
    return_sequences = True

    def learn(self, lessons: Lessons, held_out: Lessons | None) -> "GapNetwork":
        """Fit to lessons, and watch others meanwhile."""
        self._held_out = held_out
        try:
            return self.fit(lessons, lessons)
        finally:
            del self._held_out

    def fill(self, series: Series, reader: Reader) -> Array:
        """The values, with answers where there is none."""
        missing: Any = np.isnan(series.values)
        around = look_around(series, ~missing, reader.scales.level, ahead=reader.ahead)
        filled = np.where(missing, around.bridge, series.values)
        tiling = tile(series.lengths, reader.window, ahead=reader.ahead)
        steps = np.arange(tiling.segments.rows.shape[1])
        answered = (steps >= tiling.begin[:, np.newaxis]) & (steps < tiling.stop[:, np.newaxis])
        chosen = np.flatnonzero((answered & missing.any(axis=1)[tiling.segments.rows]).any(axis=1))
        if not len(chosen):
            return filled
        segments = tiling.segments.take(chosen)
        sequences = reader.read(around, series.calendar, segments)
        real = segments.is_real
        raw = self._run_checked(
            sequences if real.all() else Ragged.from_lengths(sequences[real], segments.lengths.astype(np.intp))
        )
        rows, answered = segments.rows[real], answered[chosen][:, : real.shape[1]][real]
        corrections = np.zeros(filled.shape)
        corrections[rows[answered]] = concatenate_steps(raw)[answered] * reader.scales.miss
        return np.where(missing, filled + corrections, filled)

    def _check_rows(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Samples:
        self.n_features_in_, self.n_outputs_ = X.shape[2], X.series.values.shape[1]
        return Samples(X, y, per_timestep=True)

    def _hold_out(self, rows: Samples) -> tuple[Samples, Samples | None]:
        return rows, None if self._held_out is None else Samples(self._held_out, self._held_out, per_timestep=True)

    def _batches(self, rows: Samples, batch_size: int, *, n_strands: int, seed: int | None = None) -> Any:
        return LessonBatches(rows.X, batch_size=batch_size, device=choose_device(self.device), seed=seed)

    def _loss(self) -> Loss:
        loss = regression_loss(*self._judged_by)
        return replace(loss, per_output=_OfHidden(loss.per_output))

    def _loss_parameters(self) -> tuple[Any, ...]:
        return self.loss, ()


class _OfHidden(nn.Module):
    """Reads targets that bring a weight for each column: none for what was not hidden."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        wanted, weights = target.chunk(2, dim=1)
        losses: Tensor = self.per_output(raw, wanted) * weights
        return losses
