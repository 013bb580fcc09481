"""A skorch net around a network that is to be trained."""

from typing import Any

from skorch.callbacks import Callback
from torch import nn

from sklrnn.training.devices import choose_device
from sklrnn.training.net import SequenceNet
from sklrnn.training.optimizers import optimizer_settings
from sklrnn.training.precision import check_precision


def make_net(network: nn.Module, loss: nn.Module, options: Any) -> SequenceNet:
    """Put a network and a loss, which gives one number a sample, into a skorch net; nothing is initialised yet."""
    device, callbacks = choose_device(options.device), options.callbacks or []
    check_precision(options.precision, device)
    if device.type == "mps":
        network = network.float()
    for callback in callbacks:
        if not isinstance(callback[-1] if isinstance(callback, tuple) else callback, Callback):
            raise ValueError(
                f"callbacks must be instances of skorch.callbacks.Callback, or (name, callback), got {callback!r}."
            )
    return SequenceNet(
        network,
        criterion=loss,
        optimizer_name=options.optimizer,
        lr=options.learning_rate,
        device=device,
        callbacks=list(callbacks),
        verbose=0,
        l1=options.l1,
        l2=options.l2,
        max_grad_norm=options.max_grad_norm,
        precision=options.precision,
        **optimizer_settings(options.optimizer, network, device),
    )
