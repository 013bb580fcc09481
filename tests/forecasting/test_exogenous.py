"""Exogenous columns whose future is known, unknown, or known in part."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting import GRUForecaster

FH = [1, 2, 3]
DAYS = pd.date_range("2024-01-01", periods=90, freq="D")
CUT = 70


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "n_networks": 1, "max_epochs": 3, "random_state": 0} | settings)


def weather_and_sales(n):
    """Sales follow the price of the same day and the rain of the day before."""
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=n, freq="D")
    X = pd.DataFrame({"price": random.normal(size=n), "rain": random.normal(size=n)}, index=days)
    return X, 10 - 2 * X["price"] + X["rain"].shift(1, fill_value=0.0) + 0.1 * random.normal(size=n)


@pytest.fixture
def X():
    return weather_and_sales(90)[0]


@pytest.fixture
def y():
    return weather_and_sales(90)[1]


def fitted(y, X, fh=FH, **settings):
    return tiny(**settings).fit(y[:CUT], X[:CUT], fh=fh)


# -- what may be used ------------------------------------------------------------------------------------------------


def test_X_is_used_as_far_as_it_is_known():
    X, y = weather_and_sales(260)
    errors = {}
    for future_X in ("known", ["price"], "unknown"):
        model = tiny(future_X=future_X, units=4, max_epochs=40, learning_rate=0.02, normalize="series", window_length=4)
        model.fit(y[:200], X[:200], fh=[1]).update(y[200:], X[200:], update_params=False)
        errors[str(future_X)] = (model.predict(fh=range(-59, 1)) - y[200:]).std()
    # Yesterday's rain is always known; without today's price its share of 2 remains.
    assert errors["known"] < 0.8
    assert errors["['price']"] < 0.8
    assert errors["unknown"] > 1.6


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("fold", [1, 5])
def test_each_step_depends_on_its_own_future(X, y, strategy, fold):
    model = fitted(y, X, fh=range(1, 5), strategy=strategy, fold=fold, window_length=10, max_epochs=20)
    before = model.predict(X=X[CUT:])
    for step in range(4):
        changed = X[CUT:].copy()
        changed.iloc[step] += 3.0
        assert abs(model.predict(X=changed).iloc[step] - before.iloc[step]) > 1e-4


def test_columns_known_in_part(X, y):
    model = fitted(y, X, future_X=["price"], window_length=10, max_epochs=20)
    assert model.window_spec_.known_future == (0,)
    expected = model.predict(fh=FH, X=X[CUT:])
    # What is not known in the future may be there, be missing, or be nonsense.
    assert_array_equal(model.predict(fh=FH, X=X[CUT:][["price"]]), expected)
    assert_array_equal(model.predict(fh=FH, X=X[CUT:].assign(rain=np.nan)), expected)
    far = range(1, 12)
    assert_array_equal(model.predict(fh=far, X=X[CUT:].assign(rain=99.0)), model.predict(fh=far, X=X[CUT:]))
    assert not np.allclose(model.predict(fh=FH, X=X[CUT:].assign(price=1.0)), expected)


# -- what may not leak -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fh", [FH, range(1, 15), [-5, 0, 8]], ids=["trained", "beyond", "mixed"])
def test_unknown_future_is_not_read_even_if_passed(X, y, fh):
    model = fitted(y, X, future_X="unknown")
    expected = model.predict(fh=fh)
    for passed in (X, X * 1000, X[CUT:]):
        assert_array_equal(model.predict(fh=fh, X=passed), expected)
    assert_array_equal(model.predict_interval(fh=fh, X=X), model.predict_interval(fh=fh))


def test_later_X_changes_no_earlier_forecast(X, y):
    model = fitted(y, X, future_X="unknown")
    truth, nonsense = (copy.deepcopy(model).update(y[CUT:], x[CUT:], update_params=False) for x in (X, -1000 * X))
    back = range(-60, -18)  # to the first row after the cutoff of fit
    assert_array_equal(truth.predict(fh=back), nonsense.predict(fh=back))
    assert not np.allclose(truth.predict(fh=[1]), nonsense.predict(fh=[1]))


def test_past_of_X_that_is_passed_again_is_not_read(X, y):
    model = fitted(y, X)
    expected = model.predict(X=X)
    assert_array_equal(model.predict(X=pd.concat([0 * X[:CUT] + 77, X[CUT:]])), expected)
    assert_array_equal(model.predict(X=X[CUT:]), expected)


def test_known_rows_are_forecast_as_they_would_have_been(X, y):
    model = fitted(y, X, future_X=["price"])
    one_by_one, expected = copy.deepcopy(model), []
    for now in range(CUT, 88):
        expected.append(one_by_one.predict(fh=[1], X=X[now:]).iloc[0])
        one_by_one.update(y[now : now + 1], X[now : now + 1], update_params=False)
    model.update(y[CUT:88], X[CUT:88], update_params=False)
    assert_allclose(model.predict(fh=range(-17, 1), X=X[88:]), expected)


# -- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fh", [[1], [1, 3], [2]], ids=str)
def test_every_row_that_the_network_reads_must_be_there(X, y, fh):
    model = fitted(y, X)
    expected = model.predict(fh=FH, X=X[CUT:])
    assert_array_equal(model.predict(fh=fh, X=X[CUT : CUT + 3]), expected.iloc[np.array(fh) - 1])
    with pytest.raises(ValueError, match="needs the future of X up to 2024-03-13 .* no row of X for"):
        model.predict(fh=fh, X=X.iloc[CUT + np.array(fh) - 1])


def test_missing_future_is_an_error_that_lists_the_times(X, y):
    model = fitted(y, X)
    remedy = "Pass X for these times to predict, or say with future_X which columns are known in the future"
    missing = "2024-03-11 00:00:00 to 2024-03-13 00:00:00 .3 rows."
    with pytest.raises(ValueError, match=f"{missing}[.] {remedy}[.]$"):
        model.predict()
    with pytest.raises(ValueError, match="no row of X for 2024-03-13 00:00:00[.]"):
        model.predict(X=X[: CUT + 2])
    with pytest.raises(ValueError, match="for 2024-03-11 00:00:00, 2024-03-13 00:00:00[.] .* predict 3 steps at once"):
        model.predict(fh=[2], X=X[CUT + 1 : CUT + 2])
    # Blocks of three steps follow each other.
    far = "no row of X for 2024-03-16 00:00:00 to 2024-03-22 00:00:00 .7 rows."
    with pytest.raises(ValueError, match=far):
        model.predict(fh=[1, 10], X=X[: CUT + 5])
    with pytest.raises(ValueError, match="and more up to 2024-04-09 .* .15 rows in all."):
        model.predict(fh=range(1, 31), X=pd.concat([X, X.set_index(DAYS + pd.Timedelta(90, "D"))])[CUT::2])


def test_a_known_row_reads_the_rows_after_it(X, y):
    model = fitted(y, X).update(y[CUT:80], X[CUT:80], update_params=False)
    assert len(model.predict(fh=[-5, -2])) == 2
    with pytest.raises(ValueError, match="for 2024-03-20 .* no row of X for 2024-03-21 00:00:00 to 2024-03-22"):
        model.predict(fh=[0])
    assert_array_equal(model.predict(fh=[0], X=X[80:82]), model.predict(fh=range(-9, 3), X=X[80:]).iloc[[9]])


def test_recursive_forecasts_need_X_up_to_their_own_time(X, y):
    model = fitted(y, X, strategy="recursive")
    assert_array_equal(model.predict(fh=[2], X=X[CUT : CUT + 2]), model.predict(fh=FH, X=X).iloc[[1]])
    assert len(model.predict(fh=[-4, 0])) == 2
    with pytest.raises(ValueError, match="no row of X for 2024-03-11 00:00:00[.] .* in the future[.]$"):
        model.predict(fh=[1, 3], X=X[CUT + 1 :])


def test_rows_passed_early_are_kept_and_used(X, y):
    expected = fitted(y, X).predict(X=X)
    early = tiny().fit(y[:CUT], X[: CUT + 3], fh=FH)
    assert_array_equal(early.predict(), expected)
    # Rows that predict gets replace them, in this call only.
    assert_array_equal(early.predict(X=X[CUT : CUT + 1] + 3), fitted(y, X).predict(X=changed_at(X, CUT, 3)))
    assert_array_equal(early.predict(), expected)


def changed_at(X, row, by):
    changed = X.copy()
    changed.iloc[row] += by
    return changed


@pytest.mark.parametrize("known_at_update", [None, 72, 76], ids=["not passed", "of the new rows", "beyond them"])
def test_rows_passed_early_stay_after_an_update(X, y, known_at_update):
    late = fitted(y, X).update(y[CUT:72], X[CUT:72], update_params=False)
    early = tiny().fit(y[:CUT], X[:75], fh=FH)
    early.update(y[CUT:72], X[CUT:known_at_update] if known_at_update else None, update_params=False)
    assert_array_equal(early.predict(fh=range(-3, 4)), late.predict(fh=range(-3, 4), X=X[72:]))


def test_an_update_needs_the_rows_of_X_that_were_not_passed_early(X, y):
    early = tiny().fit(y[:CUT], X[:75], fh=FH)
    with pytest.raises(ValueError, match="X must have a row for every row of y, but 5 are missing, the first at 2024"):
        early.update(y[CUT:80])
    assert_array_equal(early.predict(), fitted(y, X).predict(X=X))


def test_rows_known_after_the_cutoff_are_used(X, y):
    # An update with old rows sets the cutoff back.
    back = fitted(y, X).update(y[60:65], X[60:65], update_params=False)
    assert_array_equal(back.predict(), back.predict(X=X[65:]))


@pytest.mark.parametrize("fold", [2, 3, 5])
def test_rows_beyond_the_horizon_are_not_read_to_fill_a_fold(X, y, fold):
    settings = {"fold": fold, "window_length": 30}
    beyond = X.copy()
    beyond.iloc[CUT:] += 50
    fit_and_forecast = [
        tiny(**settings).fit(y[: CUT - 4], x[: CUT - 4], fh=range(1, 5)).predict(X=x[:CUT]) for x in (X, beyond)
    ]
    assert_array_equal(*fit_and_forecast)
    model = fitted(y, X, fh=range(1, 5), **settings)
    model.update(y[CUT:80], X[CUT:80], update_params=False)
    one_step = fitted(y, X, fh=range(1, 5), **settings).predict(fh=[1], X=X[CUT : CUT + 4])
    assert_allclose(model.predict(fh=[-9]), one_step)


def test_a_horizon_cut_short_reads_no_further_than_asked(X, y):
    with pytest.warns(UserWarning, match=r"The network learns 4 step\(s\) at once instead"):
        model = tiny().fit(y[:16], X[:16], fh=range(1, 17))
    assert model.predict(X=X[16:32]).shape == (16,)


@pytest.mark.parametrize("gap", [slice(0, 5), slice(30, 40), slice(68, 90), slice(0, 90)], ids=str)
def test_gaps_in_X_are_filled(X, y, gap):
    X.iloc[gap, 0] = np.nan
    assert np.isfinite(fitted(y, X).predict(fh=range(1, 9), X=X)).all()


def test_X_of_all_kinds_of_numbers(X, y):
    mixed = pd.DataFrame({"is": X["price"] > 0, "count": np.arange(90), "small": X["rain"].astype("float32")})
    assert np.isfinite(fitted(y, mixed).predict(X=mixed)).all()
    with pytest.raises(TypeError, match="categorical features"):
        fitted(y, X.assign(rain="wet"))
    X.iloc[80] = np.inf
    model = fitted(y, X)
    with pytest.raises(ValueError, match="X of y is infinite at 2024-03-21"):
        model.predict(fh=range(1, 15), X=X)


# -- columns ---------------------------------------------------------------------------------------------------------


def test_columns_may_come_in_another_order(X, y):
    turned = X[["rain", "price"]]
    model = fitted(y, X)
    expected = model.predict(X=X)
    assert_array_equal(model.predict(X=turned), expected)
    assert_array_equal(model.predict(X=X.assign(more=1.0)), expected)
    after = [copy.deepcopy(model).update(y[CUT:80], x[CUT:80], update_params=False).predict(X=x) for x in (X, turned)]
    assert_array_equal(*after)


def test_other_columns_are_an_error(X, y):
    model = fitted(y, X)
    with pytest.raises(ValueError, match=r"needs the columns \['price', 'rain'\] of X, but \['rain'\] are missing"):
        model.predict(X=X[["price"]])
    with pytest.raises(ValueError, match=r"fitted with the columns \['price', 'rain'\] of X, got no X"):
        model.update(y[CUT:])
    with pytest.raises(ValueError, match=r"fitted with the columns \['price', 'rain'\] of X, got \['price'\]"):
        model.update(y[CUT:], X[["price"]][CUT:])
    with pytest.raises(ValueError, match=r"fitted without X, got \['price', 'rain'\]"):
        tiny().fit(y[:CUT], fh=FH).update(y[CUT:], X[CUT:])
    with pytest.raises(ValueError, match=r"future_X=\['wind'\] names \['wind'\], but X has the columns"):
        fitted(y, X, future_X=["wind"])


# -- panels ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def panel(X, y):
    lengths = {"a": 70, "b": 40, "c": 55}
    return (
        pd.concat({key: (number + 1) * y[:n].to_frame("y") for number, (key, n) in enumerate(lengths.items())}),
        pd.concat({key: X + number for number, key in enumerate(lengths)}),
    )


def test_each_series_has_its_own_X(panel):
    y, X = panel
    model = tiny(max_epochs=10).fit(y, X, fh=FH)
    before = model.predict(X=X)
    changed = X.copy()
    changed.loc["b"] += 3.0
    after = model.predict(X=changed)
    assert_array_equal(after.drop("b"), before.drop("b"))
    assert not np.allclose(after.loc["b"], before.loc["b"])
    # Of each series only the rows after its own end are needed.
    ahead = pd.concat({key: X.loc[key].iloc[n : n + 3] for key, n in {"a": 70, "b": 40, "c": 55}.items()})
    assert_array_equal(model.predict(X=ahead), before)


def test_series_without_X_is_named(panel):
    y, X = panel
    model = tiny().fit(y, X[X.index.isin(y.index)], fh=FH)
    with pytest.raises(ValueError, match="forecast of the series 'b' for .* there is no row of X for 2024-02-10"):
        model.predict(X=X.drop("b"))
    with pytest.raises(TypeError, match="X has an index of 1 level.s., but the forecaster was fitted to one of 2"):
        model.predict(X=X.loc["a"])
    with pytest.raises(ValueError, match="X has no rows for the series 'b'"):
        tiny().fit(y, X.drop("b"), fh=FH)
    unknown = tiny(future_X="unknown").fit(y, X, fh=FH)
    assert_array_equal(unknown.predict(X=X.drop("b")), unknown.predict())


def test_each_series_keeps_its_own_early_X(panel):
    y, X = panel
    expected = tiny().fit(y, X[X.index.isin(y.index)], fh=FH).predict(X=X)
    early = tiny().fit(y, X, fh=FH)
    assert_array_equal(early.predict(), expected)
    more = y.loc[["b"]].iloc[:2].set_axis(X.loc[["b"]].index[40:42])
    early.update(more, update_params=False)
    assert_array_equal(early.predict().drop("b"), expected.drop("b"))
    assert_array_equal(early.predict().loc["b"], copy.deepcopy(early).predict(X=X).loc["b"])


def test_pretraining_with_X(panel, X, y):
    model = tiny(future_X=["price"]).pretrain(*panel, fh=FH)
    forecast = model.clone().fit(y[:30], X[:30]).predict(fh=FH, X=X[["price"]])
    assert_array_equal(model.clone().fit(y[:30], X[["rain", "price"]][:30]).predict(fh=FH, X=X), forecast)
    with pytest.raises(ValueError, match="got no X"):
        model.clone().fit(y[:30])
