"""Whole epochs in machine code train the same network as steps from Python."""

import signal
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier

from sklrnn import GRUClassifier, GRURegressor, LSTMRegressor, RecurrentImputer, RecurrentRegressor, SimpleRNNRegressor
from sklrnn.forecasting import GRUForecaster
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import Samples
from sklrnn.kernels import program
from sklrnn.kernels.program import Program
from sklrnn.training import compiled_epoch
from sklrnn.training.batches import Batches
from sklrnn.training.train_step import TrainSteps

pytest.importorskip("numba")


def some_task(n=75, n_steps=8, n_features=2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_steps, n_features))
    return X, X[:, -3:, 0].sum(axis=1) + 0.1 * rng.normal(size=n)


def fit_step_by_step(model, X, y, **more):
    """The same fit, with a list of operations that Python runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainSteps, "compiled_epoch", lambda *_: None)
        fitted = clone(model).fit(X, y, **more)
    assert fitted.net_.path_ == "fused"
    return fitted


def assert_same_training(model, X, y, **more):
    compiled, reference = clone(model).fit(X, y, **more), fit_step_by_step(model, X, y, **more)
    assert compiled.net_.path_ == "compiled"
    assert_allclose(compiled.loss_curve_, reference.loss_curve_, rtol=1e-5)
    predict = "predict_proba" if is_classifier(model) else "predict"
    expected = getattr(reference, predict)(X)
    assert_allclose(getattr(compiled, predict)(X), expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def of_every_kind(dtype):
    """Ten sequences of two steps and three features, in arrays that lie in memory in different ways."""
    plain = np.zeros((10, 2, 3), dtype=dtype)
    n_bytes = plain.dtype.itemsize
    record = np.dtype({"names": ["x"], "formats": [(dtype, (2, 3))], "offsets": [0], "itemsize": 6 * n_bytes + 2})
    return {
        "plain": plain,
        "reversed": plain[::-1, :, ::2],
        "swapped bytes": plain.astype(plain.dtype.newbyteorder()),
        "not aligned": np.frombuffer(b"\0" * (plain.nbytes + 1), dtype=np.uint8)[1:].view(dtype).reshape(plain.shape),
        "odd distances": np.zeros(10, dtype=record)["x"],
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_machine_code_reads_numbers_of_two_types_at_regular_distances(dtype):
    for kind, X in of_every_kind(dtype).items():
        batches = Batches(Samples(X, np.zeros((10, 1), np.float32)), batch_size=4, device=torch.device("cpu"))
        assert compiled_epoch._are_plain(batches) is (kind in ("plain", "reversed")), kind


def test_machine_code_reads_no_other_numbers_and_no_sequences_of_different_lengths():
    y = np.zeros((10, 1), np.float32)
    X = np.zeros((10, 2, 3), dtype=np.float16)
    for odd in (X, X.astype(np.int64), Ragged.from_list([np.zeros((1 + row % 2, 3), np.float32) for row in range(10)])):
        batches = Batches(Samples(odd, y), batch_size=4, device=torch.device("cpu"))
        assert not compiled_epoch._are_plain(batches)


SETTINGS = {"units": 6, "batch_size": 10, "max_epochs": 3, "random_state": 0, "early_stopping": False}


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam"},
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"optimizer": "rmsprop"},
        {"optimizer": "nadam"},
        {"loss": "absolute_error"},
        {"loss": "huber"},
        {"loss": "quantile"},
        {"loss": "gaussian"},
        {"dropout": 0.3},
        {"recurrent_dropout": 0.3},
        {"dropout": 0.3, "recurrent_dropout": 0.2, "units": (6, 20), "bidirectional": True},
        {"residual": True, "units": (6, 6)},
        {"pooling": "mean"},
        {"l1": 0.01},
        {"l1": 0.01, "l2": 0.02},
        {"max_grad_norm": 0.01},
        {"max_grad_norm": None},
        {"schedule": "one_cycle"},
        {"early_stopping": True},
        {"target_feature": 0},
        {"reset_after": False},
        {"batch_size": 1},
        {"batch_size": 75},
        {"batch_size": 25},
    ],
    ids=str,
)
def test_every_option_trains_the_same(options):
    assert_same_training(GRURegressor(**{**SETTINGS, **options}), *some_task())


def test_targets_of_several_columns_steps_classes_and_counts_train_the_same():
    X, y = some_task()
    assert_same_training(GRURegressor(**SETTINGS), X, np.column_stack([y, 2 * y, -y]))
    assert_same_training(GRURegressor(**SETTINGS, loss="gaussian"), X, np.column_stack([y, 2 * y]))
    assert_same_training(GRURegressor(**SETTINGS, return_sequences=True), X, X.cumsum(axis=1)[:, :, 0])
    assert_same_training(GRURegressor(**SETTINGS, loss="poisson"), X, np.floor(np.abs(y)))
    assert_same_training(GRUClassifier(**SETTINGS), X, np.digitize(y, [-1, 1]))
    labels = np.digitize(X.cumsum(axis=1)[:, :, 0], [-1, 1])
    assert_same_training(GRUClassifier(**SETTINGS, return_sequences=True), X, labels)


def test_weights_of_samples_and_windows_that_are_a_view_train_the_same():
    X, y = some_task()
    weights = np.arange(75.0) % 3  # a third of the samples has none
    assert_same_training(GRURegressor(**SETTINGS), X, y, sample_weight=weights)
    series = np.random.default_rng(0).normal(size=90).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(series, 9)[..., np.newaxis]
    assert not windows.flags.c_contiguous
    for dtype in (np.float32, np.float64):
        assert_same_training(GRURegressor(**SETTINGS), windows[:-1].astype(dtype, copy=False), series[9:])
    assert_same_training(GRURegressor(**SETTINGS), X[::2, ::-1], y[::2])


def test_missing_values_and_windows_scaled_by_their_level_train_the_same():
    X, y = some_task()
    X[X > 1.5] = np.nan
    assert_same_training(GRURegressor(**SETTINGS, missing="mask"), X, y)
    series = np.random.default_rng(0).normal(size=90).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(series, 9)[..., np.newaxis]
    assert_same_training(GRURegressor(**SETTINGS, normalize_X="window", normalize_y="window"), windows[:-1], series[9:])


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(2, 80),
    n_steps=st.integers(1, 12),
    n_features=st.integers(1, 20),
    units=st.lists(st.integers(1, 40), min_size=1, max_size=2),
    batch_size=st.integers(1, 80),
    n_outputs=st.integers(1, 20),
    model=st.sampled_from([SimpleRNNRegressor, GRURegressor, LSTMRegressor]),
)
def test_any_sizes_train_the_same(n, n_steps, n_features, units, batch_size, n_outputs, model):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, n_steps, n_features)), rng.normal(size=(n, n_outputs))
    # Adam divides a gradient by its size, so one that should be zero would show how sums are rounded.
    rates = {"optimizer": "sgd", "learning_rate": 0.05}
    options = {**SETTINGS, **rates, "units": tuple(units), "batch_size": batch_size, "max_epochs": 2}
    assert_same_training(model(**options), X, y)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "nadam"])
def test_training_goes_on_from_the_moments_of_epochs_of_the_other_kind(optimizer):
    X, y = some_task()
    options = {**SETTINGS, "max_epochs": 2, "optimizer": optimizer, "warm_start": True}
    compiled, mixed = GRURegressor(**options).fit(X, y), fit_step_by_step(GRURegressor(**options), X, y)
    compiled.fit(X, y)
    mixed.fit(X, y)
    assert mixed.net_.path_ == compiled.net_.path_ == "compiled"
    assert_allclose(mixed.predict(X), compiled.predict(X), rtol=0, atol=1e-5)


def test_forecasters_train_in_whole_epochs(monkeypatch):
    runs = []
    monkeypatch.setattr(Program, "run", lambda self, first, end: runs.append(end - first))
    series = pd.Series(np.sin(np.arange(60.0)), index=pd.period_range("2010-01", periods=60, freq="M"))
    GRUForecaster(units=4, max_epochs=1, random_state=0).fit(series, fh=[1, 2])
    assert sum(runs) > 0


def test_without_the_program_python_runs_the_steps(monkeypatch):
    X, y = some_task()
    expected = fit_step_by_step(GRURegressor(**SETTINGS), X, y).predict(X)
    monkeypatch.setattr(program, "load_program", lambda: None)
    model = GRURegressor(**SETTINGS).fit(X, y)
    assert model.net_.path_ == "fused"
    assert_array_equal(model.predict(X), expected)


def test_the_number_of_batches_of_a_call_changes_nothing(monkeypatch):
    X, y = some_task()
    model = GRURegressor(**SETTINGS, dropout=0.3, schedule="one_cycle", optimizer="nadam")
    expected = model.fit(X, y).predict(X)
    for name, value in {"_MOST_BATCHES": 1, "_SECONDS": 1e9}.items():
        with monkeypatch.context() as patch:
            patch.setattr(compiled_epoch, name, value)
            assert_array_equal(clone(model).fit(X, y).predict(X), expected)


def test_fits_in_threads_are_those_of_one_thread():
    X, y = some_task()
    models = [GRURegressor(**{**SETTINGS, "random_state": seed}, dropout=0.2, n_jobs=1) for seed in range(6)]
    expected = [clone(model).fit(X, y).predict(X) for model in models]
    threads = [threading.Thread(target=model.fit, args=(X, y)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model, predicted in zip(models, expected, strict=True):
        assert_array_equal(model.predict(X), predicted)


def test_ctrl_c_between_two_calls_keeps_what_was_learnt(monkeypatch):
    X, y = some_task()
    run, calls = Program.run, []

    def interrupted(self, first, end):
        run(self, first, end)
        calls.append(end)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Program, "run", interrupted)
    model = GRURegressor(**SETTINGS)
    with pytest.raises(KeyboardInterrupt, match="interrupted in epoch 2"):
        model.fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_a_fit_that_diverges_is_reported():
    X, y = some_task()
    settings = {**SETTINGS, "max_grad_norm": None, "optimizer": "sgd", "learning_rate": 1e6}
    with pytest.raises(ValueError, match="Training diverged"):
        GRURegressor(**settings).fit(X, 1e3 * y)


def test_imputers_train_step_by_step_as_their_masks_are_drawn_for_each_batch():
    table = np.column_stack([np.sin(np.arange(80.0)), np.cos(np.arange(80.0))])
    table[20:25, 0] = np.nan
    imputer = RecurrentImputer(units=4, max_epochs=1, random_state=0).fit(table)
    assert imputer.net_.path_ == "fused"


def test_all_cells_with_a_kernel_train_in_whole_epochs():
    X, y = some_task()
    for cell in ("simple_rnn", "gru", "lstm", "minimal_gru"):
        assert_same_training(RecurrentRegressor(cell=cell, **SETTINGS), X, y)
