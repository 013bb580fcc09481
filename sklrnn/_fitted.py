"""A fitted network at work: running it in blocks, and reading it step by step."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sklrnn._held_network import HeldNetwork
from sklrnn.network import Architecture, Network, build_network
from sklrnn.streaming import Stream
from sklrnn.training import as_tensor

Array = NDArray[Any]

# Numbers that a prediction holds in memory at a time, for each layer.
_NUMBERS_AT_ONCE = 2**22


Show = Callable[[Network, Tensor, Tensor], Tensor]


def _answer(network: Network, states: Tensor, final: Tensor) -> Tensor:
    raw: Tensor = network.head(final)
    return raw


class FittedNetwork(HeldNetwork):
    """What an estimator can do once it holds a ``net_``."""

    _architecture: dict[str, Any]

    def _check_X(self, X: Any, *, reset: bool) -> Array:
        raise NotImplementedError

    def _rebuild(self) -> Network:
        return build_network(Architecture(**self._architecture), seed=0)

    # -- running the network -----------------------------------------------------------------------------------------

    @property
    def module_(self) -> Network:
        """The fitted network: a ``torch.nn.Module``."""
        network: Network = self.net_.module
        return network

    def hidden_states(self, X: Any) -> Array:
        """Read sequences and give the state of the last recurrent layer after each step.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature)
            Sequences.

        Returns
        -------
        states : ndarray of shape (sample, time, unit)
            With ``bidirectional=True`` forward units come first, then backward ones; pooling shortens the time axis.
        """
        return self._run(X, lambda network, states, final: states.transpose(0, 1))

    def start_stream(self) -> Stream:
        """Begin to read one sequence step by step.

        Returns
        -------
        stream : Stream
            Its ``step(x)`` takes the features of one time step and answers like ``predict`` on the sequence so far.
        """
        check_is_fitted(self, "net_")
        # Steps one by one are fastest on the CPU, wherever the network was trained.
        return Stream(self, copy.deepcopy(self.module_).cpu().double())

    def _raw(self, X: Any) -> Array:
        return self._run(X)

    def _run(self, X: Any, show: Show = _answer) -> Array:
        """Run the network in the precision of X, in blocks of bounded size."""
        check_is_fitted(self, "net_")
        return self._run_checked(self._check_X(X, reset=False), show)

    def _run_checked(self, X: Array, show: Show = _answer) -> Array:
        network = self._network_for(X.dtype)
        widest = max(X.shape[2], *(4 * units for units in self._architecture["units"]))
        rows_at_once = max(1, _NUMBERS_AT_ONCE // (X.shape[1] * widest))
        device = network.head.weight.device
        n_strands = 1 if self._architecture["stateful"] else None
        carried = None
        blocks = []
        with torch.inference_mode(), self._threads():
            for start in range(0, len(X), rows_at_once):
                x = as_tensor(np.array(X[start : start + rows_at_once]), device)
                states, final, last = network.read(x, carried, n_strands=n_strands)
                blocks.append(show(network, states, final).cpu().numpy())
                carried = last if n_strands else None
        return np.concatenate(blocks).astype(X.dtype, copy=False)

    def _network_for(self, dtype: np.dtype[Any]) -> Network:
        if dtype == np.float32 or self.module_.head.weight.device.type == "mps":
            return self.module_
        # Double precision makes a row's answer the same whatever rows stand beside it.
        return copy.deepcopy(self.module_).double()

    @property
    def _n_step_features(self) -> int:
        return int(self._architecture["n_features"])
