import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
import torch
from skorch.callbacks import LRScheduler
from torch import nn

from sklrnn import GRURegressor
from sklrnn.training.optimizers import FlatAdam, FlatAdamW, FlatNAdam, FlatRMSprop, FlatSGD


def some_network():
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    for weight in network.parameters():
        nn.init.normal_(weight, generator=generator)
    network[0].bias.requires_grad_(False)
    return network, torch.randn(16, 3, generator=generator)


@pytest.mark.parametrize(
    ("ours", "of_torch", "decay"),
    [
        (FlatAdam, torch.optim.Adam, 0.0),
        (FlatAdam, torch.optim.Adam, 0.1),
        (FlatAdamW, torch.optim.AdamW, 0.1),
    ],
)
def test_steps_are_those_of_torch(ours, of_torch, decay):
    network, x = some_network()
    same = deepcopy(network)
    flat = ours([{"params": list(network.parameters())}], lr=0.05, weight_decay=decay)
    one_by_one = of_torch(same.parameters(), lr=0.05, weight_decay=decay)
    for step in range(30):
        for module, optimizer in [(network, flat), (same, one_by_one)]:
            optimizer.zero_grad()
            (module(x).square().sum() * (step + 1)).backward()
        flat.weights.clip(1.0)
        nn.utils.clip_grad_norm_(same.parameters(), 1.0)
        flat.step()
        one_by_one.step()
    for weight, of_torch_weight in zip(network.parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(weight, of_torch_weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("ours", "of_torch"),
    [(FlatSGD, torch.optim.SGD), (FlatRMSprop, torch.optim.RMSprop), (FlatNAdam, torch.optim.NAdam)],
)
def test_steps_on_flat_weights_are_those_on_weights_one_by_one(ours, of_torch):
    network, x = some_network()
    same = deepcopy(network)
    flat = ours([{"params": list(network.parameters())}], lr=0.01)
    one_by_one = of_torch([weight for weight in same.parameters() if weight.requires_grad], lr=0.01)
    for _ in range(10):
        for module, optimizer in [(network, flat), (same, one_by_one)]:
            optimizer.zero_grad()
            module(x).square().mean().backward()
            optimizer.step()
    for weight, of_torch_weight in zip(network.parameters(), same.parameters(), strict=True):
        torch.testing.assert_close(weight, of_torch_weight, rtol=1e-6, atol=1e-7)


def test_a_short_gradient_is_not_cut():
    network, x = some_network()
    flat = FlatAdam([{"params": list(network.parameters())}], lr=0.05)
    network(x).sum().backward()
    before = flat.weights.gradients.clone()
    flat.weights.clip(1e6)
    torch.testing.assert_close(flat.weights.gradients, before, rtol=1e-6, atol=0.0)


def test_training_continues_where_a_state_was_saved():
    network, x = some_network()
    flat = FlatAdam([{"params": list(network.parameters())}], lr=0.05)

    def steps(module, optimizer, n):
        for _ in range(n):
            optimizer.zero_grad()
            module(x).square().sum().backward()
            optimizer.step()

    steps(network, flat, 3)
    again, _ = some_network()
    again.load_state_dict(network.state_dict())
    resumed = FlatAdam([{"params": list(again.parameters())}], lr=0.5)
    resumed.load_state_dict(deepcopy(flat.state_dict()))
    steps(network, flat, 3)
    steps(again, resumed, 3)
    for weight, other in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=0.0, atol=0.0)


def test_a_scheduler_of_torch_sets_the_rate():
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20.0)
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.5)
    model = GRURegressor(units=3, max_epochs=3, learning_rate=0.08, callbacks=[("rate", schedule)], random_state=0)
    rates = [epoch["event_lr"] for epoch in model.fit(X, y).net_.history]
    assert rates == pytest.approx([0.08, 0.04, 0.02])


def test_a_first_fit_imports_no_compiler_and_leaves_warnings_alone():
    program = """
import sys, warnings
import numpy as np
from sklrnn import GRURegressor
GRURegressor
before = list(warnings.filters)
GRURegressor(units=3, max_epochs=2, random_state=0).fit(np.zeros((8, 4)), np.arange(8.0))
assert warnings.filters == before, [entry for entry in warnings.filters if entry not in before]
assert not {"torch._dynamo", "sympy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
