"""Checkpoints: the state of a training in a file after an epoch, so that it can go on after the process has ended.

A folder holds one file for each training, named after its fingerprint: a hash of all that the result depends on. So
several trainings share a folder, those of a search too, and each finds its own file and no other.
"""

import hashlib
import io
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from skorch.callbacks import Callback
from skorch.history import History
from torch import Tensor, nn

from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.saved_state import Saved, hashed_parts
from sklrnn.training.batches import Batches
from sklrnn.training.block_batches import BlockBatches
from sklrnn.training.monitor import TrainingMonitor
from sklrnn.training.net import SequenceNet
from sklrnn.training.process_group import ONE_PROCESS, OneProcess
from sklrnn.training.training_state import restore_training_state, training_state

_FORMAT = b"sklrnn checkpoint 1\n"
_DIGEST_BYTES = 32
# What a training is, and not how long it takes or what it shows. A training with more epochs goes on from one with
# fewer, unless they follow one schedule.
_NOT_IN_FINGERPRINT = ("max_epochs", "callbacks", "n_threads", "verbose", "checkpoint")


@dataclass(frozen=True)
class Checkpoints(Saved):
    """Where and how often the state of a training is written.

    Parameters
    ----------
    folder : str or path
        It is made if it does not exist. Many fits can share one.
    every_epochs : int, default=1
        Write after so many epochs, and after the last one.
    every_minutes : float, default=0.0
        Write only if so much time has passed since the last time.

    See Also
    --------
    GRURegressor : Its parameter `checkpoint` takes the folder alone, or an object of this class.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklrnn import Checkpoints, GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> plan = Checkpoints(tempfile.mkdtemp(), every_epochs=5)
    >>> model = GRURegressor(units=4, max_epochs=10, random_state=0, checkpoint=plan)
    >>> model.fit(X, X.sum(axis=(1, 2))).n_iter_
    10
    """

    __module__ = "sklrnn"

    folder: str | os.PathLike[str]
    every_epochs: int = 1
    every_minutes: float = 0.0

    def __post_init__(self) -> None:
        if not self.every_epochs >= 1 or not self.every_minutes >= 0:
            raise ValueError(
                f"every_epochs must be at least 1 and every_minutes at least 0, got {self.every_epochs!r} and "
                f"{self.every_minutes!r}."
            )


class TrainingCheckpoint(Callback):
    """Writes the state of a training after its epochs, and restores it.

    It is notified last, when all that belongs to an epoch has been recorded.
    """

    def __init__(
        self,
        plan: Checkpoints,
        monitor: TrainingMonitor,
        fingerprint: str,
        generator: torch.Generator,
        processes: OneProcess = ONE_PROCESS,
    ) -> None:
        self._processes = processes
        self._plan, self._monitor, self._generator = plan, monitor, generator
        self._path = Path(plan.folder) / f"{fingerprint}.checkpoint"
        self._written_at, self._n_written, self._can_write = time.monotonic(), 0, processes.rank == 0
        if not self._can_write:  # the first process writes for all
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _write(self._path.with_suffix(f".{uuid.uuid4().hex}"), b"", keep=False)
        except OSError as error:
            raise ValueError(
                f"checkpoint={str(plan.folder)!r} can't be written to: {error}. Name a folder that this process may "
                "create files in, or set checkpoint=None."
            ) from error

    # -- writing -----------------------------------------------------------------------------------------------------

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        n_epochs = len(self._monitor.losses)
        if n_epochs <= self._n_written or not self._can_write:
            return
        is_due = n_epochs - self._n_written >= self._plan.every_epochs
        is_due &= time.monotonic() - self._written_at >= 60 * self._plan.every_minutes
        if is_due or self._monitor.stop:
            self.write(net)

    def write(self, net: SequenceNet) -> None:
        """Write the state; where this fails, training goes on without, and one warning says why."""
        buffer = io.BytesIO()
        torch.save(self._state(net), buffer)
        content = buffer.getvalue()
        try:
            _write(self._path, _FORMAT + hashlib.sha256(content).digest() + content)
        except OSError as error:
            self._can_write = False
            warn_user(
                f"The checkpoint {self._path} can't be written: {error}. Training goes on without checkpoints: if it "
                f"is ended from outside, the next fit goes on after epoch {self._n_written}."
            )
            return
        self._written_at, self._n_written = time.monotonic(), len(self._monitor.losses)

    def _state(self, net: SequenceNet) -> dict[str, Any]:
        return {
            "weights": net.module_.state_dict(),
            "criterion": net.criterion_.state_dict(),
            **training_state(net),
            "monitor": self._monitor.to_state(),
            "generator": self._generator.get_state(),
            "history": json.dumps(list(net.history), default=float),
            "path": net.path_,
        }

    # -- going on ----------------------------------------------------------------------------------------------------

    def restore(self, net: SequenceNet) -> int:
        """Take up the state of the file, if there is one, and give the number of its epochs."""
        state = self._processes.of_first(self._read)  # the others may not see its folder
        if state is None:
            return 0
        n_epochs = len(state["monitor"]["losses"])
        if n_epochs > self._monitor.max_epochs:  # a training with fewer epochs; the longer one keeps its file
            self._n_written = n_epochs
            return 0
        net.module_.load_state_dict(state["weights"])
        net.criterion_.load_state_dict(state["criterion"])
        restore_training_state(net, state)
        self._monitor.load_state(state["monitor"])
        self._generator.set_state(state["generator"])
        net.history_ = History(json.loads(state["history"]))
        net.path_ = state.get("path", "")
        self._n_written = n_epochs
        return n_epochs

    def _read(self) -> dict[str, Any] | None:
        try:
            stored = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"The checkpoint {self._path} can't be read: {error}.") from error
        content = stored[len(_FORMAT) + _DIGEST_BYTES :]
        if stored != _FORMAT + hashlib.sha256(content).digest() + content:
            warn_user(
                f"The checkpoint {self._path} is damaged, or is not one of this version of sklrnn. It is ignored: the "
                "fit starts from its first epoch, and will overwrite it."
            )
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return state


def _write(path: Path, content: bytes, *, keep: bool = True) -> None:
    """Write a file that is there as a whole or not at all, whenever the process or the machine ends."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if keep:
            os.replace(temporary, path)
            _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Without this a new name may be lost when the power fails; some systems can't do it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def fingerprint_of(
    network: nn.Module, loss: nn.Module, batches: Batches, validation: Batches | None, options: Any
) -> str:
    """A hash of all that a training depends on: data, initial weights, architecture, loss and options."""
    names = {field.name for field in fields(options)} - {*_NOT_IN_FINGERPRINT}
    if options.schedule != "constant":
        names.add("max_epochs")
    content = {
        "options": {name: repr(getattr(options, name)) for name in names},
        "network": (type(network).__qualname__, repr(network.architecture), network.state_dict()),
        "loss": (repr(loss), loss.state_dict()),
        "data": (batches, validation),
    }
    return hash_of(content)


def hash_of(content: Any) -> str:
    """A hash of values, arrays, tensors, and objects that hold them."""
    found = hashlib.blake2b(digest_size=20)
    for part in hashed_parts(content, _parts_of_object):
        found.update(part)
    return found.hexdigest()


def _parts_of_object(value: Any) -> Iterator[bytes]:
    """Those of tensors, and of what an object holds."""
    yield f"{type(value).__qualname__};".encode()
    content: Any
    if isinstance(value, Tensor):
        content = value.detach().cpu().numpy()
    elif isinstance(value, Ragged):
        content = value.flat(), value.lengths
    elif isinstance(value, BlockBatches):
        content = value.identity
    elif isinstance(value, type):
        content = value.__qualname__
    else:
        content = vars(value) if hasattr(value, "__dict__") else repr(value)
    yield from hashed_parts(content, _parts_of_object)
