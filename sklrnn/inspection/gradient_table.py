"""How far back the gradient reaches."""

import copy
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sklrnn.inputs.ragged import Ragged, lengths_of
from sklrnn.inspection.fitted_network import FittedNetwork
from sklrnn.inspection.recorded_run import RecordedCell, record_cells
from sklrnn.nn.layers import newest

Source = Literal["hidden", "cell", "input"]


def gradient_flow(
    est: Any,
    X: Any,
    y: Any = None,
    *,
    with_respect_to: Source = "hidden",
    layer: int | None = None,
    direction: Literal["forward", "backward"] = "forward",
) -> pd.DataFrame:
    """Measure the gradient of the last output with respect to every earlier step.

    Where it vanishes, training can't learn what happened there: this is the vanishing gradient. Gradients are those of
    automatic differentiation in double precision, through every path from the step to the output. They are in the
    units of the network, in which features and targets are standardised.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
        Sequences, or what the pipeline takes. A stateful network reads each sample from its initial state.
    y : array-like, default=None
        Targets. With them it is the gradient of the loss of the last output, without them that of the output itself.
    with_respect_to : {"hidden", "cell", "input"}, default="hidden"
        The hidden state, the cell state of an LSTM, or the input: the standardised features, or the vectors of tokens.
    layer : int, default=None
        The recurrent layer whose state is meant, counted from 1; None is the last one.
    direction : {"forward", "backward"}, default="forward"
        The direction whose state is meant. The backward one ends at the first step of a sequence.

    Returns
    -------
    sizes : DataFrame
        A row for each number of steps back from the last one that is read, a column for each sample. The size is the
        root of the sum of squares over units, or features, and over outputs; NaN before a sequence begins.

    See Also
    --------
    sklrnn.inspection.GradientFlowDisplay : Draws it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import SimpleRNNRegressor
    >>> from sklrnn.inspection import gradient_flow
    >>> X = np.random.default_rng(0).normal(size=(100, 40))
    >>> model = SimpleRNNRegressor(units=8, max_epochs=5, random_state=0).fit(X, X[:, -3:].sum(axis=1))
    >>> sizes = gradient_flow(model, X[:10]).mean(axis=1)
    >>> bool(sizes[30] < sizes[0] / 10)
    True
    """
    fitted = FittedNetwork.of(est, X)
    network = fitted.network()
    for weight in network.parameters():
        weight.requires_grad_(False)
    inputs: list[Tensor] = []
    _watch_input(network, inputs)
    cell = None if with_respect_to == "input" else _chosen_cell(network, with_respect_to, layer, direction)
    x, lengths = fitted.tensors()
    states, final, _ = network.encode(x, lengths=lengths)
    raw = network.apply_head(states, final)
    if network.return_sequences:
        raw = newest(raw.transpose(0, 1), lengths)
    outputs = raw if y is None else _loss_of_last(fitted, raw, y).unsqueeze(1)
    if cell is None:
        n_steps, spacing = lengths_of(fitted.sequences), 1
        sizes = _sizes(outputs, inputs)[0].norm(dim=2).t()  # (time, sample)
    else:
        spacing = network.convolution.pool_size
        n_steps = fitted.n_steps(spacing)
        parts = [state[with_respect_to == "cell"] if isinstance(state, tuple) else state for state in cell.states]
        sizes = torch.stack([part.norm(dim=1) for part in _sizes(outputs, parts)])
    return _by_distance(sizes.numpy(), n_steps, spacing, fitted.labels)


def _watch_input(network: Any, inputs: list[Tensor]) -> None:
    """Keep what the first layer gives, as a tensor that gradients are taken for."""

    def keep(_: Any, __: Any, given: Tensor) -> Tensor:
        inputs.append(given.detach().requires_grad_())
        return inputs[-1]

    first = network.embedding if network.architecture.n_tokens else network.standardise
    first.register_forward_hook(keep)


def _chosen_cell(network: Any, part: Source, layer: int | None, direction: str) -> RecordedCell:
    """Record the cells of a network, and give the one whose state is meant."""
    recorded = record_cells(network)
    place = len(network.recurrent) if layer is None else layer, direction
    if place not in recorded:
        known = ", ".join(f"layer={number}, direction={name!r}" for number, name in recorded)
        raise ValueError(f"There is no recurrent cell at layer={layer}, direction={direction!r}. There are: {known}.")
    cell = recorded[place]
    n_states = cell.cell.n_states
    if part not in ("hidden", "cell"):
        raise ValueError(f'with_respect_to must be "hidden", "cell" or "input", got {part!r}.')
    if part == "cell" and n_states != 2:
        has = "no cell state" if n_states == 1 else "more than a hidden and a cell state, which change together"
        raise ValueError(f'{type(cell.cell).__name__} has {has}. Set with_respect_to="hidden".')
    return cell


def _loss_of_last(fitted: FittedNetwork, raw: Tensor, y: Any) -> Tensor:
    """The loss of the last output of each sample."""
    estimator = fitted.estimator
    samples = estimator._scale_targets(estimator._check_samples(fitted.X, y, None, reset=False))
    values = samples.y
    if samples.per_timestep:
        ends = lengths_of(values) - 1
        target = (values.padded() if isinstance(values, Ragged) else values)[np.arange(len(ends)), ends]
    else:
        target = values
    target = np.ascontiguousarray(target if target.dtype.kind == "i" else target.astype(np.float64))
    loss: Tensor = copy.deepcopy(estimator._criterion()).double()(raw, torch.from_numpy(target))
    return loss


def _sizes(outputs: Tensor, sources: list[Tensor]) -> list[Tensor]:
    """For each source, in its shape, the root of the sum over the outputs of the squares of the gradients."""
    squares = [torch.zeros_like(source) for source in sources]
    for number in range(outputs.shape[1]):
        last = number == outputs.shape[1] - 1
        # Samples do not depend on each other, so the gradient of the sum holds that of each.
        gradients = torch.autograd.grad(outputs[:, number].sum(), sources, retain_graph=not last, allow_unused=True)
        for square, gradient in zip(squares, gradients, strict=True):
            if gradient is not None:
                square += gradient.detach() ** 2
    return [square.detach().sqrt() for square in squares]


def _by_distance(sizes: Any, n_steps: Any, spacing: int, labels: pd.Index) -> pd.DataFrame:
    """Sizes (time, sample) by the number of steps back from the end of each sequence."""
    distance = np.arange(n_steps.max())[:, np.newaxis]
    step = n_steps - 1 - distance  # (distance, sample)
    values = np.where(step >= 0, sizes[np.maximum(step, 0), np.arange(len(n_steps))], np.nan)
    return pd.DataFrame(values, index=pd.Index(spacing * distance[:, 0], name="steps_back"), columns=labels)
