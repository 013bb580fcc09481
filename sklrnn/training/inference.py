"""Running a network on many sequences, in blocks of bounded memory."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.inputs.ragged import Ragged, Sequences
from sklrnn.training.batches import padded_tensors
from sklrnn.training.prediction_plan import PredictionPlan

Array = NDArray[Any]

# Numbers that a block holds in memory at a time, for each layer.
_NUMBERS_AT_ONCE = 2**22

Read = Callable[[Any, Tensor, Tensor], Tensor]


def apply_head(network: Any, states: Tensor, final: Tensor) -> Tensor:
    """Raw outputs."""
    raw: Tensor = network.apply_head(states, final)
    return raw


def all_states(network: Any, states: Tensor, final: Tensor) -> Tensor:
    """The hidden states of the last layer, (sample, time, unit)."""
    return states.transpose(0, 1)


def run_in_blocks(
    network: Any,
    X: Sequences,
    plan: PredictionPlan | None = None,
    *,
    read: Read = apply_head,
    dtype: np.dtype[Any],
    per_timestep: bool | None = None,
) -> Any:
    """Encode sequences, and read one result a sample or, with ``per_timestep``, one a step.

    ``read(network, states, final)`` is given the hidden states (time, sample, unit) and the input of the head. A
    stateful network takes the samples as segments of one sequence. Where ``dtype`` is wider than the weights, all but
    the recurrent layers runs in double on the CPU. A ``plan`` is a faster way to the same results.
    """
    a = network.architecture
    width = max(a.n_features, a.embedding_dim, *(4 * n for n in a.units or a.filters))
    ragged = isinstance(X, Ragged)
    per_timestep = ragged and (a.return_sequences if per_timestep is None else per_timestep)
    results: Any = [None] * len(X) if per_timestep else None
    n_streams, state = (1 if a.stateful else None), None
    weight = network.head.weight
    in_double = dtype == np.float64 and weight.dtype != torch.float64 and weight.device.type == "cpu"
    with torch.inference_mode():
        for chosen in _blocks(X, width):
            x, lengths = padded_tensors(_copy(X[chosen]), weight.device)
            if plan is not None:
                states, final, new_state = plan.encode(x, in_double=in_double)
            else:
                states, final, new_state = network.encode(
                    x, state, n_streams=n_streams, lengths=lengths, in_double=in_double
                )
            shown = read(network, states, final).cpu().numpy()
            state = new_state if n_streams else None
            if per_timestep:
                shown = shown.astype(dtype, copy=False)
                for row, values, n_steps in zip(chosen, shown, _steps_left(network, X, chosen), strict=True):
                    results[row] = values[:n_steps]
            else:
                # One array for all: small ones, left between large ones that come and go, would fragment the memory.
                results = np.empty((len(X), *shown.shape[1:]), dtype=dtype) if results is None else results
                results[chosen] = shown
    return Ragged.from_list(results) if per_timestep else results


def for_blocks(
    network: Any, X: Sequences, work: Callable[[Any, Any, Any], list[Any]], *, width: int, per_sample: int = 0
) -> list[Any]:
    """Encode sequences, and apply ``work(network, encoded, chosen)``, which gives one result for each chosen sample.

    ``width`` numbers are needed for each step of a sequence, and ``per_sample`` for each sequence.
    """
    results: list[Any] = [None] * len(X)
    with torch.inference_mode():
        for chosen in _blocks(X, width, per_sample, sort=True):
            x, lengths = padded_tensors(X[chosen], network.head.weight.device)
            for row, result in zip(chosen, work(network, network.encode(x, lengths), chosen), strict=True):
                results[row] = result
    return results


def measure_in_blocks(
    measure: Callable[[Tensor, Tensor | None], tuple[Tensor, ...]], X: Sequences, chosen: Array | None = None
) -> tuple[Array, ...]:
    """Level, mean and spread of each window and feature, (sample, feature); only of the ``chosen`` samples."""
    chosen = np.arange(len(X)) if chosen is None else chosen
    measured = tuple(np.empty((len(chosen), X.shape[2]), dtype=X.dtype) for _ in range(3))
    n_at_once = max(1, _NUMBERS_AT_ONCE // (8 * X.shape[1] * X.shape[2]))  # several arrays of this size
    with torch.inference_mode():
        for start in range(0, len(chosen), n_at_once):
            rows = slice(start, start + n_at_once)
            x, lengths = padded_tensors(X[chosen[rows]], torch.device("cpu"))
            for values, part in zip(measured, measure(x, lengths), strict=True):
                values[rows] = part[:, 0]
    return measured


def _blocks(X: Sequences, width: int, per_sample: int = 0, *, sort: bool = False) -> Iterator[Any]:
    """Slices of X, or where lengths differ positions, sorted by length, the longest first."""
    if not isinstance(X, Ragged) and not sort:
        n_at_once = max(1, _NUMBERS_AT_ONCE // (X.shape[1] * width + per_sample))
        yield from (slice(start, start + n_at_once) for start in range(0, len(X), n_at_once))
        return
    lengths = X.lengths if isinstance(X, Ragged) else np.full(len(X), X.shape[1])
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        n_at_once = max(1, _NUMBERS_AT_ONCE // (int(lengths[order[start]]) * width + per_sample))
        yield order[start : start + n_at_once]
        start += n_at_once


def _copy(X: Sequences) -> Sequences:
    # Windows may be a view, which torch can't take.
    return X if isinstance(X, Ragged) else np.array(X)


def _steps_left(network: Any, X: Sequences, chosen: Array) -> Array:
    """How many steps pooling leaves of each sequence."""
    assert isinstance(X, Ragged)
    n_steps: Array = -(-X.lengths[chosen] // network.convolution.pool_size)
    return n_steps
