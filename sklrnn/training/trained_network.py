"""An estimator that holds a network: training it safely, saving and loading it."""

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from sklrnn.nn.network import dropouts
from sklrnn.training.batches import Batches
from sklrnn.training.monitor import Report, Stop, Watch
from sklrnn.training.net import SequenceNet, choose_device, make_net
from sklrnn.training.process import count_threads, thread_limit
from sklrnn.training.sklearn_callbacks import CALLBACK_STATE


class HeldNetwork(BaseEstimator):
    """What everything that keeps a network in ``net_`` shares, whatever the network answers."""

    net_: SequenceNet
    n_iter_: int
    loss_curve_: list[float]
    validation_curve_: list[float] | None
    best_validation_loss_: float | None
    _seed: int

    units: int | tuple[int, ...]
    l1: float
    l2: float
    optimizer: Any
    learning_rate: float
    schedule: Literal["constant", "one_cycle"]
    batch_size: int
    max_grad_norm: float | None
    tol: float
    callbacks: list[Any] | None
    n_jobs: int | None
    device: str
    verbose: int

    def _per_row_loss(self) -> Any:
        """A module that gives the loss of each row of raw outputs."""
        raise NotImplementedError

    def _rebuild(self) -> nn.Module:
        """Assemble the network again, whatever its weights."""
        raise NotImplementedError

    def _make_net(self, network: nn.Module, device: str | None = None) -> SequenceNet:
        return make_net(
            network,
            self._per_row_loss(),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            device=choose_device(device or self.device),
            callbacks=self.callbacks,
            l1=self.l1,
            l2=self.l2,
            max_grad_norm=self.max_grad_norm,
        )

    # -- training ----------------------------------------------------------------------------------------------------

    def _forget_curves(self) -> None:
        self.loss_curve_ = []
        self.validation_curve_ = self.best_validation_loss_ = None

    def _run_epochs(
        self,
        batches: Batches,
        judge: Batches | None,
        *,
        epochs: int,
        patience: int | None,
        between_epochs: Callable[[], bool] | None = None,
        trained_before: bool = False,
    ) -> None:
        """Train what ``net_`` holds; ``judge`` holds out what says when to stop, and which weights were best."""
        net = self.net_
        batches.epoch = len(self.loss_curve_)
        watch = Watch(
            max_epochs=epochs,
            validated=judge is not None,
            patience=patience if self.schedule == "constant" else None,
            tol=self.tol,
            learning_rate=self.learning_rate,
            between_epochs=between_epochs,
        )
        with self._threads(), self._dropout_generator(net.module, batches.epoch):
            if not net.initialized_:
                net.initialize()
            net.stopped_by_callback_ = False
            net.plan(self.schedule, self.learning_rate, n_steps=epochs * len(batches))
            watch.start_from(net, batches, judge if trained_before else None)
            reports = [("report", Report(max_epochs=epochs, lines=self.verbose == 2))] if self.verbose else []
            others = net.callbacks_
            net.callbacks_ = [("watch", watch), *others, *reports, ("stop", Stop(watch))]
            try:
                net.partial_fit(batches, judge, epochs=epochs)
                watch.settle(net, batches)
            finally:
                net.callbacks_ = others
                net.module.eval()
        self.loss_curve_ = [*self.loss_curve_, *watch.losses]
        if judge is not None:
            self.validation_curve_ = [*(self.validation_curve_ or []), *watch.validation_losses]
            self.best_validation_loss_ = watch.best_loss if np.isfinite(watch.best_loss) else None
        self.n_iter_ = len(self.loss_curve_)

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

    def _check_unchanged(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        """Training can only go on with the network that was built."""
        changed = [name for name, value in now.items() if value != before[name]]
        if changed:
            raise ValueError(
                f"warm_start=True and partial_fit go on with the network of the previous fit, but {', '.join(changed)} changed: "
                f"{[before[name] for name in changed]} became {[now[name] for name in changed]}. "
                "Set it back, or set warm_start=False and fit anew."
            )

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
