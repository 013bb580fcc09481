"""What the processes that train one network agree on: at the start, after each epoch, and at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from skorch.callbacks import Callback
from torch import nn

from sklrnn.nn.batch_share import BatchLayer
from sklrnn.training.batches import Batches
from sklrnn.training.checkpoint import hash_of
from sklrnn.training.data_parallel import current_processes
from sklrnn.training.devices import tensors_of
from sklrnn.training.monitor import StopTraining
from sklrnn.training.net import SequenceNet
from sklrnn.training.process_group import ONE_PROCESS, OneProcess, ProcessGroup

# Each process may use a device, threads and callbacks of its own.
_OF_ONE_PROCESS = ("seed", "callbacks", "device", "n_threads", "verbose", "checkpoint")
_AS_PARAMETER = {"patience": "n_iter_no_change"}


class StopTogether(Callback):
    """Ends training in all processes where a callback ended it in one of them. It is notified first."""

    def __init__(self, processes: OneProcess) -> None:
        self._processes = processes
        self._has_ended = False

    def on_epoch_begin(self, net: SequenceNet, **_: Any) -> None:
        """Ask the others whether they go on too."""
        if self._ends(goes_on=True):
            raise StopTraining

    def end(self, interrupt: KeyboardInterrupt | None) -> None:
        """Tell the others that this process has ended, unless they know; after Ctrl-C their weights may differ."""
        if interrupt is not None and self._processes.world_size > 1:
            raise interrupt
        if not self._has_ended:
            self._ends(goes_on=False)

    def _ends(self, *, goes_on: bool) -> bool:
        (n_going_on,) = self._processes.sums(float(goes_on))
        self._has_ended = n_going_on < self._processes.world_size
        return self._has_ended


@contextmanager
def trained_together(
    net: SequenceNet, loss: nn.Module, batches: Batches, validation: Batches | None, options: Any
) -> Iterator[StopTogether]:
    """Let a net be trained in a block by all processes there are; the callback that is given is to be notified first.

    They start from the weights of the first, and end with the same. An error in one of them is told to the others.
    """
    processes = current_processes()
    if not isinstance(processes, ProcessGroup):
        yield StopTogether(processes)
        return
    _check_same(processes, net.module, loss, batches, validation, options)
    layers = [layer for layer in net.module.modules() if isinstance(layer, BatchLayer)]
    try:
        processes.copy_first(tensors_of(net.module))
        net.processes = processes
        for layer in layers:
            layer.use_share(processes.batch_share)
        yield StopTogether(processes)
        _check_same_weights(processes, net.module)
    except BaseException:
        processes.close()
        raise
    finally:
        net.processes = ONE_PROCESS
        for layer in layers:
            layer.use_share(None)


def _check_same(
    processes: ProcessGroup,
    network: nn.Module,
    loss: nn.Module,
    batches: Batches,
    validation: Batches | None,
    options: Any,
) -> None:
    """Refuse processes that would train different models, in all of them."""
    own = {"seed": None, "device": None, "batch_size": None}
    data = [None if part is None else vars(part) | own for part in (batches, validation)]
    names = [field.name for field in fields(options) if field.name not in _OF_ONE_PROCESS]
    mine = {
        "random_state": repr([options.seed, batches.seed]),
        "X, y or sample_weight": hash_of(data),
        "batch_size": repr(batches.batch_size),
        "checkpoint": repr(options.checkpoint is None),
        "the network": repr([type(network).__qualname__, network.architecture]),
        "loss": repr(loss),
        **{_AS_PARAMETER.get(name, name): repr(getattr(options, name)) for name in names},
    }
    first, *others = processes.meet("starts a fit", mine)
    for rank, other in enumerate(others, start=1):
        differing = next((name for name in first if first[name] != other[name]), None)
        if differing is not None:
            raise ValueError(
                "In data_parallel() all processes must fit the same model on the same data, but process "
                f"{rank} differs from process 0 in {differing}. Give each process all of the data: it takes its share "
                "of every batch by itself."
            )
    if batches.batch_size < processes.world_size:
        raise ValueError(
            f"data_parallel() shares each batch out to {processes.world_size} processes, and batch_size="
            f"{batches.batch_size} is less. Set batch_size to {processes.world_size} or more, or start fewer processes."
        )


def _check_same_weights(processes: ProcessGroup, network: nn.Module) -> None:
    hashes = processes.of_all(hash_of(network.state_dict()))
    if len({*hashes}) > 1:
        raise RuntimeError(
            "The processes of data_parallel() ended with different weights, so the model is not one. A callback that "
            "changes the network must do the same in all processes."
        )
