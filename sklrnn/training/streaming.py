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
    sequence is; where the newest step changes how earlier ones are read (backward cells, convolutions, a scale for each
    window), the whole sequence is read again. ``decode`` is given the raw outputs and the steps so far, where these are
    kept; ``warn`` tells whether it warned about a step, which it does once.
    """

    def __init__(
        self,
        network: Network,
        check: Callable[[Any], Array],
        decode: Callable[[Array, Any], Any],
        *,
        segment_length: int,
        keeps_steps: bool = False,
        warn: Callable[[Array], bool] | None = None,
    ) -> None:
        architecture = network.architecture
        self._network = network
        self._check = check
        self._decode = decode
        self._warn = warn
        rereads = architecture.bidirectional or architecture.filters or architecture.normalize_X == "window"
        self._keeps_state = not rereads and not keeps_steps
        self._segment_length = segment_length if architecture.stateful else None
        self._steps: Tensor | None = None
        self._state: list[Any] | None = None
        self._read_so_far: Any = None  # what the readout keeps of the states of earlier steps
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
        checked = np.asarray(self._check(x))[np.newaxis, np.newaxis]  # (sample, time, feature)
        if self._warn is not None and self._warn(checked):
            self._warn = None
        now = torch.tensor(checked)
        now = now.double() if now.is_floating_point() else now  # tokens are integers
        steps_so_far = None
        with torch.inference_mode():
            if self._keeps_state:
                states, _, self._state = self._network.encode(now, self._state)
                final = self._pooled(states)
            else:
                self._steps = now if self._steps is None else torch.cat([self._steps, now], dim=1)
                steps_so_far = self._steps
                states, final, new_state = self._network.encode(self._steps, self._state)
                if self._steps.shape[1] == self._segment_length:
                    self._steps, self._state = None, new_state
            # With a prediction at every step, the newest one is given.
            raw = self._network.apply_head(states[-1:], final).reshape(1, -1).numpy()
        self.n_steps += 1
        return self._decode(raw, None if steps_so_far is None else steps_so_far.numpy())[0]

    def _pooled(self, states: Tensor) -> Tensor:
        """What the head reads after one more step; a stateful network reads each segment by itself."""
        if self._segment_length is not None and self.n_steps % self._segment_length == 0:
            self._read_so_far = None
        self._read_so_far = self._network.readout.extend(self._read_so_far, states)
        return self._network.readout.read(self._read_so_far)
