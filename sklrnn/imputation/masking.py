"""Training data without a truth: known values are masked at random, and are the targets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sklrnn.imputation.features import FeatureBuilder, Scales
from sklrnn.imputation.interpolation import IncompleteSeries, Interpolation, interpolate
from sklrnn.imputation.segments import count_segments, draw_segments
from sklrnn.training.batches import Batch, Batches, as_tensor

Array = NDArray[Any]

# Shares of each column that are masked, at least and at most, in addition to what is missing.
_LEAST_MASKED, _MOST_MASKED = 0.05, 0.25
# A short table is repeated until an epoch has so many batches.
_FEWEST_BATCHES = 4
# Masks that are sampled to measure the residuals of the interpolation.
_MASKS_TO_MEASURE = 5


@dataclass(frozen=True)
class MaskSampler:
    """Samples values to mask: gaps as long as those of the data, and others of any length up to ``longest``."""

    gap_lengths: NDArray[np.intp]
    longest: int

    @classmethod
    def like(cls, lengths: NDArray[np.intp], longest: int) -> "MaskSampler":
        return cls(np.minimum(lengths, 2 * longest), longest)

    def sample(self, missing: Array, rng: np.random.Generator) -> Array:
        """A mask (row, column): gaps in one column, in all columns at once, or where the data have theirs."""
        n_rows, n_columns = missing.shape
        share = rng.uniform(_LEAST_MASKED, _MOST_MASKED)
        kind = rng.integers(3)
        if kind == 0:
            masked = np.broadcast_to(self._gaps(n_rows, share, rng)[:, np.newaxis], missing.shape)
        else:
            masked = np.column_stack([self._gaps(n_rows, share, rng) for _ in range(n_columns)])
        if kind == 2:
            # Columns that are missing together are masked together too.
            masked = masked | np.roll(missing, rng.integers(n_rows), axis=0)
        return masked & ~missing

    def _gaps(self, n_rows: int, share: float, rng: np.random.Generator) -> Array:
        lengths = np.exp(rng.uniform(0, np.log(self.longest + 1), size=64)).astype(np.intp)
        if len(self.gap_lengths):
            lengths[::2] = rng.choice(self.gap_lengths, size=32)
        n_gaps = max(1, round(share * n_rows / lengths.mean()))
        lengths = rng.choice(lengths, size=n_gaps)
        starts = rng.integers(n_rows, size=n_gaps)
        edges = np.bincount(starts, minlength=n_rows + 1) - np.bincount(
            np.minimum(starts + lengths, n_rows), minlength=n_rows + 1
        )
        covered: Array = np.cumsum(edges[:-1]) > 0
        return covered


def gap_lengths(missing: Array, series: IncompleteSeries) -> NDArray[np.intp]:
    """The length of each gap of each column; gaps end where a series ends."""
    starts_series = np.arange(len(missing)) == series.first
    lengths = []
    for column in missing.T:
        begins = column & (np.concatenate([[True], ~column[:-1]]) | starts_series)
        ends = column & np.concatenate([~column[1:] | starts_series[1:], [True]])
        lengths.append(np.flatnonzero(ends) - np.flatnonzero(begins) + 1)
    return np.concatenate(lengths).astype(np.intp)


@dataclass(frozen=True)
class MaskedDataset:
    """Series whose known values are masked anew in each epoch. As an array it is (segment, step, feature)."""

    series: IncompleteSeries
    sampler: MaskSampler
    features: FeatureBuilder

    @classmethod
    def with_enough_batches(
        cls, series: IncompleteSeries, sampler: MaskSampler, features: FeatureBuilder, batch_size: int
    ) -> "MaskedDataset":
        """Repeat short series until an epoch has a few batches."""
        times = -(-_FEWEST_BATCHES * batch_size // count_segments(series.lengths, features.window)) + 1
        return cls(series.repeated(times), sampler, features)

    def __len__(self) -> int:
        return count_segments(self.series.lengths, self.features.window)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), self.features.window, self.features.count_features(self.series)

    def sample(self, rng: np.random.Generator) -> tuple[Interpolation, Array, Array]:
        """Mask values: the interpolation of the rest, its scaled residuals, and where they have a weight."""
        missing = np.isnan(self.series.values)
        masked = self.sampler.sample(missing, rng)
        level, _, residual_scale = self.features.scales
        interpolation = interpolate(self.series, ~(masked | missing), level, ahead=self.features.ahead)
        residuals = np.where(masked, self.series.values - interpolation.interpolated, 0.0)
        targets = residuals / np.where(residual_scale > 0, residual_scale, 1.0)
        return interpolation, targets, masked & (residual_scale > 0)


class MaskedBatches(Batches):
    """Batches of segments, with other values masked in every epoch; without a seed always the same ones.

    Targets bring a weight for each column: zero for what is not masked.
    """

    def __init__(self, dataset: MaskedDataset, *, batch_size: int, device: torch.device, seed: int | None) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.device = device
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([0, 0] if self.seed is None else [self.seed, 2 + self.epoch])
        series, features = self.dataset.series, self.dataset.features
        interpolation, residuals, masked = self.dataset.sample(rng)
        segments = draw_segments(series.lengths, features.window, rng)
        # The masked values of a segment have a weight of one on average, like a sample of other tasks.
        weights = masked * (len(series.values) / max(1, masked.sum()) / features.window * masked.shape[1])
        for start in range(0, len(segments.lengths), self.batch_size):
            part = segments.take(slice(start, start + self.batch_size))
            sequences = features.build(interpolation, series.calendar, part).astype(np.float32)
            targets = np.concatenate([residuals[part.rows], weights[part.rows]], axis=2, dtype=np.float32)
            batch = {
                "x": as_tensor(sequences, self.device),
                "weight": torch.ones(part.rows.shape, device=self.device),
            }
            if (part.lengths != part.rows.shape[1]).any():
                batch["lengths"] = torch.from_numpy(part.lengths).to(self.device)
            yield batch, torch.from_numpy(targets).to(self.device)


def fit_features(
    series: IncompleteSeries, sampler: MaskSampler, *, window: int, ahead: bool, squared: bool, seed: int
) -> FeatureBuilder:
    """Fit the scales of the columns."""
    rng = np.random.default_rng([seed, 1])
    missing = np.isnan(series.values)
    level = np.nanmean(series.values, axis=0)
    ones = np.ones(len(level))
    plain = FeatureBuilder(Scales(level, ones, ones), window, ahead)
    segments = draw_segments(series.lengths, window, rng)
    interpolation = interpolate(series, ~missing, level, ahead=ahead)
    deviations = plain.build(interpolation, series.calendar, segments)[segments.is_real][:, : len(level)]
    spread = np.sqrt(np.mean(deviations**2, axis=0))
    samples = [MaskedDataset(series, sampler, plain).sample(rng)[1:] for _ in range(_MASKS_TO_MEASURE)]
    power = 2 if squared else 1
    total = sum((np.abs(residuals) ** power * masked).sum(axis=0) for residuals, masked in samples)
    count = sum(masked.sum(axis=0) for _, masked in samples)
    residual_scale = (total / np.maximum(count, 1)) ** (1 / power)
    # Rounding errors of a straight line are no residuals.
    tiny = 1e-9 * np.maximum(np.abs(level), spread)
    scales = Scales(level, np.where(spread > tiny, spread, 1.0), np.where(residual_scale > tiny, residual_scale, 0.0))
    return FeatureBuilder(scales, window, ahead)
