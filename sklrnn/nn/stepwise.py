"""Recurrent layers that are run one step at a time, each step written as its equation."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.kernels import run_kernel


class Stepwise:
    """Runs a layer step by step: slower than torch's fused loops, but every step is open to change.

    Weights are named and stacked as in torch: one block of rows a gate, so they can be exchanged with torch's layers.
    """

    gates: ClassVar[tuple[str, ...]]
    n_states: ClassVar[int] = 1
    hidden_size: int
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor

    def first_biases(self) -> dict[str, float]:
        """What the bias of a gate begins with, where this is not zero."""
        return {}

    def initialise(self, generator: torch.Generator) -> None:
        """Give weights their first values: Glorot for what comes in, orthogonal for what is passed on, gate by gate."""
        n_gates = len(self.gates)
        with torch.no_grad():
            for block in self.weight_ih_l0.chunk(n_gates):
                nn.init.xavier_uniform_(block, generator=generator)
            for block in self.weight_hh_l0.chunk(n_gates):
                nn.init.orthogonal_(block, generator=generator)
            for gate, block in zip(self.gates, self.bias_ih_l0.chunk(n_gates), strict=True):
                block.fill_(self.first_biases().get(gate, 0.0))

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: Any) -> Any:
        """Give the state after one more time step.

        Parameters
        ----------
        inputs : Tensor of shape (sample, gate * unit)
            The step's features times the input weights, biases included.
        seen : Tensor of shape (sample, unit)
            The last state as the recurrent weights see it: with `recurrent_dropout` parts of it are dropped.
        recurrent : Tensor of shape (unit, gate * unit)
            The recurrent weights.
        state : Tensor of shape (sample, unit), or a tuple of them
            The last state, whole. Of a tuple others see the first part only.

        Returns
        -------
        state : Tensor of shape (sample, unit), or a tuple of them
            The next state.
        """
        raise NotImplementedError

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: Any) -> tuple[Tensor, ...]:
        """Give the values of the gates in one step, in the order of ``gates``.

        ``step`` may compute the next state from them. Without this method a cell runs all the same, but
        `sklrnn.inspection.gates` can't show its gates.

        Parameters
        ----------
        inputs, seen, recurrent, state
            As for ``step``.

        Returns
        -------
        values : tuple of Tensor of shape (sample, unit)
            Each gate behind its activation, the candidate included.
        """
        raise NotImplementedError

    def state_values(self, state: Any) -> dict[str, Tensor]:
        """The parts of a state by name: the hidden state, and where there is one the cell state."""
        parts = state if isinstance(state, tuple) else (state,)
        names = ("hidden", "cell", *(f"state {number}" for number in range(3, len(parts) + 1)))
        return dict(zip(names, parts, strict=False))

    def input_bias(self) -> Tensor:
        """What is added to the products of all steps at once."""
        return self.bias_ih_l0

    def recurrent_weights(self) -> Any:
        """What ``step`` is given as ``recurrent``: prepared once for all steps."""
        return self.weight_hh_l0.t()

    def unroll(
        self,
        x: Tensor,
        first: Any = None,
        state_mask: Tensor | None = None,
        *,
        watch: Callable[..., None] | None = None,
    ) -> tuple[Tensor, Any]:
        """Read ``x`` (time, sample, feature) like torch's layers; ``state_mask`` (sample, unit) scales what is seen.

        ``watch`` is called in each step with the four arguments of ``step``, and then the state that it gave.
        """
        # One product for all steps: only what needs the last state has to wait for it.
        product = F.linear(x, self.weight_ih_l0, self.input_bias())
        # Under autocast the product has fewer bits; the steps, which would mix both, keep those of the weights.
        dtype = self.weight_hh_l0.dtype
        with torch.autocast(x.device.type, enabled=False) if product.dtype != dtype else nullcontext():
            product = product.to(dtype)
            if first is None:
                nothing = product.new_zeros(1, product.shape[1], self.hidden_size)
                first = nothing if self.n_states == 1 else (nothing,) * self.n_states
            state = _for_each_part(torch.squeeze, first)
            recurrent = self.recurrent_weights()
            states = []
            for inputs in product.unbind(0):
                h = _visible(state)
                given = inputs, h if state_mask is None else h * state_mask, recurrent, state
                state = self.step(*given)
                if watch is not None:
                    watch(*given, state)
                states.append(_visible(state))
        return torch.stack(states), _for_each_part(torch.unsqueeze, state)


def _visible(state: Any) -> Tensor:
    h: Tensor = state[0] if isinstance(state, tuple) else state
    return h


def _for_each_part(change: Callable[[Tensor, int], Tensor], state: Any) -> Any:
    """Add or drop the axis of layers, which torch's convention has in front."""
    return tuple(change(part, 0) for part in state) if isinstance(state, tuple) else change(state, 0)


class StepwiseCell(Stepwise, nn.Module):
    """A recurrent layer made from the equation of one step.

    A subclass names its gates and writes ``step``. In return it has weights, first values for them (Glorot for what
    comes in, orthogonal for what is passed on, gate by gate; zero biases), `recurrent_dropout`, streams, and the
    calling convention of torch's recurrent layers, so it can be the `cell` of an estimator.

    Parameters
    ----------
    input_size : int
        Features of a step.
    hidden_size : int
        Units of the state.

    Attributes
    ----------
    gates : tuple of str
        A word for each block of rows in the weights.
    n_states : int
        Parts of the state: 1, or 2 for a cell such as the LSTM, which has a cell state besides the hidden state.

    See Also
    --------
    sklrnn.RecurrentRegressor : Takes such a cell as `cell`.
    sklrnn.inspection.gates : Shows its gates.

    Examples
    --------
    A leaky unit holds on to nine tenths of what it was.

    >>> import numpy as np
    >>> from sklrnn import RecurrentRegressor
    >>> from sklrnn.cells import StepwiseCell
    >>> class LeakyCell(StepwiseCell):
    ...     gates = ("candidate",)
    ...
    ...     def step(self, inputs, seen, recurrent, state):
    ...         candidate = (inputs + seen @ recurrent).tanh()
    ...         return 0.9 * state + 0.1 * candidate
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> model = RecurrentRegressor(cell=LeakyCell, units=8, recurrent_dropout=0.1, max_epochs=5, random_state=0)
    >>> model.fit(X, X.sum(axis=1)).predict(X).shape
    (100,)
    """

    __module__ = "sklrnn.cells"

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = len(self.gates) * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))

    def forward(self, x: Tensor, first: Any = None, state_mask: Tensor | None = None) -> tuple[Tensor, Any]:
        done = run_kernel(self, x, first, state_mask)  # for some cells of this package
        return self.unroll(x, first, state_mask) if done is None else done
