"""One sequence, read step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.nn.network import Network

Array = NDArray[Any]


class Stream:
    """Takes one time step at a time and predicts like ``predict`` on the sequence so far.

    Made by an estimator's ``start_stream``. The hidden state is kept, so a step costs the same however long the
    sequence is; where the newest step changes how earlier ones are read (backward cells, convolutions), the whole
    sequence is read again.
    """

    def __init__(
        self, network: Network, check: Callable[[Any], Array], decode: Callable[[Array], Any], *, segment_length: int
    ) -> None:
        architecture = network.architecture
        self._network = network
        self._check = check
        self._decode = decode
        self._keeps_state = not architecture.bidirectional and not architecture.filters
        self._segment_length = segment_length if architecture.stateful else None
        self._steps: Tensor | None = None
        self._state: list[Any] | None = None
        self.n_steps = 0

    def step(self, x: Any) -> Any:
        """Read one more time step.

        Parameters
        ----------
        x : float or array-like of shape (feature,)
            The features of the step.

        Returns
        -------
        prediction : object
            What ``predict`` gives for the sequence so far: a number, a row of outputs, or a label.
        """
        now = torch.from_numpy(np.asarray(self._check(x)))[None, None]  # (sample, time, feature)
        now = now.double() if now.is_floating_point() else now  # tokens are integers
        with torch.inference_mode():
            if self._keeps_state:
                states, final, self._state = self._network.encode(now, self._state)
            else:
                self._steps = now if self._steps is None else torch.cat([self._steps, now], dim=1)
                states, final, new_state = self._network.encode(self._steps, self._state)
                if self._steps.shape[1] == self._segment_length:
                    self._steps, self._state = None, new_state
            # With a prediction at every step, the newest one is given.
            raw = self._network.apply_head(states[-1:], final).reshape(1, -1).numpy()
        self.n_steps += 1
        return self._decode(raw)[0]
