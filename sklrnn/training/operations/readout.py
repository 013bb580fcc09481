"""What the head reads of the states h_1, ..., h_T: one vector a sequence, with r the gradient of it.

::

    last       h_T                  dh_T = r
    mean       sum_t h_t / T        dh_t = r / T
    max        max_t h_t            dh_t = r where h_t is the maximum, the first one if there are several, else 0
    attention  sum_t a_t h_t        ds_t = a_t (h_t - sum_u a_u h_u) r,  dh_t = a_t r + ds_t w,  dw = sum_t ds_t h_t
               with a = softmax(s), s_t = h_t w

Steps of padding take no part.
"""

from typing import Any

import torch
from torch import Tensor

from sklrnn.kernels.program import fill, move
from sklrnn.nn.layers import real_steps
from sklrnn.nn.readout import AttentionState
from sklrnn.training.operations.recurrent import make_signal
from sklrnn.training.operations.signal import EpochArrays, Instructions, Signal, refuse_frozen


class _Readout:
    """Reads states, and hands the gradient on to them."""

    def __init__(self, states: Signal) -> None:
        self._states, self._grad_states = states.values, states.gradient
        self.output = make_signal(*states.values.shape[1:])
        self._grad = self.output.gradient


class LastState(_Readout):
    """The newest real state; of units that were read backwards, those after ``n_forwards``, that at the first step.

    ``adds`` its gradient to that of another operation that reads the same states; ``others_add`` tells that others add
    to its own.
    """

    def __init__(self, states: Signal, n_forwards: int, *, adds: bool = False, others_add: bool = False) -> None:
        super().__init__(states)
        self._n, self._adds, self._others_add = n_forwards, adds, others_add
        self._newest: Any = -1
        self._grad_states.zero_()

    def forward(self, batch: dict[str, Tensor]) -> None:
        lengths = batch.get("lengths")
        if lengths is not None:
            self._newest = lengths - 1, torch.arange(len(lengths))
        self.output.values[:, : self._n] = self._states[..., : self._n][self._newest]
        self.output.values[:, self._n :] = self._states[0, :, self._n :]

    def backward(self) -> None:
        of_forwards, of_backwards = self._grad_states[..., : self._n], self._grad_states[0, :, self._n :]
        if self._adds:
            of_forwards[self._newest] += self._grad[:, : self._n]
            of_backwards += self._grad[:, self._n :]
            return
        if self._newest != -1 or self._others_add:  # elsewhere zeros stay from batch to batch
            self._grad_states.zero_()
        of_forwards[self._newest] = self._grad[:, : self._n]
        of_backwards.copy_(self._grad[:, self._n :])

    def instructions(self, epoch: EpochArrays) -> Instructions | None:
        if self._others_add:
            return None
        forward, backward = [], []
        for step, units in ((-1, slice(self._n)), (0, slice(self._n, None))):
            states, gradient = self._states[step, :, units], self._grad_states[step, :, units]
            if states.shape[1]:
                forward.append(move(self.output.values[:, units], states))
                backward.append(move(gradient, self._grad[:, units], adds=self._adds))
        return forward, backward


class MeanState(_Readout):
    """The mean of the states. ``adds`` its gradient to that of another operation that reads the same states."""

    def __init__(self, states: Signal, *, adds: bool = False) -> None:
        super().__init__(states)
        self._adds = adds

    def forward(self, batch: dict[str, Tensor]) -> None:
        lengths = batch.get("lengths")
        if lengths is None:
            self._real = None
            torch.mean(self._states, dim=0, out=self.output.values)
            return
        self._real, self._lengths = padding_of(lengths, len(self._states)).logical_not_(), lengths.unsqueeze(1)
        total = self._states.masked_fill(~self._real, 0.0).sum(dim=0)
        torch.div(total, self._lengths, out=self.output.values)

    def backward(self) -> None:
        if self._real is None:
            share = (self._grad / len(self._states)).expand_as(self._grad_states)
        else:
            share = self._grad / self._lengths * self._real
        if self._adds:
            self._grad_states.add_(share)
        else:
            self._grad_states.copy_(share)

    def instructions(self, epoch: EpochArrays) -> Instructions:
        n_steps, mean = len(self._states), self.output.values
        forward = [fill(mean), move(mean, self._states, adds=True, divisor=n_steps)]
        return forward, [move(self._grad_states, self._grad, adds=self._adds, divisor=n_steps)]


class MaxState(_Readout):
    def forward(self, batch: dict[str, Tensor]) -> None:
        lengths, states = batch.get("lengths"), self._states
        if lengths is not None:
            states = states.masked_fill(padding_of(lengths, len(states)), -torch.inf)
        torch.amax(states, dim=0, out=self.output.values)
        self._real_states = states

    def backward(self) -> None:
        is_largest = torch.eq(self._real_states, self.output.values, out=self._grad_states)
        if (is_largest.sum(dim=0) == 1).all():
            is_largest.mul_(self._grad)
        else:  # several are; finding the first one takes longer
            first = self._real_states.max(dim=0, keepdim=True).indices
            self._grad_states.zero_().scatter_(0, first, self._grad.unsqueeze(0))


class AttendedState(_Readout):
    def __init__(self, readout: AttentionState, states: Signal) -> None:
        super().__init__(states)
        refuse_frozen("the attention", [readout.weight])
        self._weight, self._grad_weight = readout.weight.detach(), readout.weight.grad

    def forward(self, batch: dict[str, Tensor]) -> None:
        lengths = batch.get("lengths")
        scores = self._states @ self._weight  # (time, sample)
        self._real_states = self._states
        if lengths is not None:
            padding = padding_of(lengths, len(scores))
            scores.masked_fill_(padding.squeeze(2), -torch.inf)
            self._real_states = self._states.masked_fill(padding, 0.0)
        self._shares = scores.softmax(dim=0)
        torch.sum(self._shares.unsqueeze(2) * self._real_states, dim=0, out=self.output.values)

    def backward(self) -> None:
        states, shares = self._real_states, self._shares
        grad_scores = shares * ((states * self._grad).sum(dim=2) - (self.output.values * self._grad).sum(dim=1))
        torch.mul(shares.unsqueeze(2), self._grad, out=self._grad_states)
        self._grad_states.add_(grad_scores.unsqueeze(2) * self._weight)
        torch.sum(grad_scores.unsqueeze(2) * states, dim=(0, 1), out=self._grad_weight)


def padding_of(lengths: Tensor, n_steps: int) -> Tensor:
    """True where a step is padding: (time, sample, 1)."""
    return ~real_steps(lengths, n_steps).t().unsqueeze(2)
