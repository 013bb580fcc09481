"""A check that every trainable parameter of a network has an effect."""

import copy
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest import SkipTest

import numpy as np

from sklrnn.testing.comparisons import find_difference
from sklrnn.testing.sequence_case import SequenceCase

# Where wrappers keep their network: this package, skorch, and those for Keras.
_HOLDERS = ("module_", "model_", "model", "net_")

Shift = Callable[[], None]


def check_every_parameter_is_alive(case: SequenceCase) -> None:
    """Each trainable parameter of the network changes predictions."""
    model = case.fit()
    answers = case.answers(model)
    names = [name for name, _ in _shifts(model)]
    if not names:
        raise SkipTest(f"{case.name} shows no network: neither a torch module nor get_weights and set_weights.")
    dead = []
    for number, name in enumerate(names):
        changed = copy.deepcopy(model)
        _, shift = [*_shifts(changed)][number]
        shift()
        if find_difference(case.answers(changed), answers) is None:
            dead.append(name)
    if dead:
        raise AssertionError(f"The predictions of {case.name} do not depend on its parameter(s) {', '.join(dead)}.")


def _shifts(model: Any) -> Iterator[tuple[str, Shift]]:
    """The name of each trainable parameter, and what changes all its values in place."""
    final = model.steps[-1][1] if hasattr(model, "steps") else model
    for holder in [final, *(getattr(final, name) for name in _HOLDERS if hasattr(final, name))]:
        found = [*_shifts_of_torch(holder), *_shifts_of_keras(holder)]
        if found:
            yield from found
            return


def _shifts_of_torch(holder: Any) -> Iterator[tuple[str, Shift]]:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(holder, torch.nn.Module):
        return
    for name, parameter in holder.named_parameters():
        if parameter.requires_grad:

            def shift(parameter: Any = parameter) -> None:
                shifted = _shifted(parameter.detach().cpu().numpy())
                with torch.no_grad():
                    parameter.copy_(torch.as_tensor(shifted))

            yield name, shift


def _shifts_of_keras(holder: Any) -> Iterator[tuple[str, Shift]]:
    if not (hasattr(holder, "get_weights") and hasattr(holder, "set_weights")):
        return
    for number, _ in enumerate(holder.get_weights()):

        def shift(number: int = number) -> None:
            weights = [np.array(one) for one in holder.get_weights()]
            weights[number] = _shifted(weights[number])
            holder.set_weights(weights)

        yield f"number {number} of get_weights()", shift


def _shifted(values: Any) -> Any:
    return values + np.random.default_rng(2).uniform(0.2, 0.8, size=values.shape).astype(values.dtype)
