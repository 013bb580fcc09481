import re
import threading

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX
from threadpoolctl import threadpool_info

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting.comparison import baselines as _classical
from sklrnn.forecasting.comparison.auto_arima import ARIMASearch, _count_differences, _fit_roughly, _kpss, _Orders
from sklrnn.forecasting.comparison.auto_ets import ETSSearch
from sklrnn.forecasting.comparison.baselines import CLASSICAL, SeriesTraits, make_classical
from sklrnn.forecasting.comparison.compare import compare
from sklrnn.forecasting.comparison.warning_counts import count_warnings
from sklrnn.training.process import ScopedSetting, one_blas_thread

# sktime announces a change of its own whenever a forecaster of its is made.
pytestmark = pytest.mark.filterwarnings("ignore:The default of config:FutureWarning")
SEARCHES = [ETSSearch, ARIMASearch]


def seasonal(n_rows, sp, seed=0, noise=0.3):
    time = np.arange(n_rows)
    wave = 3 * np.sin(2 * np.pi * time / sp)
    return pd.Series(20 + 0.05 * time + wave + noise * np.random.default_rng(seed).normal(size=n_rows))


# ---- the names -----------------------------------------------------------------------------------------------------


def test_naive_forecasts_are_the_textbook_ones():
    y = np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 1.0, 1.0])
    forecasts = compare(["naive", "seasonal_naive", "drift"], y, horizon=2, n_splits=1, sp=4).forecasts
    answers = forecasts.groupby("model")["y_pred"].apply(list).to_dict()
    assert answers == {"naive": [7, 7], "seasonal_naive": [2, 8], "drift": pytest.approx([7 + 6 / 5, 7 + 12 / 5])}


@pytest.mark.parametrize(("rival", "shift"), [("seasonal_naive", 0), ("drift", -300)], ids=["positive", "negative"])
@pytest.mark.parametrize("name", ["theta", "ets", "arima"])
def test_statistical_forecasts_beat_simple_ones_on_passengers(name, rival, shift):
    comparison = compare([rival, name], load_air_passengers() + shift, horizon=12, n_splits=3, sp=12)
    assert comparison.failures == []
    mean = comparison.results.groupby("model")["MASE"].mean()
    assert mean[name] < 0.85 * mean[rival]
    assert 40 <= comparison.summary().loc[name, "coverage, %"] <= 100


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize(
    ("sp", "n_rows"), [(52, 170), (12, 20), (12, 14), (1, 40)], ids=["long", "one and a half", "one", "none"]
)
def test_names_work_with_seasons_of_all_lengths(name, sp, n_rows):
    comparison = compare(name, seasonal(n_rows, max(sp, 2)), horizon=2, n_splits=1, sp=sp)
    assert comparison.failures == []
    # One season alone shows the seasonal naive forecast no error to make an interval of.
    has_intervals = name != "combination" and n_rows - 2 != sp
    known = ["y_pred", "lower", "upper"] if has_intervals else ["y_pred"]
    assert comparison.forecasts[known].notna().all(axis=None)


@pytest.mark.parametrize("name", ["theta", "ets", "arima"])
def test_long_season_is_forecast(name):
    comparison = compare(["drift", name], seasonal(230, 52), horizon=26, n_splits=1, sp=52)
    mean = comparison.results.set_index("model")["MASE"]
    assert mean[name] < 0.3 * mean["drift"]


@pytest.mark.parametrize("name", ["theta", "ets", "arima"])
def test_missing_statsmodels_is_named_with_what_to_install(name, monkeypatch):
    monkeypatch.setattr(_classical, "find_spec", lambda library: None)
    with pytest.raises(ModuleNotFoundError, match=f"'{name}' needs statsmodels.*pip install statsmodels"):
        compare(["naive", name], seasonal(40, 7), horizon=2)
    assert make_classical("drift", SeriesTraits(1, True, 40)).strategy == "drift"


# ---- those that choose their own form ------------------------------------------------------------------------------


def test_smoothing_chooses_as_a_full_search_does():
    from sktime.forecasting.ets import AutoETS

    y = seasonal(60, 4, noise=1.0)
    quick = ETSSearch(sp=4).fit(y, fh=[1, 2, 3])
    with one_blas_thread():
        full = AutoETS(auto=True, sp=4, information_criterion="aicc").fit(y, fh=[1, 2, 3])
    assert quick.result_.model.short_name == full._fitted_forecaster.model.short_name
    assert_allclose(quick.predict(), full.predict(), rtol=1e-3)


def test_smoothing_is_multiplicative_for_positive_swings_that_grow():
    y = load_air_passengers()
    assert ETSSearch(sp=12).fit(y).result_.model.short_name.endswith("M")
    assert ETSSearch(sp=12).fit(y - 300).result_.model.short_name.endswith("A")


def test_intervals_of_smoothing_agree_with_the_exact_ones():
    y = seasonal(80, 4, noise=1.0) - 20
    model = ETSSearch(sp=4).fit(y, fh=range(1, 9))
    assert model.result_.model.short_name in ["ANN", "AAN", "AAdN", "ANA", "AAA", "AAdA"]
    with_index = model._model(y, "estimated", **model._form).smooth(model.result_.params)
    exact = with_index.get_prediction(start=80, end=87).pred_int(alpha=0.1).to_numpy()
    interval = model.predict_interval(coverage=0.9)
    assert_allclose(interval.to_numpy(), exact, atol=0.06 * np.ptp(exact, axis=1).min())
    assert model.clone().fit(y, fh=range(1, 9)).predict_interval(coverage=0.9).equals(interval)


@pytest.mark.parametrize(
    ("y", "sp", "expected"),
    [
        (np.random.default_rng(0).normal(size=200), 1, (0, 0)),
        (np.random.default_rng(0).normal(size=200).cumsum(), 1, (1, 0)),
        (np.random.default_rng(0).normal(size=200).cumsum().cumsum(), 1, (2, 0)),
        (seasonal(120, 12).to_numpy() - 0.05 * np.arange(120), 12, (0, 1)),
        (load_air_passengers().to_numpy(), 12, (1, 1)),
    ],
    ids=["noise", "walk", "walk of a walk", "season", "passengers"],
)
def test_differences_are_those_of_the_textbook(y, sp, expected):
    assert _count_differences(np.asarray(y, dtype=float), sp) == expected


@pytest.mark.filterwarnings("ignore:kpss currently returns:FutureWarning")
def test_kpss_agrees_with_statsmodels():
    from statsmodels.tsa.stattools import kpss

    y = np.random.default_rng(0).normal(size=400) + np.linspace(0, 0.6, 400)
    assert_allclose(_kpss(y), kpss(y, nlags=int(3 * np.sqrt(400) / 13))[0])


@pytest.mark.parametrize(
    ("orders", "sp"),
    [
        (_Orders(0, 0, 0, 0, True), 1),
        (_Orders(1, 0, 0, 0, True), 1),
        (_Orders(2, 1, 0, 0, True), 1),
        (_Orders(0, 2, 0, 0, False), 1),
        (_Orders(1, 1, 1, 0, True), 4),
        (_Orders(1, 0, 0, 1, False), 4),
    ],
)
def test_rough_fit_is_near_maximum_likelihood(orders, sp):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    noise = np.random.default_rng(1).normal(size=606)
    y = np.zeros(606)
    for t in range(6, 606):
        y[t] = 0.5 * y[t - 1] - 0.3 * y[t - 2] + 0.3 * y[t - 4] + noise[t] + 0.4 * noise[t - 4]
    y = y[6:] + 2.0 * orders.constant
    ar, ma, seasonal_ar, seasonal_ma, constant = orders
    model = SARIMAX(
        y,
        order=(ar, 0, ma),
        seasonal_order=(seasonal_ar, 0, seasonal_ma, sp if sp > 1 else 0),
        trend="c" if constant else "n",
    )
    rough = _fit_roughly(y, orders, sp)
    with one_blas_thread():
        best = model.fit(rough.parameters, disp=False, cov_type="none")
        assert model.loglike(rough.parameters) == pytest.approx(best.llf, abs=0.7)
    # The criteria differ by a constant, so that they choose alike.
    assert rough.aicc + len(y) * (1 + np.log(2 * np.pi)) == pytest.approx(best.aicc, abs=4)


def test_arima_finds_the_orders_of_a_process():
    noise = np.random.default_rng(2).normal(size=400)
    y = np.zeros(400)
    for t in range(2, 400):
        y[t] = 1.2 * y[t - 1] - 0.6 * y[t - 2] + noise[t]
    model = ARIMASearch().fit(pd.Series(y))
    assert model.result_.model.order == (2, 0, 0)
    assert_allclose(model.result_.params[1:3], [1.2, -0.6], atol=0.1)


def test_arima_learns_what_exogenous_variables_do():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"u": rng.normal(size=90), "v": rng.normal(size=90)})
    y = pd.Series(3 * X["u"] - 2 * X["v"] + 0.1 * rng.normal(size=90).cumsum())
    comparison = compare(["naive", "arima"], y, X, horizon=5, n_splits=2, sp=1)
    assert comparison.skill("naive")["arima"].min() > 0.8


NOISELESS = {
    "line": np.arange(60.0),
    "sine": np.sin(2 * np.pi * np.arange(120) / 12),
    "constant": np.full(50, 3.0),
    "zeros": np.zeros(50),
    "square": np.arange(60.0) ** 2,
}


@pytest.mark.parametrize(
    ("search", "sp", "name"),
    # Smoothing without a season can't follow a sine.
    sorted(
        {(search, sp, name) for search in SEARCHES for sp in (1, 12) for name in NOISELESS} - {(ETSSearch, 1, "sine")},
        key=str,
    ),
)
def test_series_without_noise_are_forecast(search, sp, name):
    y = NOISELESS[name]
    model = search(sp=sp).fit(pd.Series(y[:-3]), fh=[1, 2, 3])
    assert_allclose(model.predict(), y[-3:], atol=0.02 * max(1, np.ptp(y[-13:])))
    assert np.isfinite(model.predict_interval(coverage=0.9).to_numpy()).all()


@pytest.mark.parametrize(("search", "error"), [(ETSSearch, "at least 10 rows .* got 4"), (ARIMASearch, "No form of")])
def test_too_short_a_series_is_an_error(search, error):
    with pytest.raises(ValueError, match=error):
        search().fit(pd.Series([1.0, 3.0, 2.0, 5.0]))


@pytest.mark.parametrize("search", SEARCHES)
def test_update_without_refit_keeps_the_parameters_and_reads_the_rows(search):
    y = seasonal(100, 4)
    model = search(sp=4).fit(y[:90], fh=[1, 2])
    before = np.asarray(model.result_.params)
    model.update(y[90:], update_params=False)
    assert_allclose(model.result_.params, before)
    assert list(model.predict().index) == [100, 101]
    assert_allclose(model.predict(), search(sp=4).fit(y, fh=[1, 2]).predict(), atol=0.3)
    longer = pd.concat([y, pd.Series([25.0], index=[100])])
    model.update(longer[100:], update_params=True)
    assert_allclose(model.predict(), search(sp=4).fit(longer, fh=[1, 2]).predict())


def stop_searches(monkeypatch, search, first_n):
    """End the first searches for the highest likelihood after one iteration, and let the others pass for converged."""
    model = {ARIMASearch: SARIMAX, ETSSearch: ETSModel}[search]
    fit, stopped = model.fit, []

    def fit_some(self, *args, **options):
        if search is ETSSearch and self.initialization_method == "heuristic":
            return fit(self, *args, **options)
        if len(stopped) < first_n:
            stopped.append(fit(self, *args, **{**options, "maxiter": 1}))
            return stopped[-1]
        result = fit(self, *args, **options)
        result.mle_retvals["converged"] = True
        return result

    monkeypatch.setattr(model, "fit", fit_some)
    return stopped


NAME = r"(ETS\(\w+\)|ARIMA\([0-9,]+\)\([0-9,]+\)\[4\]( with a constant)?)"
REPEATED = rf"The likelihood search of {NAME} converged only when it was repeated\."
PASSED_OVER = rf"{NAME} was passed over, as its likelihood search did not converge\."
NONE_CONVERGED = (
    rf"No likelihood search converged \({NAME}, {NAME}, {NAME}\); {NAME} is used as far as its search came\."
)


@pytest.mark.parametrize(
    ("first_n", "expected"),
    [(1, [REPEATED]), (2, [PASSED_OVER]), (3, [PASSED_OVER, REPEATED]), (6, [NONE_CONVERGED])],
)
@pytest.mark.parametrize("search", SEARCHES)
def test_candidate_whose_search_does_not_converge_is_searched_again_or_passed_over(
    search, first_n, expected, monkeypatch
):
    y = seasonal(60, 4, noise=1.0)
    undisturbed = search(sp=4).fit(y, fh=[1, 2, 3]).predict()
    stopped = stop_searches(monkeypatch, search, first_n)
    with count_warnings() as notes:
        model = search(sp=4).fit(y, fh=[1, 2, 3])
    assert [result.mle_retvals["converged"] for result in stopped] == [False] * first_n
    messages = [message for category, message in notes if category == "ConvergenceWarning"]
    assert len(messages) == len(expected)
    assert all(map(re.fullmatch, expected, messages))
    assert_allclose(model.predict(), undisturbed, atol=1.0)
    if expected == [NONE_CONVERGED]:
        assert model.result_.aicc == min(result.aicc for result in stopped)


@pytest.mark.parametrize("first_n", [1, 1000])
@pytest.mark.parametrize("search", SEARCHES)
def test_no_warning_of_a_search_escapes(search, first_n, monkeypatch):
    # Any warning is an error here, as in all tests.
    y = seasonal(60, 4, noise=1.0)
    stop_searches(monkeypatch, search, first_n)
    model = search(sp=4).fit(y[:50], fh=[1, 2])
    model.predict()
    model.update(y[50:55], update_params=False).predict_interval()
    model.update(y[55:], update_params=True).predict_interval()
    assert np.isfinite(model.predict()).all()


def test_searches_that_do_not_converge_are_told_in_the_row_of_the_model(monkeypatch):
    stop_searches(monkeypatch, ARIMASearch, 1000)
    comparison = compare(["naive", "arima"], seasonal(60, 4, noise=1.0), horizon=2, n_splits=2, sp=4)
    assert comparison.failures == []
    told = comparison.results.set_index(["model", "fold"])["n_warnings"]
    assert told.groupby("model").apply(list).to_dict() == {"naive": [0, 0], "arima": [1, 1]}
    assert comparison.summary()["warnings"].to_dict() == {"naive": 0, "arima": 2}
    assert comparison.warnings["category"].to_list() == ["ConvergenceWarning"] * 2
    assert all(re.fullmatch(NONE_CONVERGED, message) for message in comparison.warnings["message"])


@pytest.mark.parametrize("search", SEARCHES)
def test_only_the_newest_rows_are_read(search):
    y = seasonal(300, 4)
    short, long = (search(sp=4, most_rows=60).fit(part, fh=[1, 2]).predict() for part in (y[-60:], y))
    assert_allclose(short, long)


@pytest.mark.parametrize("search", SEARCHES)
def test_any_steps_of_the_horizon(search):
    y = seasonal(60, 4)
    model = search(sp=4).fit(y)
    assert_allclose(model.predict(fh=[2, 5]), model.predict(fh=range(1, 6)).iloc[[1, 4]])
    at = model.predict_quantiles(fh=[2, 5], alpha=[0.1, 0.5, 0.9])
    assert list(at.index) == [61, 64]
    assert (np.diff(at.to_numpy(), axis=1) > 0).all()


# ---- settings of the process ---------------------------------------------------------------------------------------


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_runs_on_one_thread_and_gets_the_others_back():
    before = blas_threads()
    with one_blas_thread(), one_blas_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_overlapping_blocks_restore_what_the_first_found():
    setting = {"value": 2}

    def change():
        found, setting["value"] = setting["value"], 1
        return lambda: setting.update(value=found)

    block = ScopedSetting(change)
    entered, left = threading.Event(), threading.Event()

    def other():
        with block():
            entered.set()
            left.wait(5)
            assert setting["value"] == 1

    thread = threading.Thread(target=other)
    with block():
        thread.start()
        entered.wait(5)
    assert setting["value"] == 1
    left.set()
    thread.join()
    assert setting["value"] == 2
