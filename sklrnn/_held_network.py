"""An estimator that holds a network: training it safely, saving and loading it."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from sklrnn._epoch_hooks import CALLBACK_STATE
from sklrnn._threads import count_threads, thread_limit
from sklrnn.network import dropouts
from sklrnn.training import choose_device


class HeldNetwork(BaseEstimator):
    """What everything that keeps a network in ``net_`` shares, whatever the network answers."""

    net_: Any
    units: int | tuple[int, ...]
    n_jobs: int | None
    device: str
    batch_size: int
    _seed: int

    def _make_net(self, network: Any, device: str | None = None) -> Any:
        raise NotImplementedError

    def _rebuild(self) -> nn.Module:
        """Assemble the network again, whatever its weights."""
        raise NotImplementedError

    # -- around training ---------------------------------------------------------------------------------------------

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """A fit that fails must not pass for a model, nor spoil the one that was there before."""
        before = dict(vars(self))
        net = before.get("net_")
        weights = None if net is None else copy.deepcopy(net.module.state_dict())
        try:
            yield
        except BaseException:
            # scikit-learn's callbacks are still to be torn down.
            before |= {name: value for name, value in vars(self).items() if name in CALLBACK_STATE}
            self.__dict__ = before
            if net is not None:
                net.module.load_state_dict(weights)
                net.module.eval()
                net.initialized_ = False  # the moments of the optimizer are those of the failed fit
            raise

    @contextmanager
    def _threads(self) -> Iterator[None]:
        units = as_tuple(self.units)
        with thread_limit(count_threads(self.n_jobs, batch_size=self.batch_size, units=units)):
            yield

    @contextmanager
    def _dropout_generator(self, network: nn.Module, epoch: int) -> Iterator[None]:
        generator = torch.Generator().manual_seed(int(np.random.SeedSequence([self._seed, epoch]).generate_state(1)[0]))
        for layer in dropouts(network):
            layer.generator = generator
        try:
            yield
        finally:
            for layer in dropouts(network):
                layer.generator = None

    # -- state is numpy ----------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        net = state.pop("net_", None)
        if net is not None:
            state["_weights"] = {
                name: value.detach().cpu().numpy().copy() for name, value in net.module.state_dict().items()
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is None:
            return
        network = self._rebuild()
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
        try:
            device = choose_device(self.device)
        except ValueError:
            device = torch.device("cpu")
            warnings.warn(f'There is no device="{self.device}" here; the model is loaded to the CPU.', stacklevel=2)
        self.net_ = self._make_net(network.eval(), device=str(device))
        network.to(device)


def as_tuple(sizes: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """Widths of layers: none, one, or some."""
    if sizes is None:
        return ()
    return tuple(int(size) for size in sizes) if isinstance(sizes, tuple | list) else (int(sizes),)
