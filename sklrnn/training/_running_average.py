"""The weights that answer: a mean over the last steps of training."""

from collections.abc import Sequence

from torch import Tensor


class RunningAverage:
    """The mean of the weights over the last hundred steps or so: less noisy, and better, than where training stands.

    Outside a training epoch the module holds the mean, and this holds the weights to go on from.
    """

    HORIZON = 0.99

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._live = [weight.detach() for weight in weights]
        self._other = [weight.clone() for weight in self._live]
        self._n_steps = 0
        self._shown = True

    def update(self) -> None:
        """Take one more step's weights into the mean; a young mean forgets faster, as it began with random weights."""
        self._n_steps += 1
        share = 1.0 - min(self.HORIZON, (1 + self._n_steps) / (10 + self._n_steps))
        for mean, weight in zip(self._other, self._live, strict=True):
            mean.lerp_(weight, share)

    def show(self, shown: bool) -> None:
        """Put the mean into the module, or the weights of training."""
        if shown != self._shown:
            for other, weight in zip(self._other, self._live, strict=True):
                kept = weight.clone()
                weight.copy_(other)
                other.copy_(kept)
            self._shown = shown
