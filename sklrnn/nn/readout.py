"""What the head reads of the hidden states of a sequence: the newest, their mean, their maximum, or a weighted mean."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from sklrnn.nn.layers import real_steps

Pooling = Literal["last", "mean", "max", "attention"]


class Readout(nn.Module):
    """One vector for each sequence, from the hidden states (time, sample, unit) of its real steps.

    A stream gives one step after the other to ``extend``, which keeps what ``read`` needs to answer for all of them.
    """

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The vectors (sample, unit); ``final`` is the final state of each sequence."""
        raise NotImplementedError

    def extend(self, so_far: Any, states: Tensor) -> Any:
        """Add one step (1, sample, unit) to what earlier steps left, which is None before the first."""
        raise NotImplementedError

    def read(self, so_far: Any) -> Tensor:
        """The vectors for the steps so far."""
        raise NotImplementedError


class LastState(Readout):
    """The final state: of a backward cell that at the first step."""

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        return final

    def extend(self, so_far: Any, states: Tensor) -> Any:
        return states[-1]

    def read(self, so_far: Any) -> Tensor:
        last: Tensor = so_far
        return last


class MeanState(Readout):
    """The mean of the states of all steps."""

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is None:
            return states.mean(dim=0)
        real = real_steps(lengths, len(states)).t().unsqueeze(2)
        return states.masked_fill(~real, 0.0).sum(dim=0) / lengths.unsqueeze(1)

    def extend(self, so_far: Any, states: Tensor) -> Any:
        total, n_steps = so_far or (0.0, 0)
        return total + states[0], n_steps + 1

    def read(self, so_far: Any) -> Tensor:
        total, n_steps = so_far
        mean: Tensor = total / n_steps
        return mean


class MaxState(Readout):
    """The largest value of each unit over all steps."""

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is not None:
            states = states.masked_fill(~real_steps(lengths, len(states)).t().unsqueeze(2), -torch.inf)
        return states.max(dim=0).values

    def extend(self, so_far: Any, states: Tensor) -> Any:
        return states[0] if so_far is None else torch.maximum(so_far, states[0])

    def read(self, so_far: Any) -> Tensor:
        largest: Tensor = so_far
        return largest


class AttentionState(Readout):
    """A weighted mean of the states: the weights of the steps are the softmax of a learnt score of each state.

    The scores begin at zero, so an untrained network reads the mean.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, states: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        scores = states @ self.weight.to(states)  # (time, sample)
        if lengths is not None:
            scores = scores.masked_fill(~real_steps(lengths, len(states)).t(), -torch.inf)
            # Whatever stands in padding has the weight zero; zero times infinity would be NaN.
            states = states.masked_fill(~real_steps(lengths, len(states)).t().unsqueeze(2), 0.0)
        return (scores.softmax(dim=0).unsqueeze(2) * states).sum(dim=0)

    def extend(self, so_far: Any, states: Tensor) -> Any:
        score = (states[0] @ self.weight.to(states)).unsqueeze(1)  # (sample, 1)
        if so_far is None:
            return states[0], torch.ones_like(score), score
        # Weights are measured from the highest score, so that none overflows.
        total, weight, highest = so_far
        new_highest = torch.maximum(highest, score)
        before, now = (highest - new_highest).exp(), (score - new_highest).exp()
        return total * before + states[0] * now, weight * before + now, new_highest

    def read(self, so_far: Any) -> Tensor:
        total, weight, _ = so_far
        mean: Tensor = total / weight
        return mean


def make_readout(pooling: Pooling, width: int) -> Readout:
    """The readout of a name, for states of so many units."""
    if pooling == "attention":
        return AttentionState(width)
    return {"last": LastState, "mean": MeanState, "max": MaxState}[pooling]()
