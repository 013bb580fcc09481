"""A fitted network at work: running it in blocks, and reading it step by step."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sklrnn.inputs.ragged import Ragged, Sequences, for_each_step, in_the_form_of
from sklrnn.nn.network import Architecture, Network, build_network
from sklrnn.training.batches import as_tensor, padded_tensors
from sklrnn.training.streaming import Stream
from sklrnn.training.trained_network import HeldNetwork

Array = NDArray[Any]

# Numbers that a prediction holds in memory at a time, for each layer.
_NUMBERS_AT_ONCE = 2**22


Show = Callable[[Network, Tensor, Tensor], Tensor]


def _answer(network: Network, states: Tensor, final: Tensor) -> Tensor:
    return network.answer(states, final)


def _room_for_all(n_samples: int, answers: Array, dtype: Any) -> Array:
    """One array: small ones, left between large ones that come and go, would spread over the whole memory."""
    return np.empty((n_samples, *answers.shape[1:]), dtype=dtype)


class FittedNetwork(HeldNetwork):
    """What an estimator can do once it holds a ``net_``."""

    _architecture: dict[str, Any]

    def _check_X(self, X: Any, *, reset: bool) -> Sequences:
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
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        states : ndarray of shape (sample, time, unit), or list of ndarray of shape (time_i, unit)
            With ``bidirectional=True`` forward units come first, then backward ones; pooling shortens the time axis.
        """
        check_is_fitted(self, "net_")
        checked = self._check_X(X, reset=False)
        states = self._run_checked(checked, lambda network, states, final: states.transpose(0, 1), per_timestep=True)
        return in_the_form_of(X, states)

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

    def _answers(self, X: Any, read: Callable[[Array], Array]) -> Any:
        """Run the network on X and read answers from its raw outputs: one a sample, or one a step in the form of X."""
        check_is_fitted(self, "net_")
        raw = self._run_checked(self._check_X(X, reset=False))
        if not self._architecture["return_sequences"]:
            return read(raw)
        return in_the_form_of(X, for_each_step(read, raw))

    def _run_checked(self, X: Any, show: Show = _answer, *, per_timestep: bool | None = None) -> Any:
        """Run the network in the precision of X, in blocks of bounded size."""
        dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
        network = self._network_for(dtype)
        if isinstance(X, Ragged):
            per_timestep = network.return_sequences if per_timestep is None else per_timestep
            return self._run_ragged(X, network, show, per_timestep=per_timestep, dtype=dtype)
        rows_at_once = self._rows_at_once(X.shape)
        device = network.head.weight.device
        n_strands = 1 if self._architecture["stateful"] else None
        carried = None
        answers: Any = None
        with torch.inference_mode(), self._threads():
            for start in range(0, len(X), rows_at_once):
                x = as_tensor(np.array(X[start : start + rows_at_once]), device)
                states, final, last = network.read(x, carried, n_strands=n_strands)
                shown = show(network, states, final).cpu().numpy()
                answers = _room_for_all(len(X), shown, dtype) if answers is None else answers
                answers[start : start + len(shown)] = shown
                carried = last if n_strands else None
        return answers

    def _run_ragged(self, X: Ragged, network: Network, show: Show, *, per_timestep: bool, dtype: Any) -> Sequences:
        """The longest sequences first, beside others of about their length; answers are put back in order."""
        order = np.argsort(-X.lengths, kind="stable")
        answers: Any = [None] * len(X) if per_timestep else None
        start = 0
        with torch.inference_mode(), self._threads():
            while start < len(order):
                chosen = order[start : start + self._rows_at_once(X[order[start : start + 1]].shape)]
                x, lengths = padded_tensors(X[chosen], network.head.weight.device)
                states, final, _ = network.read(x, lengths=lengths)
                shown = show(network, states, final).cpu().numpy().astype(dtype, copy=False)
                start += len(chosen)
                if not per_timestep:
                    answers = _room_for_all(len(X), shown, dtype) if answers is None else answers
                    answers[chosen] = shown
                    continue
                n_steps = -(-X.lengths[chosen] // network.front.pool_size)
                for row, values, length in zip(chosen, shown, n_steps, strict=True):
                    answers[row] = values[:length]
        return Ragged.from_list(answers) if per_timestep else answers

    def _rows_at_once(self, shape: tuple[int, ...]) -> int:
        widest = max(shape[2], self._architecture["embedding_dim"], *(4 * n for n in self._architecture["units"]))
        return max(1, _NUMBERS_AT_ONCE // (shape[1] * widest))

    def _network_for(self, dtype: np.dtype[Any]) -> Network:
        if dtype == np.float32 or self.module_.head.weight.device.type == "mps":
            return self.module_
        # Double precision makes a row's answer the same whatever rows stand beside it.
        network: Network = self.net_.in_double_precision()
        return network

    @property
    def _n_step_features(self) -> int:
        return int(self._architecture["n_features"])
