import threading
import warnings
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import Ridge
from sktime.forecasting.base import BaseForecaster

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster
from sklrnn.forecasting.comparison.compare import compare
from sklrnn.forecasting.comparison.warning_counts import count_warnings

SECONDS = ["fit_seconds", "predict_seconds"]


class LastValue(BaseForecaster):
    """Repeats the last value, records its calls, and fails on request."""

    _tags: ClassVar = {
        "y_inner_mtype": "pd.DataFrame",
        "X_inner_mtype": "pd.DataFrame",
        "requires-fh-in-fit": False,
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:pred_int": True,
        "capability:update": True,
    }
    _config: ClassVar = {"remember_data": False}
    seen: ClassVar = []

    def __init__(self, trouble=None, at_length=None):
        self.trouble = trouble
        self.at_length = at_length
        super().__init__()

    def _wanted(self, trouble):
        return self.trouble == trouble and self.at_length in (None, self.n_rows_)

    def _fit(self, y, X, fh):
        self.n_rows_ = len(y)
        self.last_ = y.iloc[-1]
        self.seen.append(("fit", y.index, None if X is None else X.index))
        if self._wanted("fit"):
            raise RuntimeError("no\nluck")
        if self._wanted("interrupt"):
            raise KeyboardInterrupt
        if self._wanted("warn"):
            for _ in range(3):
                warnings.warn("not sure", ConvergenceWarning, stacklevel=1)
        return self

    def _update(self, y, X=None, update_params=True):
        self.seen.append(
            ("update" if update_params else "update without refit", y.index, None if X is None else X.index)
        )
        self.n_rows_ += len(y)
        self.last_ = y.iloc[-1]
        if self._wanted("update"):
            raise RuntimeError("no news")
        return self

    def _predict(self, fh, X):
        self.seen.append(("predict", tuple(fh.to_relative(self.cutoff).to_pandas()), None if X is None else X.index))
        if self._wanted("predict"):
            raise RuntimeError("no idea")
        index = fh.to_absolute_index(self.cutoff)
        values = np.tile(self.last_.to_numpy(float), (len(index), 1))
        if self._wanted("nan"):
            values[-1] = np.nan
        if self._wanted("index"):
            index = index.shift(1)
        if self._wanted("short"):
            index, values = index[:-1], values[:-1]
        return pd.DataFrame(values, index=index, columns=self.last_.index)

    def _predict_interval(self, fh, X, coverage):
        if self._wanted("interval"):
            raise RuntimeError("no bounds")
        index = fh.to_absolute_index(self.cutoff)
        ends = {
            (name, level, end): last + sign * 10 * level
            for name, last in zip(self._get_varnames(), self.last_, strict=True)
            for level in coverage
            for end, sign in (("lower", -1), ("upper", 1))
        }
        return pd.DataFrame(ends, index=index)


class TellsX(BaseForecaster):
    """Forecasts the first column of the future X."""

    _tags: ClassVar = {"y_inner_mtype": "pd.Series", "X_inner_mtype": "pd.DataFrame", "capability:exogenous": True}
    _config: ClassVar = {"remember_data": False}

    def _fit(self, y, X, fh):
        self.name_ = y.name
        return self

    def _predict(self, fh, X):
        return pd.Series(X.iloc[:, 0].to_numpy(), index=fh.to_absolute_index(self.cutoff), name=self.name_)


@pytest.fixture
def seen():
    LastValue.seen.clear()
    yield LastValue.seen
    LastValue.seen.clear()


def weekly(n_rows, seed=0, level=50.0):
    rng = np.random.default_rng(seed)
    return level * (1 + 0.1 * np.sin(2 * np.pi * np.arange(n_rows) / 7) + 0.02 * rng.normal(size=n_rows))


def daily(n_rows, **options):
    return pd.Series(weekly(n_rows, **options), index=pd.date_range("2024", periods=n_rows), name="sales")


def shops():
    lengths = {"b": 40, "a": 33, "c": 37}
    parts = {name: daily(n, seed=n, level=n).to_frame() for name, n in lengths.items()}
    return pd.concat(parts, names=["shop", "day"])


def without_seconds(table):
    return table.drop(columns=SECONDS, errors="ignore")


# ---- what the models get -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "ends"), [(None, [30, 35, 40]), (2, [36, 38, 40])])
def test_every_model_gets_the_same_training_rows_and_horizon(seen, step, ends):
    y = daily(45)
    X = pd.DataFrame({"x": np.arange(50.0)}, index=pd.date_range("2024", periods=50))
    comparison = compare(
        {"one": LastValue(), "two": LastValue()}, y, X, horizon=5, n_splits=3, step=step, coverage=None
    )
    one, two = seen[:6], seen[6:]
    assert [repr(call) for call in one] == [repr(call) for call in two]
    for end, fit, predict in zip(ends, one[::2], one[1::2], strict=True):
        assert fit[1].equals(y.index[:end])
        assert fit[2].equals(y.index[:end])
        assert predict[1] == (1, 2, 3, 4, 5)
        assert predict[2].equals(y.index[end : end + 5])
    assert list(comparison.results["cutoff"]) == 2 * [y.index[end - 1] for end in ends]
    forecasts = comparison.forecasts
    assert_series_equal(forecasts["y_true"], y.loc[forecasts["time"]].reset_index(drop=True), check_names=False)


def test_models_given_are_left_as_they_are():
    model = LastValue()
    compare([model], daily(30), horizon=2, n_splits=2)
    assert not model.is_fitted


def test_without_refit_a_model_is_fitted_once_and_updated_afterwards(seen):
    y = daily(45)
    X = pd.DataFrame({"x": np.arange(45.0)}, index=y.index)
    lazy = compare([LastValue()], y, X, horizon=5, n_splits=3, refit=False, coverage=None)
    kinds = [call[0] for call in seen]
    assert kinds == ["fit", "predict", "update without refit", "predict", "update without refit", "predict"]
    assert seen[0][1].equals(y.index[:30])
    assert seen[2][1].equals(y.index[30:35])
    assert seen[4][2].equals(y.index[35:40])
    assert_frame_equal(lazy.forecasts, compare([LastValue()], y, X, horizon=5, n_splits=3, coverage=None).forecasts)


def test_future_of_X_reaches_the_model():
    y = daily(40)
    answers = pd.DataFrame({"x": y.to_numpy()}, index=y.index)
    for X in (answers, answers["x"], answers.to_numpy(), answers.iloc[::-1], answers.to_numpy().ravel()):
        assert compare([TellsX()], y, X, horizon=4).results["RMSE"].max() == 0


@pytest.mark.parametrize(("initial_window", "n_folds"), [(20, 5), (21, 4), (40, 1)])
def test_as_many_cutoffs_as_leave_the_initial_window(initial_window, n_folds):
    comparison = compare("naive", daily(45), horizon=5, n_splits=None, initial_window=initial_window)
    assert comparison.n_splits == n_folds
    assert comparison.results["cutoff"].iloc[-1] == daily(45).index[39]


# ---- scores --------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_forecasts_against_the_truth():
    y = daily(60)
    comparison = compare(
        ["seasonal_naive", LastValue()],
        y,
        horizon=5,
        n_splits=2,
        sp=7,
        coverage=0.5,
        metrics=["MASE", "sMAPE", "RMSE", "MAE"],
    )
    rows = comparison.results.set_index(["model", "fold"])
    for fold, end in enumerate([50, 55]):
        train, true = y.to_numpy()[:end], y.to_numpy()[end : end + 5]
        for model, pred in {"seasonal_naive": train[-7:-2], "LastValue": np.full(5, train[-1])}.items():
            row, error = rows.loc[(model, fold)], np.abs(true - pred)
            assert row["MASE"] == pytest.approx(error.mean() / np.abs(train[7:] - train[:-7]).mean())
            assert row["sMAPE"] == pytest.approx((200 * error / (np.abs(true) + np.abs(pred))).mean())
            assert row["RMSE"] == pytest.approx(np.sqrt((error**2).mean()))
            assert row["MAE"] == pytest.approx(error.mean())
            assert row["fit_seconds"] > 0
            assert row["predict_seconds"] > 0
            assert row["error"] == ""
        assert rows.loc[("LastValue", fold), "coverage"] == np.mean(np.abs(true - train[-1]) <= 5)


def test_rank_is_the_mean_of_the_ranks_at_each_cutoff():
    # By the last value, the first fold is known exactly and the second is far off; by the drift it is the reverse.
    y = pd.Series([1.0, 5.0, 3.0, 3.0, 3.0, 3.0, 3.4, 3.8])
    comparison = compare(["naive", "drift"], y, horizon=2, n_splits=2, sp=1)
    ranks = comparison.results.pivot(index="fold", columns="model", values="MASE").rank(axis=1)
    assert ranks.nunique(axis=1).eq(2).all()
    assert_allclose(comparison.summary()["rank"].sort_index(), ranks.mean().sort_index())


def test_variables_are_scored_each_and_averaged():
    both = pd.DataFrame({"a": weekly(50), "b": weekly(50, seed=1, level=900.0)})
    joint = compare(["seasonal_naive", LastValue()], both, horizon=5, sp=7)
    alone = [compare(["seasonal_naive", LastValue()], both[name], horizon=5, sp=7).results for name in both]
    for score in ("MASE", "sMAPE", "RMSE", "coverage"):
        assert_allclose(joint.results[score], (alone[0][score] + alone[1][score]) / 2)
    assert joint.forecasts.groupby("variable")["y_true"].mean()["b"] > 500


def test_instances_of_a_panel_are_split_at_their_own_cutoffs_and_scored_each():
    panel = shops()
    joint = compare(["seasonal_naive", "drift"], panel, horizon=4, n_splits=2, sp=7)
    assert set(joint.results["instance"]) == {"a", "b", "c"}
    for name in "abc":
        alone = compare(["seasonal_naive", "drift"], panel.loc[name, "sales"], horizon=4, n_splits=2, sp=7)
        ours = joint.results.query("instance == @name").drop(columns="instance").reset_index(drop=True)
        assert_frame_equal(without_seconds(ours), without_seconds(alone.results))
        ours = joint.forecasts.query("instance == @name").drop(columns="instance").reset_index(drop=True)
        assert_frame_equal(ours, alone.forecasts)
    means = joint.results.groupby("model")["MASE"].mean()
    assert_allclose(joint.summary()["MASE"].sort_index(), means, rtol=1e-3)


def test_rows_of_a_panel_may_come_in_any_order():
    panel = shops()
    mixed = compare(["naive"], panel.sample(frac=1, random_state=0), horizon=4, n_splits=2)
    assert_frame_equal(mixed.forecasts, compare(["naive"], panel, horizon=4, n_splits=2).forecasts)


def test_panel_of_one_and_exogenous_panels_work():
    panel = shops()
    answers = panel.rename(columns={"sales": "x"})
    assert compare([TellsX()], panel, answers, horizon=3, n_splits=2).results["RMSE"].max() == 0
    assert compare([TellsX()], panel.loc[["a"]], answers, horizon=3, n_splits=2).results["RMSE"].max() == 0


@pytest.mark.parametrize("y", [daily(40), daily(40).to_period("D"), shops()], ids=["dates", "periods", "panel"])
def test_without_refit_a_model_without_parameters_forecasts_as_with_it(y):
    models = [LastValue(), "seasonal_naive"]
    lazy, eager = (compare(models, y, horizon=3, n_splits=2, step=1, refit=refit) for refit in (False, True))
    assert lazy.failures == []
    assert_frame_equal(lazy.forecasts, eager.forecasts)


def test_instances_of_a_hierarchy_are_tuples():
    hierarchy = pd.concat({"north": shops(), "south": 2 * shops()}, names=["region"])
    results = compare("naive", hierarchy, horizon=2, n_splits=1).results
    assert set(results["instance"]) == {(region, shop) for region in ("north", "south") for shop in "abc"}
    assert results.groupby("instance")["MASE"].first().loc[[("north", "a"), ("south", "a")]].nunique() == 1


@pytest.mark.parametrize(
    "y",
    [
        daily(40).set_axis(pd.DatetimeIndex(daily(40).index.to_numpy())),
        daily(40).tz_localize("Europe/Berlin"),
        daily(40).to_period("D"),
        daily(40).set_axis(pd.date_range("2020", periods=40, freq="ME")),
        daily(40).set_axis(pd.RangeIndex(5, 45)),
        daily(40).set_axis(pd.Index(range(40))),
        daily(40).to_frame(),
        daily(40).to_numpy(),
        daily(40).to_numpy()[:, None],
        daily(40).astype(np.float32),
        daily(40).to_list(),
    ],
    ids=["no freq", "zone", "period", "month ends", "range", "numbers", "frame", "array", "column", "float32", "list"],
)
def test_all_kinds_of_one_series_give_the_same_scores(y):
    expected = compare(["drift"], daily(40), horizon=3, n_splits=2, sp=7).results
    results = compare(["drift"], y, horizon=3, n_splits=2, sp=7).results
    assert_allclose(results[["MASE", "sMAPE"]], expected[["MASE", "sMAPE"]], rtol=1e-5)


def test_season_is_found_before_the_first_cutoff():
    assert compare("naive", load_air_passengers(), horizon=12).sp == 12
    assert compare("naive", shops(), horizon=3, n_splits=2).sp == 7
    # The series is seasonal only after the first cut-off.
    y = np.random.default_rng(0).normal(size=140)
    y[100:] = np.tile([0, 9, 0, 0], 10)
    assert compare("naive", y, horizon=10, n_splits=4).sp == 1


def test_own_metric_is_scored_and_ranks():
    def worst(y_true, y_pred):
        return np.abs(y_true - y_pred).max()

    comparison = compare(["naive", "seasonal_naive"], daily(40), horizon=3, metrics=[worst, "MAPE"])
    assert comparison.metrics == ("worst", "MAPE")
    forecasts = comparison.forecasts.assign(error=lambda table: (table["y_true"] - table["y_pred"]).abs())
    expected = forecasts.groupby(["model", "fold"])["error"].max()
    assert_allclose(comparison.results.set_index(["model", "fold"])["worst"].sort_index(), expected)
    assert comparison.summary()["worst"].is_monotonic_increasing


def refuse(y_true, y_pred):
    raise RuntimeError("not for me")


def refuse_the_naive_forecast(y_true, y_pred):
    if y_pred[0] == y_pred[-1]:
        raise ZeroDivisionError("no spread")
    return y_pred[0]


def test_metric_that_raises_costs_its_own_column_only():
    models, data = ["naive", "seasonal_naive"], {"y": daily(40), "horizon": 3, "n_splits": 2}
    expected = compare(models, **data, metrics=["MASE", "MAE"])
    message = "The metric 'refuse' raised an error for 2 model.s., at 2 cut-off.s.; .* RuntimeError: not for me$"
    with pytest.warns(UserWarning, match=message) as caught:
        comparison = compare(models, **data, metrics=["MASE", refuse, "MAE"])
    assert len(caught) == 1
    assert comparison.results["refuse"].isna().all()
    assert (comparison.results["error"] == "").all()
    for column in ("rank", "MASE", "MAE"):
        assert_allclose(comparison.summary()[column], expected.summary()[column])
    assert list(comparison.metric_errors["metric"]) == ["refuse"] * 4
    assert "not for me" in repr(comparison)


def test_metric_that_raises_for_one_model_averages_the_others():
    with pytest.warns(UserWarning, match="for 1 model.* 'naive': ZeroDivisionError: no spread\n'MAE' ranks the models"):
        comparison = compare(["naive", "drift"], daily(40), horizon=3, metrics=[refuse_the_naive_forecast, "MAE"])
    summary = comparison.summary()
    assert summary["refuse_the_naive_forecast"].notna().to_dict() == {"naive": False, "drift": True}
    by_mae = compare(["naive", "drift"], daily(40), horizon=3, metrics="MAE").summary()
    assert_array_equal(summary[["rank", "MAE"]], by_mae[["rank", "MAE"]])


def test_no_metric_ranks_if_all_raise():
    with pytest.warns(UserWarning, match="No metric ranks the models"):
        comparison = compare(["naive", "drift"], daily(40), horizon=3, metrics=refuse)
    assert comparison.summary()["rank"].isna().all()
    assert comparison.skill().notna().all(axis=None)


def test_series_where_a_metric_raised_has_no_average_over_its_other_variables():
    def refuse_large_values(y_true, y_pred):
        assert y_true.max() < 50
        return 1.0

    two = pd.DataFrame({"small": weekly(30), "large": 100 + weekly(30)})
    with pytest.warns(UserWarning, match="AssertionError"):
        comparison = compare("naive", two, horizon=3, n_splits=2, metrics=["MAE", refuse_large_values])
    assert comparison.results["refuse_large_values"].isna().all()


def test_constant_series_have_no_mase_and_divide_by_nothing():
    everything = ["naive", "seasonal_naive", "drift", "theta", "ets", "arima", "combination"]
    comparison = compare(everything, np.full(40, 3.0), horizon=4, n_splits=2)
    assert comparison.results["MASE"].isna().all()
    assert_allclose(comparison.results["RMSE"], 0, atol=1e-8)
    assert comparison.failures == []
    assert (comparison.summary()["rank"] == 4).all()
    one_flat = pd.concat({"flat": pd.DataFrame({"y": np.zeros(30)}), "not": pd.DataFrame({"y": weekly(30)})})
    summary = compare(["naive", "drift"], one_flat, horizon=3, n_splits=2).summary()
    assert summary["MASE"].notna().all()


def test_combination_is_the_mean_of_theta_and_ets():
    forecasts = compare(["theta", "ets", "combination"], weekly(60), horizon=7, n_splits=1).forecasts
    predicted = {name: part["y_pred"].to_numpy() for name, part in forecasts.groupby("model")}
    assert_allclose(predicted["combination"], (predicted["theta"] + predicted["ets"]) / 2)


def test_no_intervals_are_asked_for_without_coverage():
    comparison = compare([LastValue("interval")], daily(30), horizon=2, coverage=None)
    assert comparison.warnings.empty
    assert comparison.forecasts["lower"].isna().all()
    assert not [name for name in comparison.summary() if "coverage" in name]


# ---- the same whatever the machine does ----------------------------------------------------------------------------


def test_results_do_not_depend_on_the_number_of_jobs():
    y = daily(60)
    network = GRUForecaster(units=4, max_epochs=2, random_state=0)
    models = ["ets", "arima", network, LastValue("fit", at_length=50)]
    np.random.seed(0)  # noqa: NPY002
    with pytest.warns(FitFailedWarning):
        one = compare(models, y, horizon=5, n_splits=2, n_jobs=1)
    with pytest.warns(FitFailedWarning):
        two = compare(models, y, horizon=5, n_splits=2, n_jobs=2)
    assert_frame_equal(without_seconds(one.results), without_seconds(two.results))
    assert_frame_equal(one.forecasts, two.forecasts)
    assert_frame_equal(one.warnings, two.warnings)
    # The global generator was not drawn from.
    assert np.random.random() == pytest.approx(0.5488135039273248)  # noqa: NPY002


def test_bar_shows_on_request_only(capsys):
    compare("naive", daily(30), horizon=2, n_splits=3)
    assert capsys.readouterr() == ("", "")
    compare("naive", daily(30), horizon=2, n_splits=3, verbose=1)
    assert "3/3" in capsys.readouterr().err


# ---- warnings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_warnings_of_models_are_counted_not_shown(backend):
    before = warnings.filters[:], warnings.showwarning
    models = {"loud": LastValue("warn"), "quiet": LastValue()}
    with joblib.parallel_config(backend=backend, n_jobs=None if backend == "sequential" else 3):
        comparison = compare(models, daily(40), horizon=3, n_splits=3)
    assert (warnings.filters[:], warnings.showwarning) == before
    assert comparison.results.groupby("model")["n_warnings"].sum().to_dict() == {"loud": 9, "quiet": 0}
    assert comparison.warnings.to_dict("list") == {
        "model": 3 * ["loud"],
        "fold": [0, 1, 2],
        "category": 3 * ["ConvergenceWarning"],
        "message": 3 * ["not sure"],
        "times": 3 * [3],
    }
    assert comparison.summary()["warnings"].to_dict() == {"loud": 9, "quiet": 0}


def test_overlapping_counters_count_their_own_thread_and_restore_the_filters():
    before = warnings.filters[:], warnings.showwarning
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    counted = {}

    def first():
        with count_warnings() as counts:
            first_is_in.set()
            second_is_in.wait(5)
            warnings.warn("first", UserWarning, stacklevel=1)
        first_is_out.set()
        counted["first"] = dict(counts)

    def second():
        first_is_in.wait(5)
        with count_warnings() as counts:
            second_is_in.set()
            first_is_out.wait(5)
            warnings.warn("second", UserWarning, stacklevel=1)
        counted["second"] = dict(counts)

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == {name: {("UserWarning", name): 1} for name in ("first", "second")}
    assert (warnings.filters[:], warnings.showwarning) == before


def test_warnings_of_other_threads_are_shown():
    def elsewhere():
        warnings.warn("elsewhere", UserWarning, stacklevel=1)

    def count_meanwhile():
        with count_warnings() as counts:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        return counts

    with pytest.warns(UserWarning, match="elsewhere"):
        counts = count_meanwhile()
    assert not counts


# ---- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("fit", "RuntimeError: no luck"),
        ("predict", "RuntimeError: no idea"),
        ("nan", "1 of 4 values of the forecast are NaN or infinite."),
        ("index", "ValueError: The forecast has no row for 1 of 4 times asked for, the first 2024-02-02 00:00:00"),
        ("short", "ValueError: The forecast has no row for 1 of 4 times asked for, the first 2024-02-05 00:00:00"),
    ],
)
def test_failure_of_a_model_is_kept_to_its_row(trouble, error):
    y = daily(40)
    models = {"good": LastValue(), "bad": LastValue(trouble, at_length=32)}
    with pytest.warns(FitFailedWarning, match="'bad' failed at 1 of 2 cut-offs") as caught:
        comparison = compare(models, y, horizon=4, n_splits=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    good, bad = (comparison.results[comparison.results["model"] == name] for name in models)
    alone = compare({"good": LastValue()}, y, horizon=4, n_splits=2)
    assert_frame_equal(without_seconds(good), without_seconds(alone.results))
    assert bad["error"].iloc[0].startswith(error)
    assert bad["error"].iloc[1] == ""
    assert bad[["MASE", "sMAPE", "RMSE"]].isna().all(axis=1).tolist() == [True, False]
    summary = comparison.summary()
    assert list(summary.index) == ["good", "bad"]
    assert summary["MASE"].isna().tolist() == [False, True]
    assert summary["failed"].tolist() == [0, 1]
    assert summary.loc["bad", "rank"] > summary.loc["good", "rank"]
    assert comparison.skill()["bad"].isna().all()
    for text in (repr(comparison), comparison._repr_html_().replace("&#x27;", "'")):
        assert f"'bad' failed at 1 of 2 cut-offs: {error}" in text


def test_missing_values_of_one_instance_cost_that_instance_only():
    panel = shops()
    shortest = int(panel.groupby(level=0).size().min())
    with pytest.warns(FitFailedWarning, match="1 of 3 values"):
        results = compare([LastValue("nan", at_length=shortest - 3)], panel, horizon=3, n_splits=1).results
    assert results.set_index("instance")["MASE"].isna().to_dict() == {"a": True, "b": False, "c": False}


def test_without_refit_a_failed_fit_is_the_end_and_a_failed_forecast_is_not():
    y = daily(40)
    errors = {}
    for trouble, length in {"fit": 28, "update": 32, "predict": 32}.items():
        with pytest.warns(FitFailedWarning):
            comparison = compare([LastValue(trouble, at_length=length)], y, horizon=4, n_splits=3, refit=False)
        errors[trouble] = (comparison.results["error"] != "").tolist()
    assert errors == {"fit": [True, True, True], "update": [False, True, True], "predict": [False, True, False]}


def test_failed_interval_does_not_spoil_the_scores():
    comparison = compare({"bad": LastValue("interval"), "good": LastValue()}, daily(40), horizon=4, n_splits=2)
    bad, good = (comparison.results[comparison.results["model"] == name] for name in ("bad", "good"))
    assert_allclose(bad["MASE"], good["MASE"])
    assert bad["coverage"].isna().all()
    assert good["coverage"].notna().all()
    assert set(comparison.warnings["category"]) == {"IntervalFailed"}
    assert comparison.warnings["message"].iloc[0] == "RuntimeError: no bounds"
    assert comparison.failures == []


def test_interrupting_stops_everything():
    with pytest.raises(KeyboardInterrupt):
        compare([LastValue("interrupt")], daily(30), horizon=2)


# ---- summary, skill and plots --------------------------------------------------------------------------------------


def test_summary_is_sorted_rounded_and_narrow():
    comparison = compare(["naive", "seasonal_naive", "drift"], load_air_passengers(), horizon=12, n_splits=3)
    summary = comparison.summary()
    assert list(summary) == ["rank", "MASE", "sMAPE, %", "RMSE", "coverage, %", "fit, s", "predict, s"]
    assert summary["rank"].is_monotonic_increasing
    assert summary.index[0] == "seasonal_naive"
    title, _, *table = repr(comparison).splitlines()
    assert title == "3 models at 3 cut-offs, 12 steps ahead, season of 12, intervals for 90 %"
    assert max(map(len, table)) <= 100
    assert len(table) == 2 + 3
    assert "<table" in comparison._repr_html_()


def test_names_are_escaped_in_a_notebook():
    with pytest.warns(FitFailedWarning):
        html = compare({"<b>": LastValue("fit")}, daily(30), horizon=2)._repr_html_()
    assert "<b>" not in html


def test_skill_is_one_minus_the_ratio_of_errors():
    y = daily(60)
    comparison = compare(["seasonal_naive", "naive", TellsX()], y, y.to_frame(), horizon=3, n_splits=4, sp=7)
    skill = comparison.skill()
    assert list(skill.index) == [1, 2, 3]
    assert (skill["seasonal_naive"] == 0).all()
    assert (skill["TellsX"] == 1).all()
    errors = (comparison.forecasts["y_true"] - comparison.forecasts["y_pred"]).abs()
    scale = np.tile(comparison.naive_baseline["scale"], 3)
    by_step = comparison.forecasts.assign(error=errors / scale).groupby(["model", "step"])["error"].mean()
    assert_allclose(skill["naive"], 1 - by_step["naive"] / by_step["seasonal_naive"])
    against_naive = comparison.skill("naive")
    assert_allclose(1 - against_naive["seasonal_naive"], 1 / (1 - skill["naive"]))
    with pytest.raises(ValueError, match="reference must be one of"):
        comparison.skill("theta")


def test_series_of_a_panel_have_equal_weight_in_skill():
    panel = shops()
    large = panel.copy()
    large.loc[["a"]] *= 1e6
    one, other = (compare("naive", data, horizon=3, n_splits=2, sp=7).skill() for data in (panel, large))
    assert_frame_equal(one, other)


@pytest.fixture(scope="module")
def nine():
    names = ["naive", "seasonal_naive", "drift", "theta"]
    models = {**dict.fromkeys(names), **{f"network {number}": LastValue() for number in range(5)}}
    return compare(
        {name: model or name for name, model in models.items()}, load_air_passengers(), horizon=12, n_splits=2
    )


def test_plot_gives_every_model_its_own_style_and_no_legend_over_lines(nine):
    figure = nine.plot(highlight=[f"network {number}" for number in range(4)])
    above, below = figure.axes
    for ax in (above, below):
        styles = {(line.get_color(), line.get_linestyle()) for line in ax.lines if line.get_label() in nine.models}
        assert len(styles) == 9
    colours = {line.get_label(): line.get_color() for line in above.lines}
    assert colours == colours | {
        line.get_label(): line.get_color() for line in below.lines if line.get_label() in colours
    }
    figure.canvas.draw()
    legend = above.get_legend().get_window_extent()
    assert not any(legend.overlaps(ax.get_window_extent()) for ax in (above, below))
    assert figure.bbox.x1 >= legend.x1
    assert {text.get_text() for text in above.get_legend().get_texts()} >= {*nine.models, "truth"}
    truth = next(line for line in above.lines if line.get_label() == "truth")
    assert truth.get_ydata()[-1] == load_air_passengers().iloc[-1]


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("y", [daily(40), daily(40).to_numpy(), shops(), daily(40).to_period("D").to_frame()])
def test_plot_of_all_kinds_of_data(y, horizon):
    figure = compare(["naive", "drift"], y, horizon=horizon, n_splits=1).plot()
    figure.canvas.draw()
    assert all(ax.has_data() for ax in figure.axes)


def test_plot_of_one_instance_and_variable_on_given_axes():
    from matplotlib.figure import Figure

    wide = shops().assign(twice=lambda panel: 2 * panel["sales"])
    comparison = compare(["naive"], wide, horizon=3, n_splits=2)
    axes = Figure().subplots(2, 1)
    figure = comparison.plot(axes=axes, instance="c", variable="twice", history=10)
    assert figure is axes[0].figure
    truth = axes[0].lines[0].get_ydata()
    assert_allclose(truth, wide.loc["c", "twice"].to_numpy()[-13:])
    with pytest.raises(ValueError, match="instance must be one of 'a', 'b', 'c', got 'd'"):
        comparison.plot_forecasts(instance="d")
    with pytest.raises(ValueError, match="highlight must name models"):
        comparison.plot_skill(highlight=["drift"])


def test_failed_model_is_left_out_of_the_plot():
    with pytest.warns(FitFailedWarning):
        comparison = compare({"bad": LastValue("fit"), "good": LastValue()}, daily(30), horizon=2)
    labels = [line.get_label() for ax in comparison.plot().axes for line in ax.lines]
    assert "bad" not in labels
    assert labels.count("good") == 2


def test_diverging_forecast_does_not_compress_the_plot():
    y = daily(40)
    X = pd.DataFrame({"x": np.geomspace(1, 1e12, 40)}, index=y.index)
    comparison = compare([TellsX(), "naive", "drift"], y, X, horizon=5, n_splits=2)
    above, below = comparison.plot().axes
    assert np.ptp(above.get_ylim()) < 5 * np.ptp(y)
    assert below.get_ylim()[0] >= -101


# ---- bad input -----------------------------------------------------------------------------------------------------


def holed(y):
    return y.drop(y.index[5])


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (
            daily(20),
            {"horizon": 5},
            r"4 cut-offs, 5 rows apart.*need 22 rows, but y has 20. Set n_splits=3 or lower step",
        ),
        (daily(4), {"horizon": 5}, "Lower horizon"),
        (daily(30), {"horizon": 5, "initial_window": 12}, "at least 12 rows before the first need 32 rows"),
        (shops(), {"horizon": 5, "n_splits": 7}, "but instance 'a' of y has 33. Set n_splits=6"),
        (daily(30), {"horizon": 0}, "horizon must be an int of at least 1, got 0"),
        (daily(30), {"horizon": 2.0}, "horizon must be an int of at least 1, got 2.0"),
        (daily(30), {"horizon": True}, "horizon must be an int of at least 1, got True"),
        (daily(30), {"horizon": 2, "n_splits": 0}, "n_splits must be an int"),
        (daily(30), {"horizon": 2, "step": 0}, "step must be an int"),
        (daily(30), {"horizon": 2, "sp": 0}, "sp must be 'auto' or an int of at least 1"),
        (daily(30), {"horizon": 2, "coverage": 90}, "coverage must lie between 0 and 1"),
        (
            daily(30),
            {"horizon": 2, "metrics": ["mase"]},
            "metrics must be among .*'MASE'.* got 'mase'. Did you mean 'MASE'",
        ),
        (daily(30), {"horizon": 2, "metrics": ["mean_absolute_error"]}, "Did you mean 'MAE'?"),
        (daily(30), {"horizon": 2, "metrics": []}, "at least one score"),
        (
            daily(30).replace(daily(30).iloc[3], np.nan),
            {"horizon": 2},
            r"1 of its 30 values are NaN.*2024-01-04.*ffill",
        ),
        (holed(daily(30)), {"horizon": 2}, "no regular frequency.*asfreq"),
        (holed(daily(30).to_period("D")), {"horizon": 2}, "no regular frequency"),
        (holed(pd.Series(range(30))), {"horizon": 2}, "no regular frequency.*reset_index"),
        (daily(30).iloc[::-1], {"horizon": 2}, "times in order.*sort_index"),
        (pd.concat([daily(30), daily(30)]).sort_index(), {"horizon": 2}, "each of them once"),
        (shops().drop(("c", "2024-01-09")), {"horizon": 2}, "Instance 'c' of y has no regular frequency"),
        (daily(0), {"horizon": 2}, "y is empty"),
        (np.zeros((3, 3, 3)), {"horizon": 2}, r"shape \(time,\) or \(time, variable\), got \(3, 3, 3\)"),
    ],
)
def test_bad_values_are_named(y, options, message):
    with pytest.raises(ValueError, match=message):
        compare("naive", y, **options)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ({"a": daily(30)}, "y must be a pandas Series.*got dict"),
        (pd.Series(list("abcdefgh")), "y must hold numbers"),
        (daily(30).set_axis(daily(30).index.astype(str)), "must have a DatetimeIndex, a PeriodIndex or whole numbers"),
    ],
)
def test_bad_types_of_y_are_named(y, message):
    with pytest.raises(TypeError, match=message):
        compare("naive", y, horizon=2)


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ([], ValueError, "models is empty"),
        ({}, ValueError, "models is empty"),
        (["naive", "naive"], ValueError, "'naive' is there more than once. Pass a dict"),
        ([LastValue(), LastValue("nan")], ValueError, "'LastValue' is there more than once"),
        ({1: "naive", "1": "drift"}, ValueError, "'1' is there more than once"),
        (["seasonal naive"], ValueError, "no forecaster named 'seasonal naive'. Did you mean 'seasonal_naive'?"),
        (["AutoARIMA"], ValueError, r"no forecaster named 'AutoARIMA'. Did you mean 'arima'\?"),
        (
            "prophet",
            ValueError,
            "The names are 'arima', 'combination', 'drift', 'ets', 'naive', 'seasonal_naive', 'theta'",
        ),
        (LastValue, TypeError, r"LastValue is a class.*pass LastValue\(\)"),
        ([Ridge()], TypeError, r"Ridge is an estimator of scikit-learn.*make_reduction\(Ridge\(\)"),
        ([Ridge], TypeError, "Ridge is a class"),
        ([3], TypeError, "must be a forecaster of sktime or one of the names .* got int"),
        ({"none": None}, TypeError, "got NoneType"),
    ],
)
def test_bad_models_are_named(models, error, message):
    with pytest.raises(error, match=message):
        compare(models, daily(30), horizon=2)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (daily(30).to_frame().iloc[:28], ValueError, "X must cover the times of y, but 2 of 30 .* first at 2024-01-29"),
        (daily(30).to_period("D").to_frame(), ValueError, "Its index is a PeriodIndex, that of y a DatetimeIndex"),
        (np.zeros((20, 2)), ValueError, "must have the rows of y, 30, .* got 20"),
        (pd.concat([daily(30), daily(30)]).to_frame(), ValueError, "one row at each time"),
        ("x", TypeError, "X must be a DataFrame with the index of y, got str"),
    ],
)
def test_bad_exogenous_data_are_named(X, error, message):
    with pytest.raises(error, match=message):
        compare("naive", daily(30), X, horizon=2)
