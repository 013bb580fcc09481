"""How the past of a series is put before a network, and how its answer becomes a forecast.

Several series lie end to end in one ``Track``. Windows of it are cut, brought to a common scale and folded into steps
when a batch asks for them, so that training needs memory for rows, not for rows times window.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SINGLE = np.dtype(np.float32)
# A window may be this much calmer than its series before its own spread is no measure any more.
_CALMEST = 0.02
# Windows whose errors count for more than this many typical ones would drown the others.
_HEAVIEST = 20.0
_SAMPLES_AT_ONCE = 4096


@dataclass(frozen=True)
class Framing:
    """What one sample is made of.

    A step of the network reads ``fold`` rows at once. Where the future of some columns of X is known, as many steps as
    hold ``horizon`` rows follow the past ones: their y is blank, and a last feature tells them apart. ``level`` and
    ``spread`` of each channel are those of all series together, for ``normalize=None``.
    """

    window_length: int
    horizon: int
    fold: int
    n_channels: int
    n_columns: int = 0
    known: tuple[int, ...] = ()
    normalize: str | None = "window"
    level_length: int = 1
    level: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    @property
    def n_known_steps(self) -> int:
        return -(-self.horizon // self.fold) if self.known else 0

    @property
    def n_steps(self) -> int:
        return self.window_length // self.fold + self.n_known_steps

    @property
    def n_features(self) -> int:
        return self.fold * (self.n_channels + self.n_columns) + bool(self.known)


@dataclass(frozen=True)
class Track:
    """Series laid end to end.

    Series ``s`` has the rows ``starts[s]`` to ``ends[s]``; rows of y that are still to come are NaN. ``y`` and ``X``
    have no other gaps: what was missing is filled from before, and ``observed`` tells where. ``firsts`` are the rows of
    the first known value of each series and channel; ``level``, ``spread`` and ``naive_error`` are theirs too.
    """

    y: Array
    observed: Array
    X: Array
    starts: Array
    ends: Array
    firsts: Array
    level: Array
    spread: Array
    naive_error: Array


@dataclass(frozen=True)
class Windows:
    """Samples as a network sees them, shaped (sample, step, feature): an array that is computed where it is read.

    A sample is a place in the track: its window ends before row ``origins``, of the series ``owners``. ``ages`` counts
    the rows between the last one it is trained to answer and the end of the series.
    """

    framing: Framing
    track: Track
    origins: Array
    owners: Array
    dtype: Any = _SINGLE

    @classmethod
    def for_training(cls, framing: Framing, track: Track) -> "Windows":
        """All samples whose targets are known, the oldest first; short series give samples with less than a window."""
        room = track.ends - track.starts - framing.horizon
        first = np.minimum(framing.window_length, np.maximum(1, (room + 1) // 2))
        counts = np.maximum(0, room - first + 1)
        owners = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        windows = cls(framing, track, (track.starts + first)[owners] + place, owners)
        order = np.argsort(-windows.ages, kind="stable")
        return cls(framing, track, windows.origins[order], owners[order])

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), self.framing.n_steps, self.framing.n_features

    @property
    def ages(self) -> Array:
        ages: Array = self.track.ends[self.owners] - self.origins - self.framing.horizon
        return ages

    @property
    def informed(self) -> Array:
        """Tell for each (sample, channel) whether the window holds a known value at all."""
        informed: Array = self.origins[:, np.newaxis] > self.track.firsts[self.owners]
        return informed

    def __getitem__(self, chosen: Any) -> Any:
        part = replace(self, origins=self.origins[chosen], owners=self.owners[chosen])
        return part if isinstance(chosen, slice) else part.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.to_numpy().astype(dtype or self.dtype, copy=False)

    def to_numpy(self) -> Array:
        """Write these samples out."""
        f = self.framing
        past = self._past()
        level, spread = self._scales_of(self.track.y[past])
        y = _ratio(self.track.y[past] - level, spread).reshape(len(self), -1, f.fold * f.n_channels)
        parts = [y] if not f.n_columns else [y, self.track.X[past].reshape(len(self), -1, f.fold * f.n_columns)]
        sequences = np.concatenate(parts, axis=2)
        if f.known:
            sequences = self._append_known_steps(sequences)
        return sequences.astype(self.dtype, copy=False)

    def scales(self) -> tuple[Array, Array]:
        """Level and spread, each of shape (sample, 1, channel), that lead from the network's numbers to the user's."""
        if len(self) > _SAMPLES_AT_ONCE:
            levels, spreads = zip(*(part.scales() for part in self._blocks()), strict=True)
            return np.concatenate(levels), np.concatenate(spreads)
        return self._scales_of(self.track.y[self._past()])

    def targets(self, *, alike: bool = False) -> Array:
        """What to answer, on the network's scale, then how much each error matters: (sample, 2 x step ahead x channel).

        An error matters by its size against the series' own seasonal naive error, which is what MASE measures, and by
        its size against the value itself, which is what sMAPE measures; over all samples both count alike. With
        ``alike`` every known target matters the same.
        """
        parts = [part._targets() for part in self._blocks()]
        y, *sizes, observed = (np.concatenate(kind) for kind in zip(*parts, strict=True))
        if alike:
            return np.concatenate([y, observed], axis=1, dtype=np.float32)
        weights = sum(size / (np.median(size[observed]) if observed.any() else 1.0) for size in map(_positive, sizes))
        weights = np.minimum(weights, _HEAVIEST) * observed
        return np.concatenate([y, weights], axis=1, dtype=np.float32)

    def _targets(self) -> tuple[Array, ...]:
        rows = self.origins[:, np.newaxis] + np.arange(self.framing.horizon)
        y, observed = self.track.y[rows], self.track.observed[rows] & self.informed[:, np.newaxis]
        level, spread = self.scales()
        in_naive_errors = _ratio(spread, self.track.naive_error[self.owners][:, np.newaxis])
        parts = [
            _ratio(y - level, spread),
            np.broadcast_to(in_naive_errors, y.shape),
            _ratio(spread, np.abs(y)),
            observed,
        ]
        return tuple(part.reshape(len(self), -1) for part in parts)

    def _blocks(self) -> "list[Windows]":
        return [self[start : start + _SAMPLES_AT_ONCE] for start in range(0, len(self), _SAMPLES_AT_ONCE)]

    def _past(self) -> Array:
        rows = self.origins[:, np.newaxis] + np.arange(-self.framing.window_length, 0)
        # A series shorter than the window is led in by its own first row.
        return np.maximum(rows, self.track.starts[self.owners][:, np.newaxis])

    def _append_known_steps(self, sequences: Array) -> Array:
        f, n = self.framing, len(self)
        rows = self.origins[:, np.newaxis] + np.arange(f.n_known_steps * f.fold)
        rows = np.minimum(rows, self.track.ends[self.owners][:, np.newaxis] - 1)
        X = np.zeros((*rows.shape, f.n_columns))
        X[..., list(f.known)] = self.track.X[rows][..., list(f.known)]
        ahead = np.zeros((n, f.n_known_steps, sequences.shape[2]))
        ahead[..., f.fold * f.n_channels :] = X.reshape(n, f.n_known_steps, -1)
        is_ahead = np.repeat([0.0, 1.0], [sequences.shape[1], f.n_known_steps])
        sequences = np.concatenate([sequences, ahead], axis=1)
        return np.concatenate([sequences, np.broadcast_to(is_ahead[:, np.newaxis], (n, len(is_ahead), 1))], axis=2)

    def _scales_of(self, past: Array) -> tuple[Array, Array]:
        if self.framing.normalize is None:
            shape = len(past), 1, self.framing.n_channels
            return np.broadcast_to(self.framing.level, shape), np.broadcast_to(self.framing.spread, shape)
        level = self.track.level[self.owners][:, np.newaxis]
        spread = self.track.spread[self.owners][:, np.newaxis]
        if self.framing.normalize == "series":
            return level, spread
        newest = past[:, -self.framing.level_length :]
        return newest.mean(axis=1, keepdims=True), np.maximum(newest.std(axis=1, keepdims=True), _CALMEST * spread)


def _ratio(numbers: Array, sizes: Array) -> Array:
    """Divide; what has no size is a constant, and what is left of it is nothing."""
    ratio: Array = np.where(sizes > 0, numbers / np.where(sizes > 0, sizes, 1.0), 0.0)
    return ratio


def _positive(sizes: Array) -> Array:
    """Sizes that can be divided by their median, which for constants would be nothing."""
    return np.maximum(sizes, np.finfo(np.float64).tiny)
