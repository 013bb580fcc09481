import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
import torch
from skorch.callbacks import LRScheduler
from torch import nn

from sklrnn import GRURegressor
from sklrnn.training.optimizers import (
    FlatAdam,
    FlatAdamW,
    FlatNAdam,
    FlatRMSprop,
    FlatSGD,
    FlatWeights,
    WeightAverage,
    copy_optimizer_state,
    one_cycle,
    optimizer_settings,
)


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


def test_weights_begin_at_cache_lines_and_stay_views_of_one_tensor():
    network, x = some_network()
    before = [weight.clone() for weight in network.parameters()]
    flat = FlatWeights(network.parameters())
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    assert len(flat.values) == 16 + 16 + 16  # of 15, 10 and 2 numbers
    for weight, start in zip(trained, (0, 16, 32), strict=True):
        assert weight.data_ptr() == flat.values[start:].data_ptr()
        assert weight.grad.data_ptr() == flat.gradients[start:].data_ptr()
    for weight, old in zip(network.parameters(), before, strict=True):
        assert torch.equal(weight, old)
    network(x).sum().backward()
    assert float(flat.gradients[15]) == 0.0
    assert float(flat.gradients[32]) == len(x)


def test_gradients_that_were_replaced_or_removed_are_collected():
    network, _ = some_network()
    flat = FlatWeights(network.parameters())
    flat.gradients.fill_(7.0)
    first, *_, last = (weight for weight in network.parameters() if weight.requires_grad)
    first.grad, last.grad = torch.full_like(first, 3.0), None
    flat.collect_gradients()
    assert flat.gradients[:15].unique().tolist() == [3.0]
    assert flat.gradients[16:26].unique().tolist() == [7.0]
    assert flat.gradients[32:34].unique().tolist() == [0.0]
    assert first.grad.data_ptr() == flat.gradients.data_ptr()


@pytest.mark.parametrize("kind", [FlatAdam, FlatSGD])
def test_a_closure_is_evaluated_once_and_its_loss_given_back(kind):
    network, x = some_network()
    optimizer = kind([{"params": list(network.parameters())}], lr=0.05)
    before = optimizer.weights.values.clone()

    def closure():
        optimizer.zero_grad()
        loss = network(x).square().mean()
        loss.backward()
        return loss

    first, second = (float(optimizer.step(closure).detach()) for _ in range(2))
    assert second < first
    assert not torch.equal(before, optimizer.weights.values)
    assert optimizer.step() is None


@pytest.mark.parametrize("kind", [FlatAdam, FlatRMSprop])
def test_a_copied_state_goes_on_as_the_other(kind):
    network, x = some_network()
    other = deepcopy(network)
    source, target = (
        kind([{"params": list(module.parameters())}], lr=lr) for module, lr in [(network, 0.1), (other, 9)]
    )

    def step(module, optimizer):
        optimizer.zero_grad()
        module(x).square().mean().backward()
        optimizer.step()

    step(network, source)
    other.load_state_dict(network.state_dict())
    copy_optimizer_state(source, target)
    step(network, source)
    after = source.weights.values.clone()
    step(other, target)
    assert torch.equal(target.weights.values, after)
    assert target.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", FlatAdam), ("adamw", FlatAdamW), ("nadam", FlatNAdam), ("rmsprop", FlatRMSprop), ("sgd", FlatSGD)],
)
def test_an_optimizer_by_name_is_one_on_flat_weights(name, kind):
    network, _ = some_network()
    settings = optimizer_settings(name, network, torch.device("cpu"))
    assert settings.pop("optimizer") is kind
    assert settings == {"adamw": {"optimizer__weight_decay": 0.15}, "sgd": {"optimizer__fused": True}}.get(name, {})


def test_an_optimizer_by_class_is_that_of_torch():
    network, _ = some_network()
    settings = optimizer_settings(torch.optim.Adam, network, torch.device("cpu"))
    assert settings == {"optimizer": torch.optim.Adam, "optimizer__fused": True}
    assert optimizer_settings(torch.optim.Adam, network, torch.device("mps")) == {"optimizer": torch.optim.Adam}
    network[2].double()
    assert optimizer_settings("adam", network, torch.device("cpu"))["optimizer"] is torch.optim.Adam
    with pytest.raises(ValueError, match="SparseAdam needs sparse gradients"):
        optimizer_settings(torch.optim.SparseAdam, network, torch.device("cpu"))


@pytest.mark.parametrize("n_steps", [1, 2, 10, 25])
def test_a_cycle_rises_for_three_tenths_of_the_steps_and_falls_to_almost_nothing(n_steps):
    rates = np.array(list(one_cycle(2.0, n_steps)))
    n_rising = max(1, int(0.3 * n_steps))
    assert len(rates) == n_steps
    done = np.arange(n_rising) / n_rising
    np.testing.assert_allclose(rates[:n_rising], 0.08 + 1.92 * (1 - np.cos(np.pi * done)) / 2)
    done = np.arange(n_steps - n_rising) / max(1, n_steps - n_rising)
    np.testing.assert_allclose(rates[n_rising:], 2e-5 + (2 - 2e-5) * (1 + np.cos(np.pi * done)) / 2)


def test_the_average_of_weights_is_swapped_in_and_out():
    weight = torch.zeros(2)
    average = WeightAverage([weight])
    weight += 1.0
    average.update()  # 1 - min(0.99, 2 / 11) of the newest weights
    weight += 1.0
    average.update()  # 1 - min(0.99, 3 / 12)
    assert average.mean_of_flat().tolist() == pytest.approx([9 / 11 + (2 - 9 / 11) * 0.75] * 2)
    average.show(False)
    assert weight.tolist() == pytest.approx([9 / 11 + (2 - 9 / 11) * 0.75] * 2)
    average.show(False)
    average.show(True)
    assert weight.tolist() == [2.0, 2.0]


def test_the_share_of_new_weights_falls_to_a_hundredth():
    average = WeightAverage([torch.zeros(1)])
    assert average.next_shares(2) == pytest.approx([9 / 11, 9 / 12])
    assert average.next_shares(1) == pytest.approx([9 / 13])
    average.n_steps = 10_000
    assert average.next_shares(1) == pytest.approx([0.01])


def test_an_average_goes_on_from_another_and_from_its_state():
    ours, theirs = WeightAverage([torch.zeros(1)]), WeightAverage([torch.ones(1)])
    theirs.update()
    ours.take_over(theirs)
    assert (ours.n_steps, float(ours.mean_of_flat())) == (1, 1.0)
    loaded = WeightAverage([torch.zeros(1)])
    loaded.load_state(deepcopy(theirs.to_state()))
    assert (loaded.n_steps, float(loaded.mean_of_flat())) == (1, 1.0)


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
