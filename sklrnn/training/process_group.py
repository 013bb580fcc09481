"""The processes that train one network together, and what they exchange.

Where there is one, nothing is exchanged, and nothing takes time.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from sklrnn.nn.batch_share import BatchShare
from sklrnn.training.optimizers import OnFlatWeights
from sklrnn.training.shared_batches import SharedBatches

_ADVICE = (
    "One of them has ended or raised an error (see its output), or did not answer within timeout={:g} s. Start all of "
    "them again; a fit with checkpoint=folder goes on from its last checkpoint."
)


class OneProcess:
    """A process that trains alone.

    Attributes
    ----------
    rank : int
        The number of this process, from 0.
    world_size : int
        The number of processes.
    """

    rank, world_size = 0, 1
    note = ""  # added to how the steps of an epoch were made

    def share(self, batches: Any, *, training: bool) -> Any:
        """What this process reads of each batch."""
        return batches

    def average_step(self, net: Any, step: dict[str, Any]) -> None:
        """Replace the gradients and the loss of a step by their mean over the processes."""

    def sums(self, *numbers: float) -> tuple[float, ...]:
        """The sums of numbers over the processes."""
        return numbers

    def of_all(self, value: Any) -> list[Any]:
        """What each process gives, by rank."""
        return [value]

    def of_first(self, make: Callable[[], Any]) -> Any:
        """What the first process makes; the others make nothing."""
        return make()

    def meet(self, action: str, value: Any = None) -> list[Any]:
        """The same as `of_all`, for processes that may do something else at this point, which is an error."""
        return [value]


ONE_PROCESS = OneProcess()


class ProcessGroup(OneProcess):
    """Several processes, whose tensors are exchanged by torch.distributed."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        # Of its own, so that the time limit is, and that its end is no end of the user's.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
        self._group: Any = None
        self.rank, self.world_size = dist.get_rank(), dist.get_world_size()
        try:
            self._group = dist.new_group(timeout=timedelta(seconds=timeout), backend=backend)
        except RuntimeError as error:
            self._give_up(error)
        self.note = f", gradients averaged over {self.world_size} processes"
        self.owner = os.getpid(), threading.get_ident()
        self.batch_share = BatchShare(self._add_up)
        self._buffer = torch.empty(0)

    # -- training ----------------------------------------------------------------------------------------------------

    def share(self, batches: Any, *, training: bool) -> SharedBatches:
        return SharedBatches(batches, self.batch_share, self.rank, self.world_size, training=training)

    def average_step(self, net: Any, step: dict[str, Any]) -> None:
        """In one exchange: with few weights most of its time is waiting for the answer."""
        if isinstance(net.optimizer_, OnFlatWeights):
            net.optimizer_.weights.collect_gradients()
        weights = (weight for group in net.optimizer_.param_groups for weight in group["params"])
        gradients = [weight.grad for weight in weights if weight.grad is not None]  # frozen weights have none
        sizes = [*(gradient.numel() for gradient in gradients), 1]
        if len(self._buffer) != sum(sizes) or self._buffer.device != gradients[0].device:
            self._buffer = gradients[0].new_empty(sum(sizes))
        parts = self._buffer.split(sizes)
        with torch.no_grad():
            for part, gradient in zip(parts, gradients, strict=False):
                part.copy_(gradient.flatten())
            parts[-1].fill_(step["loss"])
            self._add_up(self._buffer)
            self._buffer /= self.world_size
            for part, gradient in zip(parts, gradients, strict=False):
                gradient.copy_(part.view(gradient.shape))
            loss = parts[-1].clone().squeeze()
        step["loss"] = loss if isinstance(step["loss"], Tensor) else float(loss)

    # -- exchanges ---------------------------------------------------------------------------------------------------

    def sums(self, *numbers: float) -> tuple[float, ...]:
        added = torch.tensor(numbers, dtype=torch.float64)
        self._add_up(added)
        return tuple(added.tolist())

    def of_all(self, value: Any) -> list[Any]:
        values = [None] * self.world_size
        self._exchange(dist.all_gather_object, values, value)
        return values

    def of_first(self, make: Callable[[], Any]) -> Any:
        made = [make() if self.rank == 0 else None]
        self._exchange(dist.broadcast_object_list, made, src=0)
        return made[0]

    def meet(self, action: str, value: Any = None) -> list[Any]:
        actions, values = zip(*self.of_all((action, value)), strict=True)
        for rank, other in enumerate(actions):
            if other != actions[0]:
                self.close()
                raise RuntimeError(
                    f"In data_parallel() process 0 {actions[0]}, but process {rank} {other}. Make the same calls in "
                    "all processes, and leave to one of them only what trains nothing, such as saving a model; predict "
                    "behind the with block."
                )
        return [*values]

    def copy_first(self, tensors: list[Tensor]) -> None:
        """Give all processes the tensors of the first."""
        for tensor in tensors:
            self._exchange(dist.broadcast, tensor.detach(), src=0)

    def _add_up(self, tensor: Tensor) -> None:
        self._exchange(dist.all_reduce, tensor)

    def _exchange(self, how: Callable[..., Any], *what: Any, **options: Any) -> None:
        if self._group is None:
            raise ConnectionError(
                "The processes of data_parallel() lost each other in an earlier fit. Start all of them again."
            )
        try:
            how(*what, group=self._group, **options)
        except RuntimeError as error:
            self._give_up(error)

    def _give_up(self, error: RuntimeError) -> NoReturn:
        self.close()
        raise ConnectionError(
            f"Process {self.rank} of {self.world_size} lost the others in data_parallel(). "
            f"{_ADVICE.format(self._timeout)} torch.distributed says: {error}"
        ) from error

    def close(self) -> None:
        """End the exchange; processes that wait for this one are told by an error."""
        group, self._group = self._group, None
        if group is not None:
            with suppress(RuntimeError):  # of a group that is broken already
                dist.destroy_process_group(group)

    def wait(self) -> None:
        """Let all processes come here before one ends the exchange."""
        with suppress(ConnectionError):  # all models are trained
            self.meet("leaves the with block")
