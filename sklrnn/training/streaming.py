"""One sequence, read step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.nn.network import Network
from sklrnn.training.step_reader import StepReader

Array = NDArray[Any]


class Stream:
    """Takes one time step at a time and predicts like ``predict`` on the sequence so far.

    Made by an estimator's ``start_stream``. The states of the layers are kept, so a step costs the same however long
    the sequence is; where the newest step changes how all earlier ones are read (backward cells, a scale for each
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
        a = network.architecture
        self._network = network
        self._check = check
        self._decode = decode
        self._warn = warn
        rereads = a.bidirectional or a.normalize_X == "window" or keeps_steps
        self._reader = None if rereads else StepReader(network)
        # Convolutions and readouts begin anew with each segment, the state goes on.
        self._restarts = a.stateful and (bool(a.filters) or a.pooling != "last")
        self._segment_length = segment_length if a.stateful else None
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
        checked = np.asarray(self._check(x))
        if self._warn is not None and self._warn(checked[np.newaxis, np.newaxis]):  # (sample, time, feature)
            self._warn = None
        checked = checked.astype(np.float64) if checked.dtype.kind == "f" else checked  # tokens are integers
        if self._reader is None:
            return self._decode(*self._read_again(checked))[0]
        if self._restarts and self.n_steps and self.n_steps % self._segment_length == 0:  # type: ignore[operator]
            self._reader = StepReader(self._network, self._reader.state)
        raw = self._reader.read(checked)
        self.n_steps += 1
        return self._decode(raw, None)[0]

    def _read_again(self, x: Array) -> tuple[Array, Array]:
        """Raw outputs for the whole sequence, or segment, and its steps."""
        now = torch.tensor(x)[None, None]
        in_double = self._network.head.weight.dtype != torch.float64
        with torch.inference_mode():
            steps = now if self._steps is None else torch.cat([self._steps, now], dim=1)
            states, final, state = self._network.encode(steps, self._state, in_double=in_double)
            # With a prediction at every step, the newest one is given.
            raw = self._network.apply_head(states[-1:], final).reshape(1, -1)
        ends = steps.shape[1] == self._segment_length
        self._steps, self._state = (None, state) if ends else (steps, self._state)
        self.n_steps += 1
        return raw.numpy(), steps.numpy()
