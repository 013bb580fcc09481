"""Ctrl-C in a fit of any kind: what was learnt is kept, and the caller knows."""

import signal

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
)
from sklrnn.forecasting import GRUForecaster
from sklrnn.sktime_adapters import SktimeClassifier
from sklrnn.training.net import SequenceNet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 2))
Y = X.sum(axis=(1, 2))
LABELS = np.where(Y > 0, "up", "down")
TABLE = np.column_stack([np.sin(np.arange(80.0)), np.cos(np.arange(80.0))])
TABLE[20:25, 0] = np.nan
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow"]
SALES = pd.Series(RNG.normal(size=60).cumsum(), index=pd.period_range("2010-01", periods=60, freq="M"))
PANEL = pd.DataFrame(
    {"y": RNG.normal(size=60).cumsum()},
    index=pd.MultiIndex.from_product([["a", "b"], pd.period_range("2010-01", periods=30, freq="M")]),
)
INTERRUPTED = "interrupted in epoch"


class CtrlC(Callback):
    """Ctrl-C after a number of steps; it comes once."""

    def __init__(self, after_steps):
        self.after_steps = after_steps

    def on_batch_end(self, net, training=True, **kwargs):
        if training and self.after_steps is not None:
            self.after_steps -= 1
            if self.after_steps == 0:
                self.after_steps = None
                signal.raise_signal(signal.SIGINT)


def tiny(kind, after_steps, **options):
    tiny_options = {"units": 3, "max_epochs": 6, "batch_size": 16, "random_state": 0}
    if kind is GRUForecaster:
        tiny_options["n_networks"] = 1
    return kind(callbacks=[CtrlC(after_steps)], **tiny_options | options)


FITS = {
    "regressor": (GRURegressor, (X, Y), lambda model: model.predict(X)),
    "classifier": (GRUClassifier, (X, LABELS), lambda model: model.predict_proba(X)),
    "generator": (SequenceGenerator, (WORDS,), lambda model: model.score(WORDS)),
    "translator": (SequenceTranslator, (WORDS, WORDS[::-1]), lambda model: len(model.predict(WORDS))),
    "imputer": (RecurrentImputer, (TABLE,), lambda model: model.transform(TABLE)),
    "forecaster": (GRUForecaster, (SALES,), lambda model: model.predict(fh=[1, 2])),
}
every_fit = pytest.mark.parametrize(("kind", "data", "show"), FITS.values(), ids=FITS)


@every_fit
def test_a_fit_that_is_interrupted_is_usable_and_says_so(kind, data, show):
    model = tiny(kind, after_steps=2)
    with (
        pytest.warns(ConvergenceWarning, match=f"{INTERRUPTED} .* can be used") as record,
        pytest.raises(KeyboardInterrupt, match=INTERRUPTED),
    ):
        model.fit(*data)
    assert record[0].filename == __file__
    assert np.isfinite(show(model)).all()
    assert not [name for name in vars(model) if "interrupt" in name]
    model.fit(*data)  # the next one runs to its end
    assert np.isfinite(show(model)).all()


@every_fit
def test_an_interrupt_before_the_first_step_leaves_the_old_model(kind, data, show, monkeypatch):
    model = tiny(kind, after_steps=None).fit(*data)
    before = show(model)
    # sktime's fit forgets the one before as it begins; an update does not.
    fit = model.update if isinstance(model, GRUForecaster) else model.fit
    monkeypatch.setattr(CtrlC, "on_train_begin", lambda *args, **kwargs: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fit(*data)
    assert_array_equal(show(model), before)


def test_what_was_learnt_is_that_of_the_steps_before():
    model = tiny(GRURegressor, after_steps=3)  # a step of three is an epoch
    with pytest.warns(ConvergenceWarning, match="in epoch 1"), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    one_epoch = GRURegressor(units=3, max_epochs=1, batch_size=16, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), one_epoch.predict(X), rtol=1e-3)
    assert (model.n_iter_, model.loss_curve_) == (0, [])


def test_ctrl_c_in_a_step_of_the_optimizer(monkeypatch):
    steps = []

    def train_step(net, batch, make_step=SequenceNet.train_step, **options):
        steps.append(1)
        if len(steps) == 8:
            signal.raise_signal(signal.SIGINT)
        return make_step(net, batch, **options)

    monkeypatch.setattr(SequenceNet, "train_step", train_step)
    model = GRURegressor(units=3, batch_size=16, random_state=0, pooling="max")  # whole epochs have no train_step
    message = "in epoch 3. The model keeps the weights of this moment"
    with pytest.warns(ConvergenceWarning, match=message), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert np.isfinite(model.predict(X)).all()


def test_ctrl_c_ends_a_search_in_its_first_candidate():
    search = GridSearchCV(tiny(GRURegressor, after_steps=2), {"units": [2, 3]}, cv=2, error_score=0.0)
    with pytest.warns(ConvergenceWarning, match=INTERRUPTED) as record, pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert len(record) == 1
    assert not hasattr(search, "cv_results_")


def test_ctrl_c_ends_a_loop_of_partial_fit():
    model = tiny(GRURegressor, after_steps=8)

    def learn_on():
        for _ in range(10):
            model.partial_fit(X, Y)

    with pytest.warns(ConvergenceWarning, match=INTERRUPTED), pytest.raises(KeyboardInterrupt):
        learn_on()
    assert model.n_iter_ == 2
    assert model.partial_fit(X, Y).n_iter_ == 3


def test_a_warm_start_keeps_what_it_learnt_before_ctrl_c():
    model = tiny(GRURegressor, after_steps=None, warm_start=True).fit(X, Y)
    before = model.predict(X)
    model.set_params(callbacks=[CtrlC(4)])
    with pytest.warns(ConvergenceWarning, match="in epoch 2"), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert model.n_iter_ == 7
    assert not np.array_equal(model.predict(X), before)


def test_with_a_held_out_part_the_best_epoch_is_kept_and_intervals_work():
    model = tiny(GRURegressor, after_steps=8, early_stopping=True)
    with (
        pytest.warns(ConvergenceWarning, match="in epoch 3. The model keeps the weights of its best epoch"),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X, Y)
    assert model.best_validation_loss_ == min(model.validation_curve_)
    assert np.isfinite(model.predict_interval(X, coverage=0.5)).all()


def test_ctrl_c_while_errors_are_measured_after_training_keeps_the_model(monkeypatch):
    model = tiny(GRURegressor, after_steps=None, early_stopping=True)
    run = "sklrnn.estimators.regressor.HeldOutErrors.measure"
    monkeypatch.setattr(run, lambda *args: signal.raise_signal(signal.SIGINT))
    with pytest.warns(ConvergenceWarning, match="gives no intervals"), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert model.n_iter_ == 6
    with pytest.raises(ValueError, match="no samples were held out"):
        model.predict_interval(X)


def test_ctrl_c_wins_where_warnings_are_errors_and_where_nothing_usable_was_learnt():
    model = tiny(GRURegressor, after_steps=2)
    with pytest.raises(KeyboardInterrupt):  # pytest makes errors of warnings
        model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all()
    diverging = tiny(GRURegressor, after_steps=2, learning_rate=1e30, optimizer="sgd", max_grad_norm=None)
    with pytest.raises(KeyboardInterrupt):
        diverging.fit(X, Y)
    assert not hasattr(diverging, "model_")


def test_a_pipeline_can_be_used_after_ctrl_c():
    model = make_pipeline(SequenceScaler(), tiny(GRURegressor, after_steps=2))
    with pytest.warns(ConvergenceWarning, match=INTERRUPTED), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


def test_a_callback_of_skorch_that_stops_training_is_no_ctrl_c():
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=1.0)
    model = GRURegressor(units=3, callbacks=[stop], random_state=0).fit(X, Y)
    assert model.n_iter_ < 5


# -- forecasters -------------------------------------------------------------------------------------------------------


def test_of_several_networks_those_that_were_trained_are_kept():
    model = tiny(GRUForecaster, after_steps=None, n_networks=3).fit(SALES)
    steps = model.networks_[0].n_iter_ * -(-len(model._training_windows()) // 16)
    interrupted = clone(model).set_params(callbacks=[CtrlC(steps + 1)])
    with (
        pytest.warns(ConvergenceWarning, match="in network 2 of 3. The forecaster keeps"),
        pytest.raises(KeyboardInterrupt),
    ):
        interrupted.fit(SALES)
    assert len(interrupted.networks_) == 1
    alone = tiny(GRUForecaster, after_steps=None, n_networks=1).fit(SALES)
    assert_array_equal(interrupted.predict(fh=[1]), alone.predict(fh=[1]))


def test_an_update_that_is_interrupted_keeps_all_networks_and_rows():
    model = tiny(GRUForecaster, after_steps=None, n_networks=2, max_epochs=20).fit(SALES[:50])
    before = [network.loss_curve_ for network in model.networks_]
    model.networks_[0].recipe.options.callbacks[0].after_steps = 2
    with pytest.warns(ConvergenceWarning, match="in network 1 of 2"), pytest.raises(KeyboardInterrupt):
        model.update(SALES[50:])
    assert model.cutoff[0] == SALES.index[-1]
    assert [network.loss_curve_ for network in model.networks_] == before
    assert np.isfinite(model.predict(fh=[1])).all()


def test_pretraining_that_is_interrupted_can_be_used():
    model = tiny(GRUForecaster, after_steps=2)
    with pytest.warns(ConvergenceWarning, match=INTERRUPTED), pytest.raises(KeyboardInterrupt):
        model.pretrain(PANEL, fh=[1])
    assert np.isfinite(model.fit(SALES).predict(fh=[1])).all()


def test_intervals_after_ctrl_c_are_those_of_a_network_as_little_trained():
    model = tiny(GRUForecaster, after_steps=None, max_epochs=50).fit(SALES)
    steps = -(-len(model._training_windows()) // 16)
    interrupted = clone(model).set_params(callbacks=[CtrlC(2 * steps + 1)])
    with pytest.warns(ConvergenceWarning, match="in epoch 3"), pytest.raises(KeyboardInterrupt):
        interrupted.fit(SALES)
    assert interrupted._calibration.refit.options.max_epochs == 2


def test_an_interval_that_is_interrupted_is_not_computed_from_half_a_refit():
    model = tiny(GRUForecaster, after_steps=None).fit(SALES)
    expected = clone(model).fit(SALES).predict_interval(fh=[1])
    model._calibration.refit.options.callbacks[0].after_steps = 1
    with pytest.raises(KeyboardInterrupt):
        model.predict_interval(fh=[1])
    assert_array_equal(model.predict_interval(fh=[1]), expected)


def test_an_adapter_for_sktime_can_be_used_after_ctrl_c():
    panel = X.transpose(0, 2, 1)
    model = SktimeClassifier(tiny(GRUClassifier, after_steps=2))
    with pytest.warns(ConvergenceWarning, match=INTERRUPTED), pytest.raises(KeyboardInterrupt):
        model.fit(panel, LABELS)
    assert set(model.predict(panel)) <= {"up", "down"}
