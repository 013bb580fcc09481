"""A network that is trained, trained on, restored, copied, saved, and run in blocks."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback

from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import Samples
from sklrnn.nn.losses import regression_loss
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.saved_state import with_stamp
from sklrnn.training import inference, monitor, train_step
from sklrnn.training.batches import Batches
from sklrnn.training.curves import Curves
from sklrnn.training.fused_step import make_fused_step
from sklrnn.training.inference import all_states
from sklrnn.training.net import SequenceNet
from sklrnn.training.optimizers import one_cycle
from sklrnn.training.trained_network import TrainedNetwork, TrainingOptions, train

CPU = torch.device("cpu")
LOSS = regression_loss("squared_error").per_sample
OPTIONS = TrainingOptions(
    seed=3,
    max_epochs=3,
    patience=None,
    optimizer="adamw",
    learning_rate=0.01,
    schedule="constant",
    tol=1e-4,
    l1=0.0,
    l2=0.0,
    max_grad_norm=1.0,
    callbacks=None,
    device="cpu",
    n_threads=1,
    verbose=0,
)
X = np.random.default_rng(0).normal(size=(50, 6, 2))
Y = X[:, -2:, 0].sum(axis=1)[:, np.newaxis]


def some_network(**options):
    return NetworkArchitecture(n_features=2, n_outputs=1, cell="gru", units=(5,), **options).build(seed=OPTIONS.seed)


def batches(rows=slice(40), seed=0):
    return Batches(Samples(X[rows], Y[rows]), batch_size=16, device=CPU, seed=seed)


def validation():
    return batches(slice(40, None), seed=None)


def trained(*, validated=False, network=None, **changes):
    network = some_network() if network is None else network
    return train(network, LOSS, batches(), validation() if validated else None, replace(OPTIONS, **changes))


def weights_of(model):
    return [value.clone() for value in model.module.state_dict().values()]


def assert_same_weights(one, other, **tolerance):
    for left, right in zip(one, other, strict=True):
        torch.testing.assert_close(left, right, **tolerance or {"rtol": 0.0, "atol": 0.0})


# -- training ----------------------------------------------------------------------------------------------------------


def test_training_gives_a_network_that_is_ready_to_predict():
    network = some_network()
    before = [weight.detach().clone() for weight in network.parameters()]
    model = trained(network=network, max_epochs=5)
    assert model.module is network is model.net.module_
    assert not network.training
    assert model.architecture == network.architecture
    assert model.n_parameters == sum(w.numel() for w in network.parameters() if w.requires_grad)
    assert model.device == CPU
    assert any(not torch.equal(one, other) for one, other in zip(before, network.parameters(), strict=True))
    assert len(model.curves.loss) == 5
    assert model.curves.loss[-1] < model.curves.loss[0]
    assert (model.curves.validation, model.curves.best_validation) == (None, None)
    assert model.options == replace(OPTIONS, max_epochs=5)


@pytest.mark.parametrize(("callbacks", "times"), [(None, 1), ([Callback()], 3)])
def test_operations_are_listed_once_for_all_epochs_unless_a_callback_may_change_the_network(
    callbacks, times, monkeypatch
):
    made = []
    monkeypatch.setattr(train_step, "make_fused_step", lambda *given: made.append(given) or make_fused_step(*given))
    with_callbacks = replace(OPTIONS, max_epochs=3, callbacks=callbacks)
    train(some_network(), LOSS, batches(slice(32)), None, with_callbacks)
    assert len(made) == times


def test_the_network_is_evaluated_once_where_nothing_is_held_out(monkeypatch):
    evaluate, losses = SequenceNet.evaluate, []
    monkeypatch.setattr(
        SequenceNet, "evaluate", lambda *given, **how: losses.append(evaluate(*given, **how)) or losses[-1]
    )
    trained()
    assert len(losses) == 1


def test_a_loss_is_large_only_beside_that_of_the_untrained_network(monkeypatch):
    expected = trained()
    share = 0.9 * min(expected.curves.loss)  # of 1, which every loss exceeds, but not of 1 + that of the first weights
    monkeypatch.setattr(monitor, "_DIVERGENCE_FACTOR", share)
    network = some_network()
    with torch.no_grad():
        network.head.bias += 1e3
    assert len(trained(network=network).curves.loss) == OPTIONS.max_epochs
    with pytest.raises(ValueError, match="the loss exploded"):
        trained(network=some_network(), learning_rate=1e3)


def test_the_best_epoch_on_the_validation_batches_is_kept():
    model = trained(validated=True, max_epochs=30, learning_rate=0.3)
    curves = model.curves
    assert len(curves.validation) == len(curves.loss) == 30
    assert curves.best_validation == min(curves.validation) < curves.validation[-1]
    assert model.net.evaluate(validation()) == pytest.approx(curves.best_validation)


def test_patience_ends_training():
    assert len(trained(validated=True, max_epochs=500, patience=2, tol=0.01).curves.loss) < 100


def test_the_network_can_be_used_after_each_epoch():
    seen = []

    def on_epoch_end(model):
        seen.append((model.curves, model.run(X[:3])))
        return len(seen) == 2

    model = train(some_network(), LOSS, batches(), validation(), OPTIONS, on_epoch_end=on_epoch_end)
    assert len(seen) == len(model.curves.loss) == 2
    assert seen[0][0].loss == model.curves.loss[:1]
    assert seen[1][0] == model.curves
    assert not np.array_equal(seen[0][1], seen[1][1])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", torch.optim.AdamW])
def test_training_continues_as_if_it_had_never_stopped(optimizer):
    at_once = trained(max_epochs=3, optimizer=optimizer)
    model = trained(max_epochs=1, optimizer=optimizer)
    for _ in range(2):
        options = replace(OPTIONS, max_epochs=1, optimizer=optimizer)
        model = model.continue_training(LOSS, batches(), None, options, keep_optimizer=True)
    assert_same_weights(weights_of(model), weights_of(at_once))
    assert model.curves == at_once.curves


def test_continued_training_has_its_own_curves_and_the_same_module():
    first = trained()
    curves = first.curves
    second = first.continue_training(LOSS, batches(), None, OPTIONS)
    assert first.curves is curves
    assert second.curves.loss[:3] == curves.loss
    assert len(second.curves.loss) == 6
    assert second.module is first.module
    assert second.net is not first.net  # a fresh optimizer
    assert second.curves.loss[3] < curves.loss[0]


def test_continued_training_takes_over_changed_options_but_not_the_seed():
    first = trained()
    options = replace(OPTIONS, seed=99, learning_rate=0.002, l2=0.1, max_grad_norm=None)
    second = first.continue_training(LOSS, batches(), None, options, keep_optimizer=True)
    assert second.net is first.net
    assert (second.net.l2, second.net.max_grad_norm) == (0.1, None)
    assert {group["lr"] for group in second.net.optimizer_.param_groups} == {0.002}
    assert second.options == replace(options, seed=OPTIONS.seed)
    other = second.continue_training(LOSS, batches(), None, replace(options, optimizer="sgd"), keep_optimizer=True)
    assert isinstance(other.net.optimizer_, torch.optim.SGD)


def test_continued_training_keeps_weights_that_were_better():
    first = trained(validated=True, max_epochs=30)
    before, best = weights_of(first), first.net.evaluate(validation())
    second = first.continue_training(
        LOSS, batches(), validation(), replace(OPTIONS, learning_rate=3.0, optimizer="sgd")
    )
    assert_same_weights(weights_of(second), before)
    assert second.curves.best_validation == pytest.approx(best)
    assert len(second.curves.validation) == 33


def test_random_layers_draw_from_the_seed_of_the_network_and_from_nothing_else():
    state = torch.get_rng_state()
    one, same, other = (trained(network=some_network(dropout=0.4), seed=seed) for seed in (3, 3, 4))
    assert one.curves == same.curves != other.curves
    assert torch.equal(state, torch.get_rng_state())


def test_training_on_without_validation_drops_a_curve_that_belongs_to_other_weights():
    first = trained(validated=True)
    second = first.continue_training(LOSS, batches(), None, OPTIONS)
    assert (second.curves.validation, second.curves.best_validation) == (None, None)
    assert second.curves.loss[:3] == first.curves.loss
    assert len(first.curves.validation) == 3


def test_best_epoch_is_that_of_the_weights():
    assert trained(max_epochs=5).curves.best_epoch == 5  # without validation the newest
    first = trained(validated=True, max_epochs=30)
    assert first.curves.best_epoch == 1 + int(np.argmin(first.curves.validation))
    worse = first.continue_training(LOSS, batches(), validation(), replace(OPTIONS, learning_rate=3.0, optimizer="sgd"))
    assert worse.curves.best_epoch == first.curves.best_epoch
    better = first.continue_training(LOSS, batches(), validation(), replace(OPTIONS, max_epochs=30, tol=0.0))
    assert better.curves.best_epoch == 1 + int(np.argmin(better.curves.validation))


class HalveTheRate(Callback):
    def on_epoch_end(self, net, **_):
        net._set_rate(net.optimizer_.param_groups[0]["lr"] / 2)


def test_learning_rate_is_recorded_for_each_epoch():
    model = trained(callbacks=[HalveTheRate()])
    assert model.curves.learning_rate == (0.01, 0.005, 0.0025)
    second = model.continue_training(LOSS, batches(), None, replace(OPTIONS, learning_rate=0.1, max_epochs=1))
    assert second.curves.learning_rate == (0.01, 0.005, 0.0025, 0.1)
    planned = list(one_cycle(0.01, 9))  # three batches in each of three epochs
    assert trained(schedule="one_cycle").curves.learning_rate == (planned[2], planned[5], planned[8])


# -- failures ----------------------------------------------------------------------------------------------------------


class Fail(Callback):
    """Raises an error once it is told to."""

    error = None

    def on_batch_end(self, net, **kwargs):
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("optimizer", ["adamw", "nadam", torch.optim.SGD])
@pytest.mark.parametrize("keep_optimizer", [False, True])
def test_a_copy_trains_as_the_network_itself_would_which_stays_as_it_is(keep_optimizer, optimizer):
    options = replace(OPTIONS, optimizer=optimizer)
    model = train(some_network(dropout=0.4), LOSS, batches(), None, options)
    weights, history = weights_of(model), list(model.net.history)
    how = (LOSS, batches(), None, options)
    copied = model.copy().continue_training(*how, keep_optimizer=keep_optimizer)
    assert_same_weights(weights_of(model), weights)
    assert model.net.history == history
    itself = model.continue_training(*how, keep_optimizer=keep_optimizer)
    assert_same_weights(weights_of(copied), weights_of(itself))
    assert copied.curves == itself.curves


def test_a_copy_that_fails_leaves_the_network_and_its_optimizer_alone():
    fail = Fail()
    options = replace(OPTIONS, callbacks=[fail])
    model, same = (train(some_network(), LOSS, batches(), None, options) for _ in range(2))
    fail.error = RuntimeError("on purpose")
    with pytest.raises(RuntimeError, match="on purpose"):
        model.copy().continue_training(LOSS, batches(), None, options, keep_optimizer=True)
    fail.error = None
    again, expected = (
        each.continue_training(LOSS, batches(), None, options, keep_optimizer=True) for each in (model, same)
    )
    assert_same_weights(weights_of(again), weights_of(expected))


# -- copies and saving -------------------------------------------------------------------------------------------------


def from_state(model):
    return TrainedNetwork.from_state(model.to_state(), NetworkArchitecture, LOSS, model.options)


WAYS = {
    "copy": TrainedNetwork.copy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "state": from_state,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_has_weights_of_its_own(way):
    model = trained(validated=True, optimizer="adam", learning_rate=0.02)
    other = way(model)
    before = model.run(X)
    assert_array_equal(other.run(X), before)
    assert_array_equal(other.run(X.astype(np.float32)), model.run(X.astype(np.float32)))
    assert (other.curves, other.options, other.architecture) == (model.curves, model.options, model.architecture)
    assert not other.module.training
    assert other.module is not model.module
    continued = other.continue_training(LOSS, batches(), None, OPTIONS, keep_optimizer=True)
    assert len(continued.curves.loss) == 6
    assert not np.array_equal(continued.run(X), before)
    assert_array_equal(model.run(X), before)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("options", "path"), [({}, "compiled"), ({"pooling": "attention"}, "fused")], ids=str)
def test_how_a_network_was_trained_stays_known(options, path, way):
    model = trained(network=some_network(**options))
    assert way(model).net.path_ == model.net.path_ == path
    assert way(way(model)).net.path_ == path


def test_a_state_that_does_not_tell_how_it_was_trained_is_loaded():
    state = trained().to_state()
    earlier = {name: value for name, value in state.items() if name not in ("path", "sklrnn_format")}
    loaded = TrainedNetwork.from_state(with_stamp(earlier, TrainedNetwork), NetworkArchitecture, LOSS, OPTIONS)
    assert loaded.net.path_ == ""


def test_a_state_is_plain_values_and_arrays():
    model = trained(validated=True)
    state = model.to_state()
    weights = state.pop("weights")
    assert {type(value) for value in weights.values()} == {np.ndarray}
    assert weights.keys() == model.module.state_dict().keys()
    assert json.loads(json.dumps(state))["architecture"]["units"] == [5]
    saved = {name: value.copy() for name, value in weights.items()}
    model.continue_training(LOSS, batches(), None, OPTIONS)
    for name, value in weights.items():
        assert_array_equal(value, saved[name])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_state_from_a_device_that_is_missing_is_loaded_to_the_cpu():
    model = trained()
    with pytest.warns(UserWarning, match='device="cuda" is not available here'):
        loaded = TrainedNetwork.from_state(model.to_state(), NetworkArchitecture, LOSS, replace(OPTIONS, device="cuda"))
    assert loaded.device == CPU
    assert_array_equal(loaded.run(X), model.run(X))


# -- running -----------------------------------------------------------------------------------------------------------

NETWORKS = {
    "plain": {},
    "two directions": {"bidirectional": True},
    "stack": {"bidirectional": True, "dropout": 0.3},
    "pooling": {"filters": (4,), "pool_size": 2},
    "each step": {"return_sequences": True},
    "direct": {"n_direct_steps": 2},
}
every_network = pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)


def untrained(**options):
    network = some_network(**options)
    state = {
        "architecture": network.architecture.to_dict(),
        "weights": {name: value.numpy() for name, value in network.state_dict().items()},
        "seed": OPTIONS.seed,
        **Curves().to_state(),
        "training": None,
    }
    return TrainedNetwork.from_state(with_stamp(state, TrainedNetwork), NetworkArchitecture, LOSS, OPTIONS)


def module_in(model, dtype):
    return pickle.loads(pickle.dumps(model)).module.to(torch.float64 if dtype == np.float64 else torch.float32)


@pytest.mark.parametrize("at_once", [2**22, 150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_network
def test_run_is_the_forward_pass_of_the_module(options, dtype, at_once, monkeypatch):
    monkeypatch.setattr(inference, "_NUMBERS_AT_ONCE", at_once)
    model = untrained(**options)
    with torch.no_grad():
        expected = module_in(model, dtype)(torch.from_numpy(X.astype(dtype))).numpy()
    raw = model.run(X.astype(dtype))
    assert raw.dtype == dtype
    assert_allclose(raw, expected, rtol=0 if dtype == np.float64 else 1e-4, atol=1e-6)


@pytest.mark.parametrize("at_once", [2**22, 150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", list(NETWORKS.values())[:-1], ids=list(NETWORKS)[:-1])  # all but "direct"
def test_run_gives_each_ragged_sequence_what_it_gets_alone(options, dtype, at_once, monkeypatch):
    monkeypatch.setattr(inference, "_NUMBERS_AT_ONCE", at_once)
    model = untrained(**options)
    rows = [x[: 1 + place % 6].astype(dtype) for place, x in enumerate(X)]
    module, raw = module_in(model, dtype), model.run(Ragged.from_list(rows))
    assert isinstance(raw, Ragged) == model.architecture.return_sequences
    raw = raw.split() if isinstance(raw, Ragged) else raw
    for row, prediction in zip(rows, raw, strict=True):
        with torch.no_grad():
            alone = module(torch.from_numpy(row)[None]).numpy()[0]
        assert prediction.dtype == dtype
        assert_allclose(prediction, alone, rtol=0 if dtype == np.float64 else 1e-4, atol=1e-6)


@pytest.mark.parametrize("ragged", [False, True])
def test_run_reads_hidden_states(ragged):
    model = untrained(bidirectional=True)
    rows = [x[: 1 + place % 6] for place, x in enumerate(X)]
    states = model.run(Ragged.from_list(rows) if ragged else X, read=all_states, per_timestep=True)
    module = module_in(model, np.float64)
    for row, own in zip(rows if ragged else X, states.split() if ragged else states, strict=True):
        with torch.no_grad():
            expected, _, _ = module.encode(torch.from_numpy(np.ascontiguousarray(row))[None])
        assert_allclose(own, expected[:, 0].numpy(), rtol=0, atol=1e-6)


def test_a_stateful_network_passes_its_state_from_block_to_block(monkeypatch):
    model = untrained(stateful=True)
    module = module_in(model, np.float64)
    with torch.no_grad():
        states, _, _ = module.encode(torch.from_numpy(X.reshape(1, -1, 2)))
        expected = module.head(states[5::6, 0]).numpy()
    for at_once in (2**22, 300):
        monkeypatch.setattr(inference, "_NUMBERS_AT_ONCE", at_once)
        assert_allclose(model.run(X), expected, rtol=0, atol=1e-6)


def test_integers_run_in_double_precision():
    model = trained()
    numbers = np.arange(12).reshape(1, 6, 2)
    assert model.run(numbers).dtype == np.float64
    assert_array_equal(model.run(numbers), model.run(numbers.astype(np.float64)))


def test_views_can_be_run():
    model = trained()
    windows = np.lib.stride_tricks.sliding_window_view(X.reshape(-1, 2), 6, axis=0).transpose(0, 2, 1)
    assert_array_equal(model.run(windows), model.run(windows.copy()))
    assert_array_equal(model.run(windows[::-1, ::-1]), model.run(windows[::-1, ::-1].copy()))


def test_double_precision_follows_the_weights():
    model = trained()
    before, precise = model.run(X), model.double_copy()
    model.continue_training(LOSS, batches(), None, OPTIONS)
    with torch.no_grad():
        assert_allclose(precise(torch.from_numpy(X)).numpy(), before, atol=1e-6)
        expected = model.double_copy()(torch.from_numpy(X)).numpy()
    assert_allclose(model.run(X), expected, atol=1e-6)
    assert not np.allclose(before, expected, atol=1e-3)
    assert next(model.module.parameters()).dtype == torch.float32
