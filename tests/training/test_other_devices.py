"""What a GPU needs, on machines without one: no number is waited for in an epoch, and data that fit stay there.

Tensors on torch's device "meta" have shapes and no numbers: an operation that would wait for a number, copy one back,
or mix devices, is an error.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from sklrnn import GRURegressor, RecurrentRegressor
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import Samples
from sklrnn.nn.convolution import BatchNorm
from sklrnn.nn.losses import classification_loss, regression_loss
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.training import device_rows, new_net
from sklrnn.training.batches import Batches
from sklrnn.training.device_rows import DeviceRows
from sklrnn.training.epoch_losses import EpochLosses
from sklrnn.training.optimizers import FlatAdamW
from sklrnn.training.precision import check_precision
from sklrnn.training.process import seeded
from sklrnn.training.trained_network import TrainingOptions

CPU, META = torch.device("cpu"), torch.device("meta")
LOSS = regression_loss("squared_error").per_sample
OPTIONS = TrainingOptions(
    seed=0,
    max_epochs=2,
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
RAGGED = Ragged.from_list([x[: 3 + number % 4] for number, x in enumerate(X)])
TOKENS = np.random.default_rng(1).integers(0, 9, size=(50, 6, 1))


def _adamw_runs_on_meta():
    network = torch.nn.Linear(1, 1, device=META)
    network.weight.grad = torch.zeros_like(network.weight)
    try:
        FlatAdamW([{"params": [network.weight]}], lr=0.1).step()
    except NotImplementedError:
        return False
    return True


needs_meta = pytest.mark.skipif(not _adamw_runs_on_meta(), reason="this torch has no AdamW for the device meta")


def net_on_meta(monkeypatch, options=OPTIONS, loss=LOSS, **architecture):
    monkeypatch.setattr(new_net, "choose_device", lambda name: META)
    architecture = {"n_features": 2, "n_outputs": 1, "cell": "gru", "units": (5,), **architecture}
    network = NetworkArchitecture(**architecture).build(seed=0)
    return new_net.make_net(network, loss, options).initialize()


def train_one_epoch(net, monkeypatch, samples):
    seen = []
    monkeypatch.setattr(EpochLosses, "record", lambda self: seen.append(self._losses.device.type))
    batches = Batches(samples, batch_size=16, device=META, seed=0)
    with seeded(net.module, 0, 0, net.device):
        net.run_single_epoch(batches, training=True, prefix="train", step_fn=net.train_step)
    net.run_single_epoch(batches, training=False, prefix="valid", step_fn=net.validation_step)
    assert seen == ["meta", "meta"]


@needs_meta
@pytest.mark.parametrize("room", [0, 2**30])
@pytest.mark.parametrize(
    "options",
    [
        {},
        *({"cell": cell} for cell in ("simple_rnn", "lstm", "minimal_gru", "slstm")),
        {"cell": "lstm", "cell_options": {"peephole": True}},
        {"cell_options": {"reset_after": False}},
        {"bidirectional": True},
        {"dropout": 0.3, "recurrent_dropout": 0.3},
        {"units": (5, 5), "residual": True},
        {"filters": (4,), "batch_norm": True, "pool_size": 2, "convolution_skip": True},
        {"filters": (4,), "units": (), "cell": None, "pooling": "mean"},
        {"pooling": "attention"},
        {"pooling": "max", "n_direct_steps": 2},
        {"normalize_X": "window", "flag_missing": True},
    ],
)
def test_no_step_of_an_epoch_waits_for_another_device(room, options, monkeypatch):
    monkeypatch.setattr(device_rows, "room_on", lambda device: room)
    train_one_epoch(net_on_meta(monkeypatch, **options), monkeypatch, Samples(X, Y))


@needs_meta
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"filters": (4,)}, {"pooling": "attention"}])
def test_neither_do_steps_on_sequences_of_several_lengths(options, monkeypatch):
    train_one_epoch(net_on_meta(monkeypatch, **options), monkeypatch, Samples(RAGGED, Y))


@needs_meta
def test_neither_do_steps_on_tokens_and_classes(monkeypatch):
    options = {"n_features": 1, "n_tokens": 9, "embedding_dim": 3, "n_outputs": 3}
    net = net_on_meta(monkeypatch, loss=classification_loss("log_loss").per_sample, **options)
    train_one_epoch(net, monkeypatch, Samples(TOKENS, np.arange(50) % 3))


@needs_meta
@pytest.mark.parametrize(
    "changes",
    [
        *({"optimizer": name} for name in ("adam", "nadam", "rmsprop", "sgd")),
        {"l1": 0.1, "l2": 0.1, "max_grad_norm": None},
        {"optimizer": torch.optim.Adagrad},
        {"schedule": "one_cycle"},
    ],
)
def test_neither_does_an_optimizer(changes, monkeypatch):
    train_one_epoch(net_on_meta(monkeypatch, replace(OPTIONS, **changes)), monkeypatch, Samples(X, Y))


@needs_meta
def test_the_check_is_able_to_fail(monkeypatch):
    net = net_on_meta(monkeypatch)
    monkeypatch.setattr(net, "get_loss", lambda raw, y, **_: raw.sum() * raw.sum().item())
    with pytest.raises(RuntimeError, match="meta"):
        train_one_epoch(net, monkeypatch, Samples(X, Y))


# -- data that stay on the device --------------------------------------------------------------------------------------


def batches_of(samples, seed=3):
    batches = Batches(samples, batch_size=16, device=CPU, seed=seed)
    batches.set_epoch(2)
    return [{**x, "y": y} for x, y in batches]


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_are_the_same_where_the_data_stay_on_the_device(seed, dtype, monkeypatch):
    series = np.random.default_rng(0).normal(size=(80, 2)).astype(dtype)
    windows = sliding_window_view(series, 6, axis=0)[:50].transpose(0, 2, 1)
    windows.flags.writeable = False
    weights = np.random.default_rng(1).uniform(size=50) * (np.arange(50) % 7 > 0)
    samples = Samples(windows, Y, weights)
    expected = batches_of(samples, seed)
    monkeypatch.setattr(device_rows, "room_on", lambda device: 10_000)
    monkeypatch.setattr(Batches, "_fetch", None)  # not needed
    found = batches_of(samples, seed)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name, tensor in other.items():
            torch.testing.assert_close(one[name], tensor, rtol=0, atol=0)


def test_windows_take_the_room_of_their_series(monkeypatch):
    series = np.arange(100, dtype=np.float32)
    windows = sliding_window_view(series, 10)[::2]
    monkeypatch.setattr(device_rows, "room_on", lambda device: series.nbytes)
    (there,) = DeviceRows().of([windows], CPU)
    assert there.untyped_storage().nbytes() == series.nbytes
    np.testing.assert_array_equal(there.numpy(), windows)


@pytest.mark.parametrize("at_once", [1, 64, 2**26])
def test_arrays_of_every_layout_are_moved(at_once, monkeypatch, tmp_path):
    monkeypatch.setattr(device_rows, "room_on", lambda device: 2**20)
    monkeypatch.setattr(device_rows, "_BYTES_AT_ONCE", at_once)
    rows = np.arange(60.0).reshape(10, 3, 2)
    np.save(tmp_path / "rows.npy", rows)
    on_disk = np.load(tmp_path / "rows.npy", mmap_mode="r")
    backwards = sliding_window_view(np.arange(12.0), 3)[:, ::-1]
    for array in (rows, rows[::-1], rows[::3, :, 1], rows.transpose(2, 0, 1), on_disk, backwards, rows[:0]):
        (there,) = DeviceRows().of([array], CPU)
        np.testing.assert_array_equal(there.numpy(), array)


def test_data_that_do_not_fit_are_moved_batch_by_batch(monkeypatch):
    monkeypatch.setattr(device_rows, "room_on", lambda device: X.nbytes + 100)
    assert DeviceRows().of([X, Y], CPU) is None
    assert DeviceRows().of([X, Y[:10]], CPU) is not None
    assert DeviceRows().of([RAGGED], CPU) is None


def test_a_fit_is_the_same_where_the_data_stay_on_the_device(monkeypatch, tmp_path):
    options = {"units": 4, "max_epochs": 3, "random_state": 0, "early_stopping": True}
    expected = GRURegressor(**options).fit(X, Y[:, 0]).predict(X)
    monkeypatch.setattr(device_rows, "room_on", lambda device: 2**30)
    monkeypatch.setattr(new_net.SequenceNet, "_run_compiled", None)
    monkeypatch.setattr("sklrnn.training.train_step.make_compiled_epoch", lambda *_: None)  # reads the arrays itself
    for _ in range(2):  # the second is read from the checkpoint of the first
        model = GRURegressor(**options, checkpoint=tmp_path).fit(X, Y[:, 0])
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)
    assert len(list(tmp_path.iterdir())) == 1


# -- layers and predictions --------------------------------------------------------------------------------------------


def test_batch_normalisation_on_a_device_is_that_of_the_cpu():
    on_cpu, there = BatchNorm(3), BatchNorm(3)
    for seed in range(12):
        x = torch.randn(8, 3, 5, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(there._normalise_on_device(x), on_cpu(x))
    for name, value in on_cpu.state_dict().items():
        torch.testing.assert_close(there.state_dict()[name], value)


def test_float64_input_is_answered_by_the_network_itself_on_another_device(monkeypatch):
    net = net_on_meta(monkeypatch)
    assert net.in_precision(np.dtype(np.float64)) is net.module
    monkeypatch.undo()
    on_cpu = RecurrentRegressor(cell="slstm", units=3, max_epochs=1).fit(X, Y[:, 0]).net_
    assert on_cpu.in_precision(np.dtype(np.float64)).head.weight.dtype == torch.float64


# -- bfloat16 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "minimal_gru"},
        {"cell": "slstm", "recurrent_dropout": 0.2},
        {"cell": "lstm", "filters": 4, "batch_norm": True, "bidirectional": True},
        {"cell": "simple_rnn", "units": (6, 6), "pooling": "attention"},
        {"stateful": True, "batch_size": 4},
    ],
)
def test_bfloat16_trains_almost_the_same_network(options):
    options = {"units": 6, "max_epochs": 6, "learning_rate": 0.02, "random_state": 0, **options}
    exact = RecurrentRegressor(**options).fit(X, Y[:, 0])
    coarse = RecurrentRegressor(**options, precision="bf16").fit(X, Y[:, 0])
    assert coarse.net_.path_ == "autograd: the precision is bf16"
    assert coarse.loss_curve_ != exact.loss_curve_
    np.testing.assert_allclose(coarse.loss_curve_, exact.loss_curve_, rtol=0.02)
    assert coarse.predict(X).dtype == np.float64
    assert {weight.dtype for weight in coarse.net_.module.parameters()} == {torch.float32}


def test_the_precision_may_change_between_two_calls_of_partial_fit():
    model = GRURegressor(units=4, max_epochs=1, precision="bf16", random_state=0)
    paths = [model.set_params(precision=each).partial_fit(X, Y[:, 0]).net_.path_ for each in ("bf16", "float32")]
    assert paths == ["autograd: the precision is bf16", "compiled"]


@pytest.mark.parametrize("device", ["mps", "cuda"])
def test_bfloat16_is_refused_where_the_device_lacks_it(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(ValueError, match=f'computes in bfloat16.* Got device="{device}". Set precision="float32"'):
        check_precision("bf16", torch.device(device))
    check_precision("float32", torch.device(device))
