"""What training goes on with beside the weights that predict: moments of the optimizer, and the newest weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklrnn.training.net import SequenceNet
from sklrnn.training.optimizers import FlatAdam

State = dict[str, Any]


def training_state(net: SequenceNet) -> State:
    """The state of the optimizer and of the weight average of a net that was initialised, as tensors."""
    optimizer = net.optimizer_
    return {
        "average": net.average_.to_state(),
        "moments": [dict(optimizer.state.get(weight, {})) for weight in _parameters(optimizer)],
        "settings": [
            {name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups
        ],
    }


def restore_training_state(net: SequenceNet, state: State) -> None:
    """Give such a state to a net with the same layers and weights."""
    net.average_.load_state(state["average"])
    optimizer = net.optimizer_
    for weight, moments in zip(_parameters(optimizer), state["moments"], strict=True):
        optimizer.state[weight].update(_map(moments, partial(_beside, weight, optimizer)))
    for group, settings in zip(optimizer.param_groups, state["settings"], strict=True):
        group.update(settings)


def to_plain(state: State) -> State:
    """The same with arrays in place of tensors, for a saved model."""
    plain: State = _map(state, lambda tensor: tensor.detach().cpu().numpy().copy())
    return plain


def from_plain(state: State) -> State:
    """The same with tensors in place of arrays."""
    tensors: State = _map(state, lambda array: torch.from_numpy(array.copy()))
    return tensors


def is_finite(state: Any) -> bool:
    """Whether a plain state holds neither NaN nor infinity."""
    found: list[bool] = []
    _map(state, lambda array: found.append(bool(np.isfinite(array).all())))
    return all(found)


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change all tensors and arrays, in dicts and lists too."""
    if isinstance(value, Tensor | np.ndarray):
        return change(value)
    if isinstance(value, dict):
        return {name: _map(item, change) for name, item in value.items()}
    return type(value)(_map(item, change) for item in value) if isinstance(value, list | tuple) else value


def _beside(weight: Tensor, optimizer: torch.optim.Optimizer, tensor: Tensor) -> Tensor:
    """On the device of the weight; the count of steps only where one operator does the whole update."""
    is_fused = isinstance(optimizer, FlatAdam) or any(group.get("fused") for group in optimizer.param_groups)
    return tensor.to(weight.device) if tensor.ndim or is_fused else tensor


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]
