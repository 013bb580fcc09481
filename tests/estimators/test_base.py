"""What every estimator does beyond scikit-learn's checks: defaults, weights, seeds, validation, saving, streams."""

import pickle
import random
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

import sklrnn
from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentClassifier,
    RecurrentRegressor,
    SimpleRNNRegressor,
)

TINY = {"units": 6, "max_epochs": 3, "random_state": 0}
ALL = [getattr(sklrnn, name) for name in sklrnn.__all__ if name.endswith(("Regressor", "Classifier"))]


@pytest.fixture(scope="module")
def sequences():
    return np.random.default_rng(0).normal(size=(80, 5, 2))


@pytest.fixture(scope="module")
def totals(sequences):
    return 3000 + 500 * sequences[:, -2:, 0].sum(axis=1)


def targets_for(estimator, totals):
    return totals if hasattr(estimator, "predict_interval") else np.where(totals > 3000, "high", "low")


# -- defaults ------------------------------------------------------------------------------------------------------


def test_unscaled_targets_are_learnt_by_default(sequences, totals):
    assert GRURegressor(random_state=0).fit(sequences, totals).score(sequences, totals) > 0.95


def test_string_labels_are_learnt_by_default(sequences, totals):
    labels = np.where(totals > 3000, "high", "low")
    model = GRUClassifier(random_state=0).fit(sequences, labels)
    assert model.score(sequences, labels) > 0.95
    assert model.classes_.tolist() == ["high", "low"]
    assert_allclose(model.predict_proba(sequences).sum(axis=1), 1)
    assert_allclose(np.exp(model.predict_log_proba(sequences)), model.predict_proba(sequences))


@pytest.mark.parametrize("kind", ALL)
def test_shapes_of_predictions_follow_those_of_targets(kind, sequences, totals):
    y = targets_for(kind(), totals)
    model = kind(**TINY).fit(sequences, y)
    assert model.predict(sequences).shape == (80,)
    if hasattr(model, "predict_interval"):
        assert model.fit(sequences, np.c_[y, y, y]).predict(sequences).shape == (80, 3)
        assert model.fit(sequences, y[:, np.newaxis]).predict(sequences).shape == (80, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_have_the_precision_of_the_sequences(dtype, sequences, totals):
    model = GRURegressor(**TINY).fit(sequences, totals.astype(dtype))
    assert model.predict(sequences.astype(dtype)).dtype == dtype
    assert model.hidden_states(sequences.astype(dtype)).dtype == dtype


def test_sequences_may_be_longer_than_in_training(sequences, totals):
    model = GRURegressor(**TINY).fit(sequences, totals)
    assert model.predict(np.concatenate([sequences, sequences], axis=1)).shape == (80,)


def test_a_table_of_lags_is_read_time_major(sequences, totals):
    flat = sequences.reshape(80, -1)
    as_table = GRURegressor(n_timesteps=5, **TINY).fit(flat, totals)
    as_sequences = GRURegressor(**TINY).fit(sequences, totals)
    assert_array_equal(as_table.predict(flat), as_sequences.predict(sequences))
    with pytest.raises(ValueError, match="n_timesteps=4 needs a number of columns that it divides, got 10 columns"):
        GRURegressor(n_timesteps=4).fit(flat, totals)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", (6, 4)),
        ("bidirectional", True),
        ("dropout", 0.5),
        ("recurrent_dropout", 0.5),
        ("l1", 0.1),
        ("l2", 0.1),
        ("filters", 4),
        ("normalize_X", False),
        ("normalize_y", False),
        ("loss", "absolute_error"),
        ("optimizer", "adam"),
        ("learning_rate", 1e-4),
        ("batch_size", 16),
        ("max_epochs", 5),
        ("max_grad_norm", 1e-3),
        ("shuffle", False),
        ("early_stopping", True),
        ("random_state", 1),
        ("cell", "lstm"),
    ],
)
def test_every_parameter_is_alive(name, value, sequences, totals):
    base = RecurrentRegressor(**TINY).fit(sequences, totals).predict(sequences)
    changed = RecurrentRegressor(**{**TINY, name: value}).fit(sequences, totals).predict(sequences)
    assert not np.allclose(base, changed)


@pytest.mark.parametrize(("name", "value"), [("kernel_size", 2), ("pool_size", 2), ("filters", (4, 4))])
def test_every_parameter_of_the_convolution_is_alive(name, value, sequences, totals):
    base = CNNLSTMRegressor(**TINY).fit(sequences, totals).predict(sequences)
    assert not np.allclose(base, CNNLSTMRegressor(**TINY, **{name: value}).fit(sequences, totals).predict(sequences))


@pytest.mark.parametrize(("name", "value"), [("tol", 1.0), ("n_iter_no_change", 1), ("validation_fraction", 0.5)])
def test_parameters_of_stopping_are_alive(name, value, sequences, totals):
    options = {"units": 6, "max_epochs": 60, "random_state": 0, "early_stopping": True, "learning_rate": 0.05}
    base = GRURegressor(**options).fit(sequences, totals)
    changed = GRURegressor(**{**options, name: value}).fit(sequences, totals)
    assert base.loss_curve_ != changed.loss_curve_


def test_a_cell_of_ones_own(sequences, totals):
    model = RecurrentRegressor(cell=torch.nn.GRU, **TINY).fit(sequences, totals)
    assert isinstance(model.module_.recurrent[0].forwards, torch.nn.GRU)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(sequences), model.predict(sequences))


# -- weights -------------------------------------------------------------------------------------------------------


def test_scores_on_the_held_out_rows_are_weighted(sequences, totals):
    weights = np.ones(80)
    weights[75:] = 3
    options = {**TINY, "early_stopping": True, "validation_fraction": 0.1}
    weighted = GRURegressor(**options).fit(sequences, totals, weights)
    plain = GRURegressor(**options).fit(sequences, totals)
    assert weighted.loss_curve_ == plain.loss_curve_
    assert weighted.validation_curve_ != plain.validation_curve_


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_a_sample_of_weight_zero_is_absent_to_the_last_bit(kind, early_stopping, sequences, totals):
    weights = np.random.default_rng(0).integers(0, 2, 80)
    y = targets_for(kind(), totals)
    options = {**TINY, "early_stopping": early_stopping, "validation_fraction": 0.6}
    weighted = kind(**options).fit(sequences, y, weights)
    there = weights > 0
    without = kind(**options).fit(sequences[there], y[there])
    assert (weighted.validation_curve_ is not None) == early_stopping
    assert weighted.validation_curve_ == without.validation_curve_
    assert_array_equal(weighted.hidden_states(sequences), without.hidden_states(sequences))


def test_balanced_classes_weigh_the_same(sequences):
    y = np.where(sequences[:, -1, 0] > 1, "rare", "usual")
    balanced = GRUClassifier(**{**TINY, "max_epochs": 20}, class_weight="balanced").fit(sequences, y)
    plain = GRUClassifier(**{**TINY, "max_epochs": 20}).fit(sequences, y)
    assert (balanced.predict(sequences) == "rare").sum() > (plain.predict(sequences) == "rare").sum()
    share = (y == "rare").mean()
    by_hand = GRUClassifier(
        **{**TINY, "max_epochs": 20}, class_weight={"rare": 0.5 / share, "usual": 0.5 / (1 - share)}
    ).fit(sequences, y)
    assert_allclose(balanced.predict_proba(sequences), by_hand.predict_proba(sequences), rtol=1e-4)


# -- repeatable and isolated -----------------------------------------------------------------------------------------


def _fit_and_predict(sequences, totals):
    model = LSTMRegressor(**TINY, dropout=0.3, early_stopping=True).fit(sequences, totals)
    return model.predict(sequences)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_seed_gives_the_same_bits_everywhere(backend, sequences, totals):
    here = _fit_and_predict(sequences, totals)
    with joblib.parallel_config(backend, n_jobs=2):
        elsewhere = joblib.Parallel()(joblib.delayed(_fit_and_predict)(sequences, totals) for _ in range(6))
    for prediction in elsewhere:
        assert_array_equal(prediction, here)


@pytest.mark.parametrize("kind", ALL)
def test_global_generators_are_left_alone(kind, sequences, totals):
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    kind(**TINY, dropout=0.2).fit(sequences, targets_for(kind(), totals)).predict(sequences)
    after = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert_array_equal(before[1][1], after[1][1])
    assert torch.equal(before[2], after[2])


# -- validation, curves, stopping ------------------------------------------------------------------------------------


def test_curves_are_those_of_the_epochs(sequences, totals):
    model = GRURegressor(**{**TINY, "max_epochs": 8}, early_stopping=True).fit(sequences, totals)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.validation_curve_) == 8
    assert model.best_validation_loss_ == min(model.validation_curve_)
    # The loss is on standardised targets, of the weights that were kept.
    spread = totals[:72].std()
    assert np.mean((model.predict(sequences[72:]) - totals[72:]) ** 2) / spread**2 == pytest.approx(
        model.best_validation_loss_, rel=1e-4
    )
    plain = GRURegressor(**TINY).fit(sequences, totals)
    assert plain.validation_curve_ is None
    assert plain.best_validation_loss_ is None


def test_best_weights_are_restored(sequences):
    noise = np.random.default_rng(1).normal(size=80)
    options = {"units": 32, "learning_rate": 0.03, "random_state": 0, "early_stopping": True, "n_iter_no_change": 20}
    model = GRURegressor(**options).fit(sequences, noise)
    best = int(np.argmin(model.validation_curve_)) + 1
    assert best < model.n_iter_
    again = GRURegressor(**options, max_epochs=best).fit(sequences, noise)
    assert_array_equal(model.predict(sequences), again.predict(sequences))


def test_early_stopping_monitors_the_training_loss_when_nothing_is_held_out(sequences, totals):
    model = GRURegressor(units=6, random_state=0, tol=0.5, n_iter_no_change=2).fit(sequences, totals)
    assert model.n_iter_ < 20


def test_a_learning_rate_far_too_high_ends_in_an_error_not_in_nan(sequences, totals):
    model = GRURegressor(learning_rate=1e6, random_state=0)
    with pytest.raises(ValueError, match="no epoch left usable weights.*Lower learning_rate=1e\\+06"):
        model.fit(sequences, totals)
    with pytest.raises(NotFittedError):
        model.predict(sequences)


class ExplodeAt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            for group in net.optimizer_.param_groups:
                group["lr"] = 1e9


def test_divergence_later_on_restores_the_last_good_weights(sequences, totals):
    message = "diverged after 2 epoch.*earlier epoch were restored.*learning_rate"
    with pytest.warns(ConvergenceWarning, match=message) as record:
        model = GRURegressor(**{**TINY, "max_epochs": 10}, callbacks=[ExplodeAt(3)]).fit(sequences, totals)
    assert record[0].filename == __file__  # the line that called fit
    two = GRURegressor(**{**TINY, "max_epochs": 2}).fit(sequences, totals)
    assert model.n_iter_ == 2
    assert_allclose(model.predict(sequences), two.predict(sequences))


@pytest.mark.parametrize("max_epochs", [1, 5])
@pytest.mark.parametrize("batch_size", [16, 200])
def test_an_explosion_is_seen_whenever_it_happens(max_epochs, batch_size, sequences, totals):
    model = GRURegressor(units=4, random_state=0, max_epochs=max_epochs, batch_size=batch_size, learning_rate=1e6)
    with pytest.raises(ValueError, match="no epoch left usable weights"):
        model.fit(sequences, totals)


class FailAt(Callback):
    def __init__(self, batch):
        self.batch = batch

    def on_batch_end(self, net, **kwargs):
        self.batch -= 1
        if self.batch == 0:
            raise RuntimeError("failed on purpose")


@pytest.mark.parametrize("how", ["fit", "warm", "partial_fit"])
def test_a_fit_that_fails_leaves_the_fitted_model_as_it_was(how, sequences, totals):
    model = GRURegressor(**TINY, dropout=0.5).fit(sequences, totals)
    before = model.predict(sequences)
    model.set_params(callbacks=[FailAt(2)], warm_start=how == "warm")
    if how == "partial_fit":
        model.set_params(callbacks=None)
        with pytest.raises(ValueError, match="diverged"):
            model.partial_fit(sequences, np.full(80, 1e30))
    else:
        with pytest.raises(RuntimeError, match="on purpose"):
            model.fit(sequences, 100 * totals)
    assert_array_equal(model.predict(sequences), before)
    assert not model.module_.training
    model.set_params(callbacks=None).fit(sequences, totals)


def test_a_first_fit_that_fails_leaves_no_model(sequences, totals):
    model = GRURegressor(**TINY, callbacks=[FailAt(2)])
    with pytest.raises(RuntimeError):
        model.fit(sequences, totals)
    assert not hasattr(model, "n_features_in_")
    with pytest.raises(NotFittedError):
        model.predict(sequences)


def test_a_callback_that_stops_counts_the_epoch_it_stopped_in(sequences, totals):
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, threshold_mode="abs")
    model = GRURegressor(**{**TINY, "max_epochs": 30}, callbacks=[stop]).fit(sequences, totals)
    assert model.n_iter_ == len(model.net_.history) == len(model.loss_curve_)


def test_warm_start_keeps_the_better_weights(sequences, totals):
    model = GRURegressor(units=6, max_epochs=30, random_state=0, early_stopping=True, warm_start=True)
    model.fit(sequences, totals)
    best, before = model.best_validation_loss_, model.predict(sequences)
    model.set_params(max_epochs=2, learning_rate=1.0).fit(sequences, totals)
    assert model.best_validation_loss_ == pytest.approx(best)
    assert_array_equal(model.predict(sequences), before)


def test_outputs_are_decoded_with_the_loss_of_the_fit(sequences, totals):
    model = GRURegressor(**TINY, loss="quantile").fit(sequences, totals)
    before = model.predict_quantiles(sequences, [0.1, 0.9])
    model.set_params(quantiles=(0.01, 0.5, 0.99))
    assert_array_equal(model.predict_quantiles(sequences, [0.1, 0.9]), before)
    with pytest.raises(ValueError, match="was trained for the quantiles"):
        model.predict_quantiles(sequences, [0.01])


def test_partial_fit_follows_its_parameters(sequences, totals):
    model = GRURegressor(**TINY).fit(sequences, totals).partial_fit(sequences, totals)
    before = model.predict(sequences)
    model.set_params(learning_rate=1e-12).partial_fit(sequences, totals)
    assert model.net_.optimizer_.param_groups[0]["lr"] == 1e-12
    model.set_params(optimizer="sgd").partial_fit(sequences, totals)
    assert isinstance(model.net_.optimizer_, torch.optim.SGD)
    assert np.abs(model.predict(sequences) - before).max() < totals.std()
    with pytest.raises(ValueError, match="units changed"):
        model.set_params(units=7).partial_fit(sequences, totals)


def test_a_large_offset_of_targets_survives_single_precision(sequences, totals):
    model = GRURegressor(units=6, max_epochs=30, random_state=0).fit(sequences.astype(np.float32), 1e9 + totals)
    assert model.score(sequences.astype(np.float32), 1e9 + totals) > 0.8


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_model_of_another_device_is_loaded_to_the_cpu(sequences, totals):
    model = GRURegressor(**TINY).fit(sequences, totals)
    expected = model.predict(sequences)
    model.set_params(device="cuda")
    with pytest.warns(UserWarning, match='device="cuda" is not available here; the model is loaded to the CPU'):
        loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict(sequences), expected)


# -- continued training ----------------------------------------------------------------------------------------------


def test_warm_start_continues(sequences, totals):
    model = GRURegressor(**TINY, warm_start=True).fit(sequences, totals)
    first = model.loss_curve_[:]
    model.fit(sequences, totals)
    assert model.n_iter_ == 6
    assert model.loss_curve_[:3] == first
    assert model.loss_curve_[3] < first[0]
    with pytest.raises(ValueError, match="units changed: .*Set it back, or set warm_start=False"):
        model.set_params(units=7).fit(sequences, totals)


def test_partial_fit_is_an_epoch_and_survives_saving(sequences, totals):
    model = GRURegressor(**TINY)
    for _ in range(3):
        model.partial_fit(sequences, totals)
    at_once = GRURegressor(**TINY).fit(sequences, totals)
    assert_allclose(model.predict(sequences), at_once.predict(sequences))
    assert model.n_iter_ == 3
    loaded = pickle.loads(pickle.dumps(model)).partial_fit(sequences, totals)
    assert loaded.n_iter_ == 4
    assert loaded.loss_curve_[-1] < loaded.loss_curve_[0]


def test_partial_fit_knows_the_classes_of_its_first_call(sequences):
    y = np.where(sequences[:, -1, 0] > 0, 1, 2)
    model = GRUClassifier(**TINY).partial_fit(sequences, y, classes=[1, 2, 5])
    assert model.predict_proba(sequences).shape == (80, 3)
    model.partial_fit(sequences, y, classes=[1, 2, 5])
    with pytest.raises(ValueError, match=r"labels that GRUClassifier does not know: \[7\]"):
        model.partial_fit(sequences, np.where(y == 1, 7, y))
    with pytest.raises(ValueError, match="differ from those of the first call"):
        model.partial_fit(sequences, y, classes=[1, 2])


# -- saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_pickle_joblib_and_skops_give_back_the_same_predictions(kind, sequences, totals, tmp_path):
    model = kind(**TINY).fit(sequences, targets_for(kind(), totals))
    joblib.dump(model, tmp_path / "model.joblib")
    safe = skops.io.dumps(model)
    loaded = [
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
        skops.io.loads(safe, trusted=skops.io.get_untrusted_types(data=safe)),
    ]
    assert skops.io.get_untrusted_types(data=safe) == [f"{kind.__module__}.{kind.__name__}"]
    for other in loaded:
        assert_array_equal(other.predict(sequences), model.predict(sequences))
        assert other.loss_curve_ == model.loss_curve_


def test_a_saved_model_holds_each_array_once(sequences, totals):
    model = GRURegressor(units=100, max_epochs=1, random_state=0).fit(sequences, totals)
    # the weights that predict, the newest ones, and two moments
    assert len(pickle.dumps(model)) < 4 * 4 * model.n_parameters_ * 1.1
    state = model.__getstate__()
    assert not any(isinstance(value, torch.Tensor) for value in [*state.values(), *state["model_"].values()])
    assert {type(weight) for weight in state["model_"]["weights"].values()} == {np.ndarray}


def test_clone_and_repr_show_parameters_only():
    model = GRURegressor(units=(8, 4), dropout=0.1)
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == "GRURegressor(dropout=0.1, units=(8, 4))"
    assert "cell" not in model.get_params()


# -- with scikit-learn's tools ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(n_jobs, sequences, totals):
    grid = {"units": [4, (4, 3)], "dropout": [0.0, 0.2], "cell": ["simple_rnn", "lstm"], "learning_rate": [0.01]}
    search = GridSearchCV(RecurrentRegressor(max_epochs=2, random_state=0), grid, cv=TimeSeriesSplit(2), n_jobs=n_jobs)
    search.fit(sequences, totals)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores.round(12))) == 8
    assert search.predict(sequences).shape == (80,)


def test_a_pipeline_with_a_scaler_and_lag_columns(sequences, totals):
    table = pd.DataFrame(sequences.reshape(80, -1)).add_prefix("lag")
    model = make_pipeline(StandardScaler(), GRURegressor(n_timesteps=5, **TINY)).fit(table, totals)
    assert model.predict(table).shape == (80,)
    named = GRURegressor(n_timesteps=5, **TINY).fit(table, totals)
    assert named.feature_names_in_.tolist() == table.columns.tolist()


def test_callbacks_of_skorch_are_passed_on(sequences, totals):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10.0, threshold_mode="abs")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GRURegressor(**{**TINY, "max_epochs": 30}, callbacks=[stop]).fit(sequences, totals)
    assert model.n_iter_ < 5
    slow = LRScheduler(policy="StepLR", step_size=1, gamma=1e-6)
    model = GRURegressor(**TINY, callbacks=[slow]).fit(sequences, totals)
    assert model.net_.optimizer_.param_groups[0]["lr"] < 1e-12


def test_scikit_learns_callbacks_see_every_epoch(sequences, totals):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="r2")
    model = GRURegressor(**TINY).set_callbacks(monitor).fit(sequences, totals)
    log = monitor.get_logs().data
    epochs = [row for row in log if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in epochs] == [0, 1, 2]
    assert epochs[-1]["r2"] == pytest.approx(model.score(sequences, totals))
    pipeline = make_pipeline("passthrough", GRURegressor(**TINY).set_callbacks(monitor))
    GridSearchCV(pipeline, {"gruregressor__units": [3, 4]}, cv=2).fit(sequences.reshape(80, -1), totals)


def test_scoring_after_an_epoch_leaves_training_alone(sequences, totals):
    callback = pytest.importorskip("sklearn.callback")
    model = GRURegressor(**TINY, dropout=0.5)
    for y in (totals, totals[::-1]):  # the second fit replaces a fitted model
        monitor = callback.ScoringMonitor(scoring="r2")
        model.set_callbacks(monitor).fit(sequences, y)
        scores = [row["r2"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert len(set(scores)) == 3
        assert scores[-1] == pytest.approx(model.score(sequences, y))
        assert model.loss_curve_ == GRURegressor(**TINY, dropout=0.5).fit(sequences, y).loss_curve_


def test_scikit_learns_progress_bar(capsys, sequences, totals):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    GRURegressor(**TINY).set_callbacks(callback.ProgressBar()).fit(sequences, totals)
    assert "GRURegressor - fit" in capsys.readouterr().out
    pipeline = make_pipeline(StandardScaler(), GRURegressor(**TINY))
    search = GridSearchCV(pipeline, {"gruregressor__units": [3, 4]}, cv=2).set_callbacks(callback.ProgressBar())
    search.fit(sequences.reshape(80, -1), totals)
    assert "Pipeline - fit" in capsys.readouterr().out


def test_verbose_shows_the_losses(capsys, sequences, totals):
    GRURegressor(**TINY, verbose=2, early_stopping=True).fit(sequences, totals)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3  loss ")
    assert "validation loss" in lines[0]
    GRURegressor(**TINY, verbose=1).fit(sequences, totals)
    assert "3/3" in capsys.readouterr().err


# -- looking inside --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"units": (4, 3)}, {"filters": 3, "pool_size": 2}])
def test_a_stream_predicts_like_predict_on_the_sequence_so_far(kind, options, sequences, totals):
    model = kind(**{**TINY, **options}).fit(sequences, targets_for(kind(), totals))
    stream = model.start_stream()
    for step in range(5):
        prediction = stream.step(sequences[0, step])
        expected = model.predict(sequences[:1, : step + 1])[0]
        if isinstance(expected, str):
            assert prediction == expected
        else:
            assert_allclose(prediction, expected, rtol=1e-9)
    with pytest.raises(ValueError, match=r"A step of this stream holds 2 feature\(s\), got an array of shape \(3,\)"):
        stream.step([1.0, 2.0, 3.0])


def test_hidden_states_end_in_the_state_that_the_head_reads(sequences, totals):
    model = SimpleRNNRegressor(**TINY, normalize_y=False).fit(sequences, totals)
    states = model.hidden_states(sequences)
    assert states.shape == (80, 5, 6)
    head = model.module_.head
    by_hand = states[:, -1] @ head.weight.detach().double().numpy().T + head.bias.detach().double().numpy()
    assert_allclose(model.predict(sequences), by_hand[:, 0], rtol=1e-9)


def test_predictions_do_not_depend_on_other_samples(sequences, totals):
    model = GRURegressor(**TINY).fit(sequences, totals)
    assert_allclose(model.predict(sequences[3:4]), model.predict(sequences)[3:4], rtol=1e-12)


def test_classes_are_generic_and_named(sequences, totals):
    generic = RecurrentClassifier(cell="gru", **TINY).fit(sequences, totals > 3000)
    named = GRUClassifier(**TINY).fit(sequences, totals > 3000)
    assert_array_equal(generic.predict_proba(sequences), named.predict_proba(sequences))
