"""sktime's contract over both adapters, the order of the axes, and forecasting by reduction."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sktime.classification.dummy import DummyClassifier
from sktime.classification.model_selection import TSCGridSearchCV
from sktime.datatypes import convert_to
from sktime.exceptions import NotFittedError
from sktime.forecasting.compose import make_reduction
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.pipeline import make_pipeline as make_sktime_pipeline
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.exponent import ExponentTransformer
from sktime.transformations.truncation import TruncationTransformer
from sktime.utils.estimator_checks import check_estimator, parametrize_with_checks

from sklrnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, SequenceScaler
from sklrnn.sktime_adapters import SktimeClassifier, SktimeRegressor

ADAPTERS = {SktimeClassifier: GRUClassifier, SktimeRegressor: GRURegressor}
TINY = {"units": 3, "max_epochs": 2}

every_adapter = pytest.mark.parametrize("adapter", ADAPTERS)
# sktime 1.2 announces a change of its own whenever a forecaster is made.
quiet = pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")


@pytest.fixture
def panel():
    """As many channels as time steps, so that no shape gives a mistake away; channels of very different sizes."""
    random = np.random.default_rng(0)
    return random.normal(size=(24, 5, 5)) * np.logspace(-2, 2, 5)[:, np.newaxis]


def targets(adapter, panel):
    newest = panel[:, 1, -1]
    return np.where(newest > 0, "up", "down") if adapter is SktimeClassifier else newest


def tiny(adapter):
    return adapter(ADAPTERS[adapter](**TINY), random_state=0)


def answers(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


# -- sktime's contract -----------------------------------------------------------------------------------------------


@parametrize_with_checks([*ADAPTERS])
def test_adapter_keeps_the_contract_of_sktime(obj, test_name):
    results = check_estimator(obj, tests_to_run=test_name, raise_exceptions=True, verbose=False)
    assert results
    assert set(results.values()) == {"PASSED"}


# -- the axes --------------------------------------------------------------------------------------------------------


@every_adapter
def test_channels_become_features_and_time_stays_time(adapter, panel):
    y = targets(adapter, panel)
    turned = np.array([[sample[:, step] for step in range(5)] for sample in panel])  # (sample, time, feature)
    alone = ADAPTERS[adapter](**TINY, random_state=0).fit(turned, y)
    model = tiny(adapter).fit(panel, y)

    np.testing.assert_array_equal(answers(model, panel), answers(alone, turned))
    np.testing.assert_array_equal(model.predict(panel), alone.predict(turned))
    with pytest.warns(UserWarning, match="X lies far outside of what training saw: .*24 of 24 samples"):
        in_wrong_order = answers(alone, panel)
    assert not np.array_equal(answers(model, panel), in_wrong_order), "the wrong order must be noticed here"


@every_adapter
def test_network_steps_along_time(adapter, panel):
    model = tiny(adapter).fit(panel, targets(adapter, panel))
    for sample, answer in zip(panel[:4], model.predict(panel[:4]), strict=True):
        stream = model.estimator_.start_stream()
        steps = [stream.step(sample[:, time]) for time in range(5)]
        assert steps[-1] == (answer if adapter is SktimeClassifier else pytest.approx(answer))


@every_adapter
def test_series_may_grow_longer_but_not_gain_channels(adapter, panel):
    model = tiny(adapter).fit(panel, targets(adapter, panel))
    assert model.predict(np.concatenate([panel, panel], axis=2)).shape == (24,)
    with pytest.raises(ValueError, match="10 features, but .* is expecting 5 features"):
        model.predict(np.concatenate([panel, panel], axis=1))


@every_adapter
@pytest.mark.parametrize("mtype", ["pd-multiindex", "df-list", "nested_univ"])
def test_form_of_the_panel_makes_no_difference(adapter, mtype, panel):
    y = targets(adapter, panel)
    form = convert_to(panel, mtype, as_scitype="Panel")
    expected = answers(tiny(adapter).fit(panel, y), panel)
    np.testing.assert_array_equal(answers(tiny(adapter).fit(form, y), form), expected)


@every_adapter
def test_array_of_two_axes_holds_univariate_series(adapter, panel):
    y = targets(adapter, panel)
    model = tiny(adapter).fit(panel[:, 1], y)
    assert model.estimator_.n_features_in_ == 1
    np.testing.assert_array_equal(
        answers(model, panel[:, 1]), answers(tiny(adapter).fit(panel[:, 1:2], y), panel[:, 1:2])
    )


# -- labels and targets ----------------------------------------------------------------------------------------------


def test_labels_come_back_as_they_were_given(panel):
    labels = pd.Series(targets(SktimeClassifier, panel), name="direction")
    model = tiny(SktimeClassifier).fit(panel, labels)
    assert list(model.classes_) == ["down", "up"]
    assert set(model.predict(panel)) <= {"down", "up"}
    likeliest = model.classes_[model.predict_proba(panel).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(panel), likeliest)


def test_a_single_label_needs_no_network(panel):
    with pytest.warns(UserWarning, match="single label"):
        model = tiny(SktimeClassifier).fit(panel, np.full(24, "up"))
    assert set(model.predict(panel)) == {"up"}
    assert not hasattr(model, "estimator_")


def test_several_targets_share_one_network(panel):
    y = pd.DataFrame({"newest": panel[:, 1, -1], "oldest": panel[:, 3, 0]})
    model = tiny(SktimeRegressor).fit(panel, y)
    assert model.estimator_.n_outputs_ == 2
    predicted = model.predict(panel)
    assert list(predicted.columns) == ["newest", "oldest"]

    alone = GRURegressor(**TINY, random_state=0).fit(panel.transpose(0, 2, 1).copy(), y.to_numpy())
    np.testing.assert_array_equal(predicted, alone.predict(panel.transpose(0, 2, 1).copy()))
    np.testing.assert_array_equal(tiny(SktimeRegressor).fit(panel, y.to_numpy()).predict(panel), predicted)


def test_several_columns_of_labels_are_learnt_one_by_one(panel):
    y = pd.DataFrame({"newest": panel[:, 1, -1] > 0, "oldest": panel[:, 3, 0] > 0}).astype(int)
    model = tiny(SktimeClassifier).fit(panel, y)
    one = tiny(SktimeClassifier).fit(panel, y["oldest"])
    np.testing.assert_array_equal(model.predict(panel)["oldest"], one.predict(panel))


@pytest.mark.parametrize("column", ["array of one column", "frame of one column"])
def test_one_column_of_targets_is_one_target(column, panel):
    y = panel[:, 1, -1]
    shaped = y[:, np.newaxis] if column.startswith("array") else pd.DataFrame({"y": y})
    model = tiny(SktimeRegressor).fit(panel, shaped)
    np.testing.assert_array_equal(model.predict(panel), tiny(SktimeRegressor).fit(panel, y).predict(panel))
    assert model.estimator_.predict(panel.transpose(0, 2, 1)).shape == (24,)


def test_adapters_learn():
    X = np.random.default_rng(0).normal(size=(400, 3, 6))
    y = 500 + 100 * X[:, 2, -2:].sum(axis=1)
    regressor = SktimeRegressor(GRURegressor(units=8, max_epochs=20), random_state=0).fit(X[:300], y[:300])
    assert regressor.score(X[300:], y[300:]) > 0.9
    labels = np.where(y > 500, "up", "down")
    classifier = SktimeClassifier(LSTMClassifier(units=8, max_epochs=20), random_state=0).fit(X[:300], labels[:300])
    assert classifier.score(X[300:], labels[300:]) > 0.9


# -- parameters ------------------------------------------------------------------------------------------------------


@every_adapter
@pytest.mark.parametrize("copy", [clone, lambda adapter: adapter.clone()], ids=["scikit-learn", "sktime"])
def test_parameters_of_the_estimator_are_parameters_of_the_adapter(adapter, copy):
    model = adapter(ADAPTERS[adapter](units=7))
    assert model.get_params()["estimator__units"] == 7
    assert model.set_params(estimator__units=(4, 4)) is model

    copied = copy(model)
    assert copied.get_params()["estimator__units"] == (4, 4)
    assert copied.estimator is not model.estimator
    copied.set_params(estimator__units=5)
    assert model.estimator.units == (4, 4)


@every_adapter
def test_without_an_estimator_there_is_a_gru(adapter, panel):
    assert adapter().get_params(deep=False) == {"estimator": None, "random_state": None}
    model = adapter().set_params(estimator__units=3, estimator__max_epochs=2, random_state=0)
    assert type(model.estimator) is ADAPTERS[adapter]
    y = targets(adapter, panel)
    np.testing.assert_array_equal(answers(model.fit(panel, y), panel), answers(tiny(adapter).fit(panel, y), panel))
    assert type(adapter().fit(panel, y).estimator_) is ADAPTERS[adapter]


@every_adapter
def test_seeds_alone_need_no_estimator(adapter):
    assert adapter().set_params(random_state=3).estimator is None
    assert adapter().set_random_state(3).get_params(deep=False) == {"estimator": None, "random_state": 3}
    assert adapter(ADAPTERS[adapter]()).set_params(estimator=None).estimator is None


@every_adapter
def test_fit_leaves_the_given_estimator_as_it_is(adapter, panel):
    given = ADAPTERS[adapter](**TINY, random_state=5)
    before = given.get_params()
    model = adapter(given, random_state=0).fit(panel, targets(adapter, panel))
    assert given.get_params() == before
    assert not hasattr(given, "net_")
    assert model.estimator_.random_state == 0


@every_adapter
def test_seed_of_the_adapter_goes_before_that_of_the_estimator(adapter, panel):
    y = targets(adapter, panel)

    def fitted(seed, own):
        return answers(adapter(ADAPTERS[adapter](**TINY, random_state=own), random_state=seed).fit(panel, y), panel)

    np.testing.assert_array_equal(fitted(1, 2), fitted(1, 3))
    np.testing.assert_array_equal(fitted(None, 2), fitted(2, None))
    assert not np.array_equal(fitted(None, 2), fitted(None, 3))


@every_adapter
def test_sktime_seeds_a_whole_pipeline(adapter, panel):
    y = targets(adapter, panel)
    first, second = (
        make_sktime_pipeline(
            ExponentTransformer(power=1, offset=0), adapter(ADAPTERS[adapter](**TINY))
        ).set_random_state(7)
        for _ in range(2)
    )
    np.testing.assert_array_equal(answers(first.fit(panel, y), panel), answers(second.fit(panel, y), panel))


# -- company ---------------------------------------------------------------------------------------------------------


@every_adapter
def test_scikit_learn_knows_what_an_adapter_is(adapter):
    assert is_classifier(adapter()) == (adapter is SktimeClassifier)
    assert is_regressor(adapter()) == (adapter is SktimeRegressor)


@every_adapter
def test_search_of_scikit_learn_reaches_the_estimator(adapter, panel):
    y = targets(adapter, panel)
    search = GridSearchCV(tiny(adapter), {"estimator__units": [2, 4], "estimator__dropout": [0.1]}, cv=2).fit(panel, y)
    assert search.best_estimator_.estimator_.units in (2, 4)
    assert search.best_estimator_.estimator_.dropout == 0.1
    assert search.predict(panel).shape == (24,)


def test_search_over_the_default_estimator(panel):
    grid = {"estimator__units": [2], "estimator__max_epochs": [1, 2]}
    search = GridSearchCV(SktimeClassifier(random_state=0), grid, cv=2).fit(panel, targets(SktimeClassifier, panel))
    assert search.best_estimator_.estimator_.units == 2


def test_search_of_sktime_reaches_the_estimator(panel):
    search = TSCGridSearchCV(tiny(SktimeClassifier), {"estimator__units": [2, 4]}, cv=StratifiedKFold(2))
    search.fit(panel, targets(SktimeClassifier, panel))
    assert search.best_params_["estimator__units"] in (2, 4)


@every_adapter
def test_pipelines_and_searches_of_scikit_learn_may_be_inside(adapter, panel):
    y = targets(adapter, panel)
    inner = make_pipeline(SequenceScaler(scaler=MinMaxScaler()), ADAPTERS[adapter](**TINY))
    step = ADAPTERS[adapter].__name__.lower()
    search = GridSearchCV(inner, {f"{step}__units": [2, 4]}, cv=2)
    model = adapter(search, random_state=0).fit(panel, y)
    seen = model.estimator_.best_estimator_["sequencescaler"].scaler_
    np.testing.assert_allclose(seen.data_max_, panel.max(axis=(0, 2)))
    assert model.estimator_.best_estimator_[step].random_state == 0
    assert model.predict(panel).shape == (24,)


def test_folds_of_a_classifier_are_stratified(panel):
    ordered = panel[np.argsort(panel[:, 1, -1])]  # without strata a fold would lack a label
    scores = cross_val_score(
        tiny(SktimeClassifier), ordered, targets(SktimeClassifier, ordered), cv=2, scoring="neg_log_loss"
    )
    assert np.isfinite(scores).all()
    assert cross_val_predict(tiny(SktimeRegressor), panel, panel[:, 1, -1], cv=2).shape == (24,)


@every_adapter
@pytest.mark.parametrize("how", ["product", "make_pipeline"])
def test_transformers_of_sktime_go_in_front(adapter, how, panel):
    y, square = targets(adapter, panel), ExponentTransformer(power=2, offset=0)
    pipeline = square * tiny(adapter) if how == "product" else make_sktime_pipeline(square, tiny(adapter))
    alone = tiny(adapter).fit(panel**2, y)
    np.testing.assert_array_equal(answers(pipeline.fit(panel, y), panel), answers(alone, panel**2))


@every_adapter
def test_fitted_adapter_survives_pickling(adapter, panel):
    model = tiny(adapter).fit(panel, targets(adapter, panel))
    np.testing.assert_array_equal(answers(pickle.loads(pickle.dumps(model)), panel), answers(model, panel))


# -- what is refused -------------------------------------------------------------------------------------------------


def of_unequal_length(panel):
    return [pd.DataFrame(sample.T[: 3 + number % 3]) for number, sample in enumerate(panel)]


@every_adapter
def test_series_of_unequal_length_are_refused(adapter, panel):
    assert adapter.get_class_tag("capability:unequal_length") is False
    with pytest.raises(ValueError, match="unequal length series"):
        tiny(adapter).fit(of_unequal_length(panel), targets(adapter, panel))


@every_adapter
def test_series_cut_to_one_length_are_welcome(adapter, panel):
    ragged = of_unequal_length(panel)
    y = targets(adapter, panel)
    model = (TruncationTransformer() * tiny(adapter)).fit(ragged, y)
    np.testing.assert_array_equal(
        answers(model, ragged), answers(tiny(adapter).fit(panel[:, :, :3], y), panel[:, :, :3])
    )


@every_adapter
def test_missing_values_are_refused(adapter, panel):
    panel[3, 1, 2] = np.nan
    with pytest.raises(ValueError, match="missing values"):
        tiny(adapter).fit(panel, np.arange(24) % 2)


@every_adapter
def test_an_unfitted_adapter_says_so(adapter, panel):
    with pytest.raises(NotFittedError, match="has not been fitted"):
        adapter().predict(panel)


STRANGERS = [
    (SktimeRegressor, Ridge(), r"needs a regressor of sklrnn .* such as GRURegressor\(\), .* got Ridge\(\)\.$"),
    (SktimeRegressor, "gru", r"needs a regressor of sklrnn .* got 'gru'\.$"),
    (SktimeRegressor, GRURegressor, r"got the class GRURegressor\. Pass an instance: GRURegressor\(\.\.\.\)\.$"),
    (SktimeRegressor, GRUClassifier(), r"got GRUClassifier\(\)\. Use SktimeClassifier for it\.$"),
    (SktimeRegressor, make_pipeline(MinMaxScaler(), Ridge()), r"needs a regressor of sklrnn .* got Pipeline"),
    (SktimeRegressor, SktimeRegressor(GRURegressor()), r"needs a regressor of sklrnn .* got SktimeRegressor"),
    (SktimeRegressor, make_pipeline(MinMaxScaler(), SktimeRegressor(GRURegressor())), r"got Pipeline"),
    (SktimeClassifier, DummyClassifier(), r"needs a classifier of sklrnn .* got DummyClassifier\(\)\.$"),
    (SktimeClassifier, LSTMRegressor(), r"got LSTMRegressor\(\)\. Use SktimeRegressor for it\.$"),
    (SktimeClassifier, make_pipeline(SequenceScaler(), LSTMRegressor()), r"Use SktimeRegressor for it\.$"),
]


@pytest.mark.parametrize(("adapter", "stranger", "message"), STRANGERS)
def test_another_estimator_is_refused_with_a_way_out(adapter, stranger, message, panel):
    with pytest.raises(TypeError, match=f"(?s){message}"):
        adapter(stranger).fit(panel, targets(adapter, panel))


# -- forecasting by reduction ----------------------------------------------------------------------------------------


class Witness(GRURegressor):
    """Remembers what it was given."""

    def fit(self, X, y, sample_weight=None):
        self.seen = np.asarray(X), np.asarray(y)
        self.asked = []
        return super().fit(X, y, sample_weight)

    def predict(self, X):
        self.asked.append(np.asarray(X))
        return super().predict(X)


MONTHS = pd.period_range("2020-01", periods=15, freq="M")
# A value tells which series it is from and which month.
COUNTING = pd.Series(np.arange(12.0), index=MONTHS[:12], name="y")
DRIVERS = pd.DataFrame({"a": 100 + np.arange(15.0), "b": 200 + np.arange(15.0)}, index=MONTHS)
STRATEGIES = ["recursive", "direct", "multioutput", "dirrec"]


def forecast(estimator, strategy, drivers=None, **options):
    """Forecast three months with windows of three, and give the innermost estimators."""
    forecaster = make_reduction(estimator, strategy=strategy, window_length=3, **options)
    known, future = (None, None) if drivers is None else (drivers[:12], drivers[12:])
    predicted = forecaster.fit(COUNTING, X=known, fh=[1, 2, 3]).predict(X=future)
    assert predicted.index.equals(MONTHS[12:])
    assert np.isfinite(predicted).all(axis=None)
    fitted = forecaster.estimators_ if hasattr(forecaster, "estimators_") else [forecaster.estimator_]
    return [getattr(one, "estimator_", one) for one in fitted]


def time_major(table, window_length):
    return table.reshape(len(table), -1, window_length).transpose(0, 2, 1)


@quiet
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_tables_of_reduction_are_series_with_the_oldest_value_first(strategy):
    first, *_ = forecast(Witness(**TINY), strategy, scitype="tabular-regressor")
    X, y = first.seen
    assert X[0].tolist() == [0, 1, 2]
    assert y.ravel()[0] == 3
    assert first.asked[0].tolist() == [[9, 10, 11]]


@quiet
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_panels_of_reduction_reach_the_estimator_with_time_before_features(strategy):
    first, *_ = forecast(SktimeRegressor(Witness(**TINY)), strategy, DRIVERS, scitype="time-series-regressor")
    X, _ = first.seen
    if strategy == "dirrec":  # sktime drops the drivers there
        assert X[0].tolist() == [[0], [1], [2]]
        return
    assert X[0].tolist() == [[0, 100, 200], [1, 101, 201], [2, 102, 202]]
    assert first.asked[0].tolist() == [[[9, 109, 209], [10, 110, 210], [11, 111, 211]]]


@quiet
@pytest.mark.parametrize("strategy", ["recursive", "direct", "multioutput"])
def test_tables_with_drivers_hold_one_series_after_the_other(strategy):
    (first, *_) = forecast(Witness(**TINY), strategy, DRIVERS, scitype="tabular-regressor")
    table, _ = first.seen
    assert table[0].tolist() == [0, 1, 2, 100, 101, 102, 200, 201, 202]
    # So no n_timesteps reads them: it asks for all features of a step side by side.
    wrong = GRURegressor(n_timesteps=3)._check_X(table, reset=True)
    assert wrong[0, 0].tolist() == [0, 1, 2]
    assert time_major(table, 3)[0].tolist() == [[0, 100, 200], [1, 101, 201], [2, 102, 202]]


@quiet
@pytest.mark.parametrize("strategy", ["recursive", "direct", "multioutput"])
def test_turned_table_and_adapter_forecast_the_same(strategy):
    turn = FunctionTransformer(time_major, kw_args={"window_length": 3})
    network = GRURegressor(**TINY, random_state=0)

    def forecasts(estimator, scitype):
        forecaster = make_reduction(estimator, strategy=strategy, window_length=3, scitype=scitype)
        return forecaster.fit(COUNTING, X=DRIVERS[:12], fh=[1, 2, 3]).predict(X=DRIVERS[12:]).to_numpy()

    table = forecasts(make_pipeline(turn, network), "tabular-regressor")
    np.testing.assert_allclose(forecasts(SktimeRegressor(network), "time-series-regressor"), table, rtol=1e-5)
    assert not np.allclose(forecasts(network, "tabular-regressor"), table, rtol=1e-5)


@quiet
def test_sktime_sees_which_reduction_an_estimator_is_for():
    assert make_reduction(SktimeRegressor())._estimator_scitype == "time-series-regressor"
    assert make_reduction(GRURegressor())._estimator_scitype == "tabular-regressor"


@quiet
def test_all_steps_of_a_multioutput_reduction_share_one_network():
    (only,) = forecast(SktimeRegressor(GRURegressor(**TINY)), "multioutput", scitype="time-series-regressor")
    assert only.n_outputs_ == 3


@quiet
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")  # sktime 1.2 with pandas 3
def test_global_reduction_hands_over_the_newest_value_first():
    pairs = pd.MultiIndex.from_product([["s", "t"], MONTHS[:12]])
    y = pd.DataFrame({"y": np.arange(24.0)}, index=pairs)
    forward = FunctionTransformer(lambda lags: lags.to_numpy()[:, ::-1])
    forecaster = make_reduction(make_pipeline(forward, Witness(**TINY)), window_length=3, pooling="global")
    X, target = forecaster.fit(y).estimator_[-1].seen
    assert X[0].tolist() == [0, 1, 2]
    assert target[0] == 3


@quiet
def test_driver_that_runs_ahead_is_found():
    random = np.random.default_rng(0)
    index = pd.period_range("2000-01", periods=240, freq="M")
    drivers = pd.DataFrame(random.normal(size=(240, 2)), index=index, columns=["noise", "signal"])
    y = 100 + 10 * drivers["signal"].shift(1, fill_value=0.0)  # what the signal was a month ago
    network = GRURegressor(units=8, max_epochs=30, random_state=0)
    forecaster = make_reduction(SktimeRegressor(network), strategy="direct", window_length=6)
    forecaster.fit(y[:200], X=drivers[:200], fh=[1])
    errors = []
    for now in range(200, 239, 3):
        forecaster.update(y[:now], X=drivers[:now], update_params=False)
        errors.append(forecaster.predict(X=drivers[now : now + 1]).iloc[0] - y.iloc[now])
    assert np.std(errors) < 0.3 * y.std()


@quiet
def test_search_of_sktime_reaches_through_forecaster_and_adapter():
    search = ForecastingGridSearchCV(
        make_reduction(SktimeRegressor(GRURegressor(**TINY, random_state=0)), window_length=3),
        ExpandingWindowSplitter(initial_window=9, fh=[1, 2]),
        {"window_length": [2, 3], "estimator__estimator__units": [2, 4]},
        backend=None,
    ).fit(COUNTING, fh=[1])
    assert search.best_params_.keys() == {"window_length", "estimator__estimator__units"}
    assert np.isfinite(search.predict()).all(axis=None)
