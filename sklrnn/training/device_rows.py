"""Training data on another device, where the samples of each batch are gathered."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]

# So many bytes are copied at once: read-only and memory-mapped arrays need a copy that can be written to.
_BYTES_AT_ONCE = 2**26


def room_on(device: torch.device) -> int:
    """How many bytes of data may stay on a device: half of what is free there; none on the CPU, where they are."""
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else 0


class DeviceRows:
    """Arrays of equal length, which are moved to a device once, if they fit."""

    # Without attributes for the fingerprint of a checkpoint: what a training depends on are the arrays themselves.
    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: list[Tensor] | None = None

    def __repr__(self) -> str:
        return "DeviceRows()"

    def of(self, arrays: Sequence[Any], device: torch.device) -> list[Tensor] | None:
        """The arrays as tensors on the device; None where they don't fit, or are no plain arrays."""
        if self._rows is None and (room := room_on(device)) and sum(map(_n_bytes, arrays)) <= room:
            self._rows = [_moved(rows, device) for rows in arrays]
        return self._rows


def _n_bytes(rows: Any) -> float:
    """What an array needs on a device; no room is enough for what is computed when it is indexed."""
    if type(rows) not in (np.ndarray, np.memmap):
        return np.inf
    return min(_span(rows), rows.nbytes)


def _span(rows: Array) -> int:
    """The bytes of memory from the first to the last number of an array."""
    return rows.itemsize + sum((n - 1) * abs(step) for n, step in zip(rows.shape, rows.strides, strict=True))


def _moved(rows: Array, device: torch.device) -> Tensor:
    """Windows that overlap are moved as the series that they are windows of."""
    span = _span(rows)
    overlap = span < rows.nbytes and all(step >= 0 and step % rows.itemsize == 0 for step in rows.strides)
    if not overlap:
        return _copied(rows, device)
    series = as_strided(rows, shape=(span // rows.itemsize,), strides=(rows.itemsize,))
    strides = [step // rows.itemsize for step in rows.strides]
    return _copied(series, device).as_strided(rows.shape, strides)


def _copied(rows: Array, device: torch.device) -> Tensor:
    at_once = max(1, _BYTES_AT_ONCE // max(1, rows[:1].nbytes))
    copied = torch.empty(rows.shape, dtype=torch.from_numpy(np.empty(0, rows.dtype)).dtype, device=device)
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        copied[part] = torch.from_numpy(rows[part].copy())
    return copied
