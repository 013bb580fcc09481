"""Prediction intervals of regressors from refits without each block of the samples."""

import pickle
import signal
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, Checkpoint

from sklrnn import GRURegressor, PurgedKFold, SlidingWindow, supervise
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import Samples

TINY = {"units": 6, "max_epochs": 4, "random_state": 0}
LEVELS = np.array([0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999])


def draw(n, outputs=1):
    """The last value sets the level of the targets, the one before it the noise; further outputs are noisier."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    size = (0.3 + np.abs(X[:, -2]))[:, np.newaxis] * np.arange(1, outputs + 1)
    y = 20 + 3 * X[:, -1:] + rng.normal(size=(n, outputs)) * size
    return X, y[:, 0] if outputs == 1 else y


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
def test_intervals_cover_what_they_promise_at_every_output(loss, outputs):
    X, y = draw(3600, outputs)
    options = {"units": 8, "learning_rate": 0.02, "max_epochs": 10, "batch_size": 64, "random_state": 0}
    model = GRURegressor(**options, loss=loss, calibration_cv=3).fit(X[:1600], y[:1600])
    for coverage in (0.8, 0.9, 0.95):
        low, high = np.moveaxis(model.predict_interval(X[1600:], coverage), -1, 0)
        assert_allclose(np.mean((low <= y[1600:]) & (y[1600:] <= high), axis=0), coverage, atol=0.03)


def refit_errors(model, X, y, folds):
    """The same errors by their definition: fit on the one part, predict the other."""
    plain = clone(model).set_params(calibration_cv=None)
    return np.concatenate([y[test] - plain.fit(X[train], y[train]).predict(X[test]) for train, test in folds])


@pytest.mark.parametrize("cv", [3, KFold(3), PurgedKFold(3, horizon=6, window_length=4), [(range(40), range(40, 90))]])
def test_the_errors_are_those_of_networks_that_never_saw_the_fold(cv):
    X, y = draw(90)
    model = GRURegressor(**TINY, calibration_cv=cv).fit(X, y)
    folds = cv if isinstance(cv, list) else (KFold(3) if cv == 3 else cv).split(X)
    expected = refit_errors(model, X, y, [(np.array(train), np.array(test)) for train, test in folds])
    n, spread = len(expected), np.abs(expected)
    width = np.diff(model.predict_interval(X[:1], 0.8)).item()
    assert_allclose(width, 2 * np.sort(spread)[int(np.ceil((n + 1) * 0.8)) - 1], rtol=1e-6)


def test_samples_whose_outputs_overlap_with_a_block_are_left_out():
    X, y = draw(60, outputs=3)
    model = GRURegressor(**TINY, calibration_cv=2).fit(X, y)
    errors = refit_errors(model, X, y, [(np.arange(32, 60), np.arange(30)), (np.arange(28), np.arange(30, 60))])
    expected = 2 * np.sort(np.abs(errors), axis=0)[int(np.ceil(61 * 0.8)) - 1]
    assert_allclose(np.ptp(model.predict_interval(X[:1], 0.8)[0], axis=-1), expected, rtol=1e-6)


def test_the_network_itself_is_trained_on_all_samples_as_without():
    X, y = draw(200)
    plain = GRURegressor(**TINY).fit(X, y)
    assert_array_equal(GRURegressor(**TINY, calibration_cv=3).fit(X, y).predict(X), plain.predict(X))


@pytest.mark.parametrize("options", [{"calibration_cv": 3}, {"early_stopping": True}])
def test_more_coverage_is_always_wider(options):
    X, y = draw(100, outputs=2)
    model = GRURegressor(**TINY, **options).fit(X, y)
    widths = np.array([np.ptp(model.predict_interval(X[:1], level)[0], axis=-1) for level in LEVELS])
    assert (np.diff(widths[-4 if "calibration_cv" in options else -6 :], axis=0) > 0).all()
    assert (np.diff(widths, axis=0) >= 0).all()


def test_bounds_beyond_the_largest_error_follow_students_t():
    rng = np.random.default_rng(0)
    X, y = np.zeros((40, 2)), rng.normal(size=40)  # nothing to learn
    model = GRURegressor(**TINY, calibration_cv=4).fit(X, y)
    assert 2 * 2.6 < np.diff(model.predict_interval(X[:1], 0.99)).item() / y.std() < 2 * 3.6


@pytest.mark.parametrize(
    "options",
    [
        {"normalize_X": "window", "normalize_y": "window"},
        {"loss": "quantile", "quantiles": (0.2, 0.8)},
        {"loss": "absolute_error", "early_stopping": True},
        {"stateful": True, "batch_size": 4},
        {"loss": "poisson"},
    ],
    ids=str,
)
def test_every_way_of_reading_and_losing_has_intervals(options):
    X, y = draw(240)
    model = GRURegressor(**TINY, **options, calibration_cv=3).fit(X, np.abs(y))
    low, high = model.predict_interval(X, 0.9).T
    assert (low < high).all()
    assert np.mean((low <= np.abs(y)) & (np.abs(y) <= high)) > 0.8
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_interval(X, 0.9).T, [low, high])


def test_steps_of_sequences_have_intervals():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 1)) for length in rng.integers(3, 9, size=90)]
    y = [x[:, 0] + rng.normal(size=len(x)) for x in X]
    model = GRURegressor(**TINY, return_sequences=True, calibration_cv=3).fit(X, y)
    low, high = np.concatenate(model.predict_interval(X, 0.8)).T
    assert 0.75 < np.mean((low <= np.concatenate(y)) & (np.concatenate(y) <= high)) < 0.88


def test_samples_of_weight_zero_count_as_absent():
    X, y = draw(120)
    weights = np.ones(120)
    weights[20:60] = 0
    model = GRURegressor(**TINY, calibration_cv=3).fit(X, y, sample_weight=weights)
    few = GRURegressor(**TINY, calibration_cv=3).fit(X[weights > 0], y[weights > 0])
    assert_allclose(model.predict_interval(X, 0.9), few.predict_interval(X, 0.9), rtol=1e-9)


def test_a_pipeline_of_windows_has_intervals_in_a_search():
    table = pd.DataFrame({"wave": np.sin(np.arange(200) / 3) + np.random.default_rng(0).normal(size=200) / 9})
    X, y = supervise(table, "wave", 2)
    model = make_pipeline(SlidingWindow(8), GRURegressor(**TINY, calibration_cv=PurgedKFold(3, horizon=2)))
    search = GridSearchCV(model, {"gruregressor__calibration_cv": [None, 3]}, cv=PurgedKFold(2, horizon=2))
    search.fit(X, y)
    best = search.best_estimator_.set_params(gruregressor__calibration_cv=3).fit(X, y)
    assert best[-1].predict_interval(best[:-1].transform(X), 0.9).shape == (198, 2, 2)


def test_windows_are_never_written_out():
    rows = np.random.default_rng(0).normal(size=(60_000 + 50, 8))
    X = np.lib.stride_tricks.sliding_window_view(rows, 50, axis=0)[:-1].transpose(0, 2, 1)
    options = {"units": 2, "max_epochs": 1, "batch_size": 1024, "early_stopping": False, "random_state": 0}
    model = GRURegressor(**options, calibration_cv=2).fit(X[:64], rows[50:114, 0])
    tracemalloc.start()
    try:
        model.fit(X, rows[50:, 0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.size * X.itemsize / 2


@pytest.mark.parametrize("chosen", [slice(1, 3), np.array([True, False, True])])
def test_only_some_of_the_samples_keep_their_weight(chosen):
    X, y = Ragged.from_list([np.zeros((n, 1)) for n in (2, 1, 3)]), Ragged.from_list([np.ones(n) for n in (2, 1, 3)])
    per_step = Samples(X, y, per_timestep=True).only(chosen)
    assert_array_equal(per_step.nonzero_weight, np.arange(3)[chosen])
    weighted = replace(per_step, weights=Ragged.from_list([np.full(n, 0.5) for n in (2, 1, 3)])).only(chosen)
    assert_array_equal(np.unique(weighted.targets()[1]), [0.5])


@pytest.mark.parametrize(
    ("cv", "outputs", "what"),
    [
        (3, 6, "3 gives 0 samples to train on and 3 to test on, .* there are 8"),
        (9, 1, "9 gives 8 samples to train on and 0 to test on, .* there are 8"),
        ([(range(5), range(5, 9))], 1, ".* gives 5 samples to train on and 4 to test on, up to number 8, .* are 8"),
    ],
)
def test_folds_that_the_samples_do_not_fill_are_an_error(cv, outputs, what):
    with pytest.raises(ValueError, match=f"calibration_cv={what}.*Pass more samples"):
        GRURegressor(**TINY, calibration_cv=cv).fit(*draw(8, outputs))


@pytest.mark.parametrize("wrong", [1, True, 0.5, "five"])
def test_what_is_no_number_of_blocks_and_no_splitter_is_an_error(wrong):
    with pytest.raises(ValueError, match="'calibration_cv' parameter .* must be an int of at least 2, a splitter"):
        GRURegressor(calibration_cv=wrong).fit(*draw(20))


def test_a_network_that_is_trained_on_has_no_refits():
    X, y = draw(60)
    model = GRURegressor(**TINY, calibration_cv=3, warm_start=True).fit(X, y)
    bounds = model.predict_interval(X)
    with pytest.raises(ValueError, match="calibration_cv=3 .* warm_start=True. Set calibration_cv=None"):
        model.fit(X, y)
    assert_array_equal(model.predict_interval(X), bounds)
    online = GRURegressor(**TINY, calibration_cv=3).fit(X, y).partial_fit(X, y)
    with pytest.raises(ValueError, match="Fit with calibration_cv=3"):
        online.predict_interval(X)


def test_refits_do_not_overwrite_the_checkpoints_of_the_model(tmp_path):
    X, y = draw(60)
    checkpoint = Checkpoint(dirname=tmp_path, monitor=None, f_optimizer=None, f_criterion=None)
    model = GRURegressor(**TINY, calibration_cv=2, callbacks=[("save", checkpoint)]).fit(X, y)
    before = model.predict(X)
    model.net_.load_params(checkpoint=checkpoint)
    assert_array_equal(model.predict(X), before)


class InterruptsThirdTraining(Callback):
    """Ctrl-C in the second refit."""

    def __init__(self):
        self.n_trainings = 0

    def on_train_begin(self, net, **kwargs):
        self.n_trainings += 1

    def on_batch_begin(self, net, **kwargs):
        if self.n_trainings == 3:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_refit_leaves_a_model_without_intervals():
    X, y = draw(90)
    model = GRURegressor(**TINY, calibration_cv=3, callbacks=[InterruptsThirdTraining()])
    with (
        pytest.warns(match="interrupted after training. The model can be used, but gives no intervals"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X, y)
    assert_allclose(model.predict(X), GRURegressor(**TINY).fit(X, y).predict(X), rtol=1e-6)
    with pytest.raises(ValueError, match="Fit with calibration_cv=3"):
        model.predict_interval(X)


def test_a_warning_about_an_option_comes_once_however_many_networks_are_trained():
    X, y = draw(60)
    with pytest.warns(UserWarning, match="kernel_size=9 is longer than the longest sequence") as record:
        GRURegressor(**TINY, filters=2, kernel_size=9, calibration_cv=3).fit(X, y)
    assert len(record) == 1
