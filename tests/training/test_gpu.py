"""A GPU gives what the CPU gives, but for rounding. Skipped where there is none: the makers had none either."""

import pickle

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceTranslator,
)
from sklrnn.forecasting import GRUForecaster
from sklrnn.training import device_rows

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

SERIES = np.sin(np.arange(400) / 5) + np.random.default_rng(0).normal(scale=0.1, size=400)
X = sliding_window_view(SERIES, 20)[:-1, :, np.newaxis]
Y = SERIES[20:]
COMMON = {"units": 8, "max_epochs": 5, "random_state": 0}
WORDS = ["the cat sat on the mat", "a dog ran far away", "some other text here"] * 5


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        *({"cell": cell} for cell in ("simple_rnn", "gru", "lstm", "minimal_gru", "slstm")),
        {"units": (8, 8), "bidirectional": True},
        {"filters": 4, "batch_norm": True},
        {"pooling": "attention"},
        {"stateful": True, "batch_size": 4},
        {"early_stopping": True, "schedule": "one_cycle"},
        {"optimizer": "rmsprop", "l2": 0.01},
    ],
)
def test_fits_and_predictions_are_those_of_the_cpu(options):
    options = {**COMMON, **options}
    cpu = RecurrentRegressor(**options).fit(X, Y)
    gpu = RecurrentRegressor(**options, device="cuda").fit(X, Y)
    assert gpu.net_.device.type == "cuda"
    assert_close(gpu.loss_curve_, cpu.loss_curve_)
    for dtype in (np.float32, np.float64):
        predicted = gpu.predict(X.astype(dtype))
        assert predicted.dtype == cpu.predict(X.astype(dtype)).dtype
        assert_close(predicted, cpu.predict(X))
    assert_close(pickle.loads(pickle.dumps(gpu)).predict(X), gpu.predict(X))


def test_sequences_of_several_lengths_and_classes():
    ragged = [x[: 10 + number % 9] for number, x in enumerate(X)]
    cpu, gpu = (GRUClassifier(**COMMON, device=device).fit(ragged, Y > 0) for device in ("cpu", "cuda"))
    assert_close(gpu.predict_proba(ragged), cpu.predict_proba(ragged))


def test_a_seed_gives_the_same_dropout_each_time():
    options = {**COMMON, "dropout": 0.3, "recurrent_dropout": 0.3, "device": "cuda"}
    one, other = (GRURegressor(**options).fit(X, Y) for _ in range(2))
    assert_close(one.loss_curve_, other.loss_curve_)
    assert one.loss_curve_[-1] < one.loss_curve_[0]


def test_data_that_do_not_fit_train_the_same(monkeypatch):
    resident = GRURegressor(**COMMON, device="cuda").fit(X, Y)
    monkeypatch.setattr(device_rows, "room_on", lambda device: 0)
    assert_close(GRURegressor(**COMMON, device="cuda").fit(X, Y).loss_curve_, resident.loss_curve_)


@pytest.mark.parametrize("cell", ["gru", "lstm", "minimal_gru"])
def test_bfloat16_trains_almost_the_same(cell):
    exact, coarse = (
        RecurrentRegressor(cell=cell, **COMMON, device="cuda", precision=each).fit(X, Y) for each in ("float32", "bf16")
    )
    np.testing.assert_allclose(coarse.loss_curve_, exact.loss_curve_, rtol=0.05)


def test_a_forecaster_gives_the_forecasts_of_the_cpu():
    cpu, gpu = (GRUForecaster(**COMMON, dropout=0.0, device=device) for device in ("cpu", "cuda"))
    assert_close(gpu.fit(SERIES, fh=[1, 2, 3]).predict(), cpu.fit(SERIES, fh=[1, 2, 3]).predict())


@pytest.mark.parametrize(
    "fit",
    [
        lambda **options: RecurrentImputer(**options).fit(SERIES[:, np.newaxis]),
        lambda **options: SequenceGenerator(**options).fit(WORDS),
        lambda **options: SequenceTranslator(**options).fit(WORDS, WORDS[::-1]),
    ],
)
def test_what_draws_at_random_learns_as_much(fit):
    cpu, gpu = (fit(**COMMON, device=device).loss_curve_ for device in ("cpu", "cuda"))
    assert len(gpu) == len(cpu)
    np.testing.assert_allclose(gpu[-1], cpu[-1], rtol=0.2)


def test_a_fit_warns_of_nothing(recwarn):
    GRURegressor(**COMMON, device="cuda").fit(X, Y).predict(X)
    assert not [str(warning.message) for warning in recwarn]
