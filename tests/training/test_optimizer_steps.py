"""The numbers of steps that a program makes, against the steps of torch's optimizers."""

import numpy as np
import pytest
import torch
from torch import nn

from sklrnn.kernels._program_arguments import StepConstants
from sklrnn.training.optimizer_steps import OptimizerSteps
from sklrnn.training.optimizers import FlatAdam, FlatAdamW, FlatNAdam, FlatRMSprop, FlatSGD

N_WEIGHTS = 16
OF_TORCH = {
    FlatAdam: torch.optim.Adam,
    FlatAdamW: torch.optim.AdamW,
    FlatNAdam: torch.optim.NAdam,
    FlatRMSprop: torch.optim.RMSprop,
    FlatSGD: torch.optim.SGD,
}


def some_weights():
    return nn.Parameter(torch.linspace(-1.0, 1.0, N_WEIGHTS))


def some_gradients(n):
    return torch.randn(n, N_WEIGHTS, generator=torch.Generator().manual_seed(0)).numpy()


def make_steps(steps, weights, gradients, rates):
    """The steps as `StepConstants` has them, on the moments of the optimizer itself."""
    mean, square = (np.zeros(0) if moment is None else moment.numpy() for moment in steps.means)
    for gradient, row in zip(gradients, steps.count(np.asarray(rates)), strict=True):
        c, g = StepConstants(*row), gradient
        if steps.is_decoupled:
            weights -= c.decay * weights
        else:
            g = g + c.decay * weights
        change = c.gradient_rate * g
        if len(mean):
            mean += c.new_share * (g - mean)
            change = change + c.mean_rate * mean
        if len(square):
            square += c.new_square_share * (g * g - square)
            change = change / (np.sqrt(square) / c.correction + c.epsilon)
        weights -= change


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("kind", OF_TORCH, ids=lambda kind: kind.__name__)
def test_steps_of_a_program_are_those_of_torch(kind, decay):
    gradients, rates = some_gradients(7), np.linspace(0.1, 0.04, 7)
    flat = kind([{"params": [some_weights()]}], lr=0.1, weight_decay=decay)
    steps = OptimizerSteps(flat)
    for part in (slice(0, 3), slice(3, 4), slice(4, 7)):
        make_steps(steps, flat.weights.values.numpy(), gradients[part], rates[part])
    weights = some_weights()
    of_torch = OF_TORCH[kind]([weights], lr=0.1, weight_decay=decay)
    for gradient, rate in zip(gradients, rates, strict=True):
        of_torch.param_groups[0]["lr"] = rate
        weights.grad = torch.from_numpy(gradient)
        of_torch.step()
    np.testing.assert_allclose(flat.weights.values.numpy(), weights.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", OF_TORCH, ids=lambda kind: kind.__name__)
def test_steps_of_a_program_and_of_the_optimizer_follow_on_each_other(kind):
    gradients = some_gradients(6)
    mixed, alone = (kind([{"params": [some_weights()]}], lr=0.05) for _ in range(2))
    for number, gradient in enumerate(gradients):
        alone.weights.gradients[:] = torch.from_numpy(gradient)
        alone.step()
        if number in (1, 4):
            mixed.weights.gradients[:] = torch.from_numpy(gradient)
            mixed.step()
        else:
            make_steps(OptimizerSteps(mixed), mixed.weights.values.numpy(), [gradient], [0.05])
    np.testing.assert_allclose(mixed.weights.values.numpy(), alone.weights.values.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "settings", "exist"),
    [
        (FlatSGD, {}, True),
        (FlatSGD, {"momentum": 0.9}, False),
        (FlatSGD, {"maximize": True}, False),
        (FlatRMSprop, {}, True),
        (FlatRMSprop, {"centered": True}, False),
        (FlatRMSprop, {"momentum": 0.5}, False),
        (FlatNAdam, {}, True),
        (FlatNAdam, {"decoupled_weight_decay": True}, False),
        (FlatAdam, {}, True),
        (FlatAdamW, {}, True),
    ],
)
def test_programs_make_the_steps_of_plain_settings_alone(kind, settings, exist):
    assert OptimizerSteps.exist_for(kind([{"params": [some_weights()]}], lr=0.01, **settings)) is exist


def test_programs_make_no_steps_of_torchs_own_optimizers_or_of_two_groups():
    assert not OptimizerSteps.exist_for(torch.optim.SGD([some_weights()], lr=0.01))
    flat = FlatSGD([{"params": [some_weights()]}], lr=0.01)
    flat.add_param_group({"params": [some_weights()]})
    assert not OptimizerSteps.exist_for(flat)
