"""One sequence, read step by step."""

from typing import Any

import torch
from torch import Tensor

from sklrnn.inputs.validation import check_single_step
from sklrnn.nn.network import Network


class Stream:
    """Takes one time step at a time and answers like ``predict`` on the sequence so far.

    Made by an estimator's ``start_stream``. The recurrent state is carried, so a step costs the same however long the
    sequence is; where the newest step changes how earlier ones are read (backward cells, convolutions), the whole
    sequence is read again.
    """

    def __init__(self, estimator: Any, network: Network) -> None:
        self._estimator = estimator
        self._network = network
        architecture = estimator._architecture
        self._carries = not architecture["bidirectional"] and not architecture["filters"]
        self._seen: Tensor | None = None
        self._carried: list[Any] | None = None
        self._segment_length = estimator._segment_length if architecture["stateful"] else None
        self.n_steps = 0

    def step(self, x: Any) -> Any:
        """Read one more time step.

        Parameters
        ----------
        x : float or array-like of shape (feature,)
            The features of the step.

        Returns
        -------
        answer : object
            What ``predict`` gives for the sequence so far: a number, a row of outputs, or a label.
        """
        checked = check_single_step(self._estimator, x)
        now = torch.from_numpy(checked)[None, None]  # (sample, time, feature)
        now = now.double() if now.is_floating_point() else now  # tokens are whole numbers
        with torch.inference_mode():
            if self._carries:
                states, final, self._carried = self._network.read(now, self._carried)
            else:
                self._seen = now if self._seen is None else torch.cat([self._seen, now], dim=1)
                states, final, last = self._network.read(self._seen, self._carried)
                if self._seen.shape[1] == self._segment_length:
                    self._seen, self._carried = None, last
            # With an answer at every step the newest one counts.
            raw = self._network.answer(states[-1:], final).reshape(1, -1).numpy()
        self.n_steps += 1
        return self._estimator._decode(raw)[0]
