"""Sequences of several lengths, concatenated; they are padded batch by batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.numeric import fill_masked

Array = NDArray[Any]


@dataclass(frozen=True)
class Ragged:
    """Sequence i is ``steps[starts[i] : starts[i] + lengths[i]]``; indexing copies no step."""

    steps: Array
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @classmethod
    def from_lengths(cls, steps: Array, lengths: NDArray[np.intp]) -> "Ragged":
        """Sequences of these lengths, whose steps are concatenated already."""
        return cls(steps, np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def from_list(cls, sequences: list[Array]) -> "Ragged":
        """Concatenate sequences."""
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.intp)
        return cls.from_lengths(np.concatenate(sequences), lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, chosen: Any) -> "Ragged":
        return Ragged(self.steps, self.starts[chosen], self.lengths[chosen])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.steps.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of ``padded``: (sample, time, ...)."""
        return len(self), int(self.lengths.max()), *self.steps.shape[1:]

    def flat(self) -> Array:
        """The steps of all sequences, concatenated."""
        ends = self.starts + self.lengths
        if (self.starts[1:] == ends[:-1]).all():
            return self.steps[self.starts[0] : ends[-1]] if len(self) else self.steps[:0]
        before = np.cumsum(self.lengths) - self.lengths
        return self.steps[np.repeat(self.starts - before, self.lengths) + np.arange(self.lengths.sum())]

    def padded(self) -> Array:
        """An array (sample, time, ...) as long as the longest sequence, with zeros after the end of the others."""
        padded = np.zeros(self.shape, dtype=self.dtype)
        padded[np.arange(padded.shape[1]) < self.lengths[:, np.newaxis]] = self.flat()
        return padded

    def split(self) -> list[Array]:
        """One array for each sequence."""
        return np.split(self.flat(), np.cumsum(self.lengths)[:-1])


Sequences = Array | Ragged


def concatenate_steps(values: Sequences) -> Array:
    """The steps of all sequences, one after the other."""
    return values.flat() if isinstance(values, Ragged) else values.reshape(-1, *values.shape[2:])


def shaped_like(X: Sequences, flat: Array) -> Sequences:
    """Cut concatenated values of the steps of X into sequences as X is."""
    if isinstance(X, Ragged):
        return Ragged.from_lengths(flat, X.lengths)
    return flat.reshape(*X.shape[:2], *flat.shape[1:])


def lengths_of(X: Sequences) -> NDArray[np.intp]:
    """The number of steps of each sequence."""
    return X.lengths if isinstance(X, Ragged) else np.full(X.shape[0], X.shape[1])


def for_each_step(function: Callable[[Array], Array], values: Sequences) -> Sequences:
    """Apply a function to the concatenated steps; it may change their shape, but not their number."""
    return shaped_like(values, function(concatenate_steps(values)))


def restore_form(given: Any, X: Sequences, flat: Array) -> Any:
    """Give values of the steps of X, one column for each feature, the form in which X was given."""
    is_list = not hasattr(given, "shape") or given.ndim == 1
    if is_list and np.ndim(given[0]) == 1 and flat.shape[1] == 1:
        flat = flat[:, 0]
    return in_the_form_of(given, shaped_like(X, flat))


def in_the_form_of(given: Any, values: Sequences) -> Any:
    """An object array, a list of arrays or one array, as the sequences were given to which ``values`` belong."""
    if is_object_array_of_sequences(given):
        return as_object_array(rows_of(values))
    is_list = isinstance(given, list | tuple) and hasattr(given[0], "ndim")
    return rows_of(values) if is_list or isinstance(values, Ragged) else values


def rows_of(values: Sequences) -> list[Array]:
    """One array for each sequence."""
    return values.split() if isinstance(values, Ragged) else list(values)


def as_object_array(rows: Iterable[Any]) -> Array:
    """An object array of arrays; of arrays of equal shape numpy would make one array of numbers."""
    rows = list(rows)
    array = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        array[number] = row
    return array


def is_object_array_of_sequences(X: Any) -> bool:
    """Whether X is an object array whose items are sequences, not numbers."""
    is_object = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1 and len(X) > 0
    return is_object and np.ndim(X[0]) > 0


def read_rows(rows: Any, *, what: str = "sequence", of: str = "features") -> list[Array]:
    """Read a list of ``(time_i,)`` or ``(time_i, feature)`` as arrays of two axes; an error names the sequence."""
    arrays = [_read_row(row, number, what) for number, row in enumerate(rows)]
    n_axes = arrays[0].ndim
    for number, array in enumerate(arrays):
        if array.ndim != n_axes or array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"Every {what} needs the same {of}, but {what} {number} has the shape {array.shape} and {what} 0 has "
                f"{arrays[0].shape}."
            )
        if array.size == 0:
            raise ValueError(
                f"A {what} needs at least one step and one value in it, but {what} {number} has the shape "
                f"{array.shape}. Leave it out."
            )
    return [array[:, np.newaxis] for array in arrays] if n_axes == 1 else arrays


def _read_row(row: Any, number: int, what: str) -> Array:
    if hasattr(row, "toarray"):
        raise TypeError(f"A {what} must be dense, but {what} {number} is sparse. Use its toarray().")
    try:
        array = np.asarray(fill_masked(row))
    except ValueError as error:
        raise ValueError(
            f"A {what} has the shape (time,) or (time, feature), but the steps of {what} {number} differ in their "
            "number of values."
        ) from error
    if array.ndim not in (1, 2):
        raise ValueError(
            f"A {what} has the shape (time,) or (time, feature), but {what} {number} has the shape {array.shape}."
        )
    if array.size and (array.dtype.kind in "US" or (array.dtype == object and isinstance(array.flat[0], str))):
        raise ValueError(
            f"A {what} holds numbers, but {what} {number} holds strings, such as '{array.flat[0]}'. "
            "Encode them as integer tokens with TokenEncoder, and set embedding_dim of the estimator."
        )
    return array
